"""Sample strips: square pictures, grey or coloured, side by side in a PNG, ``step-000012000.png``."""

from __future__ import annotations

import io
import os
import re
import struct
import zlib
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui import atomic
from difftui.errors import DifftuiError
from difftui.runs.files import open_regular

if TYPE_CHECKING:
    from difftui.runs.run import Run

__all__ = ["list_strips", "read_strip", "write_strip"]

MOST_FILES = 100_000  # looked at in the folder
MOST_PIXELS = 1_000_000
MOST_BYTES = 4 * MOST_PIXELS  # noise does not compress, but neither does it grow much
_NAME = re.compile(r"step-([0-9]{9,15})\.png")
_MODES = {0: "L", 2: "RGB"}  # section 4.1.1
_HEADER = struct.Struct(">8sI4sIIBBBBB")  # PNG 1.2, sections 3.1 and 4.1.1


def write_strip(run: Run, step: int, images: NDArray[np.uint8]) -> Path:
    """Write pictures drawn at ``step``, atomically.

    Args:
        run: where they belong.
        step: optimiser steps done, 0 to 10¹⁵ - 1.
        images: (n, H, H), or (n, H, H, 3) in colour, uint8, 0 black to 255 white.

    Raises:
        ValueError: another shape or type, too many pixels, or such a step cannot be.
        OSError: the folder cannot be written, or the disk is full.
    """
    from PIL import Image

    shaped = images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3)
    if images.dtype != np.uint8 or not shaped or images.shape[1] != images.shape[2] or not images.size:
        raise ValueError(f"images must be (n, H, H) or (n, H, H, 3) uint8, got {images.shape} {images.dtype}")
    n, height, width = images.shape[:3]
    if n * height * width > MOST_PIXELS:
        raise ValueError(f"a strip has at most {MOST_PIXELS} pixels, got {n * height * width}")
    if not 0 <= step < 10**15:
        raise ValueError(f"step must be 0 to 10¹⁵ - 1, got {step}")
    strip = images.swapaxes(0, 1).reshape(height, n * width, *images.shape[3:])
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(strip)).save(buffer, "PNG")
    path = run.samples_path / f"step-{step:09d}.png"
    run.samples_path.mkdir(exist_ok=True)  # without parents: a run that was removed stays so
    atomic.write_bytes(path, buffer.getvalue())
    return path


def read_strip(path: Path) -> NDArray[np.uint8]:
    """The pictures of a strip, (n, H, H), or (n, H, H, 3) where they are in colour, uint8.

    Size and format are checked in the file's first bytes, before memory for pixels is taken.

    Raises:
        DifftuiError: the file is missing, damaged, or not a strip.
    """
    from PIL import Image

    try:
        descriptor = open_regular(path)
        with os.fdopen(descriptor, "rb") as file:
            if os.fstat(descriptor).st_size > MOST_BYTES:
                raise ValueError("too large")
            data = file.read(MOST_BYTES)
        width, height, mode = _header(data)
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.size != (width, height) or image.mode != mode:
                raise ValueError(f"not {mode}")
            pixels = np.array(image, np.uint8)
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error) as error:
        raise DifftuiError(f"{path} is damaged or not a strip of samples ({error}). Remove it.") from None
    return pixels.reshape(height, width // height, height, *pixels.shape[2:]).swapaxes(0, 1).copy()


def list_strips(folder: Path) -> list[tuple[int, Path]]:
    """Steps and files of the strips in ``folder``, by step; empty where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice(entries, MOST_FILES)]
    except OSError:
        return []
    found = ((_NAME.fullmatch(name), name) for name in names)
    return sorted((int(match[1]), folder / name) for match, name in found if match)


def _header(data: bytes) -> tuple[int, int, str]:
    """Width, height and Pillow's name of the colours in a PNG's header.

    Raises:
        ValueError: it is not the header of a strip.
    """
    if len(data) < _HEADER.size:
        raise ValueError("too short")
    signature, length, kind, width, height, depth, colour, *_ = _HEADER.unpack_from(data)
    if (signature, length, kind, depth) != (b"\x89PNG\r\n\x1a\n", 13, b"IHDR", 8) or colour not in _MODES:
        raise ValueError("not a PNG in grey or in colours of a byte each")
    if not height or not width or width % height or width * height > MOST_PIXELS:
        raise ValueError(f"{width}×{height} pixels")
    return width, height, _MODES[colour]
