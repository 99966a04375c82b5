"""What the models of `unrolled.nn` attend to, heard by their taps."""

from fnmatch import fnmatchcase
from typing import Any

from torch import Tensor, nn, tensor

from unrolled.data.special_tokens import SPECIAL
from unrolled.data.tokenizers import Tokenizer
from unrolled.generate.greedy import translate
from unrolled.generate.modes import writing
from unrolled.looking.gather import WRITTEN, Heard
from unrolled.looking.pieces import Pieces, decoded, one_by_one
from unrolled.looking.refuse import check_length, no_second
from unrolled.nn import BERT, Seq2Seq, Transformer, ViT
from unrolled.tap import Tap, record

__all__ = ["heard", "is_ours"]

ALL = {"self-attention": "*.weights"}
OF_BOTH = {
    "encoder self-attention": "encoder.layers.*.attention.weights",
    "decoder self-attention": "decoder.layers.*.attention.weights",
    "cross-attention": "decoder.layers.*.cross_attention.weights",
}


def is_ours(model: Any) -> bool:
    """Whether a model has taps that hear attention weights."""
    return isinstance(model, nn.Module) and any(
        isinstance(module, Tap) and path.split(".")[-1] == "weights" for path, module in model.named_modules()
    )


def heard(model: nn.Module, tokenizer: Any, text: Any, second: str | None) -> list[Heard]:
    """Return what one of our models attends to, reading one text, or two, or a picture.

    Args:
        model: with taps ``weights``.
        tokenizer: of `unrolled.data.tokenizers`; two of them, source and target, where the model has two
            vocabularies; None for a picture.
        text: what it reads; for a `ViT` a picture ``[C, H, W]``.
        second: for an encoder and decoder, what the decoder writes, or else it writes by itself, greedily.

    Raises:
        TypeError: a tokenizer is none.
        ValueError: a text is empty or too long, or there is one too many.
    """
    with writing(model):
        if isinstance(model, ViT):
            return _picture(model, text)
        if isinstance(model, Transformer | Seq2Seq):
            return _both(model, tokenizer, text, second)
        if second is not None:
            no_second(f"{type(model).__name__} reads one text")
        ids = _ids("text", _checked(tokenizer), text, _longest(model))
        with record(model, *ALL.values()) as taps:
            read = getattr(model, "encode", model) if isinstance(model, BERT) else model
            read(tensor([ids], device=_device(model)))
        pieces = _pieces(tokenizer, ids)
        return [Heard("self-attention", _layers(taps, "*"), pieces, pieces)]


def _both(model: Transformer | Seq2Seq, tokenizer: Any, text: str, second: str | None) -> list[Heard]:
    """Return the attentions of an encoder and a decoder: of `Seq2Seq` the one it has."""
    pair = tokenizer if isinstance(tokenizer, tuple | list) else (tokenizer, tokenizer)
    if len(pair) != 2:
        raise ValueError(f"tokenizer: expected one, or those of source and target, got {len(pair)}")
    reads, writes = (_checked(one) for one in pair)
    source = [*_ids("text", reads, text, _longest(model, 1)), SPECIAL.eos]
    asked = tensor([source], device=_device(model))
    most = WRITTEN if (longest := _longest(model, 1)) is None else min(WRITTEN, longest)
    if second is None:
        (row,) = translate(model, asked, bos=SPECIAL.bos, eos=SPECIAL.eos, max_len=most).tolist()
        written = row[: row.index(SPECIAL.eos)] if SPECIAL.eos in row else row
    else:
        written = _ids("second_text", writes, second, _longest(model, 1))
    target = [SPECIAL.bos, *written]
    with record(model, "*.weights") as taps:
        model(asked, tensor([target], device=_device(model)))
    of_source = _pieces(reads, source[:-1]) + one_by_one([reads.token(SPECIAL.eos)], special=True)
    of_target = one_by_one([writes.token(SPECIAL.bos)], special=True) + _pieces(writes, written)
    if isinstance(model, Seq2Seq):
        return [Heard("cross-attention", _layers(taps, "*"), of_target, of_source)]
    pieces = {
        "encoder self-attention": (of_source, of_source),
        "decoder self-attention": (of_target, of_target),
        "cross-attention": (of_target, of_source),
    }
    return [Heard(name, _layers(taps, of), *pieces[name]) for name, of in OF_BOTH.items()]


def _picture(model: ViT, picture: Any) -> list[Heard]:
    """Return what the class token and the patches of a picture attend to."""
    config = model.config
    if not isinstance(picture, Tensor) or picture.ndim != 3:
        raise TypeError(f"text: expected a picture [C, H, W] for a ViT, got {type(picture).__name__}")
    with record(model, *ALL.values()) as taps:
        model(picture[None].to(_device(model)))
    side = config.image_size // config.patch_size
    names = [f"row {i}, column {j}" for i in range(side) for j in range(side)]
    pieces = one_by_one(["class"], special=True) + one_by_one(names)
    return [Heard("self-attention", _layers(taps, "*"), pieces, pieces)]


def _layers(taps: dict[str, list[Tensor]], of: str) -> list[Tensor]:
    """Return the weights ``[H, T, S]`` of every layer that the pattern names; of each there was one call."""
    layers = [calls[0][0] for path, calls in taps.items() if calls and fnmatchcase(path, of)]
    return [layer if layer.ndim == 3 else layer[None] for layer in layers]


def _checked(tokenizer: Any) -> Tokenizer:
    if not isinstance(tokenizer, Tokenizer):
        raise TypeError(
            "tokenizer: expected the model's own, with encode, decode and token, "
            f"got {type(tokenizer).__name__}"
        )
    return tokenizer


def _ids(name: str, tokenizer: Tokenizer, text: str, longest: int | None) -> list[int]:
    ids = tokenizer.encode(text)
    if not ids:
        raise ValueError(f"{name}: expected at least one token, got {text!r}")
    check_length(name, len(ids), longest)
    return ids


def _longest(model: nn.Module, added: int = 0) -> int | None:
    """Return how many tokens of a text the model sees, beside those that are added."""
    longest = getattr(getattr(model, "config", model), "max_len", None)
    return longest - added if isinstance(longest, int) else None


def _pieces(tokenizer: Tokenizer, ids: list[int]) -> Pieces:
    return decoded(tokenizer, ids, [tokenizer.token(i) for i in ids])


def _device(model: nn.Module) -> Any:
    return next(model.parameters()).device
