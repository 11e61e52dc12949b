"""What Generate and Compare share: a drawing that is played while it is computed, at the user's speed."""

from __future__ import annotations

import math

from difftui.ui.playhead import Playhead
from difftui.ui.widgets.slider import Slider

__all__ = ["Played", "Player"]

FPS = 15  # of the usual speed; faster playing, or a slower clock, leaves frames out
SPEEDS = range(-4, 7)  # powers of two of it
SLOWEST = -2  # that is taken unasked


class Player(Playhead):
    """A playhead at 15 frames a second, times a power of two: one that suits, until the user chooses."""

    def __init__(self, seconds: float) -> None:
        """At first it holds.

        Args:
            seconds: about how long a drawing plays until the user chooses a speed.
        """
        super().__init__(FPS)
        self._seconds = seconds
        self._speed = 0
        self._chosen = False

    def suit(self, frames: int) -> None:
        """Take the speed that suits so many frames, unless one was chosen."""
        if not self._chosen:
            speed = round(math.log2(frames / (FPS * self._seconds)))
            self._take(min(max(speed, SLOWEST), SPEEDS[-1]))

    def change(self, by: int) -> None:
        """Twice as fast for each, or (negative) half."""
        self._chosen = True
        self._take(min(max(self._speed + by, SPEEDS[0]), SPEEDS[-1]))

    def _take(self, speed: int) -> None:
        self._speed, self.rate = speed, FPS * 2.0**speed


class Played:
    """The keys of a player, for a screen.

    Attributes:
        playhead: which frame of the drawing is shown.
    """

    playhead: Player

    @property
    def newest(self) -> int | None:
        """The last frame that is known, or None where there is none yet."""
        raise NotImplementedError

    @property
    def at_end(self) -> bool:
        """Whether the last frame that there will be is shown."""
        raise NotImplementedError

    @property
    def live(self) -> bool:
        """Whether another drawing would be another: the network is in training."""
        raise NotImplementedError

    def draw_anew(self) -> None:
        """Compute it again, and play it from the start."""
        raise NotImplementedError

    def action_play(self) -> None:
        """Play or hold; at the end again from the start, a network in training with its weights of now."""
        head = self.playhead
        if head.playing or not self.at_end:
            head.playing = not head.playing
        elif self.live:
            self.draw_anew()
        else:
            head.start()

    def action_step(self, frames: int) -> None:
        """Some frames on; negative: back towards the noise."""
        if self.newest is not None:
            self.playhead.go(self.playhead.index + frames, self.newest)

    def action_jump(self, end: int) -> None:
        """The pure noise (0) or the newest frame (1)."""
        if self.newest is not None:
            self.playhead.go(self.newest if end else 0, self.newest)

    def action_speed(self, by: int) -> None:
        """Twice as fast, or half."""
        self.playhead.change(by)

    def on_slider_moved(self, event: Slider.Moved) -> None:
        if self.newest is not None:
            self.playhead.go(event.value, self.newest)
