"""What several pages work with: digits that no network has seen, networks that ship, measures of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.data import Pictures, bundled, held_out, held_out_pictures
from difftui.errors import DifftuiError
from difftui.experiments.page import Setup
from difftui.runs import shipped_runs

if TYPE_CHECKING:
    from torch import Tensor

    from difftui.evaluation.recogniser import Recogniser
    from difftui.training.loading import LoadedModel

__all__ = [
    "COMPARED",
    "SURE",
    "apart",
    "clean",
    "drawn",
    "frechet",
    "grain",
    "ink",
    "load_network",
    "nearest_digit",
    "network_names",
    "never_seen",
    "picture",
    "readings",
    "real_apart",
    "real_certainty",
    "real_frechet",
    "real_grain",
    "real_ink",
    "real_nearest",
    "recognised",
    "some_of_each",
]

Floats = NDArray[np.float64]
SURE = 0.9  # probability from which a reading counts as certain
COMPARED = 2000  # real digits among which the nearest is sought


def clean(images: NDArray[np.uint8]) -> Floats:
    """Bytes as pixels in [-1, 1]."""
    pixels: Floats = images / 127.5 - 1.0
    return pixels


def picture(setup: Setup) -> Floats:
    """The first held-out digit of the class that was chosen, (28, 28) in [-1, 1]."""
    return clean(held_out().images[held_out().of_class(setup.label)[0]])


def some_of_each(count: int) -> Floats:
    """Held-out digits 0 to 9, and again: (10 · count, 28, 28)."""
    digits = held_out()
    members = [digits.of_class(label)[:count] for label in range(10)]
    return clean(digits.images[np.transpose(members).ravel()])


def network_names(names: Sequence[str]) -> tuple[str, ...]:
    """Those of these networks that ship, in this order."""
    here = {run.name for run in shipped_runs()}
    return tuple(name for name in names if name in here)


def load_network(names: Sequence[str], wanted: str, device: str) -> LoadedModel:
    """The shipped network asked for, or the first of those that ship.

    Raises:
        DifftuiError: none of them ships, or its weights cannot be read.
    """
    known = network_names(names)
    if not known:
        raise DifftuiError(f"None of the networks {', '.join(names)} ships here. Install difftui again.")
    return _loaded(wanted if wanted in known else known[0], device)


@lru_cache(maxsize=3)
def _loaded(name: str, device: str) -> LoadedModel:
    from difftui.training.loading import load_model

    return load_model(next(run.path for run in shipped_runs() if run.name == name), device)


def never_seen(loaded: LoadedModel) -> Pictures:
    """Pictures that no training saw, as the network takes them.

    Raises:
        DifftuiError: of what it was trained on none are held out.
    """
    held = held_out_pictures(loaded.recipe.data)
    if held is None:
        raise DifftuiError(f"{loaded.name} was trained on data of which none are held out.")
    return held.prepared(loaded.recipe.image_size, loaded.recipe.classes)


def drawn(pictures: Tensor) -> NDArray[np.float32]:
    """Grey pictures (N, 1, H, W) on any device as an array (N, H, W)."""
    array: NDArray[np.float32] = pictures[:, 0].float().cpu().numpy()
    return array


# Measures.


def apart(pictures: NDArray[np.floating]) -> float:
    """How different pictures (N, H, W), N >= 2, are: the mean distance of two, as √Σ(a - b)² over the pixels.

    0 where all are the same.
    """
    pairs = combinations(pictures.astype(np.float64), 2)
    return float(np.mean([np.linalg.norm(a - b) for a, b in pairs]))


def nearest_digit(pictures: NDArray[np.floating]) -> float:
    """The median over pictures (N, 28, 28) of the distance to the nearest of 2000 real digits."""
    from difftui.evaluation.neighbours import neighbours

    return neighbours(pictures, bundled().images[:COMPARED]).median


def ink(pictures: NDArray[np.floating]) -> float:
    """The share of pixels that are more ink than paper."""
    return float((pictures > 0.0).mean())


def grain(pictures: NDArray[np.floating]) -> float:
    """The mean difference of pixels (N, H, W) from their neighbours to the right: 1.1 for noise alone."""
    return float(np.abs(np.diff(pictures, axis=-1)).mean())


def _real() -> Floats:
    return clean(held_out().images[:100])


@lru_cache(maxsize=1)
def real_apart() -> float:
    """:func:`apart` of a hundred real digits."""
    return apart(_real())


@lru_cache(maxsize=1)
def real_nearest() -> float:
    """:func:`nearest_digit` of a hundred real digits, none of them among those compared with."""
    return nearest_digit(_real())


def real_ink() -> float:
    """:func:`ink` of a hundred real digits."""
    return ink(_real())


def real_grain() -> float:
    """:func:`grain` of a hundred real digits."""
    return grain(_real())


def readings(pictures: NDArray[np.floating]) -> NDArray[np.float32]:
    """How probable the recogniser takes each digit to be in pictures (N, 28, 28): (N, 10), rows of sum 1.

    It has learned from clean digits only, and is sure of blobs and of noise, too.
    """
    return _judged(pictures)[1]


def frechet(pictures: NDArray[np.floating]) -> float:
    """The Fréchet distance of the recogniser's features of pictures (N, 28, 28) to those of 60 000 digits.

    Few pictures alone make it large: hold it against :func:`real_frechet` of as many.
    """
    from difftui.evaluation.frechet import frechet_distance, statistics
    from difftui.evaluation.report import reference_statistics

    return frechet_distance(reference_statistics(), statistics(_judged(pictures)[0]))


@lru_cache(maxsize=4)
def real_frechet(count: int) -> tuple[float, float]:
    """Mean and standard deviation of :func:`frechet` over draws of so many held-out digits, 8 at most."""
    from difftui.evaluation.report import random_draws, real_floor, reference_statistics

    images = held_out().images
    return real_floor(_recogniser(), reference_statistics(), images, random_draws(len(images), count))


def _judged(pictures: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features (N, 128) and probabilities (N, 10) of pictures (N, 28, 28)."""
    import torch

    from difftui.evaluation.recogniser import judge

    asked = torch.from_numpy(np.clip(pictures, -1.0, 1.0).astype(np.float32))[:, None]
    features, probabilities = judge(_recogniser(), asked)
    return features.numpy(), probabilities.numpy()


def recognised(pictures: NDArray[np.floating]) -> NDArray[np.intp]:
    """What the recogniser takes pictures (N, 28, 28) for: (N,) digits."""
    digits: NDArray[np.intp] = readings(pictures).argmax(axis=1)
    return digits


@lru_cache(maxsize=1)
def real_certainty() -> tuple[float, float]:
    """Mean probability of the digit that is read in a hundred real digits; the share of those above 0.9."""
    best = readings(_real()).max(axis=1)
    return float(best.mean()), float((best > SURE).mean())


@lru_cache(maxsize=1)
def _recogniser() -> Recogniser:
    from difftui.evaluation.recogniser import load_recogniser

    return load_recogniser()
