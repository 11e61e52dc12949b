"""What one animated frame costs: bytes on the wire and CPU time, on the real widget in a running app.

`difftui bench --only pixels` prints them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from textual.app import ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from difftui.bench.wire import recording_driver, wire_bytes
from difftui.data.digits import bundled
from difftui.diffusion import make_schedule
from difftui.pixel_modes import Detail, PixelMode
from difftui.ui.pixels.display import PixelApp
from difftui.ui.widgets.pixels import PixelView

PATIENCE_S = 2.0
"""A frame that has not been painted by then never will be."""

WARM_UP = 30
"""Frames drawn but not counted: they lay out the screen and fill the caches of segments and codes."""


@dataclass(frozen=True)
class PixelCost:
    """Cost of one frame.

    Attributes:
        frames: how many were measured.
        bytes_median, bytes_max: on the wire, cursor moves and row ends included.
        draw_ms: median CPU milliseconds to quantise, to choose the cells and to build the strips.
        app_ms: median CPU milliseconds of the whole process a frame, with Textual and the writing.
    """

    frames: int
    bytes_median: float
    bytes_max: int
    draw_ms: float
    app_ms: float


class _Stage(PixelApp):
    CSS = "Screen { background: #121212; }"

    def __init__(self, sink: list[str], view: PixelView, mode: PixelMode, detail: Detail) -> None:
        super().__init__(mode, driver_class=recording_driver(sink))
        self.set_reactive(PixelApp.pixel_detail, detail)
        self._view = view

    def compose(self) -> ComposeResult:
        yield self._view


async def _measure(
    frames: Iterable[NDArray[Any]], moving: bool, size: tuple[int, int], mode: PixelMode, detail: Detail
) -> PixelCost:
    sink: list[str] = []
    view = PixelView()
    app = _Stage(sink, view, mode, detail)
    sizes: list[int] = []
    draw: list[float] = []
    whole: list[float] = []

    async def painted() -> None:
        for _ in range(int(PATIENCE_S / 0.002)):
            if sink:
                return
            await asyncio.sleep(0.002)

    async def animate(pilot: Pilot[Any]) -> None:
        for index, frame in enumerate(frames):
            await pilot.pause()
            sink.clear()
            began = process_time()
            view.show(frame, moving=moving)
            view.render_lines(Region(0, 0, *view.outer_size))
            drawn = process_time()
            if view._repaint_required:  # else the frame is near enough to what is there
                await painted()
            if index >= WARM_UP:
                draw.append(drawn - began)
                whole.append(process_time() - began)
                sizes.append(wire_bytes(sink))
        app.exit()

    await app.run_async(headless=False, size=size, auto_pilot=animate)
    return PixelCost(len(sizes), median(sizes), max(sizes), 1e3 * median(draw), 1e3 * median(whole))


def measure(
    frames: Iterable[NDArray[Any]],
    *,
    moving: bool = True,
    size: tuple[int, int] = (120, 48),
    mode: PixelMode = PixelMode.PALETTE,
    detail: Detail = Detail.FULL,
) -> PixelCost:
    """Play `frames` in a `PixelView` and measure each but the first `WARM_UP`.

    Args:
        frames: what `PixelView.show` takes; more than `WARM_UP`.
        moving: as for `PixelView.show`.
        size: columns and rows of the terminal.
        mode, detail: how pictures are drawn, and how much of one that moves.
    """
    before = dict(os.environ)
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": ""}  # what the figures are about
    os.environ.pop("NO_COLOR", None)
    try:
        return asyncio.run(_measure(frames, moving, size, mode, detail))
    finally:
        os.environ.clear()
        os.environ |= before


def noise(count: int, images: int = 1, seed: int = 0) -> NDArray[np.float32]:
    """Frames of pure standard Gaussian noise, (count, images, 28, 28)."""
    return np.random.default_rng(seed).standard_normal((count, images, 28, 28), dtype=np.float32)


def noised(digits: NDArray[np.uint8], alpha_bar: float, seed: int = 0) -> NDArray[np.float64]:
    """One frame for each digit: √ᾱ x₀ + √(1-ᾱ) ε.

    Args:
        digits: (count, 28, 28) uint8.
    """
    x0 = digits / 127.5 - 1.0
    eps = np.random.default_rng(seed).standard_normal(x0.shape)
    return np.asarray(np.sqrt(alpha_bar) * x0 + np.sqrt(1.0 - alpha_bar) * eps)


def walk(digit: NDArray[np.uint8], first: int = 300, steps: int = WARM_UP + 100) -> list[NDArray[np.float64]]:
    """One digit losing one noise in equal steps of time, from t = `first` to 0, linear T = 1000."""
    schedule = make_schedule("linear", 1000)
    times = np.linspace(first, 0, steps).round().astype(int).tolist()
    return [noised(digit[None], schedule.alpha_bar(t))[0] for t in times]


def scenes() -> Mapping[str, Callable[[], PixelCost]]:
    """What the README quotes, by name: noise and late frames of a reverse diffusion, linear T = 1000."""
    schedule = make_schedule("linear", 1000)
    digits = bundled().images[: WARM_UP + 100]
    return {
        "pure noise, moving": lambda: measure(noise(WARM_UP + 100)[:, 0]),
        "t = 10, moving": lambda: measure(noised(digits, schedule.alpha_bar(10))),
        "one digit, t = 300 to 0, moving": lambda: measure(walk(digits[7])),
        "12 × pure noise, moving": lambda: measure(noise(WARM_UP + 30, images=12)),
        "pure noise, at rest": lambda: measure(noise(WARM_UP + 100)[:, 0], moving=False),
        "t = 100, moving": lambda: measure(noised(digits, schedule.alpha_bar(100))),
        "clean digit, moving": lambda: measure(noised(digits, schedule.alpha_bar(-1))),
    }
