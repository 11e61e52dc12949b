"""What tests of several rooms share. Importable by its name: pyproject puts tests/ on the path."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.pilot import Pilot
from textual.widget import Widget

__all__ = ["CODE_PAGE_437", "eventually", "text_of", "until"]

CODE_PAGE_437 = {bytes([code]).decode("cp437") for code in range(128, 256)}
CODE_PAGE_437 |= set(
    "☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
)  # its bytes 1 to 31, which are control codes to Python
CODE_PAGE_437 |= set("×μ▶◀")  # which the kernel's table for it gives the glyphs of x, µ, ► and ◄
PATIENCE = 60.0  # seconds; long, since machines are shared, and only a test that fails waits for it


def eventually(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until another thread has brought it about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.002)


async def until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Let the app run until it is so. Not a moment longer: what is waited for may not last."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in time"
        await pilot.pause(0.02)


def text_of(widget: Widget) -> str:
    """What a widget shows, border included."""
    return "\n".join(strip.text for strip in widget.render_lines(widget.outer_size.region))
