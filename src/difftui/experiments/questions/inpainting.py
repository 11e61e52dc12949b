"""Page: half a digit is hidden, and the network that was never told of halves draws what could be there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import starting_noise
from difftui.experiments.figures import signif
from difftui.experiments.materials import apart, drawn, load_network, picture, recognised
from difftui.experiments.page import PENDING, Findings, Page, Pictures, Setup, Table
from difftui.experiments.questions.constrained import filled
from difftui.experiments.walks import walk, way

if TYPE_CHECKING:
    from torch import Tensor

    from difftui.training.loading import LoadedModel

__all__ = ["INPAINT", "inpaint"]

Grey = NDArray[np.float32]

NETWORKS = ("quick", "lab", "conditional", "lecture")
STEPS = 50
ROUNDS = 4  # times that each step is taken, the second way
DRAWN = 12  # measured
SHOWN = 5  # of them
KNOWN = 14  # rows, from the top
HIDDEN = -1 / 3  # the grey of what is hidden, where it is shown
WAYS = ("pasted", "once", "again")


def inpaint(setup: Setup, device: str, *, steps: int = STEPS, rounds: int = ROUNDS) -> Iterator[Findings]:
    """Fill the lower half from a dozen noises: known pixels put in at each step, then with steps repeated."""
    import torch

    loaded = load_network(NETWORKS, setup.network, device)
    x0 = torch.from_numpy(picture(setup).astype(np.float32))[None, None]
    known = torch.zeros_like(x0)
    known[..., :KNOWN, :] = 1.0
    seeds = tuple(range(setup.seed, setup.seed + DRAWN))
    x_T = starting_noise(seeds, loaded.model.image_shape)  # type: ignore[arg-type]
    state = _Fillings(loaded, setup.label, steps, rounds, x0[0, 0].numpy(), drawn(x_T))
    calls = state.calls
    yield state.findings(0)
    free = walk(loaded, "ddpm", x_T, seeds, steps)
    once = filled(loaded, x0, known, x_T, seeds, steps)
    for done, (frame, x) in enumerate(zip(free, once, strict=True), start=1):
        state.pictures["once"] = drawn(x)
        if done == steps:
            pasted: Tensor = known * x0 + (1.0 - known) * frame.x.cpu()
            state.finish("pasted", drawn(pasted))
            state.finish("once", drawn(x))
        yield state.findings(2 * done)
    again = filled(loaded, x0, known, x_T, seeds, steps, rounds=rounds)
    for done, x in enumerate(again, start=1):
        state.pictures["again"] = drawn(x)
        if 2 * steps + done == calls:
            state.finish("again", drawn(x))
        yield state.findings(2 * steps + done)


@dataclass(slots=True)
class _Fillings:
    """The fillings so far.

    Attributes:
        label: what the digit is.
        loaded, steps, rounds: the network, its steps, and how often each is taken the second way.
        digit: all of it, (H, W).
        noise: what the drawings begin as, (12, H, W).
        pictures: by way, as they are now.
        ended: by way, the finished ones.
        measured: by way, what the finished ones are like: seam, how far apart, how many read as it.
    """

    loaded: LoadedModel
    label: int
    steps: int
    rounds: int
    digit: Grey
    noise: Grey
    pictures: dict[str, Grey] = field(default_factory=dict)
    ended: dict[str, Grey] = field(default_factory=dict)
    measured: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """How often the network is asked, all in all: both first ways, and the repeated steps."""
        return 2 * self.steps + self.rounds * (self.steps - 1) + 1

    def finish(self, name: str, pictures: Grey) -> None:
        """Keep what a way ends with, and measure it."""
        self.pictures[name] = self.ended[name] = pictures
        read = int((recognised(pictures) == self.label).sum())
        self.measured[name] = signif(_seam(pictures), 2), signif(apart(pictures)), str(read)

    def findings(self, done: int) -> Findings:
        """The page after so many calls."""
        half = self.digit.copy()
        half[KNOWN:] = HIDDEN
        captions = tuple(f"noise {i + 1}" for i in range(SHOWN))
        once, again = (self.pictures.get(name, self.noise)[:SHOWN] for name in WAYS[1:])
        return Findings(
            done / self.calls,
            (
                Pictures("known half put in at each step", np.array([half, *once]), ("known", *captions)),
                Pictures(
                    f"each step {self.rounds} times",
                    np.array([self.digit, *again]),
                    ("the digit", *captions),
                ),
            ),
            self._table(),
            self._seen() if done == self.calls else "",
            more=(("What it costs", self._cost()),),
            needed=2,
        )

    def _table(self) -> Table:
        found = [self.measured.get(name, (PENDING,) * 3) for name in WAYS]
        real = (signif(_seam(self.digit[None]), 2), "", "")
        names = (
            "seam: its two rows differ by",
            f"how far {DRAWN} fillings lie apart",
            f"of {DRAWN}, read as {self.label}",
        )
        rows = tuple((name, *cells) for name, *cells in zip(names, *found, real, strict=True))
        head = (
            way(self.loaded, self.steps),
            "pasted after",
            "at each step",
            f"{self.rounds} × each",
            "digit",
        )
        return Table(head, rows)

    def _cost(self) -> Table:
        asked = self.steps, self.steps, self.rounds * (self.steps - 1) + 1
        wrong = (self._wrong(name) for name in WAYS)
        return Table(
            ("", "pasted after", "at each step", f"{self.rounds} × each"),
            (
                ("network asked", *map(str, asked)),
                ("known pixels off by", *(PENDING if off is None else signif(off, 2) for off in wrong)),
            ),
        )

    def _wrong(self, name: str) -> float | None:
        """The largest error of a known pixel in the end."""
        pictures = self.ended.get(name)
        return None if pictures is None else float(np.abs(pictures - self.digit)[:, :KNOWN].max())

    def _seen(self) -> str:
        seams = [signif(_seam(self.ended[name]), 2) for name in WAYS]
        return (
            f"Known pixels end off by {signif(self._wrong('again') or 0.0, 2)}. The seam: {seams[0]} pasted "
            f"on after, {seams[1]} known at each step, {seams[2]} with steps repeated; the digit's "
            f"{signif(_seam(self.digit[None]), 2)}."
        )


def _seam(pictures: Grey) -> float:
    """The mean difference between the last known row and the first hidden one."""
    return float(np.abs(pictures[:, KNOWN] - pictures[:, KNOWN - 1]).mean())


INPAINT = Page(
    name="inpaint",
    title="Filling in half a digit, with nothing trained for it",
    source="Brief",
    says="applications: inpainting.",
    look="Do the halves belong together? How many digits fit the same upper half?",
    how="At each step of DDPM to x_s the upper half becomes √ᾱ_s x_0 + √(1-ᾱ_s) ε of the digit "
    f"(RePaint, Lugmayr et al. 2022); then with each step taken {ROUNDS} times, noised back between. "
    "Pasted: drawn freely from the same noise, the half put in at the end.",
    run=inpaint,
    offers=frozenset({"digit", "seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)
