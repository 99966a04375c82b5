"""A whole transformer in JavaScript equals torch in float64, tensor by tensor, and so do packed weights."""

from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor, nn

from unrolled.nn import BERT, GPT, BertConfig, Encoder, GPTConfig
from unrolled.nn.blocks import EncoderBlock
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.nn.parts import make_parts
from unrolled.tap import record
from unrolled.widgets import bundle
from unrolled.widgets.packed import pack, unpack

TOLERANCE = 1e-10


def run(page: Page, body: str, given: Any) -> Any:
    """Run `body` in the browser, with the modules as $transformer and $unpack, and what is `given`."""
    code = bundle._inline(["transformer", "unpack"])
    return page.evaluate(f"(given) => {{ {code} {body} }}", given)


def lists(tensors: dict[str, Tensor]) -> dict[str, Any]:
    return {name: tensor.tolist() for name, tensor in tensors.items()}


def close(got: Any, expected: Tensor) -> None:
    torch.testing.assert_close(
        torch.tensor(got, dtype=torch.float64), expected.detach(), rtol=TOLERANCE, atol=TOLERANCE
    )


def shaken(model: nn.Module, seed: int) -> nn.Module:
    """Return the model in float64, every number random: zero biases and unit norms hide mistakes."""
    g = torch.Generator().manual_seed(seed)
    for parameter in model.double().parameters():
        parameter.data = torch.randn(parameter.shape, generator=g, dtype=torch.float64) * 0.4
    return model.eval()


def silence(attention: MultiHeadAttention, head: int) -> None:
    """Switch a head off in torch: the columns of out_proj that read it are zero."""
    size = attention.d_head
    attention.out_proj.weight.data[:, head * size : (head + 1) * size] = 0


