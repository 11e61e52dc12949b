"""One report on generated digits: what was asked, what a recogniser sees, and how far it is from real digits.

No figure stands alone: a recogniser is sure of blobs and of noise, so confidence comes with class balance,
and the Fréchet distance comes with the floor that real digits themselves reach at the same sample count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from difftui.evaluation.frechet import Statistics, frechet_distance, load_statistics, statistics
from difftui.evaluation.recogniser import (
    NETWORK,
    Recogniser,
    default_folder,
    judge,
    load_recogniser,
    to_pictures,
)

__all__ = ["CONFIDENT", "Report", "real_floor", "reference_statistics", "report"]

CONFIDENT = 0.9
MAX_DRAWS = 8


@dataclass(frozen=True)
class Report:
    """What the recogniser says of N pictures.

    Attributes:
        samples: N.
        agreement: share whose most probable class is the label asked for; None where none was asked.
        confident: share with a highest class probability above 0.9. Fooled by blobs and noise.
        class_shares: share of each digit 0 … 9 among the most probable classes.
        entropy: of those shares, in nats; ln 10 = 2.303 when all ten are equally frequent.
        frechet: Fréchet distance of the features to the reference.
        floor, floor_spread: mean and standard deviation of the same distance for N real digits that the
            reference has not seen; None where no such digits were given.
        reference_count: real training digits behind the reference statistics.
        network: whose features these are.
    """

    samples: int
    agreement: float | None
    confident: float
    class_shares: tuple[float, ...]
    entropy: float
    frechet: float
    floor: float | None
    floor_spread: float | None
    reference_count: int
    network: str = NETWORK


def reference_statistics() -> Statistics:
    """The features of all 60 000 MNIST training digits, as shipped beside the recogniser."""
    return load_statistics(default_folder() / "reference.safetensors")


def report(
    pictures: Tensor | npt.NDArray[np.float32],
    labels: Sequence[int] | npt.NDArray[np.integer] | Tensor | None = None,
    *,
    real_images: npt.NDArray[np.uint8] | None = None,
    recogniser: Recogniser | None = None,
    reference: Statistics | None = None,
) -> Report:
    """Judge pictures (N, 1, 28, 28) in [-1, 1] (clamped here), N >= 2, asked for as `labels` (N,).

    `real_images`, for the floor: uint8 (M, 28, 28), M >= N, not in the reference (the MNIST test set).

    Raises:
        DifftuiError: the shipped recogniser or its reference is missing or damaged.
        ValueError: shapes that do not fit, or fewer real digits than pictures.
    """
    recogniser = recogniser or load_recogniser()
    reference = reference or reference_statistics()
    features, probabilities = judge(recogniser, torch.as_tensor(pictures).float().clamp(-1, 1))
    best, seen = probabilities.max(dim=1)
    shares = torch.bincount(seen, minlength=10).double() / len(seen)
    floor = None if real_images is None else real_floor(recogniser, reference, real_images, len(seen))
    return Report(
        samples=len(seen),
        agreement=None if labels is None else _agreement(seen, torch.as_tensor(np.array(labels))),
        confident=float((best > CONFIDENT).double().mean()),
        class_shares=tuple(shares.tolist()),
        entropy=float(torch.special.entr(shares).sum()),
        frechet=frechet_distance(reference, statistics(features.numpy())),
        floor=None if floor is None else floor[0],
        floor_spread=None if floor is None else floor[1],
        reference_count=reference.count,
    )


def real_floor(
    recogniser: Recogniser, reference: Statistics, real_images: npt.NDArray[np.uint8], count: int
) -> tuple[float, float]:
    """Mean and standard deviation of the distance of `count` real digits, over up to 8 disjoint draws."""
    draws = min(MAX_DRAWS, len(real_images) // count)
    if draws < 1:
        raise ValueError(
            f"the floor of {count} samples needs at least {count} real digits, got {len(real_images)}"
        )
    order = np.random.default_rng(0).permutation(len(real_images))[: draws * count]
    features, _ = judge(recogniser, to_pictures(real_images[order]))
    parts = torch.split(features, count)
    distances = [frechet_distance(reference, statistics(part.numpy())) for part in parts]
    return float(np.mean(distances)), float(np.std(distances))


def _agreement(seen: Tensor, labels: Tensor) -> float:
    if labels.shape != seen.shape:
        raise ValueError(f"{len(seen)} pictures need {len(seen)} labels, got shape {tuple(labels.shape)}")
    return float((seen == labels).double().mean())
