"""Page: three slips of the pen, each computed as it is written and as it is meant."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import add_noise, make_schedule
from difftui.experiments.figures import signif
from difftui.experiments.materials import picture
from difftui.experiments.page import PENDING, SAYS, Curve, Curves, Findings, Pictures, Setup, Table
from difftui.words import grouped

__all__ = ["slips", "walk_variance"]

TIME, PATHS = 10.0, 2000
STEPS = (100, 1000)
PLOTTED = 51
CLAIMED = (
    ("toy-unet", "about 100 000"),
    ("lab-unet", "257 265"),
    ("residual-unet", "-"),
    ("autoencoder", "-"),
)
"""Networks of the labs, and the number of parameters that these tell."""


def slips(setup: Setup, device: str) -> Iterator[Findings]:
    """ᾱ or α, a deviation or a variance of √dt, and the toy network's parameters counted."""
    schedule = make_schedule("linear", 1000)
    t = round(setup.time * 999)
    x0 = picture(setup)
    eps = np.random.default_rng(setup.seed).standard_normal(x0.shape)
    written, meant = float(schedule.alphas[t]), schedule.alpha_bar(t)
    images = np.array([x0, add_noise(x0, eps, written), add_noise(x0, eps, meant)], np.float32)
    pictures = Pictures(f"x_t at t = {t} of 1000", images, ("clean", "with α_t", "with ᾱ_t"))
    walks = {steps: walk_variance(steps, setup.seed) for steps in STEPS}
    variances = _variances(walks)

    def findings(parameters: str, seen: str, *more: tuple[str, Table]) -> Findings:
        rows = (
            (f"signal left at t = {t}", f"√α_t = {math.sqrt(written):.4f}", f"√ᾱ_t = {math.sqrt(meant):.4f}"),
            *(
                (
                    f"variance at {TIME:g}, {steps} steps",
                    f"variance √dt: {signif(walks[steps][1][-1])}",
                    f"deviation √dt: {signif(walks[steps][0][-1])}",
                )
                for steps in STEPS
            ),
            ("the toy network's parameters", "about 100 000", parameters),
        )
        return Findings(
            1.0 if seen else 0.5,
            (pictures, variances),
            Table(SAYS, rows),
            seen,
            more=more,
            time=(t, schedule.T - 1),
        )

    yield findings(PENDING, "")
    convolutions, counted = _counted()
    total = counted.rows[0][-1]
    yield findings(
        f"{total}; 3×3 alone {grouped(convolutions)}",
        "α without its bar leaves a picture nearly clean; variance √dt hangs on dt, where 10 is right; and "
        "the toy is over twice its claimed size.",
        ("parameters of the labs' networks", counted),
    )


def walk_variance(steps: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The variance of Brownian paths over time, steps + 1 figures from time 0 to 10.

    Args:
        steps: dt is 10 / steps.
        seed: of the increments; both results use the same.

    Returns:
        With increments of standard deviation √dt, which has variance t; with increments of variance √dt,
        which has t / √dt.
    """
    dt = TIME / steps
    z = np.random.default_rng((seed, steps)).standard_normal((steps, PATHS))
    paths = np.concatenate([np.zeros((1, PATHS)), np.cumsum(z, axis=0)])
    variance = paths.var(axis=1)
    return variance * dt, variance * math.sqrt(dt)


def _variances(walks: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> Curves:
    """Those of deviation √dt lie on one another: they are one in colour and name."""
    right, wrong = [], []
    for (steps, both), colour, name in zip(walks.items(), ("noise", "purple"), ("sd", ""), strict=True):
        every = np.linspace(0, steps, PLOTTED).round().astype(int)
        t = every * TIME / steps
        right.append(Curve(name, t, both[0][every], "accent"))
        wrong.append(Curve(f"var {steps}", t, both[1][every], colour))
    return Curves(
        "variance; dW of sd or var √dt",
        (*wrong, *right),
        (0.0, TIME),
        (0.0, 110.0),
        lines=((TIME, "theory: 10"),),
        x_name="t",
    )


def _counted() -> tuple[int, Table]:
    """The parameters of the toy network's 3×3 convolutions, and of all the labs' networks."""
    import torch

    from difftui.models import build, parameter_count

    with torch.device("meta"):
        networks = {name: build(name) for name, _ in CLAIMED}
    convolutions = sum(
        parameter_count(layer)
        for layer in networks["toy-unet"].modules()
        if isinstance(layer, torch.nn.Conv2d) and layer.kernel_size == (3, 3)
    )
    rows = tuple((name, said, grouped(parameter_count(networks[name]))) for name, said in CLAIMED)
    return convolutions, Table(("parameters", "the lab says", "counted now"), rows)
