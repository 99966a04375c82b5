"""The page on `look`: its live pictures say what the course's models say, over http and from disk."""

import torch
from playwright.sync_api import Locator, Page, expect

from unrolled import look
from unrolled.data.special_tokens import SPECIAL
from unrolled.data.tales import pieces
from unrolled.nn import GPT, Transformer
from unrolled.tap import record
from unrolled.training.stored import stored

TEXT = "Once upon a time there were three bears, who lived together in a house of their own"


def opened(page: Page, where: str, title: str) -> Locator:
    page.goto(f"{where}look.html")
    return page.locator(".unrolled-widget").filter(has=page.get_by_role("group", name=title, exact=True))


def tabled(widget: Locator) -> list[list[str]]:
    rows = widget.locator(".unrolled-fallback tbody tr")
    return [row.locator("td").all_inner_texts() for row in rows.all()]


def test_the_gpts_pieces_are_joined_as_they_should_be(page: Page, where: str) -> None:
    model, tokenizer = stored("gpt-tales").model, pieces()
    assert isinstance(model, GPT)
    ids = tokenizer.encode(TEXT)
    with torch.no_grad(), record(model, "layers.3.attention.weights") as heard:
        model(torch.tensor([ids]))
    (weights,) = heard["layers.3.attention.weights"]
    head = weights[0, 1].double()
    words: list[list[int]] = []  # each piece that begins with a space, and the comma, begins a word
    for i, one in enumerate(ids):
        if i == 0 or tokenizer.token(one)[0] in " ,":
            words.append([])
        words[-1].append(i)
    joined = torch.stack([head[:, group].sum(1) for group in words], 1)
    joined = torch.stack([joined[group].mean(0) for group in words])
    widget = opened(page, where, "A GPT that has read tales")
    widget.get_by_role("button", name="layer 3, head 1").click()
    widget.get_by_role("button", name="Show as a table").click()
    assert tabled(widget) == [[f"{x:.3f}" for x in row] for row in joined.tolist()]


def test_the_translators_cross_attention_is_what_its_taps_hear(page: Page, where: str) -> None:
    trained = stored("three-bears")
    model, task = trained.model, trained.recipe.task()
    assert isinstance(model, Transformer)
    source = [*task.source_tokenizer.encode("she bears the pain"), SPECIAL.eos]
    target = [SPECIAL.bos, *task.target_tokenizer.encode("ella soporta el dolor")]
    with torch.no_grad(), record(model, "decoder.layers.1.cross_attention.weights") as heard:
        model(torch.tensor([source]), torch.tensor([target]))
    ((weights,),) = heard.values()
    widget = opened(page, where, "Three bears, translated")
    expect(widget.get_by_label("Attention", exact=True)).to_have_value("2")
    widget.get_by_label("Layer", exact=True).select_option("layer 1")
    widget.get_by_role("button", name="layer 1, head 3").click()
    widget.get_by_role("button", name="Show as a table").click()
    assert tabled(widget) == [[f"{x:.3f}" for x in row] for row in weights[0, 3].double().tolist()]
    expect(widget.locator(".u-gaze-notes")).to_contain_text("The decoder wrote by itself")


def test_the_picture_kept_is_the_head_the_page_names() -> None:
    it = look(stored("gpt-tales").model, pieces(), TEXT, join=True, layers=[1, 3], digits=2)
    assert it.attentions[0]["layers"] == ["layer 1", "layer 3"]
    it.view, it.layer, it.head = "head", 1, 1
    assert "layer 3, head 1" in it.to_svg()
