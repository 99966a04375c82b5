"""Every field of their configurations, models changed by hand: our logits are theirs, or it is refused."""

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from transformers import BertConfig, BertForMaskedLM, BertLMHeadModel, BertModel, GPT2Config, GPT2LMHeadModel

from unrolled.pretrained import WeightsError, load_bert, load_gpt2
from unrolled.pretrained.configs import BERT_FIXED, BERT_READ, GPT2_FIXED, GPT2_READ, LEFT_ASIDE
from unrolled.pretrained.read import read

GPT2 = {"vocab_size": 53, "n_positions": 23, "n_embd": 33, "n_head": 3, "n_layer": 2, "n_inner": 61}
BERT = {
    "vocab_size": 53,
    "max_position_embeddings": 23,
    "hidden_size": 33,
    "num_attention_heads": 3,
    "num_hidden_layers": 2,
    "intermediate_size": 61,
}
ENDS = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": None}
X = torch.randint(53, (5, 19), generator=torch.Generator().manual_seed(0))

# Another value for each field of theirs. A field that transformers adds is missing here, and the test is red.
BOTH = {
    "_name_or_path": "somebody/something",
    "add_cross_attention": True,
    "architectures": ["Something"],
    "bos_token_id": 7,
    "chunk_size_feed_forward": 19,
    "dtype": "bfloat16",
    "eos_token_id": 7,
    "id2label": {0: "a", 1: "b", 2: "c"},
    "initializer_range": 0.5,
    "is_encoder_decoder": True,
    "label2id": {"a": 0, "b": 1},
    "output_attentions": True,
    "output_hidden_states": True,
    "pad_token_id": 7,
    "problem_type": "regression",
    "return_dict": False,
    "tie_word_embeddings": False,
    "transformers_version": "4.0.0",
    "use_cache": False,
    "vocab_size": 59,
}
CHANGES = {
    "gpt2": BOTH
    | {
        "activation_function": "relu",
        "attn_pdrop": 0.7,
        "embd_pdrop": 0.7,
        "layer_norm_epsilon": 0.3,
        "n_embd": 39,
        "n_head": 11,
        "n_inner": None,
        "n_layer": 3,
        "n_positions": 29,
        "reorder_and_upcast_attn": True,
        "resid_pdrop": 0.7,
        "scale_attn_by_inverse_layer_idx": True,
        "scale_attn_weights": False,
        "summary_activation": "tanh",
        "summary_first_dropout": 0.7,
        "summary_proj_to_labels": False,
        "summary_type": "mean",
        "summary_use_proj": False,
    },
    "bert": BOTH
    | {
        "attention_probs_dropout_prob": 0.7,
        "classifier_dropout": 0.7,
        "hidden_act": "relu",
        "hidden_dropout_prob": 0.7,
        "hidden_size": 39,
        "intermediate_size": 67,
        "is_decoder": True,
        "layer_norm_eps": 0.3,
        "max_position_embeddings": 29,
        "num_attention_heads": 11,
        "num_hidden_layers": 3,
        "type_vocab_size": 5,
    },
}
# What our model cannot do though the field is read.
REFUSED = {"gpt2": set(GPT2_FIXED), "bert": {*BERT_FIXED, "tie_word_embeddings"}}
FIELDS = [
    (kind, name)
    for kind, config in (("gpt2", GPT2Config), ("bert", BertConfig))
    for name in config().to_dict()
    if name != "model_type"
]


def spread(model: nn.Module) -> nn.Module:
    """Its own start leaves biases at zero, where a bias that was lost would not show."""
    torch.manual_seed(5)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.3)
    return model.eval()


def gpt2(**changes: object) -> GPT2LMHeadModel:
    return spread(GPT2LMHeadModel(GPT2Config(**(GPT2 | ENDS | changes))))


def bert(**changes: object) -> BertForMaskedLM:
    return spread(BertForMaskedLM(BertConfig(**(BERT | ENDS | changes))))


def load(model):
    return load_gpt2(model) if model.config.model_type == "gpt2" else load_bert(model)


@torch.no_grad()
def logits(theirs):
    theirs.config.return_dict = True  # their GPT-2 cannot run without
    return theirs(X).logits


