"""The Fréchet distance between two Gaussians, in float64, and the statistics it needs. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

from difftui import atomic
from difftui.errors import DifftuiError

__all__ = ["Statistics", "frechet_distance", "load_statistics", "save_statistics", "statistics"]

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Statistics:
    """A Gaussian fitted to `count` features: mean (D,) and unbiased covariance (D, D), both float64."""

    mean: Float64
    covariance: Float64
    count: int


def statistics(features: npt.NDArray[np.floating]) -> Statistics:
    """Mean and covariance of features (N, D), N >= 2.

    Raises:
        ValueError: another shape, or values that are not finite.
    """
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"statistics wants features of shape (N >= 2, D), got {features.shape}")
    exact = features.astype(np.float64)
    if not np.isfinite(exact).all():
        raise ValueError("statistics wants finite features, got NaN or infinity")
    return Statistics(exact.mean(axis=0), np.atleast_2d(np.cov(exact, rowvar=False)), len(exact))


def frechet_distance(a: Statistics, b: Statistics) -> float:
    """d² = |m_a - m_b|² + tr(C_a + C_b - 2 (C_a^½ C_b C_a^½)^½), in squared units of the features, >= 0.

    The squared Wasserstein-2 distance between two Gaussians (Dowson & Landau 1982, eq. 4; used on network
    features by Heusel et al. 2017). The symmetric form C_a^½ C_b C_a^½ has the eigenvalues of C_a C_b and is
    positive semidefinite, so two symmetric eigendecompositions give the root exactly, rank-deficient
    covariances included.

    Raises:
        ValueError: features of different lengths.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"features of {len(a.mean)} and {len(b.mean)} numbers have no distance")
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ b.covariance @ root).clip(min=0)).sum()
    gap = a.mean - b.mean
    distance = gap @ gap + np.trace(a.covariance) + np.trace(b.covariance) - 2 * cross
    return max(float(distance), 0.0)  # rounding can leave -1e-15 where the two are equal


def save_statistics(stats: Statistics, path: Path) -> None:
    """Write a Gaussian as safetensors (float64), atomically."""
    arrays = {"mean": stats.mean, "covariance": stats.covariance, "count": np.array(stats.count)}
    atomic.write_bytes(path, save(arrays))


def load_statistics(path: Path) -> Statistics:
    """Read what `save_statistics` wrote; raises DifftuiError where the file is missing or damaged."""
    try:
        arrays = load(path.read_bytes())
        return Statistics(arrays["mean"], arrays["covariance"], int(arrays["count"]))
    except OSError as error:
        raise DifftuiError(
            f"No reference statistics at {path}. Restore the file or train the recogniser anew."
        ) from error
    except Exception as error:  # safetensors names no common class for a damaged file
        raise DifftuiError(f"{path} is damaged. Restore the file or train the recogniser anew.") from error
