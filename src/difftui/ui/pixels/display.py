"""An app that says how pictures are drawn, and sends only the cells that changed.

A widget can tell Textual that a part of a line is new, and Textual repaints at least that. But its
`ChopsUpdate` starts every part at the widget's left edge, sends a part again for each part behind it, and
sets colours anew in each line. `SpanUpdate` writes each cell once, jumps over what lies between them and over
what stands there already, and lets colours stand from one lean strip to the next.
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
from difftui.ui.pixels.sent import Sent

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen

__all__ = ["PixelApp", "SpanUpdate", "has_all_characters"]


CELL_LEARNING = 0.3  # weight of a new frame in what its cells take


class SpanUpdate(CompositorUpdate):
    """The cells of a `ChopsUpdate`, each once, and of texts those that differ from what stands there."""

    def __init__(self, update: ChopsUpdate, sent: Sent) -> None:
        """Make it.

        Args:
            update: Textual's.
            sent: what stands on the terminal.
        """
        self._update = update
        self._sent = sent

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
                if isinstance(strip, LeanStrip):
                    self._sent.cover(y, start, stop)
                    pen.out.append(_move(cursor, (start, y)))
                    strip.write(pen, start - x, stop - x)
                    cursor = (stop, y)
                    continue
                text = strip.crop(start - x, stop - x)
                left, right = self._sent.news(y, start, text)
                if left < right:
                    pen.out.append(_move(cursor, (left, y)))
                    pen.reset()
                    pen.out.append(text.crop(left - start, right - start).render(console))
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
        allowance: bytes that pictures may send before the next frame, about; None: any number.
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
        self._wanted = self._drawn = 0  # cells of moving pictures
        self._cell_bytes: dict[Detail, float] = {}
        self._stands = Sent()
        self._stands_of: Screen[Any] | None = None

    def count_cells(self, drawn: int, wanted: int = 0) -> None:
        """A moving picture had so many cells that were other than before, or draws so many of them."""
        self._drawn += drawn
        self._wanted += wanted

    def take_share(self, sent: int) -> float:
        """How much of the moving pictures was drawn since this was asked, above 0 to 1.

        Args:
            sent: bytes that they took: what a cell takes is learned from them.
        """
        if self._drawn and sent > 0:
            known = self._cell_bytes.get(self.pixel_detail, 0.0)
            taken = sent / self._drawn
            self._cell_bytes[self.pixel_detail] = known + CELL_LEARNING * (taken - known) if known else taken
        share = min(1.0, max(self._drawn, 1) / self._wanted) if self._wanted else 1.0
        self._drawn = self._wanted = 0
        return share

    def cell_bytes(self, otherwise: float) -> float:
        """Bytes that a cell of a moving picture takes, about, as it is drawn now."""
        return self._cell_bytes.get(self.pixel_detail, otherwise)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if not isinstance(renderable, ChopsUpdate) or screen is not self._stands_of:
            self._stands.forget()
            self._stands_of = screen
        if isinstance(renderable, ChopsUpdate):
            renderable = SpanUpdate(renderable, self._stands)
        super()._display(screen, renderable)
