"""Ways to draw, side by side from one noise: steps, samplers, labels, guidance, variety."""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from textual import work
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.events import Key, Resize
from textual.widgets import Input

from difftui.diffusion.captions import label_of
from difftui.diffusion.comparison import SAMPLER_NAMES, VIEWS
from difftui.diffusion.samplers import SAMPLERS
from difftui.engine import Job, JobState
from difftui.engine.comparing import (
    ComparisonRequest,
    ComparisonView,
    MeasurementView,
    moments,
    start_comparison,
    start_measurement,
)
from difftui.errors import DifftuiError
from difftui.paths import home_dir
from difftui.state import MOST_SEED, Choices
from difftui.ui.exports import save_comparison
from difftui.ui.panels.comparison_words import (
    LINES,
    choice,
    figure_lines,
    floor_words,
    notes_on,
    tile_title,
)
from difftui.ui.panels.tiles import TEXT_COLUMNS, Shelf, Tiles
from difftui.ui.playhead import Playhead
from difftui.ui.screens.base import LabScreen
from difftui.ui.sources import Source, find_sources, named_source
from difftui.ui.widgets.slider import Slider
from difftui.ui.widgets.text import ActionText
from difftui.words import short_path

if TYPE_CHECKING:
    from difftui.runs import Run

__all__ = ["SCREEN", "CompareScreen"]

STEPS = (5, 10, 25, 50, 100, 200, 500, 1000)
COUNTS = (64, 128, 256, 512, 1024)
CLASSES, MOST_TILES = 10, 10
FPS = 15
WHOLE_SECONDS = 6.0
SPEEDS = range(-4, 7)
ROWS_BELOW = 6  # tabs, slider, status, choices and two lines of words
FIRST_SEED, FIRST_LABEL = 3, 7  # from there guidance turns a nine into the seven that was asked for
KEPT = 6  # comparisons, so that going back to one does not draw it again


