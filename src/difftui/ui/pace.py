"""How fast a job is asked for events, whatever the frame rate."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["LATE_SECONDS", "Pace"]

# Events not asked for in time (another screen was shown) are not made up for. A slow clock has longer.
LATE_SECONDS = 0.25


@dataclass(slots=True)
class Pace:
    """How many epochs to ask for so that about ``rate`` a second are done.

    Attributes:
        rate: epochs a second.
        asked: the epoch that the last request leads to.
        late: seconds for which epochs that were not asked for in time are made up.
    """

    rate: float
    asked: int = 0
    late: float = LATE_SECONDS
    _owed: float = field(default=0.0, init=False)
    _seen: float | None = field(default=None, init=False)

    def start(self, epoch: int, at: float | None = None) -> None:
        """Count from this epoch, and from the time ``at`` (None: from the next :meth:`due`)."""
        self.asked, self._owed, self._seen = epoch, 0.0, at

    def due(self, now: float, epoch: int, goal: int) -> int:
        """Epochs to ask for at the time ``now``, when ``epoch`` are done and ``goal`` is where to hold."""
        seen = now if self._seen is None else self._seen
        if now < seen:
            return 0
        self._seen = now
        self._owed = min(self._owed + (now - seen) * self.rate, self.late * self.rate)
        if self.asked > epoch:  # the worker is busy with something else, or this is all the speed it has
            return 0
        count = min(int(self._owed), max(goal - self.asked, 0))
        self._owed -= count
        self.asked += count
        return count
