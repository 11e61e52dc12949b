"""A network shown its own answers again and again: from a noisy digit, and from noise alone."""

from __future__ import annotations

import numpy as np
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.widgets import Static

from difftui.engine.denoising import REPEATS, DenoisingView, Repeats
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.plot import CurvePlot, Marker, Series

__all__ = ["RepeatedLooksPanel"]

SEEN = 6  # pictures in a row: what it is shown, and the lecture's five answers
ROWS = ("digit", "noise")
TEXTS = 4  # lines of text: a title above each row, two below
PLOT_ROWS = 7

_MOVED = " [$muted]· below: the look, its change of a pixel of \\[0, 1][/]"


class RepeatedLooksPanel(Vertical):
    """Shows a :class:`DenoisingView`'s repeats as far as a look."""

    class Chosen(Message):
        """A picture was clicked.

        Attributes:
            look: which look's answer; 0 is what was shown first.
        """

        def __init__(self, look: int) -> None:
            super().__init__()
            self.look = look

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.columns, self._first = SEEN, 1
        self._side = 28
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        for name in ROWS:
            yield Static(id=f"repeats-{name}-title")
            yield PixelView(
                shape=(SEEN, 28, 28), columns=SEEN, fit=True, captions=("",), id=f"repeats-{name}"
            )
        yield Static(id="repeats-told")
        with Horizontal(id="repeats-plots"):
            yield CurvePlot(id="repeats-moved", classes="panel", x_name="look")
            yield CurvePlot(id="repeats-error", classes="panel", x_name="look")

    def on_mount(self) -> None:
        self._lay_out()

    def on_resize(self, event: Resize) -> None:
        self._lay_out()

    def on_pixel_view_picked(self, event: PixelView.Picked) -> None:
        event.stop()
        self.post_message(self.Chosen(0 if event.index == 0 else self._first + event.index - 1))

    def clear(self) -> None:
        """Show nothing: what was there belongs to another choice."""
        self._drawn = ()
        for view in self.query(PixelView):
            view.clear()
        for plot in self.query(CurvePlot):
            plot.set_series([])
        self.query_one("#repeats-told", Static).update("")

    def show(self, view: DenoisingView, look: int, *, moving: bool) -> None:
        """Draw as far as ``look``; only what is another than before."""
        repeats = view.repeats
        if repeats is None:
            return
        if view.network.shape[1] != self._side:
            self._side = view.network.shape[1]
            self._lay_out()
        drawn = (view, look, moving, self.columns)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        # The first picture stays; of the answers there are as many as fit, the newest among them.
        self._first = max(1, min(look, REPEATS) - (self.columns - 2))
        seen = [0, *range(self._first, self._first + self.columns - 1)]
        level = view.network.ladder.label(repeats.rung)
        digit = f"digit {view.network.classes[view.wish.label]}".rstrip()
        for row, (name, title) in enumerate(
            zip(ROWS, (f"{digit}, {level}", f"noise alone, as much as at {level}"), strict=True)
        ):
            self.query_one(f"#repeats-{name}-title", Static).update(
                Content.from_markup(f"[$muted]from[/] {title}{_MOVED if not row else ''}"), layout=False
            )
            strip = self.query_one(f"#repeats-{name}", PixelView)
            strip.captions = [_caption(repeats, row, k, look) for k in seen]
            strip.highlighted = seen.index(look) if look in seen else None
            pictures = repeats.pictures[row][np.minimum(seen, REPEATS)].copy()
            pictures[[k > look for k in seen]] = -1.0  # not looked at yet
            strip.show(pictures, moving=moving)
        self.query_one("#repeats-told", Static).update(_told(view, repeats, look), layout=False)
        self._draw_plots(repeats, look)

    def _draw_plots(self, repeats: Repeats, look: int) -> None:
        if not self.query_one("#repeats-plots").display:
            return
        looks = np.arange(1, look + 1)
        ends = [(1, "look 1"), (REPEATS, str(REPEATS))]
        here = [Marker(max(look, 1))]
        moved = self.query_one("#repeats-moved", CurvePlot)
        moved.border_title = "how far each look moved the picture"
        moved.set_series(
            [
                Series(looks, repeats.moved[1, :look], "from noise alone", "noise"),
                Series(looks, repeats.moved[0, :look], "from the digit", "accent"),
            ],
            x_range=(1, REPEATS), y_range=(0.0, float(repeats.moved.max())), markers=here, x_ticks=ends,
        )  # fmt: skip
        error = self.query_one("#repeats-error", CurvePlot)
        error.border_title = "MSE of the answer to the clean digit"
        error.set_series(
            [Series(looks, repeats.error[:look], "", "accent")],
            x_range=(1, REPEATS), y_range=(0.0, float(repeats.error.max())), markers=here, x_ticks=ends,
        )  # fmt: skip

    def _lay_out(self) -> None:
        columns, rows = self.size
        if not columns or not rows:
            return
        most = min(columns // SEEN - 1, 2 * ((rows - TEXTS) // 2 - 1))
        pixels = max(self._side if self._side <= most else most, 4)
        self.columns = max(2, min(REPEATS + 1, columns // (pixels + 1)))
        height = -(-pixels // 2) + 1
        for name in ROWS:
            strip = self.query_one(f"#repeats-{name}", PixelView)
            strip.columns, strip.styles.height = self.columns, height
            strip.styles.width = self.columns * (pixels + 1)
        plots, spare = self.query_one("#repeats-plots"), rows - 2 * height - TEXTS
        plots.display = spare >= PLOT_ROWS
        plots.styles.height = max(spare, 0)
        self._drawn = ()


def _caption(repeats: Repeats, row: int, look: int, reached: int) -> str:
    if look == 0:
        return "shown"
    if look > min(reached, REPEATS):
        return ""
    return f"look {look} {repeats.moved[row, look - 1]:.3f}".replace(" 0.", " .")  # as narrow as a picture


def _told(view: DenoisingView, repeats: Repeats, look: int) -> Content:
    """Where the looks have led, in two lines."""
    network = view.network
    knows = "cleans the noise it was taught" if network.one_shot else "is told the same t"
    if not network.one_shot and not network.takes_time:
        knows = "guesses the noise"
    if look == 0:
        first = Content("space plays the looks, arrows go one by one; the MSE of each stands here.").stylize(
            "$muted"
        )
    else:
        error = repeats.error[:look]
        best = int(error.argmin()) + 1
        first = Content.from_markup(
            f"[$muted]MSE to the clean digit after look {look}:[/] [b]{error[-1]:.4f}[/]"
            f"[$muted], best after look {best}:[/] {error[best - 1]:.4f}"
        )
    second = Content(f"It {knows} each time; from look 2 on there is none of that.").stylize("$muted")
    return Content("\n").join([first, second])