class CompareScreen(LabScreen):
    """Pictures drawn in several ways from one noise.

    Attributes:
        sources: the networks there are; ``source`` the chosen one, None when there is none.
        view_name: which comparison.
        sampler, steps, seed, label: what the view does not vary.
        count: pictures a way to measure.
        caption: as the user typed it, or "".
        job: the drawing; ``measuring`` the measurement that belongs to it, if one was asked for.
        playhead: which moment of the race is shown.
    """

    NAME = "compare"

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[Source] = []
        self.source: Source | None = None
        self.view_name = next(iter(VIEWS))
        self.sampler = "ddim"
        self.steps = 25
        self.seed = FIRST_SEED
        self.label: int | None = FIRST_LABEL
        self.count = COUNTS[1]
        self.caption = ""
        self.job: Job[ComparisonView] | None = None
        self.measuring: Job[MeasurementView] | None = None
        self.playhead = Playhead()
        self._kept: dict[ComparisonRequest, tuple[Job[ComparisonView], Job[MeasurementView] | None]] = {}
        self._request: ComparisonRequest | None = None
        self._live: Run | None = None
        self._last_run = ""
        self._speed: int | None = None  # as the user chose it; None goes by the length
        self._message = Content()
        self._saving = False
        self._laid: tuple[object, ...] = ()
        self._texts: dict[str, Content] = {}

    @property
    def view(self) -> ComparisonView | None:
        """The comparison as far as it has come, or None before its first moment."""
        return self.job.snapshot if self.job is not None else None

    @property
    def measurement(self) -> MeasurementView | None:
        """What was measured so far, or None."""
        return self.measuring.snapshot if self.measuring is not None else None

    # Composition.

    def compose_body(self) -> ComposeResult:
        with Vertical(id="compare"):
            yield ActionText(id="views")
            with Container(id="room"):
                yield Tiles(MOST_TILES, id="tiles")
                yield ActionText(id="nothing")
            yield Slider("[$secondary]noise[/] x_T", "x_0 [$accent]finished[/]", id="race")
            yield ActionText(id="status")
            yield ActionText(id="choices")
            yield ActionText(id="note")
            yield Input(placeholder="a seven", id="caption", max_length=60)

    def remember(self) -> dict[str, object]:
        return {
            "run": self.source.name if self.source is not None else self._last_run,
            "view": self.view_name,
            "sampler": self.sampler,
            "steps": self.steps,
            "seed": self.seed,
            "label": self.label,
            "count": self.count,
        }

    def recall(self, choices: Choices) -> None:
        self._last_run = choices.text("run")
        self.view_name = choices.one_of("view", tuple(VIEWS), self.view_name)
        self.sampler = choices.one_of("sampler", tuple(SAMPLERS), self.sampler)
        self.steps = choices.whole("steps", 1, 10_000, self.steps)
        self.seed = choices.whole("seed", 0, MOST_SEED, self.seed)
        self.label = choices.one_of("label", (*range(CLASSES), None), self.label)
        self.count = choices.one_of("count", COUNTS, self.count)

    def on_mount(self) -> None:
        self.query_one("#caption").display = False

    def on_resize(self, event: Resize) -> None:
        self._laid = ()

    def on_screen_resume(self) -> None:
        self.playhead.rest()
        self._look_for_sources()
        wanted, self.lab.wanted_run = self.lab.wanted_run, None
        if wanted is not None:
            self._choose(wanted)
        elif self.source is None and self.sources:
            remembered = [source for source in self.sources if source.name == self._last_run]
            self.source = (*remembered, *self.sources)[0]
        if self.source is not None and (self.job is None or wanted is not None):
            self._start()
        else:
            self._go_on()

    def on_screen_suspend(self) -> None:
        """Another screen is shown: leave the device to what that one wants. (Help leaves it as it is.)"""
        if self.lab.current_mode != self.NAME:
            self._rest()

    # What the user does.

    def action_view(self, by: int) -> None:
        """Another comparison."""
        names = list(VIEWS)
        self._take_view(names[(names.index(self.view_name) + by) % len(names)])

    def action_take_view(self, name: str) -> None:
        """The comparison that was clicked."""
        self._take_view(name)

    def action_play(self) -> None:
        """Play or hold; at the end again from the start, a network in training with its weights of now."""
        view, head = self.view, self.playhead
        if head.playing or view is None or not self._at_end(view):
            head.playing = not head.playing
        elif self.source is not None and self.source.live:
            self._start()
        else:
            head.start()

    def action_step(self, moves: int) -> None:
        """Some moments on; negative: back towards the noise."""
        if self.view is not None:
            self.playhead.go(self.playhead.index + moves, self._newest(self.view))

    def action_jump(self, end: int) -> None:
        """The pure noise (0) or the newest moment (1)."""
        if self.view is not None:
            newest = self._newest(self.view)
            self.playhead.go(newest if end else 0, newest)

    def action_speed(self, by: int) -> None:
        """Twice as fast, or half."""
        self._speed = min(max(self._effective_speed() + by, SPEEDS[0]), SPEEDS[-1])
        self.playhead.rate = FPS * 2.0**self._speed

    def action_reseed(self, by: int) -> None:
        """Another seed: another x_T for all."""
        seed = max(0, self.seed + by)
        if seed != self.seed:
            self.seed = seed
            self._start()

    def action_digit(self, by: int) -> None:
        """Another digit to ask for; in the view of labels all are there, and one is pointed at."""
        view = self.view
        classes = CLASSES if view is None else view.num_classes
        if view is not None and classes is None:
            self._say_message(f"{view.name} was trained without labels: it cannot be asked for a digit.")
            return
        labels: list[int | None] = list(range(classes or 0))
        if self.view_name in ("steps", "samplers", "variety"):
            labels.append(None)
        at = labels.index(self.label) if self.label in labels else 0
        self._ask_for(labels[(at + by) % len(labels)], "")

    def action_edit(self) -> None:
        """Type a caption where the words below are; enter asks for it, an empty one changes nothing."""
        box = self.query_one("#caption", Input)
        box.value = self.caption
        box.display = True
        self.query_one("#note").display = False
        box.focus()

    def action_source(self, by: int) -> None:
        """Another network."""
        self._look_for_sources()
        if not self.sources:
            return
        runs = [source.run for source in self.sources]
        known = self.source is not None and self.source.run in runs
        at = (runs.index(self.source.run) + by) % len(runs) if known and self.source is not None else 0
        if self.source is None or self.sources[at].run != self.source.run:
            self.source = self.sources[at]
            self._start()

    def action_sampler(self) -> None:
        """The next sampler."""
        if self.view_name not in _VARIED["sampler"]:
            self._say_message("This view has its samplers already: a changes the one of the other views.")
            return
        names = list(SAMPLERS)
        self.sampler = names[(names.index(self.sampler) + 1) % len(names)]
        self._start()

    def action_count(self, by: int) -> None:
        """More or fewer sampler steps, never more than the schedule has."""
        if self.view_name not in _VARIED["steps"]:
            self._say_message("This view goes through the numbers of steps itself.")
            return
        T = self.view.T if self.view is not None else STEPS[-1]
        taken = min(self.steps, T)
        counts = (*(n for n in STEPS if n < T), T)
        further = [n for n in counts if (n > taken if by > 0 else n < taken)]
        if further:
            self.steps = min(further) if by > 0 else max(further)
            self._start()

    def action_budget(self, by: int) -> None:
        """More or fewer pictures to measure; a measurement that was made stays."""
        at = COUNTS.index(self.count) + by
        self.count = COUNTS[min(max(at, 0), len(COUNTS) - 1)]

    def action_sample(self) -> None:
        """Measure many pictures of each way; while that runs: stop it."""
        view, measuring = self.view, self.measuring
        if measuring is not None and not measuring.state.final:
            measuring.close()
            self.measuring = None
            self._say_message("The measurement was stopped.")
        elif view is None or self._request is None or self.job is None:
            self._say_message("There is nothing to measure yet.")
        elif not view.plan.measurable:
            self._say_message(
                "This view asks about single pictures: Steps, Samplers and Guidance can be measured."
            )
        else:
            work = start_measurement(self._request, self.count, self.lab.data)
            self.measuring = self.lab.engine.submit(f"measuring {view.name}", work)
            self._kept[self._request] = (self.job, self.measuring)
            self._message = Content()

    def action_export(self) -> None:
        """Save the pictures shown with their figures."""
        view, source = self.view, self.source
        if view is None or source is None:
            self._say_message("There is nothing to save yet.")
        elif not self._saving:
            self._saving = True
            self._say_message("saving …")
            folder = home_dir() / "exports" if source.shipped else source.run.samples_path
            self._save(view, self.measurement, self._looks(view), folder)

    def on_slider_moved(self, event: Slider.Moved) -> None:
        if self.view is not None:
            self.playhead.go(event.value, self._newest(self.view))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_caption()
        text = event.value.strip()
        if not text:
            return
        try:
            label = label_of(text)
        except DifftuiError as error:
            self._say_message(str(error), wrong=True)
            return
        classes = self.view.num_classes if self.view is not None else CLASSES
        if classes is None or label >= classes:
            known = "no labels" if classes is None else f"the labels 0 to {classes - 1}"
            self._say_message(
                f"“{text}” is mapped to label {label}, and this network knows {known}.", wrong=True
            )
            return
        self._ask_for(label, text)

    def on_input_blurred(self) -> None:
        self._close_caption()

    def on_key(self, event: Key) -> None:
        if event.key == "escape" and self.query_one("#caption").display:
            event.stop()
            self._close_caption()

    # Sources and drawings.

    def _take_view(self, name: str) -> None:
        self._close_caption()
        if name != self.view_name:
            self.view_name = name
            self._start()

    def _ask_for(self, label: int | None, caption: str) -> None:
        again = label != self.label and self.view_name != "labels"
        self.label, self.caption = label, caption
        self._message = Content()
        if again:
            self._start()

    def _close_caption(self) -> None:
        box = self.query_one("#caption", Input)
        if box.display:
            box.display = False
            self.query_one("#note").display = True
            self.set_focus(None)

    def _look_for_sources(self) -> None:
        self._live = self._run_in_training()
        self.sources = find_sources(self._live)
        if self.source is not None:
            now = [source for source in self.sources if source.run == self.source.run]
            self.source = now[0] if now else self.source

    def _run_in_training(self) -> Run | None:
        """The run that this app is training, once it is on disk."""
        training = self.lab.own_training()
        return training.snapshot.run if training is not None and training.snapshot is not None else None

    def _choose(self, name: str) -> None:
        """Take the network that ``--run`` or another screen named: the user's own before a shipped one."""
        matching = [source for source in self.sources if source.name == name]
        try:
            self.source = matching[-1] if matching else named_source(name)
        except DifftuiError as error:
            self._say_message(str(error), wrong=True)
            self.source = self.source or (self.sources[0] if self.sources else None)

    def _start(self) -> None:
        """Draw what is chosen now, or show it again where it has been drawn."""
        if self.source is None:
            return
        self._rest()
        label = {"labels": None, "guidance": FIRST_LABEL if self.label is None else self.label}
        request = ComparisonRequest(
            source=self.source.wanted,
            view=self.view_name,
            sampler=self.sampler,
            steps=self.steps,
            seed=self.seed,
            label=label.get(self.view_name, self.label),
        )
        kept = self._kept.pop(request, None)
        if kept is None or self.source.live or kept[0].state in (JobState.FAILED, JobState.CLOSED):
            kept = (
                self.lab.engine.submit(f"comparing with {self.source.name}", start_comparison(request)),
                None,
            )
        self._request, (self.job, self.measuring) = request, kept
        self._kept[request] = kept
        while len(self._kept) > KEPT:
            for job in self._kept.pop(next(iter(self._kept))):
                if job is not None:
                    job.close()
        self._go_on()
        self.playhead.rate = FPS * 2.0 ** self._effective_speed()
        self.playhead.start()
        self._message = Content()

    def _rest(self) -> None:
        for job in (self.job, self.measuring):
            if job is not None:
                job.pause()

    def _go_on(self) -> None:
        for job in (self.job, self.measuring):
            if job is not None:
                job.resume()

    def _effective_speed(self) -> int:
        if self._speed is not None:
            return self._speed
        most = self.view.most_looks if self.view is not None else self.steps
        speed = round(math.log2(max(1, len(_moments(most))) / (FPS * WHOLE_SECONDS)))
        return min(max(speed, -2), SPEEDS[-1])

    def _newest(self, view: ComparisonView) -> int:
        """The last moment that is known."""
        return bisect_right(_moments(view.most_looks), view.newest) - 1

    def _looks(self, view: ComparisonView) -> int:
        """How often the network has been asked for each picture at the moment shown."""
        shown = _moments(view.most_looks)
        return shown[min(self.playhead.index, len(shown) - 1)]

    def _at_end(self, view: ComparisonView) -> bool:
        return view.drawn and self.playhead.index >= self._newest(view)

    @work(thread=True, exit_on_error=False)
    def _save(
        self, view: ComparisonView, measurement: MeasurementView | None, looks: int, folder: Path
    ) -> None:
        try:
            png, csv = save_comparison(view, measurement, looks, folder)
            text, wrong = f"saved {png.name} and {csv.name} in {short_path(folder)}", False
        except (DifftuiError, OSError) as error:
            text, wrong = str(error), True
        self.app.call_from_thread(self._saved, text, wrong)

    def _saved(self, text: str, wrong: bool) -> None:
        self._saving = False
        self._say_message(text, wrong=wrong)

    # Drawing.

    def tick(self, now: float) -> None:
        if self._run_in_training() != self._live:
            self._look_for_sources()
        view = self.view
        nothing = self.source is None or (view is None and self.job is not None and bool(self.job.error))
        self.query_one("#tiles").display = not nothing
        self.query_one("#nothing").display = nothing
        if view is not None:
            self.playhead.advance(now, self._newest(view), complete=view.drawn)
            self._draw(view)
        self._draw_texts(view)

    def _draw(self, view: ComparisonView) -> None:
        """The pictures of this moment and what stands with them; only what is another than before."""
        tiles, looks = self.query_one("#tiles", Tiles), self._looks(view)
        self._lay_out(view, tiles)
        indices = [view.index_at(way, looks) for way in range(len(view.x))]
        pictures = [_as_shown(x[index]) for x, index in zip(view.x, indices, strict=True)]
        marks = [(self.job, index) for index in indices]
        tiles.show(pictures, marks, moving=self.playhead.playing)
        shelf = tiles.shelf
        width = TEXT_COLUMNS if shelf.beside else min(shelf.width - 1, 2 * TEXT_COLUMNS)
        for way, index in enumerate(indices):
            chosen = view.plan.view == "labels" and view.plan.ways[way].label == self.label
            title = tile_title(view, way, index, width=shelf.width, chosen=chosen)
            tiles.all[way].say(title, figure_lines(view, way, index, self.measurement, width))
        last, newest = len(_moments(view.most_looks)) - 1, self._newest(view)
        reached = None if view.drawn else newest
        self.query_one("#race", Slider).move(self.playhead.index, last=last, reached=reached)

    def _lay_out(self, view: ComparisonView, tiles: Tiles) -> None:
        """Share out the room among the pictures."""
        count, side = len(view.x), view.x[0].shape[-1]
        lines = 0 if view.plan.view in ("labels", "variety") else LINES
        laid = (self.size, count, lines, side)
        if laid != self._laid and self.size:
            self._laid = laid
            room = self.size.height - 2 - ROWS_BELOW
            tiles.set_out(Shelf.fitting(count, lines, side, self.size.width, room), count)

    def _draw_texts(self, view: ComparisonView | None) -> None:
        error = self.job.error if self.job is not None else None
        self._say("views", self._tabs())
        self._say("status", self._status(view))
        self._say("choices", self._choices(view))
        if self.source is None:
            self._say("nothing", _NOTHING)
        elif error:
            self._say("nothing", Content(error))
        wrong = self.measuring.error if self.measuring is not None else None
        if wrong:
            note = Content(wrong).stylize("$error")
        elif self._message or view is None:
            note = self._message
        else:
            first, second = notes_on(view, self.count, self.caption, self.label)
            second = view.unread or second
            lines = [Content.from_markup(first), Content.from_markup(second)]
            note = Content("\n").join(
                [Content(" ") + line.truncate(self.size.width - 2, ellipsis=True) for line in lines]
            )
        self._say("note", note)

    def _tabs(self) -> Content:
        tabs = [Content.from_markup(" [b $accent]tab[/]")]
        for name in VIEWS:
            style = "b reverse" if name == self.view_name else "$muted"
            tabs.append(
                Content.from_markup(f"[{style} @click=screen.take_view('{name}')] {name.capitalize()} [/]")
            )
        line = Content(" ").join(tabs)
        name = self.source.name if self.source is not None else "none"
        mark = " ▶" if self.source is not None and self.source.live else ""
        model = choice("m", "model", name + mark, "source(1)")
        return line + " " * max(2, self.size.width - line.cell_length - model.cell_length - 1) + model

    def _status(self, view: ComparisonView | None) -> Content:
        """What moves on the left, what is computed on the right."""
        job, right = self.job, ""
        if job is None or job.error:
            left = ""
        elif view is None:
            left = "loading torch …" if self.lab.engine.device is None else "opening the network …"
        else:
            call = f"call {self._looks(view)} of {view.most_looks}"
            if self.playhead.playing:
                left = f"▶ racing, {call}"
            elif not self._at_end(view):
                left = f"❚❚ held at {call}"
            else:
                again = "draws anew with the weights of now" if view.live else "races again"
                left = f"■ finished after {view.most_looks} calls   [b $accent]space[/] {again}"
            right = floor_words(self.measurement)
            if not view.drawn:
                right = f"computed to call {view.newest} of {view.most_looks}"
        line = Content.from_markup(f" {left}")
        gap = max(1, self.size.width - line.cell_length - len(right) - 1)
        return line + " " * gap + Content(right).stylize("$muted")

    def _choices(self, view: ComparisonView | None) -> Content:
        name = self.view_name
        asked = view is None or view.num_classes is not None
        measurable = name in ("steps", "samplers", "guidance")
        digit = "none" if not asked else "any" if self.label is None else str(self.label)
        varied = _VARIED
        steps = str(min(self.steps, view.T) if view is not None else self.steps)
        choices = [
            choice("d", "digit", digit, "digit(1)", grey=not asked),
            choice("a", "", SAMPLER_NAMES[self.sampler], "sampler", grey=name not in varied["sampler"]),
            choice("+/-", "steps", steps, "count(1)", grey=name not in varied["steps"]),
            choice("r", "seed", str(self.seed), "reseed(1)"),
            choice("f", "fps", f"{FPS * 2.0 ** self._effective_speed():.3g}", "speed(1)"),
            choice("s", "measure", "", "sample", grey=not measurable),
            choice("b", "", str(self.count), "budget(1)", grey=not measurable),
        ]
        return Content(" ") + Content("   ").join(choices)

    def _say(self, name: str, text: Content) -> None:
        if not text.is_same(self._texts.get(name, Content())):
            self._texts[name] = text
            self.query_one(f"#{name}", ActionText).update(text, layout=False)

    def _say_message(self, text: str, *, wrong: bool = False) -> None:
        self._message = Content(f" {text}").stylize("$error" if wrong else "$foreground")


_VARIED = {"sampler": ("steps", "labels", "guidance"), "steps": ("samplers", "labels", "guidance", "variety")}
"""Views in which the choice of the sampler, and of its steps, changes something."""

_NOTHING = Content.from_markup(
    "No trained network is here: none came with this installation, and you have no run with weights.\n\n"
    "Press [b $accent]4[/] to train one; what it can draw can be compared here while it trains."
)


@lru_cache(maxsize=8)
def _moments(most: int) -> tuple[int, ...]:
    return moments(most)


def _as_shown(pixels: NDArray[np.float16]) -> NDArray[np.float16]:
    """(C, H, W) as (H, W), or (H, W, 3) in colour."""
    return pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)


SCREEN = CompareScreen
