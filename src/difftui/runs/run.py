"""A run is a directory; this is its map, its name and its lock.

::

    recipe.json           what is trained
    metrics.jsonl         how it went, a line every fraction of a second
    status.json           how far it is, and how it ended
    weights.safetensors   what sampling needs
    state/                what resuming needs: the newest state and the one before it
    samples/              pictures saved from it, and the strips drawn while it trained
    about.json            facts of its newest sitting: parameters, precision, device
    lock                  held by the process that trains it
    holder.json           who that is: a record that changes every few seconds
    control/              requests to it: pause, resume, stop, sample
    log.txt               what it printed, if it trains without a terminal
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from difftui import atomic, paths
from difftui.errors import DifftuiError
from difftui.runs.files import is_number, plain_text, read_object
from difftui.runs.metrics import Metrics, last_metrics
from difftui.runs.presence import STALE_SECONDS, Holder, LifeSign, judge, read_holder
from difftui.runs.strips import list_strips
from difftui.words import duration

__all__ = [
    "Run",
    "State",
    "Status",
    "check_name",
    "create_run",
    "find_own_run",
    "find_run",
    "list_runs",
    "runs_dir",
    "shipped_runs",
    "unused_name",
]

State = Literal["new", "training", "stopped", "finished", "failed"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Status:
    """How far a run is.

    Attributes:
        state: "training" also stands in the file of a process that was killed; see :meth:`Run.status`.
        step: optimiser steps in the newest saved state.
        fraction: share of its budget done, 0 to 1.
        seconds: time spent training.
        message: why it failed, or empty.
    """

    state: State = "new"
    step: int = 0
    fraction: float = 0.0
    seconds: float = 0.0
    message: str = ""

    def ended(self, sign: LifeSign) -> Status:
        """What is so if a run marked "training" gives no sign of life."""
        if sign.state == "presumed dead" and sign.seconds is not None:
            return replace(self, state="stopped", message=f"no sign of life for {duration(sign.seconds)}")
        return replace(self, state="stopped", message="its process ended early")


@dataclass(frozen=True, slots=True)
class Run:
    """A run's directory. Making the object touches no file."""

    path: Path

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.name

    @property
    def recipe_path(self) -> Path:
        """JSON text of the recipe."""
        return self.path / "recipe.json"

    @property
    def weights_path(self) -> Path:
        """Weights for sampling (the average, where the recipe keeps one)."""
        return self.path / "weights.safetensors"

    @property
    def state_paths(self) -> tuple[Path, Path]:
        """The newest resumable state and the one before it."""
        return self.path / "state" / "newest.safetensors", self.path / "state" / "previous.safetensors"

    @property
    def samples_path(self) -> Path:
        """Folder of pictures saved from this run."""
        return self.path / "samples"

    @property
    def holder_path(self) -> Path:
        """Record of the process that trains it."""
        return self.path / "holder.json"

    @property
    def control_path(self) -> Path:
        """Folder of requests to the process that trains it."""
        return self.path / "control"

    @property
    def log_path(self) -> Path:
        """What a process without a terminal printed."""
        return self.path / "log.txt"

    @property
    def metrics(self) -> Metrics:
        """The metrics file."""
        return Metrics(self.path / "metrics.jsonl")

    def recipe_text(self) -> str:
        """The recipe as JSON text.

        Raises:
            DifftuiError: it cannot be read.
        """
        try:
            return self.recipe_path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DifftuiError(
                f"{self.recipe_path} cannot be read ({error}). Is {self.name} a run?"
            ) from None

    def last_written(self) -> float:
        """When something of it was last written, in seconds since 1970; 0 if nothing is there."""
        times = [0.0]
        for path in (self.recipe_path, self.metrics.path, self.weights_path):
            with suppress(OSError):  # not there, or gone since
                times.append(path.stat().st_mtime)
        return max(times)

    def write_status(self, status: Status) -> None:
        """Replace the status file atomically."""
        atomic.write_text(self.path / "status.json", json.dumps(asdict(status)) + "\n")

    def status(self) -> Status:
        """How far the run is. A run marked "training" whose process is gone reads as "stopped"."""
        status = self.stored_status()
        if status.state != "training":
            return status
        sign = self.liveness()
        return status if sign.state == "alive" else status.ended(sign)

    def stored_status(self) -> Status:
        """What the status file says, whoever lives."""
        found = read_object(self.path / "status.json")
        try:
            status = Status(**found[0]) if found is not None else Status()
        except TypeError:
            return Status()
        numbers = all(is_number(value) for value in (status.step, status.fraction, status.seconds))
        if not numbers or status.state not in get_args(State) or not isinstance(status.step, int):
            return Status()
        return replace(status, message=plain_text(status.message, 1000))

    def reached(self) -> tuple[int, float]:
        """Step and fraction of the newest row of metrics, or of the newest save where there is no such row.

        A training is further than its newest save.
        """
        status, row = self.stored_status(), last_metrics(self.metrics.path)
        step, fraction = row.get("step"), row.get("fraction")
        if is_number(step) and is_number(fraction) and step > status.step and 0 <= fraction <= 1:
            return int(step), float(fraction)
        return status.step, status.fraction

    def about(self) -> dict[str, str | int | float | bool | None]:
        """Facts of the newest sitting by name; empty where none are known."""
        found = read_object(self.path / "about.json")
        if found is None:
            return {}
        return {
            plain_text(name): plain_text(value) if isinstance(value, str) else value
            for name, value in found[0].items()
            if value is None or isinstance(value, str | bool) or is_number(value)
        }

    def write_about(self, facts: Mapping[str, str | int | float | bool | None]) -> None:
        """Replace the facts atomically. Raises OSError if the directory cannot be written."""
        atomic.write_text(self.path / "about.json", json.dumps(dict(facts), indent=2) + "\n")

    def sample_strips(self) -> list[tuple[int, Path]]:
        """Steps at which strips of samples were drawn, rising, and their files."""
        return list_strips(self.samples_path)

    def holder(self) -> Holder | None:
        """Who trains the run, by the record that is there: whether they live still, :meth:`liveness` says."""
        found = read_holder(self.holder_path)
        return found[0] if found is not None else None

    def liveness(self) -> LifeSign:
        """Whether the run is trained now, as well as one look can tell.

        On the machine that trains it this is certain. From elsewhere it compares clocks of two machines;
        :class:`difftui.runs.Follower` looks again and again, and does not.
        """
        found = read_holder(self.holder_path)
        holder, age = found if found is not None else (None, 0.0)
        return judge(holder, self.lock_state(), age)

    def is_locked(self) -> bool:
        """Whether a living process trains this run, as far as this machine can tell."""
        return bool(self.lock_state())

    def lock_state(self) -> bool | None:
        """As :meth:`is_locked`; None where the lock cannot be looked at."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError:
            return None
        try:
            return not _try_lock(descriptor, fcntl.LOCK_SH)
        except OSError:  # a file system without locks, where nobody can train
            return False
        finally:
            os.close(descriptor)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run for this process; the system lets go of it when the process ends, however it ends.

        Raises:
            DifftuiError: another process holds it, or the directory cannot be written or locked.
        """
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise DifftuiError(
                f"the run {self.name} cannot be written ({error.strerror}). Choose another folder."
            ) from None
        try:
            try:
                self._hold(descriptor)
            except OSError as error:
                raise DifftuiError(
                    f"the run {self.name} cannot be locked ({error.strerror}). "
                    "Set DIFFTUI_HOME or --home to a folder on another file system."
                ) from None
            yield
        finally:
            os.close(descriptor)

    def _hold(self, descriptor: int) -> None:
        """Take the lock, and write into its file who has it."""
        for _ in range(5):  # somebody who only looks (is_locked) holds it for an instant
            if _try_lock(descriptor, fcntl.LOCK_EX):
                break
            time.sleep(0.05)
        else:
            raise self._taken(plain_text(os.pread(descriptor, 200, 0).decode(errors="replace").strip()))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        self._refuse_if_alive_elsewhere(os.fstat(descriptor).st_mtime)

    def _refuse_if_alive_elsewhere(self, now: float) -> None:
        """A network disk may not pass the lock on to other machines: look at the heartbeat, too.

        A beat that is fresh is watched until it goes on (then we are refused) or is stale.

        Args:
            now: when we wrote the lock, by the clock of the file system, which also dated the beat.
        """
        first = read_object(self.holder_path)
        holder = self.holder()
        if first is None or holder is None or holder.here:
            return
        deadline = time.monotonic() + min(STALE_SECONDS, STALE_SECONDS - (now - first[1]))
        while time.monotonic() < deadline:
            time.sleep(0.5)
            later = self.holder()
            if later is None:  # it ended meanwhile
                return
            if later.counter != holder.counter:
                raise self._taken(later.who)

    def _taken(self, who: str) -> DifftuiError:
        return DifftuiError(
            f"the run {self.name} is being trained by {who or 'another process'}. "
            f"Watch it by 'difftui watch {self.name}', or name another run."
        )


