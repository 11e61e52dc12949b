"""Pictures of any kind as plain bytes: what a training takes. Digits are the case of one colour and 28x28."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from difftui.data.digits import Digits

__all__ = ["Pictures", "resized"]

_CHUNK = 2000  # pictures resized at a time: their float copies take a few MB


@dataclass(frozen=True, eq=False, slots=True)
class Pictures:
    """Square pictures, with their classes where they have any. The arrays cannot be written to.

    Attributes:
        images: (N, C, H, H) uint8, C = 1 (grey) or 3 (red, green, blue). A network sees x = v / 127.5 - 1.
        labels: (N,) int64, 0 to len(classes) - 1; None where there are no classes.
        classes: their names, in the order of the labels.
        source: where they came from, in words for the screen.

    Raises:
        ValueError: arrays of another shape or type, no pictures, or a label that is no class.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    classes: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        images = self.images.view()
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
            raise ValueError(f"images must be uint8 (N, 1 or 3, H, H), not {images.dtype} {images.shape}")
        if images.shape[2] != images.shape[3] or images.size == 0:
            raise ValueError(f"there must be at least one square picture, not {images.shape}")
        images.flags.writeable = False
        object.__setattr__(self, "images", images)
        if self.labels is None:
            return
        labels = self.labels.astype(np.int64)
        if labels.shape != (len(images),):
            raise ValueError(f"labels must be ({len(images)},), not {labels.shape}")
        if labels.min() < 0 or labels.max() >= len(self.classes):
            raise ValueError(f"labels must be 0 to {len(self.classes) - 1}, found {labels.max()}")
        labels.flags.writeable = False
        object.__setattr__(self, "labels", labels)

    @classmethod
    def of(cls, digits: Digits) -> Pictures:
        """The same digits, with a colour axis."""
        names = tuple(str(digit) for digit in range(10))
        return cls(digits.images[:, None], digits.labels.astype(np.int64), names, digits.source)

    def __len__(self) -> int:
        """The number of pictures N."""
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one picture: (C, H, W)."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @property
    def num_classes(self) -> int | None:
        """How many classes there are; None where pictures have none."""
        return None if self.labels is None else len(self.classes)

    def prepared(self, size: int | None = None, classes: int | None = None) -> Pictures:
        """Of the first ``classes`` classes only, and ``size`` pixels wide; None leaves it as it is.

        Raises:
            ValueError: there are not so many classes.
        """
        result = self
        if classes is not None and classes != self.num_classes:
            result = result._first(classes)
        if size is not None and size != self.shape[1]:
            result = replace(result, images=resized(result.images, size))
        return result

    def _first(self, classes: int) -> Pictures:
        if self.labels is None:
            raise ValueError(f"{self.source} has no classes to choose from")
        if not 1 <= classes <= len(self.classes):
            raise ValueError(f"{self.source} has {len(self.classes)} classes, not {classes}")
        chosen = self.labels < classes
        return Pictures(self.images[chosen], self.labels[chosen], self.classes[:classes], self.source)


def resized(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Pictures at another size: each new pixel is the mean of the area it covers (a box filter).

    With W[i, j] the share of new pixel i that lies over old pixel j, new = W old Wᵀ, rounded.

    Args:
        images: (..., H, W) uint8.
        size: new height and width, at least 1.
    """
    rows, columns = _shares(images.shape[-2], size), _shares(images.shape[-1], size)
    flat = images.reshape(-1, *images.shape[-2:])
    new = np.empty((len(flat), size, size), np.uint8)
    for start in range(0, len(flat), _CHUNK):
        part = flat[start : start + _CHUNK].astype(np.float32)
        new[start : start + _CHUNK] = np.rint(rows @ part @ columns.T).astype(np.uint8)
    return new.reshape(*images.shape[:-2], size, size)


def _shares(old: int, new: int) -> NDArray[np.float32]:
    """(new, old): how much of each new pixel lies over each old one; rows sum to 1."""
    edges = np.arange(new + 1) * (old / new)
    low = np.maximum(edges[:-1, None], np.arange(old)[None])
    high = np.minimum(edges[1:, None], np.arange(1, old + 1)[None])
    overlap = np.clip(high - low, 0.0, None)
    shares: NDArray[np.float32] = (overlap / overlap.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
