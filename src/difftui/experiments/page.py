"""What an experiment is: a page of words, and a generator of findings that are computed as it is looked at.

A page is data. What it computes is a generator of frozen :class:`Findings`, pulled by the engine, by the
command line or by a test; whoever shows them knows a few kinds of blocks and nothing of the experiment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "PENDING",
    "SAYS",
    "Block",
    "Choice",
    "Curve",
    "Curves",
    "Findings",
    "Page",
    "Pictures",
    "Setup",
    "Table",
    "sheet",
]

Choice: TypeAlias = Literal["digit", "seed", "time", "schedules", "network"]
"""What a student may choose on a page."""

_NUMBER = re.compile(r"(t = )?[-+]?[\d ]*\.?\d*(e[-+]\d+)?( ×|%| dB)?|…")

PENDING = "…"
"""Stands in a table where a figure is still being measured."""

SAYS = ("", "the lab says", "measured now")
"""The header of most tables."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a student has chosen. A page uses what it `offers` and no more.

    Attributes:
        label: class of the digit, 0 … 9.
        seed: of all noise, from 0 up.
        time: from clean (0) to noise (1).
        left, right: names of two schedules, keys of :data:`~difftui.experiments.schedules.NAMED`.
        network: the network asked for; "" or one that the page does not know is the page's first.
    """

    label: int = 7
    seed: int = 0
    time: float = 0.5
    left: str = "linear 1000"
    right: str = "cosine 1000"
    network: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Pictures:
    """A row or a grid of pictures.

    Attributes:
        title: what they are.
        images: (N, H, W) floats, drawn clipped to [-1, 1].
        captions: one each, or none.
        columns: in a row; None leaves it to the room there is.
    """

    title: str
    images: NDArray[np.floating]
    captions: tuple[str, ...] = ()
    columns: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """One curve: (n,) points, a label, and the name of a colour."""

    label: str
    x: ArrayLike
    y: ArrayLike
    colour: str = "accent"
    points: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Curves:
    """Curves over one axis.

    Attributes:
        title: what they are, with units.
        curves: later ones over earlier ones.
        x_range, y_range: limits; None fits the data.
        log_y: a logarithmic axis.
        lines, marks: horizontal lines at y, and vertical ones at x, with their labels.
        x_ticks: (position, label), or None for round numbers.
        x_name: what x is, where values are read.
    """

    title: str
    curves: tuple[Curve, ...]
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    log_y: bool = False
    lines: tuple[tuple[float, str], ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    x_ticks: tuple[tuple[float, str], ...] | None = None
    x_name: str = ""


Block: TypeAlias = Pictures | Curves


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of figures; the first cell of a row names it."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def aligned(self) -> list[tuple[str, ...]]:
        """Header and rows with the cells of a column equally wide: numbers end in line, words begin so."""
        columns = []
        for name, *cells in zip(self.header, *self.rows, strict=True):
            width = max(map(len, (name, *cells)))
            right = all(_NUMBER.fullmatch(cell) for cell in cells)
            columns.append([cell.rjust(width) if right else cell.ljust(width) for cell in (name, *cells)])
        return list(zip(*columns, strict=True))


@dataclass(frozen=True, eq=False, slots=True)
class Findings:
    """What a page has found so far.

    Attributes:
        done: from 0 to 1, how much of the work.
        blocks: what there is to see, what matters most first.
        table: "the lab says" beside "measured now"; :data:`PENDING` where nothing is measured yet.
        seen: what it comes to, in a sentence with the figures; "" until they are there.
        more: tables for whoever has the room or the time.
        time: where the slider of time is, as a timestep, and its last; None on a page without one.
        needed: so many blocks, from the first, must be shown; those after them where there is room.
    """

    done: float
    blocks: tuple[Block, ...]
    table: Table
    seen: str = ""
    more: tuple[tuple[str, Table], ...] = ()
    time: tuple[int, int] | None = None
    needed: int = 1


def sheet(blocks: Sequence[Pictures]) -> tuple[NDArray[np.float32], int]:
    """Several blocks of pictures as one grid, each beginning a new row.

    Returns:
        (N, H, W) in [-1, 1], where rows that are not full end in paper; and the pictures in a row.
    """
    rows = [(block, block.columns or len(block.images)) for block in blocks]
    columns = max(width for _, width in rows)
    parts: list[NDArray[np.float32]] = []
    for block, width in rows:
        for start in range(0, len(block.images), width):
            row = np.clip(block.images[start : start + width], -1.0, 1.0).astype(np.float32)
            paper = np.full((columns - len(row), *row.shape[1:]), -1.0, np.float32)
            parts += [row, paper]
    return np.concatenate(parts), columns


Run: TypeAlias = Callable[[Setup, str], Iterator[Findings]]
"""What computes a page: from what was chosen and the name of torch's device."""


@dataclass(frozen=True, slots=True)
class Page:
    """One experiment.

    Attributes:
        name: for the command line.
        title: the claim, in plain words, at most 52 characters.
        source: which lab says what follows.
        says: what the lab says, in so few words that they and the source fit a line of 78.
        look: what to look at while it runs.
        how: what is computed.
        run: computes it.
        offers: what can be chosen.
        networks: names of networks that can do it, the best first; those that ship are offered.
        needs_torch: whether it must wait until torch is there.
    """

    name: str
    title: str
    source: str
    says: str
    look: str
    how: str
    run: Run
    offers: frozenset[Choice] = field(default_factory=frozenset)
    networks: tuple[str, ...] = ()
    needs_torch: bool = False

    def chosen(self, setup: Setup) -> Setup:
        """The setup, with the usual values wherever this page offers no choice."""
        kept: dict[str, object] = {}
        if "digit" in self.offers:
            kept |= {"label": setup.label}
        if "seed" in self.offers:
            kept |= {"seed": setup.seed}
        if "time" in self.offers:
            kept |= {"time": setup.time}
        if "schedules" in self.offers:
            kept |= {"left": setup.left, "right": setup.right}
        if "network" in self.offers:
            kept |= {"network": setup.network}
        return Setup(**kept)  # type: ignore[arg-type]
