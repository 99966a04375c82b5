"""The decoder stepper: a whole small encoder–decoder in the page, one word at a time.

Used in chapters 2 and 3.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets

from unrolled.inputs import floats
from unrolled.widgets import _seq2seq
from unrolled.widgets._sentence import word_ids
from unrolled.widgets.base import Widget, number, table_html
from unrolled.widgets.checks import LARGEST

__all__ = ["DecoderStepper"]

MAX_NUMBERS = 25_000  # about 200 KB of page
MAX_WRITTEN = 100  # all that is written stands in the page, with every number on the way
DIGITS = 6


class DecoderStepper(Widget):
    r"""A trained encoder–decoder that the reader steps through, word by word, until the end of the sentence.

    .. math::
        (h, c) = \text{context vector}, \qquad
        h_t, c_t = \mathrm{LSTM}(y_{t-1}, h_{t-1}, c_{t-1}), \qquad p_t = \mathrm{softmax}(W h_t + b)

    Without a combine layer among the weights, the context vector is all that crosses from encoder to decoder:
    the reader scales and blurs it, sets numbers to zero, puts another sentence's in its place, and sees the
    translation change. With one, each step also attends to the encoder by dot products (Luong et al., 2015):

    .. math::
        a = \mathrm{softmax}_j(h_t \cdot \bar h_j), \qquad k = \sum_j a_j \bar h_j, \qquad
        p_t = \mathrm{softmax}(W \tanh(W_c [k; h_t] + b_c) + b)

    and the reader drags the scores and sees weights, context and next word follow. Taught in chapters 2
    and 3.

    Args:
        weights: the `state_dict()` of a `unrolled.nn.Seq2Seq` with no score or the dot score; names to
            tensors, arrays or lists. Any number of layers, one direction or both; 25,000 numbers at most,
            of which the page keeps six digits after the point.
        source_words: the V source words, in the order of their ids.
        target_words: the same for the target.
        sentences: what the reader may choose, of known words separated by spaces, one to twelve of them;
            a mapping to the right translations, or a list where they are not known.
        bos: the target word the decoder is first given.
        eos: the target word that ends a translation.
        source_end: the source word put behind every sentence; `eos` where the source has it, else nothing.
        max_len: words written at most.
        title: a heading, if any.

    Raises:
        TypeError: `weights` is not a mapping, or the words are not strings.
        ValueError: a parameter is missing, unknown, misshapen or not finite; a word comes twice or is
            unknown; there is no sentence, or one that is empty or too long.
    """

    name: ClassVar[str] = "decoder-stepper"

    weights = traitlets.Dict().tag(sync=True)
    source_words = traitlets.List(traitlets.Unicode()).tag(sync=True)
    target_words = traitlets.List(traitlets.Unicode()).tag(sync=True)
    sentences = traitlets.List(traitlets.Unicode()).tag(sync=True)
    translations = traitlets.Dict().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    bos = traitlets.Unicode().tag(sync=True)
    eos = traitlets.Unicode().tag(sync=True)
    source_end = traitlets.Unicode().tag(sync=True)
    max_len = traitlets.Int().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        weights: Mapping[str, Any],
        source_words: Sequence[str],
        target_words: Sequence[str],
        sentences: Mapping[str, str] | Sequence[str],
        *,
        bos: str = "<bos>",
        eos: str = "<eos>",
        source_end: str | None = None,
        max_len: int = 20,
        title: str | None = None,
    ) -> None:
        source, target = _words("source_words", source_words), _words("target_words", target_words)
        for what, word in (("bos", bos), ("eos", eos)):
            if word not in target:
                raise ValueError(f"{what}: expected a word of target_words, got {word!r}")
        if source_end is None:
            source_end = eos if eos in source else ""
        if source_end and source_end not in source:
            raise ValueError(f"source_end: expected a word of source_words, got {source_end!r}")
        if not 1 <= max_len <= MAX_WRITTEN:
            raise ValueError(f"max_len: expected at least 1 and at most {MAX_WRITTEN}, got {max_len}")
        if isinstance(sentences, str) or not sentences:
            raise ValueError(f"sentences: expected one or more, got {sentences!r}")
        # As the vocabulary spells them, whatever capitals and spaces they were given with.
        spelled = {sentence: _spelled(sentence, source) for sentence in sentences}
        super().__init__(
            weights={name: np.round(a, DIGITS).tolist() for name, a in _checked(weights, source, target)},
            source_words=source,
            target_words=target,
            sentences=list(spelled.values()),
            translations={spelled[s]: right for s, right in sentences.items()}
            if isinstance(sentences, Mapping)
            else {},
            sentence=next(iter(spelled.values())),
            bos=bos,
            eos=eos,
            source_end=source_end,
            max_len=max_len,
            title=title or "",
        )

    @traitlets.validate("sentence")
    def _check_sentence(self, proposal: Any) -> Any:
        return _spelled(proposal["value"], self.source_words)

    def translate(self, sentence: str) -> list[tuple[str, float, list[float]]]:
        """Return each word written with its probability and its attention weights, empty without attention.

        Raises:
            ValueError: the sentence is empty, too long, or has a word that is not known.
        """
        bos, eos = self.target_words.index(self.bos), self.target_words.index(self.eos)
        steps = _seq2seq.translate(self._arrays(), self._source(sentence), bos, eos, self.max_len)
        return [
            (self.target_words[word], share, [] if weights is None else weights.tolist())
            for word, share, weights in steps
        ]

    def fallback_html(self) -> str:
        """Return the context vectors and, for each sentence, its translation with its numbers, as tables."""
        tables = []
        if "combine.weight" not in self.weights:
            tables.append(self._context_table())
        for sentence in self.sentences:
            steps = self.translate(sentence)
            written = [word for word, _, _ in steps]
            if "combine.weight" in self.weights:
                caption = f"“{sentence}” → “{' '.join(written)}”: what each step attends to."
                columns = [self.source_words[i] for i in self._source(sentence)]
                tables.append(table_html(caption, columns, [(w, a) for w, _, a in steps], full=1.0))
            else:
                caption = f"“{sentence}” → “{' '.join(written)}”: how likely each word was."
                tables.append(table_html(caption, written, [("probability", [p for _, p, _ in steps])]))
        return "".join(tables)

    def _context_table(self) -> str:
        rows = []
        n_layers, width = _seq2seq.state_sizes(self._arrays())
        for sentence in self.sentences:
            _, state = _seq2seq.encode(self._arrays(), self._source(sentence))
            rows.append((sentence, [float(x) for h, c in state for x in (*h, *c)]))
        columns = [
            f"{kind} {k + 1}" + (f", layer {layer + 1}" if n_layers > 1 else "")
            for layer in range(n_layers)
            for kind in "hc"
            for k in range(width)
        ]
        return table_html("The context vector of each sentence", columns, rows)

    def _source(self, sentence: str) -> list[int]:
        end = [self.source_words.index(self.source_end)] if self.source_end else []
        return [*word_ids(sentence, self.source_words), *end]

    def _arrays(self) -> dict[str, Any]:
        return {name: np.asarray(values, dtype=np.float64) for name, values in self.weights.items()}


def _words(what: str, given: Any) -> list[str]:
    """Return a vocabulary as a list, or say what is wrong with it."""
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(f"{what}: expected a list of strings, got {type(given).__name__}")
    for word in given:
        if not isinstance(word, str):
            raise TypeError(f"{what}: expected strings, got {type(word).__name__}")
        if word.split() != [word] or given.count(word) > 1:
            raise ValueError(f"{what}: expected single words, each once, got {word!r}")
    return list(given)


def _spelled(sentence: str, words: list[str]) -> str:
    """Return a sentence of known words as the vocabulary spells them."""
    return " ".join(words[i] for i in word_ids(sentence, words))


def _checked(weights: Any, source: list[str], target: list[str]) -> list[tuple[str, Any]]:
    """Return all parameters as arrays, each of the shape that the others ask for."""
    if not isinstance(weights, Mapping):
        raise TypeError(f"weights: expected a state_dict, names to arrays, got {type(weights).__name__}")
    arrays = {name: floats(values) for name, values in weights.items()}
    shapes = _shapes(arrays, len(source), len(target))
    for name in sorted(arrays.keys() | shapes.keys()):
        if name not in arrays or name not in shapes:
            problem = "it is missing" if name not in arrays else "this widget has no such part"
            raise ValueError(f"weights[{name!r}]: {problem} (expected a Seq2Seq without score, or with dot)")
        if arrays[name].shape != shapes[name]:
            raise ValueError(
                f"weights[{name!r}]: expected shape {list(shapes[name])}, got {list(arrays[name].shape)}"
            )
        if not (np.abs(arrays[name]) < LARGEST).all():
            raise ValueError(f"weights[{name!r}]: expected finite numbers")
    size = sum(a.size for a in arrays.values())
    if size > MAX_NUMBERS:
        raise ValueError(f"weights: expected at most {number(MAX_NUMBERS, 0)} numbers, got {size}")
    return list(arrays.items())


def _shapes(arrays: Mapping[str, Any], n_source: int, n_target: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every parameter, from the width of a word vector and of a decoder state."""
    try:
        d_model = arrays["source_embedding.weight"].shape[1]
        d_hidden = arrays["decoder.cells.0.hidden_proj.weight"].shape[1]
        half = arrays["encoder.cells.0.hidden_proj.weight"].shape[1]
    except (KeyError, IndexError) as error:
        raise ValueError(f"weights: expected the state_dict of a Seq2Seq, found no matrix {error}") from None
    n_layers = sum(name.startswith("decoder.cells.") and name.endswith("proj.bias") for name in arrays) // 2
    directions = 2 if 2 * half == d_hidden else 1
    shapes: dict[str, tuple[int, ...]] = {
        "source_embedding.weight": (n_source, d_model),
        "target_embedding.weight": (n_target, d_model),
        "lm_head.bias": (n_target,),
    }
    for layer in range(n_layers):
        width = d_model if layer == 0 else d_hidden
        for direction in range(directions):
            shapes |= _cell(f"encoder.cells.{layer * directions + direction}", width, d_hidden // directions)
        shapes |= _cell(f"decoder.cells.{layer}", width, d_hidden)
    if "combine.weight" in arrays:
        shapes |= {"combine.weight": (d_model, 2 * d_hidden), "combine.bias": (d_model,)}
    return shapes | {"lm_head.weight": (n_target, d_model if "combine.weight" in arrays else d_hidden)}


def _cell(name: str, width: int, hidden: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{name}.input_proj.weight": (4 * hidden, width),
        f"{name}.input_proj.bias": (4 * hidden,),
        f"{name}.hidden_proj.weight": (4 * hidden, hidden),
        f"{name}.hidden_proj.bias": (4 * hidden,),
    }
