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

from difftui.data import Digits
from difftui.evaluation.frechet import Statistics, frechet_distance, load_statistics, statistics
from difftui.evaluation.neighbours import Neighbours, neighbours
from difftui.evaluation.recogniser import (
    NETWORK,
    Recogniser,
    default_folder,
    judge,
    load_recogniser,
    to_pictures,
)

__all__ = [
    "CONFIDENT",
    "Report",
    "matched_draws",
    "random_draws",
    "real_floor",
    "reference_statistics",
    "report",
]

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
            reference has not seen, in the same shares of the classes where digits were asked for; None where
            no real digits were given.
        reference_count: real training digits behind the reference statistics.
        neighbours: how close the pictures come to training digits; None where none were given.
        real_neighbours: the same for as many real digits that are new; None where one of both is missing.
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
    neighbours: Neighbours | None = None
    real_neighbours: Neighbours | None = None
    network: str = NETWORK


def reference_statistics() -> Statistics:
    """The features of all 60 000 MNIST training digits, as shipped beside the recogniser."""
    return load_statistics(default_folder() / "reference.safetensors")


def report(
    pictures: Tensor | npt.NDArray[np.float32],
    labels: Sequence[int] | npt.NDArray[np.integer] | Tensor | None = None,
    *,
    real: Digits | None = None,
    training: Digits | None = None,
    recogniser: Recogniser | None = None,
    reference: Statistics | None = None,
) -> Report:
    """Judge pictures (N, 1, 28, 28) in [-1, 1] (clamped here), N >= 2, asked for as `labels` (N,).

    `real`, for the floor: N or more digits that are not in the reference (the MNIST test set). Where digits
    were asked for, each draw of real ones has the same number of every class. `training`, for the search for
    copies: the digits that the network was trained on.

    Raises:
        DifftuiError: the shipped recogniser or its reference is missing or damaged.
        ValueError: shapes that do not fit, or too few real digits.
    """
    asked = None if labels is None else np.array(labels)
    recogniser = recogniser or load_recogniser()
    reference = reference or reference_statistics()
    features, probabilities = judge(recogniser, torch.as_tensor(pictures).float().clamp(-1, 1))
    best, seen = probabilities.max(dim=1)
    shares = torch.bincount(seen, minlength=10).double() / len(seen)
    floor = near = real_near = None
    shown = np.asarray(pictures, np.float32).clip(-1, 1)
    if training is not None:
        near = neighbours(shown, training.images)
    if real is not None:
        draws = random_draws(len(real), len(seen)) if asked is None else matched_draws(real.labels, asked)
        floor = real_floor(recogniser, reference, real.images, draws)
        if training is not None:
            real_near = neighbours(real.images[draws[0]].astype(np.float32) / 127.5 - 1, training.images)
    return Report(
        samples=len(seen),
        agreement=None if asked is None else _agreement(seen.numpy(), asked),
        confident=float((best > CONFIDENT).double().mean()),
        class_shares=tuple(shares.tolist()),
        entropy=float(torch.special.entr(shares).sum()),
        frechet=frechet_distance(reference, statistics(features.numpy())),
        floor=None if floor is None else floor[0],
        floor_spread=None if floor is None else floor[1],
        reference_count=reference.count,
        neighbours=near,
        real_neighbours=real_near,
    )


def real_floor(
    recogniser: Recogniser,
    reference: Statistics,
    real_images: npt.NDArray[np.uint8],
    draws: Sequence[npt.NDArray[np.intp]],
) -> tuple[float, float]:
    """Mean and standard deviation over the draws of the Fréchet distance of those real digits.

    Args:
        recogniser: whose features.
        reference: what they are held against.
        real_images: (M, 28, 28).
        draws: each the positions of one sample of digits; of equal length, see `random_draws`.
    """
    features, _ = judge(recogniser, to_pictures(real_images[np.concatenate(draws)]))
    parts = torch.split(features, len(draws[0]))
    distances = [frechet_distance(reference, statistics(part.numpy())) for part in parts]
    return float(np.mean(distances)), float(np.std(distances))


def random_draws(available: int, count: int) -> list[npt.NDArray[np.intp]]:
    """Up to 8 disjoint draws of `count` of the positions 0 ... available - 1 (fixed seed).

    Raises:
        ValueError: fewer positions than one draw needs.
    """
    if available < count:
        raise ValueError(f"the floor of {count} samples needs at least {count} real digits, got {available}")
    order = np.random.default_rng(0).permutation(available)
    return [order[i * count : (i + 1) * count] for i in range(min(MAX_DRAWS, available // count))]


def matched_draws(
    real_labels: npt.NDArray[np.integer], labels: npt.NDArray[np.integer]
) -> list[npt.NDArray[np.intp]]:
    """Up to 8 disjoint draws of positions in `real_labels`, each with as many of every class as `labels` has.

    Samples asked for in equal shares lie closer to the reference than random digits, whose mix of classes
    varies; a floor for them must not include that variation.

    Raises:
        ValueError: a class with fewer real digits than one draw needs.
    """
    columns = []
    for digit, wanted in zip(*np.unique(labels, return_counts=True), strict=True):
        places = np.flatnonzero(real_labels == digit)
        columns.append([places[draw] for draw in random_draws(len(places), int(wanted))])
    return [np.concatenate(draw) for draw in zip(*columns, strict=False)]


def _agreement(seen: npt.NDArray[np.integer], asked: npt.NDArray[np.integer]) -> float:
    if asked.shape != seen.shape:
        raise ValueError(f"{len(seen)} pictures need {len(seen)} labels, got shape {asked.shape}")
    return float((seen == asked).mean())
