"""Being the one who trains a run: holds its lock, beats in ``holder.json``, and listens to ``control/``."""

from __future__ import annotations

import os
import pwd
import re
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from difftui.runs.control import Verb, drop_old_requests, open_for_requests, take_requests
from difftui.runs.presence import Activity, Holder, this_machine, write_holder
from difftui.runs.run import Run

__all__ = ["Attendance"]

BEAT_SECONDS = 5.0
LOOK_SECONDS = 0.5  # how often it looks for requests
_HALF_WRITTEN = re.compile(r"\..+\.[0-9a-f]{8}\.tmp\.[a-z]+")  # as difftui.atomic names them
LAST_WAIT_SECONDS = 1.0  # at the end, for a look that a slow disk holds up


class Attendance:
    """A context manager: inside it this process trains the run, and others can see that and ask things of it.

    One daemon thread does the beats and looks for requests, also while nobody pulls the training. No error
    of the disk ends it: what could not be written or read now is tried again with the next beat. The system
    gives the lock back when the process ends, however it ends.
    """

    def __init__(
        self,
        run: Run,
        on_request: Callable[[Verb], None],
        state: Callable[[], Activity],
        device: str = "",
        held: Callable[[], str] = str,
    ) -> None:
        """Nothing is touched before the block is entered.

        Args:
            run: what is trained.
            on_request: called *in the thread* with what was asked; must return soon, and must not raise.
            state: called in the thread; a change is told at once instead of with the next beat.
            device: what it computes on, in words.
            held: called in the thread; why the training cannot go on now, or empty. A change is told at once.
        """
        self._run = run
        self._on_request = on_request
        self._state = state
        self._held_by = held
        self._end = threading.Event()
        self._held = ExitStack()
        host, boot = this_machine()
        now = time.time()
        self._holder = Holder(os.getpid(), host, _user(), device, "training", 0, now, now, boot)

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            DifftuiError: another process holds it, or the directory cannot be written or locked.
        """
        self._held.enter_context(self._run.lock())
        try:
            now = self._beat()
            with suppress(OSError):
                drop_old_requests(self._run, now)
                _sweep(self._run)
            thread = threading.Thread(target=self._attend, name=f"attends {self._run.name}", daemon=True)
            thread.start()
        except BaseException:
            self._held.close()
            raise
        self._held.callback(self._retire, thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def _retire(self, thread: threading.Thread) -> None:
        """End the beats and take the record away, while the lock is still ours."""
        self._end.set()
        if thread is not threading.current_thread():
            thread.join(LAST_WAIT_SECONDS)
        with suppress(OSError):
            self._run.holder_path.unlink()

    def _attend(self) -> None:
        last_beat = time.monotonic()
        while not self._end.wait(LOOK_SECONDS):
            now = time.monotonic()
            if now - last_beat >= BEAT_SECONDS or self._told() != (self._holder.state, self._holder.held):
                self._beat()
                last_beat = now
            with suppress(OSError):
                for verb in take_requests(self._run):
                    self._on_request(verb)

    def _told(self) -> tuple[Activity, str]:
        return self._state(), self._held_by()

    def _beat(self) -> float:
        """Write the record; returns the time by the file system's clock, or by ours if it did not go well."""
        now = time.time()
        state, held = self._told()
        counter = self._holder.counter + 1
        self._holder = replace(self._holder, state=state, held=held, counter=counter, beat=now)
        try:
            open_for_requests(self._run)
            return write_holder(self._run.holder_path, self._holder)
        except OSError:  # a full disk, a network away: the next beat tries again
            return now


def _sweep(run: Run) -> None:
    """Remove half-written files of processes that were killed; only the holder writes there."""
    for folder in (run.path, run.path / "state"):
        for path in folder.glob(".*.tmp.*"):
            if _HALF_WRITTEN.fullmatch(path.name):
                path.unlink()


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container without a name for its user
        return str(os.geteuid())
