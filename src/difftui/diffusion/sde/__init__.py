r"""Stochastic differential equations in one dimension: ``dx = a(x, t) dt + b(x, t) dW``, simulated and exact.

``dW`` over a step ``dt`` is normal with standard deviation ``sqrt(dt)`` (its variance is ``dt``). Everything
is NumPy in float64.
"""

from difftui.diffusion.sde.accuracy import Convergence, convergence, fitted_order, fitted_orders
from difftui.diffusion.sde.diffusing import Diffusion, Mixture, ReverseDiffusion, RoundTrip
from difftui.diffusion.sde.equations import Brownian, Equation, Geometric, Linear
from difftui.diffusion.sde.named import EQUATIONS, make_equation
from difftui.diffusion.sde.simulation import PathFrame, has_exact_paths, simulate

__all__ = [
    "EQUATIONS",
    "Brownian",
    "Convergence",
    "Diffusion",
    "Equation",
    "Geometric",
    "Linear",
    "Mixture",
    "PathFrame",
    "ReverseDiffusion",
    "RoundTrip",
    "convergence",
    "fitted_order",
    "fitted_orders",
    "has_exact_paths",
    "make_equation",
    "simulate",
]
