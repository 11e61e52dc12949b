"""The help page: every key of the screen it was called from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.style import Style

from difftui.ui.keys import GLOBAL, PLACES, SCREENS, Action
from difftui.ui.pixels.display import has_all_characters
from difftui.ui.widgets.text import ActionText
from difftui.ui.window import TextWindow, hints

__all__ = ["HelpScreen"]


class HelpScreen(TextWindow):
    """Keys and what they do, over the screen they belong to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,question_mark,f1,q,enter,space", "dismiss", "Close"),
    ]

    def __init__(self, screen_name: str) -> None:
        super().__init__()
        self.screen_name = screen_name

    def compose(self) -> ComposeResult:
        box = VerticalScroll(
            ActionText(self._table(SCREENS[self.screen_name])),
            ActionText(Content.from_markup("[b]everywhere[/]"), classes="heading"),
            ActionText(self._table(GLOBAL)),
        )
        box.border_title = f"keys on {_label(self.screen_name)}"
        box.border_subtitle = hints(("esc", "close", "dismiss(None)"))
        yield box

    def _table(self, actions: tuple[Action, ...]) -> Content:
        names = _NAMES if has_all_characters(self.app) else _PLAIN_NAMES
        rows = [
            Content.assemble((f"{_keys(action, names):>12}", "b $accent"), "  ", action.help).stylize(
                Style.from_meta({"@click": f"screen.do({action.name!r})"})
            )
            for action in actions
        ]
        return Content("\n").join(rows)

    def action_do(self, name: str) -> None:
        """Close, and do what the clicked line says."""
        self.dismiss()
        self.app.call_later(self.app.run_action, name, self.app.screen_stack[0])


def _label(screen_name: str) -> str:
    return next(place.label for place in PLACES if place.name == screen_name)


_NAMES = {
    "question_mark": "?", "full_stop": ".", "comma": ",", "plus": "+", "asterisk": "*",
    "equals_sign": "=", "minus": "-", "slash": "/",
    "less_than_sign": "<", "greater_than_sign": ">", "vertical_line": "|",
    "left_parenthesis": "(", "right_parenthesis": ")",
    "left_curly_bracket": "{", "right_curly_bracket": "}",
    "left_square_bracket": "[", "right_square_bracket": "]", "left": "←", "right": "→",
    "up": "↑", "down": "↓", "shift+left": "⇧←", "shift+right": "⇧→", "ctrl+p": "^P", "ctrl+q": "^Q",
    "f1": "F1", "home": "Home", "end": "End", "backspace": "⌫",
    "pagedown": "PgDn", "pageup": "PgUp", "semicolon": ";",
}  # fmt: skip


_PLAIN_NAMES = {
    **_NAMES, "left": "left", "right": "right", "up": "up", "down": "down", "shift+left": "S-left",
    "shift+right": "S-right", "backspace": "bksp",
}  # fmt: skip


def _keys(action: Action, names: Mapping[str, str]) -> str:
    return " ".join(names.get(key, key) for key in action.keys.split(","))
