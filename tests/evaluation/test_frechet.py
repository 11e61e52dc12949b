"""The Fréchet distance against closed forms and against a matrix root that is not ours."""

from pathlib import Path

import numpy as np
import pytest

from difftui.errors import DifftuiError
from difftui.evaluation.frechet import (
    Statistics,
    frechet_distance,
    load_statistics,
    save_statistics,
    statistics,
)


def gaussian(mean: list[float], covariance: list[list[float]]) -> Statistics:
    return Statistics(np.array(mean), np.array(covariance), 100)


def random_gaussian(seed: int, size: int, rank: int) -> Statistics:
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(size, rank))
    return Statistics(rng.normal(size=size), factor @ factor.T, 100)


def test_one_dimension_is_the_closed_form() -> None:
    # (m1 - m2)² + (s1 - s2)²
    assert frechet_distance(gaussian([1.0], [[4.0]]), gaussian([-2.0], [[9.0]])) == pytest.approx(
        10.0, abs=1e-12
    )


def test_commuting_covariances_are_the_closed_form() -> None:
    # Covariances that share their axes: the sum over axes of (s1 - s2)², whatever the rotation.
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))
    first, second = np.array([1.0, 2.0, 3.0, 4.0, 0.0]), np.array([2.0, 2.0, 1.0, 0.5, 1.0])
    a = Statistics(np.zeros(5), (rotation * first**2) @ rotation.T, 10)
    b = Statistics(np.ones(5), (rotation * second**2) @ rotation.T, 10)
    assert frechet_distance(a, b) == pytest.approx(5 + ((first - second) ** 2).sum(), abs=1e-6)


def test_two_by_two_matches_the_trace_of_the_root_by_hand() -> None:
    # For 2x2: tr √M = √(tr M + 2 √det M), with M = C1 C2.
    a, b = gaussian([0, 0], [[2.0, 0.5], [0.5, 1.0]]), gaussian([3, 4], [[1.0, -0.3], [-0.3, 2.0]])
    product = a.covariance @ b.covariance
    root_trace = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    assert frechet_distance(a, b) == pytest.approx(25 + 3 + 3 - 2 * root_trace, abs=1e-12)


@pytest.mark.parametrize("rank", [3, 30])
def test_general_covariances_match_the_product_eigenvalues(rank: int) -> None:
    a, b = random_gaussian(1, 30, rank), random_gaussian(2, 30, 30)
    # A different route: tr √(C1 C2) from the eigenvalues of the plain, unsymmetric product.
    values = np.linalg.eigvals(a.covariance @ b.covariance)
    root_trace = np.sqrt(values.real.clip(min=0)).sum()
    gap = a.mean - b.mean
    expected = gap @ gap + np.trace(a.covariance) + np.trace(b.covariance) - 2 * root_trace
    assert frechet_distance(a, b) == pytest.approx(expected, abs=1e-4)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), abs=1e-4)


def test_a_gaussian_is_at_no_distance_from_itself() -> None:
    stats = random_gaussian(5, 50, 20)
    assert 0 <= frechet_distance(stats, stats) < 1e-5


def test_statistics_are_numpys() -> None:
    features = np.random.default_rng(0).normal(size=(200, 7)).astype(np.float32)
    stats = statistics(features)
    assert stats.mean.dtype == stats.covariance.dtype == np.float64
    np.testing.assert_allclose(stats.covariance, np.cov(features.astype(np.float64).T), atol=1e-12)
    assert stats.count == 200


def test_bad_features_are_refused() -> None:
    with pytest.raises(ValueError, match="N >= 2"):
        statistics(np.zeros((1, 4)))
    with pytest.raises(ValueError, match="NaN"):
        statistics(np.full((4, 4), np.nan))
    with pytest.raises(ValueError, match="no distance"):
        frechet_distance(gaussian([0.0], [[1.0]]), gaussian([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]))


def test_statistics_survive_the_disk_and_damage_is_named(tmp_path: Path) -> None:
    stats, path = random_gaussian(6, 4, 4), tmp_path / "reference.safetensors"
    save_statistics(stats, path)
    again = load_statistics(path)
    assert np.array_equal(again.mean, stats.mean)
    assert np.array_equal(again.covariance, stats.covariance)
    assert again.count == stats.count
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DifftuiError, match="damaged"):
        load_statistics(path)
    with pytest.raises(DifftuiError, match="No reference"):
        load_statistics(tmp_path / "absent")
