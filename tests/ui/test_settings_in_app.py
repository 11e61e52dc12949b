"""Settings and state as the running app obeys them: themes, the clock, NO_COLOR, where the user was."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers import text_of, ticked, until

from difftui.bench.wire import recording_driver
from difftui.cli import main
from difftui.pixel_modes import PixelMode
from difftui.settings import Settings
from difftui.state import State
from difftui.ui.app import CALM_FPS, DifftuiApp
from difftui.ui.plotting.records import Shade
from difftui.ui.screens.forward import Scene
from difftui.ui.theme import DARK, HIGH_CONTRAST, LIGHT, MONOCHROME
from difftui.ui.widgets.plot import CurvePlot, Series

COLOUR = re.compile(r"\x1b\[([\d;:]*)m")
PLAIN_CODES = {"", "0", "1", "2", "3", "4", "7", "39", "49"}  # attributes, and the terminal's own two colours


def _app(screen: str = "forward", **options: object) -> DifftuiApp:
    app = DifftuiApp(screen=screen, device="cpu", **options)
    app.engine.start = lambda: None  # type: ignore[method-assign]  # nothing here needs torch
    return app


@pytest.mark.parametrize(
    ("theme", "remembered", "shown"),
    [
        ("auto", "", DARK),
        ("auto", "light", LIGHT),
        ("dark", "light", DARK),
        ("high-contrast", "", HIGH_CONTRAST),
        ("auto", "pink", DARK),
    ],
)
async def test_the_theme_is_the_settings_then_the_last(theme: str, remembered: str, shown: object) -> None:
    app = _app(settings=Settings(theme=theme), state=State(theme=remembered))
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.current_theme is shown
        app.action_colours("light")
        await pilot.pause()
        assert app.current_theme is LIGHT
        assert app.state.theme == "light"


async def test_every_theme_is_in_the_palette() -> None:
    app = _app()
    async with app.run_test(size=(80, 24)) as pilot:
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        assert {"Colours: dark", "Colours: light", "Colours: high-contrast"} <= set(commands)
        commands["Colours: high-contrast"].callback()
        await pilot.pause()
        assert app.current_theme is HIGH_CONTRAST


@pytest.mark.parametrize("screen", ["home", "inverse", "forward", "train"])
async def test_no_color_sends_no_colour(screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    app = _app(screen)
    sent: list[str] = []
    app.driver_class = recording_driver(sent)
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        await ticked(pilot)
        assert app.current_theme is MONOCHROME
        await pilot.press("question_mark")
        await pilot.pause(0.1)
        assert not [command for command in app.get_system_commands(app.screen) if "olours" in command.title]
    codes = {code for group in COLOUR.findall("".join(sent)) for code in group.split(";")}
    assert codes <= PLAIN_CODES, codes - PLAIN_CODES


@pytest.mark.parametrize("plain", [True, False])
async def test_a_shade_is_seen_without_colours(plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1" if plain else "")
    app = _app("inverse")
    async with app.run_test(size=(80, 24)) as pilot:
        await ticked(pilot)
        plot = app.screen.query_one("#fit", CurvePlot)
        plot.set_series([Series([0.0, 1.0], [0.0, 1.0])], shades=[Shade(0.5, 1.0)])
        await ticked(pilot)
        assert ("░" in text_of(plot)) is plain


def test_pixels_go_through_and_no_color_goes_above(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    assert _app(settings=Settings(pixels="exact")).pixel_mode is PixelMode.EXACT
    monkeypatch.setenv("NO_COLOR", "1")
    assert _app(settings=Settings(pixels="braille")).pixel_mode is PixelMode.BRAILLE
    app = _app(settings=Settings(pixels="256"))
    assert app.pixel_mode is PixelMode.MONO
    assert app._notices == ("NO_COLOR is set: pictures are drawn without colours, not as '256'.",)


async def _gaps(enough: Callable[[list[float]], bool], **options: object) -> list[float]:
    """Seconds between one frame and the next, until there are enough, while time runs on Forward."""
    app = _app(settings=Settings(**options))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.x0 is not None)
        await pilot.press("space")
        await ticked(pilot)  # what the key does is drawn sooner
        times: list[float] = []
        tick = app.screen.tick

        def noted(now: float) -> None:
            times.append(now)
            tick(now)

        app.screen.tick = noted
        await until(pilot, lambda: enough(np.diff(times).tolist()))
        assert app.screen.playing
        return np.diff(times).tolist()


async def test_reduced_motion_sends_fewer_frames() -> None:
    calm = await _gaps(lambda gaps: len(gaps) >= 3, reduced_motion=True)
    assert min(calm) > 0.8 / CALM_FPS
    await _gaps(lambda gaps: min(gaps, default=1.0) < 0.4 / CALM_FPS, fps=30)
    assert _app(settings=Settings(reduced_motion=True)).animation_level == "none"
    assert _app(settings=Settings(fps=2, reduced_motion=True)).clock.fps == 2


async def test_a_slow_clock_answers_keys_without_its_own_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    app = _app("generate", settings=Settings(fps=1))
    tick, stands_still = app._tick, False

    def unless_it_stands_still(*, typed: bool = False) -> bool:
        return (typed or not stands_still) and tick(typed=typed)

    monkeypatch.setattr(app, "_tick", unless_it_stands_still)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "digit   7" in text_of(app.screen.query_one("#side")))
        stands_still = True
        await pilot.press("d")
        await until(pilot, lambda: "digit   8" in text_of(app.screen.query_one("#side")))


async def test_choices_come_back() -> None:
    state = State()
    app = _app(state=state)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.x0 is not None)
        await pilot.press("c", "t", "d", "n", "r", "r", "end")
        await ticked(pilot)
        scene = app.screen.scene
        app.action_go("inverse")
        await ticked(pilot)
        await pilot.press("w", "a", "v", "f")
        await ticked(pilot)
    assert scene != Scene()
    assert state.screen == "inverse"
    again = State(state.screen, state.theme, json.loads(json.dumps(state.choices)))
    app = _app("forward", state=again)
    async with app.run_test(size=(80, 24)) as pilot:
        await ticked(pilot)
        assert app.screen.scene == scene
        app.action_go("inverse")
        await ticked(pilot)
        screen = app.screen
        assert (screen.recipe.hidden_layers, screen.recipe.activation) == ((8, 8), "tanh")
        assert (screen.regression.pace.rate, screen.chosen.log) == (100.0, False)


@pytest.mark.slow
@pytest.mark.parametrize("screen", ["home", "inverse", "forward", "train", "generate"])
async def test_damaged_choices_are_left_out(screen: str) -> None:
    names = ("kind", "T", "position", "label", "example", "seed", "hidden", "activation", "rate", "log",
             "sampler", "steps", "grid", "picture", "recipe", "keep")  # fmt: skip
    usual = _app(screen)
    async with usual.run_test(size=(80, 24)) as pilot:
        await ticked(pilot)
        expected = usual.screen.remember()
    wrong: list[object] = [{"a": []}, -1e300, "\x1b[31m"]
    for value in wrong:
        app = _app(screen, state=State(choices={screen: dict.fromkeys(names, value)}))
        async with app.run_test(size=(80, 24)) as pilot:
            await ticked(pilot)
            assert app.screen.remember() == expected


def test_settings_are_printed_and_written(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "--theme", "light", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["settings"] == {"theme": "light", "pixels": "auto", "fps": 15, "reduced_motion": False}
    assert (facts["file"], facts["file_exists"]) == (str(own_home / "settings.toml"), False)
    assert main(["settings", "--write"]) == 0
    assert "#fps = 15" in (own_home / "settings.toml").read_text()
    capsys.readouterr()
    (own_home / "settings.toml").write_text("fps = 900\n")
    assert main(["settings"]) == 0
    assert "fps is 900, but must be a whole number from 1 to 60" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--fps", "0"], ["--theme", "pink"], ["watch", "x", "--fps", "a"]])
def test_flags_are_checked(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
