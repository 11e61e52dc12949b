"""The last line tells no key that does nothing where one is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from helpers import text_of, until

from difftui.experiments import PAGES
from difftui.ui.app import DifftuiApp
from difftui.ui.keys import SCREENS
from difftui.ui.widgets.bars import KeyBar

TIMELESS = next(page.name for page in PAGES if "time" not in page.offers and "seed" in page.offers)
TIMED = next(page.name for page in PAGES if "time" in page.offers)
CASES: tuple[tuple[str, Mapping[str, object], set[str], set[str]], ...] = (
    ("labs", {"page": TIMELESS}, {"reseed(1)"}, {"step(-1)"}),
    ("labs", {"page": TIMED}, {"step(-1)"}, {"export"}),
    ("denoise", {"showing": 0}, {"step(-1)", "play", "example(1)", "pick(1)", "export"}, set()),
    ("denoise", {"showing": 2}, {"view(1)"}, {"play", "example(1)", "pick(1)", "export"}),
    ("denoise", {"showing": 3}, {"export"}, {"step(-1)", "play", "example(1)", "pick(1)", "read(-1)"}),
    ("compare", {"view": "steps"}, {"sample"}, set()),
    ("compare", {"view": "variety"}, {"play"}, {"sample"}),
    ("inverse", {"view": 1}, {"step(-1)", "log"}, {"speed(1)"}),
    ("inverse", {"view": 2}, {"speed(1)"}, {"log"}),
    ("train", {}, {"edit", "runs"}, {"stop", "scrub(-1)", "zoom(1)"}),
)


@pytest.mark.parametrize(("screen", "choices", "told", "idle"), CASES)
async def test_only_keys_that_do_something_are_told(
    screen: str, choices: Mapping[str, object], told: set[str], idle: set[str], own_home: Path
) -> None:
    app = DifftuiApp(screen=screen, device="cpu")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    app.state.choices[screen] = dict(choices)
    hints = {a.name: f"{a.shown} {a.label}" for a in SCREENS[screen] if a.label}
    async with app.run_test(size=(200, 40)) as pilot:
        await until(pilot, lambda: app.current_mode == screen and app.screen.query(KeyBar))
        bar = app.screen.query_one(KeyBar)
        await until(pilot, lambda: all(hints[name] in text_of(bar) for name in told))
        await until(pilot, lambda: not any(hints[name] in text_of(bar) for name in idle))
