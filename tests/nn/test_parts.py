"""A new norm, activation, mask rule or position is handed in; masks at the doors; the names of numbers."""

import inspect
from dataclasses import is_dataclass, replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.testing import assert_close

import unrolled.nn
from tests.drawn import random, random_tokens
from unrolled.generate import beam_search, generate, translate
from unrolled.nn import (
    BERT,
    GPT,
    ALiBi,
    BertConfig,
    Decoder,
    DecoderBlock,
    DecoderCache,
    Encoder,
    EncoderBlock,
    FeedForward,
    GPTConfig,
    LinearScaling,
    LlamaConfig,
    MultiHeadAttention,
    ParallelBlock,
    Parts,
    PositionRule,
    Rotary,
    Transformer,
    TransformerConfig,
    ViT,
    ViTConfig,
    causal_mask,
    padding_mask,
)
from unrolled.nn import masks as masks_module
from unrolled.nn.lean import lean
from unrolled.nn.parts import make_parts, output_norm, post_norm, pre_norm
from unrolled.shapes import ShapeError
from unrolled.tap import Tap, record

B, T, S, H, D, V = 3, 7, 5, 2, 12, 19
GPT_CONFIG = GPTConfig(V, max_len=13, d_model=D, n_heads=H, n_layers=2, tied=False)
BERT_CONFIG = BertConfig(V, max_len=13, d_model=D, n_heads=H, n_layers=2, dropout=0.0)
LLAMA_CONFIG = LlamaConfig(V, max_len=13, d_model=D, n_heads=H, n_layers=1)
TRANSFORMER_CONFIG = TransformerConfig(V, 23, max_len=13, d_model=D, n_heads=H, n_layers=2, dropout=0.0)


tokens, numbers = partial(random_tokens, V), partial(random, seed=2)


def drawn(model):
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                nn.init.normal_(weight, std=0.6)
            else:
                weight += 0.2 * torch.randn(weight.shape)
    return model.double().eval()


def test_no_constructor_takes_more_than_eight_arguments():
    kinds = {name: getattr(unrolled.nn, name) for name in unrolled.nn.__all__}
    kinds = {name: kind for name, kind in kinds.items() if inspect.isclass(kind) and not is_dataclass(kind)}
    assert len(kinds) > 20
    for name, kind in kinds.items():
        given = [p for p in inspect.signature(kind.__init__).parameters if p != "self"]
        assert len(given) <= 8, f"{name}: {given}"
    assert len(inspect.signature(unrolled.nn.attention).parameters) <= 8


class Scaled(nn.Module):
    """A root-mean-square norm, as somebody outside would write it."""

    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return self.weight * x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()


@pytest.mark.parametrize("norm", [Scaled, partial(nn.RMSNorm, eps=1e-6)])
def test_a_norm_of_ones_own_stands_wherever_a_model_normalises(norm):
    for model in (
        GPT(GPT_CONFIG, replace(GPT_CONFIG.parts(), norm=norm)),
        BERT(BERT_CONFIG, replace(BERT_CONFIG.parts(), norm=norm)),
        Transformer(TRANSFORMER_CONFIG, replace(TRANSFORMER_CONFIG.parts(), norm=norm)),
    ):
        assert not [path for path, part in model.named_modules() if isinstance(part, nn.LayerNorm)]
    model = drawn(GPT(GPT_CONFIG, replace(GPT_CONFIG.parts(), norm=norm)))
    block, x = model.layers[0], torch.randn(B, T, D, dtype=torch.float64)
    middle = x + block.attention(norm_by_hand(block.attention_norm, x))
    assert_close(block(x), middle + block.feedforward(norm_by_hand(block.feedforward_norm, middle)))
    prompt = tokens(B, 4)
    assert torch.equal(generate(model, prompt, 9), generate(model, prompt, 9, cache=False))


def norm_by_hand(norm, x):
    return norm.weight * x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()


