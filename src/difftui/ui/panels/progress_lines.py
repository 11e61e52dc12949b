"""How far a training is, in two lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from difftui.ui.panels.estimate import Estimate, clock
from difftui.ui.panels.standing import Standing
from difftui.words import duration, grouped

if TYPE_CHECKING:
    from difftui.engine.training import TrainingView
    from difftui.training.progress import Progress

__all__ = ["bar_line", "number_line"]

LEAST_BAR = 8


def bar_line(progress: Progress, standing: Standing, estimate: Estimate | None, width: int) -> Content:
    """Share, bar, epoch, speed and the time that is left, or how long it took against the estimate."""
    words = f" {progress.fraction:4.0%}  "
    ends = f"  {_end(progress, standing, estimate)} "
    if not standing.over:
        rate = grouped(round(progress.images_per_second))
        ends = f"  epoch {progress.epoch:6.2f}  {rate:>7} images/s {ends:>19}"
    room = max(LEAST_BAR, width - len(words) - len(ends))
    full = round(room * progress.fraction)
    colour = standing.colour if standing is not Standing.STOPPED else "$accent"
    return Content.assemble(words, ("━" * full, colour), ("━" * (room - full), "$border"), ends)


def number_line(view: TrainingView, standing: Standing, now: float, width: int) -> Content:
    """Step, learning rate, gradient, and when it was saved; the middle ones as far as there is room."""
    progress = view.progress
    assert progress is not None  # who calls has one
    total = f" of {grouped(progress.total_steps)}" if progress.total_steps else ""
    parts = [f"step {grouped(progress.step)}{total}"]
    if len(view.history.learning_rate):  # runs of the first version did not keep it
        parts.append(f"lr {progress.learning_rate:.1e}")
    if progress.gradient_norm is not None:
        parts.append(f"gradient {progress.gradient_norm:6.3g}")
    parts.append(_saved(view, progress, standing, now))
    while len(parts) > 2 and len(" · ".join(parts)) + 1 > width:
        parts.pop(1)
    return Content(" " + " · ".join(parts)).stylize("$muted")


def _end(progress: Progress, standing: Standing, estimate: Estimate | None) -> str:
    if standing is Standing.FINISHED:
        return (
            estimate.against(progress.seconds) if estimate is not None else f"took {clock(progress.seconds)}"
        )
    if standing.over:
        return f"after {clock(progress.seconds)}"
    left = progress.seconds_left
    return f"about {duration(left)} left" if left is not None else ""


def _saved(view: TrainingView, progress: Progress, standing: Standing, now: float) -> str:
    if standing in (Standing.FINISHED, Standing.STOPPED):
        return "saved"
    if view.saved_at is not None:
        return f"saved {duration(max(0.0, now - view.saved_at))} ago"
    return "not saved yet" if progress.saved_step is None else f"saved at step {grouped(progress.saved_step)}"
