"""All pages of the labs as a list: to choose one, or to stand beside it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.style import Style
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from difftui.experiments import CLAIMS, PAGES
from difftui.ui.window import Window

__all__ = ["GAME", "PageList", "contents"]


GAME = len(PAGES)
"""The place of the game, after all pages."""


class PageList(Window[int]):
    """The list. It closes with the place of what was chosen, :data:`GAME` being the game, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,g,q", "dismiss(None)", "Close", show=False),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
    ]
    DEFAULT_CSS = """
    PageList { align: center middle; background: $background 60%; }
    PageList > Vertical {
        width: 74; max-width: 100%; height: auto; max-height: 100%;
        border: round $accent; background: $surface; padding: 0 1;
        border-title-color: $accent; border-subtitle-color: $muted;
    }
    PageList OptionList { height: auto; max-height: 20; border: none; padding: 0; background: $surface; }
    PageList OptionList:focus { border: none; background-tint: transparent 0%; }
    PageList OptionList:focus > .option-list--option-highlighted {
        background: $accent 25%; color: $foreground; text-style: bold;
    }
    """

    def __init__(self, here: int) -> None:
        super().__init__()
        self.here = here

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            yield OptionList(*(Option(line(place)) for place in range(GAME + 1)))
        box.border_title = "what the labs claim"
        box.border_subtitle = "enter opens · g Esc q close"

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = self.here

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option_index)

    def action_move(self, by: int) -> None:
        """Down or up the list."""
        options = self.query_one(OptionList)
        options.action_cursor_down() if by > 0 else options.action_cursor_up()


def line(place: int) -> Content:
    """A page, or the game, by its number and title."""
    number = str(place + 1) if place < CLAIMS else "·"
    title = "Play: guess the digit at t = T" if place == GAME else PAGES[place].title
    return Content.assemble((f"{number:>2}  ", "$muted"), title)


def contents(here: int) -> Content:
    """All pages and the game, the page shown in bold; a click opens one."""
    lines = []
    for place in range(GAME + 1):
        text = line(place)
        if place == here:
            text = text.stylize("bold $accent")
        lines.append(text.stylize(Style.from_meta({"@click": f"screen.open({place})"})))
    return Content("\n").join(lines)
