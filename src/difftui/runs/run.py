"""A run is a directory; this is its map, its name and its lock.

::

    recipe.json           what is trained
    metrics.jsonl         how it went, a line every fraction of a second
    status.json           how far it is, and how it ended
    weights.safetensors   what sampling needs
    state/                what resuming needs: the newest state and the one before it
    samples/              pictures saved from it
    lock                  held by the process that trains it
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from difftui import atomic, paths
from difftui.errors import DifftuiError
from difftui.runs.metrics import Metrics

__all__ = [
    "Run",
    "State",
    "Status",
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
        status = self._stored_status()
        if status.state == "training" and not self.is_locked():
            return Status("stopped", status.step, status.fraction, status.seconds, "its process ended early")
        return status

    def is_locked(self) -> bool:
        """Whether a living process trains this run."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDONLY)
        except OSError:
            return False
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
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
            raise DifftuiError(
                f"the run {self.name} is being trained by {holder or 'another process'}. Name another run."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)

    def _stored_status(self) -> Status:
        try:
            raw = json.loads((self.path / "status.json").read_text(encoding="utf-8"))
            status = Status(**raw)
        except (OSError, ValueError, TypeError):
            return Status()
        numbers = all(isinstance(value, int | float) for value in (status.fraction, status.seconds))
        whole = numbers and status.state in get_args(State) and isinstance(status.step, int)
        return status if whole else Status()


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
    """The trained checkpoints that come with difftui (the recogniser beside them draws nothing)."""
    found = _runs_in(paths.checkpoints_dir())
    whole = [run for run in found if run.weights_path.is_file() and run.metrics.path.is_file()]
    return sorted(whole, key=lambda run: run.name)


def find_run(name: str) -> Run:
    """The run called ``name``: the user's own first, then a shipped one, then a directory by its path.

    Raises:
        DifftuiError: there is none; the message lists those that exist.
    """
    for folder in (runs_dir() / name, paths.checkpoints_dir() / name, Path(name)):
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
    if run.path.resolve().parent == paths.checkpoints_dir().resolve():
        raise DifftuiError(f"{run.name} came with difftui and is finished. Train a new run.")
    return run


def create_run(name: str, recipe_json: str) -> Run:
    """Make the directory of a new run and write its recipe.

    Raises:
        DifftuiError: the name is taken or not usable, or the home directory cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise DifftuiError(f"{name!r} cannot name a run. Use letters, digits, '.', '_' and '-' (64 at most).")
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
