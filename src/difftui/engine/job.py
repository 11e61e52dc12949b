"""A handle on a piece of work that runs in the engine's thread."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from difftui.training.progress import Hold

if TYPE_CHECKING:
    from difftui.engine.engine import Engine

__all__ = ["Job", "JobState"]

T = TypeVar("T")


class JobState(enum.Enum):
    """What becomes of a job. The last three are final."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CLOSED = "closed"

    @property
    def final(self) -> bool:
        """Whether the job will never be pulled again."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CLOSED)


class Job(Generic[T]):
    """A generator of frozen snapshots, pulled by the engine, seen through a latch.

    Any thread may read the attributes and call the methods. The engine's thread alone writes ``snapshot``,
    the others; each is one reference, replaced whole, so nobody sees half of one.

    Attributes:
        name: what it is, for people ("training lab-3").
        snapshot: the newest event, or None before the first. Older ones are gone: a latch, not a queue.
        version: grows by one just after every new snapshot; equal numbers mean nothing new to draw. Whoever
            reads both reads this one first.
        state: see :class:`JobState`.
        error: one line for the user when ``state`` is FAILED.
        failure: what was raised when ``state`` is FAILED.
        held: one line for the user when the work paused itself and waits to be resumed; else None.
        needs_torch: whether it waits until torch has been imported.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        start: Callable[[], Iterator[T | Hold | None]],
        *,
        needs_torch: bool = True,
    ) -> None:
        self.name = name
        self.snapshot: T | None = None
        self.version = 0
        self.state = JobState.WAITING
        self.error: str | None = None
        self.failure: BaseException | None = None
        self.held: str | None = None
        self.needs_torch = needs_torch
        self._engine = engine
        self._start = start
        self._posts: deque[str] = deque()

    def pause(self) -> None:
        """Stop pulling after the event in the making."""
        self._engine.command("pause", self)

    def resume(self) -> None:
        """Go on pulling."""
        self._engine.command("resume", self)

    def step(self, count: int = 1) -> None:
        """Pull exactly ``count`` (1 or more) events, then be paused. Several calls add up."""
        if count < 1:
            raise ValueError(f"count must be at least 1, not {count}")
        self._engine.command("step", self, count)

    def post(self, word: str) -> None:
        """Leave a word for the generator, such as "sample"; it looks for them when it is pulled."""
        self._posts.append(word)

    def posts(self) -> list[str]:
        """Take the words that were posted. For the generator."""
        return [self._posts.popleft() for _ in range(len(self._posts))]

    def publish(self, event: T) -> None:
        """Make it the newest. For the engine, and for a generator's last word when it is closed."""
        self.snapshot = event
        self.version += 1

    def close(self) -> None:
        """End it: the generator is closed in the engine's thread, where it may still save.

        A job that has not been started yet is never started.
        """
        self._engine.command("close", self)
