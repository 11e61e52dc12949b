"""How a training stands, in one word, one mark and one colour: the same wherever it is told."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from difftui.engine.job import Job, JobState
from difftui.engine.training import TrainingView
from difftui.engine.watching import Watch

__all__ = ["Feed", "Standing", "standing_of"]

Feed = Job[TrainingView] | Watch
"""What the panel shows: a training in this process, or one elsewhere."""

_DIVERGED = re.compile(r"at step [0-9]+ \(learning rate")


class Standing(enum.Enum):
    """What becomes of a training. The value is how the panel's title says it."""

    IDLE = "nothing trains"
    PREPARING = "preparing …"
    TRAINING = "training"
    PAUSED = "paused"
    HELD = "held: it cannot be saved"
    LOST = "presumed dead"
    STOPPED = "stopped and saved"
    FINISHED = "finished"
    DIVERGED = "diverged"
    NO_MEMORY = "out of memory"
    FAILED = "failed"

    @property
    def mark(self) -> str:
        """One character."""
        return _LOOKS[self].mark

    @property
    def colour(self) -> str:
        """A colour of the theme."""
        return _LOOKS[self].colour

    @property
    def css_class(self) -> str:
        """A class for the panel."""
        return f"-{self.name.lower().replace('_', '-')}"

    @property
    def over(self) -> bool:
        """Whether nobody trains."""
        return self in _OVER

    @property
    def broken(self) -> bool:
        """Whether it is over because something went wrong."""
        return self in _BROKEN


@dataclass(frozen=True, slots=True)
class _Look:
    mark: str
    colour: str


_LOOKS = {
    Standing.IDLE: _Look(" ", "$muted"),
    Standing.PREPARING: _Look("◌", "$muted"),
    Standing.TRAINING: _Look("▶", "$accent"),
    Standing.PAUSED: _Look("⏸", "$foreground"),
    Standing.HELD: _Look("⏸", "$error"),
    Standing.LOST: _Look("?", "$warning"),
    Standing.STOPPED: _Look("■", "$muted"),
    Standing.FINISHED: _Look("✓", "$success"),
    Standing.DIVERGED: _Look("✗", "$error"),
    Standing.NO_MEMORY: _Look("✗", "$error"),
    Standing.FAILED: _Look("✗", "$error"),
}
_BROKEN = frozenset({Standing.DIVERGED, Standing.NO_MEMORY, Standing.FAILED})
_OVER = _BROKEN | {Standing.IDLE, Standing.STOPPED, Standing.FINISHED}


def standing_of(feed: Feed | None) -> Standing:
    """How it stands."""
    if feed is None:
        return Standing.IDLE
    state = feed.state
    if state is JobState.FAILED:
        return _failure(feed.error or "")
    if isinstance(feed, Watch) and feed.life.state == "presumed dead":
        return Standing.LOST
    if state is JobState.PAUSED and feed.held:
        return Standing.HELD
    if state is JobState.RUNNING and (feed.snapshot is None or feed.snapshot.progress is None):
        return Standing.PREPARING
    return {
        JobState.WAITING: Standing.PREPARING,
        JobState.RUNNING: Standing.TRAINING,
        JobState.PAUSED: Standing.PAUSED,
        JobState.DONE: Standing.FINISHED,
        JobState.CLOSED: Standing.STOPPED,
    }[state]


def _failure(error: str) -> Standing:
    if _DIVERGED.search(error):
        return Standing.DIVERGED
    return Standing.NO_MEMORY if "enough free memory" in error else Standing.FAILED
