"""Samples of one noise through the time of training: a slider over the checkpoints, and their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message

from difftui.ui.widgets.pixels import PixelView, resample
from difftui.ui.widgets.slider import Slider
from difftui.ui.widgets.text import ActionText
from difftui.words import grouped

if TYPE_CHECKING:
    from difftui.training.progress import SampleStrip

__all__ = ["SampleScrubber"]

HALF, FULL = 14, 28  # pixels across a picture


class SampleScrubber(Vertical):
    """A strip of samples of one checkpoint. It shows the newest until somebody chooses an older one.

    Attributes:
        strips: what there is, oldest first.
        chosen: the step of the chosen strip; None follows the newest.
    """

    DEFAULT_CSS = """
    SampleScrubber { width: 1fr; height: auto; align-horizontal: center; }
    SampleScrubber > Horizontal { height: 1; width: 1fr; }
    SampleScrubber #which { width: auto; }
    SampleScrubber #empty { color: $muted; }
    """

    class Scrubbed(Message):
        """Another strip was chosen."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.strips: tuple[SampleStrip, ...] = ()
        self.chosen: int | None = None
        self._drawn: object = None
        self._empty = ""
        self._held: object = None

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield ActionText(id="which")
            yield Slider("", "newest", id="scrub")
        yield ActionText(id="empty")
        yield PixelView(id="pictures")

    @property
    def shown(self) -> SampleStrip | None:
        """The strip that is shown."""
        return self.strips[self._index()] if self.strips else None

    def show(self, strips: tuple[SampleStrip, ...], *, empty: str = "") -> None:
        """Show these; an older one that was chosen stays, or the nearest before it that is still there.

        Args:
            strips: oldest first.
            empty: what to say where there are none.
        """
        self.strips, self._empty = strips, empty
        self._draw()

    def scrub(self, by: int) -> None:
        """One checkpoint back (negative) or on; past the last it follows the newest again."""
        if self.strips:
            self._choose(self._index() + by)

    def on_slider_moved(self, event: Slider.Moved) -> None:
        event.stop()
        self._choose(event.value)

    def on_resize(self) -> None:
        self._draw()

    def _index(self) -> int:
        last = len(self.strips) - 1
        if self.chosen is None:
            return last
        return max((i for i, strip in enumerate(self.strips) if strip.step <= self.chosen), default=0)

    def _choose(self, index: int) -> None:
        last = len(self.strips) - 1
        self.chosen = None if index >= last else self.strips[max(0, index)].step
        self._draw()
        self.post_message(self.Scrubbed())

    def _draw(self) -> None:
        strip = self.shown
        size, columns, rows = self._room()
        pixels = strip.images if strip is not None else None
        key = (id(pixels), len(self.strips), self.chosen, size, columns, rows, self._empty)
        if not self.is_mounted or key == self._drawn:
            return
        self._drawn, self._held = key, pixels  # held, so that no other pixels have its id
        pictures = self.query_one("#pictures", PixelView)
        pictures.display = strip is not None
        self.query_one("#empty", ActionText).display = strip is None
        self.query_one("#empty", ActionText).update(self._empty)
        self.query_one(Slider).display = len(self.strips) > 1
        self.query_one(Slider).move(self._index(), last=len(self.strips) - 1)
        self.query_one("#which", ActionText).update(self._which(strip))
        if strip is not None:
            pictures.columns = columns
            pictures.show(resample(strip.images[: columns * rows], size, size))

    def _which(self, strip: SampleStrip | None) -> Content:
        if strip is None:
            return Content()
        asked = f" · asked for {strip.labels[0]} to {strip.labels[-1]}" if strip.labels else ""
        more = asked if self.size.width >= 100 else ""
        return Content.assemble(
            ("samples at ", "$muted"),
            (f"step {grouped(strip.step)}", "bold"),
            (f"{more} · same noise each time " if self.size.width >= 100 else " ", "$muted"),
        )

    def _room(self) -> tuple[int, int, int]:
        """Pixels across a picture, how many side by side, and how many rows of them."""
        width, height = self.size.width, max(0, self.size.height - 1)
        for size in (FULL, HALF):
            across = min(10, max(1, (width + 1) // (size + 1)))
            rows = max(1, (height + 1) // (size // 2 + 1))
            if size == HALF or across * rows >= 10:
                break
        return size, (across if across in (5, 10) else 5 if across > 5 else across), rows
