"""Following a run that another process writes, on this machine or another: by its files alone, by polling."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from difftui.errors import DifftuiError
from difftui.runs.history import History, HistoryBuilder
from difftui.runs.presence import Holder, LifeSign, Pulse, read_holder
from difftui.runs.reader import MetricsReader
from difftui.runs.run import Run, Status
from difftui.runs.strips import read_strip

__all__ = ["Follower", "Strip", "look_back"]

POLL_SECONDS = 0.25  # a poll takes hardly longer
REFINE_SECONDS = 0.05  # of that for reading whole what was thinned at first
MOST_WHOLE = 32_000_000  # bytes; our own files stay below for weeks
MOST_AT_ONCE = 10_000_000  # bytes read whole when a training goes on
MOST_STRIPS = 200
COARSE_SECONDS = 2.0  # in which a folder may change twice and keep its time, also on a network's disk


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Pictures drawn from the weights as they were at one step.

    Attributes:
        step: optimiser steps done.
        images: (n, H, H) uint8, 0 black to 255 white; read-only.
    """

    step: int
    images: NDArray[np.uint8]


class Follower:
    """What can be seen of a run from outside, as of the newest :meth:`poll`.

    It writes nothing and needs no right to. What vanishes or cannot be read stays as it was last seen.

    Attributes:
        run: which.
        status: how far it is; "stopped" if it is marked "training" and gives no sign of life.
        holder: who trains it, or None; whether they live, ``life`` says.
        life: whether it is trained now.
        about: facts of its newest sitting.
        strips: strips of samples by step: all, or every second, fourth, … and the newest.
    """

    def __init__(self, run: Run) -> None:
        """Nothing is read yet."""
        self.run = run
        self.status = Status()
        self.holder: Holder | None = None
        self.life = LifeSign("not running", None)
        self.about: dict[str, str | int | float | bool | None] = {}
        self.strips: tuple[Strip, ...] = ()
        self._stored = Status()
        self._pulse = Pulse()
        self._reader = MetricsReader(run.metrics.path)
        self._whole: MetricsReader | None = None
        self._samples = _Samples(run)

    @property
    def history(self) -> History:
        """The run's curves; the same object until something new comes."""
        return self._reader.builder.view()

    @property
    def last_row(self) -> dict[str, float]:
        """The numbers of the newest row of metrics with a loss, by name; empty before the first."""
        return self._reader.last_row

    @property
    def thinned(self) -> bool:
        """Whether the metrics were so many that parts are left out of the curves."""
        return self._reader.thinned

    @property
    def behind(self) -> bool:
        """Whether there is more to read right now than one poll may."""
        return self._reader.behind or self._samples.behind

    def poll(self) -> bool:
        """Look at the run's files, for no longer than about a quarter of a second.

        Returns:
            Whether something is new (another second since the last sign of life is not).
        """
        deadline = time.monotonic() + POLL_SECONDS
        changed = self._look()
        changed |= self._reader.read(deadline)
        changed |= self._refine()
        if self._samples.read(deadline):
            self.strips = self._samples.strips()
            changed = True
        return changed

    def _look(self) -> bool:
        """At the small files."""
        before = (self.status, _constant(self.holder), self.life.state, self.about)
        found = read_holder(self.run.holder_path)
        self.life = self._pulse.look(found, self.run.lock_state())
        self.holder = found[0] if found is not None else None
        stored = self.run.stored_status()
        self._stored = stored if stored != Status() else self._stored
        ended = self._stored.state == "training" and self.life.state != "alive"
        self.status = self._stored.ended(self.life) if ended else self._stored
        self.about = self.run.about() or self.about
        return before != (self.status, _constant(self.holder), self.life.state, self.about)

    def _refine(self) -> bool:
        """Read whole, little by little, what was thinned so that it opens at once."""
        if not self._reader.thinned or self._reader.behind or self._reader.size > MOST_WHOLE:
            self._whole = None
            return False
        if self._whole is None:
            self._whole = MetricsReader(self.run.metrics.path, whole=True)
        self._whole.read(time.monotonic() + REFINE_SECONDS)
        if self._whole.behind or self._whole.position < self._reader.position:
            return False
        self._reader, self._whole = self._whole, None
        return True


def look_back(run: Run, last_step: int) -> tuple[HistoryBuilder, tuple[Strip, ...]]:
    """What earlier sittings of a run left: curves and strips up to ``last_step``, for one that goes on.

    A run of days takes about half a second; of a larger file parts are left out.
    """
    path = run.metrics.path
    try:
        whole = path.stat().st_size <= MOST_AT_ONCE
    except OSError:
        whole = True
    reader = MetricsReader(path, whole=whole, last_step=last_step)
    reader.read(math.inf)
    samples = _Samples(run, last_step)
    samples.read(math.inf)
    return reader.builder, samples.strips()


class _Samples:
    """The strips of a run, no more than fit: every first, second, fourth, …, and always the newest."""

    def __init__(self, run: Run, last_step: int | None = None) -> None:
        self._run = run
        self._last_step = last_step
        self._kept: dict[int, Strip | None] = {}  # by step; None is a file that is no strip
        self._wanted: list[tuple[int, Path]] = []
        self._changed_at: int | None = None
        self._moved_at = 0.0  # when that was first seen

    @property
    def behind(self) -> bool:
        return bool(self._wanted)

    def strips(self) -> tuple[Strip, ...]:
        return tuple(strip for _, strip in sorted(self._kept.items()) if strip is not None)

    def read(self, deadline: float) -> bool:
        """Read what is new. Returns whether there was anything."""
        changed = self._list()
        while self._wanted:
            step, path = self._wanted.pop()
            try:
                images = read_strip(path)
            except DifftuiError:
                self._kept[step] = None
            else:
                images.flags.writeable = False
                self._kept[step] = Strip(step, images)
                changed = True
            if time.monotonic() > deadline:
                break
        return changed

    def _list(self) -> bool:
        """See which strips there are, if the folder has changed. Returns whether some are kept no more.

        Times of folders are coarse: after a change it is looked at for another two seconds.
        """
        try:
            changed_at = self._run.samples_path.stat().st_mtime_ns
        except OSError:
            return False
        now = time.monotonic()
        if changed_at != self._changed_at:
            self._changed_at, self._moved_at = changed_at, now
        elif now - self._moved_at > COARSE_SECONDS:
            return False
        found = self._run.sample_strips()
        if self._last_step is not None:
            found = [one for one in found if one[0] <= self._last_step]
        stride = 1
        while len(found[::stride]) + (stride > 1) > MOST_STRIPS:  # one more for the newest
            stride *= 2
        chosen = dict([*found[::stride], *found[-1:]])
        dropped = [step for step in self._kept if step not in chosen]
        for step in dropped:
            del self._kept[step]
        self._wanted = sorted((step, path) for step, path in chosen.items() if step not in self._kept)
        return bool(dropped)


def _constant(holder: Holder | None) -> Holder | None:
    """A record without what changes with every beat."""
    return None if holder is None else replace(holder, counter=0, beat=0.0)
