"""What a reader types or pastes, read as it looks on the screen; widgets/js/typed.mjs does the same."""

import re
import unicodedata

__all__ = ["APOSTROPHES", "plain_text"]

APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\uff07", "'"))
"""For `str.translate`: the apostrophe that vocabularies have instead of those that phones write."""

# Unicode's Default_Ignorable_Code_Point: soft hyphen, joiners, marks of direction, variation selectors, …
_NO_INK = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_WHITE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def plain_text(text: str) -> str:
    """Return a text as it looks: composed (NFC), without what leaves no ink, with single spaces.

    No ink have soft hyphens, zero-width spaces and joiners, variation selectors, marks of direction. For text
    whose words are looked up in a closed vocabulary: in free text the joiners have a meaning (Hindi, emoji),
    and the tokenizers keep them.
    """
    return _WHITE.sub(" ", unicodedata.normalize("NFC", _NO_INK.sub("", text))).strip()
