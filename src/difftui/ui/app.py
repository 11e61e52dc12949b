"""The application: it holds the engine, the clock and the screens, and computes nothing itself."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import constants
from textual._compositor import ChopsUpdate
from textual.app import SystemCommand
from textual.events import Event, Key, MouseDown, MouseUp, Resize
from textual.screen import Screen

from difftui import atomic
from difftui.engine import Engine, Job, JobState
from difftui.errors import DifftuiError
from difftui.outlet import Outlet
from difftui.pixel_modes import PixelMode
from difftui.settings import Settings
from difftui.state import Choices, State, save_state
from difftui.ui.clock import FRAME_SECONDS, FrameClock
from difftui.ui.keys import GLOBAL, SCREENS, bindings
from difftui.ui.pixels.display import PixelApp
from difftui.ui.signals import end_well_on_signals
from difftui.ui.theme import MONOCHROME, THEMES, chosen_theme
from difftui.words import short_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rich.console import RenderableType
    from textual.driver import Driver

    from difftui.engine.training import TrainingView
    from difftui.engine.watching import Watch
    from difftui.runs import Run
    from difftui.ui.driver import TerminalDriver
    from difftui.ui.screens.base import LabScreen

__all__ = ["DifftuiApp", "run_app"]

CALM_FPS = 4  # of reduced motion
MEMORY_SECONDS = 2.0
WORDS_SECONDS = 0.02  # that pictures give to words on a slow link
TYPED_SECONDS = 0.01  # in which what a click asks for is done, or words are drawn
SWIFT_FPS = 15  # with a slower clock, what a key does is drawn before the clock's time
PACE_SECONDS = 1.0
KEYS_SECONDS = 0.5
LEAST_FRAMES = 5  # a second (or half of what the clock allows), below which nothing moves
LAST_WORDS_SECONDS = 0.5  # on a terminal that may not read them
_PLAIN_MODES = (PixelMode.MONO, PixelMode.BRAILLE, PixelMode.ASCII)
PATIENCE_SECONDS = 1.0  # a longer end than this gives its reason


class DifftuiApp(PixelApp):
    """The laboratory: its screens, and what they share.

    Attributes:
        engine: the worker thread.
        training: the newest training, whether it runs or not; screens share it. A job is this process's own;
            a watch looks at another's.
        data: ``--data``, or None for what is found.
        wanted_run: the run that Train, Generate, Denoise or Compare, whichever is shown next, opens with:
            ``--run``, or what another screen hands on.
        go_on: whether Train resumes that run, or attaches to it, at once.
        errand: the screen that sent the user to another one, and a word or two for what; or nothing.
        clock: when a frame is drawn, and how finely.
        state: where the user is, to begin there next time.
    """

    TITLE = "difftui"
    CSS_PATH = "app.tcss"
    BINDINGS = bindings(GLOBAL)
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        *,
        screen: str = "home",
        run: str | None = None,
        device: str = "auto",
        data: str | None = None,
        watch: Run | None = None,
        notices: tuple[str, ...] = (),
        pixels: PixelMode | None = None,
        settings: Settings | None = None,
        state: State | None = None,
    ) -> None:
        settings = settings or Settings()
        self.state = state or State()
        self._keeps = state is not None
        self.plain = bool(os.environ.get("NO_COLOR"))
        if not self.plain:  # an empty one means nothing (no-color.org), but Textual would obey it
            os.environ.pop("NO_COLOR", None)
        # Textual's filter for NO_COLOR lets greys through, unless the theme is known to have no colours now.
        mode, refused = _wanted_pixels(settings.pixels, plain=self.plain)
        super().__init__(pixels or mode, ansi_color=True if self.plain else None)
        for theme in (*THEMES.values(), MONOCHROME):
            self.register_theme(theme)
        wanted = self.state.theme if settings.theme == "auto" else settings.theme
        self.theme = chosen_theme(wanted or "auto", os.environ).name
        if settings.reduced_motion:
            self.animation_level = "none"
        self.engine = Engine(device)
        self.training: Job[TrainingView] | Watch | None = None
        self.data = data
        self.wanted_run = run
        self.go_on = False
        self.errand: tuple[str, ...] = ()
        self.painted = False
        self.frames: int = 0
        self.clock = FrameClock(min(settings.fps, CALM_FPS) if settings.reduced_motion else settings.fps)
        self._pace = ""
        self._pace_at = 0.0
        self._keys_told: tuple[LabScreen | None, float] = (None, 0.0)
        self._begun = False
        self._undrawn = False
        self._made: dict[str, LabScreen] = {}
        self._to_watch = watch
        self._first_screen = screen
        self._notices = (*notices, *refused)
        self._tick_is_due = False
        self._sent_before = 0
        self._input_at = self._remembered_at = 0.0

    def get_driver_class(self) -> type[Driver]:
        """Ours, unless Textual was told of another by its environment variable."""
        from difftui.ui.driver import TerminalDriver

        return super().get_driver_class() if constants.DRIVER else TerminalDriver

    def on_mount(self) -> None:
        for name in SCREENS:
            self.add_mode(name, cast("Callable[[], Screen[object]]", partial(self._make_screen, name)))
        if self._to_watch is not None:
            self.watch_run(self._to_watch)
        if self._terminal is not None:  # before anything is drawn: how far away the terminal is
            self.clock.flow.mark(0, time.monotonic())
            self._terminal.ask_for_sign()
        self.switch_mode(self._first_screen)
        self.set_interval(1 / self.clock.fps, self._tick)
        for notice in self._notices:
            self.notify(notice, severity="warning", timeout=30, markup=False)

    def action_go(self, name: str) -> None:
        """Show a screen."""
        self.switch_mode(name)

    def visit(self, name: str, choices: Mapping[str, object]) -> None:
        """Show a screen with this chosen on it, whether it was used before or not.

        Args:
            name: of the screen.
            choices: by name, as the screen remembers them.
        """
        screen = self._made.get(name)
        if screen is not None and screen.is_mounted:
            screen.visit(choices)
        elif screen is None:
            self.state.choices[name] = {**self.state.choices.get(name, {}), **choices}
        self.switch_mode(name)

    def action_colours(self, name: str) -> None:
        """Take a theme, now and at the next start."""
        self.theme = THEMES[name].name
        self.state.theme = name

    def action_copy(self) -> None:
        """Copy what is shown as text (OSC 52: through SSH, where the terminal lets it), and save it."""
        from difftui.media import unused_path
        from difftui.paths import home_dir

        text = "\n".join(strip.text.rstrip() for strip in self.screen._compositor.render_strips()) + "\n"
        self.copy_to_clipboard(text)
        path = unused_path(home_dir() / "exports" / f"{self.current_mode}.txt")
        try:
            atomic.write_text(path, text)
        except OSError as error:
            told = (
                f"Copied. {path} cannot be written ({error.strerror}): set DIFFTUI_HOME to a folder that can."
            )
            self.notify(told, severity="error", markup=False)
        else:
            self.notify(f"Copied, where the terminal lets it; saved {short_path(path)}", markup=False)

    def action_help(self) -> None:
        """Show the keys of the current screen."""
        from difftui.ui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.current_mode))

    def action_command_palette(self) -> None:
        """Search what can be done, by its words."""
        from difftui.ui.steady import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_leave(self) -> None:
        """Leave; whatever trains is saved by :func:`run_app` once the terminal is given back."""
        self.exit()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The command palette: everything in the key table that works here, then themes."""
        for action in (*SCREENS.get(self.current_mode, ()), *GLOBAL[:-2]):
            title = action.help.rstrip(".")
            yield SystemCommand(title, f"key {action.shown}", self._runner(action.name))
        for name in () if self.plain else THEMES:
            yield SystemCommand(f"Colours: {name}", "change the theme", partial(self.action_colours, name))
        yield SystemCommand("Leave difftui", "key q; a training that runs is saved first", self.action_leave)

    def keep_state(self) -> None:
        """Save what the screens have to write down; if there is to be a next time, where the user is."""
        for screen in self._made.values():
            with suppress(DifftuiError):
                screen.keep()
        if self._keeps:
            save_state(self.state)

    def training_is_active(self) -> bool:
        """Whether a training is under way (running, paused, about to start), in this process or another."""
        return self.training is not None and not self.training.state.final

    def own_training(self) -> Job[TrainingView] | None:
        """The training that this process has under way: it ends, saved, when the app does."""
        training = self.training
        return training if isinstance(training, Job) and not training.state.final else None

    def own_run(self) -> Run | None:
        """The run of that training, once it is on disk."""
        training = self.own_training()
        return training.snapshot.run if training is not None and training.snapshot is not None else None

    def watch_run(self, run: Run) -> None:
        """Let the screens show a run that another process trains, or trained."""
        from difftui.engine.watching import Watch

        self.stop_watching()
        self.training = Watch(run).start()

    def stop_watching(self) -> None:
        """Look away; the training goes on where it is."""
        if self.training is not None and not isinstance(self.training, Job):
            self.training.leave()
            self.training = None

    def pulse(self) -> tuple[str, ...]:
        """The right end of the header: what animation costs, the device, then what the worker does."""
        pace = self._told_pace(time.monotonic())
        return (pace, *self._told_work()) if pace else self._told_work()

    def _told_pace(self, now: float) -> str:
        """Frames and bytes a second while something moves; new once a second, for it costs bytes itself."""
        if now - self._pace_at >= PACE_SECONDS:
            frames, bytes_per_second = self.clock.told(now)
            moving = self.clock.drawings(now) >= min(LEAST_FRAMES, self.clock.fps / 2)
            self._pace_at = now
            told = f"{frames:.0f}" if frames >= 2 else f"{frames:.1f}"
            self._pace = f"{told}/s {bytes_per_second / 1000:.0f} kB/s" if moving else ""
        return self._pace

    def _told_work(self) -> tuple[str, ...]:
        if self.engine.problem:
            return (self.engine.problem,)
        if self.engine.device is not None:
            device = self.engine.device.label
        else:
            device = "loading torch …" if self.engine.started else ""
        if self.training is None or not self.training_is_active():
            return (device,) if device else ()
        view = self.training.snapshot
        share = f" {view.progress.fraction:.0%}" if view and view.progress else ""
        mark = "⏸" if self.training.state is JobState.PAUSED else "▶"
        what = f"{mark}{share} {self.training.name}"
        return (device, what) if device else (what,)

    def _make_screen(self, name: str) -> LabScreen:
        """Make a screen when it is first shown: its module, and what that imports, loads only then."""
        from importlib import import_module

        screen: LabScreen = import_module(f"difftui.ui.screens.{name}").SCREEN()
        screen.recall(Choices(self.state.choices.get(name, {})))
        self._made[name] = screen
        return screen

    def _tick(self, *, typed: bool = False) -> bool:
        """The one clock: the shown screen draws what is new.

        Args:
            typed: a key or a click may have changed something. It is drawn before its time, and where the
                link is busy its words are.

        Returns:
            Whether there was a screen to draw, and the time to do it.
        """
        from difftui.ui.screens.base import LabScreen

        screen = self.screen_stack[0] if self.is_running and self.screen_stack else None
        if not isinstance(screen, LabScreen) or not screen.is_mounted or not screen.top_bar.is_attached:
            return False  # parts of one that is being taken down may be gone
        if not self._begun and screen.top_bar.size:
            self._begun = True
            screen.call_after_refresh(self._after_first_paint)
        now = time.monotonic()
        self._read_signs(now)
        self.clock.sparing = self._trains_on_these_cores
        free = self._link_is_free and self.clock.may_draw(now, SWIFT_FPS if typed else None)
        if not (free or typed):
            return False  # this frame is dropped; keys are not
        self._admit_pictures(now, free=free, typed=typed)
        if free and self._undrawn:  # what was not drawn meanwhile is drawn whole
            self._undrawn = False
            self.screen.refresh()
        if self.painted and self.engine.has_work:
            self.engine.start()
        screen.top_bar.show_pulse(self.pulse())
        screen.key_bar.show_errand(self.errand)
        screen.tick(now)
        self._tell_keys(screen, now, typed=typed)
        self._remember(screen, now)
        return True

    def _tell_keys(self, screen: LabScreen, now: float, *, typed: bool) -> None:
        """What can be done here, in the last line: looked at anew after a key, and now and then."""
        if typed or self._keys_told[0] is not screen or now - self._keys_told[1] >= KEYS_SECONDS:
            self._keys_told = (screen, now)
            screen.key_bar.show_idle(screen.idle_actions())

    def _admit_pictures(self, now: float, *, free: bool, typed: bool) -> None:
        """Whether moving pictures may draw now, and how finely.

        Words go before them on a slow link, and where somebody waits for what a key changes.
        """
        if free:
            self.clock.drew(
                self._sent, now, time.thread_time(), self.take_share(self._sent - self._sent_before)
            )
            self.frames += 1
            self.pixel_detail = self.clock.detail
        rate = self.clock.flow.rate(now)
        slow = rate is not None
        self.pictures_wait = slow or typed or not free
        if free:
            self.allowance = None if rate is None else round(rate * FRAME_SECONDS)
            self._sent_before = self._sent
        if free and slow:
            self.set_timer(WORDS_SECONDS, self._let_pictures_go)
        elif free and typed:
            self.set_timer(TYPED_SECONDS, self._let_pictures_go)

    def _remember(self, screen: LabScreen, now: float) -> None:
        """What is chosen there, for the next start: it changes when something was typed, or soon after."""
        new = self.state.screen != screen.NAME
        if new or now - self._input_at < MEMORY_SECONDS or now - self._remembered_at > MEMORY_SECONDS:
            self._remembered_at = now
            self.state.screen = screen.NAME
            self.state.choices[screen.NAME] = screen.remember()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Draw, unless the terminal has taken nothing for so long that this would only pile up."""
        if renderable is not None and getattr(self._driver, "flooded", False):
            self._undrawn = True
            return
        sent = self._sent
        super()._display(screen, renderable)
        terminal, total = self._terminal, self._sent
        if total > sent and not isinstance(renderable, ChopsUpdate):
            self._undrawn = False
        if terminal is not None and total > sent and self.clock.flow.mark(total, time.monotonic()):
            terminal.ask_for_sign()

    @property
    def _terminal(self) -> TerminalDriver | None:
        """The driver, where it is ours: not in tests without a terminal."""
        from difftui.ui.driver import TerminalDriver

        return self._driver if isinstance(self._driver, TerminalDriver) else None

    def _let_pictures_go(self) -> None:
        """Words are under way; now the pictures, as much of them as there is room for beside the words."""
        if self.allowance is not None:
            self.allowance -= self._sent - self._sent_before
            self._sent_before = self._sent
        self.pictures_wait = False

    @property
    def _link_is_free(self) -> bool:
        return not getattr(self._driver, "behind", False)

    @property
    def _trains_on_these_cores(self) -> bool:
        device, own = self.engine.device, self.own_training()
        on_cpu = device is not None and device.torch_device_name == "cpu"
        return on_cpu and own is not None and own.state is JobState.RUNNING

    @property
    def _sent(self) -> int:
        """Bytes handed to the terminal so far; 0 where there is none."""
        link = self._terminal.link if self._terminal is not None else None
        return link.written + link.backlog if link is not None else 0

    def _read_signs(self, now: float) -> None:
        """Tell the clock what has arrived."""
        terminal = self._terminal
        if terminal is not None:
            while (at := terminal.take_sign()) is not None:
                self.clock.flow.heard(at)
            self.clock.flow.taken(terminal.link.written, now)

    def _after_first_paint(self) -> None:
        """What the first paint need not wait for: the engine, whose thread imports torch."""
        self.painted = True
        if self._to_watch is None:  # else nobody may ever need torch
            self.engine.start()

    def _runner(self, action: str) -> Callable[[], object]:
        return lambda: self.call_later(self.run_action, action, self.screen_stack[0])

    async def on_event(self, event: Event) -> None:
        """What a key or a click does is drawn soon, and not at the clock's next tick; a new size, anew."""
        came_back = event.is_forwarded  # from the screen; what it is bound to is done now
        if isinstance(event, Resize):  # smaller sizes in between may have cost the terminal its text
            self._undrawn = True
        await super().on_event(event)
        if isinstance(event, (Key, MouseDown, MouseUp)):
            self._input_at = time.monotonic()
            if came_back and self._tick(typed=True):
                self._tick_is_due = False
            elif not self._tick_is_due:
                self._tick_is_due = True
                self.set_timer(TYPED_SECONDS, self._tick_when_due)

    def _tick_when_due(self) -> None:
        """Draw what a click changed, or a key that did not come back, or that has brought another screen."""
        if self._tick_is_due:
            self._tick_is_due = False
            self._tick(typed=True)


