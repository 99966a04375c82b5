"""Readers of what others publish: pretrained weights, vocabularies, books and captions."""

import gzip
import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from tools.experiments.reliability.readers import Reader
from unrolled.data import public, tales
from unrolled.data.fetch import DataError, Source, fetch
from unrolled.data.tokenizers import read_tokenizer
from unrolled.pretrained import WeightsError, load_bert, load_gpt2, load_llama, load_vit
from unrolled.training.checkpoint import model_tensors

__all__ = ["READERS", "file_numbers", "numbers_agree"]

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I8": "<i1", "U8": "<u1"}
_TEXT = "She bears the pain, naïve bears."


def file_numbers(file: Path) -> list[np.ndarray[Any, Any]]:
    """Return the numbers of a safetensors file, read without the library."""
    content = file.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header, rest = json.loads(content[8 : 8 + length]), content[8 + length :]
    found = []
    for name, one in header.items():
        if name == "__metadata__":
            continue
        first, last = one["data_offsets"]
        raw = rest[first:last]
        if one["dtype"] == "BF16":
            wide = np.frombuffer(raw, "<u2").astype("<u4") << 16
            found.append(wide.view("<f4"))
        else:
            found.append(np.frombuffer(raw, _TYPES[one["dtype"]]))
    return found


def numbers_agree(files: Iterable[Path], tensors: Mapping[str, Tensor]) -> bool:
    """Return whether a model holds the numbers of its files and no others, whatever their names and order."""
    try:
        theirs = np.sort(np.concatenate([x.astype("f8") for file in files for x in file_numbers(file)]))
    except (ValueError, KeyError, struct.error):  # no safetensors file: whoever read it has made it up
        return False
    ours = np.sort(np.concatenate([tensor.double().numpy().ravel() for tensor in tensors.values()]))
    return bool(np.isfinite(ours).all()) and np.array_equal(theirs, ours)


def _pretrained(make: Callable[[], Any], load: Callable[[Path], Any], *, parts: bool = False) -> Reader:
    def write(folder: Path) -> None:
        torch.manual_seed(1)
        model = make()
        with torch.no_grad():
            for weight in model.parameters():  # no two numbers are equal: a row out of place is seen
                weight.normal_(0, 0.1)
        model.save_pretrained(folder, **({"max_shard_size": "5KB"} if parts else {}))
        for path in folder.glob("generation_config.json"):
            path.unlink()

    def read(folder: Path) -> Any:
        model = load(folder)
        return model_tensors(model)

    def faithful(folder: Path, got: Any) -> bool:
        files = [folder / "model.safetensors"]
        if not files[0].exists():
            listed = json.loads((folder / "model.safetensors.index.json").read_bytes())["weight_map"]
            files = [folder / name for name in sorted(set(listed.values()))]
        return numbers_agree(files, got)

    errors = (WeightsError, FileNotFoundError)
    names = (
        "config: ",
        "GPT: ",
        "BERT: ",
        "ViT: ",
        "expected one tensor for",
        "model.safetensors: no such file",
    )
    return Reader(write, read, errors, faithful, names=names)


def _gpt2() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(vocab_size=13, n_positions=7, n_embd=8, n_head=2, n_layer=2))


_SMALL: dict[str, Any] = {"hidden_size": 8, "num_hidden_layers": 2, "intermediate_size": 16}


def _bert() -> Any:
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(vocab_size=13, max_position_embeddings=9, num_attention_heads=2, **_SMALL)
    return BertForMaskedLM(config)


def _llama() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(vocab_size=13, num_attention_heads=4, num_key_value_heads=2, **_SMALL)
    return LlamaForCausalLM(config)


def _vit() -> Any:
    from transformers import ViTConfig, ViTForImageClassification

    labels: dict[str, Any] = {"num_labels": 3}
    config = ViTConfig(image_size=8, patch_size=4, num_attention_heads=2, **_SMALL, **labels)
    return ViTForImageClassification(config)