def window(n_queries, n_keys, *, device=None, width):
    """Every query sees itself and the width - 1 positions before it."""
    return causal_mask(n_queries, n_keys, device=device) & ~causal_mask(
        n_queries, n_keys, device=device
    ).tril(n_keys - n_queries - width)


def with_window(config, width):
    parts = config.parts()
    return replace(parts, attention=partial(parts.attention, mask_rule=partial(window, width=width)))


def test_a_sliding_window_is_a_mask_rule():
    assert window(2, 5, width=3).tolist() == [
        [False, True, True, True, False],
        [False, False, True, True, True],
    ]
    model = drawn(GPT(GPT_CONFIG, with_window(GPT_CONFIG, 3)))
    plain = drawn(GPT(GPT_CONFIG))
    x = tokens(B, T)
    windowed = model(x)
    assert_close(windowed, plain(x, window(T, T, width=3)))
    assert not torch.allclose(windowed, plain(x))
    padding = padding_mask(torch.tensor([7, 2, 5]))
    assert_close(model(x, padding), plain(x, padding & window(T, T, width=3)))
    with record(model, "*.weights") as heard:
        assert_close(model(x, padding), plain(x, padding & window(T, T, width=3)))
    assert all(w.masked_select(~window(T, T, width=3)).eq(0).all() for (w,) in heard.values())
    with torch.no_grad():
        cache = model.new_cache()
        pieces = [model(x[:, a:b], cache=cache) for a, b in ((0, 4), (4, 5), (5, T))]
    assert_close(torch.cat(pieces, 1), windowed)
    assert torch.equal(generate(model, x, 6), generate(model, x, 6, cache=False))
    assert not torch.equal(generate(model, x, 6), generate(plain, x, 6))


def test_layers_may_have_windows_of_their_own():
    model = drawn(GPT(GPT_CONFIG))
    model.layers[1].attention.mask_rule = partial(window, width=2)
    with record(model, "*.weights") as heard:
        model(tokens(B, T), padding_mask(torch.tensor([7, 7, 7])))
    (first,), (second,) = heard.values()
    assert first.ne(0).sum() > second.ne(0).sum()


def test_a_window_holds_in_both_directions_and_in_the_whole_transformer():
    def near(n_queries, n_keys, *, device=None):
        return window(n_queries, n_keys, width=3) | window(n_queries, n_keys, width=3).mT

    parts = BERT_CONFIG.parts()
    parts = replace(parts, attention=partial(parts.attention, mask_rule=near))
    bert, plain = drawn(BERT(BERT_CONFIG, parts)), drawn(BERT(BERT_CONFIG))
    assert_close(bert(tokens(B, T)), plain(tokens(B, T), near(T, T)))
    config = TRANSFORMER_CONFIG
    model = drawn(Transformer(config, with_window(config, 2)))
    assert all(layer.cross_attention.mask_rule is None for layer in model.decoder.layers)
    given = {"bos": 1, "eos": 2, "max_len": 11}
    source = tokens(B, S)
    assert torch.equal(translate(model, source, **given), translate(model, source, **given, cache=False))


