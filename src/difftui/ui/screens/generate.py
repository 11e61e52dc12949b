"""Digits out of noise: a trained network's reverse diffusion, frame by frame, forward and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.events import Resize

from difftui.diffusion import EXPERIMENTS, looks
from difftui.engine import Job, JobState
from difftui.engine.sampling import SamplingView, start_sampling
from difftui.errors import DifftuiError
from difftui.state import Choices
from difftui.ui.exports import save_trajectory
from difftui.ui.panels.absent import absent_text
from difftui.ui.panels.drawing_texts import Drawing, band, facts, guidance_text, sampler_text, side
from difftui.ui.panels.network_picker import NetworkPicker
from difftui.ui.panels.no_network import no_network
from difftui.ui.panels.stage import NARROW, NARROWEST_SIDE, PANES, Stage, captions, pane_pixels, time_title
from difftui.ui.panels.wish import Wish
from difftui.ui.pipeline_sources import Network
from difftui.ui.saving import Saver
from difftui.ui.screens.base import LabScreen
from difftui.ui.screens.played import Played, Player
from difftui.ui.shelf import Shelf
from difftui.ui.sources import RUN_PICTURES, SIDE
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.slider import Slider
from difftui.ui.widgets.text import ActionText

__all__ = ["SCREEN", "GenerateScreen"]

IDLE_WITHOUT = frozenset({"play", "step", "grid", "export"})  # actions, where nothing can be drawn
WHOLE_SECONDS = 4.0  # of a trajectory, about
SPACE = "[@click=screen.play()][b $accent]space [/]"


class GenerateScreen(Played, LabScreen):
    """Reverse diffusion from a shipped checkpoint, a run, the run in training, or a diffusers pipeline.

    Attributes:
        shelf: the networks there are, and the chosen one.
        wish: what the user chose besides.
        job: the drawing; a change of choice closes it and starts another.
        playhead: which of its frames is shown.
    """

    NAME = "generate"

    def __init__(self) -> None:
        super().__init__()
        self.shelf = Shelf()
        self.wish = Wish()
        self.job: Job[SamplingView] | None = None
        self.playhead = Player(WHOLE_SECONDS)
        self.stage = Stage(1, 2, NARROWEST_SIDE)
        self._message = Content()
        self._saver = Saver(self, self._say_message)
        self._drawn: tuple[object, ...] = ()
        self._parts: tuple[object, ...] = ()

    @property
    def source(self) -> Network | None:
        """The chosen network."""
        return self.shelf.chosen

    @property
    def view(self) -> SamplingView | None:
        """The trajectory as far as it has come, or None before its first picture."""
        return self.job.snapshot if self.job is not None else None

    @property
    def newest(self) -> int | None:
        return self.view.newest if self.view is not None else None

    @property
    def at_end(self) -> bool:
        return self.view is not None and self.view.done and self.playhead.index >= self.view.newest

    @property
    def live(self) -> bool:
        return self.source is not None and self.source.live

    def draw_anew(self) -> None:
        self._start()

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
                yield PixelView(shape=(RUN_PICTURES, SIDE, SIDE), fit=True, framed=True, id="grid")
            yield ActionText(id="nothing")
            yield Slider("[$secondary]noise[/] T", "0 [$accent]clean[/]", id="time")
            yield ActionText(id="status")
            yield ActionText(id="band")
            yield ActionText(id="message")

    def remember(self) -> dict[str, object]:
        return {"run": self.shelf.name, "opened": "\n".join(self.shelf.opened), **self.wish.remember()}

    def recall(self, choices: Choices) -> None:
        self.shelf.remembered = choices.text("run")
        self.shelf.opened = [line for line in choices.text("opened").split("\n") if line]
        self.wish = Wish.recall(choices)

    def visit(self, choices: Mapping[str, object]) -> None:
        super().visit(choices)
        run = Choices(choices).text("run")
        problem = self.shelf.take_named(run) if run else ""
        self._start()
        if problem:
            self._say_message(problem, wrong=True)

    def on_mount(self) -> None:
        self._lay_out()

    def on_resize(self, event: Resize) -> None:
        self._lay_out()

    def on_screen_resume(self) -> None:
        self.playhead.rest()
        self.shelf.look(self.lab.own_run())
        wanted, self.lab.wanted_run = self.lab.wanted_run, None
        problem = self.shelf.take_named(wanted) if wanted is not None else ""
        self.shelf.take_first()
        if self.source is not None and (self.job is None or wanted is not None):
            self._start()
        elif self.job is not None and self.job.state is JobState.PAUSED:
            self.job.resume()
        if problem:
            self._say_message(problem, wrong=True)

    def on_screen_suspend(self) -> None:
        """Another screen is shown: leave the device to what that one wants. (Help leaves it as it is.)"""
        if self.job is not None and self.lab.current_mode != self.NAME:
            self.job.pause()

    def idle_actions(self) -> frozenset[str]:
        """Without a drawing there are no frames."""
        absent = self.source is None or self.source.absent
        return super().idle_actions() | (IDLE_WITHOUT if absent else frozenset())

    # What the user does.

    def action_reseed(self, by: int) -> None:
        """Another seed, in the grid the next ones."""
        seed = max(0, self.wish.seed + by * self.wish.count(self.source))
        if seed != self.wish.seed:
            self.wish.seed = seed
            self._start()

    def action_digit(self, by: int) -> None:
        """Another digit, or class, to ask for."""
        view, source = self.view, self.source
        if view is not None and view.num_classes is None:
            self._say_message(f"{view.name} was trained without labels: it cannot be asked for anything.")
        elif source is not None:
            self.wish.next_label(by, source.classes if view is None else view.num_classes or 0)
            self._start()

    def action_source(self, by: int) -> None:
        """Another network."""
        self.shelf.look(self.lab.own_run())
        if self.shelf.take_next(by):
            self._start_other()

    def action_runs(self) -> None:
        """The list of networks, and a line to name a pipeline in."""
        self.shelf.look(self.lab.own_run())
        picker = NetworkPicker(self.shelf.offered(), self.source, self.lab.engine)
        self.lab.push_screen(picker, self._take_pick)

    def action_sampler(self, by: int) -> None:
        """The next sampler or experiment that can draw with this network."""
        if self.source is None:
            return
        if self.wish.next_sampler(self.source, by):
            self._start()
            name, steps = self.wish.taken(self.source)
            self._say_message(sampler_text(name, looks(name, steps)))
        else:
            self._say_message(f"{self.source.name} cleans in one look: no other sampler can draw with it.")

    def action_count(self, by: int) -> None:
        """More or fewer sampler steps, never more than the schedule has."""
        if self.wish.other_steps(self.source, by):
            self._start()

    def action_guide(self, by: int) -> None:
        """Stronger or weaker guidance, where there is something to guide towards."""
        source = self.source
        if source is None:
            return
        if not source.guidable or (self.view is not None and not self.view.guidable):
            self._say_message(f"{source.name} cannot be guided: it did not learn with a label and without.")
        elif self.wish.label is None:
            self._say_message("Guidance goes towards what is asked for, and nothing is: d asks for a digit.")
        else:
            wanted = self.wish.guidance
            taken = source.guidance if wanted is None else wanted
            if self.wish.other_guidance(taken, by):
                self._start()
            self._say_message(guidance_text(taken if self.wish.guidance is None else self.wish.guidance))

    def action_grid(self) -> None:
        """Several seeds together; or the highlighted one alone, at the frame where the grid is."""
        if self.wish.grid:
            self.wish.leave_grid(self.view)
        elif self.wish.enter_grid(self.view):
            self._start()
        self._lay_out()

    def action_pick(self, by: int) -> None:
        """Highlight another picture of the grid."""
        if self.wish.grid:
            self.wish.picture = (self.wish.picture + by) % self.wish.count(self.source)

    def action_export(self) -> None:
        """Save the picture shown as PNG, and the way to it as GIF."""
        view, source = self.view, self.source
        if view is None or source is None:
            self._say_message("There is nothing to save yet.")
        else:
            index, picture = self.playhead.index, None if self.wish.grid else self.wish.picture
            self._saver.save(lambda: save_trajectory(view, index, picture, source.exports))

    def on_pixel_view_picked(self, event: PixelView.Picked) -> None:
        if event.view.id == "grid":
            self.wish.picture = event.index

    # Sources and drawings.

    def _take_pick(self, picked: Network | str | None) -> None:
        """What the list of networks was left with: one of them, or the name of a pipeline."""
        try:
            if isinstance(picked, str):
                self.shelf.take_typed(picked)
            elif picked is not None:
                self.shelf.take(picked)
        except DifftuiError as error:
            self._say_message(str(error), wrong=True)
        else:
            if picked is not None:
                self._start_other()

    def _start_other(self) -> None:
        """Draw with another network."""
        self.wish.picture = 0
        self._start()

    def _start(self) -> None:
        """Draw what is chosen now, from the noise on; the drawing before is given up."""
        if self.source is None:
            return
        if self.job is not None:
            self.job.close()
            self.job = None
        self.wish.picture = min(self.wish.picture, self.wish.count(self.source) - 1)
        self._message = Content()
        self._lay_out()
        if self.source.absent:
            return
        request = self.wish.request(self.source)
        self.job = self.lab.engine.submit(f"drawing with {self.source.name}", start_sampling(request))
        self.playhead.suit(self.wish.taken(self.source)[1])
        self.playhead.start()

    # Drawing.

    def tick(self, now: float) -> None:
        self.shelf.look_again(self.lab.own_run())
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
        grid, picture = self.wish.grid, self.wish.picture
        self.query_one("#grid", PixelView).highlighted = picture
        drawn = (self.job, index, view.has_belief(index), grid, picture, self.stage)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        if grid:
            self._draw_grid(view, index)
            return
        self.query_one("#pane-x_t").border_title = time_title(view, index, narrow=self.stage.is_narrow)
        for name, _ in PANES[: self.stage.panes]:
            self._show(name, pane_pixels(view, name, index, picture))

    def _draw_nothing(self) -> None:
        """After a failure: what was there before belongs to another choice."""
        if self._drawn != (self.job,):
            self._drawn = (self.job,)
            for view in self.query(PixelView):
                view.clear()

    def _draw_grid(self, view: SamplingView, index: int) -> None:
        sheet = self.query_one("#grid", PixelView)
        if len(view.request.seeds) > 1:
            sheet.captions = captions(view) if self.size.width >= 110 else ()
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
        picture = self.source.side if self.source is not None else SIDE
        self.stage = stage = Stage.fitting(columns, rows, picture)
        width, height = stage.pixels + 2, -(-stage.pixels // 2) + 2
        for position, (name, _) in enumerate(PANES):
            pane = self.query_one(f"#pane-{name}")
            pane.display = position < stage.panes
            pane.border_title = (NARROW if stage.is_narrow else dict(PANES))[name]
            pane.styles.width, pane.styles.height = width, height
        self.query_one("#stage").styles.height = height
        self.query_one("#side").styles.width = max(1, stage.side)
        self._drawn = ()

    def _show_parts(self) -> None:
        nothing = self.source is None or self.source.absent
        grid = self.wish.grid
        beside = bool(self.stage.side) and not grid and not nothing
        parts = (nothing, beside, grid)
        if parts == self._parts:
            return
        self._parts = parts
        self.query_one("#nothing").display = nothing
        self.query_one("#stage").display = not nothing and not grid
        self.query_one("#sheet").display = not nothing and grid
        self.query_one("#side").display = beside
        self.query_one("#band").display = not nothing and not beside
        self.query_one("#time").display = not nothing
        self.query_one("#status").display = not nothing

    def _draw_texts(self, view: SamplingView | None) -> None:
        source = self.source
        if source is None:
            self.say("nothing", _NOTHING)
        elif source.absent:
            self.say("nothing", absent_text(source))
        else:
            self.say("status", self._status(view))
            head, pixels = self.playhead, self.stage.pixels
            drawing = Drawing(self.wish, source, view, head.index, head.rate, pixels)
            told = facts(drawing)
            if self.stage.side and not self.wish.grid:
                self.say("side", side(drawing, told, self.stage.side))
            else:
                self.say("band", band(drawing, told, self.size.width), layout=True)
        error = self.job.error if self.job is not None else None
        said = Content(error).stylize("$error") if error else self._message or self._warning(view)
        self.say("message", said, layout=True)

    def _warning(self, view: SamplingView | None) -> Content:
        """What must not be taken for a picture: an experiment's."""
        name = view.sampler if view is not None else ""
        return (
            Content(f"{name} {EXPERIMENTS[name]}").stylize("$warning") if name in EXPERIMENTS else Content()
        )

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
        elif not self.at_end:
            left = "❚❚ held"
        elif self.live:
            left = f"■ finished    {SPACE}draws anew[/] with the weights of now"
        else:
            left = f"■ finished    {SPACE}plays it again[/]"
        right = ""
        if view is not None and not view.done and not (job is not None and job.error):
            total = len(view.times) - 1
            right = f"computed {view.count - 1:>{len(str(total))}} of {total}"
        if view is not None and self.wish.grid and not self.at_end:
            left = f"{time_title(view, self.playhead.index)}    {left}"
        line = Content.from_markup(f" {left}")
        gap = max(1, self.size.width - line.cell_length - len(right) - 1)
        return line + " " * gap + Content.from_markup(f"[$muted]{right}[/]")

    def _say_message(self, text: str, *, wrong: bool = False) -> None:
        self._message = Content(text).stylize("$error" if wrong else "$foreground")


_NOTHING = no_network("; what it can draw can be watched here while it trains.")

SCREEN = GenerateScreen
