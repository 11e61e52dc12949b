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
from difftui.ui.list_window import ListWindow
from difftui.ui.window import hints

__all__ = ["GAME", "PageList", "contents"]


GAME = len(PAGES)
"""The place of the game, after all pages."""


class PageList(ListWindow[int]):
    """The list. It closes with the place of what was chosen, :data:`GAME` being the game, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,g,q", "dismiss(None)", "Close", show=False),
    ]
    DEFAULT_CSS = """
    PageList > Vertical { width: 74; }
    PageList OptionList { max-height: 20; }
    """

    def __init__(self, here: int) -> None:
        super().__init__()
        self.here = here

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            yield OptionList(*(Option(line(place)) for place in range(GAME + 1)))
        box.border_title = "what the labs claim"
        box.border_subtitle = hints(("enter", "open", "open()"), ("esc", "close", "dismiss(None)"))

    def on_mount(self) -> None:
        self.options.highlighted = self.here

    def answer(self, place: int) -> int:
        return place


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
