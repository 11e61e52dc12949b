"""Digits out of noise: a trained network's reverse diffusion, frame by frame, forward and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from textual import work
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.events import Resize

from difftui.engine import Job, JobState
from difftui.engine.sampling import SamplingRequest, SamplingView, start_sampling
from difftui.errors import DifftuiError
from difftui.paths import home_dir
from difftui.state import MOST_SEED, Choices
from difftui.ui.exports import save_trajectory
from difftui.ui.playhead import Playhead
from difftui.ui.screens.base import LabScreen
from difftui.ui.sources import Source, find_sources, named_source
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.slider import Slider
from difftui.ui.widgets.text import ActionText
from difftui.words import grouped, short_path

if TYPE_CHECKING:
    from difftui.runs import Run

__all__ = ["SCREEN", "GenerateScreen", "Stage"]

Label = int | Literal["each"] | None

DEFAULT_STEPS = 50  # where no recipe advises
STEPS = (5, 10, 25, 50, 100, 200, 500, 1000)
SAMPLERS = ("ddim", "ddpm")
CLASSES = 10
GRID = 12
FPS = 15  # of the usual speed; faster playing, or a slower clock, leaves frames out
SPEEDS = range(-4, 7)  # powers of two of it
WHOLE_SECONDS = 4.0  # about how long a trajectory plays until the user chooses a speed
SIDE = 28
MOST_SCALE = 2
CELL = 23  # columns of one choice or fact
NARROWEST_SIDE, CHOSEN_SIDE = 16, 20  # columns of text beside two panes, and beside more of them

PANES = (
    ("x_t", "x_t"),
    ("x0_hat", "x̂0: what it believes now"),
    ("eps_hat", "[$secondary]ε̂: the noise it sees[/]"),
    ("change", "last change, stretched"),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """How the room is used: more room gives larger pictures, then more panes.

    Attributes:
        scale: each pixel is this many cells wide.
        panes: how many of x_t, x̂0, ε̂ and the last change are shown.
        side: columns of the text beside the panes; 0 puts it below them.
    """

    scale: int
    panes: int
    side: int

    @classmethod
    def fitting(cls, columns: int, rows: int) -> Stage:
        """The best use of a terminal: two panes at least, as large as fits."""
        for scale in range(MOST_SCALE, 0, -1):
            width, height = SIDE * scale + 2, SIDE // 2 * scale + 2
            if 2 * width + NARROWEST_SIDE <= columns and height + 6 <= rows:
                panes = max(2, min(len(PANES), (columns - CHOSEN_SIDE) // width))
                return cls(scale, panes, columns - panes * width)
            if 2 * width <= columns and height + 9 <= rows:
                return cls(scale, min(len(PANES), columns // width), 0)
        return cls(1, 2, 0)


class GenerateScreen(LabScreen):
    """Reverse diffusion from a shipped checkpoint, a run, or the run in training.

    Attributes:
        sources: the networks there are; ``source`` the chosen one, None when there is none.
        sampler, steps: as the user chose them, None while the network's recipe decides.
        seed, label: what is asked for.
        grid: twelve seeds together; ``picture`` is the highlighted one, and the one shown alone.
        job: the drawing; a change of choice closes it and starts another.
        playhead: which of its frames is shown.
    """

    NAME = "generate"

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[Source] = []
        self.source: Source | None = None
        self.sampler: str | None = None
        self.steps: int | None = None
        self.seed = 0
        self.label: Label = 7
        self.grid = False
        self.picture = 0
        self.job: Job[SamplingView] | None = None
        self.playhead = Playhead()
        self.stage = Stage(1, 2, NARROWEST_SIDE)
        self._last_run = ""
        self._speed: int | None = None  # as the user chose it; None goes by the length
        self._message = Content()
        self._live: Run | None = None
        self._saving = False
        self._drawn: tuple[object, ...] = ()
        self._texts: dict[str, Content] = {}
        self._parts: tuple[bool, ...] = ()

    @property
    def view(self) -> SamplingView | None:
        """The trajectory as far as it has come, or None before its first picture."""
        return self.job.snapshot if self.job is not None else None

    @property
    def taken_sampler(self) -> str:
        """The user's choice, else what the network's recipe advises."""
        recipe = self.source.recipe if self.source is not None else None
        return self.sampler or (recipe.sampler if recipe is not None else SAMPLERS[0])

    @property
    def taken_steps(self) -> int:
        """The user's choice, else what the recipe advises; never more than the schedule has."""
        recipe = self.source.recipe if self.source is not None else None
        if recipe is None:
            return self.steps or DEFAULT_STEPS
        return min(self.steps or recipe.sampler_steps or recipe.timesteps, recipe.timesteps)

    # Composition.

    def compose_body(self) -> ComposeResult:
        with Vertical(id="generate"):
            with Horizontal(id="stage"):
                for name, title in PANES:
                    with Container(id=f"pane-{name}", classes="panel pane") as pane:
                        pane.border_title = title
                        yield PixelView(fit=True, id=name)
                yield ActionText(id="side")
            with Container(id="sheet"):
                yield PixelView(shape=(GRID, SIDE, SIDE), fit=True, framed=True, id="grid")
            yield ActionText(id="nothing")
            yield Slider("[$secondary]noise[/] T", "0 [$accent]clean[/]", id="time")
            yield ActionText(id="status")
            yield ActionText(id="band")
            yield ActionText(id="message")

    def remember(self) -> dict[str, object]:
        return {
            "run": self.source.name if self.source is not None else self._last_run,
            "sampler": self.sampler,
            "steps": self.steps,
            "seed": self.seed,
            "label": self.label,
            "grid": self.grid,
            "picture": self.picture,
        }

    def recall(self, choices: Choices) -> None:
        self._last_run = choices.text("run")
        self.sampler = choices.one_of("sampler", (*SAMPLERS, None), None)
        self.steps = choices.whole("steps", 1, 10_000, 0) or None
        self.seed = choices.whole("seed", 0, MOST_SEED, 0)
        self.grid = choices.one_of("grid", (True, False), False)
        self.picture = choices.whole("picture", 0, GRID - 1, 0) if self.grid else 0
        labels: tuple[Label, ...] = (*range(CLASSES), None, *(("each",) if self.grid else ()))
        self.label = choices.one_of("label", labels, self.label)

    def on_mount(self) -> None:
        self._lay_out()

    def on_resize(self, event: Resize) -> None:
        self._lay_out()

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
        elif self.job is not None and self.job.state is JobState.PAUSED:
            self.job.resume()

    def on_screen_suspend(self) -> None:
        """Another screen is shown: leave the device to what that one wants. (Help leaves it as it is.)"""
        if self.job is not None and self.lab.current_mode != self.NAME:
            self.job.pause()

    # What the user does.

    def action_play(self) -> None:
        """Play or hold; at the end again from the start, a network in training with its weights of now."""
        view, head = self.view, self.playhead
        if head.playing or view is None or not self._at_end(view):
            head.playing = not head.playing
        elif self.source is not None and self.source.live:
            self._start()
        else:
            head.start()

    def action_step(self, frames: int) -> None:
        """Some frames on; negative: back towards the noise."""
        if self.view is not None:
            self.playhead.go(self.playhead.index + frames, self.view.newest)

    def action_jump(self, end: int) -> None:
        """The pure noise (0) or the newest frame (1)."""
        if self.view is not None:
            self.playhead.go(self.view.newest if end else 0, self.view.newest)

    def action_speed(self, by: int) -> None:
        """Twice as fast, or half."""
        speed = self._effective_speed() + by
        self._speed = min(max(speed, SPEEDS[0]), SPEEDS[-1])
        self.playhead.rate = FPS * 2.0**self._speed

    def action_reseed(self, by: int) -> None:
        """Another seed, in the grid the next twelve."""
        seed = max(0, self.seed + by * (GRID if self.grid else 1))
        if seed != self.seed:
            self.seed = seed
            self._start()

    def action_digit(self, by: int) -> None:
        """Another digit to ask for."""
        view = self.view
        classes = CLASSES if view is None else view.num_classes
        if view is not None and classes is None:
            self._say_message(f"{view.name} was trained without labels: it cannot be asked for a digit.")
            return
        labels = [*range(classes or 0), None, *(["each"] if self.grid else [])]
        at = labels.index(self.label) if self.label in labels else 0
        self.label = labels[(at + by) % len(labels)]
        self._start()

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
        """DDIM or DDPM."""
        taken = self.taken_sampler
        at = SAMPLERS.index(taken) if taken in SAMPLERS else -1  # a recipe may advise another
        self.sampler = SAMPLERS[(at + 1) % len(SAMPLERS)]
        self._start()

    def action_count(self, by: int) -> None:
        """More or fewer sampler steps, never more than the schedule has."""
        recipe = self.source.recipe if self.source is not None else None
        counts = STEPS if recipe is None else (*(n for n in STEPS if n < recipe.timesteps), recipe.timesteps)
        further = [n for n in counts if (n > self.taken_steps if by > 0 else n < self.taken_steps)]
        if further:
            self.steps = min(further) if by > 0 else max(further)
            self._start()

    def action_grid(self) -> None:
        """Twelve seeds together; or the highlighted one alone, at the frame where the grid is."""
        self.grid = not self.grid
        view = self.view
        self._lay_out()
        if not self.grid:
            if view is not None:
                self.seed = view.request.seeds[self.picture]
            if self.label == "each":
                self.label = view.labels[self.picture] if view is not None and view.labels else None
        elif view is None or len(view.request.seeds) == 1:
            self.picture = 0
            self._start()
        else:
            self.seed = view.request.seeds[0]
            self.label = view.request.label

    def action_pick(self, by: int) -> None:
        """Highlight another picture of the grid."""
        if self.grid:
            self.picture = (self.picture + by) % GRID

    def action_export(self) -> None:
        """Save the picture shown as PNG, and the way to it as GIF."""
        view, source = self.view, self.source
        if view is None or source is None:
            self._say_message("There is nothing to save yet.")
        elif not self._saving:
            self._saving = True
            self._say_message("saving …")
            folder = home_dir() / "exports" if source.shipped else source.run.samples_path
            self._save(view, self.playhead.index, None if self.grid else self.picture, folder)

    def on_slider_moved(self, event: Slider.Moved) -> None:
        if self.view is not None:
            self.playhead.go(event.value, self.view.newest)

    def on_pixel_view_picked(self, event: PixelView.Picked) -> None:
        if event.view.id == "grid":
            self.picture = event.index

    # Sources and drawings.

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
        """Draw what is chosen now, from the noise on; the drawing before is given up."""
        if self.source is None:
            return
        if self.job is not None:
            self.job.close()
        if not self.grid:
            self.picture = 0
        count = GRID if self.grid else 1
        request = SamplingRequest(
            source=self.source.wanted,
            sampler=self.taken_sampler,
            steps=self.taken_steps,
            seeds=tuple(range(self.seed, self.seed + count)),
            label=self.label,
        )
        self.job = self.lab.engine.submit(f"drawing with {self.source.name}", start_sampling(request))
        self.playhead.rate = FPS * 2.0 ** self._effective_speed()
        self.playhead.start()
        self._message = Content()

    def _effective_speed(self) -> int:
        if self._speed is not None:
            return self._speed
        speed = round(math.log2(self.taken_steps / (FPS * WHOLE_SECONDS)))
        return min(max(speed, -2), SPEEDS[-1])

    def _at_end(self, view: SamplingView) -> bool:
        return view.done and self.playhead.index >= view.newest

    @work(thread=True, exit_on_error=False)
    def _save(self, view: SamplingView, index: int, picture: int | None, folder: Path) -> None:
        """Compress beside the screen: a long GIF takes seconds."""
        try:
            png, gif = save_trajectory(view, index, picture, folder)
            text, wrong = f"saved {png.name} and {gif.name}\nin {short_path(folder)}", False
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
        view, head = self.view, self.playhead
        self._show_parts()
        if view is not None:
            head.advance(now, view.newest, complete=view.done)
            self._draw(view)
        elif self.job is not None and self.job.state is JobState.FAILED:
            self._draw_nothing()
        self._draw_texts(view)

    def _draw(self, view: SamplingView) -> None:
        """The pictures, the titles that tell the time, and the slider; only what is another than before."""
        index, last = self.playhead.index, len(view.times) - 1
        self.query_one("#time", Slider).move(index, last=last, reached=None if view.done else view.newest)
        self.query_one("#grid", PixelView).highlighted = self.picture
        drawn = (self.job, index, view.has_belief(index), self.grid, self.picture, self.stage)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        if self.grid:
            self._draw_grid(view, index)
            return
        self.query_one("#pane-x_t").border_title = _title(view, index)
        for name, _ in PANES[: self.stage.panes]:
            self._show(name, _pixels(view, name, index, self.picture))

    def _draw_nothing(self) -> None:
        """After a failure: what was there before belongs to another choice."""
        if self._drawn != (self.job,):
            self._drawn = (self.job,)
            for view in self.query(PixelView):
                view.clear()

    def _draw_grid(self, view: SamplingView, index: int) -> None:
        sheet = self.query_one("#grid", PixelView)
        if len(view.request.seeds) == GRID:
            sheet.captions = _captions(view) if self.stage.scale > 1 else ()
            self._show("grid", view.x[index])

    def _show(self, name: str, pixels: NDArray[Any] | None) -> None:
        pane = self.query_one(f"#{name}", PixelView)
        if pixels is None:
            pane.clear()
        else:
            pane.show(pixels, moving=self.playhead.playing)

    def _lay_out(self) -> None:
        """Share out the room."""
        columns, rows = self.size
        if not columns:
            return
        self.stage = stage = Stage.fitting(columns, rows)
        width, height = SIDE * stage.scale + 2, SIDE // 2 * stage.scale + 2
        for position, (name, _) in enumerate(PANES):
            pane = self.query_one(f"#pane-{name}")
            pane.display = position < stage.panes
            pane.styles.width, pane.styles.height = width, height
        self.query_one("#stage").styles.height = height
        self.query_one("#side").styles.width = max(1, stage.side)
        self._drawn = ()

    def _show_parts(self) -> None:
        nothing, beside = self.source is None, bool(self.stage.side) and not self.grid
        parts = (nothing, beside, self.grid)
        if parts == self._parts:
            return
        self._parts = parts
        self.query_one("#nothing").display = nothing
        self.query_one("#stage").display = not nothing and not self.grid
        self.query_one("#sheet").display = not nothing and self.grid
        self.query_one("#side").display = beside
        self.query_one("#band").display = not nothing and not beside
        self.query_one("#time").display = not nothing
        self.query_one("#status").display = not nothing

    def _draw_texts(self, view: SamplingView | None) -> None:
        if self.source is None:
            self._say("nothing", _NOTHING)
        else:
            self._say("status", self._status(view))
            facts = self._facts(view)
            if self.stage.side and not self.grid:
                self._say("side", self._side(facts))
            else:
                self._say("band", self._band(facts))
        error = self.job.error if self.job is not None else None
        self._say("message", Content(error).stylize("$error") if error else self._message)

    def _status(self, view: SamplingView | None) -> Content:
        """What moves and what does not: the player on the left, the computing on the right."""
        job = self.job
        if job is None or job.error:
            left = ""
        elif view is None:
            left = "loading torch …" if self.lab.engine.device is None else "opening the network …"
        elif self.playhead.playing:
            every = round(self.playhead.rate / self.lab.clock.fps)
            left = "▶ playing" + (f", one frame in {every} drawn" if every > 1 else "")
        elif not self._at_end(view):
            left = "❚❚ held"
        elif self.source is not None and self.source.live:
            left = "■ finished    [b $accent]space [/]draws anew with the weights of now"
        else:
            left = "■ finished    [b $accent]space [/]plays it again"
        right = ""
        if view is not None and not view.done and not (job is not None and job.error):
            total = len(view.times) - 1
            right = f"computed {view.count - 1:>{len(str(total))}} of {total}"
        if view is not None and self.grid and not self._at_end(view):
            left = f"{_title(view, self.playhead.index)}    {left}"
        line = Content.from_markup(f" {left}")
        gap = max(1, self.size.width - line.cell_length - len(right) - 1)
        return line + " " * gap + Content.from_markup(f"[$muted]{right}[/]")

    def _choices(self) -> list[Content]:
        source, view = self.source, self.view
        classes = view.num_classes if view is not None else None
        name = source.name if source is not None else ""
        asked = view is None or classes is not None
        speed = self._effective_speed()
        choices = [
            _choice("m", "model", name, "source(1)", mark=" ▶" if source is not None and source.live else ""),
            _choice("d", "digit", self._label_text(view) if asked else "none", "digit(1)", grey=not asked),
            _choice("a", "sampler", self.taken_sampler.upper(), "sampler"),
            _choice("+/-", "steps", str(self.taken_steps), "count(1)"),
            _choice("r", "seed", self._seed_text(), "reseed(1)"),
            _choice("g", "seeds", str(GRID if self.grid else 1), "grid"),
            _choice("f", "fps", f"{FPS * 2.0**speed:.3g}", "speed(1)"),
        ]
        if self.grid:
            choices.append(_choice("n", "chosen", str(self.seed + self.picture), "pick(1)"))
        return choices

    def _label_text(self, view: SamplingView | None) -> str:
        if self.label is None and view is not None and view.labels and not self.grid:
            return f"any {view.labels[self.picture]}"
        return "any" if self.label is None else str(self.label)

    def _seed_text(self) -> str:
        return f"{self.seed}-{self.seed + GRID - 1}" if self.grid else str(self.seed)

    def _facts(self, view: SamplingView | None) -> list[tuple[str, str]]:
        """Names and values; a value that is not there yet is a dash, so that nothing jumps."""
        if view is None:
            names = ("frame", "noise", "x̂0 moved", "temperature", "train steps")
            return [(name, "-") for name in names]
        index = self.playhead.index
        moved = view.belief_moved(index, self.picture)
        return [
            ("frame", f"{index}/{len(view.times) - 1}"),
            ("noise", f"{100 * (1 - view.alpha_bars[index]):.1f} %"),
            ("x̂0 moved", "-" if moved is None else f"{moved:.3f}"),
            ("temperature", f"{view.temperature:g}"),
            ("train steps", grouped(view.weights_step)),
        ]

    def _side(self, facts: list[tuple[str, str]]) -> Content:
        width = min(self.stage.side, CELL)
        lines = [
            *self._choices(),
            Content(),
            *(_fact(name, value, min(width - 1, CELL - 5)) for name, value in facts),
        ]
        return Content("\n").join([Content(" ") + line.truncate(width - 1, ellipsis=True) for line in lines])

    def _band(self, facts: list[tuple[str, str]]) -> Content:
        cells = max(4, self.size.width // CELL)
        width = self.size.width // cells
        choices = [choice.truncate(width - 1, ellipsis=True) for choice in self._choices()]
        rows = [choices[at : at + cells] for at in range(0, len(choices), cells)]
        shown = [fact for fact in facts if not (self.grid and fact[0] == "x̂0 moved")]  # it is of one picture
        rows.append([_fact(name, value, width - 4) for name, value in shown])
        lines = [Content().join([cell.pad_right(width - cell.cell_length) for cell in row]) for row in rows]
        return Content("\n").join([Content(" ") + line for line in lines])

    def _say(self, name: str, text: Content) -> None:
        if self._texts.get(name) != text:
            self._texts[name] = text
            self.query_one(f"#{name}", ActionText).update(text)

    def _say_message(self, text: str, *, wrong: bool = False) -> None:
        self._message = Content(text).stylize("$error" if wrong else "$foreground")


_NOTHING = Content.from_markup(
    "No trained network is here: none came with this installation, and you have no run with weights.\n\n"
    "Press [b $accent]4[/] to train one; what it can draw can be watched here while it trains."
)


def _title(view: SamplingView, index: int) -> str:
    """Which way time runs: from this timestep to the next."""
    if view.times[index] < 0:
        return "x_0  [$foreground]finished[/]"
    width = len(str(view.T - 1))
    goal = view.times[index + 1]
    towards = f"{goal:>{width}}" if goal >= 0 else "clean"
    return f"x_t  [$foreground]t = {view.times[index]:>{width}} → {towards}[/]"


def _pixels(view: SamplingView, name: str, index: int, picture: int) -> NDArray[np.floating[Any]] | None:
    """What a pane shows, (H, W) about [-1, 1], or None while there is nothing."""
    pictures: NDArray[np.floating[Any]] | None
    if name == "x_t":
        pictures = view.x[index]
    elif name == "x0_hat":
        pictures = view.x0_hat[index] if view.has_belief(index) else None
    elif name == "eps_hat":
        pictures = view.eps_hat(index)
    else:
        pictures = view.change(index)
        if pictures is not None:  # however small the change, white is the most that a pixel rose
            pictures = pictures / max(float(np.abs(pictures[picture]).max()), 1e-3)
    return None if pictures is None else pictures[picture]


def _captions(view: SamplingView) -> tuple[str, ...]:
    seeds = [f"seed {seed}" for seed in view.request.seeds]
    if view.labels is None:
        return tuple(seeds)
    return tuple(f"{label} · {seed}" for label, seed in zip(view.labels, seeds, strict=True))


def _choice(key: str, name: str, value: str, action: str, *, mark: str = "", grey: bool = False) -> Content:
    """Key, name, value; a click does what the key does."""
    text = Content.assemble(
        (f"{key} ", "$muted" if grey else "b $accent"),
        (f"{name:<{9 - len(key)}}", "$muted"),
        (value, "$muted" if grey else "b"),
        (mark, "$accent"),
    )
    return text.stylize(f"@click=screen.{action}" if "(" in action else f"@click=screen.{action}()")


def _fact(name: str, value: str, width: int) -> Content:
    """Name on the left, value on the right; where the room is short the name is cut, never the value."""
    room = max(1, width - len(value))
    label = Content(name).truncate(room - 1, ellipsis=True, pad=True)
    return label.stylize("$muted") + " " + value


SCREEN = GenerateScreen
