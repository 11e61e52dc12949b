"""The timestep scrubber: one digit, one noise, and what a schedule makes of them from t = 0 to T - 1.

Everything here is NumPy and closed form, so the screen works before torch has loaded, and without it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from textual import work
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static
from textual.worker import get_current_worker

from difftui.diffusion import SCHEDULES, NoiseSchedule
from difftui.errors import DifftuiError
from difftui.state import MOST_SEED, Choices
from difftui.ui.panels.forward_scene import SIDE, THUMBNAILS, TIMESTEPS, Scene
from difftui.ui.panels.forward_words import choices_text, formula_text, time_text
from difftui.ui.panels.maths_text import MathsText
from difftui.ui.screens.base import LabScreen
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.plot import CurvePlot, Line, Marker, Series
from difftui.ui.widgets.slider import Slider
from difftui.ui.widgets.text import ActionText
from difftui.words import short_path

if TYPE_CHECKING:
    from difftui.data import Digits
    from difftui.diffusion.told import Told

__all__ = ["SCREEN", "THUMBNAILS", "TIMESTEPS", "ForwardScreen", "Scene"]

Floats = NDArray[np.float64]

SWEEP_SECONDS = 8.0  # from clean to noise when playing, whatever T is
MOST_EXAMPLES = 10_000  # of a class, roundly
LEAP_SECONDS = 0.25  # so much time passes at most between two ticks: none while another screen is shown
TALL = 32  # rows from which the numbers stand in a column beside the pictures, and the plots below
VAST = (200, 56)  # from so many columns and rows on the pictures are twice as large
ROWS_ABOVE_STRIP = 31  # then: the two bars, the pictures, at least eleven for the plots, slider and captions
DECIBELS = 50.0  # the SNR axis, both ways: the same for every schedule, so that they can be compared


@lru_cache(maxsize=2)
def _curves(schedule: NoiseSchedule) -> tuple[Floats, Floats, Floats, Floats]:
    """t, √ᾱ, √(1-ᾱ) and the SNR in dB, the last with gaps where it leaves its axis."""
    decibels = 10 * np.log10(schedule.snr)
    return (
        np.arange(schedule.T, dtype=np.float64),
        np.sqrt(schedule.alpha_bars),
        np.sqrt(1 - schedule.alpha_bars),
        np.where(np.abs(decibels) <= DECIBELS, decibels, np.nan),
    )


class ForwardScreen(LabScreen):
    """A digit turns into noise.

    Attributes:
        scene: what is chosen.
        digits: what there is to choose from; None until they are read.
        playing: whether t runs by itself.
    """

    NAME = "forward"
    # From 120 columns on the two terms of the sum stand beside it.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (120, "-roomy"), (150, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (TALL, "-tall")]  # noqa: RUF012

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
                yield _pane("x_t", "x_t, the noised digit")
                yield _pane("x_0", "x_0, the clean digit")
                yield _pane("eps", "ε, the noise")
                with Vertical(id="numbers"):
                    yield ActionText(id="formula")
                    yield ActionText(id="choices")
                with Container(id="curves"):
                    yield CurvePlot(id="amplitudes", x_name="t", classes="panel")
                    yield CurvePlot(id="snr", x_name="t", classes="panel")
            with Horizontal(id="scrub"):
                yield ActionText(id="t")
                yield Slider("[$accent]clean[/] 0", "T [$secondary]noise[/]", id="slider")
            yield PixelView(shape=(THUMBNAILS, SIDE, SIDE), columns=THUMBNAILS, fit=True, id="strip")
        yield Static(id="message")

    def remember(self) -> dict[str, object]:
        return asdict(self.scene)

    def recall(self, choices: Choices) -> None:
        usual = Scene()
        self.scene = Scene(
            kind=choices.one_of("kind", tuple(SCHEDULES), usual.kind),
            T=choices.one_of("T", TIMESTEPS, usual.T),
            position=choices.number("position", 0.0, 1.0, usual.position),
            label=choices.whole("label", 0, 9, usual.label),
            example=choices.whole("example", 0, MOST_EXAMPLES, usual.example),
            seed=choices.whole("seed", 0, MOST_SEED, usual.seed),
        )

    def visit(self, choices: Mapping[str, object]) -> None:
        super().visit(choices)
        self.playing = False
        self._choose(replace(self.scene, example=self.scene.example % max(1, len(self.members))))

    def on_mount(self) -> None:
        self._draw_soon()
        self._read_digits()

    def on_resize(self, event: Resize) -> None:
        # Nine pictures side by side, as large as the width allows and the plots above can spare.
        rows = (self.size.width - THUMBNAILS + 1) // THUMBNAILS // 2
        columns, height = self.size
        vast = columns >= VAST[0] and height >= VAST[1]
        self.set_class(vast, "-vast")
        spare = height - ROWS_ABOVE_STRIP - (SIDE // 2 if vast else 0) if self.tall else 4
        self.query_one("#strip").styles.height = min(rows, spare, SIDE // 2) + 1
        self._shown = None
        self._draw_soon()

    def tick(self, now: float) -> None:
        most = max(LEAP_SECONDS, 1.5 / self.lab.clock.fps)
        passed, self._ticked_at = min(max(now - self._ticked_at, 0.0), most), now
        if not self.playing:
            return
        position = min(self.scene.position + passed / SWEEP_SECONDS, 1.0)
        self.playing = position < 1.0
        self.scene = replace(self.scene, position=position)
        self._draw()

    # What the user does.

    def action_step(self, steps: int) -> None:
        """Some timesteps towards noise; negative: towards the clean digit."""
        self.playing = False
        self._choose(self.scene.at(self.scene.t + steps))

    def action_jump(self, end: int) -> None:
        """The first timestep (0) or the last (1)."""
        self.playing = False
        self._choose(replace(self.scene, position=float(end)))

    def action_play(self) -> None:
        """Let t run from here, at the end from the start; or hold."""
        self.playing = not self.playing
        at_the_end = self.scene.position == 1.0
        self._choose(replace(self.scene, position=0.0) if self.playing and at_the_end else self.scene)

    def action_renoise(self, by: int) -> None:
        """The noise of the next or the previous seed."""
        self._choose(replace(self.scene, seed=max(0, self.scene.seed + by)))

    def action_digit(self, by: int) -> None:
        """The next or the previous class."""
        self._choose(replace(self.scene, label=(self.scene.label + by) % 10, example=0))

    def action_example(self, by: int) -> None:
        """The next or the previous digit of this class."""
        self._choose(replace(self.scene, example=(self.scene.example + by) % max(1, len(self.members))))

    def action_schedule(self, by: int) -> None:
        """The next or the previous noise schedule; T and the relative position stay."""
        kinds = list(SCHEDULES)
        kind = kinds[(kinds.index(self.scene.kind) + by) % len(kinds)]
        self._choose(replace(self.scene, kind=kind))

    def action_timesteps(self, by: int) -> None:
        """The next longer or shorter T; the schedule and the relative position stay."""
        place = min(max(TIMESTEPS.index(self.scene.T) + by, 0), len(TIMESTEPS) - 1)
        self._choose(replace(self.scene, T=TIMESTEPS[place]))

    def action_all(self) -> None:
        """The step to this t in symbols, in plain words and as pseudocode; time stands still meanwhile."""
        self.playing = False
        self._draw_soon()
        self.app.push_screen(MathsText(self._told_after))

    def _told_after(self, steps: int) -> tuple[Told, Told]:
        if steps:
            self.action_step(steps)
        return self.scene.told(self.x0)

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
            self._say(f"saved {short_path(path)}")

    def on_slider_moved(self, event: Slider.Moved) -> None:
        self.playing = False
        self._choose(self.scene.at(event.value))

    def on_curve_plot_picked(self, event: CurvePlot.Picked) -> None:
        self.playing = False
        self._choose(self.scene.at(round(event.x)))

    def on_pixel_view_picked(self, event: PixelView.Picked) -> None:
        if event.view.id == "strip":
            self.playing = False
            self._choose(self.scene.at(self.scene.strip_times[event.index]))

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
        self.scene = replace(self.scene, example=self.scene.example % max(1, len(self.members)))
        self._shown = None
        self._draw_soon()
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
    def x0(self) -> Floats | None:
        """The clean digit, (28, 28) in [-1, 1], or None while there is none."""
        index = self.digit_index
        if self.digits is None or index is None:
            return None
        x0: Floats = self.digits.images[index] / 127.5 - 1.0
        return x0

    # Drawing.

    def _choose(self, scene: Scene) -> None:
        """Take what the user chose; what was said before is read by now."""
        self.query_one("#message").display = False
        self.scene = scene
        self._draw_soon()

    def _draw_soon(self) -> None:
        """Draw once, when the keys that wait have been handled."""
        if not self._draw_is_due:
            self._draw_is_due = True
            self.call_next(self._draw)

    def _draw(self) -> None:
        """Draw what follows from the scene; of that, only what is another than before."""
        self._draw_is_due = False
        old, new = self._shown, self.scene
        self._shown = new
        other_schedule = old is None or old.schedule != new.schedule
        other_picture = old is None or old.picture != new.picture
        if other_picture:
            self._draw_terms()
        if other_picture or other_schedule:
            self._draw_strip()
            self._draw_choices()
        if other_picture or other_schedule or old is None or old.t != new.t:
            self._draw_time()
        if other_schedule:
            self._entitle_curves()
        self.say("t", time_text(new, self.playing))

    def _draw_curves(self) -> None:
        """The tables of the schedule over t, and where t is; a plot draws only what changed."""
        scene, schedule = self.scene, self.scene.schedule
        last, crossing = schedule.T - 1, schedule.snr_crossing
        ends = [(0, "0 clean"), (last, f"noise {last}")]
        t, signal, noise, decibels = _curves(schedule)
        here = Marker(scene.t)
        self.query_one("#amplitudes", CurvePlot).set_series(
            [Series(t, signal, colour="accent"), Series(t, noise, colour="noise")],
            x_range=(0, last),
            y_range=(0, 1),
            markers=[here],
            x_ticks=ends,
        )
        one = [] if crossing is None else [Marker(crossing, f"t = {crossing}", "muted")]
        self.query_one("#snr", CurvePlot).set_series(
            [Series(t, decibels, colour="foreground")],
            x_range=(0, last),
            y_range=(-DECIBELS, DECIBELS),
            lines=[Line(0, "SNR = 1")],
            markers=[*one, here],
            x_ticks=ends,
        )

    def _entitle_curves(self) -> None:
        schedule = self.scene.schedule
        left, crossing = math.sqrt(schedule.alpha_bars[-1]), schedule.snr_crossing
        marks = [
            f"{mark} " if (mark := self.query_one("#amplitudes", CurvePlot).mark(i)) else "" for i in (0, 1)
        ]
        title = f"[$accent]{marks[0]}√ᾱ[/] and [$secondary]{marks[1]}√(1-ᾱ)[/]"
        if not self.tall:  # else it stands among the numbers
            title += f" · signal left at T [b $accent]{left:.3g}[/]"
        self.query_one("#amplitudes").border_title = title
        crossed = "never below 1" if crossing is None else f"below 1 from t = {crossing}"
        self.query_one("#snr").border_title = f"SNR in dB · {crossed}"

    def _draw_terms(self) -> None:
        """The clean digit and the noise, which do not change with t."""
        x0 = self.x0
        if x0 is not None:
            self._picture("x_0").show(x0)
        self._picture("eps").show(self.scene.eps)
        self.query_one("#x_t").border_subtitle = self._digit_name()
        self.query_one("#eps").border_subtitle = f"seed {self.scene.seed}"

    def _draw_strip(self) -> None:
        strip, times, x0 = self.query_one("#strip", PixelView), self.scene.strip_times, self.x0
        strip.captions = [str(t) for t in times]
        if x0 is not None:
            strip.show(self.scene.noised(x0, times))

    def _draw_time(self) -> None:
        """What moves with t."""
        scene, x0 = self.scene, self.x0
        if x0 is not None:
            self._picture("x_t").show(scene.noised(x0, [scene.t])[0], moving=True)
        nearest = min(range(THUMBNAILS), key=lambda i: abs(scene.strip_times[i] - scene.t))
        self.query_one("#strip", PixelView).highlighted = nearest
        self.query_one("#slider", Slider).move(scene.t, last=scene.T - 1)
        self.say("formula", formula_text(scene, self.tall))
        self._draw_curves()

    def _draw_choices(self) -> None:
        self.say("choices", choices_text(self.scene, len(self.members), self.tall))

    def _say(self, text: str, *, wrong: bool = False) -> None:
        """One line above the keys, until the next key."""
        message = self.query_one("#message", Static)
        message.update(Content(text))
        message.set_class(wrong, "-wrong")
        message.display = True

    def _digit_name(self) -> str:
        scene, index = self.scene, self.digit_index
        if self.digits is None:
            return "reading digits …"
        return f"there is no {scene.label} here" if index is None else f"digit {scene.label} · #{index}"

    @property
    def tall(self) -> bool:
        """Whether there is room for the numbers as a column."""
        return self.size.height >= TALL

    def _picture(self, pane: str) -> PixelView:
        return self.query_one(f"#{pane} PixelView", PixelView)


def _pane(name: str, title: str) -> Vertical:
    """A picture with a border around it that is not drawn again when the picture changes."""
    pane = Vertical(PixelView(fit=True), id=name, classes="panel picture")
    pane.border_title = title
    return pane


SCREEN = ForwardScreen
