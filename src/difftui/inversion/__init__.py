"""Inverting a function: a tiny network sees y = f(x) and learns to give back x. NumPy only, no torch."""

from __future__ import annotations

from difftui.inversion.baselines import Baselines, Line, baselines, best_line, pairs
from difftui.inversion.conditional import (
    ConditionalModel,
    ConditionalRecipe,
    Drawing,
    LearningProgress,
    draw,
    learn,
)
from difftui.inversion.fit import (
    CohortProgress,
    FitProgress,
    fit_cohort,
    fit_inverse,
    prediction_grid,
    untrained,
)
from difftui.inversion.problem import FUNCTIONS, PROBLEMS, Function, Problem
from difftui.inversion.recipe import ACTIVATIONS, InversionRecipe

__all__ = [
    "ACTIVATIONS",
    "FUNCTIONS",
    "PROBLEMS",
    "Baselines",
    "CohortProgress",
    "ConditionalModel",
    "ConditionalRecipe",
    "Drawing",
    "FitProgress",
    "Function",
    "InversionRecipe",
    "LearningProgress",
    "Line",
    "Problem",
    "baselines",
    "best_line",
    "draw",
    "fit_cohort",
    "fit_inverse",
    "learn",
    "pairs",
    "prediction_grid",
    "untrained",
]
