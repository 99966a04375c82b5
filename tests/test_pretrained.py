"""Loading: from a folder, a file, a model at hand; and an error that names whatever does not fit."""

import json
import re
import sys

import pytest
import torch
from safetensors.torch import save_file
from torch.testing import assert_close
from transformers import BertConfig, BertForMaskedLM, BertModel, GPT2Config, GPT2LMHeadModel, GPT2Model

from unrolled.pretrained import WeightsError, bert_config, gpt2_config, gpt2_state, load_bert, load_gpt2

GPT2 = GPT2Config(
    vocab_size=53, n_positions=23, n_embd=33, n_head=3, n_layer=2, bos_token_id=0, eos_token_id=0
)
BERT = BertConfig(
    vocab_size=53,
    max_position_embeddings=23,
    hidden_size=33,
    num_attention_heads=3,
    num_hidden_layers=2,
    intermediate_size=61,
)
TOKENS = torch.randint(53, (5, 11), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def gpt2(tmp_path):
    torch.manual_seed(1)
    model = GPT2LMHeadModel(GPT2).eval()
    model.save_pretrained(tmp_path)
    return model


@pytest.fixture
def bert(tmp_path):
    torch.manual_seed(1)
    model = BertForMaskedLM(BERT).eval()
    model.save_pretrained(tmp_path)
    return model


def rewrite(folder, change):
    """Change the saved weights, as a dictionary, in place."""
    from safetensors.torch import load_file

    state = load_file(folder / "model.safetensors")
    change(state)
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, folder / "model.safetensors")


def test_gpt2_from_a_folder_a_file_and_a_model(gpt2, tmp_path):
    expected = gpt2(TOKENS).logits
    for source in (tmp_path, str(tmp_path), tmp_path / "model.safetensors", gpt2):
        model = load_gpt2(source)
        assert not model.training
        assert_close(model(TOKENS), expected, rtol=1e-5, atol=1e-5)


def test_gpt2_without_its_prefix_and_with_old_buffers(gpt2, tmp_path):
    def strip(state):
        for name in list(state):
            state[name.removeprefix("transformer.")] = state.pop(name)
        state["h.0.attn.bias"] = torch.ones(1, 1, 23, 23)
        state["h.1.attn.masked_bias"] = torch.tensor(-1e4)

    rewrite(tmp_path, strip)
    assert_close(load_gpt2(tmp_path)(TOKENS), gpt2(TOKENS).logits, rtol=1e-5, atol=1e-5)
    assert_close(load_gpt2(GPT2Model(GPT2))(TOKENS).shape, torch.Size((5, 11, 53)))


def test_bert_with_and_without_its_head(bert, tmp_path):
    for source in (tmp_path, bert):
        assert_close(load_bert(source)(TOKENS), bert(TOKENS).logits, rtol=1e-5, atol=1e-5)
    vectors = bert.bert(TOKENS).last_hidden_state
    headless = load_bert(tmp_path, mlm_head=False)
    assert headless.head is None
    assert_close(headless.encode(TOKENS), vectors, rtol=1e-5, atol=1e-5)
    trunk = BertModel(BERT).eval()
    assert_close(load_bert(trunk).encode(TOKENS), trunk(TOKENS).last_hidden_state, rtol=1e-5, atol=1e-5)
    with pytest.raises(WeightsError, match=r"missing: head\.dense\.weight \[33, 33\]"):
        load_bert(trunk, mlm_head=True)


def test_bert_under_its_oldest_names(bert, tmp_path):
    def age(state):
        for name in list(state):
            tensor = state.pop(name)
            name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
                "LayerNorm.bias", "LayerNorm.beta"
            )
            state[name] = tensor
        state["bert.embeddings.position_ids"] = torch.arange(23)
        state["cls.seq_relationship.weight"] = torch.zeros(2, 33)
        state["bert.pooler.dense.bias"] = torch.zeros(33)

    rewrite(tmp_path, age)
    assert_close(load_bert(tmp_path)(TOKENS), bert(TOKENS).logits, rtol=1e-5, atol=1e-5)


