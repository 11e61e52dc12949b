"""The report tells real digits from blobs, noise, copies and wrong labels."""

import math

import numpy as np
import pytest
import torch

from difftui.data import bundled
from difftui.evaluation.recogniser import load_recogniser, to_pictures
from difftui.evaluation.report import Report, real_floor, reference_statistics, report

DIGITS = bundled()


def judged(pictures: torch.Tensor, labels: np.ndarray | None = None) -> Report:
    return report(pictures, labels)


def test_real_digits_agree_and_lie_at_the_floor() -> None:
    result = report(
        to_pictures(DIGITS.images[:512]), DIGITS.labels[:512], real_images=DIGITS.images[512:4608]
    )
    assert result.samples == 512
    assert result.agreement is not None
    assert result.agreement > 0.99
    assert result.confident > 0.97
    assert result.floor is not None
    assert result.floor_spread is not None
    assert abs(result.frechet - result.floor) < max(5 * result.floor_spread, 0.5)
    assert result.entropy == pytest.approx(math.log(10), abs=0.05)
    assert sum(result.class_shares) == pytest.approx(1)
    assert result.reference_count == 60_000
    assert "128 features" in result.network


def test_pure_noise_may_convince_the_classifier_but_not_the_distance() -> None:
    noise = torch.randn(256, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    real = judged(to_pictures(DIGITS.images[:256]))
    result = judged(noise)
    assert result.agreement is None
    assert result.floor is None
    assert result.entropy < 1.0
    assert result.frechet > 50 * real.frechet


def test_few_digits_copied_many_times_are_far() -> None:
    copies = to_pictures(DIGITS.images[:16]).repeat(16, 1, 1, 1)
    assert judged(copies).frechet > 3 * judged(to_pictures(DIGITS.images[:256])).frechet


def test_wrong_labels_do_not_agree() -> None:
    wrong = (DIGITS.labels[:64] + 1) % 10
    assert judged(to_pictures(DIGITS.images[:64]), wrong).agreement == pytest.approx(0, abs=0.05)


def test_the_floor_falls_with_the_sample_count() -> None:
    recogniser, reference = load_recogniser(), reference_statistics()
    few, _ = real_floor(recogniser, reference, DIGITS.images[:1024], 128)
    many, _ = real_floor(recogniser, reference, DIGITS.images[:1024], 1024)
    assert many < few


def test_bad_input_is_refused() -> None:
    pictures = to_pictures(DIGITS.images[:8])
    with pytest.raises(ValueError, match="8 labels"):
        report(pictures, [1, 2])
    with pytest.raises(ValueError, match="at least 8 real digits"):
        report(pictures, real_images=DIGITS.images[:4])
