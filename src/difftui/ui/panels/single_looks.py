"""One look of a network at each of several noise levels: the clean digit, the noisy ones, its answers."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.widgets import Static

from difftui.engine.denoising import DenoisingView, psnr
from difftui.engine.measuring import NoiseErrors
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.plot import CurvePlot, Marker, Series

__all__ = ["LooksStage", "SingleLooksPanel"]

LOOKS = 4
FACTS_COLUMNS = 12  # the least that the numbers need
FACTS_MOST = 18
PLOT_ROWS = 8  # the least that a plot is worth


@dataclass(frozen=True, slots=True)
class LooksStage:
    """How the room is used: pictures as large as fit, then a plot below.

    Attributes:
        pixels: across a picture, which is as many cells wide and half as many high.
        left: columns of the clean digit and the numbers.
        plot: rows of the plot below; 0 for none.
    """

    pixels: int
    left: int
    plot: int

    @classmethod
    def fitting(cls, columns: int, rows: int, side: int) -> LooksStage:
        """The best use of so much room for pictures ``side`` pixels wide."""
        whole = [
            scale * side
            for scale in (3, 2, 1)
            if LOOKS * (scale * side + 1) + FACTS_COLUMNS <= columns and 2 * _rows(scale * side) <= rows
        ]
        shrunk = min(columns // (LOOKS + 1) - 1, 2 * (rows // 2 - 1), side)
        pixels = max(whole[0] if whole else shrunk, 4)
        spare = rows - 2 * _rows(pixels)
        left = max(min(columns - LOOKS * (pixels + 1), max(pixels, FACTS_MOST) + 1), FACTS_COLUMNS)
        return cls(pixels, left, spare if spare >= PLOT_ROWS else 0)


def _rows(pixels: int) -> int:
    """Cell rows of a picture with its caption."""
    return -(-pixels // 2) + 1


class SingleLooksPanel(Vertical):
    """Shows a :class:`DenoisingView`'s single looks."""

    class Chosen(Message):
        """A picture was clicked.

        Attributes:
            index: which of the noise levels.
        """

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.stage = LooksStage(16, FACTS_COLUMNS, 0)
        self._drawn: tuple[object, ...] = ()
        self._side = 16

    def compose(self) -> ComposeResult:
        with Horizontal(id="looks-pictures"):
            with Vertical(id="looks-left"):
                yield PixelView(fit=True, id="looks-clean", captions=("",))
                yield Static(id="looks-facts")
            with Vertical(id="looks-right"):
                for name in ("shown", "cleaned"):
                    yield PixelView(
                        shape=(LOOKS, 16, 16), columns=LOOKS, fit=True, captions=("",), id=f"looks-{name}"
                    )
        yield CurvePlot(id="looks-plot", classes="panel")

    def on_mount(self) -> None:
        self._lay_out()

    def on_resize(self, event: Resize) -> None:
        self._lay_out()

    def on_pixel_view_picked(self, event: PixelView.Picked) -> None:
        event.stop()
        if event.view.id != "looks-clean":
            self.post_message(self.Chosen(event.index))

    @property
    def has_plot(self) -> bool:
        """Whether there is room for the error by noise."""
        return bool(self.stage.plot)

    def clear(self) -> None:
        """Show nothing: what was there belongs to another choice."""
        self._drawn = ()
        for view in self.query(PixelView):
            view.clear()
        self.query_one("#looks-facts", Static).update("")
        self.query_one("#looks-plot", CurvePlot).set_series([])

    def show(self, view: DenoisingView, *, moving: bool) -> None:
        """Draw the looks; only what is another than before."""
        if view.network.shape[1] != self._side:
            self._side = view.network.shape[1]
            self._lay_out()
        drawn = (view, moving)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        looks, wish, ladder = view.looks, view.wish, view.network.ladder
        clean = self.query_one("#looks-clean", PixelView)
        name = view.network.classes[wish.label]
        clean.captions = (f"clean {name}".rstrip(),)
        clean.show(looks.clean[None])
        for name, pictures, captions in (
            ("shown", looks.shown, [ladder.label(rung) for rung in wish.rungs]),
            ("cleaned", looks.cleaned, [f"MSE {error:.4f}" for error in looks.error]),
        ):
            row = self.query_one(f"#looks-{name}", PixelView)
            row.captions, row.highlighted = captions, wish.chosen
            row.show(pictures, moving=moving)
        self.query_one("#looks-facts", Static).update(
            _facts(view, min(self.stage.left - 1, FACTS_MOST)), layout=False
        )

    def show_errors(self, view: DenoisingView, errors: NoiseErrors | None) -> None:
        """Draw the mean error by noise, with this digit's looks as points on it."""
        if not self.has_plot:
            return
        network, looks = view.network, view.looks
        ladder, last = network.ladder, network.ladder.last
        plot = self.query_one("#looks-plot", CurvePlot)
        plot.place_words = lambda rung: ladder.label(round(rung))
        series = [Series(view.wish.rungs, looks.error, "this digit", "foreground", kind="marks")]
        if errors is not None:
            own = errors.own
            series = [
                Series(own.rungs, own.untouched, "the noisy picture", "noise"),
                Series(own.rungs, own.clean, "cleaned", "accent"),
                *series,
            ]
            told = f"mean of {own.pictures} held-out digits"
        else:
            told = "being measured …"
        plot.border_title = f"MSE to the clean digit, pixels in \\[0, 1] · {told}"
        plot.set_series(
            series,
            x_range=(0, max(last, 1)),
            log_y=True,
            markers=[Marker(view.wish.rungs[view.wish.chosen])],
            x_ticks=[(0, "clean"), (last, ladder.label(last))],
        )

    def _lay_out(self) -> None:
        columns, rows = self.size
        if not columns or not rows:
            return
        self.stage = stage = LooksStage.fitting(columns, rows, self._side)
        height = _rows(stage.pixels)
        self.query_one("#looks-pictures").styles.height = 2 * height
        left = self.query_one("#looks-left")
        left.styles.width = stage.left
        right = self.query_one("#looks-right")
        right.styles.width = LOOKS * (stage.pixels + 1)
        self.query_one("#looks-clean").styles.height = height
        for name in ("shown", "cleaned"):
            self.query_one(f"#looks-{name}").styles.height = height
        plot = self.query_one("#looks-plot")
        plot.display = self.has_plot
        plot.styles.height = stage.plot
        self._drawn = ()


def _facts(view: DenoisingView, width: int) -> Content:
    """The numbers of the chosen look, one a line: name on the left, value on the right."""
    wish, network, looks = view.wish, view.network, view.looks
    chosen, rung = wish.chosen, wish.rungs[wish.chosen]
    sigma = network.ladder.sigma(rung)
    level = [("noise", f"{sigma / 2:.2f}")] if network.one_shot else [("t", str(rung))]
    decibels = psnr(looks.error[chosen])
    lines = [
        *level,
        ("SNR", _short(1 / sigma**2) if sigma else "∞"),
        ("MSE", f"{looks.error[chosen]:.4f}"),
        ("was", f"{looks.untouched[chosen]:.4f}"),
        ("PSNR", f"{decibels:.1f}{' ' * (width > 11)}dB"),
        ("digit", f"#{view.index}"),
    ]
    return Content("\n").join(
        Content.assemble((name, "$muted"), value.rjust(max(1, width - len(name)))) for name, value in lines
    )


def _short(value: float) -> str:
    """A positive number in at most six cells."""
    return f"{value:.3g}" if 1e-3 <= value < 1e4 else f"{value:.0e}"
