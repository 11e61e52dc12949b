"""What holds on every screen: what is shown can be taken along, every word of the last line clicked."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest
from helpers import most_slow, text_of, until

from difftui.ui.app import DifftuiApp
from difftui.ui.keys import GLOBAL, PLACES, SCREENS
from difftui.ui.widgets.bars import KeyBar, TopBar


@pytest.mark.parametrize("screen", [place.name for place in PLACES])
async def test_each_screen_is_copied_through_ssh_and_saved(screen: str, own_home: Path) -> None:
    app = DifftuiApp(screen=screen, device="cpu")
    async with app.run_test(size=(100, 30)) as pilot:
        app.engine.start = lambda: None  # type: ignore[method-assign]
        await until(pilot, lambda: app.current_mode == screen and app.screen.query(TopBar))
        written: list[str] = []
        assert app._driver is not None
        app._driver.write = written.append  # type: ignore[method-assign, assignment]
        await pilot.press("y")
        saved = own_home / "exports" / f"{screen}.txt"
        await until(pilot, saved.exists)
        sent = next(data for data in written if data.startswith("\x1b]52;c;"))
        text = b64decode(sent.removeprefix("\x1b]52;c;").removesuffix("\a")).decode()
        assert text == saved.read_text(encoding="utf-8")
        lines = text.splitlines()
        assert len(lines) == 30
        assert text_of(app.screen.query_one(TopBar)).split()[:2] == lines[0].split()[:2]


@pytest.mark.parametrize("screen", most_slow([place.name for place in PLACES], "home", "train", "questions"))
async def test_every_hint_of_the_last_line_can_be_clicked(
    screen: str, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    app = DifftuiApp(screen=screen, device="cpu")
    done: list[str] = []
    async with app.run_test(size=(200, 40)) as pilot:
        app.engine.start = lambda: None  # type: ignore[method-assign]
        await until(pilot, lambda: app.current_mode == screen and app.screen.query(KeyBar))

        async def note(action: object, *_: object, **__: object) -> bool:
            done.append(str(action))
            return True

        monkeypatch.setattr(app, "run_action", note)
        bar = app.screen.query_one(KeyBar)
        monkeypatch.setattr(app.screen, "idle_actions", frozenset)
        await until(pilot, lambda: not bar.idle)
        line = text_of(bar)
        told = [action for action in (*SCREENS[screen], *GLOBAL) if action.label]
        shown = [action for action in told if f"{action.shown} {action.label}" in line]
        assert shown[-1].name == "app.leave"
        assert len(shown) >= len(told) - 2, line
        for action in shown:
            before = len(done)
            await pilot.click(bar, offset=(line.index(f"{action.shown} {action.label}") + 1, 0))
            await until(pilot, lambda before=before: len(done) > before)
            assert action.name.split("(")[0] in done[-1]


@pytest.mark.parametrize("screen", ["generate", "denoise", "compare", "inverse", "sde"])
async def test_every_key_that_a_text_names_can_be_clicked_there(screen: str) -> None:
    """Keys are bold, in the accent colour, and letters."""
    app = DifftuiApp(screen=screen, device="cpu")
    keys = {"tab", "space", *"abcdefgimnoprstvxz"}
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.current_mode == screen and app.screen.query(KeyBar))
        accent = app.theme_variables["accent"].lower()

        def named() -> list[tuple[str, bool]]:
            segments = [part for strip in app.screen._compositor.render_strips() for part in strip]
            return [
                (part.text.strip(), "@click" in part.style.meta)
                for part in segments
                if part.style is not None
                and part.style.bold
                and part.style.color is not None
                and part.style.color.triplet is not None
                and part.style.color.triplet.hex == accent
                and part.text.strip() in keys
            ]

        await until(pilot, lambda: len(named()) >= 6)
        assert [key for key, clicked in named() if not clicked] == []


ONE_MEANING = (
    {"begin", "go_on", "open", "demo", "look"},  # enter: what this screen suggests
    {"problem", "preset"}, {"pan", "step"}, {"reseed", "renoise"}, {"example", "pick"},
    {"restart", "aside"},  # backspace: back to where it began
    {"sampler", "activation"},  # a: the way that answers are found
    {"zoom", "count"},  # + and -
    {"source", "generate"},  # m: with which network
    {"sample", "measure"},
)  # fmt: skip


def test_a_key_means_the_same_on_every_screen() -> None:
    meanings: dict[str, set[str]] = {}
    for actions in SCREENS.values():
        for action in actions:
            for key in action.keys.split(","):
                meanings.setdefault(key, set()).add(action.name)
    for action in GLOBAL:
        for key in action.keys.split(","):
            assert key not in meanings, f"{key} works everywhere"
    for key, names in meanings.items():
        verbs = {name.split("(")[0] for name in names}
        assert len(verbs) == 1 or any(verbs <= family for family in ONE_MEANING), (key, verbs)
        directions = {name.partition("(")[2] for name in names if "(" in name}
        assert len({direction.startswith("-") for direction in directions}) <= 1, (key, names)
