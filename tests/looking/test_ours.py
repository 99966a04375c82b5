"""What our own models attend to is what their taps hear."""

import re
from typing import Any

import pytest
import torch

from unrolled import look
from unrolled.data.special_tokens import SPECIAL
from unrolled.data.tokenizers import BytePairs, Words
from unrolled.nn import (
    BERT,
    GPT,
    BertConfig,
    GPTConfig,
    LlamaConfig,
    Seq2Seq,
    Seq2SeqConfig,
    Transformer,
    TransformerConfig,
    ViT,
    ViTConfig,
)
from unrolled.tap import record

WORDS = Words(["i", "love", "bears", "she", "the", "pain", "won", "game"])
OTHERS = Words(["yo", "amo", "los", "osos", "ella", "el", "dolor"])
TEXT, OTHER = "i love the bears", "yo amo los osos"


def loud(model: Any) -> Any:
    """Return a model whose weights are far from even, and which says if it was left in another mode."""
    torch.manual_seed(7)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model.train()


def heard(model: Any, pattern: str, *inputs: torch.Tensor) -> torch.Tensor:
    with record(model, pattern) as taps, torch.no_grad():
        model.eval()(*inputs)
    return torch.stack([calls[0][0] for calls in taps.values()])


def ids(words: Words, text: str) -> list[int]:
    return words.encode(text)


def same(shown: Any, k: int, maps: torch.Tensor) -> bool:
    return bool(abs(shown.weights(k) - maps.double().numpy()).max() <= 0.5e-3 + 1e-9)


MODELS = {
    "GPT": lambda: GPT(GPTConfig(WORDS.vocab_size, 11, 6, 2, 3)),
    "BERT": lambda: BERT(BertConfig(WORDS.vocab_size, 11, 6, 2, 3)),
    "Llama": lambda: GPT(LlamaConfig(WORDS.vocab_size, 11, 12, 2, 3, d_ff=17, n_kv_heads=1)),
}


@pytest.mark.parametrize("name", MODELS)
def test_one_stack(name: str) -> None:
    model = loud(MODELS[name]())
    shown = look(model, WORDS, TEXT)
    assert model.training
    assert shown.title == type(model).__name__
    assert shown.attentions[0]["tokens"] == TEXT.split()
    assert same(shown, 0, heard(model, "*.weights", torch.tensor([ids(WORDS, TEXT)])))


def test_an_encoder_without_a_head_and_a_batch() -> None:
    model = loud(BERT(BertConfig(WORDS.vocab_size, 11, 6, 2, 3, mlm_head=False)))
    shown = look(model, WORDS, [TEXT, "she won"])
    assert [one["tokens"] for one in shown.attentions] == [TEXT.split(), ["she", "won"]]


def test_encoder_and_decoder() -> None:
    model = loud(Transformer(TransformerConfig(WORDS.vocab_size, OTHERS.vocab_size, 13, 6, 2, 3, 5)))
    shown = look(model, (WORDS, OTHERS), TEXT, OTHER)
    source, target = [*ids(WORDS, TEXT), SPECIAL.eos], [SPECIAL.bos, *ids(OTHERS, OTHER)]
    given = torch.tensor([source]), torch.tensor([target])
    assert [one["name"] for one in shown.attentions] == [
        "encoder self-attention", "decoder self-attention", "cross-attention",
    ]  # fmt: skip
    for k, of in enumerate(
        (
            "encoder.layers.*.attention.weights",
            "decoder.layers.*.attention.weights",
            "*.cross_attention.weights",
        )
    ):
        assert same(shown, k, heard(model, of, *given)), of
    assert shown.attentions[2]["tokens"] == ["<bos>", *OTHER.split()]
    assert shown.attentions[2]["keys"] == [*TEXT.split(), "<eos>"]
    hidden = look(model, (WORDS, OTHERS), TEXT, OTHER, special=False)
    assert (hidden.weights(2) == shown.weights(2)[..., 1:, :-1]).all()


@pytest.mark.parametrize("score", ["dot", "additive"])
def test_a_recurrent_translator_has_the_one_that_crosses(score: str) -> None:
    model = loud(Seq2Seq(Seq2SeqConfig(WORDS.vocab_size, OTHERS.vocab_size, 7, 10, score=score)))
    shown = look(model, (WORDS, OTHERS), TEXT)
    (one,) = shown.attentions
    assert one["name"] == "cross-attention"
    written = [OTHERS.index.get(word, OTHERS.tokens.index(word)) for word in one["tokens"]]
    given = torch.tensor([[*ids(WORDS, TEXT), SPECIAL.eos]]), torch.tensor([written])
    assert same(shown, 0, heard(model, "weights", *given)[None])
    logits = model(*given)[0]
    assert [int(x.argmax()) for x in logits[:-1]] == written[1:]


def test_a_picture() -> None:
    model = loud(ViT(ViTConfig(6, 2, 3, 5, 8, 2, 3)))
    picture = torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(1))
    shown = look(model, None, picture)
    assert shown.attentions[0]["tokens"][:3] == ["class", "row 0, column 0", "row 0, column 1"]
    assert same(shown, 0, heard(model, "*.weights", picture[None]))
    with pytest.raises(TypeError, match=r"text: expected a picture \[C, H, W\] for a ViT, got str"):
        look(model, None, "bears")


def test_byte_pairs_are_joined_to_words() -> None:
    pieces = BytePairs.train(["i love bears, unbearable bears", "love bears"], vocab_size=271)
    model = loud(GPT(GPTConfig(pieces.vocab_size, 31, 6, 2, 3)))
    assert look(model, pieces, "i love unbears, bears", join=True).attentions[0]["tokens"] == [
        "i", "love", "unbears", ",", "bears",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tokenizer", "text", "second", "error", "said"),
    [
        (
            None,
            TEXT,
            None,
            TypeError,
            "tokenizer: expected the model's own, with encode, decode and token, got NoneType",
        ),
        (len, TEXT, None, TypeError, "tokenizer: expected the model's own, with encode, decode and token"),
        (WORDS, "", None, ValueError, "text: expected at least one token, got ''"),
        (WORDS, TEXT, OTHER, ValueError, "second_text: expected none, since GPT reads one text"),
        (
            WORDS,
            "i " * 13,
            None,
            ValueError,
            "text: expected at most 11 tokens, all that the model sees, got 13: 2 too many",
        ),
    ],
)
def test_bad_input_is_told_what_was_expected(
    tokenizer: Any, text: str, second: str | None, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=re.escape(said)):
        look(MODELS["GPT"](), tokenizer, text, second)


def test_three_tokenizers_are_too_many() -> None:
    model = Transformer(TransformerConfig(WORDS.vocab_size, OTHERS.vocab_size, 13, 6, 2, 3))
    with pytest.raises(ValueError, match="tokenizer: expected one, or those of source and target, got 3"):
        look(model, (WORDS, WORDS, OTHERS), TEXT, OTHER)
