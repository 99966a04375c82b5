"""Files that are damaged: refused by the documented error with their name, never read as other numbers."""

import json
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from tests.training.conftest import ALONE
from unrolled.data.tokenizers import BytePairs, Characters, load, read_tokenizer
from unrolled.inputs import read_json
from unrolled.pretrained import WeightsError, load_bert, load_gpt2, load_llama
from unrolled.training.checkpoint import save_checkpoint
from unrolled.training.curve import read_curve
from unrolled.training.eight_bits import from_eight_bits
from unrolled.training.recipes.reversal import Reversal
from unrolled.training.results import collect_runs, read_result
from unrolled.training.run import RunError, open_run, run_recipe
from unrolled.training.stored import FOLDER, store_run, stored, stored_names

NO_JSON = [
    b"",
    b"{",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"\xff\xfe",
    b'{"a": NaN}',
    b'{"a": -Infinity}',
    b'{"a": 1e999}',
    b'{"a": "\\ud800"}',
    b'{"a": "\xed\xa0\x80"}',
    b'{"a": ' + b"1" * 5000 + b"}",
    b"null",
    b"[]",
    b"7",
]


@pytest.mark.parametrize("content", NO_JSON, ids=range(len(NO_JSON)))
def test_what_is_no_json_object_is_refused_by_name(content, tmp_path):
    with pytest.raises(ValueError, match=r"^some\.json: expected"):
        read_json("some.json", content)
    # Whatever reads JSON, each under the name of its file.
    (tmp_path / "one.json").write_bytes(content)
    (tmp_path / "curve.jsonl").write_bytes(content + b"\n")
    for read in (
        lambda: read_result("one", tmp_path),
        lambda: load(tmp_path / "one.json"),
        lambda: read_tokenizer(tmp_path / "one.json"),
    ):
        with pytest.raises(ValueError, match=r"one\.json: "):
            read()
    with pytest.raises(ValueError, match=r"curve\.jsonl, line 1: expected"):
        read_curve(tmp_path / "curve.jsonl")


def test_json_of_any_kind_and_with_a_byte_order_mark_is_read():
    assert read_json("one", b'\xef\xbb\xbf{"a": [1, 0.5, "\\ud83d\\udc3b"]}') == {"a": [1, 0.5, "🐻"]}
    assert read_json("one", "[1]", kind=None) == [1]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "one"
    run_recipe(
        Reversal(steps=2, d_hidden=4, d_model=3, longest=4, batch=4, epoch=7), folder, ALONE, quiet=True
    )
    return folder


@pytest.fixture
def copied(run, tmp_path):
    for path in run.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def change(path, way, value):
    content = json.loads(path.read_bytes())
    *front, last = way
    at = content
    for key in front:
        at = at[key]
    if value is KeyError:
        del at[last]
    else:
        at[last] = value
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("file", "way", "value"),
    [
        ("metrics.json", ["metrics"], []),
        ("metrics.json", ["metrics", "exact 3-3"], "a"),
        ("metrics.json", ["seed"], {}),
        ("metrics.json", ["python"], KeyError),
        ("metrics.json", ["seconds", "wall"], KeyError),
        ("config.json", ["options"], None),
        ("config.json", ["options"], KeyError),
    ],
)
def test_a_run_whose_figures_are_altered_is_refused_by_name(copied, file, way, value):
    change(copied / file, way, value)
    with pytest.raises(ValueError, match=rf"{file}: "):
        collect_runs([copied])


def test_a_run_whose_curve_is_gone_is_not_finished(copied):
    (copied / "curve.jsonl").unlink()
    with pytest.raises(ValueError, match=r"expected a finished run, with curve\.jsonl"):
        collect_runs([copied])


def test_a_whole_number_that_no_float_comes_near_is_refused(copied):
    change(copied / "config.json", ["options", "lr"], 10**400)
    with pytest.raises(RunError, match=r"config\.json: lr: expected"):
        open_run(copied, torch.device("cpu"))


def test_weights_that_are_no_numbers_are_refused(copied):
    weights = load_file(copied / "model.safetensors")
    name = next(iter(weights))
    weights[name].view(-1)[0] = float("nan")
    save_file(weights, copied / "model.safetensors")
    with pytest.raises(RunError, match=r"model\.safetensors: .*expected finite numbers"):
        open_run(copied, torch.device("cpu"))


def test_one_bit_of_stored_weights_is_noticed(run, tmp_path):
    path = store_run(open_run(run, torch.device("cpu")), "small", "reversal", tmp_path)
    whole = path.read_bytes()
    assert stored("small", tmp_path).name == "small"
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"small\.safetensors: expected weights of this package .*sha256"):
        stored("small", tmp_path)


def test_all_that_ships_has_its_sum():
    listed = [line.split("  ")[1] for line in (FOLDER / "sha256.txt").read_text().splitlines()]
    assert sorted(listed) == sorted(f"{name}.safetensors" for name in stored_names())


