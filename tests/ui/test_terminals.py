"""The real app on pseudo-terminals that say little of themselves: what it sends, and what it leaves."""

from __future__ import annotations

import re
import termios
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyte
import pytest
from helpers import CODE_PAGE_437
from nursery import Nursery, Pty, end_of

SIZE = (80, 24)
STORM = ((200, 60), (60, 20), (40, 10), (12, 4), (120, 40), (81, 23), (150, 45), SIZE)
QUIET = 0.4  # seconds without a byte: it rests
PATIENCE = 90.0

CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_=>78]|[\r\n\x07]"
)
STYLE = re.compile(r"\x1b\[([0-9;]*)m")
COLOUR = re.compile(r"(?:^|;)(?:[34]8;[25];|(?:3[0-7]|4[0-7]|9[0-7]|10[0-7])(?=;|$))")
NOT_IN_DEBIANS_FONTS = "▀▄▌▐▓√"  # of code page 437: not in Lat15-Fixed16, which Debian's consoles have
BRAILLE = re.compile("[\u2801-\u28ff]")


@dataclass
class Case:
    """A terminal's environment, and the app on such a terminal."""

    environment: Mapping[str, str]
    nursery: Nursery
    home: Path
    terminal: Pty = field(default_factory=lambda: Pty(*SIZE))
    sent: bytes = b""

    def __post_init__(self) -> None:
        near = self.terminal.near
        self.found = termios.tcgetattr(near)
        plain = dict.fromkeys(("COLORTERM", "NO_COLOR", "LC_ALL", "LC_CTYPE", "TMUX"), "")
        environment = {**plain, "LANG": "C.UTF-8", "DIFFTUI_HOME": str(self.home), **self.environment}
        self.pid = self.nursery.start(["--screen", "home", "--device", "cpu"], (near,) * 3, environment)
        self.screen = pyte.Screen(*SIZE)
        self._stream = pyte.ByteStream(self.screen)
        self._last = time.monotonic()

    def listen(self) -> bytes:
        if said := self.terminal.read():
            self._stream.feed(said)
            self.sent += said
            self._last = time.monotonic()
        return said

    @property
    def said(self) -> str:
        return self.sent.decode()

    @property
    def rests(self) -> bool:
        return time.monotonic() - self._last > QUIET

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        self.terminal.resize(columns, rows)

    @property
    def styles(self) -> set[str]:
        return set(STYLE.findall(self.said))

    @property
    def characters(self) -> set[str]:
        return set(CONTROL.sub("", self.said))


CASES = {
    "tmux without COLORTERM": {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"},
    "screen": {"TERM": "screen-256color"},
    "xterm": {"TERM": "xterm"},
    "console": {"TERM": "linux"},
    "C locale": {"TERM": "xterm-256color", "LANG": "C"},
    "no colour": {"TERM": "xterm-256color", "NO_COLOR": "1"},
    "console without colour": {"TERM": "linux", "NO_COLOR": "1"},
}


def all_of(cases: Mapping[str, Case], condition: object) -> None:
    """Listen to all until the condition holds for each: they start and draw side by side."""
    end = time.monotonic() + PATIENCE
    assert callable(condition)
    left = dict(cases)
    while left:
        for name, case in cases.items():
            case.listen()
            assert case.nursery.ended(case.pid) is None, (name, case.sent[-2000:])
            if name in left and condition(case):
                del left[name]
        assert time.monotonic() < end, {name: case.text for name, case in left.items()}
        time.sleep(0.01)


@pytest.mark.slow
def test_every_kind_of_terminal(nursery: Nursery, tmp_path: Path) -> None:
    cases = {name: Case(environment, nursery, tmp_path) for name, environment in CASES.items()}
    try:
        all_of(cases, lambda case: "bundled MNIST digits" in case.text and case.rests)
        home = {name: case.text for name, case in cases.items()}
        for case in cases.values():
            case.terminal.type("3d")
        all_of(cases, lambda case: "clean" in case.text and "digit 8" in case.text and case.rests)
        forward = {name: case.text for name, case in cases.items()}
        for name, case in cases.items():
            shows_what_it_can(name, case, home[name], forward[name])
        for size in STORM:
            for case in cases.values():
                case.resize(*size)
                case.terminal.type("ll")
                case.listen()
        all_of(cases, lambda case: "clean" in case.text and "digit 8" in case.text and case.rests)
        for name, case in cases.items():
            assert [len(line) for line in case.screen.display] == [80] * 24
            assert "269 of 1000" in case.text or "265 of 1000" in case.text, (name, case.text)
            case.terminal.type("q")
        for name, case in cases.items():
            assert end_of(nursery, case.pid, 60, lambda: [one.listen() for one in cases.values()]) == 0
            case.listen()
            assert termios.tcgetattr(case.terminal.near) == case.found, name
            assert "Traceback" not in case.said
            assert case.said.rindex("\x1b[?1049l") > case.said.rindex("\x1b[?1049h")
    finally:
        for case in cases.values():
            case.terminal.close()


def shows_what_it_can(name: str, case: Case, home: str, forward: str) -> None:
    """The pixel mode, the characters and the colours of one case."""
    assert "Forward" in home
    assert "SNR" in forward
    colours = {style for style in case.styles if COLOUR.search(style)}
    if "no" in name.split()[0] or "without colour" in name:
        assert not colours, (name, colours)
    else:
        assert colours
        assert not any("8;2;" in style for style in colours), name
    if case.environment["TERM"] in ("xterm", "linux"):
        assert not any("8;5;" in style for style in colours), name
    half_blocks = {"▀", "▄"} <= case.characters
    if case.environment["TERM"] == "linux":
        assert not any(
            re.search(r"(^|;)10[0-7]", style) for style in colours
        )  # a bright ground is dark there
        assert {one for one in case.characters if not one.isascii()} <= CODE_PAGE_437
        assert not case.characters & set(NOT_IN_DEBIANS_FONTS)
    if name in ("C locale", "console without colour"):
        assert "".join(case.characters).isascii()
        assert re.search(r"[*#%@+]{5}", forward), "a picture"
        assert re.search(r"['-]{3}", forward), "a curve"
    elif name == "console":
        assert re.search(r"[░▒█]{5}", forward)
        assert re.search(r"['-]{3}", forward)
    else:
        assert half_blocks
        assert BRAILLE.search(forward), "a curve"
