"""The loss of a run as curves: every batch, smoothed, on held-out digits, and a pinned run beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from difftui.training.reference import incomparable
from difftui.ui.widgets.plot import Line, Note, Series

if TYPE_CHECKING:
    from difftui.runs import Curve, History
    from difftui.training.recipe import Recipe

__all__ = ["Ghost", "loss_lines", "loss_notes", "loss_series"]

WHY = {
    "eps": "Why not 0? The target is noise, and where little was added it can hardly be told from the digit.",
    "x0": "Why not 0? The target is the digit, and where noise covers it nobody can tell which it was.",
    "v": "Why not 0? At one end faint noise is to be told, at the other a hidden digit: neither can be.",
    "x_prev": "Why not 0? A step back aims at the digit, and where noise covers it nobody can tell which.",
}
FLAT = "Samples go on improving while this looks flat."


@dataclass(frozen=True, slots=True)
class Ghost:
    """A finished run beside the live one.

    Attributes:
        name: of the run.
        recipe: what it trained.
        history: its curves.
    """

    name: str
    recipe: Recipe
    history: History

    def reason(self, recipe: Recipe) -> str | None:
        """Why its losses cannot be laid beside those of ``recipe``; None where they can."""
        return incomparable(recipe, self.recipe)

    def refusal(self, recipe: Recipe) -> str:
        """What is said where it is not drawn beside ``recipe``; empty where it is."""
        reason = self.reason(recipe)
        return f"{self.name} is not drawn: its loss measures something else ({reason})." if reason else ""


def loss_series(history: History, ghost: Ghost | None, recipe: Recipe, *, live: bool) -> list[Series]:
    """The curves, the live ones on top.

    Args:
        history: of the run that is shown.
        ghost: a pinned run; it is left out where losses cannot be compared.
        recipe: of the run that is shown.
        live: whether it grows still: then the ghost ends where it does, so that it does not squeeze it.
    """
    loss, validation = history.loss, history.validation
    series = [Series(loss.x, loss.y, "each batch", "muted", "band", low=loss.low, high=loss.high)]
    if ghost is not None and ghost.reason(recipe) is None:
        end = float(loss.x[-1]) if live and len(loss) else np.inf
        series += _ghost_series(ghost, end)
    series.append(Series(loss.x, loss.smooth, "smoothed", "accent", pattern="solid"))
    if len(validation):
        series.append(Series(validation.x, validation.y, "held-out digits", "green", pattern="dashed"))
    return series


def loss_lines(nothing: float | None) -> list[Line]:
    """The level of the network that always answers 0, where it is known."""
    if nothing is None:
        return []
    return [Line(nothing, f"{nothing:.3g}: always answering 0" if nothing != 1 else "1: always answering 0")]


def loss_notes(recipe: Recipe, ghost: Ghost | None, *, broken: bool) -> list[Note]:
    """Why a pinned run is left out, and why the loss does not go to 0 and what goes on meanwhile.

    Args:
        recipe: of the run that is shown.
        ghost: a pinned run.
        broken: whether the run broke off: then its curve is not to be explained so.
    """
    refused = ghost.refusal(recipe) if ghost is not None else ""
    notes = [Note(refused)] if refused else []
    return notes if broken else [*notes, Note(f"{WHY[recipe.target]} {FLAT}")]


def _ghost_series(ghost: Ghost, end: float) -> list[Series]:
    loss, validation = ghost.history.loss, ghost.history.validation
    shown = _until(loss, end)
    series = [Series(loss.x[shown], loss.smooth[shown], ghost.name, "purple", pattern="dotted")]
    if len(validation):
        shown = _until(validation, end)
        series.append(Series(validation.x[shown], validation.y[shown], "", "purple", "scatter"))
    return series


def _until(curve: Curve, end: float) -> slice:
    return slice(0, int(np.searchsorted(curve.x, end, "right")))
