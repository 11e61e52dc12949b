"""An app that says how pictures are drawn, and sends only the cells that changed.

A widget can tell Textual that a part of a line is new, and Textual repaints at least that. But its
`ChopsUpdate` starts every part at the widget's left edge, sends a part again for each part behind it, and
sets colours anew in each line. `SpanUpdate` writes each cell once, jumps over what lies between them, and
lets colours stand from one lean strip to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.color import ColorSystem
from rich.console import Console, ConsoleOptions, RenderResult
from textual._compositor import ChopsUpdate, CompositorUpdate
from textual.app import App
from textual.reactive import reactive

from difftui.characters import Repertoire, repertoire_of
from difftui.pixel_modes import Detail, PixelMode, own_environment, pixel_mode, terminal_facts
from difftui.ui.lean_strip import LeanStrip, Pen

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen

__all__ = ["PixelApp", "SpanUpdate", "has_all_characters"]


class SpanUpdate(CompositorUpdate):
    """The cells of a `ChopsUpdate`, each once."""

    def __init__(self, update: ChopsUpdate) -> None:
        self._update = update

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return self._update.__rich_console__(console, options)

    def render_segments(self, console: Console) -> str:
        """The update as terminal sequences, starting from and ending with default attributes.

        Args:
            console: Console whose colour system counts (None means truecolor, as in Textual).
        """
        pen = Pen(console._color_system or ColorSystem.TRUECOLOR)
        cursor = _UNKNOWN
        update = self._update
        for y, first, last in update.spans:
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                start, stop = max(x, first), min(end, last)
                if strip is None or start >= stop:
                    continue
                pen.out.append(_move(cursor, (start, y)))
                if isinstance(strip, LeanStrip):
                    strip.write(pen, start - x, stop - x)
                    cursor = (stop, y)
                else:
                    pen.reset()
                    pen.out.append(strip.crop(start - x, stop - x).render(console))
                    cursor = _UNKNOWN  # the terminal may find a character wider than we do
        pen.reset()
        return "".join(pen.out)


_UNKNOWN = (-1, -1)


def _move(here: tuple[int, int], there: tuple[int, int]) -> str:
    """The shortest sequence that moves the cursor from one (column, row) to another."""
    x, y = there
    if here == there:
        return ""
    if here[1] == y:
        return f"\x1b[{x + 1}G"
    return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"


def has_all_characters(app: App[Any]) -> bool:
    """Whether its terminal can show any character: braille, arrows, Greek."""
    return not isinstance(app, PixelApp) or repertoire_of(app.pixel_mode) is Repertoire.UNICODE


class PixelApp(App[None]):
    """An app that its pictures follow, and that sends a partial update as a `SpanUpdate`.

    Attributes:
        pixel_mode: the way to draw every picture.
        pixel_detail: how much of a picture is drawn while it moves: less when the link is behind.
        frames: how often the screen could have drawn a frame so far; None in an app that does not count. On a
            slow link they are far between, and a picture that waits for its next one does not rest.
        allowance: bytes that pictures at rest may send before the next frame, about; None: any number.
        pictures_wait: whether moving pictures wait for the next frame, while words are drawn: on a slow link
            what a key changes is soon said, and not behind a picture.
    """

    frames: int | None = None
    allowance: int | None = None
    pictures_wait: reactive[bool] = reactive(False, repaint=False)

    pixel_mode: reactive[PixelMode] = reactive(PixelMode.PALETTE)
    pixel_detail: reactive[Detail] = reactive(Detail.FULL, repaint=False)

    def __init__(self, pixels: PixelMode | None = None, **textual: Any) -> None:
        """Make the app.

        Args:
            pixels: the way to draw pictures; None for what suits the terminal that the environment tells of.
            textual: what Textual's App takes.
        """
        super().__init__(**textual)
        self.set_reactive(PixelApp.pixel_mode, pixel_mode(terminal_facts(own_environment()), pixels))

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, ChopsUpdate):
            renderable = SpanUpdate(renderable)
        super()._display(screen, renderable)
