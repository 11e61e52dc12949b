"""Any folder of images as training pictures: cut square around the middle, brought to one size."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from difftui.data.pictures import Pictures
from difftui.errors import DifftuiError

__all__ = ["has_images", "read_folder"]

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"})
MOST_FILES = 200_000
_COLOUR_GAP = 8  # between the channels of a picture, in bytes: JPEG tints grey pictures a little


def has_images(folder: Path) -> bool:
    """Whether there is an image anywhere in it, told by the ends of the names."""
    return next(_files(folder), None) is not None


def read_folder(folder: Path, size: int) -> Pictures:
    """All images in a folder and the folders in it, in the order of their names.

    Where every image lies in a folder of ``folder``, those are the classes, as torchvision's ImageFolder has
    it; else there are none. The pictures are grey if every image is, else coloured.

    Args:
        folder: where to look.
        size: height and width of the pictures, in pixels.

    Raises:
        DifftuiError: there are no images, too many, or one cannot be read (it is named).
    """
    files = sorted(islice(_files(folder), MOST_FILES + 1))
    if not files:
        raise DifftuiError(f"There are no images in {folder}. Known are {', '.join(sorted(SUFFIXES))}.")
    if len(files) > MOST_FILES:
        raise DifftuiError(f"{folder} holds more than {MOST_FILES} images. Name a folder with fewer.")
    images = np.empty((len(files), size, size, 3), np.uint8)
    for index, path in enumerate(files):
        images[index] = _square(path, size)
    grey = not (images.max(axis=3).astype(np.int16) - images.min(axis=3) > _COLOUR_GAP).any()
    planes = _luminance(images)[:, None] if grey else images.transpose(0, 3, 1, 2)
    labels, classes = _classes(folder, files)
    source = f"{len(files)} images in {folder}"
    return Pictures(np.ascontiguousarray(planes), labels, classes, source)


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield Path(where) / name


def _square(path: Path, size: int) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
            fitted = ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS)
            return np.asarray(fitted, np.uint8)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DifftuiError(f"{path} cannot be read as an image ({error}). Take it out.") from None


def _luminance(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(..., 3) to (...): ITU-R BT.601."""
    grey: NDArray[np.uint8] = np.rint(images @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    return grey


def _classes(folder: Path, files: list[Path]) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    parts = [path.relative_to(folder).parts for path in files]
    if any(len(part) < 2 for part in parts):
        return None, ()
    names = tuple(sorted({part[0] for part in parts}))
    place = {name: index for index, name in enumerate(names)}
    return np.array([place[part[0]] for part in parts], np.int64), names