def test_steps_without_their_matrix_are_refused():
    with pytest.raises(ValueError, match=r"^w\.step: expected a matrix"):
        from_eight_bits({"w.step": torch.ones(2)})


def test_a_state_of_brackets_within_brackets_gives_way_to_the_checkpoint_before(tmp_path, capsys):
    from unrolled.training.checkpoint import load_checkpoint

    for step in (1, 2):
        save_checkpoint(tmp_path, step, {"w": torch.ones(2)}, {"step": step})
    (tmp_path / "step-00000002" / "state.json").write_bytes(b"[" * 100_000)
    assert load_checkpoint(tmp_path)[1] == {"step": 1}
    assert "step-00000002 is damaged" in capsys.readouterr().err


SIZES = {"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 16}
MODELS = {
    "gpt2": (
        lambda: GPT2LMHeadModel(GPT2Config(vocab_size=13, n_positions=7, n_embd=8, n_layer=1, n_head=2)),
        load_gpt2,
    ),
    "bert": (
        lambda: BertForMaskedLM(BertConfig(vocab_size=13, max_position_embeddings=7, **SIZES)),
        load_bert,
    ),
    "llama": (
        lambda: LlamaForCausalLM(LlamaConfig(vocab_size=13, num_key_value_heads=1, **SIZES)),
        load_llama,
    ),
}


@pytest.fixture(params=MODELS)
def pretrained(request, tmp_path):
    make, read = MODELS[request.param]
    make().save_pretrained(tmp_path)
    return tmp_path, read


@pytest.mark.parametrize("size", [10**6, 10**12, 10**400], ids=["10^6", "10^12", "10^400"])
def test_sizes_that_no_memory_holds_are_refused(pretrained, size):
    folder, read = pretrained
    config = json.loads((folder / "config.json").read_bytes())
    counts = {"vocab_size", "n_layer", "n_embd", "n_positions", "n_ctx", "hidden_size", "num_hidden_layers"}
    counts |= {"intermediate_size"}
    for name in sorted(counts & config.keys()):
        change(folder / "config.json", [name], size)
        with pytest.raises(WeightsError, match=r"config: |the weights do not fit"):
            read(folder)
        change(folder / "config.json", [name], config[name])
    read(folder)


def test_numbers_that_are_none_and_whole_numbers_among_weights_are_refused(pretrained):
    """Of three matrices that are packed into one, one of whole numbers would become another of floats."""
    folder, read = pretrained
    whole = (folder / "model.safetensors").read_bytes()
    length = struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8 : 8 + length])
    for name in [name for name in header if name != "__metadata__"]:
        altered = {**header, name: {**header[name], "dtype": "I32"}}
        written = json.dumps(altered).encode()
        content = struct.pack("<Q", len(written)) + written + whole[8 + length :]
        (folder / "model.safetensors").write_bytes(content)
        with pytest.raises(WeightsError, match=r"do not fit|another|two that differ"):
            read(folder)
    weights = {name: tensor.clone() for name, tensor in _loaded(folder, whole).items()}
    next(iter(weights.values())).view(-1)[0] = float("inf")
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(WeightsError, match=r"expected finite ones|another"):
        read(folder)


def _loaded(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("tokens", ["ab", {"a": 1}, [1], None])
def test_tokens_are_a_list_of_texts(tmp_path, tokens):
    Characters("ab").save(tmp_path / "ours.json")
    change(tmp_path / "ours.json", ["tokens"], tokens)
    with pytest.raises(ValueError, match=r"ours\.json: expected"):
        load(tmp_path / "ours.json")


def altered(tmp_path, alter):
    BytePairs.train(["She bears the pain, bears love honey."], vocab_size=270).save(tmp_path / "ours.json")
    content = json.loads((tmp_path / "ours.json").read_bytes())
    alter(content["model"]["model"])
    (tmp_path / "ours.json").write_text(json.dumps(content))
    return tmp_path / "ours.json"


def test_a_vocabulary_with_a_gap_an_id_twice_or_a_rule_twice_is_refused(tmp_path):
    def last(model, i):
        model["vocab"][max(model["vocab"], key=model["vocab"].get)] = i

    for alter, said in (
        (lambda model: last(model, 5000), "expected ids from 0 to"),
        (lambda model: last(model, 100), "expected one piece for each id"),
        (lambda model: model["merges"].append(model["merges"][0]), "expected each rule once"),
    ):
        with pytest.raises(ValueError, match=rf"ours\.json: .*{said}"):
            load(altered(tmp_path, alter))


def test_a_rule_that_comes_twice_is_named_by_its_line(tmp_path):
    (tmp_path / "vocab.json").write_text(json.dumps({"a": 0, "b": 1, "ab": 2}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\na b\na b\n")
    with pytest.raises(ValueError, match=r"merges\.txt, line 3: expected each rule once"):
        read_tokenizer(tmp_path)
