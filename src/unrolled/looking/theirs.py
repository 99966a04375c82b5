"""What the models of ``transformers`` attend to. The library is never imported: the model brings it."""

import inspect
from typing import Any

from torch import Tensor, nn, tensor

from unrolled.generate.modes import writing
from unrolled.looking.gather import WRITTEN, Heard
from unrolled.looking.pieces import Pieces, decoded, parted, stands_on_one
from unrolled.looking.refuse import check_length, check_some, no_second

__all__ = ["heard", "is_theirs"]

# What stands for no limit in a tokenizer is 1e30.
NO_LIMIT = 1_000_000_000


def is_theirs(model: Any) -> bool:
    """Whether a model has a configuration as those of ``transformers`` have."""
    return hasattr(getattr(model, "config", None), "is_encoder_decoder")


def heard(model: Any, tokenizer: Any, text: str, second: str | None) -> list[Heard]:
    """Return what a model of ``transformers`` attends to, reading one text, or two.

    Args:
        model: it returns attentions when asked by ``output_attentions=True``.
        tokenizer: the model's own.
        text: what the encoder, or the only stack, reads.
        second: for an encoder, the second text of a pair; for an encoder and decoder, what the decoder
            writes, or else it writes by itself, greedily.

    Raises:
        TypeError: the tokenizer is none.
        ValueError: a text is empty or too long, is of another vocabulary, or the model returns no attentions.
    """
    if not callable(tokenizer) or not hasattr(tokenizer, "convert_ids_to_tokens"):
        raise TypeError(f"tokenizer: expected the model's own, got {type(tokenizer).__name__}")
    with writing(model):
        if model.config.is_encoder_decoder:
            return _both(model, tokenizer, text, second)
        return [_one(model, tokenizer, text, second)]


def _one(model: Any, tokenizer: Any, text: str, second: str | None) -> Heard:
    """Return the attention of a model of one stack."""
    if second is not None and not _reads_pairs(tokenizer):
        no_second("this tokenizer puts no mark between two texts")
    texts = [text] if second is None else [text, second]
    read = _read(tokenizer, *texts)
    check_some("text", text, read)
    _check(model, tokenizer, "text", read)
    out = model(**_inputs(model, read), output_attentions=True, return_dict=True)
    weights = _weights(model, out, "attentions")
    pieces = _pieces(tokenizer, read, texts)
    return Heard("self-attention", weights, pieces, pieces)


def _both(model: Any, tokenizer: Any, text: str, second: str | None) -> list[Heard]:
    """Return the three attentions of an encoder and a decoder."""
    read = _read(tokenizer, text)
    check_some("text", text, read)
    _check(model, tokenizer, "text", read)
    inputs = _inputs(model, read)
    if second is None:
        second = _written(model, tokenizer, inputs)
    target = _read(tokenizer, text_target=second)
    check_some("second_text", second, target)
    # The decoder reads what it has written so far: a start, and all pieces but what it adds at the end.
    start = _start(model)
    pieces = _pieces(tokenizer, target, [second])
    while pieces.special and pieces.special[-1]:
        pieces = Pieces(pieces.labels[:-1], pieces.words[:-1], pieces.names, pieces.special[:-1])
    ids = [start, *target["input_ids"][: len(pieces.labels)]]
    _check(model, tokenizer, "second_text", {"input_ids": ids})
    label = tokenizer.convert_ids_to_tokens(start)
    pieces = Pieces([label], [0], [label], [True]) + pieces
    out = model(**inputs, decoder_input_ids=_row(model, ids), output_attentions=True, return_dict=True)
    source = _pieces(tokenizer, read, [text])
    return [
        Heard("encoder self-attention", _weights(model, out, "encoder_attentions"), source, source),
        Heard("decoder self-attention", _weights(model, out, "decoder_attentions"), pieces, pieces),
        Heard("cross-attention", _weights(model, out, "cross_attentions"), pieces, source),
    ]