def test_weights_in_several_files(gpt2, tmp_path):
    from safetensors.torch import load_file

    whole = tmp_path / "model.safetensors"
    names = sorted(load_file(whole))
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    state = load_file(whole)
    for file, held in parts.items():
        save_file({name: state[name] for name in held}, tmp_path / file)
    whole.unlink()
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert_close(load_gpt2(tmp_path)(TOKENS), gpt2(TOKENS).logits, rtol=1e-5, atol=1e-5)


def test_everything_that_does_not_fit_is_listed_at_once(gpt2, tmp_path):
    def damage(state):
        del state["transformer.h.1.ln_2.bias"]
        state["transformer.h.7.ln_2.bias"] = torch.zeros(33)
        state["transformer.wpe.weight"] = torch.zeros(19, 33)

    rewrite(tmp_path, damage)
    with pytest.raises(WeightsError) as caught:
        load_gpt2(tmp_path)
    said = str(caught.value)
    assert "missing: layers.1.feedforward_norm.bias [33]" in said
    assert "unexpected: layers.7.feedforward_norm.bias [33]" in said
    assert "mis-shaped: positions.table.weight, expected [23, 33], got [19, 33]" in said
    assert said.count("\n") == 3


def test_a_bert_that_lacks_its_keys(bert, tmp_path):
    rewrite(tmp_path, lambda state: state.pop("bert.encoder.layer.1.attention.self.key.weight"))
    with pytest.raises(WeightsError) as caught:
        load_bert(tmp_path)
    assert "missing: encoder.layers.1.attention.qkv_proj.weight [99, 33]" in str(caught.value)
    assert "unexpected: encoder.layers.1.attention.query.weight [33, 33]" in str(caught.value)


@pytest.mark.parametrize("suffix", ["bin", "pt", "pth", "ckpt", "pkl"])
def test_nothing_is_unpickled(gpt2, tmp_path, suffix):
    class Trap:
        def __reduce__(self):
            return (sys.exit, ("a pickle ran",))

    pickle = tmp_path / f"pytorch_model.{suffix}"
    torch.save(Trap(), pickle)
    with pytest.raises(WeightsError, match="a pickle can run code when opened"):
        load_gpt2(pickle)
    assert load_gpt2(tmp_path) is not None
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=re.escape(f"found pytorch_model.{suffix}")):
        load_gpt2(tmp_path)


def test_models_of_another_kind(gpt2, bert):
    with pytest.raises(WeightsError, match="expected model_type 'bert', got 'gpt2'"):
        load_bert(gpt2)
    with pytest.raises(WeightsError, match="expected model_type 'gpt2', got 'bert'"):
        load_gpt2(bert)
    with pytest.raises(WeightsError, match="expected a transformers model, got Linear"):
        load_gpt2(torch.nn.Linear(2, 3))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"activation_function": "tanh"},
            "to be one of relu, gelu, gelu_new, gelu_pytorch_tanh, silu, swish, got 'tanh'",
        ),
        ({"scale_attn_weights": False}, "expected scale_attn_weights=True, got False"),
        (
            {"scale_attn_by_inverse_layer_idx": True},
            "expected scale_attn_by_inverse_layer_idx=False, got True",
        ),
    ],
)
def test_what_our_gpt_does_not_do(change, said):
    with pytest.raises(WeightsError, match=said):
        gpt2_config(GPT2.to_dict() | change)


def test_relative_positions_are_not_ours(bert, tmp_path):
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"position_embedding_type": "relative_key"}))
    with pytest.raises(WeightsError, match="position_embedding_type='absolute', got 'relative_key'"):
        load_bert(tmp_path)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json beside model.safetensors"):
        load_gpt2(tmp_path)
    for missing in (tmp_path / "nowhere", str(tmp_path / "nowhere"), "~/no such folder/gpt2"):
        with pytest.raises(
            FileNotFoundError, match=r"(nowhere|gpt2): no such file or folder; expected a folder"
        ):
            load_gpt2(missing)


