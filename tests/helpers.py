"""What tests of several rooms share. Importable by its name: pyproject puts tests/ on the path."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sized
from typing import TYPE_CHECKING, Any

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from difftui.data import Digits, bundled
from difftui.engine import Job
from difftui.training.recipe import Recipe
from difftui.ui.app import DifftuiApp

if TYPE_CHECKING:
    from difftui.runs import Run

__all__ = [
    "CODE_PAGE_437",
    "PATIENCE",
    "SMALL",
    "at_rest",
    "eventually",
    "few_digits",
    "most_slow",
    "obeyed",
    "text_of",
    "ticked",
    "tiny",
    "train_tiny",
    "until",
]

SMALL: dict[str, Any] = {"width": 8, "middle_width": 8, "middle_blocks": 1}
"""Options of a patch-unet of a few thousand weights."""

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


async def ticked(pilot: Pilot[None]) -> None:
    """Let the app's clock draw what is known by now: two frames, however long they take on this machine."""
    app = pilot.app
    assert isinstance(app, DifftuiApp)
    enough = app.frames + 2
    await until(pilot, lambda: app.frames >= enough)
    await pilot.pause()


async def obeyed(pilot: Pilot[None]) -> None:
    """Wait until the engine has done what it was told so far: it takes its commands in their order."""
    app = pilot.app
    assert isinstance(app, DifftuiApp)
    last: Job[None] = app.engine.submit_light("the last in the queue", lambda: iter(()))
    await until(pilot, lambda: last.state.final)


async def at_rest(pilot: Pilot[None], seen: Sized, seconds: float = 0.5) -> None:
    """Wait until nothing has come to ``seen`` for so long, in which the app's clock has ticked.

    A busy machine comes to its rest late. An app that never rests fails.
    """
    app = pilot.app
    assert isinstance(app, DifftuiApp)
    end = time.monotonic() + PATIENCE
    while True:
        before, enough = len(seen), app.frames + 4
        await pilot.pause(seconds)
        await until(pilot, lambda enough=enough: app.frames >= enough)  # type: ignore[misc]
        if len(seen) == before:
            return
        assert time.monotonic() < end, f"it never rests: {seen}"[:2000]


def most_slow(values: Iterable[Any], *quick: Any) -> list[Any]:
    """Parameters of a test, of which all but the quick ones run with the slow tests."""
    return [value if value in quick else pytest.param(value, marks=pytest.mark.slow) for value in values]


def text_of(widget: Widget) -> str:
    """What a widget shows, border included."""
    return "\n".join(strip.text for strip in widget.render_lines(widget.outer_size.region))


def tiny(T: int, model: str = "patch-unet", **changes: Any) -> Recipe:
    """What a test can train: a small network, few pictures, three steps.

    A patch-unet's steps are large: after three of them it says something that its label changes.

    Args:
        T: length of the schedule.
        model: "patch-unet", which can be asked for a digit, or "lab-unet", which cannot.
        changes: other fields of the recipe.
    """
    asked: dict[str, Any] = {
        "model_options": SMALL,
        "schedule": "cosine",
        "target": "v",
        "learning_rate": 0.02,
    }
    fields = asked if model == "patch-unet" else {"model_options": {"timesteps": T}}
    fields |= {"data": "bundled", "timesteps": T, "batch_size": 4, "steps": 3}
    return Recipe(name="tiny", model=model, **fields | changes)


def few_digits(count: int) -> Digits:
    """The first of the bundled ones."""
    digits = bundled()
    return Digits(digits.images[:count], digits.labels[:count], f"{count} digits")


def train_tiny(name: str, recipe: Recipe, count: int = 8) -> Run:
    """Really train it on so many digits."""
    from difftui.runs import create_run
    from difftui.training import train

    run = create_run(name, recipe.to_json())
    for _ in train(recipe, run, digits=few_digits(count)):
        pass
    return run
