"""What is said of a question: where to look, what was written beside it, all of it in one window."""

from __future__ import annotations

from textual.content import Content

from difftui.experiments import Findings
from difftui.experiments.questions import Question
from difftui.experiments.questions.sheet import moment_text
from difftui.ui.keys import PLACES, plain_key
from difftui.ui.panels.page_text import PageText
from difftui.worksheet import Notes

__all__ = ["QuestionText", "look_text", "note_rows", "with_keys"]


class QuestionText(PageText):
    """The question with all its notes, then its page in words and figures."""

    def __init__(self, question: Question, notes: Notes, findings: Findings | None, *, plain: bool) -> None:
        super().__init__(question.page, findings)
        self._question, self._notes, self._plain = question, notes, plain

    @property
    def heading(self) -> str:
        return f"question {self._question.number}: {self._question.topic}"

    def parts(self) -> list[Content]:
        question, notes = self._question, self._notes
        begun = self._findings is not None
        rows = note_rows(question, notes, plain=self._plain, begun=begun, times=True)
        told = [Content.assemble((f"{name}: " if name else "", "$muted"), text) for name, text in rows]
        command = Content.assemble(("Command: ", "$muted"), f"difftui {question.command}")
        return [Content(question.text).stylize("bold"), *told[:1], command, *told[1:], *super().parts()]


def note_rows(
    question: Question, notes: Notes, *, plain: bool, begun: bool, times: bool = False
) -> list[tuple[str, Content]]:
    """What stands beside a question, by name and in order.

    Args:
        question: the question.
        notes: what is written so far.
        plain: the terminal has no arrows.
        begun: it is being measured: nothing can be predicted any more.
        times: whether to say when it was written.
    """
    rows = [("Look", look_text(question, plain=plain))]
    over = begun or bool(notes.measured_at)
    if question.predict:
        none = "none: it was measured without" if over else "`i` writes what you expect, before you look"
        rows.append(("Predicted", _written(notes.predicted, notes.predicted_at if times else "", none)))
    none = "under way: `s` shows it" if begun else "`s` measures it"
    rows.append(("Measured", _written(notes.measured, notes.measured_at if times else "", none)))
    first = question.predict and not notes.predicted and not over
    none = "after the prediction" if first else "`i` writes it"
    rows.append(("Answer", _written(notes.answered, notes.answered_at if times else "", none)))
    if notes.answered or notes.measured_at:
        rows.append(("", Content(f"A good answer weighs: {question.weigh}")))
    return rows


def look_text(question: Question, *, plain: bool) -> Content:
    """Where to look, and what to do and to watch there."""
    place = next(place for place in PLACES if place.name == question.screen)
    where = Content.from_markup(f"[@click=screen.look()][b]{place.label}[/][/] [$muted]({place.key})[/]: ")
    return where + with_keys(question.look, plain=plain)


def with_keys(text: str, *, plain: bool = False) -> Content:
    """A text whose keys stand between backquotes: they are shown bold, in the accent colour."""
    parts = text.split("`")
    pieces = [
        (plain_key(part) if plain else part, "b $accent") if place % 2 else part
        for place, part in enumerate(parts)
    ]
    return Content.assemble(*pieces)


def _written(text: str, when: str, none: str) -> Content:
    if not text:
        return with_keys(none).stylize_before("$muted")
    return Content.assemble(text, (f"  {moment_text(when)}" if when else "", "$muted"))