def test_a_name_on_the_hub_while_offline(monkeypatch):
    import huggingface_hub

    def unreachable(name, **_):
        raise ConnectionError(name)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(FileNotFoundError, match=r"gpt2: .*\(ConnectionError\)\. Offline\? Copy config\.json"):
        load_gpt2("gpt2")


def test_a_name_on_the_hub_is_fetched_without_pickles(monkeypatch, gpt2, tmp_path):
    import huggingface_hub

    asked = {}

    def fetch(name, allow_patterns):
        asked[name] = allow_patterns
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    assert_close(load_gpt2("some-one/gpt2")(TOKENS), gpt2(TOKENS).logits, rtol=1e-5, atol=1e-5)
    assert asked == {"some-one/gpt2": ["config.json", "model*.safetensors*", "tokenizer.json"]}


@pytest.mark.parametrize("package", ["safetensors.torch", "huggingface_hub"])
def test_packages_that_are_not_installed_are_named(monkeypatch, gpt2, tmp_path, package):
    monkeypatch.setitem(sys.modules, package, None)
    error = ImportError if package == "safetensors.torch" else FileNotFoundError
    with pytest.raises(error, match=f"pip install {package.split('.')[0]}"):
        load_gpt2(tmp_path if package == "safetensors.torch" else "gpt2")


def test_the_map_leaves_its_input_alone(gpt2):
    state = gpt2.state_dict()
    names = list(state)
    mapped = gpt2_state(state, gpt2_config(GPT2.to_dict()))
    assert list(state) == names
    weight = state["transformer.h.0.attn.c_attn.weight"]
    assert_close(mapped["layers.0.attention.qkv_proj.weight"], weight.T)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (POINTER, "a git-lfs pointer to it; run git lfs pull"),
        (b"", "a file with content, got an empty one"),
        (b"<!doctype html><html></html>", "(a whole safetensors file, got 28 bytes|JSON, got something)"),
        (b"\x07\x00", "(a whole safetensors file, got 2 bytes|JSON, got something else)"),
    ],
)
def test_something_else_where_a_file_should_be(gpt2, tmp_path, file, content, said):
    (tmp_path / file).write_bytes(content)
    with pytest.raises(WeightsError, match=rf"{re.escape(str(tmp_path / file))}: expected .*{said}"):
        load_gpt2(tmp_path)


@pytest.mark.parametrize("kept", [1, 7, 97, 1009, -1])
def test_a_file_that_was_cut(gpt2, tmp_path, kept):
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(
        WeightsError, match=r"model\.safetensors: expected a whole safetensors file, got \d+ by"
    ):
        load_gpt2(tmp_path)


