"""Windows over a screen: each says at its lower edge what its keys do, and those words can be clicked."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.screen import ModalScreen
from textual.style import Style

from difftui.ui.steady import SteadyScreen

__all__ = ["Overlay", "TextWindow", "Window", "hints"]

T = TypeVar("T")
GAP = "   "


class Overlay(ModalScreen[T | None], SteadyScreen[T | None], Generic[T]):
    """A screen over another, which closes once: a key that comes again while it goes closes nothing below."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        return super().dismiss(result) if self.is_current else AwaitComplete()


class Window(Overlay[T], Generic[T]):
    """A window: one box, a `Vertical` or `VerticalScroll`. A click beside it closes it with None."""

    DEFAULT_CSS = """
    Window { align: center middle; }
    Window > Vertical, Window > VerticalScroll {
        width: 92; max-width: 100%; height: auto; max-height: 100%;
        border: round $accent; background: $surface; padding: 0 1;
        border-title-color: $accent; border-subtitle-color: $muted;
    }
    """

    def on_click(self, event: Click) -> None:
        if self.get_widget_at(event.screen_x, event.screen_y)[0] is self:
            event.stop()
            self.dismiss(None)


class TextWindow(Window[None]):
    """A window with more to read than it may have room for, in a `VerticalScroll`."""

    BINDINGS: ClassVar[list[BindingType]] = [("j", "scroll(1)", "Down"), ("k", "scroll(-1)", "Up")]

    def action_scroll(self, lines: int) -> None:
        """Down or up, as the arrows do."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def hints(*entries: tuple[str, str, str]) -> Content:
    """A border's subtitle of (key, what it does, action); an empty action is for the keyboard alone.

    Args:
        entries: the action is one of the window: "done()" calls its ``action_done``.
    """
    parts = []
    for key, words, action in entries:
        part = Content.assemble((key, "b"), f" {words}")
        parts.append(part.stylize(Style.from_meta({"@click": f"screen.{action}"})) if action else part)
    return Content(GAP).join(parts)
