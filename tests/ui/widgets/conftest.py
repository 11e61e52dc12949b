"""A terminal for widgets: the app writes to it, pyte reads what a person would see."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pyte
import pytest
from rich.color import ColorSystem
from rich.style import Style
from textual.app import App
from textual.pilot import Pilot
from textual.strip import Strip

from difftui.bench.wire import recording_driver


class Wire:
    """What an app sent, and the screen that it makes."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.sink: list[str] = []
        self.screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self.screen)

    def take(self) -> str:
        """Everything since the last call; the screen has it too."""
        text = "".join(self.sink)
        self.sink.clear()
        self._stream.feed(text)
        return text

    def text(self, y: int) -> str:
        """A line as plain text."""
        return self.screen.display[y]

    def halves(self, x: int, y: int) -> tuple[str, str]:
        """Colours (hex) of the upper and the lower half of a cell."""
        cell = self.screen.buffer[y][x]
        halves = {"▀": (cell.fg, cell.bg), "▄": (cell.bg, cell.fg), "█": (cell.fg, cell.fg)}
        return halves.get(cell.data, (cell.bg, cell.bg))


@pytest.fixture(autouse=True)
def styles_know_no_other_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual keeps with a style its codes for the first colours it was written in; equal styles are one."""

    def render_style(style: Style, text: str, color_system: ColorSystem) -> str:
        codes = Strip.render_ansi(style, color_system)
        return f"\x1b[{codes}m{text}\x1b[0m" if codes else text

    monkeypatch.setattr(Strip, "render_style", staticmethod(render_style))


Terminal = Callable[..., AbstractAsyncContextManager[tuple[Pilot[Any], Wire]]]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """`async with terminal(make_app, size) as (pilot, wire)`: a running app in a 256-colour terminal."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)

    @asynccontextmanager
    async def run(
        make: Callable[[], App[Any]], size: tuple[int, int] = (80, 24)
    ) -> AsyncIterator[tuple[Pilot[Any], Wire]]:
        wire = Wire(size)
        app = make()  # here, so that it sees the environment above
        app.driver_class = recording_driver(wire.sink)
        async with app.run_test(headless=False, size=size) as pilot:
            yield pilot, wire

    return run
