"""Ten thousand random keys and a storm of sizes, on every screen, while a run trains on a real terminal."""

from __future__ import annotations

import fcntl
import os
import random
import re
import select
import signal
import struct
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from helpers import eventually
from nursery import Nursery, Pty, end_of

from difftui.runs import list_runs
from difftui.ui.keys import GLOBAL, PLACES, SCREENS

KEYS = 10_000
BURST = 25
SIZES = ((80, 24), (120, 40), (200, 60), (60, 20), (40, 10), (12, 4))
SEQUENCES = {
    "left": "\x1b[D", "right": "\x1b[C", "up": "\x1b[A", "down": "\x1b[B", "home": "\x1b[H", "end": "\x1b[F",
    "shift+left": "\x1b[1;2D", "shift+right": "\x1b[1;2C", "enter": "\r", "escape": "\x1b\x1b", "tab": "\t",
    "shift+tab": "\x1b[Z",
    "space": " ", "comma": ",", "full_stop": ".", "plus": "+", "minus": "-", "question_mark": "?",
    "left_square_bracket": "[", "right_square_bracket": "]", "equals_sign": "=", "semicolon": ";",
    "less_than_sign": "<", "greater_than_sign": ">", "left_parenthesis": "(", "right_parenthesis": ")",
    "left_curly_bracket": "{", "right_curly_bracket": "}",
    "vertical_line": "|", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "backspace": "\x7f", "slash": "/",
    "asterisk": "*",
}  # fmt: skip
UNKNOWN = ("\x1bOP", "\x1b[5~", "\x1b[200~pasted\x1b[201~", "ü", "漢", "\x01", "\x7f", "~")
UNWANTED = {
    "q",
    "ctrl+p",
    "z",
}  # leaving, also by the palette; processes that outlive the app: see test_detached
STYLES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
MOUSE = "\x1b[<{button};{x};{y}M\x1b[<0;{x};{y}m"


class Storm:
    """The app on a terminal at which nobody looks, and a hand that types anything."""

    def __init__(self, nursery: Nursery, home: Path) -> None:
        self.nursery, self.terminal, self.said = nursery, Pty(), b""
        self.size = SIZES[0]
        near = self.terminal.near
        environment = {"DIFFTUI_HOME": str(home), "TERM": "xterm-256color"}
        self.pid = nursery.start(["--screen", "train", "--device", "cpu"], (near, near, near), environment)
        self._dice = random.Random(5)
        self._keys = [*known_keys(), *UNKNOWN]

    def until(self, condition: Callable[[], object]) -> None:
        """Read until it is so; the app must live."""
        eventually(lambda: self._lives() and condition())

    def blow(self) -> None:
        """Another size, and a burst of keys and clicks, until they have been read."""
        self.size = self._dice.choice(SIZES)
        self.terminal.resize(*self.size)
        keys = self._dice.choices(self._keys, k=BURST)
        x, y = (
            self._dice.randint(1, self.size[0]),
            self._dice.randint(1, self.size[1] - 1),
        )  # below is "q quit"
        keys[self._dice.randrange(BURST)] = MOUSE.format(button=self._dice.choice((0, 64, 65)), x=x, y=y)
        rest = "".join(keys).encode()
        while rest:
            self.until(lambda: select.select([], [self.terminal.far], [], 0)[1])
            with suppress(BlockingIOError):  # a terminal takes no more than it has room for
                rest = rest[os.write(self.terminal.far, rest) :]
        self.until(lambda: not self._unread())

    def calm(self) -> None:
        """Wait until everything that was typed has been acted on: the screen is drawn in a new size."""
        self.said = b""
        self.terminal.resize(181, 51)
        self.until(lambda: b"8 Compare" in STYLES.sub(b"", self.said))  # short names at other sizes
        assert b"Traceback" not in self.said, self.said[-8000:].decode(errors="replace")

    def _lives(self) -> bool:
        self.said = (self.said + self.terminal.read())[-20_000:]
        assert self.nursery.ended(self.pid) is None, self.said[-3000:].decode(errors="replace")
        return True

    def _unread(self) -> int:
        """Bytes that were typed and not read yet."""
        return int(struct.unpack("i", fcntl.ioctl(self.terminal.near, termios.FIONREAD, b"\0" * 4))[0])


def known_keys() -> list[str]:
    """What a terminal sends for the keys of the table."""
    actions = (*GLOBAL, *(action for screen in SCREENS.values() for action in screen))
    names = {name for action in actions for name in action.keys.split(",")} - UNWANTED
    return [SEQUENCES.get(name, name) for name in sorted(names) if name in SEQUENCES or len(name) == 1]


@pytest.mark.slow
def test_no_key_ends_the_app_or_loses_a_run(nursery: Nursery, own_home: Path) -> None:
    storm = Storm(nursery, own_home)
    try:
        storm.until(lambda: b"Press" in storm.said)
        storm.terminal.type(" ")
        storm.until(lambda: any(run.metrics.path.exists() for run in list_runs()))
        first = list_runs()[0].name
        for place in PLACES:
            storm.terminal.type(f"\x1b\x1b{place.key}")
            for _ in range(KEYS // len(SCREENS) // BURST):
                storm.blow()
        storm.calm()
        os.kill(storm.pid, signal.SIGTERM)
        assert end_of(nursery, storm.pid, 60, storm.terminal.read) == 128 + signal.SIGTERM
    finally:
        storm.terminal.close()
    runs = list_runs()
    assert first in [run.name for run in runs]
    assert {run.status().state for run in runs} <= {"new", "stopped", "finished", "failed"}
    assert b"Traceback" not in storm.said
