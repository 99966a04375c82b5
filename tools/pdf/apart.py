"""What a reader wants to find out first goes to the end: hints, solutions, and the answers of the quizzes."""

from copy import deepcopy
from dataclasses import dataclass, field

from lxml.html import HtmlElement
from lxml.html.builder import E

from .pages import classes, page_of
from .site import PdfError, text_of

__all__ = ["Apart", "take_apart", "unfold"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass
class Apart:
    """What was taken from the chapters: by its kind, and within that by chapter."""

    hints: dict[str, list[HtmlElement]] = field(default_factory=dict)
    solutions: dict[str, list[HtmlElement]] = field(default_factory=dict)
    answers: dict[str, list[HtmlElement]] = field(default_factory=dict)

    def sections(self, deeper: int) -> list[tuple[str, str, HtmlElement]]:
        """Return for each kind there is its id, its title, and a section with all of it.

        Args:
            deeper: by how many levels its headings go down.
        """
        kinds = [
            ("hints", "Hints", self.hints),
            ("solutions", "Solutions", self.solutions),
            ("answers", "Answers to the questions", self.answers),
        ]
        made = []
        for id_, title, chapters in kinds:
            whole = E.article(
                E(f"h{1 + deeper}", title), {"class": "chapter deeper" if deeper else "chapter", "id": id_}
            )
            for number, (chapter, entries) in enumerate(chapters.items()):
                heading = E(f"h{2 + deeper}", chapter)
                whole.append(E.section(heading, *entries, id=f"{id_}.{number}"))
            if chapters:
                made.append((id_, title, whole))
        return made


def unfold(chapter: HtmlElement) -> None:
    """Open what is folded on a screen: code without the line that opens it, asides beneath their title."""
    for fold in chapter.xpath(f".//details[{classes('hide')}]"):
        fold.remove(fold.find("summary"))
        fold.tag = "div"
        fold.set("class", "unfolded")
    for fold in chapter.xpath(f".//details[not({classes('quiz-choice')})]"):
        if (summary := fold.find("summary")) is not None:
            summary.tag = "p"
            summary.set("class", "box-title")
        fold.tag = "div"
        fold.set("class", "admonition aside")


def take_apart(chapter: HtmlElement, title: str, apart: Apart) -> None:
    """Move hints, solutions and answers of `chapter` into `apart`, and lay links to them and back.

    Args:
        chapter: a section of the document; its ids are those of the document.
        title: its title, under which its entries stand.
        apart: takes what is moved.

    Raises:
        PdfError: a hint or a solution belongs to no exercise.
    """
    for kind, taken in (("Hint", apart.hints), ("Solution", apart.solutions)):
        # What follows an exercise belongs to it; the element itself says nothing of that.
        for fold in chapter.xpath(f".//details[{classes('sd-dropdown')}][normalize-space(summary)='{kind}']"):
            exercises = fold.xpath(f"preceding::div[{classes('exercise')}][1]")
            if not exercises or not exercises[0].get("id"):
                raise PdfError(
                    f"{title}: expected an exercise with a label before a fold named {kind!r}, found none"
                )
            _move(fold, kind, exercises[0], taken.setdefault(title, []))
    for number, quiz in enumerate(chapter.xpath(f".//section[{classes('quiz')}]"), 1):
        quiz.set("id", quiz.get("id") or f"{chapter.get('id')}.quiz-{number}")
        apart.answers.setdefault(title, []).append(_answer(quiz))


def _move(fold: HtmlElement, kind: str, exercise: HtmlElement, taken: list[HtmlElement]) -> None:
    """Make an entry of `fold`, and let the exercise say on which page it stands."""
    id_ = f"{kind.lower()}.{exercise.get('id')}"
    name = text_of(exercise.find("p[@class='admonition-title']"))
    where = exercise.find("p[@class='where']")
    if where is None:
        where = E.p({"class": "where"})
        exercise.append(where)
    for before in where[-1:]:
        before.tail = " · "
    where.append(page_of(id_, f"{kind}: page "))
    body = fold.xpath(f"./div[{classes('sd-summary-content')}]")[0]
    entry = E.div(
        E.p(page_of(exercise.get("id"), f"{name}, page "), {"class": "answer-title"}),
        {"class": "answer", "id": id_},
    )
    entry.extend(list(body))
    taken.append(entry)
    fold.drop_tree()


def _answer(quiz: HtmlElement) -> HtmlElement:
    """Return the entry with the answers of `quiz`, which keeps its question and what one may choose."""
    id_ = quiz.get("id")
    question = quiz.xpath(f"./div[{classes('quiz-question')}]")[0]
    asked = deepcopy(question)
    for element in asked.xpath(".//*[@id]"):
        del element.attrib["id"]
    title = E.p(page_of(id_, "Question on page "), {"class": "answer-title"})
    entry = E.div(title, asked, {"class": "answer", "id": f"answer.{id_}"})
    choices, answers = E.ol({"class": "choices"}), E.ol({"class": "choices"})
    for choice in quiz.xpath(f"./details[{classes('quiz-choice')}]"):
        summary, feedback = choice.find("summary"), choice.xpath(f"./div[{classes('quiz-feedback')}]")[0]
        summary.tag = "li"
        choices.append(summary)
        feedback.tag = "li"
        answers.append(feedback)
        choice.drop_tree()
    entry.append(answers)
    quiz.append(choices)
    quiz.append(E.p(page_of(f"answer.{id_}", "Answer: page "), {"class": "where"}))
    return entry
