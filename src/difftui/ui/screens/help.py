"""The help page: every key of the screen it was called from."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from difftui.ui.keys import GLOBAL, SCREENS, Action

__all__ = ["HelpScreen"]


class HelpScreen(ModalScreen[None]):
    """Keys and what they do, over the screen they belong to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,question_mark,f1,q,enter,space", "dismiss", "Close"),
        ("j", "scroll(1)", "Down"),
        ("k", "scroll(-1)", "Up"),
    ]

    def __init__(self, screen_name: str) -> None:
        super().__init__()
        self.screen_name = screen_name

    def action_scroll(self, lines: int) -> None:
        """Down or up, as the arrows do."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def compose(self) -> ComposeResult:
        box = VerticalScroll(
            Static(_table(SCREENS[self.screen_name])),
            Static(Content.from_markup("[b]everywhere[/]"), classes="heading"),
            Static(_table(GLOBAL)),
        )
        box.border_title = f"keys on {self.screen_name.capitalize()}"
        box.border_subtitle = "any of ? Esc q closes"
        yield box


def _table(actions: tuple[Action, ...]) -> Content:
    rows = [Content.assemble((f"{_keys(a):>12}", "b $accent"), "  ", a.help) for a in actions]
    return Content("\n").join(rows)


_NAMES = {
    "question_mark": "?", "full_stop": ".", "comma": ",", "plus": "+", "equals_sign": "=", "minus": "-",
    "slash": "/", "left_square_bracket": "[", "right_square_bracket": "]", "left": "←", "right": "→",
    "up": "↑", "down": "↓", "shift+left": "⇧←", "shift+right": "⇧→", "ctrl+p": "^P", "ctrl+q": "^Q",
    "f1": "F1", "home": "Home", "end": "End", "backspace": "⌫",
    "pagedown": "PgDn", "pageup": "PgUp",
}  # fmt: skip


def _keys(action: Action) -> str:
    return " ".join(_NAMES.get(key, key) for key in action.keys.split(","))
