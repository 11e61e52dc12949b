"""The equations by their names, made from plain numbers: what commands and screens ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType

from difftui.diffusion.sde.diffusing import Diffusion, Mixture, ReverseDiffusion, RoundTrip
from difftui.diffusion.sde.equations import Brownian, Equation, Geometric, Linear, positive

__all__ = ["EQUATIONS", "make_equation"]

EQUATIONS: Mapping[str, str] = MappingProxyType(
    {
        "brownian": "Nothing but noise: the variance grows with time.",
        "drift": "Exponential growth with noise on it, beside its noise-free path.",
        "geometric": "A price: growth and noise in proportion to what there is.",
        "ornstein-uhlenbeck": "Noise and a pull back to a level: the variance settles.",
        "diffusion": "The forward process of a diffusion model, in one dimension: data becomes noise.",
        "reverse": "Its way back, by the exact score: noise becomes data.",
        "flow": "The way back without noise: the probability flow ODE.",
        "round-trip": "Both ways: data becomes noise, and that noise becomes data again.",
    }
)
"""The equations by name, each with one sentence for people."""


_CLASSES = {"brownian": Brownian, "drift": Linear, "geometric": Geometric, "ornstein-uhlenbeck": Linear}


def _parameters(name: str) -> list[str]:
    """The numbers that an equation has."""
    known = [field.name for field in fields(_CLASSES.get(name, Diffusion)) if field.name != "data"]
    return ["theta", *known[1:]] if name == "ornstein-uhlenbeck" else known


def make_equation(name: str, **options: float) -> Equation:
    """An equation by name, with its parameters.

    Args:
        name: One of :data:`EQUATIONS`.
        options: Its numbers, as its class names them (``sigma``, ``mu``, ``rate``, ``level``, ``x0``,
            ``time``, ``beta_start``, ``beta_end``; ``theta`` for ``"ornstein-uhlenbeck"``).

    Raises:
        ValueError: If the name or an option is unknown, or a number is out of range.
    """
    if name not in EQUATIONS:
        raise ValueError(f"unknown equation {name!r}; known are {', '.join(EQUATIONS)}.")
    try:
        if name == "brownian":
            return Brownian(**options)
        if name == "drift":
            return Linear(**options)
        if name == "geometric":
            return Geometric(**options)
        if name == "ornstein-uhlenbeck":
            theta = options.pop("theta", 1.0)
            positive(theta=theta)
            return Linear(**{"rate": -theta, "x0": 3.0, "time": 5.0, **options})
        forward = Diffusion(Mixture(), **options)
    except TypeError:
        known = _parameters(name)
        unknown = ", ".join(option for option in options if option not in known)
        raise ValueError(f"{name} has no parameter {unknown}; it has {', '.join(known)}.") from None
    if name == "round-trip":
        return RoundTrip(forward)
    return forward if name == "diffusion" else ReverseDiffusion(forward, noisy=name == "reverse")
