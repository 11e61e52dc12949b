"""The notes beside a question, a row each, and the box they are typed in."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content

from difftui.ui.widgets.entry import TextBox
from difftui.ui.widgets.text import ActionText

__all__ = ["NoteBox", "QuestionNotes"]

ROWS = ("Look", "Predicted", "Measured", "Answer", "")


class QuestionNotes(VerticalScroll, can_focus=False):
    """Rows of a name and a text; those without a text are not there."""

    DEFAULT_CSS = """
    QuestionNotes { height: 1fr; scrollbar-size-vertical: 1; padding: 0 1; }
    QuestionNotes Horizontal { height: auto; }
    QuestionNotes .name { width: 11; color: $muted; }
    QuestionNotes .told { width: 1fr; height: auto; }
    """

    def compose(self) -> ComposeResult:
        for name in ROWS:
            with Horizontal():
                yield ActionText(name, classes="name")
                yield ActionText(classes="told")

    def show(self, rows: Sequence[tuple[str, Content]]) -> None:
        """Show these.

        Args:
            rows: by the names in :data:`ROWS`.
        """
        told = dict(rows)
        for name, row in zip(ROWS, self.query(Horizontal), strict=True):
            row.display = name in told
            if name in told:
                row.query_one(".told", ActionText).say(told[name], layout=True)


class NoteBox(Vertical):
    """What is typed, and how it is saved; shown while somebody types."""

    DEFAULT_CSS = """
    NoteBox { height: auto; padding: 0 1; display: none; }
    NoteBox TextBox { height: 6; }
    NoteBox #asked { height: 1; }
    """
    HINT = "  enter or esc saves · ctrl+j begins a new line"

    def __init__(self) -> None:
        super().__init__()
        self.box = TextBox()

    @property
    def text(self) -> str:
        """What stands in the box."""
        return self.box.text

    def compose(self) -> ComposeResult:
        yield ActionText(id="asked")
        yield self.box

    def open(self, what: str, text: str) -> None:
        """Let it be typed.

        Args:
            what: is typed, such as "answer".
            text: to begin with.
        """
        told = Content.assemble((f"Your {what}", "b $accent"), (self.HINT, "$muted"))
        self.query_one("#asked", ActionText).say(told)
        self.box.load_text(text)
        self.box.move_cursor(self.box.document.end)
        self.display = True
        self.box.focus()

    def close(self) -> None:
        """Put the box away."""
        self.display = False
        self.screen.set_focus(None)
