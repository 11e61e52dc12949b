"""The real program on a real pseudo-terminal, started, typed at and timed from outside."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

__all__ = ["Terminal", "own_home"]

CHUNK = 65536


class Terminal:
    """A child process on its own pseudo-terminal.

    Use it as a context manager; leaving it ends the child, gently first.

    Attributes:
        started: ``time.perf_counter()`` just before the child was made.
        received: bytes read from it so far.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        size: tuple[int, int] = (80, 24),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start ``python -m difftui`` with these arguments in a terminal of ``size`` (columns, rows)."""
        variables = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "", **(environment or {})}
        variables.pop("NO_COLOR", None)
        home = Path(variables.get("DIFFTUI_HOME") or os.devnull)
        variables |= {
            "DIFFTUI_CONFIG": str(home / "settings.toml"),
            "DIFFTUI_STATE": str(home / "state.json"),
        }
        self.received = 0
        self.started = time.perf_counter()
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.execve(sys.executable, [sys.executable, "-m", "difftui", *arguments], variables)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def type(self, keys: str) -> float:
        """Send keystrokes; returns the moment they were sent (``time.perf_counter()``)."""
        sent = time.perf_counter()
        os.write(self.descriptor, keys.encode())
        return sent

    def read(self, seconds: float, most: int = CHUNK) -> bytes:
        """What arrives within ``seconds``, ``most`` bytes of it; returns at the first chunk, maybe empty."""
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if not ready:
            return b""
        try:
            data = os.read(self.descriptor, most)
        except OSError:  # Linux answers so when the child has closed its side
            return b""
        self.received += len(data)
        return data

    def drain(self, seconds: float) -> bytes:
        """Everything that arrives during ``seconds``."""
        end = time.perf_counter() + seconds
        parts = []
        while (left := end - time.perf_counter()) > 0:
            parts.append(self.read(left))
        return b"".join(parts)

    def wait_for(self, text: bytes, seconds: float) -> float:
        """Read until ``text`` has arrived; returns that moment.

        Raises:
            TimeoutError: it did not come in time.
        """
        end = time.perf_counter() + seconds
        seen = b""
        while (left := end - time.perf_counter()) > 0:
            seen = seen[-len(text) :] + self.read(left)
            if text in seen:
                return time.perf_counter()
        raise TimeoutError(f"{text!r} did not appear within {seconds:g} s")

    def end(self, seconds: float = 20.0) -> None:
        """Leave by the key for it, and by force if that takes longer than ``seconds``."""
        if self.pid < 0:
            return
        deadline = time.perf_counter() + seconds
        gone = False
        try:
            os.write(self.descriptor, b"q")
            while not gone and time.perf_counter() < deadline:
                self.read(0.05)
                gone = os.waitpid(self.pid, os.WNOHANG)[0] != 0
        except OSError:
            gone = os.waitpid(self.pid, os.WNOHANG)[0] != 0
        if not gone:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.descriptor)
        self.pid = -1


@contextmanager
def own_home() -> Iterator[Path]:
    """A home of its own for one measurement, so that the user's runs are left alone."""
    with tempfile.TemporaryDirectory(prefix="difftui-bench-") as folder:
        yield Path(folder)