def _try_lock(descriptor: int, kind: int) -> bool:
    """Whether we have the lock now.

    Raises:
        OSError: this file system has no locks.
    """
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def runs_dir() -> Path:
    """Where the user's runs live."""
    return paths.home_dir() / "runs"


def list_runs() -> list[Run]:
    """The user's runs, the most recently written first."""
    return _runs_in(runs_dir())


def shipped_runs() -> list[Run]:
    """The trained checkpoints that come with difftui (the recogniser beside them draws nothing).

    None where an installation lacks them: training needs none.
    """
    found = _runs_in(folder) if (folder := _checkpoints()) is not None else []
    whole = [run for run in found if run.weights_path.is_file() and run.metrics.path.is_file()]
    return sorted(whole, key=lambda run: run.name)


def find_run(name: str) -> Run:
    """The run called ``name``: the user's own first, then a shipped one, then a directory by its path.

    Raises:
        DifftuiError: there is none; the message lists those that exist.
    """
    shipped = _checkpoints()
    for folder in (runs_dir() / name, *([] if shipped is None else [shipped / name]), Path(name)):
        if _NAME.fullmatch(folder.name) and _is_run(folder):
            return Run(folder)
    known = sorted({run.name for run in (*list_runs(), *shipped_runs())})
    raise DifftuiError(f"there is no run called {name!r}. Known: {', '.join(known) or 'none yet'}.")


