"""The curves of a training: its loss, the held-out loss by timestep, gradient norm and learning rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.style import Style

from difftui.engine.watching import Watch
from difftui.ui.keys import shown_key
from difftui.ui.panels.loss_plot import Ghost, loss_lines, loss_notes, loss_series
from difftui.ui.panels.standing import Feed, Standing
from difftui.ui.panels.timestep_bars import TimestepBars
from difftui.ui.widgets.plot import CurvePlot, Marker, Series
from difftui.words import grouped, loss_text

if TYPE_CHECKING:
    from difftui.engine.training import TrainingView
    from difftui.runs import History

__all__ = ["TrainingCurves"]

ROOMY = 100  # columns of the terminal from which a title has room for where, and how it goes


class TrainingCurves(Horizontal):
    """Draws what it is given; the plot of the loss is there to be zoomed."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._numbers = ""
        self._title = Content()

    def compose(self) -> ComposeResult:
        with Vertical(id="loss-panel", classes="panel"):
            yield CurvePlot(id="loss", zoomable=True, x_name="step")
        with Vertical(id="bars-panel", classes="panel"):
            yield TimestepBars(id="bars")
        with Vertical(id="more"):
            yield CurvePlot(id="gradient", x_name="step", classes="panel")
            yield CurvePlot(id="rate", x_name="step", classes="panel")

    def on_mount(self) -> None:
        self.query_one("#gradient").border_title = "gradient norm"
        self.query_one("#rate").border_title = "learning rate"

    @property
    def loss(self) -> CurvePlot:
        """The plot of the loss."""
        return self.query_one("#loss", CurvePlot)

    def show(
        self,
        view: TrainingView,
        standing: Standing,
        *,
        ghost: Ghost | None,
        log_axis: bool,
        chosen: int | None,
        zero: float | None,
    ) -> None:
        """Draw what is known of a run.

        Args:
            view: the run.
            standing: how it is.
            ghost: a run to be drawn beside it.
            log_axis: whether the axis of the loss is logarithmic.
            chosen: the step whose samples are shown; None for the newest.
            zero: the loss of always answering 0, where it is known.
        """
        history, recipe, live = view.history, view.recipe, not standing.over
        self.loss.set_series(
            loss_series(history, ghost, recipe, live=live),
            log_y=log_axis,
            lines=loss_lines(zero),
            markers=[Marker(chosen, "samples")] if chosen is not None else [],
            notes=loss_notes(recipe, ghost, broken=standing.broken),
        )
        none = "not measured yet" if live else "was not measured"
        self.query_one("#bars", TimestepBars).show(history.by_timestep or (), recipe.timesteps, empty=none)
        self._numbers = _smoothed(history)
        self.query_one("#bars-panel").border_title = _held_out(history)
        self.query_one("#loss-panel").border_subtitle = self._numbers
        if self.query_one("#more").display:
            for name, curve in (("gradient", history.gradient_norm), ("rate", history.learning_rate)):
                series = Series(curve.x, curve.y, "", "foreground", "line")
                shown = [series] if len(curve) else []
                self.query_one(f"#{name}", CurvePlot).set_series(shown, log_y=name == "gradient")

    def entitle(self, feed: Feed, standing: Standing) -> None:
        """Say which run it is, how it is, and which part is shown."""
        cramped = self.app.size.width < ROOMY
        where = f" · watching {feed.who}" if isinstance(feed, Watch) and feed.who and not cramped else ""
        numbers = f" · {self._numbers}" if self._numbers and self.screen.has_class("-short") else ""
        title = Content(f"{standing.mark} {feed.name} · {standing.value}{where}{numbers}")
        if not self.loss.viewport.live:
            first, last = (grouped(round(end)) for end in self.loss.shown)
            stands = "" if cramped else f" · {standing.value}"
            whole = Content(f"{shown_key('train', 'all')} shows all")
            whole = whole.stylize(Style.from_meta({"@click": "screen.all()"}))
            title = Content(f"{standing.mark} {feed.name}{stands} · steps {first} to {last}, ") + whole
        if not title.is_same(self._title):
            self._title = title
            self.query_one("#loss-panel").border_title = title

    def blank(self) -> None:
        """Show no run, and all of the next one."""
        self.loss.show_all()
        self.loss.set_series([])
        self._numbers = self.query_one("#loss-panel").border_subtitle = ""
        self.query_one("#bars", TimestepBars).show((), 0)


def _smoothed(history: History) -> str:
    loss = history.loss
    return f"smoothed {loss_text(loss.smooth[-1])}" if len(loss) else ""


def _held_out(history: History) -> str:
    if not len(history.validation):
        return "loss by timestep"
    return f"held-out {loss_text(history.validation.y[-1])} by timestep"
