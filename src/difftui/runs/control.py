"""Asking a training to pause, resume, stop or draw samples: by empty files in ``control/``.

The folder is its owner's alone (mode 0700). A request is all in its name: there is no content to parse. It
is obeyed only if it is an empty plain file of the holder's own user with this one name, in a folder of the
holder's own user, and only by whoever succeeds in removing it: at most once.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal, cast, get_args

from difftui.errors import DifftuiError

if TYPE_CHECKING:
    from difftui.runs.run import Run

__all__ = ["Verb", "ask", "drop_old_requests", "open_for_requests", "take_requests"]

Verb = Literal["pause", "resume", "stop", "sample"]

OLD_SECONDS = 60.0  # a request that nobody took for so long was meant for a sitting that is over
MOST = 1000  # entries looked at in one go
_REQUEST = re.compile(r"[0-9]{1,20}-[0-9a-f]{8}\.(pause|resume|stop|sample)")


def ask(run: Run, verb: Verb) -> None:
    """Ask the process that trains ``run``, on whichever machine, to do something. It answers within seconds.

    Raises:
        DifftuiError: nobody trains the run, or it is not ours to control.
        ValueError: another verb.
    """
    if verb not in get_args(Verb):
        raise ValueError(f"verb must be one of {', '.join(get_args(Verb))}, not {verb!r}")
    if run.liveness().state == "not running":
        if run.status().state == "finished":
            raise DifftuiError(f"nobody trains the run {run.name} now: it is finished.")
        raise DifftuiError(f"nobody trains the run {run.name} now. Resume it first.")
    try:
        with _folder(run) as folder:
            if folder is None:  # its holder made it, for itself alone
                raise DifftuiError(
                    f"the run {run.name} takes no requests from you. "
                    "Only the user who trains it can control it."
                )
            name = f"{time.time_ns()}-{secrets.token_hex(4)}.{verb}"
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(name, flags, 0o600, dir_fd=folder))
    except OSError as error:
        raise DifftuiError(
            f"the run {run.name} cannot be asked to {verb} ({error.strerror or error}). "
            "Make its folder writable, or stop it by a signal."
        ) from None


def take_requests(run: Run) -> list[Verb]:
    """The requests that wait, oldest first by the clocks of those who asked; each is taken once.

    Raises:
        OSError: the folder cannot be read.
    """
    with _folder(run) as folder:
        if folder is None:
            return []
        taken: list[Verb] = []
        for name in _requests(folder):
            with suppress(OSError):  # somebody else took it, or it cannot be removed: then it is not obeyed
                os.unlink(name, dir_fd=folder)
                taken.append(cast(Verb, name.rpartition(".")[2]))
        return taken


def open_for_requests(run: Run) -> None:
    """Make the folder, and make its owner's alone.

    A folder that exists is touched: a client of a network disk that has changed a folder itself asks the
    server again what is in it, else it may go by what it remembers for half a minute.

    Raises:
        OSError: it cannot be made.
    """
    with suppress(FileExistsError):
        run.control_path.mkdir(mode=0o700)
    with _folder(run) as folder:
        if folder is not None:
            os.utime(folder)


def drop_old_requests(run: Run, now: float) -> None:
    """Remove requests that are older than a minute at ``now``, in Unix seconds by the file system's clock.

    Raises:
        OSError: the folder cannot be read.
    """
    with _folder(run) as folder:
        if folder is None:
            return
        for name in _requests(folder):
            with suppress(OSError):
                written = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime
                if now - written > OLD_SECONDS:
                    os.unlink(name, dir_fd=folder)


@contextmanager
def _folder(run: Run) -> Iterator[int | None]:
    """The folder as a descriptor; None where it is not ours alone, or not there."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(run.control_path, flags)
    except OSError:  # not there, a link, a file, or another user's
        yield None
        return
    try:
        found = os.fstat(descriptor)
        ours = found.st_uid == os.geteuid()
        if ours and stat.S_IMODE(found.st_mode) & 0o077:
            os.fchmod(
                descriptor, 0o700
            )  # somebody opened it to others: what they left is theirs and not obeyed
        yield descriptor if ours else None
    finally:
        os.close(descriptor)


def _requests(folder: int) -> list[str]:
    """Names of the requests that we wrote ourselves."""
    names: list[str] = []
    with os.scandir(folder) as entries:
        for seen, entry in enumerate(entries):
            if seen >= MOST:
                break
            if not _REQUEST.fullmatch(entry.name):
                continue
            with suppress(OSError):  # gone since
                found = entry.stat(follow_symlinks=False)
                ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
                if ours and found.st_nlink == 1 and found.st_size == 0:  # else a link to some file of ours
                    names.append(entry.name)
    return sorted(names, key=lambda name: (int(name.partition("-")[0]), name))
