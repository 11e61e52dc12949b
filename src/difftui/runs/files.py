"""Small files in a directory that others may write: never a pipe, never larger than bargained for."""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeGuard

__all__ = ["is_number", "open_regular", "plain_text", "read_object", "write_object"]

LIMIT = 65_536  # bytes of a small file
FULL = (errno.ENOSPC, errno.EDQUOT)


def open_regular(path: Path) -> int:
    """A descriptor to read the plain file at ``path``.

    Raises:
        OSError: there is no such file, it may not be read, or it is a pipe, a folder or a device (opening a
            pipe that nobody writes would wait for ever).
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a plain file")
    return descriptor


def read_object(path: Path) -> tuple[dict[str, Any], float] | None:
    """The JSON object in a small file, and when it was written (Unix seconds); None if there is none."""
    try:
        descriptor = open_regular(path)
    except OSError:
        return None
    try:
        written = os.fstat(descriptor)
        data = os.pread(descriptor, LIMIT + 1, 0) if written.st_size <= LIMIT else b""
    except OSError:
        return None
    finally:
        os.close(descriptor)
    try:
        found = json.loads(data) if len(data) <= LIMIT else None
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested without end
        return None
    return (found, written.st_mtime) if isinstance(found, dict) else None


def write_object(path: Path, fields: Mapping[str, Any]) -> float:
    """Replace a small JSON file in one move, and say when that was by the clock of its file system.

    On a full disk there is room for no second file; then the one that is there is written over in place,
    in the block that it has. Who reads it in that instant may find no object.

    Unlike :mod:`difftui.atomic` this waits for no disk and makes no folder: what it writes is worthless
    after a power cut, and a directory that was removed must stay removed.

    Raises:
        OSError: it cannot be written; what was there is untouched.
    """
    line = (json.dumps(dict(fields)) + "\n").encode()
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.tmp{path.suffix}")
    try:
        with temporary.open("xb", buffering=0) as file:
            file.write(line)
            written = os.fstat(file.fileno()).st_mtime
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        if error.errno not in FULL:
            raise
        return _write_over(path, line)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    return written


def _write_over(path: Path, line: bytes) -> float:
    """Write into the block that the file has. Raises OSError: there is none, or it is too small."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        before = os.fstat(descriptor).st_size
        os.pwrite(descriptor, line.ljust(before, b" "), 0)  # blanks over what was longer: JSON allows them
        return os.fstat(descriptor).st_mtime
    finally:
        os.close(descriptor)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value out of a foreign file is a number that one can count with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e18


def plain_text(value: object, longest: int = 200) -> str:
    """A string out of a foreign file, fit for a terminal: without control characters, and not endless."""
    return "".join(c for c in value[:longest] if c.isprintable()) if isinstance(value, str) else ""
