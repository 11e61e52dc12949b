"""A training in a process of its own, which no terminal and no app can take with it. Imports no torch.

It is ``difftui train --run NAME --resume`` in its own session: whatever trains is the one same command, and
what others see of it is the run's directory.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from difftui.errors import DifftuiError
from difftui.runs import Run

if TYPE_CHECKING:
    import psutil

__all__ = ["start_detached"]

PATIENCE_SECONDS = 180.0  # until it holds the run: torch from a cold disk, a GPU that must wake up
LOOK_SECONDS = 0.05
END_SECONDS = 30.0  # from asking it to end until it is killed; a save takes less
NICENESS = 5  # whoever looks at a screen on this machine goes first
_LOG_TAIL = 8192


def start_detached(arguments: Sequence[str], run: Run, processes: int = 1, *, new: bool = False) -> int:
    """Go on with ``run`` in a process of its own, and return once that holds the run.

    It starts at the run's newest state, or at the beginning where there is none. What it prints is appended
    to ``log.txt`` of the run. This takes as long as importing torch does: call it where waiting is no harm.

    Args:
        arguments: options of ``difftui train``, such as ``["--device", "cuda:1"]``.
        run: an existing directory with a recipe. Nobody trains it.
        processes: how many, one a device; more than one are started by torchrun.
        new: whether the run was made for this, and goes away if nothing comes of it.

    Returns:
        The process's id, which is that of its session and its process group, too.

    Raises:
        DifftuiError: it ended before it trained, with its own last words; no process is left behind.
    """
    words = ["train", "--name", str(run.path.absolute()), "--resume", *arguments]
    try:
        with _open_log(run) as log:
            began = log.tell()
            child = _spawn(_command(words, processes), log)
        try:
            _wait_until_held(child, run, began)
        except BaseException:
            _end(child)
            raise
    except BaseException:
        if new:
            shutil.rmtree(run.path, ignore_errors=True)
        raise
    # Until it ends, somebody must wait for it, or it stays a zombie as long as we live.
    threading.Thread(target=child.wait, name=f"waits for {child.pid}", daemon=True).start()
    return child.pid


def _command(words: Sequence[str], processes: int) -> list[str]:
    if processes == 1:
        return [sys.executable, "-m", "difftui", *words]
    torchrun = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return [sys.executable, "-m", *torchrun, "-m", "difftui", *words]


def _open_log(run: Run) -> BinaryIO:
    try:
        log = run.log_path.open("ab")
    except OSError as error:
        raise DifftuiError(
            f"{run.log_path} cannot be written ({error.strerror}). Make it writable."
        ) from None
    log.seek(0, os.SEEK_END)
    return log


def _spawn(command: Sequence[str], log: BinaryIO) -> subprocess.Popen[bytes]:
    environment = dict(os.environ)
    if sys.path[0] not in ("", str(Path.cwd())):  # else we ourselves are found through this folder, perhaps
        environment["PYTHONSAFEPATH"] = "1"  # a file torch.py in it must not be taken for the library
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            close_fds=True,
            env=environment,
        )
    except OSError as error:
        raise DifftuiError(f"no process could be started ({error.strerror}). End some others.") from None
    with suppress(OSError):  # at once: threads that it starts from now on inherit it
        os.setpriority(os.PRIO_PROCESS, child.pid, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
    return child


def _wait_until_held(child: subprocess.Popen[bytes], run: Run, began: int) -> None:
    """Return when a process of the child's session trains the run, or has done so.

    Raises:
        DifftuiError: it ended, or it takes too long.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        ended = child.poll()
        if ended is None and _is_held_by(run, child.pid):
            return
        if ended == 0:  # there was next to nothing to do
            return
        if ended is not None:
            raise DifftuiError(_last_words(run.log_path, began) or _how_it_ended(ended, run))
        time.sleep(LOOK_SECONDS)
    raise DifftuiError(f"the training did not begin within {PATIENCE_SECONDS:.0f} s. See {run.log_path}.")


def _is_held_by(run: Run, pid: int) -> bool:
    """Whether this process, or one that it started, trains the run."""
    holder = run.holder()
    if holder is None or not holder.here:
        return False
    return holder.pid == pid or holder.pid in {process.pid for process in _started_by(pid)}


def _started_by(pid: int) -> list[psutil.Process]:
    """What it started, and what those started; torchrun gives each of its workers a session of its own."""
    import psutil  # here, so that a screen that can start a training need not wait for it

    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:  # it has ended
        return []


def _last_words(log: Path, began: int) -> str:
    """What the command said last, without its name; empty if it said nothing."""
    try:
        with log.open("rb") as file:
            file.seek(max(began, file.seek(0, os.SEEK_END) - _LOG_TAIL))
            said = file.read(_LOG_TAIL).decode(errors="replace").splitlines()
    except OSError:
        return ""
    ours = [line for line in said if line.startswith("difftui: ")]
    line = (ours or [line for line in said if line.strip()] or [""])[-1]
    return re.sub(r"[^\x20-\x7e\u00a0-\uffff]", "", line.removeprefix("difftui: ")).strip()[:500]


def _how_it_ended(status: int, run: Run) -> str:
    how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    return f"the training {how} and said nothing. See {run.log_path}."


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started; it may save first."""
    import psutil

    family = _started_by(child.pid)
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(END_SECONDS)
            break
    for process in family:  # psutil sees to it that a number that means another process by now is left alone
        with suppress(psutil.Error):
            process.kill()
