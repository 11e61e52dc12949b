"""A network's error at every strength of noise, and what being told the time is worth to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from difftui.diffusion.one_shot import noise_level
from difftui.engine.measuring import NoiseErrors
from difftui.engine.network_facts import NetworkFacts
from difftui.ui.widgets.plot import CurvePlot, Line, Marker, Series
from difftui.words import grouped

if TYPE_CHECKING:
    from difftui.evaluation.by_noise import ErrorCurve

__all__ = ["NoiseErrorsPanel"]

TARGETS = {"eps": "ε", "x0": "x_0", "v": "v", "x_prev": "x_{t-1}"}


class NoiseErrorsPanel(Vertical):
    """Shows :class:`NoiseErrors` as a plot with three lines of reading below."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield CurvePlot(id="errors-plot", classes="panel")
        yield Static(id="errors-told")

    def clear(self) -> None:
        """Show nothing: what was there belongs to another choice."""
        self._drawn = ()
        self.query_one("#errors-plot", CurvePlot).set_series([])
        self.query_one("#errors-told", Static).update("")

    def show(
        self,
        network: NetworkFacts,
        errors: NoiseErrors | None,
        *,
        told: int,
        other: str | None,
        missing: str,
        log_axis: bool,
    ) -> None:
        """Draw what is measured so far.

        Args:
            network: whose errors.
            errors: None before the first are there.
            told: the time that is being told everywhere, of the marker; ``errors`` may be of another yet.
            other: the name of the network that differs by the time alone, None where there is none.
            missing: what would have to be trained to see more; empty for nothing.
            log_axis: of the error.
        """
        drawn = (network, errors, told, other, missing, log_axis)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self._draw_plot(network, errors, told, other, log_axis=log_axis)
        self.query_one("#errors-told", Static).update(_reading(network, errors, other, missing), layout=False)

    def _draw_plot(
        self,
        network: NetworkFacts,
        errors: NoiseErrors | None,
        told: int,
        other: str | None,
        *,
        log_axis: bool,
    ) -> None:
        plot, ladder = self.query_one("#errors-plot", CurvePlot), network.ladder
        plot.place_words = lambda rung: ladder.label(round(rung))
        lines: list[Line] = []
        markers: list[Marker] = []
        if network.one_shot:
            plot.border_title = f"{network.name} · MSE to the clean digit, by the noise added"
            taught = _taught(network)
            markers.append(Marker(taught, f"taught {ladder.label(taught).split()[-1]}", "muted"))
            series = _one_shot_series(errors)
        else:
            plot.border_title = f"{network.name} · loss on {TARGETS[network.target]}, by timestep"
            lines = _loss_lines(network)
            if network.takes_time:
                markers.append(Marker(told, colour="noise"))
            series = _timed_series(network, errors, other)
        plot.set_series(
            series,
            x_range=(0, max(ladder.last, 1)),
            log_y=log_axis,
            lines=lines,
            markers=markers,
            x_ticks=[(0, "0 clean"), (ladder.last, f"noise {ladder.label(ladder.last).split()[-1]}")],
        )


def _loss_lines(network: NetworkFacts) -> list[Line]:
    """What a loss is held against."""
    lines = [Line(1.0, "always answers 0")] if network.target == "eps" else []
    if network.goal is not None:
        lines.append(Line(network.goal, f"target of the mean {network.goal:g}"))
    return lines


def _one_shot_series(errors: NoiseErrors | None) -> list[Series]:
    if errors is None:
        return []
    own = errors.own
    return [
        Series(own.rungs, own.untouched, "left as it was", "noise"),
        Series(own.rungs, own.clean, "cleaned", "accent"),
    ]


def _timed_series(network: NetworkFacts, errors: NoiseErrors | None, other: str | None) -> list[Series]:
    if errors is None:
        return []
    series = []
    if errors.fixed is not None:
        series.append(
            Series(errors.fixed.rungs, errors.fixed.loss, f"always told t = {errors.told}", "noise")
        )
    if errors.other is not None and other is not None:
        series.append(Series(errors.other.rungs, errors.other.loss, other, "green"))
    own = "told its t" if network.takes_time else "never told t"
    label = f"{network.name}, {own}" if errors.other is not None else own
    series.append(Series(errors.own.rungs, errors.own.loss, label, "accent"))
    return series


def _taught(network: NetworkFacts) -> int:
    """The rung of the noise that a one-shot network learned on."""
    ladder = network.ladder
    wanted = noise_level(ladder.schedule, 0)
    return min(range(ladder.last + 1), key=lambda rung: abs(ladder.sigma(rung) - wanted))


def _reading(network: NetworkFacts, errors: NoiseErrors | None, other: str | None, missing: str) -> Content:
    """The curves in three lines."""
    if errors is None:
        first = Content("measuring on held-out digits …").stylize("$muted")
        return Content("\n").join([first, Content(), Content(missing).stylize("$muted")])
    if network.one_shot:
        lines = _one_shot_reading(network, errors.own)
    else:
        lines = [_mean_line(network, errors), _worth_line(network, errors, other)]
    return Content("\n").join([*lines, Content(missing).stylize("$muted")])


def _mean_line(network: NetworkFacts, errors: NoiseErrors) -> Content:
    goal = f"   [$muted]its lab's target, about[/] {network.goal:g}" if network.goal is not None else ""
    return Content.from_markup(
        f"[$muted]mean over t[/]  [b $accent]{errors.own.mean_loss:.4f}[/]{goal}"
        f"   [$muted]{errors.own.pictures} digits at each of {len(errors.own.rungs)} t[/]"
    )


def _worth_line(network: NetworkFacts, errors: NoiseErrors, other: str | None) -> Content:
    own = errors.own.mean_loss
    parts = []
    if errors.fixed is not None:
        wrong = errors.fixed.mean_loss
        parts.append(
            f"[$muted]always told t = {errors.told}:[/] [b $secondary]{wrong:.4f}[/]"
            f" [$muted]=[/] {wrong / own:.1f} ×"
        )
    if errors.other is not None and other is not None:
        mean = errors.other.mean_loss
        told, never = (own, mean) if network.takes_time else (mean, own)
        parts.append(
            f"[$success]{other}[/][$muted]:[/] [b $success]{mean:.4f}[/][$muted]; without the time[/]"
            f" {never / told:.2f} × [$muted]· trained[/] {grouped(errors.steps[0])} [$muted]and[/]"
            f" {grouped(errors.steps[1])} [$muted]steps[/]"
        )
    elif not network.takes_time:
        parts.append("[$muted]It is never told t, and must guess the noise from the picture.[/]")
    return Content.from_markup("   ".join(parts))


def _one_shot_reading(network: NetworkFacts, own: ErrorCurve) -> list[Content]:
    better = np.flatnonzero(own.clean < own.untouched)
    taught = network.ladder.label(_taught(network))
    first = Content.from_markup(
        f"[$muted]Never told the time: taught[/] {taught}[$muted], it cleans as if that were there.[/]"
    )
    if not len(better):
        return [first, Content("It is nowhere better than leaving the picture as it was.")]
    least = network.ladder.label(int(own.rungs[better[0]]))
    second = Content.from_markup(
        f"[$muted]Better than leaving the picture alone from[/] [b $accent]{least}[/]"
        f" [$muted]on; less, and it does harm.[/]"
    )
    return [first, second]
