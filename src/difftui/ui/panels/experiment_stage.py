"""What an experiment shows: its pictures and curves, laid out so that the pictures are as large as can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.events import Resize
from textual.geometry import Size

from difftui.experiments import Block, Curve, Curves, Findings, Pictures
from difftui.ui.pixels.arrangement import arrange
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.plot import CurvePlot, Line, Marker, Series

__all__ = ["ExperimentStage"]

MOST_PICTURES, MOST_CURVES = 3, 2  # blocks of each kind that a page may have
SHARES = (0.66, 0.6, 0.52, 0.44)  # of the room that pictures may take beside curves
LEAST_CURVE = Size(30, 7)
LEAST_HEIGHT = 0.4  # of the stage
LEGIBLE = 10  # pixels that a picture must be high
LEAST_COLUMNS = 50  # of a plot beside another, so that its legend has room
FEW = 40  # points, which are then drawn as marks


class ExperimentStage(Container):
    """The blocks of a page. Panes are made once; a page shows as many as it needs."""

    DEFAULT_CSS = """
    ExperimentStage { height: 1fr; }
    ExperimentStage > Container { width: 1fr; height: 1fr; }
    ExperimentStage .pane { padding: 0; width: 1fr; height: 1fr; }
    ExperimentStage CurvePlot { width: 1fr; height: 1fr; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._findings: Findings | None = None
        self._shown: tuple[Pictures, ...] = ()
        self._plotted: tuple[Curves, ...] = ()
        self._laid_out: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        with Container(id="panes"):
            for _ in range(MOST_PICTURES):
                yield Vertical(PixelView(fit=True), classes="panel pane")
        with Container(id="plots"):
            for _ in range(MOST_CURVES):
                yield CurvePlot(classes="panel")

    def on_resize(self, event: Resize) -> None:
        if self._findings is not None:
            self.show(self._findings)

    def show(self, findings: Findings) -> None:
        """Show these; only what differs is drawn."""
        self._findings = findings
        self._lay_out()
        for pane, block in zip(self.query(".pane"), self._shown, strict=False):
            view = pane.query_one(PixelView)
            pane.border_title = block.title.replace("[", r"\[")
            view.captions = block.captions
            view.columns = block.columns
            view.show(block.images, moving=findings.done < 1.0)
        for plot, curves in zip(self.query(CurvePlot), self._plotted, strict=False):
            _plot(plot, curves)

    def _lay_out(self) -> None:
        """Choose sides for pictures and curves; nothing is done where nothing changed."""
        findings = self._findings
        if findings is None or not self.size:
            return
        blocks = _legible(self.size, findings)
        pictures = self._shown = tuple(block for block in blocks if isinstance(block, Pictures))
        curves = self._plotted = tuple(block for block in blocks if isinstance(block, Curves))
        shapes = tuple((p.images.shape, p.columns, bool(p.captions)) for p in pictures)
        wanted = (self.size, shapes, len(curves))
        if wanted == self._laid_out:
            return
        self._laid_out = wanted
        across, stacked, share, _ = _best(self.size, pictures, len(curves))
        panes, plots = self.query_one("#panes"), self.query_one("#plots")
        self.styles.layout = "horizontal" if across else "vertical"
        panes.styles.layout = "vertical" if stacked else "horizontal"
        plots.styles.layout = "vertical" if across and pictures else "horizontal"
        first, second = f"{round(100 * share)}fr", f"{round(100 * (1 - share))}fr"
        for box, room in ((panes, first), (plots, second)):
            box.styles.width, box.styles.height = (room, "1fr") if across else ("1fr", room)
        panes.display, plots.display = bool(pictures), bool(curves)
        for place, pane in enumerate(self.query(".pane")):
            pane.display = place < len(pictures)
        for place, plot in enumerate(self.query(CurvePlot)):
            plot.display = place < len(curves)


def _legible(size: Size, findings: Findings) -> tuple[Block, ...]:
    """As many blocks as leave pictures large and plots wide enough; those that are needed in any case."""
    for count in range(len(findings.blocks), findings.needed, -1):
        blocks = findings.blocks[:count]
        pictures = [block for block in blocks if isinstance(block, Pictures)]
        curves = count - len(pictures)
        if not pictures and curves > 1 and size.width // curves < LEAST_COLUMNS:
            continue
        if not pictures or _best(size, pictures, curves)[3] >= LEGIBLE:
            return blocks
    return findings.blocks[: findings.needed]


def _best(size: Size, pictures: Sequence[Pictures], curves: int) -> tuple[bool, bool, float, int]:
    """Whether pictures stand beside the curves, whether blocks of pictures are stacked, their share of the
    room, and how many pixels high the lowest picture then is.
    """
    if not pictures or not curves:
        shares: list[tuple[bool, float]] = [(True, 1.0 if pictures else 0.0)]
    else:
        shares = [(across, share) for across in (True, False) for share in SHARES]
        shares = [choice for choice in shares if _curves_fit(size, curves, *choice)]
    options = [
        (across, stacked, share, _picture_height(size, pictures, across, stacked, share))
        for across, share in shares
        for stacked in (True, False)
    ]
    # The smallest share with which they are as large as they can be.
    return max(options, key=lambda option: (option[3], -option[2]), default=(True, True, 0.5, 0))


def _curves_fit(size: Size, curves: int, across: bool, share: float) -> bool:
    width, height = (
        (size.width * (1 - share), size.height) if across else (size.width, size.height * (1 - share))
    )
    width, height = (width, height / curves) if across else (width / curves, height)
    return width >= LEAST_CURVE.width and height >= max(LEAST_CURVE.height, LEAST_HEIGHT * size.height)


def _picture_height(
    size: Size, pictures: Sequence[Pictures], across: bool, stacked: bool, share: float
) -> int:
    """Pixels that the lowest picture gets."""
    if not pictures:
        return 0
    width, height = (size.width * share, size.height) if across else (size.width, size.height * share)
    count = len(pictures)
    width, height = (width, height / count) if stacked else (width / count, height)
    room = Size(max(1, int(width) - 2), max(1, int(height) - 2))  # less the border
    return min(
        arrange(
            block.images.shape,
            room,
            columns=block.columns,
            gap=1,
            margin=0,
            caption=int(bool(block.captions)),
            fit=True,
        ).image_height
        for block in pictures
    )


def _plot(plot: CurvePlot, curves: Curves) -> None:
    plot.border_title = curves.title
    plot.x_name = curves.x_name
    plot.set_series(
        [Series(c.x, c.y, c.label, c.colour, kind=_kind(c)) for c in curves.curves],
        x_range=curves.x_range,
        y_range=curves.y_range,
        log_y=curves.log_y,
        lines=[Line(y, label) for y, label in curves.lines],
        markers=[Marker(x, label) for x, label in curves.marks],
        x_ticks=curves.x_ticks,
    )


def _kind(curve: Curve) -> Literal["line", "scatter", "marks"]:
    if not curve.points:
        return "line"
    return "marks" if np.size(curve.x) <= FEW else "scatter"
