"""Whether generated digits are copies: the nearest training digit of each, beside that of real new digits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["COPY_RATIO", "Neighbours", "nearest", "neighbours"]

COPY_RATIO = 1 / 3
"""A picture counts as a copy when its nearest training picture is this much closer than the next one: the
memorisation criterion of Yoon et al. (2023), Diffusion Probabilistic Models Generalize when They Fail to
Memorize, section 2."""

_CHUNK = 256  # pictures compared with all training pictures at a time: 60 MB of distances for 60 000


@dataclass(frozen=True, slots=True)
class Neighbours:
    """How close N pictures come to training pictures, as Euclidean distances of pixels in [-1, 1].

    Attributes:
        median, smallest: of the distances to the nearest training picture.
        copies: how many are copies: nearer to one training picture than to the next by :data:`COPY_RATIO`.
        training_count: training pictures compared with.
    """

    median: float
    smallest: float
    copies: int
    training_count: int


def neighbours(pictures: NDArray[np.floating], training: NDArray[np.uint8]) -> Neighbours:
    """Compare pictures (N, ...) in [-1, 1] with training pictures (M, ...) uint8, M >= 2.

    Raises:
        ValueError: as :func:`nearest`.
    """
    _, first, second = nearest(pictures, training)
    copies = int((first < COPY_RATIO * second).sum())
    return Neighbours(float(np.median(first)), float(first.min()), copies, len(training))


def nearest(
    pictures: NDArray[np.floating], training: NDArray[np.uint8]
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """For each picture the place of its nearest training picture, and the distances to that and to the next.

    Args:
        pictures: (N, ...) in [-1, 1], N >= 1.
        training: (M, ...) uint8, M >= 2, of as many pixels each.

    Returns:
        Three arrays of shape (N,).

    Raises:
        ValueError: pictures of another size, or too few.
    """
    asked = pictures.reshape(len(pictures), -1).astype(np.float32)
    known = training.reshape(len(training), -1).astype(np.float32) / np.float32(127.5) - np.float32(1)
    if len(asked) < 1 or len(known) < 2 or asked.shape[1] != known.shape[1]:
        raise ValueError(
            f"nearest wants pictures of one size and two or more to compare with, got {asked.shape} and "
            f"{known.shape}"
        )
    norms = np.einsum("ij,ij->i", known, known)
    places, firsts, seconds = [], [], []
    for start in range(0, len(asked), _CHUNK):
        part = asked[start : start + _CHUNK]
        rough = norms - 2 * (part @ known.T)  # |a - b|² less |a|², which is common to a row
        two = np.argpartition(rough, 1, axis=1)[:, :2]
        # Exactly, for the two that matter: the difference of large squares has lost digits.
        exact = np.linalg.norm(part[:, None].astype(np.float64) - known[two], axis=2)
        order = np.argsort(exact, axis=1)
        places.append(np.take_along_axis(two, order, axis=1)[:, 0])
        exact = np.take_along_axis(exact, order, axis=1)
        firsts.append(exact[:, 0])
        seconds.append(exact[:, 1])
    return np.concatenate(places), np.concatenate(firsts), np.concatenate(seconds)