@torch.no_grad()
def same(ours, theirs):
    expected = logits(theirs)
    assert_close(ours(X), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize(
    ("config", "read", "fixed"), [(GPT2Config, GPT2_READ, GPT2_FIXED), (BertConfig, BERT_READ, BERT_FIXED)]
)
def test_every_field_of_theirs_is_read_fixed_or_left_aside_for_a_reason(config, read, fixed):
    assert set(config().to_dict()) <= read | set(fixed) | set(LEFT_ASIDE)
    assert not read & set(fixed)
    assert not read & set(LEFT_ASIDE)
    assert all(LEFT_ASIDE.values())


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_changed_field_gives_their_logits_or_is_refused_by_name(kind, name):
    change = {name: CHANGES[kind][name]}
    if kind == "bert" and name == "add_cross_attention":
        change["is_decoder"] = True  # theirs has no other
    theirs = (gpt2 if kind == "gpt2" else bert)(**change)
    if name in REFUSED[kind]:
        with pytest.raises(WeightsError, match=f"{name}|is_decoder" if len(change) > 1 else name):
            load(theirs)
    else:
        same(load(theirs), theirs)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("make", [gpt2, bert])
def test_their_ways_to_attend_are_one(make, attention):
    theirs = make(attn_implementation=attention)
    assert theirs.config._attn_implementation == attention
    same(load(theirs), theirs)


def test_a_field_that_is_none_of_theirs_is_refused():
    """With is_causal=False their GPT-2 looks ahead, though its configuration lists no such field."""
    blind, seeing = gpt2(), gpt2(is_causal=False)
    assert not torch.allclose(logits(blind)[:, 0], logits(seeing)[:, 0], atol=1e-2)
    with pytest.raises(WeightsError, match="expected is_causal=True, got False"):
        load_gpt2(seeing)
    with pytest.raises(WeightsError, match="is_causal=False, got True"):
        load_bert(bert(is_causal=True))
    with pytest.raises(WeightsError, match=r"not known here .*: new_trick=False; if they do not, delete"):
        load_gpt2(gpt2(new_trick=False))
    same(load(gpt2(new_trick=None)), blind)


def test_a_bert_that_decodes_is_refused():
    theirs = spread(BertLMHeadModel(BertConfig(**(BERT | ENDS | {"is_decoder": True}))))
    with pytest.raises(WeightsError, match="expected is_decoder=False, got True"):
        load_bert(theirs)


def test_an_encoder_has_nothing_to_tie():
    theirs = spread(BertModel(BertConfig(**(BERT | {"tie_word_embeddings": False}))))
    assert_close(load_bert(theirs).encode(X), theirs(X).last_hidden_state, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dropped", ["embd_pdrop", "resid_pdrop", "attn_pdrop"])
def test_each_of_three_dropouts_in_training(dropped):
    """Shares of 0 and 1 leave nothing to chance."""
    settings = dict.fromkeys(["embd_pdrop", "resid_pdrop", "attn_pdrop"], 0.0) | {dropped: 1.0}
    theirs = gpt2(**settings)
    ours = load_gpt2(theirs)
    same(ours, theirs)
    same(ours.train(), theirs.train())
    still = logits(theirs.eval())
    assert not torch.allclose(logits(theirs.train()), still, atol=1e-2)


@pytest.mark.parametrize("dropped", ["hidden_dropout_prob", "attention_probs_dropout_prob"])
def test_each_of_two_dropouts_in_training(dropped):
    settings = dict.fromkeys(["hidden_dropout_prob", "attention_probs_dropout_prob"], 0.0) | {dropped: 1.0}
    theirs = bert(**settings)
    ours = load_bert(theirs)
    same(ours, theirs)
    same(ours.train(), theirs.train())


@pytest.mark.parametrize("make", [gpt2, bert])
def test_a_model_in_training_comes_out_ready_to_use(make):
    theirs = make()
    ours = load(theirs.train())
    assert not ours.training
    assert theirs.training
    same(ours, theirs.eval())


@pytest.mark.parametrize("make", [gpt2, bert])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_half_precision_is_widened_and_double_kept(make, dtype):
    theirs = make().to(dtype)
    ours = load(theirs)
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    assert {weight.dtype for weight in ours.parameters()} == {wide}
    same(ours, theirs.to(wide))


def test_double_precision_loses_nothing():
    theirs = gpt2().double()
    for weight in theirs.parameters():
        nn.init.normal_(weight, std=0.3)
    assert_close(load_gpt2(theirs)(X).detach(), logits(theirs), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("make", [gpt2, bert])
def test_more_words_than_before(make):
    theirs = make()
    theirs.resize_token_embeddings(61)
    same(load(theirs), theirs)


@pytest.mark.parametrize("make", [gpt2, bert])
def test_untied_by_hand(make):
    theirs = make()
    output = theirs.get_output_embeddings()
    output.weight = nn.Parameter(output.weight.detach().clone())
    same(load(theirs), theirs)  # another tensor, the same numbers
    with torch.no_grad():
        output.weight[7, 11] += 1
    with pytest.raises(WeightsError, match=r"tie_word_embeddings says that \S+\.weight is token_embedding"):
        load(theirs)


def test_a_bias_of_its_own_by_hand():
    theirs = bert(tie_word_embeddings=True)
    predictions = theirs.cls.predictions
    predictions.bias = nn.Parameter(predictions.bias.detach().clone() + 1)
    with pytest.raises(WeightsError, match=r"one tensor for head\.decoder\.bias, got two that differ"):
        load_bert(theirs)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda model: setattr(model.transformer.drop, "p", 0.5), r"drop: expected Dropout\(p=0\.1"),
        (lambda model: setattr(model.transformer.ln_f, "eps", 0.1), r"ln_f: expected LayerNorm"),
        (
            lambda model: setattr(model.transformer.h[1].mlp, "act", nn.ReLU()),
            r"h\.1\.mlp\.act: expected NewGELU",
        ),
        (lambda model: setattr(model, "lm_head", nn.Linear(33, 53)), "lm_head: expected Linear.*bias=False"),
        (lambda model: model.transformer.h.append(copy.deepcopy(model.transformer.h[0])), r"layers\.2\."),
    ],
)
def test_a_module_changed_by_hand(change, said):
    theirs = gpt2()
    change(theirs)
    with pytest.raises(WeightsError, match=said):
        load_gpt2(theirs)


def test_a_model_without_weights_and_one_in_whole_numbers():
    with torch.device("meta"):
        empty = GPT2LMHeadModel(GPT2Config(**GPT2 | ENDS))
    with pytest.raises(WeightsError, match="expected a model with weights, got one on the meta device"):
        load_gpt2(empty)
    whole = gpt2()
    whole.transformer.wpe.weight = nn.Parameter(torch.ones(23, 33, dtype=torch.int8), requires_grad=False)
    with pytest.raises(
        WeightsError, match=r"positions\.table\.weight, expected floating-point .* torch\.int8"
    ):
        load_gpt2(whole)


@pytest.mark.parametrize("make", [gpt2, bert])
def test_a_look_at_a_model_draws_no_random_number(make):
    theirs = make()
    before = torch.get_rng_state()
    read(theirs)
    assert torch.equal(torch.get_rng_state(), before)