def _read(tokenizer: Any, *texts: str, **options: str) -> Any:
    """Return what the tokenizer makes of one text, or two, or of ``text_target``."""
    return tokenizer(
        *texts, **options, return_special_tokens_mask=True, return_offsets_mapping=_fast(tokenizer)
    )


def _fast(tokenizer: Any) -> bool:
    return bool(getattr(tokenizer, "is_fast", False))


def _reads_pairs(tokenizer: Any) -> bool:
    """Whether the tokenizer marks where the first of two texts ends."""
    return bool(
        tokenizer.num_special_tokens_to_add(pair=True) > tokenizer.num_special_tokens_to_add(pair=False)
    )


def _row(model: Any, ids: list[int]) -> Tensor:
    return tensor([ids], device=model.device)


def _inputs(model: Any, read: Any) -> dict[str, Tensor]:
    """Return what the model takes of what the tokenizer gives."""
    takes = inspect.signature(model.forward).parameters
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if "token_type_ids" in takes else [])]
    return {name: _row(model, read[name]) for name in names if name in read}


def _start(model: Any) -> int:
    """Return the id that a decoder begins with."""
    for config in (model.config, getattr(model, "generation_config", None)):
        for name in ("decoder_start_token_id", "bos_token_id"):
            if isinstance(start := getattr(config, name, None), int):
                return start
    raise ValueError("model: expected a configuration with a decoder_start_token_id, got none")


def _written(model: Any, tokenizer: Any, inputs: dict[str, Tensor]) -> str:
    """Return what the model writes by itself."""
    if not getattr(model, "can_generate", bool)():
        raise ValueError(
            "second_text: expected what the decoder is to read; this model has no head to write by itself"
        )
    ids = model.generate(**inputs, max_new_tokens=WRITTEN, do_sample=False, num_beams=1)[0].tolist()
    text = str(tokenizer.decode(ids, skip_special_tokens=True))
    if not text.strip():
        raise ValueError(
            "second_text: expected what the decoder is to read; by itself this model wrote nothing"
        )
    return text


def _weights(model: Any, out: Any, name: str) -> list[Any]:
    """Return the attentions ``[H, T, S]`` of all layers that have one."""
    layers = [layer for layer in (getattr(out, name, None) or ()) if isinstance(layer, Tensor)]
    if not layers:
        way = getattr(model.config, "_attn_implementation", None)
        if way == "eager":
            raise ValueError(
                f"model: expected one that returns attentions, got none from {type(model).__name__}"
            )
        raise ValueError(
            f"model: {type(model).__name__} returned no attentions: its implementation, {way!r}, never forms "
            'the weights. Call model.set_attn_implementation("eager") first, or load it with '
            'from_pretrained(..., attn_implementation="eager")'
        )
    if any(layer.ndim != 4 for layer in layers):
        raise ValueError(
            f"model: expected attentions [B, H, T, S], got {[list(layer.shape) for layer in layers]}"
        )
    if len({layer.shape for layer in layers}) > 1:
        raise ValueError(
            f"model: expected as many heads in every layer, got {[layer.shape[1] for layer in layers]}; "
            "show the layers one by one with Look.of"
        )
    return [layer[0] for layer in layers]


def _check(model: Any, tokenizer: Any, name: str, read: Any) -> None:
    """Raise a ValueError where there are more pieces than the model sees, or others than it knows."""
    ids = read["input_ids"]
    check_length(name, len(ids), _longest(model, tokenizer))
    known = getattr(model.get_input_embeddings(), "num_embeddings", None)
    if known is not None and ids and max(ids) >= known:
        raise ValueError(
            f"tokenizer: expected ids below {known}, the pieces this model knows, got {max(ids)}: "
            "is it the model's own?"
        )


