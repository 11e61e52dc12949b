"""Real difftui processes without the wait for torch: a parent that has imported it forks them.

Run as a script it is that parent. It serves one test process over a socket: a line of JSON and the three
standard streams make a child; a line with a process id asks how that child ended.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from difftui.runs import Run

__all__ = ["Nursery", "Pty", "assert_resumes", "end_of"]

START_SECONDS = 600.0  # to import torch, beside others that do
SECONDS = 60.0  # long, since machines are shared; only a test that fails waits for it


class Pty:
    """A pseudo-terminal of which the test holds the far end.

    Attributes:
        far: what a terminal emulator would hold; -1 once closed.
        near: what the program gets; the test keeps it until the program is gone, or closes it.
    """

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.far, self.near = os.openpty()
        self.resize(columns, rows)
        os.set_blocking(self.far, False)

    def resize(self, columns: int, rows: int) -> None:
        """Be of this size from now on."""
        fcntl.ioctl(self.near, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self) -> bytes:
        """What is there now; of a program that never stops to write, what comes in a second."""
        end = time.monotonic() + 1.0
        parts: list[bytes] = []
        while time.monotonic() < end:
            try:
                part = os.read(self.far, 65536)
            except OSError:  # nothing now, or nobody at the near end any more
                break
            if not part:
                break
            parts.append(part)
        return b"".join(parts)

    def read_for(self, seconds: float) -> bytes:
        """All that comes in this time."""
        end = time.monotonic() + seconds
        parts: list[bytes] = []
        while time.monotonic() < end:
            parts.append(self.read())
            time.sleep(0.01)
        return b"".join(parts)

    def type(self, keys: str) -> None:
        """Send keystrokes, all of them."""
        rest, end = keys.encode(), time.monotonic() + SECONDS
        while rest:
            try:
                rest = rest[os.write(self.far, rest) :]
            except BlockingIOError:  # the program has not read what was typed before
                assert time.monotonic() < end, "the program reads no keys"
                time.sleep(0.01)

    def leave_near(self) -> None:
        """Close our copy of the near end."""
        if self.near >= 0:
            os.close(self.near)
            self.near = -1

    def hang_up(self) -> None:
        """Close the far end, as a connection that drops does."""
        if self.far >= 0:
            os.close(self.far)
            self.far = -1

    def close(self) -> None:
        """Close what is open."""
        self.leave_near()
        self.hang_up()


class Nursery:
    """The test's side of the parent process."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DIFFTUI_")}
        environment = {**inherited, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()], env=environment
        )
        theirs.close()
        ours.settimeout(START_SECONDS)  # a parent that does not answer is an error, and not a wait for ever
        self._socket, self._lines = ours, ours.makefile("r")
        self._ended: dict[int, int] = {}
        assert self._lines.readline() == "ready\n"
        ours.settimeout(SECONDS)

    def start(
        self,
        arguments: Sequence[str],
        streams: tuple[int, int, int],
        environment: Mapping[str, str],
        *,
        controlling: bool = True,
    ) -> int:
        """Start ``difftui`` with these arguments and standard streams; returns its process id.

        Args:
            controlling: whether its terminal, if it has one, is its session's: that one gets its hang-up.
        """
        own = {name: value for name, value in os.environ.items() if name.startswith("DIFFTUI_")}
        request = {
            "arguments": arguments, "environment": {**own, **environment}, "controlling": controlling
        }  # fmt: skip
        socket.send_fds(self._socket, [json.dumps(request).encode() + b"\n"], list(streams))
        return int(self._lines.readline())

    def ended(self, pid: int) -> int | None:
        """Its exit status (negative: by which signal), or None while it lives."""
        if pid not in self._ended:
            self._socket.sendall(f"{pid}\n".encode())
            status: int | None = json.loads(self._lines.readline())
            if status is None:
                return None
            self._ended[pid] = status
        return self._ended[pid]

    def close(self) -> None:
        """End the parent."""
        self._lines.close()
        self._socket.close()
        try:
            self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(SECONDS)
            raise


def end_of(nursery: Nursery, pid: int, seconds: float, meanwhile: Callable[[], object] = lambda: None) -> int:
    """The exit status of a process that must end within ``seconds``."""
    deadline = time.monotonic() + seconds
    while (status := nursery.ended(pid)) is None:
        if time.monotonic() > deadline:
            os.kill(pid, 9)
            raise AssertionError(f"it had not ended after {seconds:g} s")
        meanwhile()
        time.sleep(0.01)
    return status


def assert_resumes(run: Run) -> None:
    """It was stopped in order, and goes on with the step after the last one that was saved."""
    from difftui.training import Recipe, train

    status = run.status()
    assert (status.state, status.message) == ("stopped", "")
    assert status.step > 0
    events = train(Recipe.from_json(run.recipe_text()), run, resume=True)
    assert next(iter(events)).step == status.step + 1
    events.close()


def _serve(connection: socket.socket) -> None:

    import difftui.cli
    import difftui.commands.train
    import difftui.engine.training
    import difftui.training.trainer
    import difftui.ui.app
    import difftui.ui.driver
    import difftui.ui.screens.train  # noqa: F401

    connection.sendall(b"ready\n")
    while True:
        message, streams, _, _ = socket.recv_fds(connection, 65536, 3)
        if not message:
            return
        request = json.loads(message)
        if isinstance(request, int):
            pid, status = os.waitpid(request, os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
            connection.sendall(json.dumps(answer).encode() + b"\n")
            continue
        pid = os.fork()
        if pid == 0:
            connection.close()
            _become(request, streams)
        for stream in streams:
            os.close(stream)
        connection.sendall(f"{pid}\n".encode())


def _become(request: dict[str, object], streams: list[int]) -> None:
    """In the child: be ``difftui``."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if request["controlling"] and os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    environment = request["environment"]
    assert isinstance(environment, dict)
    for name in [name for name in os.environ if name.startswith("DIFFTUI_")]:
        del os.environ[name]  # the parent's are those of whoever started the tests
    os.environ.update(environment)
    home = Path(os.environ["DIFFTUI_HOME"])  # where else it keeps things is nobody's but the test's either
    os.environ.setdefault("DIFFTUI_STATE", str(home / "state.json"))
    os.environ.setdefault("DIFFTUI_CONFIG", str(home / "settings.toml"))
    arguments = request["arguments"]
    assert isinstance(arguments, list)
    sys.argv[1:] = arguments
    from difftui.cli import main

    sys.exit(main())


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
