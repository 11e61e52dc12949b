"""What a run's curves look like, in memory that does not grow with the run.

A :class:`Series` is a row of buckets. While they are few, each value has its own; when they are full,
neighbours merge and a bucket is twice as wide from then on. So a run of a million steps is drawn from as many
numbers as one of ten thousand, and the lowest, the mean and the highest value of every bucket stay exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curve", "History", "HistoryBuilder", "Series", "numbers_of"]

Floats = NDArray[np.float64]

BUCKETS = 8192
FEWER_BUCKETS = 2048  # of curves that are shown small
MEMORY = 50  # values that the smoothed curve remembers
SHARE = 100  # and no less than this part of all values, so that it is as smooth as the plot is fine
MOST_BINS = 100


@dataclass(frozen=True, slots=True)
class Curve:
    """What a :class:`Series` held when this was taken; the arrays never change. A point is a bucket.

    Attributes:
        x: (n,) place of the newest value of each bucket, rising.
        y: (n,) mean of its values, each counted by its weight; NaN is a gap.
        low, high: (n,) lowest and highest value.
        smooth: (n,) moving average over the newest values, as it was at x.
    """

    x: Floats
    y: Floats
    low: Floats
    high: Floats
    smooth: Floats

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True)
class History:
    """The curves of a run, over its steps.

    Attributes:
        loss: of every step, or means of blocks of them with their lowest and highest.
        validation: loss on held-out digits.
        gradient_norm, learning_rate, images_per_second: now and then.
        by_timestep: validation loss in equal parts of the timesteps, clean to noise (NaN: none fell into that
            part); None before there is one, and ``by_timestep_step`` its step.
        seconds: training time at the newest row; 0 before the first.
    """

    loss: Curve
    validation: Curve
    gradient_norm: Curve
    learning_rate: Curve
    images_per_second: Curve
    by_timestep: tuple[float, ...] | None = None
    by_timestep_step: int = 0
    seconds: float = 0.0


class Series:
    """Takes values in order and gives :class:`Curve` views, both in constant time and bounded memory."""

    def __init__(self, buckets: int = BUCKETS) -> None:
        """Make an empty series.

        Args:
            buckets: how many there are at most, 8 or more. Once it has been full about half of them or more
                are in use, if the places are evenly spread.
        """
        if buckets < 8:
            raise ValueError(f"buckets must be at least 8, got {buckets}")
        self._most = buckets
        self._columns = np.empty((6, min(64, buckets)))
        self._length = 0  # closed buckets, and the open one last
        self._width = 0.0  # of a bucket along x, a power of two; 0: every value has its own
        self._edge = -math.inf  # where the open bucket ends
        self._average = 0.0
        self._counted = 0.0
        # The open bucket; written into its column when somebody looks, or when it is closed.
        self._x = -math.inf
        self._y = self._low = self._high = math.nan
        self._weight = 0.0
        self._view: Curve | None = None  # of all there is now
        self._viewed = 0  # so many of the columns some view shows: they must not change

    @property
    def weight(self) -> float:
        """Weight of all values so far, gaps left out."""
        return self._counted

    @property
    def last_x(self) -> float:
        """Place of the newest value; minus infinity before the first."""
        return self._x

    def append(
        self, x: float, y: float, *, low: float | None = None, high: float | None = None, weight: float = 1.0
    ) -> None:
        """Add a value, or the mean of several.

        Args:
            x: its place.
            y: the value; one that is not finite is a gap.
            low, high: lowest and highest of the values that ``y`` is the mean of; None is ``y``.
            weight: how many they are.

        Raises:
            ValueError: ``x`` falls or is not finite, or ``weight`` is not more than 0.
        """
        if not self._x <= x < math.inf:
            raise ValueError(f"x must be finite and must not fall, got {x} after {self._x}")
        if not 0 < weight < math.inf:
            raise ValueError(f"weight must be more than 0, got {weight}")
        if x >= self._edge:
            self._open_bucket(x)
        self._x = x
        self._view = None
        if not math.isfinite(y):
            return
        low = y if low is None or not low < y else low
        high = y if high is None or not high > y else high
        decay = _decay(self._counted, weight)
        self._average = decay * self._average + (1.0 - decay) * y
        self._counted += weight
        if self._weight:
            self._weight += weight
            self._y += (y - self._y) * (weight / self._weight)
            self._low, self._high = min(self._low, low), max(self._high, high)
        else:
            self._y, self._low, self._high, self._weight = y, low, high, weight

    def view(self) -> Curve:
        """The curve up to now. Later values are written behind it or into fresh arrays, never into it."""
        if self._view is None:
            self._write_open_bucket()
            parts = self._columns[:5, : self._length]
            parts.flags.writeable = False
            self._view = Curve(*parts)
            self._viewed = self._length
        return self._view

    def _open_bucket(self, x: float) -> None:
        """Close the open bucket and begin one that x falls into."""
        self._write_open_bucket()
        if self._length == self._columns.shape[1]:
            if self._length < self._most:
                self._columns = _widened(self._columns, min(2 * self._length, self._most))
                self._viewed = 0
            else:
                self._merge(x)
                if x < self._edge:
                    return
        self._length += 1
        if self._width:
            self._edge = (math.floor(x / self._width) + 1) * self._width
        self._y = self._low = self._high = math.nan
        self._weight = 0.0

    def _write_open_bucket(self) -> None:
        if not self._length or self._view is not None:  # no value since it was written
            return
        if self._viewed == self._length:
            self._columns = self._columns.copy()
            self._viewed = 0
        smooth = self._average if self._counted else math.nan
        self._columns[:, self._length - 1] = (self._x, self._y, self._low, self._high, smooth, self._weight)

    def _merge(self, next_x: float) -> None:
        """Make the buckets so wide that no more than about half are left, and open the last one again."""
        x, y, low, high, smooth, weight = self._columns
        span, furthest = next_x - float(x[0]), max(abs(float(x[0])), abs(next_x))
        least = max(2 * span / self._most, 2 * self._width, furthest * 2.0**-50, 2.0**-1000)
        self._width = 2.0 ** math.ceil(math.log2(least))
        number = np.floor(x / self._width)
        starts = np.flatnonzero(np.diff(number, prepend=-np.inf))
        last = np.append(starts[1:], len(x)) - 1
        total = np.add.reduceat(weight, starts)
        with np.errstate(all="ignore"):  # 0 / 0 is a gap; sums of absurd values may be infinite
            mean = np.add.reduceat(np.where(weight > 0, weight * y, 0.0), starts) / total
        merged = np.stack(
            [
                x[last],
                mean,
                np.fmin.reduceat(low, starts),
                np.fmax.reduceat(high, starts),
                smooth[last],
                total,
            ]
        )
        self._columns = _widened(merged, self._most)
        self._length, self._viewed = len(starts), 0
        self._y, self._low, self._high = (float(value) for value in merged[1:4, -1])
        self._weight = float(total[-1])
        self._edge = (float(number[-1]) + 1) * self._width


class HistoryBuilder:
    """Gathers a run's curves from losses as they come, from rows of its metrics file, or from both."""

    def __init__(self) -> None:
        self._loss = Series()
        self._validation, self._gradient, self._rate, self._speed = (Series(FEWER_BUCKETS) for _ in range(4))
        self._bins: tuple[float, ...] | None = None
        self._bins_step = 0
        self._seconds = 0.0
        self._loss_step = 0  # steps after this are new
        self._block = 1  # steps in the newest row
        self._jumped = False
        self._history: History | None = None

    def add_losses(self, first_step: int, losses: Sequence[float]) -> None:
        """Take the losses of steps that follow each other; those of steps that are known are left out."""
        for step, loss in enumerate(losses, first_step):
            if step > self._loss_step:
                self._loss.append(step, loss)
                self._loss_step = step
        if losses:
            self._history = None

    def add_row(self, row: Mapping[str, Any]) -> None:
        """Take a row of metrics, whatever is in it; what makes no sense is left out.

        The loss of a row counts for all steps since the row before, and not at all if :meth:`add_losses` had
        it. So the process that trains may give both.
        """
        step = row.get("step")
        if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step < 10**15:
            return
        self._history = None
        seconds = _number(row.get("seconds"))
        if seconds is not None and math.isfinite(seconds):
            self._seconds = seconds
        loss = _number(row.get("loss"))
        if loss is not None and step > self._loss_step:
            if not self._jumped:
                self._block = step - self._loss_step
            self._jumped = False
            low, high = _number(row.get("low")), _number(row.get("high"))
            self._loss.append(step, loss, low=low, high=high, weight=self._block)
            self._loss_step = step
        _add(self._validation, step, row.get("validation"))
        _add(self._gradient, step, row.get("grad"))
        _add(self._rate, step, row.get("lr"))
        _add(self._speed, step, row.get("rate"))
        bins = _bins(row.get("bins"))
        if bins is not None:
            self._bins, self._bins_step = bins, step

    def jump(self) -> None:
        """Say that rows are left out here: the next one is taken to count for as many steps as the last."""
        self._jumped = True

    def view(self) -> History:
        """The curves up to now; the same object as before if nothing came."""
        if self._history is None:
            self._history = History(
                loss=self._loss.view(),
                validation=self._validation.view(),
                gradient_norm=self._gradient.view(),
                learning_rate=self._rate.view(),
                images_per_second=self._speed.view(),
                by_timestep=self._bins,
                by_timestep_step=self._bins_step,
                seconds=self._seconds,
            )
        return self._history


