"""Which way of drawing follows from which terminal: the table, row by row."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from difftui.pixel_modes import MODES, PixelMode, TerminalFacts, pixel_mode, terminal_facts

UTF8 = {"LANG": "en_GB.UTF-8"}


@pytest.mark.parametrize(
    ("environment", "mode"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "truecolor"),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit"}, "truecolor"),
        ({"TERM": "xterm-direct"}, "truecolor"),
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "tmux-256color"}, "256"),
        ({"TERM": "screen-256color-bce"}, "256"),
        ({"TERM": "xterm-kitty"}, "256"),
        ({"TERM": "alacritty"}, "256"),
        ({"TERM": "xterm"}, "16"),
        ({"TERM": "screen"}, "16"),
        ({"TERM": "linux"}, "8"),
        ({"TERM": "linux", "NO_COLOR": "1"}, "ascii"),
        ({"TERM": "vt220"}, "mono"),
        ({"TERM": "dumb"}, "mono"),
        ({}, "mono"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "mono"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "256"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C"}, "ascii"),
        ({"TERM": "xterm-256color", "LANG": "de_DE.ISO-8859-1"}, "ascii"),
        ({"TERM": "xterm-256color", "LANG": "de_DE"}, "ascii"),
        ({"TERM": "xterm-256color", "LANG": "POSIX", "NO_COLOR": "1"}, "ascii"),
        ({"TERM": "xterm-256color", "LC_ALL": "C", "LC_CTYPE": "C.UTF-8"}, "ascii"),
        ({"TERM": "xterm-256color", "LANG": "C", "LC_CTYPE": "UTF-8"}, "256"),
        ({"TERM": "xterm-256color", "LANG": "C", "LC_ALL": "C.utf8"}, "256"),
        ({"TERM": "xterm-256color", "LANG": "ca_ES.UTF-8@valencia"}, "256"),
        ({"TERM": "xterm-256color", "LANG": "", "LC_ALL": ""}, "256"),
    ],
)
def test_what_the_terminal_says_decides(environment: dict[str, str], mode: str) -> None:
    assert pixel_mode(terminal_facts(UTF8 | environment)) is PixelMode(mode)


def test_the_user_decides_over_the_terminal() -> None:
    for wanted in PixelMode:
        assert pixel_mode(TerminalFacts(term="dumb", no_color=True, locale="C"), wanted) is wanted


def test_every_mode_is_told() -> None:
    assert set(MODES) == set(PixelMode)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only /proc shows what Python added")
@pytest.mark.parametrize(
    ("given", "utf8"), [({"LANG": "C"}, False), ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True)]
)
def test_what_python_adds_to_the_locale_is_not_believed(given: dict[str, str], utf8: bool) -> None:
    ask = "from difftui.pixel_modes import *; print(terminal_facts(own_environment()).utf8)"
    environment = {k: v for k, v in os.environ.items() if k not in ("LANG", "LC_ALL", "LC_CTYPE")} | given
    answer = subprocess.run(
        [sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == str(utf8)
