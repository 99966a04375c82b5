"""Our ViT is Hugging Face's: same logits, same gradients; every field honoured or refused by name."""

import json

import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close
from transformers import ViTConfig, ViTForImageClassification, ViTModel

from unrolled.pretrained import WeightsError, load_vit, vit_state
from unrolled.pretrained.fields import LEFT_ASIDE
from unrolled.pretrained.vit_config import VIT_FIXED, VIT_READ
from unrolled.tap import record

SIZES = {
    "image_size": 21,
    "patch_size": 7,
    "num_channels": 2,
    "num_labels": 5,
    "hidden_size": 33,
    "num_attention_heads": 3,
    "num_hidden_layers": 2,
    "intermediate_size": 61,
}
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}
# Another value for each field of theirs. A field that transformers adds is missing here, and the test is red.
CHANGES = {
    "_name_or_path": "somebody/something",
    "architectures": ["Something"],
    "attention_probs_dropout_prob": 0.7,
    "chunk_size_feed_forward": 19,
    "dtype": "bfloat16",
    "encoder_stride": 7,
    "hidden_act": "relu",
    "hidden_dropout_prob": 0.7,
    "hidden_size": 39,
    "id2label": {0: "a", 1: "b", 2: "c"},
    "image_size": 28,
    "initializer_range": 0.5,
    "intermediate_size": 67,
    "is_encoder_decoder": True,
    "label2id": {"a": 0, "b": 1},
    "layer_norm_eps": 0.3,
    "num_attention_heads": 11,
    "num_channels": 3,
    "num_hidden_layers": 3,
    "output_attentions": True,
    "output_hidden_states": True,
    "patch_size": 3,
    "pooler_act": "relu",
    "pooler_output_size": 7,
    "problem_type": "regression",
    "qkv_bias": False,
    "return_dict": False,
    "tie_word_embeddings": False,
    "transformers_version": "4.0.0",
}


def reference(precision: torch.dtype = torch.float64, **changes: object) -> ViTForImageClassification:
    torch.manual_seed(5)
    model = ViTForImageClassification(ViTConfig(**(SIZES | changes)))
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return model.eval().to(precision)


def pictures(model: ViTForImageClassification, batch: int = 7) -> torch.Tensor:
    c, side = model.config.num_channels, model.config.image_size
    draw = torch.Generator().manual_seed(11)
    return torch.randn(batch, c, side, side, generator=draw, dtype=next(model.parameters()).dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_logits_and_gradients(dtype: torch.dtype, activation: str) -> None:
    theirs = reference(dtype, hidden_act=activation)
    ours = load_vit(theirs).to(dtype)
    x, tolerance = pictures(theirs), TOLERANCE[dtype]
    labels = torch.arange(7) % 5
    logits, expected = ours(x), theirs(x).logits
    assert_close(logits, expected, rtol=tolerance, atol=tolerance * float(expected.detach().abs().max()))
    torch.nn.functional.cross_entropy(logits, labels).backward()
    torch.nn.functional.cross_entropy(expected, labels).backward()
    mapped = vit_state({name: w.grad for name, w in theirs.named_parameters()})
    named = dict(ours.named_parameters())
    assert named.keys() == mapped.keys()
    for name, weight in named.items():
        scale = float(mapped[name].abs().max().clamp(min=1.0))
        assert_close(
            weight.grad,
            mapped[name],
            rtol=tolerance,
            atol=tolerance * scale,
            msg=lambda m, n=name: f"{n}: {m}",
        )


def test_weights_and_vectors_are_theirs() -> None:
    theirs = reference(attn_implementation="eager")  # which takes its softmax in float32
    ours, x = load_vit(theirs), pictures(theirs)
    with torch.no_grad(), record(ours, "*.attention.weights") as heard:
        vectors = ours.encode(x)
        expected = theirs.vit(x, output_attentions=True)
    assert_close(vectors, expected.last_hidden_state, rtol=1e-4, atol=1e-6)
    for mine, hers in zip(heard.values(), expected.attentions, strict=True):
        assert_close(mine[0].double(), hers, rtol=1e-6, atol=1e-6)


def test_from_a_folder_under_the_names_that_files_have(tmp_path) -> None:
    theirs = reference(torch.float32)
    theirs.save_pretrained(tmp_path)
    assert any("attention.attention.query" in name for name in load_file(tmp_path / "model.safetensors"))
    x = pictures(theirs)
    with torch.no_grad():
        assert_close(load_vit(tmp_path)(x), theirs(x).logits, rtol=1e-5, atol=1e-5)
    # A field that a file leaves out has their default: nothing is dropped in training.
    saved = json.loads((tmp_path / "config.json").read_text())
    saved.pop("hidden_dropout_prob", None), saved.pop("attention_probs_dropout_prob", None)
    (tmp_path / "config.json").write_text(json.dumps(saved))
    ours = load_vit(tmp_path).train()
    with torch.no_grad():
        assert torch.equal(ours(x), ours(x))


def test_every_field_of_theirs_is_read_fixed_or_left_aside_for_a_reason() -> None:
    assert set(ViTConfig().to_dict()) <= VIT_READ | set(VIT_FIXED) | set(LEFT_ASIDE)
    assert not VIT_READ & set(VIT_FIXED)
    assert not VIT_READ & set(LEFT_ASIDE)


@pytest.mark.parametrize("name", [name for name in ViTConfig().to_dict() if name != "model_type"])
def test_a_changed_field_gives_their_logits_or_is_refused_by_name(name: str) -> None:
    theirs = reference(torch.float32, **{name: CHANGES[name]})
    if name in VIT_FIXED:
        with pytest.raises(WeightsError, match=name):
            load_vit(theirs)
        return
    theirs.config.return_dict = True
    x = pictures(theirs)
    with torch.no_grad():
        assert_close(load_vit(theirs)(x), theirs(x).logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dropped", ["hidden_dropout_prob", "attention_probs_dropout_prob"])
def test_each_of_two_dropouts_in_training(dropped: str) -> None:
    theirs = reference(torch.float32, **{dropped: 1.0})
    ours, x = load_vit(theirs), pictures(theirs)
    with torch.no_grad():
        assert_close(ours(x), theirs(x).logits, rtol=1e-4, atol=1e-4)
        assert_close(ours.train()(x), theirs.train()(x).logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image_size": [21, 14]}, "expected image_size to be a whole number from 1, got"),
        ({"patch_size": [7, 3]}, "expected patch_size to be a whole number from 1, got"),
        ({"image_size": 23}, "expected image_size to be a multiple of patch_size=7, got 23"),
        ({"is_causal": True}, "expected is_causal=False, got True"),
        ({"new_trick": True}, "not known here"),
    ],
)
def test_what_our_model_does_not_do_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        load_vit(reference(torch.float32, **change))


def test_a_model_without_a_head_names_what_is_missing() -> None:
    with pytest.raises(WeightsError, match=r"missing: head\.weight"):
        load_vit(ViTModel(ViTConfig(**SIZES)))
