"""Ways to draw, side by side from one noise: steps, samplers, labels, guidance, variety."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.events import Resize

from difftui.diffusion.comparison import VIEWS
from difftui.diffusion.samplers import SAMPLERS
from difftui.engine.comparing import ComparisonRequest, ComparisonView, moments
from difftui.errors import DifftuiError
from difftui.state import MOST_SEED, Choices
from difftui.ui.exports import save_comparison
from difftui.ui.panels.belief_plot import BeliefPlot
from difftui.ui.panels.caption_line import CaptionLine, known_label
from difftui.ui.panels.comparison_jobs import ComparisonJobs
from difftui.ui.panels.comparison_words import (
    FIRST_LABEL,
    LINES,
    MEASURABLE,
    VARIED_SAMPLER,
    VARIED_STEPS,
    Asked,
    choices_line,
    figure_lines,
    floor_words,
    misread,
    notes_on,
    tabs_line,
    tile_title,
)
from difftui.ui.panels.no_network import no_network
from difftui.ui.panels.tiles import INSET_ROWS, TEXT_COLUMNS, Shelf, Tiles
from difftui.ui.panels.wish import STEPS, more_or_fewer
from difftui.ui.saving import Saver
from difftui.ui.screens.base import LabScreen
from difftui.ui.screens.played import Played, Player
from difftui.ui.source_choice import SourceChoice
from difftui.ui.sources import CLASSES, find_sources, named_source
from difftui.ui.widgets.slider import Slider
from difftui.ui.widgets.text import ActionText

__all__ = ["SCREEN", "CompareScreen"]

COUNTS = (64, 128, 256, 512, 1024)
MOST_TILES = 10
MOST_PLOT_ROWS = 26
WHOLE_SECONDS = 6.0  # of a race, about
ROWS_BESIDES = 8  # the two bars, tabs, slider, status, choices and two lines of words


class CompareScreen(Played, LabScreen):
    """Pictures drawn in several ways from one noise.

    Attributes:
        asked: what is chosen.
        source: the network.
        jobs: the drawing and its measurement; a change of choice takes up another.
        caption: as the user typed it, or "".
        playhead: which moment of the race is shown.
    """

    NAME = "compare"

    def __init__(self) -> None:
        super().__init__()
        self.asked = Asked()
        self.source = SourceChoice(find_sources, named_source)
        self.caption = ""
        self.playhead = Player(WHOLE_SECONDS)
        self._jobs: ComparisonJobs | None = None
        self._message = Content()
        self._saver = Saver(self, self._say_message)
        self._laid: tuple[object, ...] = ()
        self._parts: tuple[bool, ...] = ()

    @property
    def jobs(self) -> ComparisonJobs:
        """The work in hand."""
        if self._jobs is None:
            self._jobs = ComparisonJobs(self.lab.engine)
        return self._jobs

    @property
    def view(self) -> ComparisonView | None:
        """The comparison as far as it has come, or None before its first moment."""
        return self.jobs.view

    @property
    def newest(self) -> int | None:
        return _newest(self.view) if self.view is not None else None

    @property
    def at_end(self) -> bool:
        return self.view is not None and self.view.drawn and self.playhead.index >= _newest(self.view)

    @property
    def live(self) -> bool:
        return self.view is not None and self.view.live

    def draw_anew(self) -> None:
        self._start()

    # Composition.

    def compose_body(self) -> ComposeResult:
        with Vertical(id="compare"):
            yield ActionText(id="views")
            with Container(id="room"):
                with Container(id="stand"):
                    yield Tiles(MOST_TILES, BeliefPlot(id="inset", classes="panel"), id="tiles")
                yield BeliefPlot(id="beliefs", classes="panel")
                yield ActionText(id="nothing")
            yield Slider("[$secondary]noise[/] x_T", "x_0 [$accent]finished[/]", id="race")
            yield ActionText(id="status")
            yield ActionText(id="choices")
            yield CaptionLine()

    def remember(self) -> dict[str, object]:
        return {"run": self.source.name, **asdict(self.asked)}

    def recall(self, choices: Choices) -> None:
        usual = Asked()
        self.source.remembered = choices.text("run")
        self.asked = Asked(
            view=choices.one_of("view", tuple(VIEWS), usual.view),
            sampler=choices.one_of("sampler", tuple(SAMPLERS), usual.sampler),
            steps=choices.whole("steps", 1, 10_000, usual.steps),
            seed=choices.whole("seed", 0, MOST_SEED, usual.seed),
            label=choices.one_of("label", (*range(CLASSES), None), usual.label),
            count=choices.one_of("count", COUNTS, usual.count),
        )

    def visit(self, choices: Mapping[str, object]) -> None:
        super().visit(choices)
        run = Choices(choices).text("run")
        problem = self.source.take_named(run) if run else ""
        self.caption = ""
        self.query_one(CaptionLine).close()
        self._start()
        if problem:
            self._say_message(problem, wrong=True)

    def on_resize(self, event: Resize) -> None:
        self._laid = ()

    def on_screen_resume(self) -> None:
        self.playhead.rest()
        self.source.look(self.lab.own_run())
        wanted, self.lab.wanted_run = self.lab.wanted_run, None
        problem = self.source.take_named(wanted) if wanted is not None else ""
        self.source.take_first()
        if self.jobs.drawing is None or wanted is not None:
            self._start()
        else:
            self.jobs.go_on()
        if problem:
            self._say_message(problem, wrong=True)

    def on_screen_suspend(self) -> None:
        """Another screen is shown: leave the device to what that one wants. (Help leaves it as it is.)"""
        if self.lab.current_mode != self.NAME:
            self.jobs.rest()

    def idle_actions(self) -> frozenset[str]:
        return super().idle_actions() | (frozenset() if self.asked.view in MEASURABLE else {"sample"})

    # What the user does.

    def action_view(self, by: int) -> None:
        """Another comparison."""
        names = list(VIEWS)
        self.action_take_view(names[(names.index(self.asked.view) + by) % len(names)])

    def action_take_view(self, name: str) -> None:
        """The comparison that was clicked."""
        self.query_one(CaptionLine).close()
        self._ask(replace(self.asked, view=name))

    def action_reseed(self, by: int) -> None:
        """Another seed: another x_T for all."""
        self._ask(replace(self.asked, seed=max(0, self.asked.seed + by)))

    def action_digit(self, by: int) -> None:
        """Another digit to ask for; in the view of labels all are there, and one is pointed at."""
        view, asked = self.view, self.asked
        classes = CLASSES if view is None else view.num_classes
        if view is not None and classes is None:
            self._say_message(f"{view.name} was trained without labels: it cannot be asked for a digit.")
            return
        labels: list[int | None] = list(range(classes or 0))
        if asked.view in ("steps", "samplers", "variety"):
            labels.append(None)
        at = labels.index(asked.label) if asked.label in labels else -by
        self._ask_for(labels[(at + by) % len(labels)], "")

    def action_edit(self) -> None:
        """Type a caption where the words below are; enter asks for it, an empty one changes nothing."""
        self.query_one(CaptionLine).open(self.caption)

    def action_source(self, by: int) -> None:
        """Another network."""
        self.source.look(self.lab.own_run())
        if self.source.take_next(by):
            self._start()

    def action_sampler(self) -> None:
        """The next sampler."""
        names = list(SAMPLERS)
        sampler = names[(names.index(self.asked.sampler) + 1) % len(names)]
        if self.asked.view in VARIED_SAMPLER:
            self._say_message("This view has its samplers already. The others take the one chosen by a.")
        else:
            self._ask(replace(self.asked, sampler=sampler))

    def action_count(self, by: int) -> None:
        """More or fewer sampler steps, never more than the schedule has."""
        if self.asked.view in VARIED_STEPS:
            self._say_message("This view goes through the numbers of steps itself.")
            return
        T = self.view.T if self.view is not None else STEPS[-1]
        further = more_or_fewer(min(self.asked.steps, T), T, by)
        if further is not None:
            self._ask(replace(self.asked, steps=further))

    def action_budget(self, by: int) -> None:
        """More or fewer pictures to measure; what was measured stays."""
        at = COUNTS.index(self.asked.count) + by
        self.asked = replace(self.asked, count=COUNTS[min(max(at, 0), len(COUNTS) - 1)])

    def action_sample(self) -> None:
        """Measure many pictures of each way; while that runs: stop it."""
        view = self.view
        if self.jobs.stop_measuring():
            self._say_message("The measurement was stopped.")
        elif view is None:
            self._say_message("There is nothing to measure yet.")
        elif not view.plan.measurable:
            self._say_message("This view asks about single pictures. Steps, Samplers, Guidance are measured.")
        else:
            self.jobs.measure(self.asked.count, self.lab.data)
            self._message = Content()

    def action_export(self) -> None:
        """Save the pictures shown with their figures."""
        view, source = self.view, self.source.chosen
        if view is None or source is None:
            self._say_message("There is nothing to save yet.")
        else:
            measurement, looks = self.jobs.measurement, self._looks(view)
            self._saver.save(lambda: save_comparison(view, measurement, looks, source.exports))

    def on_caption_line_entered(self, event: CaptionLine.Entered) -> None:
        classes = self.view.num_classes if self.view is not None else CLASSES
        try:
            label = known_label(event.text, classes)
        except DifftuiError as error:
            self._say_message(str(error), wrong=True)
        else:
            self._ask_for(label, event.text)

    def _ask(self, asked: Asked) -> None:
        """Take another choice."""
        if asked != self.asked:
            self.asked = asked
            self._start()

    def _ask_for(self, label: int | None, caption: str) -> None:
        """Take another label; in the view of labels every one is drawn already."""
        self.caption = caption
        self._message = Content()
        if self.asked.view == "labels":
            self.asked = replace(self.asked, label=label)
        else:
            self._ask(replace(self.asked, label=label))

    def _start(self) -> None:
        """Draw what is chosen now, or show it again where it has been drawn."""
        source, asked = self.source.chosen, self.asked
        if source is None:
            return
        label = {"labels": None, "guidance": FIRST_LABEL if asked.label is None else asked.label}
        request = ComparisonRequest(
            source=source.wanted,
            view=asked.view,
            sampler=asked.sampler,
            steps=asked.steps,
            seed=asked.seed,
            label=label.get(asked.view, asked.label),
        )
        self.jobs.take(request, source.name, anew=source.live)
        most = 1000 if asked.view == "steps" else asked.steps
        self.playhead.suit(len(_moments(most)))
        self.playhead.start()
        self._message = Content()

    def _looks(self, view: ComparisonView) -> int:
        """How often the network has been asked for each picture at the moment shown."""
        shown = _moments(view.most_looks)
        return shown[min(self.playhead.index, len(shown) - 1)]

    # Drawing.

    def tick(self, now: float) -> None:
        self.source.look_again(self.lab.own_run())
        view, job = self.view, self.jobs.drawing
        failed = view is None and job is not None and bool(job.error)
        nothing = self.source.chosen is None or failed
        parts = (view is not None and not nothing, nothing)
        if parts != self._parts:
            self._parts = parts
            self.query_one("#tiles").display, self.query_one("#nothing").display = parts
            self.query_one("#beliefs").display, self._laid = False, ()
            self.query_one("#race").visible = parts[0]
        if view is not None:
            self.playhead.advance(now, _newest(view), complete=view.drawn)
            self._draw(view)
        self._draw_texts(view)

    def _draw(self, view: ComparisonView) -> None:
        """The pictures of this moment and what stands with them; only what is another than before."""
        tiles, looks = self.query_one("#tiles", Tiles), self._looks(view)
        self._lay_out(view, tiles)
        indices = [view.index_at(way, looks) for way in range(len(view.x))]
        pictures = [_as_shown(x[index]) for x, index in zip(view.x, indices, strict=True)]
        tiles.show(pictures, [(self.jobs.drawing, index) for index in indices], moving=self.playhead.playing)
        shelf, measurement = tiles.shelf, self.jobs.measurement
        width = TEXT_COLUMNS if shelf.beside else min(shelf.width - 1, 2 * TEXT_COLUMNS)
        for way, index in enumerate(indices):
            chosen = view.plan.view == "labels" and view.plan.ways[way].label == self.asked.label
            title = tile_title(view, way, index, width=shelf.width - 1, chosen=chosen)
            tiles.all[way].say(title, figure_lines(view, way, index, measurement, width))
        for plot in self.query(BeliefPlot):
            if plot.display:
                plot.show_view(view, looks)
        last = len(_moments(view.most_looks)) - 1
        reached = None if view.drawn else _newest(view)
        self.query_one("#race", Slider).move(self.playhead.index, last=last, reached=reached)

    def _lay_out(self, view: ComparisonView, tiles: Tiles) -> None:
        """Share out the room among the pictures."""
        count, side = len(view.x), view.x[0].shape[-1]
        lines = 0 if view.plan.view in ("labels", "variety") else LINES
        laid = (self.size, count, lines, side)
        if laid != self._laid and self.size:
            self._laid = laid
            room = self.size.height - ROWS_BESIDES
            tiles.set_out(Shelf.fitting(count, lines, side, self.size.width, room), count)
            left = room - tiles.shelf.rows * tiles.shelf.height - 1
            below = lines > 0 and left >= INSET_ROWS and not tiles.inset.display
            plot = self.query_one("#beliefs")
            plot.display, plot.styles.height = below, min(left, MOST_PLOT_ROWS)
            tiles.inset.display &= lines > 0

    def _draw_texts(self, view: ComparisonView | None) -> None:
        job, source = self.jobs.drawing, self.source.chosen
        error = job.error if job is not None else None
        self.say("views", tabs_line(self.asked.view, source, view, self.size.width))
        self.say("status", self._status(view))
        self.say("choices", choices_line(self.asked, view, self.playhead.rate, self.size.width))
        self.say("nothing", _NOTHING if source is None else Content(error or ""), layout=True)
        self.say("note", self._note(view))

    def _note(self, view: ComparisonView | None) -> Content:
        measuring = self.jobs.measuring
        if measuring is not None and measuring.error:
            return Content(f" {measuring.error}").stylize("$error")
        if self._message.plain or view is None:
            return self._message
        first, second = notes_on(view, self.asked, self.caption)
        second = (misread(view) if self.at_end else "") or second
        lines = [Content.from_markup(first)]
        lines.append(Content(view.unread) if view.unread else Content.from_markup(second))
        room = max(1, self.size.width - 2)
        return Content("\n").join([Content(" ") + line.truncate(room, ellipsis=True) for line in lines])

    def _status(self, view: ComparisonView | None) -> Content:
        """What moves on the left, what is computed on the right."""
        job, left, right = self.jobs.drawing, "", ""
        if view is not None:
            call = f"call {self._looks(view)} of {view.most_looks}"
            if self.playhead.playing:
                left = f"▶ racing, {call}"
            elif not self.at_end:
                left = f"❚❚ held at {call}"
            else:
                again = "draws anew with the weights of now" if view.live else "races again"
                again = f"[@click=screen.play()][b $accent]space[/] {again}[/]"
                left = f"■ finished after {view.most_looks} calls   {again}"
            right = floor_words(self.jobs.measurement)
            if not view.drawn:
                right = f"computed to call {view.newest} of {view.most_looks}"
        elif job is not None and not job.error:
            left = "loading torch …" if self.lab.engine.device is None else "opening the network …"
        line = Content.from_markup(f" {left}")
        gap = max(1, self.size.width - line.cell_length - len(right) - 1)
        return line + " " * gap + Content(right).stylize("$muted")

    def _say_message(self, text: str, *, wrong: bool = False) -> None:
        self._message = Content(" " + text.replace("\n", "\n ")).stylize("$error" if wrong else "$foreground")


_NOTHING = no_network("; what it can draw can be compared here while it trains.")


@lru_cache(maxsize=8)
def _moments(most: int) -> tuple[int, ...]:
    return moments(most)


def _newest(view: ComparisonView) -> int:
    """The last moment that is known."""
    return bisect_right(_moments(view.most_looks), view.newest) - 1


def _as_shown(pixels: NDArray[np.float16]) -> NDArray[np.float16]:
    """(C, H, W) as (H, W), or (H, W, 3) in colour."""
    return pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)


SCREEN = CompareScreen
