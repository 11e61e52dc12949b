"""Our driver, with the real app on real terminals."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest
from helpers import eventually, until
from nursery import Nursery, Pty, end_of

from difftui.ui.app import DifftuiApp
from difftui.ui.widgets.bars import TopBar

SIZE = (160, 50)
FORWARD = "x_0, the clean digit"  # Home speaks of clean digits too


@pytest.fixture
def terminal() -> Iterator[Pty]:
    pty = Pty(*SIZE)
    yield pty
    pty.close()


class Watched:
    """The app on a terminal, and what a terminal emulator shows of it."""

    def __init__(self, nursery: Nursery, home: Path, terminal: Pty, screen: str) -> None:
        # Some shells export the size that the terminal once had.
        environment = {"DIFFTUI_HOME": str(home), "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
        streams = (terminal.near, terminal.near, terminal.near)
        self.pid = nursery.start(["--screen", screen, "--device", "cpu"], streams, environment)
        self.nursery, self.terminal = nursery, terminal
        self.screen = pyte.Screen(*SIZE)
        self._stream = pyte.ByteStream(self.screen)

    def rest(self, quiet: float = 0.5) -> list[str]:
        """What is shown once nothing has come for a while."""
        end, last = time.monotonic() + 60, time.monotonic()
        while time.monotonic() < last + quiet:
            assert time.monotonic() < end, "it never came to rest"
            if said := self.terminal.read_for(0.02):
                self._stream.feed(said)
                last = time.monotonic()
        return list(self.screen.display)

    def shows(self, text: str) -> None:
        end = time.monotonic() + 60
        while text not in "\n".join(self.screen.display):
            assert time.monotonic() < end, "\n".join([f"{text!r} never appeared:", *self.screen.display])
            assert self.nursery.ended(self.pid) is None, "\n".join(self.screen.display)
            self._stream.feed(self.terminal.read_for(0.02))

    def leave(self) -> int:
        self.terminal.type("q")
        return end_of(self.nursery, self.pid, 60, self.terminal.read)


def test_an_idle_app_sends_nothing(nursery: Nursery, own_home: Path, terminal: Pty) -> None:
    app = Watched(nursery, own_home, terminal, "home")
    app.shows("bundled MNIST digits")
    app.rest(2.0)
    terminal.type("3")
    app.shows(FORWARD)
    app.rest(1.0)
    assert app.leave() == 0


@pytest.mark.slow
def test_after_a_stall_the_screen_is_whole_again(nursery: Nursery, own_home: Path, terminal: Pty) -> None:
    app = Watched(nursery, own_home, terminal, "home")
    app.shows("bundled MNIST digits")
    terminal.type("3")
    app.shows(FORWARD)
    expected = app.rest()
    for number in range(60):  # ten times what the app keeps for a terminal that does not read
        terminal.type("123"[number % 3])
        time.sleep(0.04)
    eventually(lambda: not select.select([], [terminal.near], [], 0)[1])
    terminal.type("3")
    end = time.monotonic() + 60
    while app.rest() != expected:  # what was typed may still have to be acted on
        assert time.monotonic() < end, "\n".join(app.screen.display)
    assert app.leave() == 0


def test_stray_bytes_are_no_reason_to_die(nursery: Nursery, own_home: Path, terminal: Pty) -> None:
    app = Watched(nursery, own_home, terminal, "home")
    app.shows("bundled MNIST digits")
    os.write(terminal.far, b"\xff\xfe\xc3(\x80\xf0\x9f")
    time.sleep(0.2)
    terminal.type("3")
    app.shows(FORWARD)
    assert app.leave() == 0


async def test_a_slow_link_costs_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    app = DifftuiApp(device="cpu")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.engine.device is not None)
        await pilot.pause(0.3)
        drawn: list[tuple[str, ...]] = []
        monkeypatch.setattr(TopBar, "show_pulse", lambda _self, parts: drawn.append(parts))
        app._driver.behind = True
        await pilot.pause(0.3)
        assert drawn == []
        frames = app.frames
        await pilot.press("3")  # keys are heard all the same, and what they change is said in words
        await pilot.pause(0.1)
        assert app.current_mode == "forward"
        assert app.frames == frames
        assert app.pictures_wait
        app._driver.behind = False
        await until(pilot, lambda: app.frames > frames and not app.pictures_wait)
    assert app.engine.shutdown(60)
