"""Noise taken away: one look of a network, look after look, what the time is worth, what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize

from difftui.engine.denoising import REPEATS, DenoisingView, Wish
from difftui.errors import DifftuiError
from difftui.paths import home_dir
from difftui.state import MOST_SEED, Choices
from difftui.ui.denoising_bench import DenoisingBench, NoiseMeter
from difftui.ui.exports import save_filters, save_looks, save_repeats
from difftui.ui.panels import denoise_lines as lines
from difftui.ui.panels.network_inside import NetworkInsidePanel
from difftui.ui.panels.noise_errors import NoiseErrorsPanel
from difftui.ui.panels.repeated_looks import RepeatedLooksPanel
from difftui.ui.panels.single_looks import LOOKS, SingleLooksPanel
from difftui.ui.playhead import Playhead
from difftui.ui.screens.base import LabScreen
from difftui.ui.source_choice import SourceChoice
from difftui.ui.sources import Source, find_sources, named_source
from difftui.ui.time_pair import pair_of, what_to_train
from difftui.ui.widgets.slider import Slider
from difftui.ui.widgets.text import ActionText
from difftui.words import short_path

__all__ = ["SCREEN", "VIEWS", "DenoiseScreen"]

FIRST = "toy"  # of the guided lab, whose denoising this screen shows
VIEWS = ("one look", "again and again", "what the time is worth", "inside")
LOOK, AGAIN, WORTH, INSIDE = range(4)
IDLE: Mapping[int, frozenset[str]] = {
    LOOK: frozenset(),
    AGAIN: frozenset(),
    WORTH: frozenset({"play", "example", "pick", "renoise", "export"}),
    INSIDE: frozenset({"play", "example", "pick", "renoise"}),
}
"""What does nothing in a view."""

SWEEP_SECONDS = 8.0  # from clean to noise when playing
LOOKS_PER_SECOND = 2.0
MOST_EXAMPLES = 10_000
COARSE = 20  # + and - change the noise by so small a part of it all


class DenoiseScreen(LabScreen):
    """What a trained network makes of noised digits, in four views.

    Attributes:
        network: the choice among the networks there are.
        showing: which of :data:`VIEWS`.
        wish: the digit, its noise and where to look; no rungs are the network's usual four.
        told: the time told everywhere, in the view of what the time is worth; None is half of T.
        head: how far the looks again and again are shown, or where a moving timestep is.
    """

    NAME = "denoise"

    def __init__(self) -> None:
        super().__init__()
        self.network = SourceChoice(find_sources, named_source, FIRST)
        self.showing = LOOK
        self.wish = Wish()
        self.told: int | None = None
        self.log_axis = True
        self.head = Playhead(LOOKS_PER_SECOND)
        self._sweep = Playhead()
        self._message = Content()
        self._laid_out: tuple[object, ...] = ()

    @property
    def source(self) -> Source | None:
        """The chosen network."""
        return self.network.chosen

    @cached_property
    def bench(self) -> DenoisingBench:
        """Where the network is."""
        return DenoisingBench(self.lab.engine)

    @cached_property
    def meter(self) -> NoiseMeter:
        """What measures its error by noise."""
        return NoiseMeter(self.lab.engine)

    @property
    def view(self) -> DenoisingView | None:
        """What the network makes of a digit, or None before its first answer."""
        return self.bench.view

    @property
    def rungs(self) -> tuple[int, ...]:
        """Where the looks are: as the user moved them, else the network's usual four."""
        if self.wish.rungs:
            return self.wish.rungs
        return self.view.network.ladder.usual if self.view is not None else (0,) * LOOKS

    def compose_body(self) -> ComposeResult:
        with Vertical(id="denoise"):
            yield ActionText(id="views")
            yield SingleLooksPanel(id="view-0")
            yield RepeatedLooksPanel(id="view-1")
            yield NoiseErrorsPanel(id="view-2")
            yield NetworkInsidePanel(id="view-3")
            yield ActionText(id="nothing")
            with Horizontal(id="sliders"):
                yield Slider("[$accent]clean[/] 0", "[$secondary]noise[/]", id="noise")
                yield Slider("shown first", f"look {REPEATS}", last=REPEATS, id="look")
            yield ActionText(id="choices")
            yield ActionText(id="message")

    def remember(self) -> dict[str, object]:
        return {
            "run": self.network.name,
            "showing": self.showing,
            "label": self.wish.label,
            "example": self.wish.example,
            "seed": self.wish.seed,
            "chosen": self.wish.chosen,
            "log": self.log_axis,
        }

    def recall(self, choices: Choices) -> None:
        self.network.remembered = choices.text("run")
        self.showing = choices.whole("showing", 0, len(VIEWS) - 1, LOOK)
        self.log_axis = choices.one_of("log", (True, False), True)
        self.wish = Wish(
            label=choices.whole("label", 0, MOST_EXAMPLES, self.wish.label),
            example=choices.whole("example", 0, MOST_EXAMPLES, 0),
            seed=choices.whole("seed", 0, MOST_SEED, 0),
            chosen=choices.whole("chosen", 0, LOOKS - 1, 0),
        )

    def visit(self, choices: Mapping[str, object]) -> None:
        super().visit(choices)
        run = Choices(choices).text("run")
        problem = self.network.take_named(run) if run else ""
        self._start()
        if problem:
            self._say_message(problem, wrong=True)

    def on_resize(self, event: Resize) -> None:
        self._laid_out = ()

    def on_screen_resume(self) -> None:
        self.head.rest()
        self._sweep.rest()
        self.network.look(self.lab.own_run())
        wanted, self.lab.wanted_run = self.lab.wanted_run, None
        problem = self.network.take_named(wanted) if wanted is not None else ""
        self.network.take_first()
        if self.source is not None and (self.bench.job is None or wanted is not None):
            self._start()
        if problem:
            self._say_message(problem, wrong=True)
        self.meter.go_on()

    def on_screen_suspend(self) -> None:
        """Another screen is shown: leave the device to what that one wants. (Help leaves it as it is.)"""
        if self.lab.current_mode != self.NAME:
            self._hold()
            self.meter.hold()

    def idle_actions(self) -> frozenset[str]:
        return super().idle_actions() | IDLE[self.showing] | (frozenset() if self._slides else {"step"})

    # What the user does.

    def action_view(self, by: int) -> None:
        """The next view, or the one before."""
        self.action_open((self.showing + by) % len(VIEWS))

    def action_open(self, showing: int) -> None:
        """One of the views."""
        self._hold()
        self.showing = showing
        self._message = Content()
        if showing == AGAIN and not self.wish.again:
            self._want(replace(self.wish, again=True))
            self.head.start()

    def action_step(self, by: int) -> None:
        """Along the noise of the chosen look, along the looks, or along the told times."""
        self._hold()
        if self.showing == AGAIN:
            self.head.go(self.head.index + by, REPEATS)
        else:
            self._move(by)

    def action_jump(self, end: int) -> None:
        """To one end of what the slider shows."""
        self._hold()
        if self.showing == AGAIN:
            self.head.go(REPEATS if end else 0, REPEATS)
        elif self.view is not None:
            last = self.view.network.ladder.last
            self._move(last if end else -last)

    def action_count(self, by: int) -> None:
        """More noise, or less."""
        self._hold()
        if self.view is not None:
            self._move(by * max(1, round(self.view.network.ladder.last / COARSE)))

    def action_play(self) -> None:
        """Let the noise of the chosen look grow, or the looks follow one another; or hold."""
        view = self.view
        if view is None or self.showing in (WORTH, INSIDE):
            return
        if self.showing == AGAIN:
            head = self.head
            if head.playing or head.index < REPEATS:
                head.playing = not head.playing
            else:
                head.start()
        elif self._sweep.playing:
            self._sweep.playing = False
        else:
            last, rung = view.network.ladder.last, self.rungs[self.wish.chosen]
            self._sweep = Playhead((last + 1) / SWEEP_SECONDS)
            self._sweep.go(0 if rung >= last else rung, last)
            self._sweep.playing = True

    def action_pick(self, by: int) -> None:
        """Another of the four looks, whose noise the arrows then move."""
        self._hold()
        self._want(replace(self.wish, chosen=(self.wish.chosen + by) % LOOKS))

    def action_restart(self) -> None:
        """The usual noise levels again, and the weights of now where the network is in training."""
        self._hold()
        self.told = None
        self._want(replace(self.wish, rungs=()))
        if self.source is not None and (self.source.live or self.bench.failed):
            self._start()

    def action_renoise(self, by: int) -> None:
        """The noise of the next or the previous seed."""
        self._want(replace(self.wish, seed=min(max(0, self.wish.seed + by), MOST_SEED)))

    def action_digit(self, by: int) -> None:
        """The next or the previous class."""
        if self.view is None:
            return
        classes = self.view.network.classes
        if len(classes) == 1:
            self._say_message(f"The pictures of {self.view.network.name} have no classes to choose from.")
            return
        self._want(replace(self.wish, label=(self.view.wish.label + by) % len(classes), example=0))

    def action_example(self, by: int) -> None:
        """The next or the previous digit of this class."""
        if self.view is not None:
            self._want(replace(self.wish, example=(self.wish.example + by) % self.view.count))

    def action_source(self, by: int) -> None:
        """Another network."""
        self.network.look(self.lab.own_run())
        if self.network.take_next(by):
            self._start()

    def action_log(self) -> None:
        """Logarithmic or linear axis of the error."""
        self.log_axis = not self.log_axis

    def action_export(self) -> None:
        """Save the pictures shown as PNG."""
        view = self.view
        if view is None or self.showing == WORTH or (self.showing == AGAIN and view.repeats is None):
            self._say_message("There are no pictures here to save; y copies what is shown as text.")
            return
        save = {LOOK: save_looks, AGAIN: save_repeats, INSIDE: save_filters}[self.showing]
        try:
            path = save(view, home_dir() / "exports")
        except (DifftuiError, OSError) as error:
            self._say_message(str(error), wrong=True)
        else:
            self._say_message(f"saved {short_path(path)}")

    def on_slider_moved(self, event: Slider.Moved) -> None:
        self._hold()
        if event.slider.id == "look":
            self.head.go(event.value, REPEATS)
        elif self.showing == WORTH:
            self._tell(event.value)
        else:
            self._move(event.value - self.rungs[self.wish.chosen])

    def on_single_looks_panel_chosen(self, event: SingleLooksPanel.Chosen) -> None:
        self.action_pick(event.index - self.wish.chosen)

    def on_repeated_looks_panel_chosen(self, event: RepeatedLooksPanel.Chosen) -> None:
        self.head.go(event.look, REPEATS)

    # The network on the bench.

    def _start(self) -> None:
        """Take the chosen network; the one before is given up."""
        if self.source is None:
            return
        self._hold()
        self.meter.clear()
        self.told, self._message = None, Content()
        self.wish = replace(self.wish, rungs=(), again=self.showing == AGAIN)
        self.bench.take(self.source, self.wish)
        if self.showing == AGAIN:
            self.head.start()
        self.query_one(SingleLooksPanel).clear()
        self.query_one(RepeatedLooksPanel).clear()
        self.query_one(NoiseErrorsPanel).clear()
        self.query_one(NetworkInsidePanel).clear()

    def _want(self, wish: Wish) -> None:
        """Ask for another look."""
        self.wish = wish
        self.bench.want(wish)

    def _move(self, by: int) -> None:
        """Change the noise of the chosen look, or the told time."""
        view = self.view
        if view is None:
            return
        if self.showing == WORTH:
            self._tell(self._told_time(view) + by)
            return
        rungs, chosen, ladder = list(self.rungs), self.wish.chosen, view.network.ladder
        rungs[chosen] = ladder.held(rungs[chosen] + by)
        self._want(replace(self.wish, rungs=tuple(rungs)))

    def _tell(self, t: int) -> None:
        """Another time to be told everywhere; it is measured once it rests."""
        view = self.view
        if view is not None and view.network.takes_time:
            self.told = view.network.ladder.held(t)

    def _told_time(self, view: DenoisingView) -> int:
        return view.network.ladder.last // 2 if self.told is None else self.told

    def _hold(self) -> None:
        self.head.playing = self._sweep.playing = False

    # Drawing.

    def tick(self, now: float) -> None:
        self.network.look_again(self.lab.own_run())
        self.bench.ask()
        self._lay_out()
        self._advance(now)
        view = self.view
        if view is not None:
            self._measure(view, now)
            self._draw(view)
        self._draw_texts(view)

    def _advance(self, now: float) -> None:
        """Let what plays go on."""
        view = self.view
        if view is None:
            return
        if view.repeats is not None or not self.head.playing:
            self.head.advance(now, REPEATS, complete=True)
        else:
            self.head.rest()
        if self._sweep.playing:
            last = view.network.ladder.last
            self._sweep.advance(now, last, complete=True)
            rungs = list(self.rungs)
            if rungs[self.wish.chosen] != self._sweep.index:
                rungs[self.wish.chosen] = self._sweep.index
                self._want(replace(self.wish, rungs=tuple(rungs)))

    def _measure(self, view: DenoisingView, now: float) -> None:
        """Have the error by noise measured where it is shown."""
        plotted = self.showing == LOOK and self.query_one(SingleLooksPanel).has_plot
        if self.source is not None and (self.showing == WORTH or plotted):
            other = pair_of(self.source, self.network.all)
            self.meter.measure(self.source, other, self._told_time(view), now)

    def _lay_out(self) -> None:
        """Show the view's own parts."""
        parts = (self.showing, self.source is None, self._slides)
        if parts == self._laid_out:
            return
        self._laid_out = parts
        nothing = self.source is None
        for number in range(len(VIEWS)):
            self.query_one(f"#view-{number}").display = number == self.showing and not nothing
        self.query_one("#nothing").display = nothing
        self.query_one("#sliders").display = not nothing and self._slides
        self.query_one("#noise").display = self.showing != AGAIN
        self.query_one("#look").display = self.showing == AGAIN

    @property
    def _slides(self) -> bool:
        """Whether the view has something to move along."""
        if self.showing == WORTH:
            return self.view is not None and self.view.network.takes_time
        return self.showing != INSIDE

    def _draw(self, view: DenoisingView) -> None:
        ladder, playing = view.network.ladder, self.head.playing or self._sweep.playing
        errors = self.meter.errors
        if self.showing == LOOK:
            self.query_one("#noise", Slider).move(view.wish.rungs[view.wish.chosen], last=ladder.last)
            panel = self.query_one(SingleLooksPanel)
            panel.show(view, moving=playing)
            panel.show_errors(view, errors)
        elif self.showing == AGAIN:
            self.query_one("#look", Slider).move(self.head.index)
            self.query_one(RepeatedLooksPanel).show(view, self.head.index, moving=playing)
        elif self.showing == WORTH and self.source is not None:
            told = self._told_time(view)
            other = pair_of(self.source, self.network.all)
            self.query_one("#noise", Slider).move(told, last=ladder.last)
            self.query_one(NoiseErrorsPanel).show(
                view.network,
                errors,
                told=told,
                other=None if other is None else other.name,
                missing=what_to_train(self.source, self.network.all),
                log_axis=self.log_axis,
            )
        else:
            self.query_one(NetworkInsidePanel).show(view.network)

    def _draw_texts(self, view: DenoisingView | None) -> None:
        self.say("views", lines.view_names(VIEWS, self.showing))
        if self.source is None:
            self.say("nothing", lines.NOTHING)
            self.say("choices", Content())
            self.say("message", self._message)
            return
        self.say("choices", self._choices(self.source, view))
        errors = [job.error for job in (self.bench.job, self.meter.job) if job is not None and job.error]
        hint = Content(errors[0]).stylize("$error") if errors else self._message or self._hint(view)
        self.say("message", hint)

    def _choices(self, source: Source, view: DenoisingView | None) -> Content:
        """What can be chosen in this view."""
        network = lines.network_choice(source.name, live=source.live)
        if self.showing in (LOOK, AGAIN):
            rung = self.rungs[self.wish.chosen]
            return lines.joined([network, *lines.looking_choices(view, rung, self.wish.seed)])
        if self.showing == WORTH:
            timed = view is not None and view.network.takes_time
            told = self._told_time(view) if timed and view is not None else None
            return lines.joined([network, *lines.measuring_choices(told, log_axis=self.log_axis)])
        return lines.joined([network])

    def _hint(self, view: DenoisingView | None) -> Content:
        """What is to be seen, in a line."""
        if view is None:
            waiting = "loading torch …" if self.lab.engine.device is None else "opening the network …"
            return Content(waiting).stylize("$muted")
        if self.showing == LOOK:
            return lines.look_hint(view)
        if self.showing == AGAIN:
            return lines.repeat_hint(self.head.index, playing=self.head.playing)
        return lines.errors_hint(view) if self.showing == WORTH else lines.inside_hint(view)

    def _say_message(self, text: str, *, wrong: bool = False) -> None:
        self._message = Content(text).stylize("$error" if wrong else "$foreground")


SCREEN = DenoiseScreen
