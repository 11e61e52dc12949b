"""Stochastic differential equations, live: paths with noise, the law that they follow, and the rule's error.

Above, the paths over time and beside them, on the same axis, where all of them are now; below, their mean and
variance against theory, and the error of Euler-Maruyama by step (of a diffusion, which has no exact solution
on a path: its signal and noise).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from difftui.diffusion.sde import Brownian, has_exact_paths
from difftui.engine.simulating import start_errors, start_paths
from difftui.state import Choices
from difftui.ui.panels.sde_plots import ErrorPlot, LawPlot, MomentPlot, PathPlot, SignalPlot, VariationPlot
from difftui.ui.panels.sde_scene import Parameter, Scene, number
from difftui.ui.playhead import Playhead
from difftui.ui.screens.base import LabScreen
from difftui.ui.widgets.slider import Slider
from difftui.ui.widgets.text import ActionText, choice
from difftui.words import grouped

if TYPE_CHECKING:
    from difftui.engine import Job
    from difftui.engine.simulating import ErrorView, PathView

__all__ = ["SCREEN", "SdeScreen"]

SWEEPS = (32.0, 16.0, 8.0, 4.0, 2.0)  # seconds from the start to the end
PLOT_SHARE = 0.3  # of the time may go into drawing the plots; words are drawn at every tick


class SdeScreen(LabScreen):
    """Noise as an equation.

    Attributes:
        scene: what is chosen.
        playhead: which frame is shown.
        job, errors: the simulation and the measurement of its error; None where there is none.
    """

    NAME = "sde"

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene()
        self.sweep = SWEEPS[2]
        self.showing_error = False
        self.playhead = Playhead()
        self.job: Job[PathView] | None = None
        self.errors: Job[ErrorView] | None = None
        self._to_the_end = False
        self._drawn: tuple[object, ...] = ()
        self._next_plots = 0.0

    # -- composition

    def compose_body(self) -> ComposeResult:
        with Vertical(id="sde"):
            yield ActionText(id="formula")
            with Horizontal(id="upper"):
                yield PathPlot(id="paths", classes="panel")
                yield LawPlot(id="law", classes="panel", x_name="x")
            with Horizontal(id="lower"):
                yield MomentPlot("mean", id="mean", classes="panel")
                yield MomentPlot("variance", id="variance", classes="panel")
                yield ErrorPlot(id="errors", classes="panel")
                yield SignalPlot(id="signal", classes="panel", x_name="t")
                yield VariationPlot(id="variation", classes="panel", x_name="t")
            yield ActionText(id="numbers")
            yield ActionText(id="picked")
            with Horizontal(id="scrub"):
                yield ActionText(id="time")
                yield Slider("start", "end", id="slider")
                yield ActionText(id="choices")

    def on_mount(self) -> None:
        self._begin()

    def remember(self) -> dict[str, object]:
        return {**self.scene.to_json(), "sweep": self.sweep, "showing_error": self.showing_error}

    def recall(self, choices: Choices) -> None:
        self.scene = Scene.from_choices(choices)
        self.sweep = choices.one_of("sweep", SWEEPS, self.sweep)
        self.showing_error = choices.one_of("showing_error", (True, False), False)

    def visit(self, choices: Mapping[str, object]) -> None:
        if "name" in choices:  # the numbers of the equation before are none of this one
            self.scene = replace(self.scene, numbers=())
        super().visit(choices)
        self._begin()

    def on_screen_suspend(self) -> None:
        self.playhead.rest()

    # -- actions

    def action_play(self) -> None:
        """Let time run, or hold; at the end: from the start."""
        view, self._to_the_end = self.view, False
        if not self.playhead.playing and view is not None and self._at_end(view):
            self.playhead.start()
        else:
            self.playhead.playing = not self.playhead.playing

    def action_step(self, frames: int) -> None:
        """Some frames on, or (negative) back, then hold."""
        self._to_the_end = False
        if self.view is not None:
            self.playhead.go(self.playhead.index + frames, self.view.newest)

    def action_jump(self, end: int) -> None:
        """The start (0) or the end (1), which may still be on its way."""
        self.playhead.go(0, 0)
        self._to_the_end = bool(end)

    def action_restart(self) -> None:
        """From the start again, the same paths."""
        self._to_the_end = False
        self.playhead.start()

    def action_preset(self, by: int) -> None:
        """The next or the previous equation."""
        self._choose(self.scene.of_topic(by))

    def action_demo(self) -> None:
        """The equation as the lab shows it."""
        self._choose(self.scene.of_lab())

    def action_pick(self, by: int) -> None:
        """The next or the previous number."""
        self.scene = self.scene.picking(by)

    def action_pick_one(self, index: int) -> None:
        """The number that was clicked."""
        self.scene = replace(self.scene, picked=index)

    def action_count(self, by: int) -> None:
        """More or less of the picked number."""
        self._change(self.scene.parameter, by)

    def action_timesteps(self, by: int) -> None:
        """More and finer steps, or fewer."""
        steps = next(one for one in self.scene.parameters if one.name == "steps")
        self._change(steps, by)

    def action_reseed(self, by: int) -> None:
        """Other noise, or that before."""
        self._choose(replace(self.scene, seed=max(0, self.scene.seed + by)))

    def action_speed(self, by: int) -> None:
        """Faster, or slower."""
        self.sweep = SWEEPS[(SWEEPS.index(self.sweep) + by) % len(SWEEPS)]
        self._set_pace()

    def action_measure(self) -> None:
        """The error by step in the place of mean and variance, or these again."""
        self.showing_error = not self.showing_error
        self._arrange()

    def on_slider_moved(self, event: Slider.Moved) -> None:
        self._to_the_end = False
        if self.view is not None:
            self.playhead.go(event.value, self.view.newest)

    # -- the simulation

    @property
    def view(self) -> PathView | None:
        """The newest snapshot."""
        return self.job.snapshot if self.job is not None else None

    def _change(self, parameter: Parameter, by: int) -> None:
        self._choose(self.scene.changed(parameter, by))

    def _choose(self, scene: Scene) -> None:
        """Follow what was chosen, from the start."""
        if scene.simulation != self.scene.simulation:
            self.scene = scene
            self._begin()
        else:
            self.scene = scene
            self.action_restart()

    def _begin(self) -> None:
        for old in (self.job, self.errors):
            if old is not None:
                old.close()
        simulation = self.scene.simulation
        engine = self.lab.engine
        self.job = engine.submit_light(f"paths {self.scene.name}", start_paths(simulation))
        self.errors = None
        if self._aside() == "errors":
            self.errors = engine.submit_light(f"errors {self.scene.name}", start_errors(simulation.equation))
        self._arrange()
        self._set_pace()
        self.action_restart()

    def _set_pace(self) -> None:
        self.playhead.rate = (self.scene.simulation.frames - 1) / self.sweep

    def _at_end(self, view: PathView) -> bool:
        return view.complete and self.playhead.index >= view.newest

    def _arrange(self) -> None:
        """Which plots there are."""
        self.set_class(self.showing_error, "-showing-error")
        for name in ("errors", "signal", "variation"):
            self.query_one(f"#{name}").set_class(name != self._aside(), "-none")
        topic = self.scene.topic
        self.query_one("#slider", Slider).name_ends(topic.start or "start", topic.end or "end")

    def _aside(self) -> str:
        """What stands beside the moments: the error where there is one."""
        equation = self.scene.simulation.equation
        if isinstance(equation, Brownian):
            return "variation"
        return "errors" if has_exact_paths(equation) else "signal"

    # -- drawing

    def tick(self, now: float) -> None:
        job, view = self.job, self.view
        if job is None:
            return
        if view is not None:
            if self._to_the_end:
                self.playhead.go(view.newest, view.newest)
                self._to_the_end = not view.complete
            self.playhead.advance(now, view.newest, complete=view.complete)
            self.query_one("#slider", Slider).move(
                self.playhead.index, last=view.simulation.frames - 1, reached=view.newest
            )
            self._draw_plots(now, view)
        self.say("formula", self._formula())
        self.say("numbers", self._numbers())
        self.say("picked", self._told(job))
        self.say("time", self._time(view))
        self.say("choices", self._choices())

    def _draw_plots(self, now: float, view: PathView) -> None:
        frame = min(self.playhead.index, view.newest)
        errors = self.errors.snapshot if self.errors is not None else None
        known = len(errors.errors) if errors is not None else -1
        drawn = (view.law, frame, view.complete, known, self.size, self.showing_error)
        if drawn == self._drawn or now < self._next_plots:
            return
        began = time.perf_counter()
        self._drawn = drawn
        ticks = self._ticks(view)
        self.query_one("#paths", PathPlot).entitle(_note(self.scene, view))
        self.query_one("#paths", PathPlot).show(view, frame, ticks)
        self.query_one("#law", LawPlot).show(view, frame)
        for name in ("mean", "variance"):
            self.query_one(f"#{name}", MomentPlot).show(view, frame, ticks)
        aside = self._aside()
        if aside == "errors" and view.strong is not None:
            self.query_one("#errors", ErrorPlot).show(errors, view.simulation.dt, float(view.strong[frame]))
        elif aside == "signal":
            self.query_one("#signal", SignalPlot).show(view, frame, ticks)
        else:
            self.query_one("#variation", VariationPlot).show(view, frame)
        self._next_plots = now + (time.perf_counter() - began) / PLOT_SHARE

    def _ticks(self, view: PathView) -> list[tuple[float, str]] | None:
        """The ends of a diffusion's time by name; else round times."""
        topic, end = self.scene.topic, view.simulation.equation.time
        if not topic.start:
            return None
        turn = [(end / 2, "noise")] if topic.start == topic.end else []
        return [(0.0, topic.start), (end, topic.end), *turn]

    def _formula(self) -> Content:
        """The equation, and as far as there is room how it is to be read."""
        scene = self.scene
        line = Content.from_markup(
            f"[@click=screen.preset(1)][b $accent]p[/] [b]{scene.topic.title}[/][/]   "
            f"[$accent]{scene.formula()}[/]"
        )
        step = f"dW of a step: variance dt, deviation √dt = {scene.simulation.dt**0.5:.3g}"
        for more in (scene.topic.also, step if "dW" in scene.topic.formula + scene.topic.also else ""):
            if more and line.cell_length + len(more) + 5 <= self.size.width:
                line = Content.assemble(line, "   ", (more, "$muted"))
        return line

    def _numbers(self) -> Content:
        """All that can be picked; the picked one reversed."""
        return Content("  ").join(
            [self._number(index, one) for index, one in enumerate(self.scene.parameters)]
        )

    def _number(self, index: int, one: Parameter) -> Content:
        value = self._value(one)
        text = f"[@click=screen.pick_one({index})][$muted]{one.symbol}[/] [b]{value}[/][/]"
        if index == self.scene.picked:
            text = f"[@click=screen.pick_one({index})][b reverse]{one.symbol} {value}[/][/]"
        return Content.from_markup(text)

    def _value(self, one: Parameter) -> str:
        if one.name == "steps":
            return f"{self.scene.simulation.dt:.3g}"
        return number(self.scene.value(one))

    def _told(self, job: Job[PathView]) -> Content:
        """What the picked number does and may be, or what went wrong."""
        if job.error is not None:
            return Content(job.error).stylize("$error")
        one, scene = self.scene.parameter, self.scene
        low, high = number(one.values[0]), number(one.values[-1])
        text = f"[$muted]{one.text}[/]"
        if one.name == "steps":
            dt = scene.simulation.dt
            text = (
                f"[$muted]{grouped(scene.steps)} steps · each dW has deviation √dt =[/] "
                f"{dt**0.5:.3g}[$muted], variance dt[/]"
            )
        return Content.from_markup(f"{text} [$muted]·[/] {low} … {high}")

    def _time(self, view: PathView | None) -> Content:
        end = self.scene.simulation.equation.time
        at = float(view.t[min(self.playhead.index, view.newest)]) if view is not None else 0.0
        ended = view is not None and self._at_end(view)
        mark = "▶" if self.playhead.playing else "■" if ended else "⏸"
        return Content.from_markup(
            f"[$accent]{mark}[/] [$muted]t =[/] [b]{at:6.3f}[/] [$muted]of[/] {number(end)} "
        )

    def _choices(self) -> Content:
        return Content("  ").join(
            [
                choice("r", "seed", str(self.scene.seed), "reseed(1)"),
                choice("f", "", f"{self.sweep:.0f} s", "speed(1)"),
            ]
        )


def _note(scene: Scene, view: PathView) -> str:
    """What to look at; of a round trip, when it has been made, what came of it."""
    if view.kept is None:
        return scene.topic.note
    below, above = view.kept
    return f"end above: {_share(above)} of upper starts, {_share(below)} of lower"


def _share(value: float) -> str:
    """In percent; of nothing there is none."""
    return "none" if math.isnan(value) else f"{value:.0%}"


SCREEN = SdeScreen
