"""Labelled digits as plain bytes, and those that ship with difftui: 10 000 to train on, 500 held out."""

import zipfile
import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from difftui.errors import DifftuiError
from difftui.paths import assets_dir

__all__ = ["SIZE", "Digits", "bundled", "held_out"]

SIZE = 28  # rows and columns of an MNIST digit


@dataclass(frozen=True, eq=False, slots=True)
class Digits:
    """Grey pictures of handwritten digits with their classes. The arrays cannot be written to.

    Attributes:
        images: (N, 28, 28) uint8; 0 is paper (black), 255 is ink (white). A network sees x = v / 127.5 - 1.
        labels: (N,) uint8, 0 to 9.
        source: where they came from, in words for the screen.

    Raises:
        ValueError: arrays of another shape or type, no digits at all, or a label above 9.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    source: str

    def __post_init__(self) -> None:
        images, labels = self.images.view(), self.labels.view()
        if images.dtype != np.uint8 or images.shape[1:] != (SIZE, SIZE):
            raise ValueError(f"images must be uint8 (N, {SIZE}, {SIZE}), not {images.dtype} {images.shape}")
        if labels.dtype != np.uint8 or labels.shape != (len(images),):
            raise ValueError(f"labels must be uint8 ({len(images)},), not {labels.dtype} {labels.shape}")
        if len(labels) == 0:
            raise ValueError("there must be at least one digit")
        if labels.max() > 9:
            raise ValueError(f"labels must be 0 to 9, found {labels.max()}")
        images.flags.writeable = False
        labels.flags.writeable = False
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        """The number of digits N."""
        return len(self.images)

    def of_class(self, label: int) -> NDArray[np.intp]:
        """Where the digits of one class are: rising positions in `images`, empty when there are none."""
        return np.flatnonzero(self.labels == label)


@cache
def bundled() -> Digits:
    """The first 10 000 MNIST training digits, which ship with difftui: image i is image i of MNIST.

    Read once (about 0.05 s) and kept. LeCun, Cortes and Burges, CC BY-SA 3.0; see assets/ATTRIBUTION.md.

    Raises:
        DifftuiError: the installation is incomplete or damaged.
    """
    return _shipped("digits.npz", "bundled MNIST digits")


@cache
def held_out() -> Digits:
    """The first 500 digits of MNIST's test set, which ship with difftui and which no training sees.

    Raises:
        DifftuiError: the installation is incomplete or damaged.
    """
    return _shipped("held_out.npz", "the first 500 digits of MNIST's test set")


def _shipped(name: str, source: str) -> Digits:
    path = assets_dir() / name
    try:
        with np.load(path, allow_pickle=False) as archive:
            return Digits(archive["images"], archive["labels"], source)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DifftuiError(f"The bundled digits {path} cannot be read. Install difftui again.") from error
