"""How much the link to the terminal bears, learned from when what was sent has arrived.

What the system has taken may still wait in buffers of ssh and the network, more than a second's worth of a
slow link. So the driver asks the terminal for a sign (a status report, which every terminal gives) behind a
frame; it is answered when the frame has been read. The first sign is asked for before anything is drawn: it
tells the way's own time. A terminal that never answers is judged by what the system takes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

__all__ = ["Flow"]

BUSY_SECONDS = 0.03  # more delay than the least seen: the link was busy and not just far
FORGET = 0.3  # weight of a new sample in the rate
LEAST_SAMPLE = 512  # bytes: of fewer the time tells how busy the machines are, and not the link
GROWTH = 1.15  # a second, of a rate that nothing has confirmed lately
MOST_MARKS = 32
LOST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Mark:
    total: int
    at: float


class Flow:
    """Marks in the stream of bytes, and when they arrived. Times in seconds on any one clock.

    Attributes:
        delay: least seconds seen from a mark to its arrival: the round trip of an idle link.
    """

    def __init__(self) -> None:
        self.delay = 0.0
        self._marks: deque[_Mark] = deque()
        self._arrived = 0  # bytes
        self._arrived_at = float("-inf")
        self._rate: float | None = None
        self._rate_at = 0.0
        self._heard = False

    def mark(self, total: int, now: float) -> bool:
        """Remember that ``total`` bytes were handed over by now.

        Returns:
            Whether the terminal should be asked for a sign: not when many are under way.
        """
        if len(self._marks) >= MOST_MARKS:
            return False
        self._marks.append(_Mark(total, now))
        return True

    def taken(self, total: int, now: float) -> None:
        """So many bytes were taken: counts as arrival where nothing better is known."""
        while not self._heard and self._marks and self._marks[0].total <= total:
            self._take(self._marks.popleft(), now)

    def heard(self, now: float) -> None:
        """The terminal gave its sign for the oldest mark; from now on only its signs count."""
        self._heard = True
        if self._marks:
            self._take(self._marks.popleft(), now)

    def waiting(self, now: float) -> float:
        """Seconds that what is sent now would wait, as far as that is known.

        That is as long as the oldest mark has been under way beyond what the way itself takes, or as the link
        needs for all that is under way, whichever is more. A mark that has been for very long was lost, with
        its sign or before, and is given up.
        """
        while self._marks and now - self._marks[0].at > LOST_SECONDS:
            self._marks.popleft()
        if not self._marks:
            return 0.0
        rate = self.rate(now)
        oldest, newest = self._marks[0], self._marks[-1]
        begun = max(oldest.at, self._arrived_at - self.delay)
        needed = (newest.total - self._arrived) / rate if rate is not None else 0.0
        return max(0.0, now - oldest.at - self.delay, begun + needed - now)

    def rate(self, now: float) -> float | None:
        """Bytes a second that the link bears, about; None while it has taken everything at once.

        Nothing confirms a rate that is not used up. So it rises with time, and is tried again.
        """
        if self._rate is None:
            return None
        rate: float = self._rate * GROWTH ** min(now - self._rate_at, 60.0)
        return rate

    def _take(self, mark: _Mark, now: float) -> None:
        took = now - mark.at
        self.delay = min(self.delay, took) if self._arrived_at > float("-inf") else took
        since = max(mark.at, self._arrived_at)  # before, the link was busy with other bytes
        busy = now - since - (self.delay if since == mark.at else 0.0)
        count = mark.total - self._arrived
        if took - self.delay > BUSY_SECONDS and busy > 0 and count >= LEAST_SAMPLE:
            sample = count / busy
            self._rate = sample if self._rate is None else (1 - FORGET) * self._rate + FORGET * sample
            self._rate_at = now
        elif took - self.delay <= BUSY_SECONDS and count / BUSY_SECONDS > (self.rate(now) or float("inf")):
            self._rate, self._rate_at = count / BUSY_SECONDS, now  # at least: so much came in no time
        self._arrived, self._arrived_at = max(self._arrived, mark.total), now