def _longest(model: Any, tokenizer: Any) -> int | None:
    """Return how many pieces the model sees at most, as far as it, or its tokenizer, says so."""
    limits = [getattr(model.config, name, None) for name in ("max_position_embeddings", "n_positions")]
    if getattr(model.config, "model_type", "").endswith("t5"):
        limits = []  # its positions are distances; `n_positions` is a memory of how it was trained
    for path, module in model.named_modules():
        # RoBERTa and its kin count positions from behind the padding's id.
        if path.endswith("position_embeddings") and isinstance(module, nn.Embedding) and module.padding_idx:
            limits.append(module.num_embeddings - module.padding_idx - 1)
    limits.append(getattr(tokenizer, "model_max_length", None))
    known = [int(limit) for limit in limits if isinstance(limit, int | float) and 0 < limit < NO_LIMIT]
    return min(known) if known else None


def _pieces(tokenizer: Any, read: Any, texts: list[str]) -> Pieces:
    """Return the pieces of what a tokenizer read, with its own names or the text they stand for."""
    ids = list(read["input_ids"])
    tokens = [str(token) for token in tokenizer.convert_ids_to_tokens(ids)]
    special = [bool(one) for one in read["special_tokens_mask"]]
    if not _fast(tokenizer):
        made = decoded(tokenizer, ids, tokens)
        return Pieces(made.labels, made.words, made.names, special)
    spans, of_text = read["offset_mapping"], read.sequence_ids()
    unknown = getattr(tokenizer, "unk_token_id", None)

    def written(i: int, j: int) -> str:
        """Return the text from piece i to piece j."""
        return "" if of_text[i] is None else texts[of_text[i]][spans[i][0] : spans[j][1]]

    def lost(i: int) -> str:
        """Return the sign for what the vocabulary does not have, to stand behind what was written."""
        there = ids[i] == unknown and not special[i] and tokens[i] not in written(i, i)
        return f" {tokens[i]}" if there else ""

    words = [0] * len(ids)
    for i in range(1, len(ids)):
        words[i] = words[i - 1] + _begins(i, tokens, special, read, texts)
    labels, names = [], []
    for word in range(words[-1] + 1 if words else 0):
        group = [i for i, other in enumerate(words) if other == word]
        inked = [i for i in group if not _blank(tokens[i])]
        for i in group:
            own = written(i, i)
            same = [j for j in inked if spans[j] == spans[i]]
            if special[i] or not own or (i not in inked and not own.isspace()):
                labels.append(tokens[i])
            elif len(same) > 1:  # the bytes of one character
                labels.append(f"{own.strip()} ({same.index(i) + 1} of {len(same)})")
            else:
                front = "##" if i in inked[1:] else ""
                labels.append(front + (own.strip() or own) + lost(i))
        whole = written(group[0], group[-1])
        signs = dict.fromkeys(map(lost, group))
        names.append((whole.strip() or whole or "".join(tokens[i] for i in group)) + "".join(signs))
    return Pieces(labels, words, names, special)


def _blank(token: str) -> bool:
    """Whether a piece is nothing but the space before a word, as tokenizers write it."""
    return not token.strip("\u2581\u0120 ")


def _begins(i: int, tokens: list[str], special: list[bool], read: Any, texts: list[str]) -> bool:
    """Whether piece i begins a word: by the tokenizer, after a space, or where letters and marks meet.

    Some tokenizers, such as Llama's, take a whole text for one word.
    """
    spans, of_word, of_text = read["offset_mapping"], read.word_ids(), read.sequence_ids()
    if special[i] or special[i - 1] or of_text[i] is None or of_text[i] != of_text[i - 1]:
        return True
    if _blank(tokens[i]):
        return True
    if _blank(tokens[i - 1]):
        return False
    text, start = texts[of_text[i]], spans[i][0]
    before, first = text[:start][-1:], text[start : start + 1]
    if stands_on_one(first) or (stands_on_one(before) and not parted(before, first)):
        return False
    if of_word[i] is None or of_word[i] != of_word[i - 1]:
        return True
    # The bytes of one character share their place.
    return spans[i] != spans[i - 1] and parted(before, first)
