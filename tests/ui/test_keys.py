"""The table of keys: one meaning a key, vi's arrows, nothing that only Esc or only the keyboard can do."""

import base64
from collections import defaultdict
from pathlib import Path

import pytest
from helpers import text_of, ticked, until

from difftui.bench.wire import recording_driver
from difftui.ui.app import DifftuiApp
from difftui.ui.keys import GLOBAL, SCREENS, Action, shown_key
from difftui.ui.screens.help import HelpScreen

# Actions of several screens that are one thing to the user; a key may only stand for one such thing.
SAME = (
    {"step", "pan"},  # along time
    {"renoise", "reseed"},  # other randomness
    {"example", "pick"},  # the next one of several
    {"zoom", "count"},  # more, less
    {"activation", "sampler"},  # the method
    {"begin", "go_on", "demo", "open", "look"},  # what the screen offers
    {"sample", "measure"},  # how good it is, now
    {"source", "generate"},  # the network to draw with
    {"preset", "problem"},  # what is to be learned
    {"restart", "aside"},  # back to the beginning
)
VI = {"h": "left", "l": "right", "k": "up", "j": "down", "H": "shift+left", "L": "shift+right"}


def meaning(action: Action) -> tuple[str, bool]:
    """What an action is to the user, and whether it goes back."""
    name, _, argument = action.name.partition("(")
    same = next((family for family in SAME if name in family), {name})
    return " or ".join(sorted(same)), argument.startswith("-")


def test_a_key_means_the_same_on_every_screen() -> None:
    meanings = defaultdict(set)
    for screen, actions in SCREENS.items():
        for action in (*actions, *GLOBAL):
            for key in action.keys.split(","):
                meanings[key].add(meaning(action) if action in actions else (action.name, False))
        assert screen
    assert {key: found for key, found in meanings.items() if len(found) > 1} == {}


def test_capitals_walk_back() -> None:
    for actions in SCREENS.values():
        by_key = {key: action for action in actions for key in action.keys.split(",")}
        for key, action in by_key.items():
            if len(key) == 1 and key.isupper() and key not in VI:
                assert meaning(by_key[key.lower()])[0] == meaning(action)[0]
                assert meaning(action)[1]
                assert not meaning(by_key[key.lower()])[1]


@pytest.mark.parametrize("screen", SCREENS)
def test_vi_keys_are_the_arrows(screen: str) -> None:
    by_key = {key: action for action in SCREENS[screen] for key in action.keys.split(",")}
    for letter, arrow in VI.items():
        assert by_key.get(letter) == by_key.get(arrow), f"{letter} is not {arrow}"


def test_escape_is_in_no_table() -> None:
    for action in (*GLOBAL, *(action for actions in SCREENS.values() for action in actions)):
        assert "escape" not in action.keys


def test_every_window_closes_without_escape() -> None:
    from difftui.ui.panels.network_picker import NetworkPicker
    from difftui.ui.panels.page_list import PageList
    from difftui.ui.panels.page_text import PageText
    from difftui.ui.panels.recipe_form import RecipeForm
    from difftui.ui.panels.run_picker import RunPicker

    for window in (HelpScreen, NetworkPicker, PageList, PageText, RecipeForm, RunPicker):
        closing = [
            binding.key if not isinstance(binding, tuple) else binding[0] for binding in window.BINDINGS
        ]
        (keys,) = [key for key in closing if "escape" in key]
        assert set(keys.split(",")) - {"escape"}


def test_texts_name_the_keys_of_the_table() -> None:
    assert shown_key("train", "halve") == "/"
    assert shown_key("inverse", "app.leave") == "q"
    with pytest.raises(StopIteration):
        shown_key("home", "halve")


async def test_what_is_shown_is_copied_and_saved(own_home: Path) -> None:
    app = DifftuiApp(device="cpu", screen="forward")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    sent: list[str] = []
    app.driver_class = recording_driver(sent)
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        await until(
            pilot, lambda: "alpha" in text_of(app.screen.query_one("#formula")) or app.screen.x0 is not None
        )
        await ticked(pilot)
        await pilot.press("y")
        await pilot.press("y")
        await until(pilot, lambda: (own_home / "exports" / "forward-2.txt").exists())
    saved = (own_home / "exports" / "forward.txt").read_text()
    code = "".join(sent).partition("\x1b]52;c;")[2].partition("\a")[0]
    assert base64.b64decode(code).decode() == saved
    assert "x_t = √ᾱ x_0 + √(1-ᾱ) ε" in saved
    assert len(saved.splitlines()) == 24


async def test_help_scrolls_with_vi_keys_and_names_every_key() -> None:
    app = DifftuiApp(device="cpu", screen="train")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen) and app.screen.query("VerticalScroll"))
        box = app.screen.query_one("VerticalScroll")
        await until(pilot, lambda: box.max_scroll_y > 3)
        for lines in (1, 2, 3):
            await pilot.press("j")
            await until(pilot, lambda lines=lines: box.scroll_y == lines)
        await pilot.press("k")
        await until(pilot, lambda: box.scroll_y == 2)
        shown = "\n".join(text_of(widget) for widget in app.screen.query("Static"))
        assert "_" not in shown.replace("x_", "")  # no key by Textual's name, such as "full_stop"
        await pilot.press("q")
        await until(pilot, lambda: not isinstance(app.screen, HelpScreen))
