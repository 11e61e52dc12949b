"""The losses that the labs print of their trainings, beside those that the runs that ship have logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftui.experiments.figures import signif
from difftui.experiments.page import Curve, Curves, Table
from difftui.runs import read_metrics, shipped_runs
from difftui.words import grouped

__all__ = ["LECTURE", "SOLUTION", "Readings", "by_epoch", "epoch_curves", "fallen", "last_readings", "tables"]

LECTURE = (
    0.2830, 0.2144, 0.2058, 0.2010, 0.1971, 0.1949, 0.1927, 0.1915, 0.1904, 0.1897, 0.1884, 0.1879,
    0.1874, 0.1868, 0.1863, 0.1862, 0.1856, 0.1856, 0.1849, 0.1850, 0.1846, 0.1843, 0.1845,
)  # fmt: skip
"""The Lecture's losses of epochs 1 to 23."""

EARLY = 5  # epochs after which most of the fall is done


@dataclass(frozen=True, slots=True)
class Readings:
    """Losses of single batches.

    Attributes:
        low, high: the extremes.
        mean: of them all.
        batches: how many they are.
    """

    low: float
    high: float
    mean: float
    batches: int


SOLUTION = Readings(0.020, 0.057, 0.0304, 53)
"""What the Solution shows of its last epochs: a reading of one batch every 100 steps."""

Rows = Sequence[Mapping[str, Any]]


def by_epoch(rows: Rows, epochs: int) -> NDArray[np.float64]:
    """The mean loss of each of so many equal parts of a run, (epochs,).

    A row of metrics tells the mean loss of the steps since the row before; where an epoch ends between two
    rows, that mean counts for both by its steps.

    Args:
        rows: with "step" and "loss", oldest first; at least one.
        epochs: how many the run had.
    """
    steps = np.array([0, *(row["step"] for row in rows)], np.float64)
    losses = np.array([row["loss"] for row in rows], np.float64)
    summed = np.concatenate(([0.0], np.cumsum(np.diff(steps) * losses)))
    ends = np.linspace(0.0, steps[-1], epochs + 1)
    return np.diff(np.interp(ends, steps, summed)) / np.diff(ends)


def last_readings(rows: Rows, count: int) -> Readings:
    """Lowest, highest and mean loss of a batch in the last ``count`` rows; there must be one row more."""
    before, *last = rows[-count - 1 :]
    steps = np.diff([before["step"], *(row["step"] for row in last)])
    return Readings(
        min(row["low"] for row in last),
        max(row["high"] for row in last),
        float(np.average([row["loss"] for row in last], weights=steps)),
        int(steps.sum()),
    )


def fallen(losses: Sequence[float] | NDArray[np.float64], epoch: int) -> float:
    """The share of the fall from the first epoch to the last that is done after ``epoch``, from 1."""
    return float((losses[0] - losses[epoch - 1]) / (losses[0] - losses[-1]))


def epoch_curves() -> Curves | None:
    """The Lecture's losses and those of our run of it; None where that does not ship."""
    ours = _lecture()
    if ours is None:
        return None
    epochs = np.arange(1, len(LECTURE) + 1)
    return Curves(
        "the Lecture's training loss by epoch",
        (
            Curve("printed", epochs, LECTURE, "foreground", points=True),
            Curve("our lecture run", epochs, ours, "accent"),
        ),
        (1.0, float(len(LECTURE))),
        (0.03, 0.4),
        True,
        x_name="epoch",
    )


def tables() -> tuple[tuple[str, Table], ...]:
    """What the labs print beside what our runs logged, and the Lecture's epochs one by one."""
    rows: list[tuple[str, ...]] = []
    lecture, lab, toy = _lecture(), _rows("lab"), _rows("toy")
    if lecture is not None:
        at = (0, EARLY - 1, -1)
        rows += [
            (f"Lecture: epochs 1, {EARLY}, {len(LECTURE)}", _figures(LECTURE, at), _figures(lecture, at)),
            (
                f"  of the fall, by epoch {EARLY}",
                f"{fallen(LECTURE, EARLY):.0%}",
                f"{fallen(lecture, EARLY):.0%}",
            ),
        ]
    if len(lab) > SOLUTION.batches:
        ours = last_readings(lab, SOLUTION.batches)
        rows += [
            ("Solution: mean, the end", signif(SOLUTION.mean), signif(ours.mean)),
            ("  lowest, highest, batches", _range(SOLUTION), _range(ours)),
        ]
    if toy:
        rows.append(("Modules: last epoch", "about 0.05", signif(float(by_epoch(toy, 8)[-1]))))
    if not rows:
        return ()
    compared = Table(("training loss", "printed", "our run"), tuple(rows))
    told = ("printed by the labs, logged by our runs: compare shapes, not heights", compared)
    return (told,) if lecture is None else (told, ("by epoch", _epochs(lecture)))


def _epochs(ours: NDArray[np.float64]) -> Table:
    pairs = enumerate(zip(LECTURE, ours, strict=True), 1)
    rows = ((str(epoch), f"{printed:.4f}", f"{run:.4f}") for epoch, (printed, run) in pairs)
    return Table(("epoch", "Lecture", "our run"), tuple(rows))


def _figures(losses: Sequence[float] | NDArray[np.float64], at: Sequence[int]) -> str:
    return ", ".join(f"{losses[place]:.4f}" for place in at)


def _range(readings: Readings) -> str:
    return f"{readings.low:.3f}, {readings.high:.3f}, {grouped(readings.batches)}"


def _lecture() -> NDArray[np.float64] | None:
    rows = _rows("lecture")
    return by_epoch(rows, len(LECTURE)) if rows else None


@lru_cache(maxsize=4)
def _rows(name: str) -> Rows:
    """The losses that a shipped run logged; none where it does not ship."""
    runs = [run for run in shipped_runs() if run.name == name]
    return [row for run in runs for row in read_metrics(run.metrics.path) if "low" in row]
