r"""Classifier-free guidance: away from what any class would look like, towards the class asked for.

The convention here is that of Ho & Salimans (2022), equation 6: with the network's answer ``c`` for the label
and ``u`` for "any class",

    guided = c + w (c - u) = (1 + w) c - w u

so ``w = 0`` is the plain conditional network and ``w = -1`` the unconditional one. Elsewhere the same is
often written ``u + g (c - u)`` with ``g = 1 + w`` (diffusers calls it ``guidance_scale``).

The rule may be applied to eps, x0 or v alike: each is ``p x_t + q eps`` with the same p and q for both
answers, and the weights ``1 + w`` and ``-w`` sum to 1.
"""

from __future__ import annotations

import math

from difftui.diffusion.process import Array

MOST = 20.0
"""The strongest guidance that is accepted; pictures are flat black and white long before."""


def guided(conditional: Array, unconditional: Array, w: float) -> Array:
    """``(1 + w) conditional - w unconditional``, arrays of one shape.

    Raises:
        ValueError: If ``w`` is not a number from -1 to 20.
    """
    check_guidance(w)
    result: Array = conditional + (conditional - unconditional) * w
    return result


def check_guidance(w: float) -> None:
    """Raise a ValueError unless ``w`` is a number from -1 (no label) to 20."""
    if not (math.isfinite(w) and -1.0 <= w <= MOST):
        raise ValueError(f"guidance must be a number from -1 to {MOST:g}, not {w!r}.")
