"""The panes of a trajectory: how large, how many, what each shows, and what its title tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftui.engine.sampling import SamplingView

__all__ = ["NARROW", "NARROWEST_SIDE", "PANES", "Stage", "captions", "pane_pixels", "time_title"]

SIDE = 28
MOST_SCALE = 2
NARROWEST_SIDE, CHOSEN_SIDE = 16, 20  # columns of text beside two panes, and beside more of them

PANES = (
    ("x_t", "x_t"),
    ("x0_hat", "x̂0: what it believes now"),
    ("eps_hat", "[$secondary]ε̂: the noise it sees[/]"),
    ("change", "last change, stretched"),
)

NARROW = {
    "x_t": "x_t",
    "x0_hat": "x̂0, believed",
    "eps_hat": "[$secondary]ε̂, seen[/]",
    "change": "last change",
}
"""Titles of at most 12 characters, for panes that have no room for more."""
TITLED = 28  # pixels from which a pane has room for its whole title


@dataclass(frozen=True, slots=True)
class Stage:
    """How the room is used: more room gives larger pictures, then more panes.

    Attributes:
        scale: each pixel is this many cells wide; 0 where a picture must be shrunk to fit.
        panes: how many of x_t, x̂0, ε̂ and the last change are shown.
        side: columns of the text beside the panes; 0 puts it below them.
        pixels: across a pane, as the terminal draws them.
    """

    scale: int
    panes: int
    side: int
    pixels: int = SIDE

    @property
    def is_narrow(self) -> bool:
        """Whether the titles of the panes must be short."""
        return self.pixels < TITLED

    @classmethod
    def fitting(cls, columns: int, rows: int, picture: int = SIDE) -> Stage:
        """The best use of a terminal: two panes at least, as large as fits.

        Args:
            columns, rows: of the terminal.
            picture: pixels across a picture.
        """
        for scale in range(max(1, MOST_SCALE * SIDE // picture), 0, -1):
            pixels = picture * scale
            width, height = pixels + 2, -(-pixels // 2) + 2
            if 2 * width + NARROWEST_SIDE <= columns and height + 6 <= rows:
                panes = max(2, min(len(PANES), (columns - CHOSEN_SIDE) // width))
                return cls(scale, panes, columns - panes * width, pixels)
            if 2 * width <= columns and height + 9 <= rows:
                return cls(scale, min(len(PANES), columns // width), 0, pixels)
        if picture <= SIDE:
            return cls(1, 2, 0, picture)
        shrunk = cls.fitting(columns, rows)
        return cls(0, shrunk.panes, shrunk.side, shrunk.pixels)


def time_title(view: SamplingView, index: int, *, narrow: bool = False) -> str:
    """Which way time runs: from this timestep to the next."""
    if view.times[index] < 0:
        return "x_0 [$foreground]finished[/]" if narrow else "x_0  [$foreground]finished[/]"
    width = len(str(view.T - 1))
    goal = view.times[index + 1]
    towards = f"{goal:>{width}}" if goal >= 0 else "clean"
    if narrow:
        return f"x_{view.times[index]} [$foreground]→ {towards.strip()}[/]"
    return f"x_t  [$foreground]t = {view.times[index]:>{width}} → {towards}[/]"


def pane_pixels(view: SamplingView, name: str, index: int, picture: int) -> NDArray[np.floating[Any]] | None:
    """What a pane shows, (1, H, W) or (1, H, W, 3) about [-1, 1], or None while there is nothing."""
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
    return None if pictures is None else pictures[picture : picture + 1]


def captions(view: SamplingView) -> tuple[str, ...]:
    """Label and seed of each picture."""
    seeds = [f"seed {seed}" for seed in view.request.seeds]
    if view.labels is None:
        return tuple(seeds)
    return tuple(f"{label} · {seed}" for label, seed in zip(view.labels, seeds, strict=True))
