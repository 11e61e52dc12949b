"""Bytes for a terminal or a pipe that may be slow, stuck or gone: whoever writes never waits."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass

__all__ = ["Link", "Outlet", "occupy_standard_streams"]

CHUNK = 4096  # a pipe that select calls writable takes this much without blocking
WHOLE = 1 << 16  # to a terminal of our own description, which takes what it can
LOOK_SECONDS = 0.1  # how often a stuck writer looks whether it is still wanted


@dataclass(frozen=True, slots=True)
class Link:
    """How it stands with the other end.

    Attributes:
        written: bytes that the system has taken so far.
        backlog: bytes that wait here.
        waiting: seconds that the oldest of them has waited; 0 when none waits.
        latency: seconds from being put to being taken, of the newest text that was taken.
        dead: whether there is no other end any more; everything is then thrown away.
    """

    written: int
    backlog: int
    waiting: float
    latency: float
    dead: bool


@dataclass(slots=True)
class _Text:
    data: bytes
    put_at: float


class Outlet:
    """A thread that writes to a descriptor, which may block it but nobody else.

    Any thread may call any method.
    """

    def __init__(self, descriptor: int, name: str = "difftui-output") -> None:
        """Write to ``descriptor``, which stays the caller's to close."""
        self._shared = descriptor
        self._own = _own_description(descriptor)
        self._texts: deque[_Text] = deque()
        self._sent = 0  # bytes of the first text that are out
        self._in_hand = 0  # bytes behind them that a write call has now
        self._backlog = 0
        self._written = 0
        self._latency = 0.0
        self._dead = False
        self._closed = False
        self._given_up = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def link(self) -> Link:
        """How it stands now."""
        with self._changed:
            waiting = time.monotonic() - self._texts[0].put_at if self._texts else 0.0
            return Link(self._written, self._backlog, waiting, self._latency, self._dead)

    def put(self, data: bytes) -> None:
        """Write it when its turn comes. Ignored once :meth:`finish` was called or the other end is gone."""
        with self._changed:
            if data and not (self._dead or self._closed):
                self._append(data)

    def forget(self) -> None:
        """Throw away what waits, but for the rest of an escape sequence or letter that is half out."""
        with self._changed:
            self._forget()
            self._changed.notify_all()

    def settle(self, seconds: float) -> bool:
        """Wait until everything is out or the other end is gone; False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._texts, seconds)

    def finish(self, seconds: float, last: bytes | None = None) -> bool:
        """Write what waits, for so long at most, and then nothing more. Whether everything got out.

        Args:
            seconds: the longest wait.
            last: what to write at the end, in place of what still waits.
        """
        with self._changed:
            if last is not None and not (self._dead or self._closed):
                self._forget()
                self._append(last)
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._texts, seconds)
            out = not self._texts and not self._dead
            self._given_up = True
            self._drop_all()
            return out

    def _append(self, data: bytes) -> None:
        self._texts.append(_Text(data, time.monotonic()))
        self._backlog += len(data)
        self._changed.notify_all()

    def _forget(self) -> None:
        if not self._texts:
            return
        first = self._texts[0]
        at = self._sent + self._in_hand
        if at:  # an escape character begins something new: all before it is whole
            end = first.data.find(b"\x1b", at)
            first.data = first.data if end < 0 else first.data[:end]
        self._texts.clear()
        if at:
            self._texts.append(first)
        self._backlog = len(first.data) - self._sent if at else 0

    def _drop_all(self) -> None:
        self._texts.clear()
        self._sent = self._backlog = 0
        self._changed.notify_all()

    def _run(self) -> None:
        try:
            while (piece := self._next()) is not None:
                self._count(self._write(piece))
        except (OSError, ValueError):  # hung up, or closed under our hands
            with self._changed:
                self._dead = True
                self._drop_all()
        finally:
            if self._own is not None:
                os.close(self._own)

    def _next(self) -> bytes | None:
        """What to write next; None when there will be nothing more."""
        with self._changed:
            self._changed.wait_for(lambda: self._texts or self._closed)
            if not self._texts or self._given_up:
                return None
            size = CHUNK if self._own is None else WHOLE
            piece = self._texts[0].data[self._sent : self._sent + size]
            self._in_hand = len(piece)
            return piece

    def _write(self, piece: bytes) -> int:
        """Write some of it; how much, which is nothing while the other end takes nothing."""
        descriptor = self._shared if self._own is None else self._own
        if not select.select([], [descriptor], [], LOOK_SECONDS)[1]:
            return 0
        try:
            return os.write(descriptor, piece)
        except BlockingIOError:
            time.sleep(LOOK_SECONDS / 10)  # writable, but not for us yet
            return 0

    def _count(self, taken: int) -> None:
        with self._changed:
            self._in_hand = 0
            self._written += taken
            if not self._texts:  # given up meanwhile
                return
            self._sent += taken
            self._backlog -= taken
            first = self._texts[0]
            if self._sent >= len(first.data):
                self._latency = time.monotonic() - first.put_at
                self._texts.popleft()
                self._sent = 0
                self._changed.notify_all()


def _own_description(descriptor: int) -> int | None:
    """The same terminal opened once more, so as not to block; None where that cannot be.

    O_NONBLOCK belongs to the open file, which we share with the shell that started us: set there, it would
    outlive us and break the shell's own reading.
    """
    try:
        if not os.isatty(descriptor):
            return None
        own = os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # no name here, or not ours to open (after su): then select has to do
        return None
    there, here = os.fstat(descriptor), os.fstat(own)
    if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
        return own
    os.close(own)  # the name is another terminal's, in another container
    return None


def occupy_standard_streams() -> None:
    """Give closed standard streams (``2>&-``) to nowhere.

    Left free, their descriptors would go to the next files that are opened, and messages into these.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            mode = os.O_RDONLY if name == "stdin" else os.O_WRONLY
            opened = os.open(os.devnull, mode)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, "r" if name == "stdin" else "w", closefd=False))
