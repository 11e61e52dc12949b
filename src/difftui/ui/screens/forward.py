"""The timestep scrubber: one digit, one noise, and what a schedule makes of them from t = 0 to T - 1.

Everything here is NumPy and closed form, so the screen works before torch has loaded, and without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from textual import work
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from difftui.diffusion import SCHEDULES, NoiseSchedule, add_noise, make_schedule
from difftui.errors import DifftuiError
from difftui.ui.screens.base import LabScreen
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.plot import CurvePlot, Line, Series
from difftui.ui.widgets.slider import Slider
from difftui.ui.widgets.text import ActionText

if TYPE_CHECKING:
    from difftui.data import Digits

__all__ = ["SCREEN", "ForwardScreen", "Scene"]

Picture = NDArray[np.float64]

TIMESTEPS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
THUMBNAILS = 9
SWEEP_SECONDS = 8.0  # from clean to noise when playing, whatever T is
SIDE = 28
DECIBELS = 50.0  # the SNR axis, both ways: the same for every schedule, so that they can be compared


@dataclass(frozen=True, slots=True)
class Scene:
    """What the user has chosen; all that the screen shows follows from it.

    Attributes:
        kind: name of the noise schedule.
        T: its length.
        position: how far from clean (0) to noise (1); changing T keeps it.
        label: class of the digit.
        example: which digit of its class, from 0; counted round.
        seed: of the noise ε.
    """

    kind: str = "linear"
    T: int = 1000
    position: float = 249 / 999
    label: int = 7
    example: int = 0
    seed: int = 0

    @property
    def schedule(self) -> NoiseSchedule:
        """The tables of the schedule."""
        return _schedule(self.kind, self.T)

    @property
    def t(self) -> int:
        """The timestep, 0 … T - 1."""
        return round(self.position * (self.T - 1))

    def at(self, t: int) -> Scene:
        """The same at another timestep, held within 0 … T - 1."""
        return replace(self, position=min(max(t, 0), self.T - 1) / (self.T - 1))

    @property
    def strip_times(self) -> tuple[int, ...]:
        """The timesteps of the strip, evenly spread from the first to the last."""
        return tuple(i * (self.T - 1) // (THUMBNAILS - 1) for i in range(THUMBNAILS))

    @property
    def eps(self) -> Picture:
        """The noise, (28, 28), standard normal."""
        return _noise(self.seed)

    def noised(self, x0: Picture, times: Sequence[int]) -> Picture:
        """The digit at several timesteps, always with the same noise: (n, 28, 28)."""
        return np.stack([add_noise(x0, self.eps, self.schedule.alpha_bar(t)) for t in times])


@lru_cache(maxsize=8)
def _schedule(kind: str, T: int) -> NoiseSchedule:
    return make_schedule(kind, T)


@lru_cache(maxsize=2)
def _noise(seed: int) -> Picture:
    return np.random.default_rng(seed).standard_normal((SIDE, SIDE))


class ForwardScreen(LabScreen):
    """A digit turns into noise.

    Attributes:
        scene: what is chosen.
        digits: what there is to choose from; None until they are read.
        playing: whether t runs by itself.
    """

    NAME = "forward"
    # From 120 columns on the two terms of the sum stand beside it.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (120, "-roomy"), (150, "-huge")]

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene()
        self.digits: Digits | None = None
        self.playing = False
        self._shown: Scene | None = None
        self._draw_is_due = False
        self._ticked_at = 0.0

    def compose_body(self) -> ComposeResult:
        with Vertical(id="forward"):
            with Container(id="upper"):
                yield _pane("x_t")
                yield _pane("x_0")
                yield _pane("eps")
                yield ActionText(id="numbers")
                with Container(id="curves"):
                    yield CurvePlot(id="amplitudes", classes="panel")
                    yield CurvePlot(id="snr", classes="panel")
            yield Slider("[$accent]clean[/] 0", "T [$secondary]noise[/]", id="time")
            yield PixelView(shape=(THUMBNAILS, SIDE, SIDE), columns=THUMBNAILS, fit=True, id="strip")
        yield Static(id="message")

    def on_mount(self) -> None:
        self._change()
        self._read_digits()

    def on_resize(self) -> None:
        self._shown = None
        self._change()

    def tick(self, now: float) -> None:
        passed, self._ticked_at = now - self._ticked_at, now
        if not self.playing:
            return
        position = min(self.scene.position + passed / SWEEP_SECONDS, 1.0)
        self.playing = position < 1.0
        self._change(replace(self.scene, position=position))

    # What the user does.

    def action_step(self, steps: int) -> None:
        """Some timesteps towards noise; negative: towards the clean digit."""
        self.playing = False
        self._change(self.scene.at(self.scene.t + steps))

    def action_jump(self, end: int) -> None:
        """The first timestep (0) or the last (1)."""
        self.playing = False
        self._change(replace(self.scene, position=float(end)))

    def action_play(self) -> None:
        """Let t run from here, at the end from the start; or hold."""
        self.playing = not self.playing
        if self.playing and self.scene.position == 1.0:
            self._change(replace(self.scene, position=0.0))
        self._change()

    def action_renoise(self, by: int) -> None:
        """The noise of the next or the previous seed."""
        self._change(replace(self.scene, seed=max(0, self.scene.seed + by)))

    def action_digit(self, by: int) -> None:
        """The next or the previous class."""
        self._change(replace(self.scene, label=(self.scene.label + by) % 10, example=0))

    def action_example(self, by: int) -> None:
        """The next or the previous digit of this class."""
        self._change(replace(self.scene, example=(self.scene.example + by) % max(1, len(self.members))))

    def action_schedule(self, by: int) -> None:
        """The next or the previous noise schedule; T and the relative position stay."""
        kinds = list(SCHEDULES)
        kind = kinds[(kinds.index(self.scene.kind) + by) % len(kinds)]
        self._change(replace(self.scene, kind=kind))

    def action_timesteps(self, by: int) -> None:
        """The next longer or shorter T; the schedule and the relative position stay."""
        place = min(max(TIMESTEPS.index(self.scene.T) + by, 0), len(TIMESTEPS) - 1)
        self._change(replace(self.scene, T=TIMESTEPS[place]))

    def action_export(self) -> None:
        """Save the strip, at full size, as PNG."""
        from difftui.media import save_png
        from difftui.paths import home_dir

        scene, x0 = self.scene, self.x0
        if x0 is None:
            self._say("The digits are still being read.")
            return
        name = f"forward-{scene.kind}-T{scene.T}-digit{scene.label}-{self.digit_index}-seed{scene.seed}.png"
        try:
            path = save_png(
                home_dir() / "exports" / name, scene.noised(x0, scene.strip_times), columns=THUMBNAILS
            )
        except (DifftuiError, OSError) as error:
            self._say(str(error), wrong=True)
        else:
            self._say(f"saved {_short(path)}")

    def on_slider_moved(self, event: Slider.Moved) -> None:
        self.playing = False
        self._change(self.scene.at(event.value))

    def on_pixel_view_picked(self, event: PixelView.Picked) -> None:
        if event.view.id == "strip":
            self.playing = False
            self._change(self.scene.at(self.scene.strip_times[event.index]))

    # The digits.

    @work(thread=True)
    def _read_digits(self) -> None:
        """Read them beside the screen: a shared file system may be slow."""
        from difftui.data import bundled, load

        problem = ""
        try:
            digits = load(self.lab.data or "mnist")
        except DifftuiError as error:
            digits, problem = bundled(), str(error)
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._take_digits, digits, problem)

    def _take_digits(self, digits: Digits, problem: str) -> None:
        self.digits = digits
        self._shown = None
        self._change()
        if problem:
            self._say(f"{problem} The bundled digits are shown.", wrong=True)

    @property
    def members(self) -> NDArray[np.intp]:
        """Which of the digits found are of the chosen class; empty before they are read."""
        return np.zeros(0, np.intp) if self.digits is None else self.digits.of_class(self.scene.label)

    @property
    def digit_index(self) -> int | None:
        """Which of the digits found is shown, or None."""
        members = self.members
        return int(members[self.scene.example]) if len(members) else None

    @property
    def x0(self) -> Picture | None:
        """The clean digit, (28, 28) in [-1, 1], or None while there is none."""
        index = self.digit_index
        if self.digits is None or index is None:
            return None
        x0: Picture = self.digits.images[index] / 127.5 - 1.0
        return x0

    # Drawing.

    def _change(self, scene: Scene | None = None) -> None:
        """Take a new scene, and draw once the keys that wait have been handled."""
        self.scene = scene or self.scene
        if not self._draw_is_due:
            self._draw_is_due = True
            self.call_next(self._draw)

    def _draw(self) -> None:
        """Draw what follows from the scene, and of that only what is another than before."""
        self._draw_is_due = False
        old, new = self._shown, self.scene
        self._shown = new
        fresh = old is None
        schedule_changed = old is None or (old.kind, old.T) != (new.kind, new.T)
        picture_changed = old is None or (old.label, old.example, old.seed) != (new.label, new.example, new.seed)
        self._draw_texts()
        if schedule_changed:
            self._draw_curves()
        if schedule_changed or picture_changed:
            self._draw_strip()
        if picture_changed:
            self._draw_terms()
        if schedule_changed or picture_changed or old.t != new.t:
            self._draw_time()