def test_the_base_of_rotary_positions_is_a_matter_of_configuration():
    long = replace(GPT_CONFIG, positions="rotary", rotary_base=500_000.0)
    (rule,) = {layer.attention.positions for layer in GPT(long).layers}
    assert_close(rule.cos, Rotary(D // H, 13, base=500_000.0).cos)
    short, x = replace(long, rotary_base=10_000.0), tokens(B, T)
    assert not torch.allclose(drawn(GPT(long))(x), drawn(GPT(short))(x))
    translator = Transformer(replace(TRANSFORMER_CONFIG, positions="rotary", rotary_base=700.0))
    for stack in (translator.encoder, translator.decoder):
        assert_close(stack.layers[1].attention.positions.cos, Rotary(D // H, 13, base=700.0).cos)


class Both(PositionRule):
    """Turns halfway and lowers by distance: a rule that does both."""

    def __init__(self):
        super().__init__()
        self.rotary, self.alibi = Rotary(D // H, 13, base=7.0), ALiBi(H)

    def turn(self, x, offset=0):
        return self.rotary(x, offset)

    def bias(self, n_queries, n_keys):
        return self.alibi(n_queries, n_keys)


def test_a_position_rule_of_ones_own_may_turn_and_bias():
    config = replace(GPT_CONFIG, positions="none")
    rule = Both()
    parts = replace(config.parts(), attention=partial(MultiHeadAttention, positions=rule))
    model, x = drawn(GPT(config, parts)), tokens(B, T)
    with record(model, "layers.0.attention.*") as heard:
        logits = model(x)
    heard = {path.rpartition(".")[2]: passed[0] for path, passed in heard.items()}
    scores = heard["queries"] @ heard["keys"].mT * (D // H) ** -0.5 + rule.alibi(T, T)
    assert_close(heard["scores"], scores)
    assert_close(model(x), logits)
    assert torch.equal(generate(model, x, 6), generate(model, x, 6, cache=False))


def test_an_activation_and_a_feed_forward_network_of_ones_own():
    class Gated(nn.Module):
        def __init__(self, d_model, d_ff):
            super().__init__()
            self.gate, self.up = nn.Linear(d_model, d_ff), nn.Linear(d_model, d_ff)
            self.down = nn.Linear(d_ff, d_model)

        def forward(self, x):
            return self.down(nn.functional.silu(self.gate(x)) * self.up(x))

    gated = drawn(GPT(GPT_CONFIG, replace(GPT_CONFIG.parts(), feedforward=Gated)))
    assert torch.equal(generate(gated, tokens(B, 4), 6), generate(gated, tokens(B, 4), 6, cache=False))
    smooth = EncoderBlock(D, H, 17, activation=nn.SiLU)
    assert isinstance(smooth.feedforward.activation, nn.SiLU)
    assert isinstance(
        BERT(replace(BERT_CONFIG, activation=nn.Tanh)).encoder.layers[1].feedforward.activation, nn.Tanh
    )
    x = torch.randn(B, T, D)
    assert_close(
        smooth.feedforward(x), smooth.feedforward.down_proj(nn.functional.silu(smooth.feedforward.up_proj(x)))
    )


def test_an_activation_for_a_network_that_takes_none_is_refused():
    def plain(d_model, d_ff):
        return nn.Sequential(nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model))

    for block in (EncoderBlock, DecoderBlock):
        with pytest.raises(TypeError, match=r"activation: expected None, since parts\.feedforward .* 'relu'"):
            block(D, H, 17, activation="relu", parts=Parts(feedforward=plain))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("residual", "post"),
        ("block", ParallelBlock),
        ("embedding", partial(nn.Embedding, padding_idx=0)),
        ("head", nn.Linear),
    ],
)
def test_a_part_that_a_model_would_leave_unused_is_refused(name, part):
    GPT(GPT_CONFIG, replace(GPT_CONFIG.parts(), **{name: part}))
    vit = ViTConfig(image_size=4, patch_size=2, n_channels=1, n_labels=3, d_model=D, n_heads=H, n_layers=1)
    for kind, config in (
        (BERT, BERT_CONFIG),
        (Transformer, TRANSFORMER_CONFIG),
        (ViT, vit),
    ):
        with pytest.raises(
            ValueError, match=f"parts: {name} is read by a GPT only; expected the default for Encoder, got"
        ):
            kind(config, replace(config.parts(), **{name: part}))
    with pytest.raises(
        ValueError, match=f"parts: {name} is read by a GPT only; expected the default for Decoder"
    ):
        Decoder(1, D, H, 17, parts=Parts(**{name: part}))


@pytest.mark.parametrize(
    ("config", "changes", "said"),
    [
        (
            GPT_CONFIG,
            {"rotary_base": 500.0},
            "rotary_base: expected 10000.0 where positions are 'learned', got 500",
        ),
        (TRANSFORMER_CONFIG, {"rotary_base": 9.0}, "rotary_base: .* where positions are 'sinusoidal', got 9"),
        (LLAMA_CONFIG, {"positions": "none", "rotary_base": 5e5}, "rotary_base: .* positions are 'none'"),
        (
            LLAMA_CONFIG,
            {"positions": "none", "scaling": LinearScaling(2.0)},
            "scaling: expected None where positions",
        ),
        (LLAMA_CONFIG, {"top_k": 3}, "top_k: expected 2 in a model without experts, got 3"),
    ],
)
def test_a_choice_that_nothing_would_read_is_refused(config, changes, said):
    with pytest.raises(ValueError, match=said):
        replace(config, **changes)


def test_pre_norm_by_another_name_is_none_of_these_parts():
    for residual in (pre_norm, "".join(["p", "re"])):
        Encoder(1, D, H, 17, parts=Parts(residual=residual))


def test_a_stack_ends_with_a_norm_however_pre_norm_is_named():
    for norm in ("pre", pre_norm):
        assert isinstance(Encoder(1, D, H, 17, norm=norm).final_norm, nn.LayerNorm)
    for norm in ("post", post_norm, output_norm):
        assert isinstance(Encoder(1, D, H, 17, norm=norm).final_norm, nn.Identity)


def test_a_way_of_ones_own_past_the_sublayers():
    def scaled(x, norm, sublayer):
        return x + 0.1 * sublayer(norm(x))

    block, x = drawn(EncoderBlock(D, H, 17, norm=scaled)), torch.randn(B, T, D, dtype=torch.float64)
    middle = x + 0.1 * block.attention(block.attention_norm(x))
    assert_close(block(x), middle + 0.1 * block.feedforward(block.feedforward_norm(middle)))
    model = drawn(GPT(GPT_CONFIG))
    for layer in model.layers:
        layer.norm = scaled
    assert torch.equal(generate(model, tokens(B, 4), 9), generate(model, tokens(B, 4), 9, cache=False))
    with pytest.raises(ValueError, match="norm: expected 'pre', 'post' or a function, got 'between'"):
        EncoderBlock(D, H, 17, norm="between")


def test_bert_may_stand_its_norms_before_the_sublayers():
    model = drawn(BERT(replace(BERT_CONFIG, norm="pre")))
    assert [layer.norm for layer in model.encoder.layers] == ["pre", "pre"]
    assert isinstance(model.encoder.final_norm, nn.LayerNorm)
    assert isinstance(BERT(BERT_CONFIG).encoder.final_norm, nn.Identity)


# A mask at a model's door.


def models():
    return {
        "gpt": lambda mask: drawn(GPT(GPT_CONFIG))(tokens(B, T), mask),
        "bert": lambda mask: drawn(BERT(BERT_CONFIG))(tokens(B, T), mask),
        "encoder": lambda mask: drawn(Encoder(2, D, H, 17))(numbers(B, T, D), mask),
        "decoder": lambda mask: drawn(Decoder(2, D, H, 17))(numbers(B, T, D), numbers(B, S, D), mask),
    }


@pytest.mark.parametrize("name", models())
def test_a_mask_that_could_be_meant_in_two_ways_is_refused(name, monkeypatch):
    monkeypatch.setitem(globals(), "B", T)
    run = models()[name]
    rows = torch.arange(T) < torch.tensor([7, 3, 5, 2, 6, 4, 1])[:, None]  # [B, S], and B = T
    with pytest.raises(ShapeError, match=r"mask: with B = T = 7, \[7, 7\] could be \[B, S\] or \[T, S\]"):
        run(rows)
    per_row, per_query = run(rows[:, None, :]), run(rows[None])
    assert not torch.allclose(per_row, per_query)
    monkeypatch.setitem(globals(), "B", 2)
    assert_close(models()[name](rows), models()[name](rows[None]))  # no doubt: [T, S]


def test_the_masks_of_a_translator_are_named():
    model, x, y = drawn(Transformer(TRANSFORMER_CONFIG)), tokens(S, S), tokens(S, S, seed=1)
    square = torch.ones(S, S, dtype=torch.bool)
    with pytest.raises(ShapeError, match="source_mask: with B = T = 5"):
        model(x, y, square)
    with pytest.raises(ShapeError, match="target_mask: with B = T = 5"):
        model(x, y, None, square)
    with pytest.raises(TypeError, match="target_mask: expected a boolean tensor"):
        model(x, y, None, square[None].float())
    with pytest.raises(ShapeError, match=r"source_mask: .* got \[5, 1, 4\]"):
        model(x, y, torch.ones(S, 1, S - 1, dtype=torch.bool))


@pytest.mark.parametrize("name", models())
def test_a_mask_is_joined_and_opened_once_for_all_layers(name, monkeypatch):
    opened = []
    monkeypatch.setattr(torch, "atleast_2d", lambda x, real=torch.atleast_2d: opened.append(1) or real(x))
    mask = padding_mask(torch.tensor([7, 3, 5]))
    models()[name](mask)
    assert opened == [1]


def test_a_sight_is_the_mask_it_was_made_of():
    mask = torch.rand(B, 1, T, T, generator=torch.Generator().manual_seed(1)) < 0.4
    mask[0, 0, 3] = False
    layer, x = drawn(MultiHeadAttention(D, H)), torch.randn(B, T, D, dtype=torch.float64)
    for causal in (False, True):
        made = masks_module.sight(mask, T, T, causal=causal)
        assert masks_module.sight(made, T, T, causal=causal) is made
        expected = layer(x, mask=mask, causal=causal)
        assert_close(layer(x, mask=made, causal=causal), expected)
        assert_close(layer(x, mask=made), expected)
        ruled = masks_module.sight(made, T, T, rule=partial(window, width=3))
        assert_close(layer(x, mask=ruled), layer(x, mask=mask & window(T, T, width=3), causal=True))


# Taps.


def test_every_number_of_a_block_has_a_name():
    model, x = drawn(GPT(GPT_CONFIG)), tokens(B, T)
    with record(model) as heard:
        logits = model(x)
    assert all(len(passed) == 1 for passed in heard.values())
    one = {path: passed[0] for path, passed in heard.items()}
    assert_close(one["embedded"], model.positions(model.token_embedding(x)))
    stream = one["embedded"]
    for i, layer in enumerate(model.layers):
        at = {path.removeprefix(f"layers.{i}."): passed for path, passed in one.items()}
        attention, normed = layer.attention, layer.attention_norm(stream)
        for name, proj in (
            ("queries", attention.q_proj),
            ("keys", attention.k_proj),
            ("values", attention.v_proj),
        ):
            assert_close(at[f"attention.{name}"], proj(normed).view(B, T, H, D // H).transpose(1, 2))
        q, k, v = (at[f"attention.{name}"] for name in ("queries", "keys", "values"))
        assert_close(at["attention.scores"], q @ k.mT * (D // H) ** -0.5)
        hidden = at["attention.scores"].masked_fill(~causal_mask(T), -torch.inf)
        assert_close(at["attention.weights"], hidden.softmax(-1))
        assert_close(at["attention.context"], at["attention.weights"] @ v)
        out = attention.out_proj(at["attention.context"].transpose(1, 2).flatten(2))
        assert_close(at["attention.output"], out)
        middle = stream + out
        up = layer.feedforward.activation(layer.feedforward.up_proj(layer.feedforward_norm(middle)))
        assert_close(at["feedforward.hidden"], up)
        assert_close(at["feedforward.output"], layer.feedforward.down_proj(up))
        stream = middle + at["feedforward.output"]
        assert_close(at["stream"], stream)
    assert_close(logits, model.lm_head(model.final_norm(stream)))
    assert_close(model(x), logits)


TAPS = ["queries", "keys", "values", "scores", "weights", "context", "output"]


@pytest.mark.parametrize("tap", TAPS)
def test_the_fused_kernel_steps_aside_only_for_what_it_does_not_form(tap, monkeypatch):
    fused = []
    real = unrolled.nn.functional.scaled_dot_product_attention
    monkeypatch.setattr(
        "unrolled.nn.functional.scaled_dot_product_attention",
        lambda *a, **k: fused.append(1) or real(*a, **k),
    )
    layer, x = drawn(MultiHeadAttention(D, H)), torch.randn(B, T, D, dtype=torch.float64)
    expected = layer(x)
    with record(layer, tap) as heard:
        assert_close(layer(x), expected)
    assert len(heard[tap]) == 1
    assert len(fused) == (1 if tap in ("scores", "weights") else 2)


@pytest.mark.parametrize("tap", TAPS)
@pytest.mark.parametrize("causal", [False, True])
def test_what_is_edited_at_a_tap_goes_on_from_there(tap, causal):
    layer, x = drawn(MultiHeadAttention(D, H)), torch.randn(B, T, D, dtype=torch.float64)
    getattr(layer, tap).register_forward_hook(lambda module, given, output: 0 * output)
    with record(layer) as heard:
        edited = layer(x, causal=causal)
    assert_close(layer(x, causal=causal), edited)
    allowed = causal_mask(T) if causal else torch.ones(T, T, dtype=torch.bool)
    even = allowed.double() / allowed.sum(-1, keepdim=True)
    if tap in ("queries", "keys", "scores"):
        expected = layer.out_proj(even @ layer.v_proj(x))
    else:
        expected = torch.zeros(B, T, D).double() if tap == "output" else layer.out_proj.bias.expand(B, T, D)
    assert_close(edited, expected)
    assert heard["weights"][0].shape == (B, H, T, T)


def test_scores_that_were_heard_stay_as_they_were():
    layer, x = drawn(MultiHeadAttention(D, H)), torch.randn(B, T, D, dtype=torch.float64)
    for gradients in (False, True):
        with torch.set_grad_enabled(gradients), record(layer, "scores", "weights") as heard:
            layer(x, causal=True)
        assert heard["scores"][0].isfinite().all()
        hidden = heard["scores"][0].masked_fill(~causal_mask(T), -torch.inf)
        assert_close(heard["weights"][0], hidden.softmax(-1))


def test_several_patterns_at_once():
    model = drawn(GPT(GPT_CONFIG))
    with record(model, "*.stream", "layers.0.attention.w*") as heard:
        model(tokens(B, T))
    assert list(heard) == ["layers.0.stream", "layers.0.attention.weights", "layers.1.stream"]
    with (
        pytest.raises(LookupError, match=r"no tap matches '\*.nothing'"),
        record(model, "*.stream", "*.nothing"),
    ):
        pass


def test_a_step_with_an_own_part_calls_it():
    parts = replace(GPT_CONFIG.parts(), norm=Scaled, feedforward=partial(FeedForward, activation=nn.SiLU))
    model = drawn(GPT(GPT_CONFIG, parts))
    cache = DecoderCache(2, 13)
    assert lean(model, cache, call=model) is not model
    assert lean(model.layers[0].attention_norm) is model.layers[0].attention_norm
    assert all(not tap.listening for tap in model.modules() if isinstance(tap, Tap))
    beam, _ = beam_search(drawn(Transformer(TRANSFORMER_CONFIG)), tokens(B, S), bos=1, eos=2, max_len=7)
    assert beam.shape[:2] == (B, 4)


def test_parts_with_the_options_of_a_configuration():
    parts = make_parts(norm_eps=0.125, bias=False, activation="relu", n_kv_heads=1)
    block = EncoderBlock(D, H, 17, parts=parts)
    assert block.attention_norm.eps == block.feedforward_norm.eps == 0.125
    assert not [name for name, _ in block.named_parameters() if "bias" in name]
    assert block.attention.n_kv_heads == 1
    assert isinstance(block.feedforward.activation, nn.ReLU)
