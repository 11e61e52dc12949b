"""All questions of the guided lab as a list: to choose one, or to stand beside it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.style import Style
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from difftui.experiments.questions import QUESTIONS, Question
from difftui.experiments.questions.sheet import count_text, mark_of
from difftui.ui.list_window import ListWindow
from difftui.ui.window import hints
from difftui.worksheet import Notes

__all__ = ["QuestionList", "contents"]

LEGEND = "P predict first · p predicted · m measured · ✓ answered"


class QuestionList(ListWindow[int]):
    """The list. It closes with the place of the question that was chosen, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,g,q", "dismiss(None)", "Close", show=False),
    ]
    DEFAULT_CSS = """
    QuestionList > Vertical { width: 62; }
    QuestionList OptionList { max-height: 90vh; }
    """

    def __init__(self, here: int, known: Mapping[int, Notes]) -> None:
        super().__init__()
        self._known = known
        self._rows: list[int | None] = []  # the question of each row; None where a module begins
        self._here = here

    def compose(self) -> ComposeResult:
        options = []
        for place, text in _rows(self._known):
            self._rows.append(place)
            options.append(Option(text, disabled=place is None))
        with Vertical() as box:
            yield OptionList(*options)
            yield Static(Content(LEGEND).stylize("$muted"))
        box.border_title = count_text(self._known)
        box.border_subtitle = hints(("enter", "open", "open()"), ("esc", "close", "dismiss(None)"))

    def on_mount(self) -> None:
        self.options.highlighted = self._rows.index(self._here)

    def answer(self, place: int) -> int:
        return self._rows[place] or 0


def contents(here: int, known: Mapping[int, Notes], columns: int, rows: int) -> Content:
    """The list to stand beside a question, as much of it as there is room for; a click opens one.

    Args:
        here: place of the question that is shown.
        known: the notes.
        columns, rows: the room.
    """
    lines = _rows(known)
    at = next(row for row, (place, _) in enumerate(lines) if place == here)
    first = min(max(0, at - rows // 2), max(0, len(lines) - rows))
    shown = []
    for place, line in lines[first : first + rows]:
        text = line.truncate(columns, ellipsis=True)
        if place == here:
            text = text.stylize("bold $accent")
        if place is not None:
            text = text.stylize(Style.from_meta({"@click": f"screen.open({place})"}))
        shown.append(text)
    return Content("\n").join(shown)


def _rows(known: Mapping[int, Notes]) -> list[tuple[int | None, Content]]:
    """Modules, and under each its questions with their places."""
    rows: list[tuple[int | None, Content]] = []
    places = {question.number: place for place, question in enumerate(QUESTIONS)}
    for module, questions in groupby(QUESTIONS, key=lambda question: question.module):
        rows.append((None, Content(module).stylize("$muted")))
        rows += [(places[one.number], _line(one, known.get(one.number, Notes()))) for one in questions]
    return rows


def _line(question: Question, notes: Notes) -> Content:
    mark = mark_of(notes)
    return Content.assemble(
        (f"{question.number:>3} ", "$muted"),
        (mark, "$success" if notes.answered else "$muted"),
        (" P " if question.predict else "   ", "$secondary"),
        question.topic,
    )
