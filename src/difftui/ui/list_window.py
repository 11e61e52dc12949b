"""Windows with a list to choose from."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList

from difftui.ui.window import T, Window

__all__ = ["ListWindow"]


class ListWindow(Window[T]):
    """A window whose box holds one `OptionList`: j and k walk it as the arrows do."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
    ]
    DEFAULT_CSS = """
    ListWindow OptionList {
        height: auto; border: none; padding: 0; background: $surface;
        text-wrap: nowrap; text-overflow: ellipsis; scrollbar-size-vertical: 1;
    }
    ListWindow OptionList:focus { border: none; background-tint: transparent 0%; }
    ListWindow OptionList:focus > .option-list--option-highlighted {
        background: $accent 25%; color: $foreground; text-style: bold;
    }
    """

    @property
    def options(self) -> OptionList:
        """The list."""
        return self.query_one(OptionList)

    def answer(self, place: int) -> T:
        """What the window closes with where this line is opened."""
        raise NotImplementedError

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self.answer(event.option_index))

    def action_open(self) -> None:
        """Open the highlighted line, as enter does."""
        if self.options.highlighted is not None:
            self.dismiss(self.answer(self.options.highlighted))

    def action_move(self, by: int) -> None:
        """Down or up the list."""
        self.options.action_cursor_down() if by > 0 else self.options.action_cursor_up()
