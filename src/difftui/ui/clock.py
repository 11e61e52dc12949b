"""The one clock of all animation: when a moving picture draws its next frame, and how fine.

A frame begins only when those before it have arrived, so a key never waits behind more than one. Where the
link takes too long for a frame, moving pictures become coarser; where it takes too long even so, a frame is
drawn in parts, each as much as the link bears in a frame's time. One that rests is always drawn sharp.
"""

from __future__ import annotations

from collections import deque

from difftui.pixel_modes import Detail
from difftui.ui.flow import Flow

__all__ = ["FRAME_SECONDS", "FrameClock"]

FRAME_SECONDS = 0.1  # of the link, that a frame may take: a key waits for one, and for its own
WAIT_SECONDS = 0.03  # that frames may be under way before the next one is left out
ROOM = 0.7  # a finer picture is tried when it would need no more than this part of a frame's time
SHARE = 0.08  # of a core, that animation takes at most from a training on these cores
SMOOTH = 0.2  # weight of a new frame in what frames cost the processor
FADE = 0.985  # a frame, of what is known of the cost of finer ones: pictures change
WINDOW_SECONDS = 2.0  # over which the rate is told


DETAILS = tuple(Detail)  # from fine to coarse


class FrameClock:
    """Decides for each tick whether a frame is drawn, and counts what frames cost.

    Attributes:
        fps: frames a second at most.
        detail: how finely the next one is drawn.
        flow: what the link bears.
        sparing: whether a training needs the cores that draw: then as few frames are drawn as keep to
            :data:`SHARE` of one.
    """

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self.detail = Detail.FULL
        self.flow = Flow()
        self.sparing = False
        self._last = float("-inf")
        self._total = 0
        self._worked = self._work = 0.0  # seconds of the processor: so far, and a frame
        self._cost: dict[Detail, float] = {}
        # When, the bytes since the one before, and how much of the pictures they were.
        self._frames: deque[tuple[float, int, float]] = deque()

    def may_draw(self, now: float, fps: float | None = None) -> bool:
        """Whether a frame may be drawn now: neither too soon after the last one, nor behind others.

        Args:
            now: the time.
            fps: another limit for this one, which answers a key; None is the clock's own.
        """
        least = 0.9 / (fps or self.fps)
        if self.sparing and fps is None:
            least = max(least, self._work / SHARE)
        return now - self._last >= least and self.flow.waiting(now) <= WAIT_SECONDS

    def drew(self, total: int, now: float, worked: float = 0.0, share: float = 1.0) -> None:
        """A frame is to be drawn now.

        Args:
            total: bytes handed to the terminal so far, this frame not among them.
            worked: seconds of the processor that drawing has taken so far, likewise.
            share: how much of the frame before was drawn, above 0 to 1.
        """
        if self._worked:  # not what starting took
            self._work += SMOOTH * (worked - self._worked - self._work)
        self._worked = worked
        cost, self._total = total - self._total, total
        if cost > 0:
            known, whole = self._cost.get(self.detail), cost / share
            self._cost[self.detail] = whole if known is None else max(whole, 0.8 * known)
        self._last = now
        self._frames.append((now, cost, share))
        while self._frames and now - self._frames[0][0] > WINDOW_SECONDS:
            self._frames.popleft()
        self._choose(now)

    def told(self, now: float) -> tuple[float, float]:
        """Whole frames and bytes a second, over the last two seconds; a frame that sent nothing is none."""
        seen = self._seen(now)
        return sum(share for _, _, share in seen) / WINDOW_SECONDS, sum(
            c for _, c, _ in seen
        ) / WINDOW_SECONDS

    def drawings(self, now: float) -> float:
        """Frames and parts of frames a second, likewise."""
        return len(self._seen(now)) / WINDOW_SECONDS

    def _seen(self, now: float) -> list[tuple[float, int, float]]:
        return [frame for frame in self._frames if now - frame[0] <= WINDOW_SECONDS and frame[1] > 0]

    def _choose(self, now: float) -> None:
        """The finest detail whose frames the link takes in time."""
        rate = self.flow.rate(now)
        if rate is None:
            self.detail = Detail.FULL
            return
        budget = rate * FRAME_SECONDS
        at = DETAILS.index(self.detail)
        for finer in DETAILS[:at]:
            if finer in self._cost:
                self._cost[finer] *= FADE
        if self._cost.get(self.detail, 0.0) > budget:
            self.detail = DETAILS[min(at + 1, len(DETAILS) - 1)]
        elif at and self._cost.get(DETAILS[at - 1], 0.0) <= ROOM * budget:
            self.detail = DETAILS[at - 1]
