"""The words of the book's frame, which stand in ``book/_words.yml``: read once, checked, and filled in.

What stands between two parts of a page belongs to the language of the book. Here is which words there are and
what each is given, so that a translation that lacks one is refused before any page is made.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from babel import Locale
from babel.core import UnknownLocaleError
from markupsafe import Markup, escape

__all__ = ["WORDS", "Counted", "Words", "WordsError", "known", "spoken_in", "words"]

# From the root of the repository.
WORDS = "book/_words.yml"
_FORMS = ("zero", "one", "two", "few", "many", "other")
# How a template, a directive and a script ask for words.
_ASKED = re.compile(r"""\bsay(?:\.html)?\(\s*["']([\w.]+)["']""")
_PLACE = re.compile(r"\{(\w+)\}")

# Each group with its keys, and in brackets what these are given.
_KNOWN = {
    "page": """skip contents close this_page colab download(more) download_more edit(more) edit_more
        report(more) report_more search sections sections_label book start neighbours previous next
        link_heading link_equation link_definition link_term link_table link_code link_image""",
    "colours": "button chosen(colours) auto light dark",
    "was_here": """label place(page,section) section(section) solved(solved) solved_of(count,all)
        remembers forget""",
    "colophon": "rights(year,author) version(version) version_changed(version,day) changes reader",
    "keys": "title search pages sections list close silent are_on",
    "memory": "title about is_on forget forgotten keeps_nothing",
    "lost": "title about begins(link)",
    "search": """title no_script label button term symbol exercise equation name
        exercise_title(number,title) equation_title(number) chapter_typed(number) exercise_typed(number)
        exercise_short(number) equation_typed(number) equation_short(number) expected(query) too_common(words)
        nowhere(words) instead(words,instead) found(count,words) nothing(words) some(words) other_name(words)
        also(names) word(word) comma(words,word) and(words,word) more(count,left)""",
    "code": """copy copy_label copied selected scrolls code_scrolls show_content show_source show_output
        show_outputs hide_content hide_source hide_output hide_outputs""",
    "quiz": "label title right wrong printed",
    "solved": "label(exercise) box answered all some",
    "glossary": "link",
    "facts": """reading exercises running notebook all_notebooks about(minutes) not_measured either(one,other)
        colab binder download archive editor""",
    "running": """seconds(count) minutes(count) range(low,high) on_cpu(time) on_gpu(time)
        measured(time,machine) measured_both(time,machine)""",
    "times": "hours(count) all(reading,exercises) chapter reading exercises running sum",
    "teaching": """week class_minutes(count) at_home all minutes(count) min(count) chapter in_class
        in_weeks(minutes,count) no_syllabus in_all(minutes) checked by_hand none read(minutes) solve""",
    "editions": "handout(title) solutions(title) slides(title) solutions_title solutions_about",
    "slides": "label all overview back forward slide(number,title) scrolls",
    "sharing": "picture(title)",
    "archive": "readme(title,version,pages)",
}


class WordsError(ValueError):
    """The words cannot be used; the message names each key that is wrong, and what is wrong with it."""


class Counted(NamedTuple):
    """A number that is written otherwise than in digits, such as 3½."""

    text: str
    number: float
    """What chooses the form."""

    def __str__(self) -> str:
        return self.text


@cache
def known() -> dict[str, frozenset[str]]:
    """Return every key there is, with the names of what its words are given."""
    found = {}
    for group, keys in _KNOWN.items():
        for key, given in re.findall(r"(\w+)(?:\(([\w,]+)\))?", keys):
            found[f"{group}.{key}"] = frozenset(filter(None, given.split(",")))
    return found


def spoken_in(text: str) -> set[str]:
    """Return the keys that a template, a directive or a script asks for, by its source."""
    return set(_ASKED.findall(text))


class Words:
    """The words of a book: call it with a key and what belongs into its words."""

    def __init__(self, said: Mapping[str, Any], language: str, source: str = WORDS) -> None:
        """Take the words of each group, as the file has them.

        Raises:
            WordsError: a key is missing or unknown, or its words lack what they are given, or want more.
        """
        self.source = source
        groups = {group: keys if isinstance(keys, Mapping) else {"": keys} for group, keys in said.items()}
        flat = {f"{group}.{key}": value for group, keys in groups.items() for key, value in keys.items()}
        problems = [f"expected the key {key}, got none" for key in known() if key not in flat]
        problems += [f"{key}: expected a key that the book asks for" for key in flat if key not in known()]
        problems += [f"{key}: {wrong}" for key in known() if key in flat for wrong in _wrong(key, flat[key])]
        if problems:
            raise WordsError("\n".join(f"{source}: {problem}" for problem in problems))
        self._said: dict[str, str | dict[str, str]] = flat
        self._locale = _locale(language)

    def __call__(self, key: str, **given: object) -> str:
        """Return the words of `key` with what is `given` in its places, as plain text."""
        return _PLACE.sub(lambda place: str(given[place[1]]), self._text(key, given))

    def html(self, key: str, **given: object) -> Markup:
        """Return the same as HTML, in which nothing but what is given as `Markup` is read as HTML."""
        text = str(escape(self._text(key, given)))
        return Markup(_PLACE.sub(lambda place: str(escape(_shown(given[place[1]]))), text))

    def json(self, keys: Iterable[str]) -> Markup:
        """Return the words of these keys for a script, as JSON that may stand in a page."""
        text = json.dumps({key: self._found(key) for key in sorted(keys)}, ensure_ascii=False)
        return Markup(re.sub("[<>&\u2028\u2029]", lambda sign: f"\\u{ord(sign[0]):04x}", text))

    def _found(self, key: str) -> str | dict[str, str]:
        if key not in self._said:
            raise WordsError(f"expected a key of {self.source}, got {key!r}")
        return self._said[key]

    def _text(self, key: str, given: Mapping[str, object]) -> str:
        found = self._found(key)
        if set(given) != known()[key]:
            raise WordsError(f"{key}: expected {_listed(known()[key])} for its words, got {_listed(given)}")
        return found if isinstance(found, str) else found.get(self._form(given["count"]), found["other"])

    def _form(self, count: Any) -> str:
        number = count.number if isinstance(count, Counted) else count
        return str(self._locale.plural_form(number)) if self._locale else "other"


def _shown(value: object) -> object:
    return value.text if isinstance(value, Counted) else value


def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        # Of a language nobody knows, the form for all numbers is right.
        return None


def _wrong(key: str, value: Any) -> list[str]:
    """Return what is wrong with the words of a key."""
    given = known()[key]
    if isinstance(value, str):
        return _wrong_text(value, given)
    if not isinstance(value, Mapping) or "count" not in given:
        forms = " or their forms" if "count" in given else ""
        return [f"expected words{forms}, got {value!r}"]
    problems = [f"{form}: expected one of {', '.join(_FORMS)}" for form in value if form not in _FORMS]
    problems += ["expected the form other, got none"] if "other" not in value else []
    for form, text in value.items():
        # "One place", "two places": a form that is right for one number may say it.
        optional = {"count"} if form != "other" else set()
        wrong = (
            _wrong_text(text, given, optional) if isinstance(text, str) else [f"expected words, got {text!r}"]
        )
        problems += [f"{form}: {one}" for one in wrong]
    return problems


def _wrong_text(text: str, given: frozenset[str], optional: Iterable[str] = ()) -> list[str]:
    found = set(_PLACE.findall(text))
    problems = [f"expected {{{name}}} in {text!r}" for name in sorted(given - found - set(optional))]
    problems += [
        f"expected {_listed(given)} in braces, got {{{name}}} in {text!r}" for name in sorted(found - given)
    ]
    if re.search(r"[{}]", _PLACE.sub("", text)):
        problems.append(f"expected braces around a name alone, got {text!r}")
    return problems if text.strip() else ["expected words, got none"]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


@cache
def words(root: Path) -> Words:
    """Return the words of the book of the repository at `root`, in the language that its settings name.

    Raises:
        WordsError: the file is not there, is no YAML, or its words cannot be used.
    """
    path = root / WORDS
    if not path.is_file():
        raise WordsError(f"expected the words of the book in {WORDS}, got no such file")
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise WordsError(f"{WORDS}: expected YAML: {error}") from error
    if not isinstance(said, dict):
        raise WordsError(f"{WORDS}: expected groups of keys, got {type(said).__name__}")
    settings = yaml.safe_load((root / "book" / "_config.yml").read_text(encoding="utf-8"))
    return Words(said, settings["sphinx"]["config"].get("language") or "en")
