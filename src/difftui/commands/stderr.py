"""Text on stderr that never makes the command wait: a stuck terminal costs text, not training."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from functools import cache

from difftui.outlet import Outlet

__all__ = ["Stderr", "tell"]

SETTLE_SECONDS = 1.0  # a reader that is only slow gets every line in its place
MOST_WAITING = 64_000  # bytes; what comes then is not kept


def tell(line: str) -> None:
    """Print one line on stderr; one that nobody can read is no reason to fail, or to wait."""
    _write(f"{line}\n", settle=True)


class Stderr:
    """What rich draws its bars on."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.encoding = sys.stderr.encoding or self.encoding

    @property
    def behind(self) -> bool:
        """Whether earlier text still waits: time to drop a drawing."""
        return _is_ours() and _outlet().link.backlog > 0

    def isatty(self) -> bool:
        """Whether stderr is a terminal."""
        return sys.stderr.isatty()

    def write(self, text: str) -> int:
        """Write some time soon."""
        _write(text, settle=False)
        return len(text)

    def flush(self) -> None:
        """Wait for what was written, unless that takes long."""
        if _is_ours():
            _outlet().settle(SETTLE_SECONDS)


def _write(text: str, *, settle: bool) -> None:
    if not _is_ours():  # somebody captures it
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()
        return
    outlet = _outlet()
    waiting = outlet.link.backlog
    if waiting > MOST_WAITING:
        return
    outlet.put(text.encode(sys.stderr.encoding or "utf-8", errors="replace"))
    if settle and not waiting:  # else it is stuck, and we need not wait to know it
        outlet.settle(SETTLE_SECONDS)
    if outlet.link.dead:
        _send_to_nowhere()


def _is_ours() -> bool:
    """Whether stderr is the process's own. While a bar is drawn, rich stands before it."""
    return getattr(sys.stderr, "rich_proxied_file", sys.stderr) is sys.__stderr__


@cache
def _outlet() -> Outlet:
    outlet = Outlet(2, name="difftui-stderr")
    atexit.register(outlet.finish, SETTLE_SECONDS)
    return outlet


@cache
def _send_to_nowhere() -> None:
    """What others still write to a stderr that is gone must not raise."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
