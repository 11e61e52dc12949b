"""Guess the digit at t = T: twenty trials over the whole screen, in which the digits are the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from difftui.engine.experiments import judge
from difftui.experiments import NAMED
from difftui.experiments.figures import signif
from difftui.experiments.guess import Game, Judged, at_least, new_game
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.text import ActionText
from difftui.ui.window import Overlay

if TYPE_CHECKING:
    from difftui.engine import Engine, Job

__all__ = ["GuessGame"]

LOOKS = (1, 10, 100)
FIRST = "linear 200"  # where there is something to see
SURE = 0.01  # luck less probable than this is called a leak


class GuessGame(Overlay[None]):
    """The game. While it is open the digits answer; Esc, q and backspace leave it.

    Attributes:
        game: digits, noise and answers.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(digit), f"answer({digit})", show=False) for digit in range(10)),
        Binding("escape,q,backspace", "dismiss(None)", "Leave", show=False),
        Binding("c", "schedule(1)", show=False),
        Binding("C", "schedule(-1)", show=False),
        Binding("plus,equals_sign", "looks(1)", show=False),
        Binding("minus", "looks(-1)", show=False),
        Binding("r", "again(1)", show=False),
        Binding("R", "again(-1)", show=False),
    ]
    DEFAULT_CSS = """
    GuessGame { background: $background; padding: 0 1; }
    GuessGame #asked, GuessGame #leave { height: 1; }
    GuessGame #leave { dock: bottom; background: $panel; }
    GuessGame #trial { height: 1fr; }
    GuessGame #trial > Vertical { width: 1fr; height: 1fr; max-width: 60; max-height: 32; }
    GuessGame #trial { align: center middle; }
    GuessGame #answers { height: 2; content-align: center middle; text-align: center; }
    GuessGame #score { height: auto; padding: 0 1; }
    GuessGame #sheet { height: 1fr; display: none; }
    GuessGame.-over #trial, GuessGame.-over #answers { display: none; }
    GuessGame.-over #sheet { display: block; }
    """

    def __init__(self, engine: Engine, seed: int = 0) -> None:
        super().__init__()
        self._engine = engine
        self.game = new_game(FIRST, seed)
        self._job: Job[Judged] | None = None
        self._told: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield ActionText(id="asked")
        with Horizontal(id="trial"):
            with Vertical(classes="panel", id="now"):
                yield PixelView(fit=True, id="x_T")
            with Vertical(classes="panel", id="before"):
                yield PixelView(fit=True, id="x_0")
        yield PixelView(fit=True, id="sheet")
        yield ActionText(id="answers")
        yield ActionText(id="score")
        yield ActionText(id="leave")

    def on_mount(self) -> None:
        keys = " [b $accent]0-9[/] answer  [b $accent]c[/] schedule  [b $accent]+/-[/] looks added up  "
        keys += "[b $accent]r[/] other digits  [@click=screen.dismiss(None)][b $accent]q[/] leave[/]"
        self.query_one("#leave", ActionText).update(Content.from_markup(keys))
        buttons = "   ".join(f"[@click=screen.answer({d})][b $accent]{d}[/][/]" for d in range(10))
        self.query_one("#answers", ActionText).update(Content.from_markup(f"Which digit is it?   {buttons}"))
        self._draw()

    # What the player does.

    def action_answer(self, digit: int) -> None:
        """The answer to this trial."""
        if not self.game.over:
            self.game = self.game.answered(digit)
            if self.game.over:
                self._job = judge(self._engine, self.game)
            self._draw()

    def action_schedule(self, by: int) -> None:
        """A new game under the next or the previous schedule."""
        names = list(NAMED)
        self._start(names[(names.index(self.game.name) + by) % len(names)], self.game.seed, self.game.looks)

    def action_looks(self, by: int) -> None:
        """A new game with more or fewer looks added up."""
        place = min(max(LOOKS.index(self.game.looks) + by, 0), len(LOOKS) - 1)
        self._start(self.game.name, self.game.seed, LOOKS[place])

    def action_again(self, by: int) -> None:
        """A new game with other digits and other noise."""
        self._start(self.game.name, max(0, self.game.seed + by), self.game.looks)

    def _start(self, name: str, seed: int, looks: int) -> None:
        if self._job is not None:
            self._job.close()
            self._job = None
        self.game = new_game(name, seed, looks)
        self._told = ()
        self._draw()

    # What is shown.

    def tick(self) -> None:
        """Tell what the machines answered, once they have."""
        if self._job is not None:
            told = (self._job.snapshot, self._job.error)
            if told != self._told:
                self._told = told
                self._tell()

    def _draw(self) -> None:
        game, done = self.game, len(self.game.answers)
        self.set_class(game.over, "-over")
        trial = "the end" if game.over else f"trial {done + 1} of {len(game.labels)}"
        looks = "one look" if game.looks == 1 else f"{game.looks} looks added up"
        asked = Content.from_markup(
            "[b]Guess the digit at t = T[/]   [$muted]$name · $looks ·[/] [b $accent]$trial[/]",
            name=game.name,
            looks=looks,
            trial=trial,
        )
        self.query_one("#asked", ActionText).update(asked)
        if game.over:
            sheet = self.query_one("#sheet", PixelView)
            sheet.captions = [
                f"{label} ✓" if label == answer else f"{label}, not {answer}"
                for label, answer in zip(game.labels, game.answers, strict=True)
            ]
            sheet.show(np.clip(game.originals, -1.0, 1.0))
        else:
            self.query_one("#now").border_title = "x_T"
            self.query_one("#x_T", PixelView).show(np.clip(game.pictures[done], -1.0, 1.0))
            self._draw_before()
        self._tell()

    def _draw_before(self) -> None:
        """The clean digit of the trial before."""
        game, done = self.game, len(self.game.answers)
        before, view = self.query_one("#before"), self.query_one("#x_0", PixelView)
        if not done:
            before.border_title = "what it was: after your answer"
            view.clear()
            return
        label, answer = int(game.labels[done - 1]), game.answers[-1]
        before.border_title = f"the last one was a {label}: " + (
            "right" if label == answer else f"not {answer}"
        )
        view.show(game.originals[done - 1])

    def _tell(self) -> None:
        self.query_one("#score", ActionText).update(self._score())

    def _score(self) -> Content:
        game = self.game
        done = len(game.answers)
        if not done:
            text = "The digits 0 to 9 answer here. Each is as likely: guessing blindly, 1 in 10 is right."
            return Content(text).stylize("$muted")
        luck = f"blind guessing does as well with probability {signif(game.luck, 2)}"
        lines = [Content.assemble((f"{game.right:>2} of {done}", "bold $accent"), f" for you: {luck}")]
        if game.over:
            lines += self._machines()
        return Content("\n").join(lines)

    def _machines(self) -> list[Content]:
        job, count = self._job, len(self.game.labels)
        if job is None or job.snapshot is None:
            problem = job.error if job is not None else None
            return [Content(problem or "the recogniser looks at the same twenty …").stylize("$muted")]
        judged = job.snapshot
        return [
            Content(f"{judged.recogniser:>2} of {count} for the recogniser, which learned clean digits"),
            Content(f"{judged.best:>2} of {count} for the best guess there is, Bayes' rule"),
            Content(_verdict(self.game, judged)).stylize("bold"),
        ]


def _verdict(game: Game, judged: Judged) -> str:
    """Whether the schedule leaks, as far as twenty trials can tell."""
    left = f"√ᾱ = {signif(float(np.sqrt(game.schedule.alpha_bars[-1])))} at T"
    if game.luck < SURE:
        return f"Yours was no luck: the schedule leaks, {left}."
    if at_least(judged.best, len(game.labels), 0.1) < SURE:
        return f"Yours may be luck; Bayes' is none: the schedule leaks, {left}."
    return f"All of it may be luck: twenty trials show no leak, {left}."
