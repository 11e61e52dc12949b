"""What Train says before a training: what the recipe is, how to start it, and what can be gone on with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from difftui.ui.keys import shown_key
from difftui.ui.panels.plan import length_text

if TYPE_CHECKING:
    from difftui.training.recipe import Recipe
    from difftui.ui.panels.run_list import RunEntry

__all__ = ["Invitation", "key_text"]


@dataclass(frozen=True, slots=True)
class Invitation:
    """All that it tells of.

    Attributes:
        recipe: what is planned.
        startable: whether it may be started now: nothing else moves to a process of its own.
        estimate: how long it takes, in words; empty where the recipe says it.
        offer: a run that is under way, or broke off.
        pinned: the run whose curve will be drawn beside; empty for none.
        runs: how many there are.
        loading: whether torch is still on its way.
    """

    recipe: Recipe
    startable: bool
    estimate: str
    offer: RunEntry | None
    pinned: str
    runs: int
    loading: bool

    def text(self) -> Content:
        """The lines."""
        lines = [Content(line) for line in _NOTES.get(self.recipe.name, "Your own recipe.").splitlines()]
        lines.append(Content())
        if self.startable:
            start = f"train [b]$name[/] for {length_text(self.recipe)}"
            press = f"Press [@click=screen.play()][b $accent]space[/] to {start}[/]."
            lines.append(Content.from_markup(press, name=self.recipe.name))
        if self.estimate:
            lines.append(Content(self.estimate).stylize("$muted"))
        if self.offer is not None:
            lines += [Content(), _offered(self.offer)]
        if self.pinned:
            pinned = "[b]$name[/] [$muted]is pinned and will be drawn beside it:[/] "
            lines.append(Content.from_markup(pinned, name=self.pinned) + key_text("unpin", "unpins it"))
        if self.runs:
            lines.append(key_text("runs", f"all your runs ({self.runs})"))
        if self.loading:
            lines.append(
                Content("torch is still loading; it starts as soon as that is done").stylize("$muted")
            )
        return Content("\n").join(lines)


def key_text(action: str, words: str) -> Content:
    """A key of Train and what it does; a click does it, too."""
    key = shown_key("train", action)
    return Content.from_markup(f"[@click=screen.{action}()][b $accent]{key}[/] [$muted]{words}[/][/]")


def _offered(offer: RunEntry) -> Content:
    press = f"Press [@click=screen.go_on()][b $accent]enter[/] to {offer.verb} [b]$name[/][/]"
    told = f"{offer.kind} at {offer.fraction:.0%}, {offer.told}".rstrip(".")
    return Content.from_markup(press, name=offer.run.name) + Content(f": {told}.")


_NOTES = {
    "lab": "The lab sheet's own U-Net and recipe, 257 265 parameters, no label.\n"
    "It draws strokes long before digits: watch its samples, not its loss.",
    "quick": "A small modern network that is told which digit to draw.\n"
    "After a minute on two cores most of its digits can be read.",
    "conditional": "An attention U-Net that is told a digit, and sometimes not: so it can be guided.\n"
    "870 884 parameters; an hour and a half on two cores gave the one that ships.",
    "toy": "The guided lab's toy: 16×16 digits, T = 200, 8 epochs.\n"
    "Its convolutions have 231 297 parameters; with the time layers they are 238 689.",
    "lecture": "The lecture's residual U-Net, 4 284 481 parameters, which is not told the time.\n"
    "Slow without a GPU.",
    "denoiser": "The lecture's autoencoder cleans a noisy digit in one look.\n"
    "It cannot draw from noise: see it at work on 7, Denoise.",
}
