"""Loading: from a folder, a file, a model at hand; and an error that names whatever does not fit."""

import json
import re
import sys

import pytest
import torch
from safetensors.torch import save_file
from torch.testing import assert_close
from transformers import BertConfig, BertForMaskedLM, BertModel, GPT2Config, GPT2LMHeadModel, GPT2Model

from unrolled.pretrained import WeightsError, gpt2_config, gpt2_state, load_bert, load_gpt2

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
            "an activation of relu, gelu, gelu_new, gelu_pytorch_tanh, got 'tanh'",
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
    with pytest.raises(WeightsError, match="absolute positions, got 'relative_key'"):
        load_bert(tmp_path)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json beside model.safetensors"):
        load_gpt2(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"config\.json beside model.safetensors"):
        load_gpt2(tmp_path / "nowhere")


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
    assert asked == {"some-one/gpt2": ["config.json", "model*.safetensors*"]}


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
