"""Page: 7 x 7 numbers of a digit are known, and 28 x 28 pixels that fit them are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import starting_noise
from difftui.experiments.figures import signif
from difftui.experiments.materials import apart, drawn, load_network, picture, recognised
from difftui.experiments.page import PENDING, Findings, Page, Pictures, Setup, Table
from difftui.experiments.questions.constrained import block_means, from_means, spread
from difftui.experiments.walks import walk, way

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["SHARPEN", "sharpen"]

Grey = NDArray[np.float32]

NETWORKS = ("quick", "lab", "conditional", "lecture")
STEPS = 50
BLOCK = 4  # pixels, across and down
DRAWN = 5


def sharpen(setup: Setup, device: str, *, steps: int = STEPS) -> Iterator[Findings]:
    """Draw five digits whose block means are those of one; beside them five from the same noise, free."""
    import torch

    loaded = load_network(NETWORKS, setup.network, device)
    x0 = torch.from_numpy(picture(setup).astype(np.float32))[None, None]
    means = block_means(x0, BLOCK)
    seeds = tuple(range(setup.seed, setup.seed + DRAWN))
    x_T = starting_noise(seeds, loaded.model.image_shape)  # type: ignore[arg-type]
    state = _Sharp(
        loaded,
        steps,
        drawn(x0)[0],
        means[0, 0].numpy(),
        drawn(spread(means, BLOCK))[0],
        drawn(x_T),
        drawn(x_T),
    )
    yield state.findings(0)
    both = from_means(loaded, means, x_T, seeds, steps), walk(loaded, "ddpm", x_T, seeds, steps)
    for done, (x, frame) in enumerate(zip(*both, strict=True), start=1):
        state.fitted, state.free = drawn(x), drawn(frame.x)
        yield state.findings(done)


@dataclass(slots=True)
class _Sharp:
    """The drawings so far.

    Attributes:
        loaded, steps: the network and its steps.
        digit, means: (28, 28), and the (7, 7) that are known of it.
        blocks: those as pixels, (28, 28).
        fitted, free: (5, 28, 28), drawn to the means and without.
    """

    loaded: LoadedModel
    steps: int
    digit: Grey
    means: Grey
    blocks: Grey
    fitted: Grey
    free: Grey

    def findings(self, done: int) -> Findings:
        """The page after so many steps."""
        captions = tuple(f"noise {i + 1}" for i in range(DRAWN))
        ended = done == self.steps
        shown = np.array([self.blocks, *self.fitted, self.digit])
        sides = len(self.means)
        return Findings(
            done / self.steps,
            (
                Pictures(
                    f"{sides} x {sides} known means, what was drawn to fit them, and the digit",
                    shown,
                    ("known", *captions, "digit"),
                ),
                Pictures("the same noise, drawn freely", self.free, captions),
            ),
            self._table(ended=ended),
            self._seen() if ended else "",
        )

    def _table(self, *, ended: bool) -> Table:
        given = (*self._measured(self.blocks[None])[:3], "")
        drawings = (self.fitted, self.free)
        found = [self._measured(each) if ended else (PENDING,) * 4 for each in drawings]
        names = (
            "block means off by, at most",
            "distance to the digit",
            "read as",
            f"how far {DRAWN} lie apart",
        )
        rows = tuple((name, *cells) for name, *cells in zip(names, given, *found, strict=True))
        return Table((way(self.loaded, self.steps), "known blocks", "drawn to fit", "drawn freely"), rows)

    def _measured(self, pictures: Grey) -> tuple[str, ...]:
        away = np.linalg.norm((pictures - self.digit).reshape(len(pictures), -1), axis=1).mean()
        read = " ".join(map(str, recognised(pictures)))
        far = signif(apart(pictures)) if len(pictures) > 1 else ""
        return signif(self._off(pictures), 2), signif(float(away)), read, far

    def _off(self, pictures: Grey) -> float:
        """The largest error of a block's mean."""
        side = len(self.means)
        found = pictures.astype(np.float64).reshape(-1, side, BLOCK, side, BLOCK).mean(axis=(2, 4))
        return float(np.abs(found - self.means).max())

    def _seen(self) -> str:
        right = int(recognised(self.digit[None])[0])
        blocks = recognised(self.blocks[None])[0]
        told = int((recognised(self.fitted) == right).sum())
        return (
            f"{self.means.size} numbers fit many digits: {DRAWN} drawings, all with these means to "
            f"{signif(self._off(self.fitted), 1)}, lie {signif(apart(self.fitted))} apart. Read as {right}: "
            f"{told} of {DRAWN}; the blocks alone as {blocks}."
        )


SHARPEN = Page(
    name="sharpen",
    title="From 49 numbers to 784 pixels that fit them",
    source="Brief",
    says="applications: super-resolution.",
    look="Which strokes do all drawings share, and which did the network invent?",
    how="DDPM; before each step x̂0 is put right by what its block means lack, x̂0 + spread(y - means(x̂0)) "
    "(DDNM, Wang et al. 2023; for such an idea see also ILVR, Choi et al. 2021). Nothing was trained for it. "
    "Distances are √Σ(a-b)² over 784 pixels.",
    run=sharpen,
    offers=frozenset({"digit", "seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)
