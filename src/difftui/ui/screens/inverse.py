"""Inversion: a regression learns x from y, a hundred are compared, and diffusion does what they cannot."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher

from difftui.inversion import ACTIVATIONS, PROBLEMS
from difftui.state import MOST_SEED, Choices
from difftui.ui.panels.inverse.chosen import HIDDEN, Chosen, problem_title
from difftui.ui.panels.inverse.diffusion import Diffusion
from difftui.ui.panels.inverse.regression import PACES, Regression
from difftui.ui.panels.inverse.seeds import COUNT, Seeds
from difftui.ui.screens.base import LabScreen
from difftui.ui.widgets.text import ActionText, choice

if TYPE_CHECKING:
    from difftui.engine import Job
    from difftui.engine.fitting import FitView
    from difftui.inversion import InversionRecipe, Problem

__all__ = ["SCREEN", "InverseScreen"]

TITLES = (Regression.TITLE, Seeds.TITLE, Diffusion.TITLE)


class InverseScreen(LabScreen):
    """Three views of one problem. Each has its jobs; this screen has the choices they share, and the keys.

    Attributes:
        chosen: problem, network and seed.
        shown: place of the view that is shown.
        regression, seeds, diffusion: the views.
    """

    NAME = "inverse"

    def __init__(self) -> None:
        super().__init__()
        self.chosen = Chosen()
        self.shown = 0
        self._rate = PACES[1]
        self._turned = False

    # -- composition

    def compose_body(self) -> ComposeResult:
        engine = self.lab.engine
        self.regression = Regression(self.chosen, engine, self.lab.clock.fps)
        self.regression.pace.rate = self._rate
        self.seeds = Seeds(self.chosen, engine)
        self.diffusion = Diffusion(self.chosen, engine)
        self.diffusion.turned = self._turned
        with Vertical(id="inverse"):
            yield ActionText(id="views")
            with ContentSwitcher(initial=self.views[self.shown].id, id="body"):
                yield from self.views
            yield ActionText(id="choices")
            yield ActionText(id="progress")

    @property
    def views(self) -> tuple[Regression, Seeds, Diffusion]:
        """In the order in which the key walks through them."""
        return self.regression, self.seeds, self.diffusion

    @property
    def view(self) -> Regression | Seeds | Diffusion:
        """The one that is shown."""
        return self.views[self.shown]

    @property
    def job(self) -> Job[FitView] | None:
        """Of the one regression."""
        return self.regression.job

    @property
    def recipe(self) -> InversionRecipe:
        """What the one regression is set to."""
        return self.regression.recipe

    def on_mount(self) -> None:
        self.regression.begin()
        self._come()

    def on_screen_resume(self) -> None:
        if self.is_mounted and self.query("#body"):
            self._come()

    def on_screen_suspend(self) -> None:
        """Another screen is shown: nothing runs on unseen. (Help leaves it as it is.)"""
        if self.lab.current_mode != self.NAME:
            self.seeds.rest()
            self.diffusion.rest()

    def remember(self) -> dict[str, object]:
        chosen = self.chosen
        return {
            "view": self.shown,
            "problem": problem_title(PROBLEMS[chosen.problem]),
            "hidden": "-".join(map(str, HIDDEN[chosen.hidden])),
            "activation": ACTIVATIONS[chosen.activation],
            "seed": chosen.seed,
            "rate": self.regression.pace.rate,
            "log": chosen.log,
            "paths": self.diffusion.turned,
        }

    def recall(self, choices: Choices) -> None:
        chosen = self.chosen
        titles = [problem_title(problem) for problem in PROBLEMS]
        names = ["-".join(map(str, layers)) for layers in HIDDEN]
        self.shown = choices.whole("view", 0, 2, 0)
        chosen.problem = titles.index(choices.one_of("problem", titles, titles[0]))
        chosen.hidden = names.index(choices.one_of("hidden", names, names[chosen.hidden]))
        chosen.activation = ACTIVATIONS.index(choices.one_of("activation", ACTIVATIONS, ACTIVATIONS[0]))
        chosen.seed = choices.whole("seed", 0, MOST_SEED, chosen.seed)
        chosen.log = choices.one_of("log", (True, False), chosen.log)
        self._rate = choices.one_of("rate", PACES, self._rate)
        self._turned = choices.one_of("paths", (True, False), self._turned)

    def visit(self, choices: Mapping[str, object]) -> None:
        super().visit(choices)
        self.regression.pace.rate = self._rate
        self.regression.playing = True
        self.regression.begin()
        if self.diffusion.turned != self._turned:
            self.diffusion.turn()
        self.query_one("#body", ContentSwitcher).current = self.view.id
        self.seeds.recipe = self.diffusion.of = None  # what was learned for the same problem is kept
        self._come()

    def idle_actions(self) -> frozenset[str]:
        return super().idle_actions() | self.view.IDLE | self._idle_choices()

    def _idle_choices(self) -> frozenset[str]:
        """A straight line has no activation to choose; in diffusion the key chooses the sampler."""
        if HIDDEN[self.chosen.hidden] or isinstance(self.view, Diffusion):
            return frozenset()
        return frozenset({"activation"})

    # -- what the user does

    def action_view(self, by: int) -> None:
        """The next view, or the one before."""
        self.action_show((self.shown + by) % len(self.views))

    def action_show(self, place: int) -> None:
        """The view with this place."""
        self.shown = place
        self.query_one("#body", ContentSwitcher).current = self.view.id
        self._come()

    def action_problem(self, by: int) -> None:
        """Another function and range."""
        self.chosen.problem = (self.chosen.problem + by) % len(PROBLEMS)
        self.chosen.log = not self.chosen.of().many_valued
        self._begin()

    def action_play(self) -> None:
        """Learn or hold; play or hold."""
        self.view.play()

    def action_step(self, by: int) -> None:
        """Epochs, nets or frames on or back."""
        self.view.step(by)

    def action_jump(self, end: int) -> None:
        """To one end of the nets or frames."""
        if not isinstance(self.view, Regression):
            self.view.jump(end)

    def action_pick(self, by: int) -> None:
        """Another net, or another y."""
        if isinstance(self.view, Seeds):
            self.view.step(by)
        elif isinstance(self.view, Diffusion):
            self.view.pick(by)

    def action_grid(self) -> None:
        """Draws over all y, or the way of those at one y."""
        if isinstance(self.view, Diffusion):
            self.view.turn()

    def action_open(self) -> None:
        """The chosen one of the hundred, alone."""
        if isinstance(self.view, Seeds):
            self.chosen.seed = self.view.seed
            self.action_show(0)
            self.regression.begin()

    def action_hidden(self, by: int) -> None:
        """Choose the hidden layers."""
        self.chosen.hidden = (self.chosen.hidden + by) % len(HIDDEN)
        self._begin()

    def action_activation(self, by: int) -> None:
        """Choose what follows each hidden layer (without any there is nothing to choose), or the sampler."""
        if isinstance(self.view, Diffusion):
            self.view.choose_sampler(by)
        elif HIDDEN[self.chosen.hidden]:
            self.chosen.activation = (self.chosen.activation + by) % len(ACTIVATIONS)
            self._begin()

    def action_reseed(self, by: int) -> None:
        """Other random weights: of one, or of a hundred; or other noise."""
        if isinstance(self.view, Diffusion):
            self.view.reseed(by)
            return
        count = COUNT if isinstance(self.view, Seeds) else 1
        self.chosen.seed = max(0, self.chosen.seed + by * count)
        self._begin()

    def action_restart(self) -> None:
        """Learn again from the same random weights."""
        self.view.begin()

    def action_speed(self, by: int) -> None:
        """Faster or slower."""
        if not isinstance(self.view, Seeds):
            self.view.speed(by)

    def action_log(self) -> None:
        """Logarithmic or linear axis of the mean squared error."""
        self.chosen.log = not self.chosen.log

    def _begin(self) -> None:
        """Something was chosen: the regression starts anew, and so does what is shown."""
        self.regression.begin()
        self._come()

    def _come(self) -> None:
        if not isinstance(self.view, Regression):
            self.view.come()

    # -- drawing

    def tick(self, now: float) -> None:
        self.regression.advance(now)
        self.diffusion.regression = self.regression.view
        self.view.tick(now)
        self.say("views", _views(self.shown, self.chosen.of(), self.size.width - 2))
        self.say("choices", Content("  ").join(self.view.choices()))
        self.say("progress", self.view.progress(self.size.width - 2))


@lru_cache(maxsize=64)
def _views(shown: int, problem: Problem, columns: int) -> Content:
    """Where one is among the views, and what is inverted."""
    words = Content.from_markup("[@click=screen.view(1)][b $accent]tab[/][/]")
    for place, title in enumerate(TITLES):
        style = "b $foreground" if place == shown else "$muted"
        arrow = "  " if place == 0 else " [$border]▸[/] "
        words += Content.from_markup(f"{arrow}[{style} @click=screen.show({place})]{title}[/]")
    chosen = choice("p", "", problem_title(problem), "problem(1)")
    return words + " " * max(2, columns - words.cell_length - chosen.cell_length) + chosen


SCREEN = InverseScreen
