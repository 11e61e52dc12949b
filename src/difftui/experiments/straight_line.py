"""Page: the sine inversion's success, measured with a ruler."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import numpy as np

from difftui.experiments.figures import signif, times
from difftui.experiments.page import PENDING, SAYS, Curve, Curves, Findings, Setup, Table
from difftui.inversion import FitProgress, InversionRecipe, baselines, fit_inverse, pairs

__all__ = ["EPOCHS", "SEEDS", "line"]

EPOCHS = 500
SEEDS = 10
LAB_MSE = 0.0007180905069148852
LAB_LOSS, LAB_SECONDS = 0.000734, 32.0  # its last training loss; the time of its 500 epochs
EPOCHS_A_TURN = 20


def line(setup: Setup, device: str, *, epochs: int = EPOCHS, seeds: int = SEEDS) -> Iterator[Findings]:
    """Fit the lab's network from the chosen seed, then from nine more, and a straight line beside them."""
    ratios: list[tuple[float, bool]] = []
    first: FitProgress | None = None
    seconds = 0.0  # spent on the first start
    for seed in range(setup.seed, setup.seed + seeds):
        begun = perf_counter()
        for fit in fit_inverse(InversionRecipe(epochs=epochs, seed=seed)):
            newest = fit
            if seed == setup.seed:
                seconds += perf_counter() - begun
                if fit.epoch % EPOCHS_A_TURN == 0:
                    yield _findings(fit, ratios, epochs, seeds, seconds)
                begun = perf_counter()  # not the time for which nobody asked on
        first = first or newest
        ratios.append((newest.mse_over_line, newest.dead))
        yield _findings(first, ratios, epochs, seeds, seconds)


def _findings(
    fit: FitProgress, ratios: list[tuple[float, bool]], epochs: int, seeds: int, seconds: float
) -> Findings:
    known = baselines()
    done = (len(ratios) + (0.0 if ratios else fit.epoch / epochs)) / seeds
    rows = (
        (
            "MSE of the network",
            signif(LAB_MSE) + ', a "success"',
            f"{signif(fit.mse)} at epoch {fit.epoch}",
        ),
        ("MSE of the best straight line", "", f"{signif(known.line.mse)}, x = {known.line.slope:.4f} y"),
        ("the network over the line", times(LAB_MSE / known.line.mse), times(fit.mse_over_line)),
        (f"{seeds} starts: median over the line", "", _median(ratios, seeds)),
        (f"{seeds} starts: dead networks", "", _dead(ratios, seeds)),
        ("MSE of answering x = y", "", signif(known.identity_mse)),
        ("last training loss", signif(LAB_LOSS), f"MSE {signif(fit.mse)}"),
        ("time of the epochs", f"{LAB_SECONDS:.0f} s for {EPOCHS}", f"{seconds:.2g} s for {fit.epoch}"),
    )
    grid = fit.grid.astype(np.float64)
    inside = grid[np.abs(grid) <= 1.0]  # beyond, no sine has this value
    y, x = pairs()
    answer = Curves(
        "x from y = sin x",
        (
            Curve("data", y, x, "muted", points=True),
            Curve("arcsin", inside, np.arcsin(inside), "muted"),
            Curve("line", grid, known.line.at(grid), "foreground"),
            Curve("network", grid, fit.prediction, "accent"),
        ),
        (-1.0, 1.0),
        (-1.6, 1.6),
        x_name="y",
    )
    ranked = np.sort([ratio for ratio, _ in ratios])
    starts = Curves(
        "MSE over the line's, by start",
        (Curve("", np.arange(1, len(ranked) + 1), ranked, "accent", points=True),),
        (0.5, seeds + 0.5),
        (1e-3, 1e3),
        True,
        lines=((1.0, "the straight line"),),
        x_ticks=((1.0, "best"), (float(seeds), "worst")),
        x_name="rank",
    )
    seen = _seen(fit, ratios, seeds, known.line.mse)
    return Findings(done, (answer, starts), Table(SAYS, rows), seen, needed=2)


def _seen(fit: FitProgress, ratios: list[tuple[float, bool]], seeds: int, line_mse: float) -> str:
    if len(ratios) < seeds:
        return ""
    near = sum(0.95 <= ratio <= 1.05 for ratio, _ in ratios)
    return (
        f"The lab's {signif(LAB_MSE)} is {times(LAB_MSE / line_mse)} a ruler's error: the data end at |y| = "
        f"{np.sin(1.0):.3f}. Of {seeds} starts {near} end within 5% of it, "
        f"{sum(dead for _, dead in ratios)} dead."
    )


def _median(ratios: list[tuple[float, bool]], seeds: int) -> str:
    return times(float(np.median([r for r, _ in ratios]))) if len(ratios) == seeds else PENDING


def _dead(ratios: list[tuple[float, bool]], seeds: int) -> str:
    return f"{sum(dead for _, dead in ratios)} of {seeds}" if len(ratios) == seeds else PENDING
