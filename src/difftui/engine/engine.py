"""The one thread that owns torch and the device."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from difftui.engine.device import Device, configure_threads, pick_device
from difftui.engine.job import Job, JobState
from difftui.errors import DifftuiError
from difftui.training.progress import Hold

if TYPE_CHECKING:
    from difftui.training.trainer import Trainer

__all__ = ["Engine", "Workbench"]

T = TypeVar("T")
log = logging.getLogger(__name__)

NICENESS = 5  # the computing threads give way to the screen's thread when all cores are taken


@dataclass(slots=True)
class Workbench:
    """What lies in the engine's thread for its jobs to use. Never touched from another thread.

    Attributes:
        device: where to compute.
        job: the job that this bench is handed to.
        live: trainers at work, by run name, so that other jobs can sample from what is being trained.
    """

    device: Device
    job: Job[Any] | None = None
    live: dict[str, Trainer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Command:
    what: str
    job: Job[Any]
    count: int


@dataclass(slots=True)
class _Pulled:
    """A job that has started.

    Attributes:
        events: its generator.
        used: seconds of the thread it has had, on the scale of those it shares the thread with.
        steps_left: pulls until it pauses; None while it runs freely.
    """

    job: Job[Any]
    events: Iterator[Any]
    used: float = 0.0
    steps_left: int | None = None


class Engine:
    """Runs jobs in one worker thread and publishes the newest snapshot of each.

    The thread has a helper import torch, so neither the caller's first paint nor light jobs wait for it.
    Among running jobs the one that has had the least time is pulled next, so an animation keeps moving while
    a run trains. A generator that yields None only lets others have their turn: that is no event. One that
    yields a :class:`Hold` is paused with its message until somebody resumes it.
    A job that raises is marked FAILED with one line of text; the engine lives on.

    Attributes:
        device: what was picked, None while torch is loading.
        started: whether its thread was started.
        problem: one line when no device could be prepared; jobs then fail with it.
    """

    def __init__(self, device_request: str = "auto") -> None:
        self.device: Device | None = None
        self.problem: str | None = None
        self.started = False
        self._request = device_request
        self._bench: Workbench | None = None
        self._loaded = False
        self._commands: deque[_Command] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._pulled: list[_Pulled] = []
        self._thread = threading.Thread(target=self._run, name="difftui-engine", daemon=True)

    def start(self) -> None:
        """Start the thread, and with it the import of torch. Once is enough; more do nothing."""
        if not self.started:
            self.started = True
            self._thread.start()

    @property
    def has_work(self) -> bool:
        """Whether something waits to be done."""
        return bool(self._commands)

    def submit(
        self, name: str, start: Callable[[Workbench], Iterator[T | Hold | None]], *, paused: bool = False
    ) -> Job[T]:
        """Queue work. ``start`` is called in the engine's thread and returns the generator to pull.

        It waits until torch has been imported and the device prepared.
        """
        job: Job[T] = Job(self, name, lambda: start(replace(self._workbench(), job=job)))
        return self._queue(job, paused)

    def submit_light(
        self, name: str, start: Callable[[], Iterator[T | None]], *, paused: bool = False
    ) -> Job[T]:
        """Queue work that needs neither torch nor the device, as :meth:`submit` does.

        It begins while torch is still being imported, and where no device can be had.
        """
        return self._queue(Job(self, name, start, needs_torch=False), paused)

    def command(self, what: str, job: Job[Any], count: int = 1) -> None:
        """Ask for something to be done to a job; carried out between two pulls."""
        with self._wake:
            self._commands.append(_Command(what, job, count))
            self._wake.notify()

    def shutdown(self, timeout: float | None = None) -> bool:
        """Close every job (a training saves), end the thread and join it. True when it has ended in time."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _queue(self, job: Job[T], paused: bool) -> Job[T]:
        self.command("start paused" if paused else "start", job)
        return job

    def _run(self) -> None:
        _step_back()
        loader = threading.Thread(target=self._load, name="difftui-torch", daemon=True)
        loader.start()
        while True:
            with self._wake:
                while not (self._stopping or self._runnable() or any(map(self._ready, self._commands))):
                    self._wake.wait()
                if self._stopping:
                    break
                commands = [c for c in self._commands if self._ready(c)]
                self._commands = deque(c for c in self._commands if not self._ready(c))
            # What is to be closed is closed first: a job that waits to be started is then not started at all.
            for command in sorted(commands, key=lambda command: command.what != "close"):
                self._obey(command)
            self._pull_next()
        loader.join()  # an interpreter that ends while torch is being loaded may crash
        for pulled in list(self._pulled):
            self._close(pulled)
        for command in self._commands:
            if not command.job.state.final:
                command.job.state = JobState.CLOSED

    def _ready(self, command: _Command) -> bool:
        return self._loaded or not command.job.needs_torch or command.what == "close"

    def _load(self) -> None:
        """Import torch and pick the device. Its own thread: from a cold disk it takes many seconds."""
        try:
            device = pick_device(self._request)
            configure_threads()
            self._bench, self.device = Workbench(device), device
        except DifftuiError as error:
            self.problem = str(error)
        except Exception as error:
            log.exception("the device could not be prepared")
            self.problem = f"the device could not be prepared: {_one_line(error)}"
        with self._wake:
            self._loaded = True
            self._wake.notify()

    def _workbench(self) -> Workbench:
        if self._bench is None:
            raise DifftuiError(self.problem or "the engine has no device")
        return self._bench

    def _runnable(self) -> list[_Pulled]:
        return [p for p in self._pulled if p.job.state is JobState.RUNNING]

    def _obey(self, command: _Command) -> None:
        what, job = command.what, command.job
        if job.state.final:
            return
        if what.startswith("start"):
            self._begin(job, paused=what.endswith("paused"))
            return
        pulled = next((p for p in self._pulled if p.job is job), None)
        if pulled is None:  # only a close comes before the start
            job.state = JobState.CLOSED
        elif what == "close":
            self._close(pulled)
        elif what == "pause":
            job.state, pulled.steps_left = JobState.PAUSED, None
        elif what == "resume":
            self._let_run(pulled, None)
        else:
            self._let_run(pulled, (pulled.steps_left or 0) + command.count)

    def _let_run(self, pulled: _Pulled, steps: int | None) -> None:
        if pulled.job.state is not JobState.RUNNING:
            # A job that joins stands level with those that run: neither a long pause nor a long past gives
            # it, or them, a claim to the thread.
            pulled.used = min((p.used for p in self._runnable()), default=pulled.used)
        pulled.steps_left = steps
        pulled.job.held = None
        pulled.job.state = JobState.RUNNING

    def _begin(self, job: Job[Any], *, paused: bool) -> None:
        try:
            events = job._start()
        except BaseException as error:
            self._fail(job, error)
            return
        pulled = _Pulled(job, events)
        self._pulled.append(pulled)
        if paused:
            job.state = JobState.PAUSED
        else:
            self._let_run(pulled, None)

    def _pull_next(self) -> None:
        runnable = self._runnable()
        if not runnable:
            return
        pulled = min(runnable, key=lambda p: p.used)
        job, began = pulled.job, time.perf_counter()
        try:
            event = next(pulled.events)
        except StopIteration:
            self._end(pulled, JobState.DONE)
        except BaseException as error:
            self._pulled.remove(pulled)
            self._fail(job, error)
        else:
            if isinstance(event, Hold):
                job.held, job.state, pulled.steps_left = event.message, JobState.PAUSED, None
            elif event is not None:
                self._publish(pulled, event)
        pulled.used += time.perf_counter() - began

    def _publish(self, pulled: _Pulled, event: Any) -> None:
        job = pulled.job
        job.publish(event)
        if pulled.steps_left is not None:
            pulled.steps_left -= 1
            if not pulled.steps_left:
                job.state, pulled.steps_left = JobState.PAUSED, None

    def _close(self, pulled: _Pulled) -> None:
        close = getattr(pulled.events, "close", None)
        try:
            if close is not None:
                close()
        except BaseException as error:
            self._pulled.remove(pulled)
            self._fail(pulled.job, error)
        else:
            self._end(pulled, JobState.CLOSED)

    def _end(self, pulled: _Pulled, state: JobState) -> None:
        self._pulled.remove(pulled)
        pulled.job.state = state

    def _fail(self, job: Job[Any], error: BaseException) -> None:
        if not isinstance(error, DifftuiError):
            log.error("job %s failed", job.name, exc_info=error)
        job.failure, job.error = error, _one_line(error)
        job.state = JobState.FAILED


def _one_line(error: BaseException) -> str:
    """What the user reads: our own errors whole; of others their kind and first line (torch adds pages)."""
    if isinstance(error, DifftuiError | ValueError) and str(error).strip():
        return " ".join(str(error).split())
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _step_back() -> None:
    """Lower this thread's priority (threads it starts inherit it), where the system lets a thread do so."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # some sandboxes forbid it; then all threads are equal
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