def _decay(counted: float, weight: float) -> float:
    """What is left of the average after ``weight`` more values.

    Of one value c / (c + 9) while there are few, which is the plain mean of about the newest tenth of them;
    then 1 - 1/50; and 1 - 100/c from c = 5000 on, of which the product over many is a power.
    """
    decay = 1.0
    while weight > 0 and counted < 9 * (MEMORY - 1):
        part = min(1.0, weight)
        decay *= (counted / (counted + 9)) ** part
        counted, weight = counted + part, weight - part
    if weight > 0 and counted < MEMORY * SHARE:
        part = min(weight, MEMORY * SHARE - counted)
        decay *= (1 - 1 / MEMORY) ** part
        counted, weight = counted + part, weight - part
    return decay * (counted / (counted + weight)) ** SHARE if weight > 0 else decay


def _widened(columns: Floats, capacity: int) -> Floats:
    wider = np.empty((len(columns), capacity))
    wider[:, : columns.shape[1]] = columns
    return wider


def _number(value: object) -> float | None:
    """A number of a foreign file as a float; None for anything else."""
    if type(value) is float:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def numbers_of(row: Mapping[str, Any]) -> dict[str, float]:
    """What is a finite number in a row of metrics, by name."""
    numbers = ((name, _number(value)) for name, value in row.items())
    return {name: value for name, value in numbers if value is not None and math.isfinite(value)}


def _add(series: Series, step: int, value: object) -> None:
    number = _number(value)
    if number is not None and step >= series.last_x:
        series.append(step, number)


def _bins(value: object) -> tuple[float, ...] | None:
    """Numbers, or null for a part without any; None if it is no such list."""
    if not isinstance(value, list) or not 0 < len(value) <= MOST_BINS:
        return None
    numbers = tuple(math.nan if part is None else _number(part) for part in value)
    return None if None in numbers else tuple(n for n in numbers if n is not None)
