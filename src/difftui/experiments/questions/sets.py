"""Questions 18 and 21: a set of drawings, how varied they are and how good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import starting_noise
from difftui.experiments.figures import signif
from difftui.experiments.materials import (
    SURE,
    apart,
    drawn,
    load_network,
    nearest_digit,
    readings,
    real_apart,
    real_certainty,
    real_nearest,
)
from difftui.experiments.page import PENDING, Findings, Page, Pictures, Setup, Table
from difftui.experiments.reverse import NETWORKS
from difftui.experiments.walks import walk, way
from difftui.pipelines import DEFAULT, find_pipeline
from difftui.pipelines.folder import CARD

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["SIXTEEN", "TWELVE", "digits_by_chance"]

Grey = NDArray[np.float32]
STEPS = 100


def digits_by_chance(draws: int) -> tuple[float, float]:
    """How many of the ten digits so many blind draws bring, if each is as likely: mean, standard deviation.

    10 (1 - 0.9^n), and the root of 10 · 0.9^n + 90 · 0.8^n - 100 · 0.81^n: the occupancy of ten urns (Feller,
    An Introduction to Probability Theory, volume 1, chapter IV).
    """
    mean = 10.0 * (1.0 - 0.9**draws)
    variance = 10.0 * 0.9**draws + 90.0 * 0.8**draws - 100.0 * 0.81**draws
    return mean, float(np.sqrt(max(variance, 0.0)))


def _by_chance(count: int) -> str:
    mean, spread = digits_by_chance(count)
    return f"{mean:.1f} ± {spread:.1f} by chance"


def _drawings(setup: Setup, device: str, count: int, steps: int) -> Iterator[tuple[LoadedModel, Grey, int]]:
    """A network, its pictures (N, 28, 28) so far, and the steps made: DDPM from as many seeds."""
    loaded = load_network(NETWORKS, setup.network, device)
    seeds = range(setup.seed, setup.seed + count)
    x_T = starting_noise(seeds, loaded.model.image_shape)  # type: ignore[arg-type]
    yield loaded, drawn(x_T), 0
    for made, frame in enumerate(walk(loaded, "ddpm", x_T, seeds, steps), start=1):
        yield loaded, drawn(frame.x), made


def _captions(read: NDArray[np.float32]) -> tuple[str, ...]:
    return tuple(f"{row.argmax()}, {row.max():.0%}" for row in read)


# Question 18: variety and quality of twelve.

TWELVE_SEEDS = 12


def twelve(setup: Setup, device: str, *, steps: int = STEPS) -> Iterator[Findings]:
    """Twelve seeds, drawn together; measured beside real digits when they are finished."""
    for loaded, pictures, made in _drawings(setup, device, TWELVE_SEEDS, steps):
        yield _twelve(loaded, pictures, made, steps)


def _twelve(loaded: LoadedModel, pictures: Grey, made: int, steps: int) -> Findings:
    count, finished = len(pictures), made == steps
    found, seen = [PENDING] * 5, ""
    captions: tuple[str, ...] = ("…",) * count
    if finished:
        read = readings(pictures)
        best = read.max(axis=1)
        digits = len(set(read.argmax(axis=1).tolist()))
        far, near = apart(pictures), nearest_digit(pictures)
        sure = int((best > SURE).sum())
        captions = _captions(read)
        found = [
            f"{digits} of ten",
            signif(far),
            f"{sure} of {count}",
            f"{best.mean():.0%}",
            signif(near),
        ]
        seen = (
            f"Variety: {digits} digits, and {signif(far / real_apart(), 2)} × as far apart as real ones. "
            f"Quality: {sure} of {count} read with certainty, {signif(near / real_nearest(), 2)} × as far "
            "from a real digit as real ones."
        )
    mean, share = real_certainty()
    real = [
        _by_chance(count),
        signif(real_apart()),
        f"{100 * share:.0f} of 100",
        f"{mean:.0%}",
        signif(real_nearest()),
    ]
    names = (
        "variety: digits among them",
        "variety: how far two lie apart",
        f"quality: read with {SURE:.0%} certainty",
        "quality: mean certainty",
        "quality: to the nearest real digit",
    )
    return Findings(
        made / steps,
        (Pictures(f"{count} seeds: what is read, and how surely", pictures, captions),),
        Table(
            (way(loaded, steps), f"{count} drawings", "real digits"),
            tuple(zip(names, found, real, strict=True)),
        ),
        seen,
    )


TWELVE = Page(
    name="twelve",
    title="Twelve seeds: how varied, and how good?",
    source="Modules",
    says="twelve seeds side by side: judge variety and quality.",
    look="Variety and quality are two things: twelve perfect ones would be good, and all the same.",
    how="DDPM from twelve seeds on a respaced grid, without labels. Apart: the mean distance √Σ(a-b)² of "
    "two; nearest: the median over them, among 2000 real digits; beside both, a hundred held-out digits. The "
    " recogniser's certainty is its probability of the digit that it reads.",
    run=twelve,
    offers=frozenset({"seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)


# Question 21: the categories among sixteen.

SIXTEEN_SEEDS = 16


def sixteen(setup: Setup, device: str, *, steps: int = STEPS) -> Iterator[Findings]:
    """Sixteen seeds and the classes among them; and whether the lab's own network is on this machine."""
    here = find_pipeline(DEFAULT) is not None
    for loaded, pictures, made in _drawings(setup, device, SIXTEEN_SEEDS, steps):
        yield _sixteen(loaded, pictures, made, steps, here)


