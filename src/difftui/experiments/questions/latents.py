"""Page: how few numbers a digit needs: the linear answer, by principal components."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from difftui.data import bundled, held_out
from difftui.experiments.materials import clean, picture
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Page, Pictures, Setup, Table
from difftui.words import grouped

__all__ = ["LATENTS", "components", "latents", "needed"]

Floats = NDArray[np.float64]

SHARES = (0.9, 0.95, 0.99)
ASKED = 500  # held-out digits that are told again
PIXELS, LATENT = (512, 512, 3), (64, 64, 4)  # of Stable Diffusion: Rombach et al. (2022)
SHOWN = 400  # components on the axis


@lru_cache(maxsize=1)
def components() -> tuple[Floats, Floats, Floats]:
    """Of the bundled digits: mean (784,), directions (784, 784) in rows, variance along each, falling.

    The right singular vectors of the centred digits X, and σ²/N; found as the eigenvectors of XᵀX/N.
    """
    digits = clean(bundled().images).reshape(len(bundled()), -1)
    mean = digits.mean(axis=0)
    centred = digits - mean
    variance, directions = np.linalg.eigh(centred.T @ centred / len(centred))
    return mean, directions.T[::-1], np.maximum(variance[::-1], 0.0)


def needed(variance: Floats, share: float) -> int:
    """How many of the largest variances make up this share of all."""
    kept = np.cumsum(variance) / variance.sum()
    return int(np.searchsorted(kept, share - 1e-12)) + 1


def latents(setup: Setup, device: str) -> Iterator[Findings]:
    """The components of the bundled digits; then a held-out digit told with more and more of them."""
    digit = picture(setup)
    shown = np.repeat(digit[None], len(SHARES) + 1, axis=0)
    shown[1:] = -1.0
    waiting = [(PENDING, PENDING)] * len(SHARES)
    flat = np.array([0.0, 1.0])
    yield _findings(0.0, shown, [0] * len(SHARES), waiting, (flat, flat * np.nan))
    mean, directions, variance = components()
    counts = [needed(variance, share) for share in SHARES]
    curve = np.arange(len(variance) + 1), np.concatenate([[0.0], np.cumsum(variance) / variance.sum()])
    others = clean(held_out().images[:ASKED]).reshape(ASKED, -1) - mean
    spread = float(np.square(others).sum())
    cells = list(waiting)
    for place, count in enumerate(counts):
        basis = directions[:count]
        shown = shown.copy()
        shown[place + 1] = (mean + (digit.ravel() - mean) @ basis.T @ basis).reshape(digit.shape)
        left = float(np.square(others @ basis.T).sum()) / spread
        cells[place] = f"{len(variance) / count:.1f} ×", f"{left:.1%}"
        yield _findings((place + 1) / len(counts), shown, counts, cells, curve)


def _findings(
    done: float,
    shown: Floats,
    counts: list[int],
    cells: list[tuple[str, str]],
    curve: tuple[NDArray[np.generic], NDArray[np.generic]],
) -> Findings:
    pixels = shown[0].size
    rows = [
        (f"{share:.0%} of the variance", str(count or PENDING), str(pixels), *cell)
        for share, count, cell in zip(SHARES, counts, cells, strict=True)
    ]
    whole, small = int(np.prod(PIXELS)), int(np.prod(LATENT))
    told = f"{whole / small:.1f} ×"
    rows.append(("Stable Diffusion, told", grouped(small), grouped(whole), told, "not here"))
    marks = tuple((float(count), "") for count in counts if count)
    blocks = (
        Pictures(
            "a held-out digit, told with so many numbers",
            shown,
            (str(pixels), *(str(count or PENDING) for count in counts)),
        ),
        Curves(
            "variance kept, by numbers",
            (Curve("", *curve),),
            (0.0, float(SHOWN)),
            (0.0, 1.0),
            marks=marks,
            x_name="numbers",
        ),
    )
    seen = ""
    if done == 1.0:
        at = SHARES.index(0.95)
        seen = (
            f"{counts[at]} of {pixels} numbers keep 95% of the digits' variance, {cells[at][1]} of others': "
            f"{cells[at][0].removesuffix(' ×')} times fewer to denoise. These are linear; coders are learnt."
        )
    header = ("", "numbers", "pixels × colours", "fewer", "kept of others")
    return Findings(done, blocks, Table(header, tuple(rows)), seen, needed=2)


LATENTS = Page(
    name="latents",
    title="How few numbers a digit needs",
    source="Lecture",
    says="latent diffusion: in a smaller space than that of the pixels.",
    look="With how many numbers is it the same digit to you? What is lost first?",
    how="Principal components of the 10 000 bundled digits (SVD, closed form), the share of variance that "
    "the first k keep, and the same of 500 held-out digits. These are linear; Stable Diffusion's coder is a "
    "learnt network, not here: 64x64x4 numbers for 512x512x3 (Rombach et al. 2022).",
    run=latents,
    offers=frozenset({"digit"}),
)
