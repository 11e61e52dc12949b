"""Progress on stderr: bars in a terminal, a line every few seconds elsewhere, silence when stderr is gone."""

from __future__ import annotations

import time
from typing import IO, TYPE_CHECKING, cast

from difftui.commands.stderr import Stderr, tell
from difftui.runs import Series
from difftui.words import duration, loss_text

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from difftui.training.progress import Progress
    from difftui.training.recipe import Recipe

__all__ = ["Bar", "TrainingDisplay", "tell"]

FRAME_SECONDS = 0.1
LINE_SECONDS = 5.0


class Bar:
    """One bar with a line of text behind it. It draws when it is time to, and never fails."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._last = -1e9
        self._bar: RichProgress | None = None
        self._stderr = Stderr()
        self._in_terminal = self._stderr.isatty()

    def show(self, fraction: float, text: str, *, now: bool = False) -> None:
        """Draw, unless the last drawing is too recent (``now`` draws in any case)."""
        clock = time.monotonic()
        if not now and clock - self._last < (FRAME_SECONDS if self._in_terminal else LINE_SECONDS):
            return
        self._last = clock
        if not self._in_terminal:
            tell(f"{self._title} {fraction:4.0%}  {text}")
            return
        if self._stderr.behind:
            return
        if self._bar is None:
            self._bar = _rich_bar(self._stderr)
            self._task = self._bar.add_task(self._title, total=1.0, text=text)
            self._bar.start()
        self._bar.update(self._task, completed=fraction, text=text)
        self._bar.refresh()

    def close(self) -> None:
        """Leave the bar where it is and give the cursor back."""
        if self._bar is not None:
            self._bar.stop()


class TrainingDisplay:
    """How a training goes."""

    def __init__(self, name: str, recipe: Recipe) -> None:
        self._bar = Bar(name)
        self._of = f"/{recipe.epochs}" if recipe.epochs is not None else ""
        self._losses = Series()

    @property
    def loss(self) -> float | None:
        """The smoothed loss, as the app shows it; None before the first."""
        smooth = self._losses.view().smooth
        return float(smooth[-1]) if len(smooth) else None

    def show(self, progress: Progress, *, now: bool = False) -> None:
        """Take in the losses, and draw when it is time."""
        for loss in progress.losses:
            self._losses.append(progress.step, loss)
        if self.loss is not None:
            self._bar.show(progress.fraction, self._text(progress), now=now)

    def close(self) -> None:
        """Give the terminal back."""
        self._bar.close()

    def _text(self, progress: Progress) -> str:
        parts = [
            f"epoch {progress.epoch:.2f}{self._of}",
            f"loss {loss_text(self.loss)}" if self.loss is not None else "",
            f"{progress.images_per_second:.0f} images/s",
        ]
        left = progress.seconds_left
        if left is not None and progress.fraction < 1:
            parts.append(f"about {duration(left)} left")
        return "  ".join(parts)  # with name and bar this fits into 80 columns


def _rich_bar(stderr: Stderr) -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=10),
        TaskProgressColumn(),
        TextColumn("{task.fields[text]}", markup=False),
        console=Console(file=cast("IO[str]", stderr)),
        auto_refresh=False,  # no second thread that could fail when the terminal goes
    )