def _sixteen(loaded: LoadedModel, pictures: Grey, made: int, steps: int, here: bool) -> Findings:
    count = len(pictures)
    found, seen = [PENDING] * 3, ""
    captions: tuple[str, ...] = ("…",) * count
    more: tuple[tuple[str, Table], ...] = ()
    if made == steps:
        read = readings(pictures)
        digits, best = read.argmax(axis=1), read.max(axis=1)
        often = np.bincount(digits, minlength=10)
        classes, sure = int((often > 0).sum()), int((best > SURE).sum())
        common = ", ".join(map(str, np.flatnonzero(often == often.max())))
        captions = _captions(read)
        found = [f"{classes} of ten", f"{common}: {often.max()} times", f"{sure} of {count}"]
        seen = (
            f"{classes} of ten categories in {count} drawings, where chance brings "
            f"{digits_by_chance(count)[0]:.1f}; {sure} are clear. Nobody asked for one: seeds decide."
        )
        names = tuple(str(digit) for digit in range(10))
        more = (("how often each", Table(("digit", *names), (("drawings", *map(str, often)),))),)
    _, share = real_certainty()
    rows = (
        ("categories among them", found[0], _by_chance(count)),
        ("the most frequent", found[1], ""),
        (f"read with {SURE:.0%} certainty", found[2], f"real digits: {100 * share:.0f} of 100"),
        (
            "the lab's network",
            "is here" if here else "not here",
            f"difftui sample --pipeline -n {count} --out 16.png" if here else "difftui networks --fetch",
        ),
    )
    return Findings(
        made / steps,
        (Pictures(f"{count} drawings, and their categories", pictures, captions),),
        Table((way(loaded, steps), "measured now", "beside it"), rows),
        seen,
        more=more,
    )


SIXTEEN = Page(
    name="sixteen",
    title="Sixteen drawings: which categories are there?",
    source="Modules",
    says="16 images of a CIFAR-10 network: name their categories.",
    look="Count the categories yourself before you believe the recogniser. Are some more frequent?",
    how="DDPM from sixteen seeds on a respaced grid, without labels; the recogniser names the digits. The "
    f"lab looks at {DEFAULT} ({CARD}): its ten categories are for your eyes, for nothing here can name them.",
    run=sixteen,
    offers=frozenset({"seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)
