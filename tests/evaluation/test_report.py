"""The report tells real digits from blobs, noise, copies and wrong labels."""

import math

import numpy as np
import pytest
import torch

from difftui.data import Digits, bundled
from difftui.evaluation.recogniser import load_recogniser, to_pictures
from difftui.evaluation.report import (
    Report,
    matched_draws,
    random_draws,
    real_floor,
    reference_statistics,
    report,
)

DIGITS = bundled()


def judged(pictures: torch.Tensor, labels: np.ndarray | None = None) -> Report:
    return report(pictures, labels)


def test_real_digits_agree_and_lie_at_the_floor() -> None:
    others = Digits(DIGITS.images[512:6000], DIGITS.labels[512:6000], "others")
    result = report(to_pictures(DIGITS.images[:512]), DIGITS.labels[:512], real=others)
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
    recogniser, reference, images = load_recogniser(), reference_statistics(), DIGITS.images[:1024]
    few, _ = real_floor(recogniser, reference, images, random_draws(1024, 128))
    many, _ = real_floor(recogniser, reference, images, random_draws(1024, 1024))
    assert many < few


def test_draws_are_disjoint_and_full() -> None:
    draws = random_draws(1000, 300)
    assert [len(draw) for draw in draws] == [300, 300, 300]
    assert len(np.unique(np.concatenate(draws))) == 900


def test_matched_draws_have_the_classes_asked_for() -> None:
    asked = np.array([0] * 20 + [7] * 5 + [3])
    draws = matched_draws(DIGITS.labels, asked)
    assert len(draws) == 8
    assert len(np.unique(np.concatenate(draws))) == 8 * 26
    for draw in draws:
        assert np.array_equal(np.sort(DIGITS.labels[draw]), np.sort(asked))


def test_a_matched_floor_leaves_out_the_varying_mix_of_classes() -> None:
    recogniser, reference = load_recogniser(), reference_statistics()
    asked = np.arange(100) % 10
    matched, _ = real_floor(recogniser, reference, DIGITS.images, matched_draws(DIGITS.labels, asked))
    drawn, _ = real_floor(recogniser, reference, DIGITS.images, random_draws(len(DIGITS), 100))
    assert matched < drawn


def test_bad_input_is_refused() -> None:
    pictures = to_pictures(DIGITS.images[:8])
    few = Digits(DIGITS.images[:4], DIGITS.labels[:4], "few")
    with pytest.raises(ValueError, match="8 labels"):
        report(pictures, [1, 2])
    with pytest.raises(ValueError, match="at least 8 real digits"):
        report(pictures, real=few)
    with pytest.raises(ValueError, match="at least 8 real digits"):
        report(pictures, [9] * 8, real=few)