def test_activations_and_erf_equal_torch(page: Page) -> None:
    x = torch.linspace(-9, 9, 2003, dtype=torch.float64)
    got = run(
        page,
        """const { ACTIVATIONS, erf } = $transformer;
        const names = ["relu", "gelu", "gelu_tanh"];
        return [given.map(erf), ...names.map((name) => given.map(ACTIVATIONS[name]))];""",
        x.tolist(),
    )
    expected = [
        torch.erf(x),
        x.relu(),
        nn.functional.gelu(x),
        nn.functional.gelu(x, approximate="tanh"),
    ]
    for mine, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(torch.tensor(mine, dtype=torch.float64), theirs, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu", "gelu_tanh"])
def test_a_block_equals_torch(page: Page, norm: Any, activation: Any) -> None:
    block = shaken(
        EncoderBlock(6, 3, 11, norm=norm, parts=make_parts(activation=activation, norm_eps=1e-3)), 1
    )
    g = torch.Generator().manual_seed(2)
    x = torch.randn(1, 5, 6, generator=g, dtype=torch.float64)
    mask = torch.rand(5, 5, generator=g) < 0.6
    mask[3] = False
    with record(block, "*.weights") as heard:
        expected = block(x, mask[None])[0]
    assert isinstance(block, EncoderBlock)
    given = {"x": x[0].tolist(), "weights": lists(block.state_dict()), "mask": mask.tolist()}
    body = f"""const options = {{ nHeads: 3, norm: "{norm}", activation: "{activation}", eps: 1e-3 }};
    return $transformer.block(given.x, given.weights, {{ ...options, mask: given.mask }});"""
    got = run(page, body, given)
    close(got["output"], expected)
    (weights,) = heard["attention.weights"]
    close([head["weights"] for head in got["attention"]["heads"]], weights[0])
    source = x if norm == "post" else block.attention_norm(x)
    close(got["attention"]["out"], block.attention(source, mask=mask[None])[0])


def test_a_block_without_norms_ways_around_or_a_sublayer(page: Page) -> None:
    block = shaken(EncoderBlock(6, 2, 11), 11)
    assert isinstance(block, EncoderBlock)
    x = torch.randn(1, 5, 6, generator=torch.Generator().manual_seed(12), dtype=torch.float64)
    talk, think = block.attention, block.feedforward
    expected = {
        '{ norm: "none" }': (y := x + talk(x)) + think(y),
        "{ residual: false }": think(block.feedforward_norm(talk(block.attention_norm(x)))),
        '{ without: ["attention"] }': x + think(block.feedforward_norm(x)),
        '{ without: ["feedforward"], norm: "post" }': block.attention_norm(x + talk(x)),
    }
    given = {"x": x[0].tolist(), "weights": lists(block.state_dict())}
    for options, y in expected.items():
        body = f"return $transformer.block(given.x, given.weights, {{ nHeads: 2, ...{options} }}).output;"
        close(run(page, body, given), y[0])


def test_cross_attention_equals_torch(page: Page) -> None:
    layer = shaken(MultiHeadAttention(10, 5), 3)
    g = torch.Generator().manual_seed(4)
    x, source = (torch.randn(1, n, 10, generator=g, dtype=torch.float64) for n in (3, 7))
    given = {"x": x[0].tolist(), "source": source[0].tolist(), "weights": lists(layer.state_dict())}
    body = "return $transformer.multiHead(given.x, given.weights, { nHeads: 5 }, given.source);"
    close(run(page, body, given)["out"], layer(x, source)[0])


def test_bert_equals_torch_with_and_without_a_head(page: Page) -> None:
    model = BERT(BertConfig(13, 11, 6, 2, 3, n_token_types=0, dropout=0.0, norm_eps=1e-5))
    model.encoder = Encoder(3, 6, 2, 17)
    model = shaken(model, 5)
    tokens = torch.tensor([[3, 0, 12, 5, 7]])
    given = {"tokens": tokens[0].tolist(), "weights": lists(model.state_dict())}
    body = """const options = { nHeads: 2, nLayers: 3, offByLayer: [[], [1]] };
    return $transformer.bert(given.tokens, given.weights, options);"""
    whole = run(page, body.replace("[[], [1]]", "[]"), given)
    assert isinstance(model, BERT)
    with record(model, "*.stream") as heard:
        close(whole["logits"], model(tokens)[0])
    for i, layer in enumerate(whole["blocks"]):
        close(layer["output"], heard[f"encoder.layers.{i}.stream"][0][0])
    close(whole["vectors"], model.encode(tokens)[0])

    silence(model.encoder.layers[1].attention, 1)
    expected = model(tokens)[0]
    close(run(page, body, given)["logits"], expected)
    assert (torch.tensor(whole["logits"]) - expected).abs().max() > 0.01


def test_gpt_equals_torch_and_its_cache_changes_nothing(page: Page) -> None:
    model = shaken(GPT(GPTConfig(13, 11, 6, 3, 2, n_kv_heads=3)), 6)
    tokens = torch.tensor([[3, 0, 12, 5, 7, 1, 1]])
    given = {"tokens": tokens[0].tolist(), "weights": lists(model.state_dict())}
    body = """const options = { nHeads: 3, nLayers: 2 };
    const whole = $transformer.gpt(given.tokens, given.weights, options).logits;
    const rows = [];
    let cache;
    for (const part of [given.tokens.slice(0, 3), ...given.tokens.slice(3).map((id) => [id])]) {
      const step = $transformer.gpt(part, given.weights, options, cache);
      cache = step.cache;
      rows.push(...step.logits);
    }
    return { whole, rows, held: cache.map(({ keys }) => keys.length) };"""
    got = run(page, body, given)
    expected = model(tokens)[0]
    close(got["whole"], expected)
    close(got["rows"], expected)
    assert got["held"] == [7, 7]


def tensors() -> dict[str, Any]:
    g = torch.Generator().manual_seed(7)
    return {
        "a": torch.randn(3, 5, generator=g),
        "b": torch.tensor([0.0, -0.0, 6e-8, -6.1e-5, 65504.0, -1.0, 1 / 3]),
        "c": torch.randn(2, 1, generator=g).numpy(),
        "zeros": torch.zeros(2, 3),
    }


@pytest.mark.parametrize("bits", [8, 16])
def test_the_page_unpacks_the_numbers_python_says(page: Page, bits: Any) -> None:
    packed = pack(tensors(), bits)
    got = run(page, "return $unpack.unpack(given);", packed)
    assert got == {name: array.tolist() for name, array in unpack(packed).items()}


def test_sixteen_bits_are_half_precision() -> None:
    for name, array in unpack(pack(tensors())).items():
        assert array.tolist() == torch.as_tensor(tensors()[name]).half().double().tolist(), name


def test_eight_bits_are_off_by_half_a_step_at_most_and_take_half_the_room() -> None:
    g = torch.Generator().manual_seed(8)
    wide = {"w": torch.randn(7, 101, generator=g)}
    (array,) = unpack(pack(wide, 8)).values()
    step = wide["w"].abs().amax(dim=1, keepdim=True).double() / 127
    off = (torch.tensor(array) - wide["w"].double()).abs()
    assert bool((off <= 0.501 * step).all())
    assert float((off / step).max()) > 0.4
    assert len(pack(wide, 8)["data"]) < 0.53 * len(pack(wide)["data"])


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.ones(2, 3, 5), r"w: expected numbers in one or two dimensions, got float32 \[2, 3, 5\]"),
        (np.array(["a"]), "w: expected numbers in one or two dimensions"),
        (torch.tensor([7e4]), r"w: expected numbers below 65,504 in size"),
        (torch.tensor([float("nan")]), r"w: expected numbers below 65,504 in size"),
    ],
)
def test_what_cannot_be_packed_is_refused(tensor: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack({"w": tensor})
