"""The sine inversion: a tiny network sees y = sin x and learns to give back x. NumPy only, no torch."""

from __future__ import annotations

from difftui.inversion.baselines import Baselines, Line, arcsin, baselines, best_line, sine_pairs
from difftui.inversion.fit import FitProgress, fit_inverse, prediction_grid, untrained
from difftui.inversion.recipe import ACTIVATIONS, InversionRecipe

__all__ = [
    "ACTIVATIONS",
    "Baselines",
    "FitProgress",
    "InversionRecipe",
    "Line",
    "arcsin",
    "baselines",
    "best_line",
    "fit_inverse",
    "prediction_grid",
    "sine_pairs",
    "untrained",
]
