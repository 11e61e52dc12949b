"""Makes the README's screenshots from the running app: ``python assets/make_screenshots.py``.

Each is the real app, driven by keys, with real jobs. Needs ``rsvg-convert`` (Debian: librsvg2-bin) and a
monospaced font with braille (fonts-dejavu).
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from difftui.engine import JobState
from difftui.ui.app import DifftuiApp
from difftui.ui.screens.inverse import InverseScreen
from difftui.ui.screens.questions import QuestionsScreen

HERE = Path(__file__).parent
SIZE = (100, 26)
CELL = 12.2  # units of the SVG that a column is wide
PATIENCE_S = 300.0


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    for _ in range(int(PATIENCE_S / 0.1)):
        if condition():
            return
        await pilot.pause(0.1)
    raise TimeoutError("the app did not come to the moment that the picture is of")


async def inverse(app: DifftuiApp, pilot: Pilot[None]) -> None:
    await pilot.press("p", "tab", "tab")  # sine over a whole turn, and the diffusion model's view
    screen = app.screen
    assert isinstance(screen, InverseScreen)
    await until(pilot, lambda: (view := screen.diffusion.view) is not None and view.done)
    await pilot.pause(8.0)


async def forward(app: DifftuiApp, pilot: Pilot[None]) -> None:
    await pilot.pause(1.0)


async def train(app: DifftuiApp, pilot: Pilot[None]) -> None:
    await pilot.press("space")
    await until(pilot, lambda: app.training is not None and app.training.state is JobState.DONE)
    await pilot.pause(1.0)


async def generate(app: DifftuiApp, pilot: Pilot[None]) -> None:
    await pilot.pause(6.0)
    await pilot.press("home", *["right"] * 9)
    await pilot.pause(1.0)


async def generate_grid(app: DifftuiApp, pilot: Pilot[None]) -> None:
    await pilot.pause(2.0)
    await pilot.press("g", "d", "d", "d", "d")
    await pilot.pause(8.0)


async def sde(app: DifftuiApp, pilot: Pilot[None]) -> None:
    await pilot.press(*["p"] * 7)  # the round trip, data to noise to data
    await pilot.pause(12.0)


async def denoise(app: DifftuiApp, pilot: Pilot[None]) -> None:
    await pilot.pause(4.0)


async def compare(app: DifftuiApp, pilot: Pilot[None]) -> None:
    await pilot.press("tab")  # the samplers
    await pilot.pause(40.0)


async def labs(app: DifftuiApp, pilot: Pilot[None]) -> None:
    await pilot.press("n", "n")
    await pilot.pause(8.0)


async def questions(app: DifftuiApp, pilot: Pilot[None]) -> None:
    await pilot.press(*["n"] * 15, "i")  # when a drawn digit becomes recognisable
    await pilot.press(*("space" if letter == " " else letter for letter in "half way"), "enter", "s")
    screen = app.screen
    assert isinstance(screen, QuestionsScreen)
    await until(pilot, lambda: (work := screen.work) is not None and work.job.state.final)
    await pilot.pause(1.0)


SHOTS = {
    "inverse": inverse,
    "forward": forward,
    "train": train,
    "generate": generate,
    "generate-grid": generate_grid,
    "sde": sde,
    "denoise": denoise,
    "compare": compare,
    "labs": labs,
    "questions": questions,
}


async def shoot(name: str) -> str:
    """The screen's SVG at the moment that its function above waits for."""
    app = DifftuiApp(screen=name.partition("-")[0])
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.engine.device is not None)
        await SHOTS[name](app, pilot)
        svg = app.export_screenshot(title="difftui")
    await asyncio.to_thread(app.engine.shutdown)
    return svg


def for_rsvg(svg: str) -> str:
    """Each text placed character by character where rsvg-convert would place it wrongly.

    It drops leading blanks and does not know textLength, while braille is wider than a column in most fonts.
    """

    def placed(match: re.Match[str]) -> str:
        before, x, after, text = match.groups()
        characters = re.findall("(?:&[^;]+;|.)[\u0300-\u036f]*", text, re.DOTALL)
        if text.isascii() and not text.startswith("&#160;"):
            return match[0]
        return "".join(
            f'{before}x="{float(x) + CELL * index:.1f}"{after}>{character}</text>'
            for index, character in enumerate(characters)
            if character != "&#160;"
        )

    return re.sub(r'(<text [^>]*?)x="([\d.]+)"([^>]*)>([^<]*)</text>', placed, svg)


def main() -> None:
    for name in sys.argv[1:] or SHOTS:
        with tempfile.TemporaryDirectory() as home:
            os.environ.update(DIFFTUI_HOME=home, TERM="xterm-256color")
            os.environ.pop("NO_COLOR", None)
            svg = for_rsvg(asyncio.run(shoot(name)))
        out = HERE / f"{name}.png"
        subprocess.run(["rsvg-convert", "--zoom", "0.8", "-o", out], input=svg.encode(), check=True)
        print(out, out.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