@pytest.mark.parametrize("content", ["[]", '"gpt2"', "null", "7"])
def test_a_configuration_that_is_no_object(gpt2, tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(WeightsError, match=r"config\.json: expected a JSON object, got"):
        load_gpt2(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_configuration_as_an_editor_may_save_it(gpt2, tmp_path, encoding):
    file = tmp_path / "config.json"
    file.write_text(file.read_text(encoding="utf-8"), encoding=encoding)
    assert_close(load_gpt2(tmp_path)(TOKENS), gpt2(TOKENS).logits, rtol=1e-5, atol=1e-5)


SIZES = {
    gpt2_config: (GPT2, ["vocab_size", "n_positions", "n_embd", "n_head", "n_layer"]),
    bert_config: (
        BERT,
        [
            "vocab_size",
            "max_position_embeddings",
            "hidden_size",
            "num_attention_heads",
            "num_hidden_layers",
            "intermediate_size",
        ],
    ),
}


@pytest.mark.parametrize(
    ("read", "theirs", "name"),
    [(read, theirs, name) for read, (theirs, names) in SIZES.items() for name in names],
)
def test_a_size_that_is_not_there_or_no_size(read, theirs, name):
    config = theirs.to_dict()
    for wrong in (0, -7, 2.5, "53", True, None, [53]):
        with pytest.raises(WeightsError, match=f"expected {name} to be a whole number from 1, got"):
            read(config | {name: wrong})
    del config[name]
    with pytest.raises(WeightsError, match=f"expected {name}, a whole number from 1; there is no such field"):
        read(config)


@pytest.mark.parametrize(
    ("read", "change", "said"),
    [
        (gpt2_config, {"n_head": 7}, "n_embd to be a multiple of n_head, got 33 and 7"),
        (gpt2_config, {"n_inner": 0}, "n_inner to be a whole number from 1, got 0"),
        (gpt2_config, {"n_ctx": 29}, "n_ctx to be n_positions=23, got 29"),
        (gpt2_config, {"embd_pdrop": 1.5}, "embd_pdrop to be a number from 0 to 1, got 1.5"),
        (gpt2_config, {"attn_pdrop": "0.1"}, "attn_pdrop to be a number, got '0.1'"),
        (gpt2_config, {"layer_norm_epsilon": 0}, "layer_norm_epsilon to be a number above 0, got 0"),
        (gpt2_config, {"tie_word_embeddings": "yes"}, "tie_word_embeddings to be true or false, got 'yes'"),
        (gpt2_config, {"activation_function": ["gelu"]}, "activation_function to be one of relu"),
        (gpt2_config, {"auto_map": {"AutoModel": "own.Model"}}, "expected auto_map=None, got"),
        (
            bert_config,
            {"attention_probs_dropout_prob": -1},
            "attention_probs_dropout_prob to be a number from 0",
        ),
        (bert_config, {"layer_norm_eps": float("nan")}, "layer_norm_eps to be a number above 0, got nan"),
        (bert_config, {"pruned_heads": {"0": [1]}}, r"expected pruned_heads=\{\}, got"),
    ],
)
def test_values_that_cannot_be(read, change, said):
    with pytest.raises(WeightsError, match=said):
        read((GPT2 if read is gpt2_config else BERT).to_dict() | change)


def test_an_old_configuration_still_loads(gpt2, tmp_path):
    old = {
        "n_ctx": 23,
        "n_special": 0,
        "predict_special_tokens": True,
        "_num_labels": 1,
        "model_max_length": 23,
        "gradient_checkpointing": False,
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
        "torch_dtype": "float32",
    }
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | old))
    assert_close(load_gpt2(tmp_path)(TOKENS), gpt2(TOKENS).logits, rtol=1e-5, atol=1e-5)


def test_a_tied_file_that_holds_another_output_layer(gpt2, bert, tmp_path):
    gpt2.save_pretrained(tmp_path)
    rewrite(tmp_path, lambda state: state.update({"lm_head.weight": state["transformer.wte.weight"].clone()}))
    assert_close(load_gpt2(tmp_path)(TOKENS), gpt2(TOKENS).logits, rtol=1e-5, atol=1e-5)
    rewrite(tmp_path, lambda state: state["lm_head.weight"].add_(1))
    with pytest.raises(
        WeightsError, match=r"tie_word_embeddings says that lm_head\.weight is token_embedding"
    ):
        load_gpt2(tmp_path)
    bert.save_pretrained(tmp_path)
    decoder = {"cls.predictions.decoder.weight": torch.ones(53, 33)}
    rewrite(tmp_path, lambda state: state.update(decoder))
    with pytest.raises(
        WeightsError, match=r"tie_word_embeddings says that head\.decoder\.weight is token_embed"
    ):
        load_bert(tmp_path)
    assert load_bert(tmp_path, mlm_head=False).head is None


def test_two_tensors_for_one_weight(gpt2, tmp_path):
    rewrite(tmp_path, lambda state: state.update({"ln_f.bias": state["transformer.ln_f.bias"].clone()}))
    assert_close(load_gpt2(tmp_path)(TOKENS), gpt2(TOKENS).logits, rtol=1e-5, atol=1e-5)
    rewrite(tmp_path, lambda state: state["ln_f.bias"].add_(1))
    with pytest.raises(
        WeightsError, match=r"two that differ: (transformer\.)?ln_f\.bias and (transformer\.)?ln_f"
    ):
        load_gpt2(tmp_path)


