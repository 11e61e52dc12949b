"""The forward step in symbols, in plain words and as pseudocode, with the numbers of the timestep shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from difftui.diffusion.told import Told
from difftui.ui.window import TextWindow, hints

__all__ = ["MathsText"]


class MathsText(TextWindow):
    """Formulas three ways; left and right move the timestep, and all numbers with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,asterisk,q,enter,space", "dismiss", "Close"),
        ("left,comma,h", "step(-1)", "Towards the clean digit"),
        ("right,full_stop,l", "step(1)", "Towards noise"),
        ("shift+left,H", "step(-10)", "Ten towards the clean digit"),
        ("shift+right,L", "step(10)", "Ten towards noise"),
    ]
    DEFAULT_CSS = "MathsText > VerticalScroll { width: 82; }"

    def __init__(self, told: Callable[[int], Sequence[Told]]) -> None:
        """Make the window.

        Args:
            told: moves so many timesteps and tells the formulas there.
        """
        super().__init__()
        self._told = told

    def compose(self) -> ComposeResult:
        box = VerticalScroll(Static(_page(self._told(0))))
        box.border_title = "x_t three ways"
        box.border_subtitle = hints(
            ("← →", "t", "step(1)"), ("↑ ↓", "scroll", ""), ("esc", "close", "dismiss(None)")
        )
        yield box

    def action_step(self, steps: int) -> None:
        """So many timesteps towards noise; negative: towards the clean digit."""
        self.query_one(Static).update(_page(self._told(steps)))


def _page(told: Sequence[Told]) -> Content:
    return Content("\n\n").join(_formula(each) for each in told)


def _formula(told: Told) -> Content:
    lines = [
        Content(told.title).stylize("bold $accent"),
        Content("in symbols").stylize("$muted"),
        *map(Content, told.symbols),
        Content("in plain words").stylize("$muted"),
        Content(told.words),
        Content(f"as pseudocode (given: {told.needs})").stylize("$muted"),
        *(_code(line) for line in told.code),
    ]
    return Content("\n").join(lines)


def _code(line: str) -> Content:
    code, mark, comment = line.partition("#")
    return Content.assemble(code, (mark + comment, "$muted"))