def _wanted_pixels(name: str, *, plain: bool) -> tuple[PixelMode | None, tuple[str, ...]]:
    """The way to draw pictures that a user named, and what is to be said of it."""
    if name == "auto":
        return None, ()
    mode = PixelMode(name)
    if plain and mode not in _PLAIN_MODES:
        return None, (f"NO_COLOR is set: pictures are drawn without colours, not as {name!r}.",)
    return mode, ()


def _what_was_saved(app: DifftuiApp) -> str:
    """One line for whoever left in the middle of a training; empty where there was none."""
    left = app.training
    if not isinstance(left, Job) or left.state is not JobState.CLOSED or left.snapshot is None:
        return ""
    run = left.snapshot.run
    status = run.status()
    if status.state != "stopped":
        return ""
    return f"difftui: {run.name} is saved at step {status.step}. Start difftui again to go on with it.\n"


def run_app(
    screen: str | None,
    run: str | None,
    device: str,
    data: str | None,
    watch: Run | None = None,
    notices: tuple[str, ...] = (),
    *,
    settings: Settings | None = None,
    state: State | None = None,
) -> int:
    """Open the app in this terminal; returns the exit status once it is closed and everything is saved.

    Args:
        screen, run, device, data: as the class takes them.
        watch: a run to watch, whoever trains it.
        notices: lines for the user from before the app was there; they are shown when it opens.
        settings: how it looks and moves.
        state: where the user was, to begin there where nothing else is asked for; None keeps nothing.

    Raises:
        DifftuiError: there is no such screen or run; the terminal is left as it was.
    """
    if screen is not None and screen not in SCREENS:
        raise DifftuiError(f"there is no screen called {screen!r}. Known: {', '.join(SCREENS)}.")
    if run is not None:
        from difftui.ui.pipeline_sources import opened_as

        run = opened_as(run)
    last = state.screen if state is not None and run is None and state.screen in SCREENS else "home"
    first = screen or (last if watch is None else "train")
    app = DifftuiApp(
        screen=first, run=run, device=device, data=data, watch=watch, notices=notices,
        settings=settings, state=state,
    )  # fmt: skip
    end_well_on_signals(app)
    try:
        app.run()
    finally:
        app.keep_state()
        stderr = Outlet(2)  # the save must not wait for a terminal that nobody reads
        if app.own_training() is not None:
            stderr.put("difftui: saving the training …\n".encode())
        elif not app.engine.shutdown(PATIENCE_SECONDS):
            stderr.put("difftui: waiting for what is under way to end …\n".encode())
        app.engine.shutdown()
        stderr.put(_what_was_saved(app).encode())
        stderr.finish(LAST_WORDS_SECONDS)
    return app.return_code or 0