def _vocabulary(*names: str) -> Reader:
    def write(folder: Path) -> None:
        from tests.data.published import save_bert, save_gpt2

        (save_bert if "vocab.txt" in names else save_gpt2)(folder)
        if "vocab.txt" in names:
            (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
        for path in folder.iterdir():
            if path.name not in names:
                path.unlink()

    def read(folder: Path) -> Any:
        tokenizer = read_tokenizer(folder / names[0])
        ids = tokenizer.encode(_TEXT)
        tokenizer.decode(ids)
        model = tokenizer.description()["model"]
        return model["vocab"], model.get("merges", []), ids

    def faithful(folder: Path, got: Any) -> bool:
        vocabulary, merges, _ = got
        if names[0] == "vocab.txt":
            lines = (folder / names[0]).read_text("utf-8-sig").removesuffix("\n").split("\n")
            return bool(vocabulary == {line.removesuffix("\r"): i for i, line in enumerate(lines)})
        said = json.loads((folder / names[0]).read_text("utf-8-sig"))
        if names[0] == "vocab.json":
            lines = (folder / "merges.txt").read_text("utf-8-sig").split("\n")
            rules = [
                line.removesuffix("\r").split(" ") for line in lines if line.strip("\r") and "#v" not in line
            ]
            return bool(vocabulary == said and merges == rules)
        return bool(vocabulary == said["model"]["vocab"] and merges == said["model"].get("merges", []))

    return Reader(write, read, (ValueError, FileNotFoundError), faithful)


def _source(name: str, content: bytes) -> Source:
    return Source(name, f"https://example.org/{name}", hashlib.sha256(content).hexdigest(), len(content))


_MARK = "*** {} OF THIS PROJECT GUTENBERG EBOOK X ***\n"
_BOOK = f"Header\n{_MARK.format('START')}Once.\n\nTwice.\n{_MARK.format('END')}"
_CAPTIONS = {
    language: gzip.compress("\n".join(f"{language} {i}" for i in range(9)).encode(), mtime=0)
    for language in ("de", "en")
}


def _captions(folder: Path) -> Any:
    sources = {("val", key): _source(f"val.{key}.gz", content) for key, content in _CAPTIONS.items()}
    with mock.patch.object(public, "MULTI30K", sources):
        return public.multi30k("val", folder=folder, progress=False)


def _books(folder: Path) -> Any:
    book = tales.Book(1, "One", _source("1.txt", _BOOK.encode()))
    with mock.patch.object(tales, "TALES", (book,)):
        return tales.tales(folder=folder, progress=False)


def _shakespeare(folder: Path) -> Any:
    with mock.patch.object(public, "TINY_SHAKESPEARE", _source("input.txt", _BOOK.encode())):
        return public.tiny_shakespeare(folder=folder, progress=False)


def _body(folder: Path) -> Any:
    """A book that nobody has a checksum of."""
    return tales.body((folder / "book.txt").read_bytes().decode(errors="replace"), "book.txt")


def _fetched(folder: Path) -> Any:
    return fetch(_source("a/b.bin", bytes(range(256))), folder=folder).read_bytes()


READERS: dict[str, Reader] = {
    "GPT-2": _pretrained(_gpt2, load_gpt2),
    "GPT-2, several files": _pretrained(_gpt2, load_gpt2, parts=True),
    "BERT": _pretrained(_bert, load_bert),
    "Llama": _pretrained(_llama, load_llama),
    "ViT": _pretrained(_vit, load_vit),
    "tokenizer.json": _vocabulary("tokenizer.json"),
    "vocab.json and merges.txt": _vocabulary("vocab.json", "merges.txt"),
    "vocab.txt": _vocabulary("vocab.txt", "tokenizer_config.json"),
    "captions": Reader(
        lambda folder: [(folder / f"val.{key}.gz").write_bytes(one) for key, one in _CAPTIONS.items()],
        _captions,
        (DataError,),
    ),
    "books": Reader(lambda folder: (folder / "1.txt").write_text(_BOOK), _books, (DataError,)),
    "Shakespeare": Reader(
        lambda folder: (folder / "input.txt").write_text(_BOOK), _shakespeare, (DataError,)
    ),
    "a book's body": Reader(
        lambda folder: (folder / "book.txt").write_text(_BOOK),
        _body,
        (DataError, FileNotFoundError),
        lambda folder, got: all(
            part.strip() in (folder / "book.txt").read_bytes().decode(errors="replace")
            for part in got.split("\n\n")
        ),
    ),
    "any file": Reader(
        lambda folder: (folder / "b.bin").write_bytes(bytes(range(256))), _fetched, (DataError,)
    ),
}
"""By name."""
