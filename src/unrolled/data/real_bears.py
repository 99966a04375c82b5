"""Three dozen sentences in everyday English, for a model that has read real text. Taught in chapter 11.

Unlike those of `unrolled.data.bears` no grammar made them: "bears" is an animal, to endure, or a team, a
dozen times each, once in every sentence.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor

from unrolled.data.batches import pad
from unrolled.inputs import not_text
from unrolled.nn.masks import padding_mask
from unrolled.shapes import Mask, Tokens

__all__ = ["SENTENCES", "RealBatch", "encode_real_bears"]

SENTENCES: dict[str, tuple[str, ...]] = {
    "animal": (
        "We saw two brown bears fishing for salmon in the river.",
        "Polar bears hunt seals on the sea ice.",
        "All winter the bears sleep in a den under the snow.",
        "Hang your food in a tree, where bears cannot reach it.",
        "Young bears learn from their mother how to climb.",
        "I like bears, but I would not want to meet one in the forest.",
        "The zoo keeps three bears, two wolves and an old lion.",
        "Hungry bears came down to the village at night.",
        "Most of the year bears eat berries, roots and insects.",
        "The ranger counted eleven bears in the valley this spring.",
        "Wild bears are shy and run from people.",
        "Nothing attracts bears like the smell of honey.",
    ),
    "endure": (
        "She bears her illness with good humour.",
        "He bears his grief quietly and goes to work every day.",
        "The widow bears her loss with great patience.",
        "My sister bears the noise of the street better than I do.",
        "In the end the tenant bears the cost of the repairs.",
        "Nobody knows how he bears so much loneliness.",
        "She smiles and bears the insult.",
        "The patient bears the treatment bravely.",
        "A child bears hunger less easily than we think.",
        "He bears the blame for a mistake that was not his.",
        "The nurse bears the strain of the long nights.",
        "How she bears such sorrow is beyond me.",
    ),
    "team": (
        "The Bears scored in the last minute and took the match.",
        "The coach of the Bears praised his defence.",
        "The Bears lost the final by two points.",
        "Fans of the Bears filled the stadium.",
        "The Bears signed a young quarterback for next season.",
        "We watched the Bears score three touchdowns before half time.",
        "The referee gave the Bears a penalty.",
        "On Sunday the Bears play at home.",
        "Tickets for the Bears sold out within an hour.",
        "The captain of the Bears lifted the trophy.",
        "The Bears beat their rivals in overtime.",
        "After five defeats the Bears are last in the league.",
    ),
}
"""The sentences of each sense."""


class RealBatch(NamedTuple):
    """Sentences as a BERT of others reads them.

    Attributes:
        tokens: ``[B, T]``, padded on the right; ``[CLS]`` first and ``[SEP]`` last.
        mask: which are tokens, ``[B, 1, T]``.
        places: where "bears" stands, ``[B]``.
        ends: which are ``[CLS]`` and ``[SEP]``, ``[B, T]``.
    """

    tokens: Tokens
    mask: Mask
    places: Tensor
    ends: Tensor


def encode_real_bears(sentences: Sequence[str], tokenizer: Tokenizer) -> RealBatch:
    """Return sentences with one "bears" each as tokens of a BERT's own vocabulary.

    Args:
        sentences: one or more.
        tokenizer: the model's, such as ``Tokenizer.from_file("tokenizer.json")``.

    Raises:
        ValueError: there is no sentence, or one has not exactly one token "bears".
    """
    rows, places = [], []
    for sentence in not_text("sentences", sentences):
        encoding = tokenizer.encode(sentence)
        # A tokenizer's file may ask for padding; here the longest of these sentences decides.
        n = sum(encoding.attention_mask)
        if encoding.tokens[:n].count("bears") != 1:
            raise ValueError(f'sentences: expected one token "bears" in each, got {encoding.tokens[:n]}')
        rows.append(encoding.ids[:n])
        places.append(encoding.tokens.index("bears"))
    tokens, lengths = pad(rows)
    ends = torch.zeros_like(tokens, dtype=torch.bool)
    ends[:, 0] = True
    ends[torch.arange(len(rows)), lengths - 1] = True
    return RealBatch(tokens, padding_mask(lengths, tokens.shape[1]), torch.tensor(places), ends)
