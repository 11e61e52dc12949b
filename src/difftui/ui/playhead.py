"""Where in a recording the viewer is, by the clock: frames may be dropped, time may not."""

from __future__ import annotations

__all__ = ["Playhead"]


class Playhead:
    """A position among frames 0 … ``newest`` that moves while it plays.

    Attributes:
        playing: whether it moves by itself.
        rate: frames a second.
    """

    def __init__(self, rate: float = 15.0) -> None:
        self.playing = False
        self.rate = rate
        self._exact = 0.0
        self._now: float | None = None

    @property
    def index(self) -> int:
        """The frame to show."""
        return int(self._exact + 1e-6)  # sums of many short times fall a hair short of whole frames

    def advance(self, now: float, newest: int, *, complete: bool) -> None:
        """Let time pass. At the newest frame it waits for more, or stops if there will be none.

        Args:
            now: the clock, in seconds.
            newest: the last frame there is.
            complete: whether that is the last there will be.
        """
        passed = 0.0 if self._now is None else now - self._now
        self._now = now
        if self.playing:
            self._exact = min(self._exact + passed * self.rate, float(newest))
            self.playing = not (complete and self.index >= newest)

    def rest(self) -> None:
        """Nobody looked for a while: that time does not count."""
        self._now = None

    def start(self) -> None:
        """Play from the first frame."""
        self._exact, self.playing, self._now = 0.0, True, None

    def go(self, index: int, newest: int) -> None:
        """Hold at a frame, within those there are."""
        self._exact, self.playing = float(min(max(index, 0), newest)), False
