"""The playground asked for two things at once: what is asked for last is what is shown."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.widgets.every import settle
from tests.widgets.playgrounds import small_playground

# The first number of a strip, as by keyboard.
READ = "document.querySelector('.u-pg-strip-row').click();"
# Both before the model answers the first.
TYPE_AND_READ = f"""(typed) => {{
    const text = document.querySelector(".u-playground textarea");
    text.value = typed;
    text.dispatchEvent(new Event("input", {{ bubbles: true }}));
    {READ}
}}"""
RESET = """() => {
    [...document.querySelectorAll("button")].find((one) => one.textContent === "Reset").click();
    const left = document.querySelectorAll(".u-pg-numbers").length;
    dispatchEvent(new Event("beforeprint"));
    return left;
}"""


def test_a_strip_that_is_read_while_the_model_reads_a_text_does_not_take_its_place(
    page: Page, mount: Callable[..., None]
) -> None:
    mount(page, small_playground())
    settle(page)
    way, panel = page.locator(".u-pg-flow .u-target").first, page.locator(".u-pg-numbers")
    page.evaluate(READ)  # the model is there now, and the picture still that of the prepared numbers
    settle(page)
    panel.get_by_role("button", name="Close", exact=True).click()
    before = way.text_content()
    assert before
    page.evaluate(TYPE_AND_READ, "Bears won the game")
    expect(way).not_to_have_text(before)
    settle(page)
    shown, read = way.text_content(), panel.text_content()
    # The same, one after the other.
    mount(page, small_playground())
    page.get_by_role("textbox", name="Your text").fill("Bears won the game")
    expect(way).not_to_have_text(before)
    settle(page)
    page.evaluate(READ)
    settle(page)
    assert (way.text_content(), panel.text_content()) == (shown, read)


def test_a_panel_goes_with_the_number_it_reads(page: Page, mount: Callable[..., None]) -> None:
    """Its slider, its button and the table on paper would ask for a number that nobody reads any more."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    mount(page, small_playground())
    settle(page)
    page.evaluate(READ)
    settle(page)
    assert page.locator(".u-pg-numbers").count() == 1
    assert page.evaluate(RESET) == 0
    settle(page)
    assert wrong == []