def find_own_run(name: str) -> Run:
    """As :func:`find_run`, of the runs that may be trained further: not those that come with difftui.

    Raises:
        DifftuiError: there is no such run, or it ships.
    """
    run = find_run(name)
    shipped = _checkpoints()
    if shipped is not None and run.path.resolve().parent == shipped.resolve():
        raise DifftuiError(f"{run.name} came with difftui and is finished. Train a new run.")
    return run


def check_name(name: str) -> None:
    """Raise DifftuiError where no run can be called ``name``."""
    if not _NAME.fullmatch(name):
        raise DifftuiError(f"{name!r} cannot name a run. Use letters, digits, '.', '_' and '-' (64 at most).")


def create_run(name: str, recipe_json: str) -> Run:
    """Make the directory of a new run and write its recipe.

    Raises:
        DifftuiError: the name is taken or not usable, or the home directory cannot be written.
    """
    check_name(name)
    run = Run(runs_dir() / name)
    try:
        run.path.mkdir(parents=True)
        atomic.write_text(run.recipe_path, recipe_json)
    except FileExistsError:
        raise DifftuiError(
            f"a run called {name!r} exists. Add --resume to go on with it, or choose another name."
        ) from None
    except OSError as error:
        with suppress(OSError):  # the name stays free for another try
            run.path.rmdir()
        raise DifftuiError(
            f"{runs_dir()} cannot be written ({error.strerror}). "
            "Set DIFFTUI_HOME or --home to a folder that can."
        ) from None
    return run


def unused_name(stem: str) -> str:
    """``stem-1``, ``stem-2`` … : the first that no run has."""
    number = 1
    while os.path.lexists(runs_dir() / f"{stem}-{number}"):
        number += 1
    return f"{stem}-{number}"


def _checkpoints() -> Path | None:
    try:
        return paths.checkpoints_dir()
    except DifftuiError:
        return None


def _is_run(folder: Path) -> bool:
    try:
        return (folder / "recipe.json").is_file()
    except OSError:  # a folder that we may not look into
        return False


def _runs_in(folder: Path) -> list[Run]:
    try:
        found = [Run(path) for path in folder.iterdir() if _is_run(path)]
    except OSError:
        return []
    return sorted(found, key=Run.last_written, reverse=True)