def test_a_weight_of_three_dimensions_is_reported(gpt2, tmp_path):
    cube = {"transformer.h.1.attn.c_proj.weight": torch.zeros(3, 11, 33)}
    rewrite(tmp_path, lambda state: state.update(cube))
    with pytest.raises(
        WeightsError, match=r"mis-shaped: layers\.1\.attention\.out_proj\.weight, .* \[3, 11, 33"
    ):
        load_gpt2(tmp_path)


def sharded(folder, index, files):
    """Take the whole file apart into `files`, each half of the names, and write `index`."""
    from safetensors.torch import load_file

    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(state)
    for i, file in enumerate(files):
        save_file({name: state[name] for name in names[i::2]}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return state


@pytest.mark.parametrize(
    ("index", "error", "said"),
    [
        (
            {"weight_map": {"a": "b.safetensors"}},
            FileNotFoundError,
            "b.safetensors: no such file, though model",
        ),
        ({"weight_map": {"a": "../b.safetensors"}}, WeightsError, "in its folder, got '../b.safetensors'"),
        ({"weight_map": {"a": "/b.safetensors"}}, WeightsError, "in its folder, got '/b.safetensors'"),
        (
            {"weight_map": {"a": "b.bin"}},
            WeightsError,
            "names of .safetensors files in its folder, got 'b.bin'",
        ),
        ({"weight_map": {"a": 7}}, WeightsError, "expected weight_map, an object of file names, got"),
        ({"weight_map": {}}, WeightsError, "expected weight_map, an object of file names, got"),
        ({}, WeightsError, "expected weight_map, an object of file names, got None"),
        ([], WeightsError, "expected a JSON object, got list"),
    ],
)
def test_an_index_that_leads_nowhere(gpt2, tmp_path, index, error, said):
    (tmp_path.parent / "b.safetensors").write_bytes((tmp_path / "model.safetensors").read_bytes())
    sharded(tmp_path, index, [])
    with pytest.raises(error, match=said):
        load_gpt2(tmp_path)


def test_files_that_hold_one_name_twice(gpt2, tmp_path):
    files = ["a.safetensors", "b.safetensors"]
    state = sharded(tmp_path, {"weight_map": dict(enumerate(files))}, files)
    first = sorted(state)[0]
    again = {name: state[name] for name in sorted(state)[1::2]}
    save_file(again | {first: state[first]}, tmp_path / "b.safetensors")
    assert_close(load_gpt2(tmp_path)(TOKENS), gpt2(TOKENS).logits, rtol=1e-5, atol=1e-5)
    save_file(again | {first: state[first] + 1}, tmp_path / "b.safetensors")
    with pytest.raises(WeightsError, match=rf"b\.safetensors: holds another {re.escape(first)} than"):
        load_gpt2(tmp_path)


def test_a_whole_file_comes_before_an_index(gpt2, tmp_path):
    index = {"weight_map": {"a": "not there.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert_close(load_gpt2(tmp_path)(TOKENS), gpt2(TOKENS).logits, rtol=1e-5, atol=1e-5)


def test_a_home_is_written_out(gpt2, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    expected = gpt2(TOKENS).logits
    for source in (f"~/{tmp_path.name}", f"~/{tmp_path.name}/model.safetensors"):
        assert_close(load_gpt2(source)(TOKENS), expected, rtol=1e-5, atol=1e-5)


def test_what_is_neither_a_folder_nor_weights(gpt2, tmp_path):
    with pytest.raises(WeightsError, match=r"config\.json: expected a folder or a \.safetensors file"):
        load_gpt2(tmp_path / "config.json")
    with pytest.raises(TypeError, match="source: expected a path, got NoneType"):
        load_gpt2(None)
