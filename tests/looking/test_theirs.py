"""What six architectures of `transformers` attend to is what the page says, to the digit."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect

from tests.looking.models import LONGEST, MODELS, make
from unrolled import look

TEXT = "she bears unbearable pain, i love bears!"
SHORT = "bears won the game"


def asked(model: Any, tokenizer: Any, text: str, second: str | None = None) -> dict[str, torch.Tensor]:
    """Ask a model for its attentions ourselves; a second text is what its decoder reads."""
    inputs = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    if second is not None:
        start = model.config.decoder_start_token_id
        kept = tokenizer(second, add_special_tokens=False)["input_ids"]
        if tokenizer.bos_token_id is not None:  # BART's labels begin with one
            kept = [tokenizer.bos_token_id, *kept]
        inputs["decoder_input_ids"] = torch.tensor([[start, *kept]])
    with torch.no_grad():
        out = model.eval()(**inputs, output_attentions=True)
    names = {
        "self-attention": "attentions",
        "encoder self-attention": "encoder_attentions",
        "decoder self-attention": "decoder_attentions",
        "cross-attention": "cross_attentions",
    }
    return {name: torch.stack(out[of])[:, 0] for name, of in names.items() if out.get(of)}


def digits(map_: torch.Tensor, count: int = 3) -> list[list[str]]:
    return [[f"{x:.{count}f}" for x in row] for row in map_.double().tolist()]


def tabled(page: Page) -> list[list[str]]:
    return page.eval_on_selector_all(
        ".unrolled-fallback tbody tr",
        "(rows) => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent))",
    )


@pytest.mark.parametrize("name", MODELS)
def test_the_page_says_what_the_model_says(saved: Callable[..., Page], name: str) -> None:
    model, tokenizer = make(name)
    second = SHORT if model.config.is_encoder_decoder else None
    shown = look(model, tokenizer, TEXT, second)
    assert model.training  # as it was
    page = saved(shown)
    page.get_by_role("button", name="Show as a table").click()
    page.get_by_role("tab", name="One head").click()
    expected = asked(model, tokenizer, TEXT, second)
    assert [one["name"] for one in shown.attentions] == list(expected)
    for kind, maps in expected.items():
        if len(expected) > 1:
            page.get_by_label("Attention", exact=True).select_option(kind)
        layer, head = maps.shape[0] - 1, maps.shape[1] - 2
        page.get_by_label("Layer").select_option(f"layer {layer}")
        page.get_by_label("Head", exact=True).select_option(f"head {head}")
        assert tabled(page) == digits(maps[layer, head]), kind
        # One row as bars: the largest first.
        page.locator(".u-gaze-token").nth(3).click()
        row = maps[layer, head, 2].double().sort(descending=True).values
        bars = [f"{x:.3f}" for x in row.tolist() if float(f"{x:.3f}") > 0][:8]
        expect(page.locator(".u-gaze-bars .u-value")).to_have_text(bars)


@pytest.mark.parametrize("name", MODELS)
def test_a_fused_implementation_is_told_what_to_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = make(name, implementation="sdpa")
    with pytest.raises(ValueError, match=r"returned no attentions: its implementation, 'sdpa'") as told:
        look(model, tokenizer, SHORT, SHORT if model.config.is_encoder_decoder else None)
    assert 'model.set_attn_implementation("eager")' in str(told.value)
    assert 'from_pretrained(..., attn_implementation="eager")' in str(told.value)
    assert model.training


@pytest.mark.parametrize("name", [name for name in MODELS if name != "t5"])
def test_a_text_longer_than_the_model_sees_says_by_how_much(name: str) -> None:
    model, tokenizer = make(name)
    second = SHORT if model.config.is_encoder_decoder else None
    count = lambda text: len(tokenizer(text)["input_ids"])
    words = next(n for n in range(99) if count("bears " * n) > LONGEST)
    fits, over = "bears " * (words - 1), "bears " * (words + 4)
    assert look(model, tokenizer, fits, second, digits=2).attentions[0]["tokens"]
    said = f"text: expected at most {LONGEST} tokens, all that the model sees, got {count(over)}: "
    with pytest.raises(ValueError, match=f"^{said}{count(over) - LONGEST} too many$"):
        look(model, tokenizer, over, second)


def test_the_tokenizers_own_limit_counts_too() -> None:
    model, tokenizer = make("t5")
    tokenizer.model_max_length = 7
    with pytest.raises(ValueError, match="second_text: expected at most 7 tokens"):
        look(model, tokenizer, "bears", TEXT)


def test_a_pair_of_texts_and_a_batch_of_them() -> None:
    model, tokenizer = make("bert")
    pair = look(model, tokenizer, SHORT, "i love bears")
    ids = tokenizer(SHORT, "i love bears")["input_ids"]
    raw = tokenizer.convert_ids_to_tokens(ids)
    assert [t.removeprefix("##") for t in pair.attentions[0]["tokens"]] == [t.removeprefix("##") for t in raw]
    several = look(model, tokenizer, [SHORT, TEXT])
    assert [one["name"] for one in several.attentions] == ["text 1, self-attention", "text 2, self-attention"]
    for k, text in enumerate([SHORT, TEXT]):
        alone = look(model, tokenizer, text)
        assert several.attentions[k]["tokens"] == alone.attentions[0]["tokens"]
        assert (several.weights(k) == alone.weights()).all()


def test_a_decoder_that_is_told_nothing_writes_by_itself() -> None:
    model, tokenizer = make("bart")
    torch.manual_seed(1)  # it writes something
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    shown = look(model, tokenizer, SHORT)
    asks = tokenizer(SHORT, return_tensors="pt", return_token_type_ids=False)
    ids = model.eval().generate(**asks, max_new_tokens=40, do_sample=False)
    wrote = tokenizer.decode(ids[0], skip_special_tokens=True)
    assert shown.to_dict()["attentions"][1] == look(model, tokenizer, SHORT, wrote).to_dict()["attentions"][1]
    assert "The decoder wrote by itself, always the likeliest." in shown.notes


REFUSED: list[tuple[str, tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    ("bert", (None, SHORT), {}, TypeError, "tokenizer: expected the model's own, got NoneType"),
    ("bert", (len, SHORT), {}, TypeError, "tokenizer: expected the model's own, got builtin_function"),
    ("bert", ("", ), {}, ValueError, "text: expected at least one token, got ''"),
    ("gpt2", ("", ), {}, ValueError, "text: expected at least one token, got ''"),
    ("bert", (7, ), {}, TypeError, "text: expected a text, or a list of texts, got int"),
    ("bert", ([SHORT, 7], ), {}, TypeError, "text: expected texts, got int"),
    ("bert", ([], ), {}, ValueError, "text: expected at least one text, got none"),
    ("bert", ([SHORT], [SHORT, SHORT]), {}, ValueError, "second_text: expected 1, one for each text, got 2"),
    ("gpt2", (SHORT, SHORT), {}, ValueError, "second_text: expected none, since this tokenizer puts no mark"),
    ("t5", (SHORT, ""), {}, ValueError, "second_text: expected at least one token, got ''"),
    ("bert", (SHORT,), {"layers": [0, 2]}, ValueError, "layers: expected numbers from 0 to 1, got 2"),
    ("bert", (SHORT,), {"heads": [1, 1]}, ValueError,
     r"heads: expected one or more, each once, got \[1, 1\]"),
    ("bert", (SHORT,), {"heads": 1}, TypeError, r"heads: expected whole numbers such as \[0, 1\], got 1"),
    ("bert", (SHORT,), {"layers": ["0"]}, TypeError, "layers: expected whole numbers, got '0'"),
    ("bert", (SHORT,), {"digits": 7}, ValueError, "digits: expected one of 2, 3, 4, got 7"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "options", "error", "said"), REFUSED)
def test_bad_input_is_told_what_was_expected(
    name: str, given: tuple[Any, ...], options: dict[str, Any], error: type[Exception], said: str
) -> None:
    model, tokenizer = make(name)
    if given and given[0] is not None and not callable(given[0]):
        given = (tokenizer, *given)
    with pytest.raises(error, match=said):
        look(model, *given, **options)


def test_another_models_tokenizer_is_refused() -> None:
    model, _ = make("bert")
    _, tokenizer = make("gpt2")
    with pytest.raises(ValueError, match=r"tokenizer: expected ids below 61, .* is it the model's own\?"):
        look(model, tokenizer, TEXT)


def test_a_model_whose_weights_are_no_numbers_is_refused() -> None:
    model, tokenizer = make("bert")
    torch.nn.init.constant_(model.encoder.layer[1].attention.self.query.weight, float("nan"))
    with pytest.raises(ValueError, match=r"weights: expected finite numbers, got nan at \[1, 0, 0, 0\]"):
        look(model, tokenizer, SHORT)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(TypeError, match=r"model: expected one of transformers or of unrolled.nn, got Linear"):
        look(torch.nn.Linear(2, 3), None, SHORT)
