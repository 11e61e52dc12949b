"""Pictures that leave the terminal: PNG grids, GIF trajectories, NPZ arrays.

Grey or in colour. Nothing here overwrites a file: a name that is taken gets a number (`digits-2.png`), and
every `save_…` returns the path it really wrote. Files appear whole or not at all (`difftui.atomic`).
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from difftui.atomic import replacing
from difftui.errors import DifftuiError

if TYPE_CHECKING:
    from PIL.Image import Image  # 30 ms to import, so the functions that need Pillow import it themselves

TEXT_PIXELS = 18
"""Height of the letters in captions."""
GIF_TICK_MS = 10
"""GIF counts time in hundredths of a second."""
GIF_FASTEST_FPS = 50
"""Viewers slow down frames shorter than two ticks."""


def to_uint8(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Bytes of an image: round((x + 1) · 127.5) for floats, clipped to 0 … 255; NaN becomes 0; uint8 passes
    through.

    Args:
        pixels: any shape, floats in [-1, 1] or uint8.

    Raises:
        ValueError: another kind of number.
    """
    pixels = np.asarray(pixels)
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind != "f":
        raise ValueError(f"pixels must be floats in [-1, 1] or uint8, not {pixels.dtype}")
    scaled = (pixels + 1.0) * 127.5
    clipped = np.clip(np.where(np.isnan(scaled), 0.0, scaled), 0.0, 255.0)
    rounded: NDArray[np.uint8] = np.rint(clipped).astype(np.uint8)
    return rounded


def as_images(pixels: NDArray[Any]) -> NDArray[Any]:
    """`pixels` as (N, H, W): accepts (H, W), (N, H, W) and (N, 1, H, W).

    Raises:
        ValueError: another shape, or no image at all.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim == 2:
        pixels = pixels[None]
    elif pixels.ndim == 4 and pixels.shape[1] == 1:
        pixels = pixels[:, 0]
    if pixels.ndim != 3 or 0 in pixels.shape:
        raise ValueError(f"expected images as (H, W), (N, H, W) or (N, 1, H, W), got shape {pixels.shape}")
    return pixels


def as_tiles(pixels: NDArray[Any]) -> NDArray[Any]:
    """`pixels` as (N, H, W), or as (N, H, W, 3) where they are in colour: (N, 3, H, W).

    Raises:
        ValueError: another shape, or no image at all.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim == 4 and pixels.shape[1] == 3 and 0 not in pixels.shape:
        return pixels.transpose(0, 2, 3, 1)
    return as_images(pixels)


def grid(
    images: NDArray[Any], *, columns: int | None = None, gap: int = 2, scale: int = 1, background: int = 128
) -> NDArray[np.uint8]:
    """Lay images out on one sheet, row by row.

    Args:
        images: (H, W), (N, H, W), (N, 1, H, W), or in colour (N, 3, H, W), floats in [-1, 1] or uint8.
        columns: images in a row; about √N when None.
        gap: pixels (before scaling) between and around several images; a single image gets none.
        scale: each pixel becomes scale × scale pixels.
        background: grey of the gaps and of places without an image, 0 to 255.

    Returns:
        uint8 of shape (height, width), in colour (height, width, 3).

    Raises:
        ValueError: wrong shape or number type, columns or scale below 1, negative gap.
    """
    tiles = to_uint8(as_tiles(images))
    number, height, width = tiles.shape[:3]
    if columns is None:
        columns = int(np.ceil(np.sqrt(number)))
    if columns < 1 or scale < 1 or gap < 0:
        raise ValueError(
            f"columns and scale must be 1 or more and gap 0 or more, got {columns}, {scale}, {gap}"
        )
    columns = min(columns, number)
    rows = -(-number // columns)
    gap = gap if number > 1 else 0
    area = (rows * (height + gap) + gap, columns * (width + gap) + gap)
    sheet = np.full((*area, *tiles.shape[3:]), background, np.uint8)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        y, x = gap + row * (height + gap), gap + column * (width + gap)
        sheet[y : y + height, x : x + width] = tile
    return sheet.repeat(scale, axis=0).repeat(scale, axis=1)


def unused_path(path: str | os.PathLike[str]) -> Path:
    """`path`, or the first of name-2, name-3, … beside it that does not exist."""
    wanted = Path(path)
    if not os.path.lexists(wanted):
        return wanted
    for number in count(2):
        candidate = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        if not os.path.lexists(candidate):
            return candidate
    raise AssertionError("count() does not end")


@contextmanager
def _writing(path: str | os.PathLike[str]) -> Iterator[tuple[Path, Path]]:
    """Yield (temporary file to fill, name it will get).

    Raises:
        DifftuiError: the folder cannot be written.
    """
    target = unused_path(path)
    try:
        with replacing(target) as temporary:
            yield temporary, target
    except OSError as error:
        reason = error.strerror or str(error)
        raise DifftuiError(f"Cannot write {target}: {reason}. Choose another folder for the file.") from error


def save_png(
    path: str | os.PathLike[str], images: NDArray[Any], *, columns: int | None = None, scale: int = 8
) -> Path:
    """Write one image, or several as a grid, as a PNG, grey or in colour.

    Args:
        path: where; a taken name gets a number.
        images, columns, scale: as for `grid`.

    Returns:
        The path written.

    Raises:
        ValueError: as `grid`. DifftuiError: the folder cannot be written.
    """
    sheet = grid(images, columns=columns, scale=scale)
    with _writing(path) as (temporary, target):
        _picture(sheet).save(temporary, format="PNG", optimize=True)
    return target


def save_captioned(
    path: str | os.PathLike[str],
    images: NDArray[Any],
    captions: Sequence[Sequence[str]],
    *,
    title: str = "",
    columns: int | None = None,
    scale: int = 8,
) -> Path:
    """Write images as a PNG with lines of text under each, and a title above all.

    Args:
        path: where; a taken name gets a number.
        images: (N, H, W), (N, 1, H, W), or in colour (N, 3, H, W), floats in [-1, 1] or uint8.
        captions: the lines of each image. A line that is wider than its image runs on into the gap.
        title: one line; "" for none.
        columns: images in a row; all when None.
        scale: each pixel becomes scale x scale pixels.

    Returns:
        The path written.

    Raises:
        ValueError: as `grid`, or captions of another number. DifftuiError: the folder cannot be written.
    """
    from PIL import Image, ImageDraw, ImageFont

    tiles = to_uint8(as_tiles(images))
    if len(captions) != len(tiles):
        raise ValueError(f"{len(captions)} captions for {len(tiles)} images")
    columns = min(columns or len(tiles), len(tiles))
    gap, line = 2 * TEXT_PIXELS, TEXT_PIXELS + TEXT_PIXELS // 3
    across = tiles.shape[2] * scale + gap
    down = tiles.shape[1] * scale + line * max(len(lines) for lines in captions) + gap
    top = gap + (line if title else 0)
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * across + gap, top + rows * down), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT_PIXELS)
    draw.text((gap, gap // 2), title, fill="black", font=font)
    for index, (tile, lines) in enumerate(zip(tiles, captions, strict=True)):
        y, x = top + index // columns * down, gap + index % columns * across
        sheet.paste(_picture(tile.repeat(scale, axis=0).repeat(scale, axis=1)).convert("RGB"), (x, y))
        for number, text in enumerate(lines):
            place = (x, y + tile.shape[0] * scale + TEXT_PIXELS // 4 + number * line)
            draw.text(place, text, fill="black", font=font)
    with _writing(path) as (temporary, target):
        sheet.save(temporary, format="PNG", optimize=True)
    return target


def save_gif(
    path: str | os.PathLike[str],
    frames: Iterable[NDArray[Any]],
    fps: float = 15.0,
    *,
    columns: int | None = None,
    scale: int = 8,
    hold: float = 1.5,
) -> Path:
    """Write a trajectory as an endless GIF; colours are brought down to the 256 that a GIF frame can have.

    Args:
        path: where; a taken name gets a number.
        frames: each what `grid` takes: one image, or several that become a grid. All of one shape.
        fps: frames a second, above 0, at most 50 (GIF counts in hundredths of a second; the rounding is
            spread, so that the whole keeps its length).
        columns, scale: as for `grid`.
        hold: seconds that the last frame stays.

    Returns:
        The path written.

    Raises:
        ValueError: no frame, fps out of range, or as `grid`. DifftuiError: the folder cannot be written.
    """
    if not 0 < fps <= GIF_FASTEST_FPS:
        raise ValueError(f"fps must be above 0 and at most {GIF_FASTEST_FPS}, got {fps}")
    pictures = [_picture(grid(frame, columns=columns, scale=scale)) for frame in frames]
    if not pictures:
        raise ValueError("a GIF needs at least one frame")
    if len({picture.size for picture in pictures}) > 1:
        raise ValueError("all frames of a GIF must have one shape")
    ticks = np.rint(np.arange(len(pictures) + 1) * (1000 / fps / GIF_TICK_MS)).astype(int)
    durations = (np.diff(ticks) * GIF_TICK_MS).tolist()
    durations[-1] += round(hold * 1000)
    with _writing(path) as (temporary, target):
        first, *rest = pictures
        first.save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=rest,
            duration=durations,
            loop=0,
            optimize=False,
        )
    return target


def save_npz(
    path: str | os.PathLike[str], samples: NDArray[np.floating[Any]], labels: NDArray[Any] | None = None
) -> Path:
    """Write samples as a compressed NumPy archive that `numpy.load` reads without pickle.

    Args:
        path: where; a taken name gets a number.
        samples: (N, C, H, W) in [-1, 1]; stored as `samples`, float32.
        labels: (N,) integers, stored as `labels`; None for an unconditional model.

    Returns:
        The path written.

    Raises:
        ValueError: wrong shapes. DifftuiError: the folder cannot be written.
    """
    samples = np.asarray(samples)
    if samples.ndim != 4:
        raise ValueError(f"samples must have shape (N, C, H, W), got {samples.shape}")
    arrays: dict[str, NDArray[Any]] = {"samples": samples.astype(np.float32)}
    if labels is not None:
        labels = np.asarray(labels)
        if labels.shape != samples.shape[:1]:
            raise ValueError(f"labels must have shape ({len(samples)},), got {labels.shape}")
        arrays["labels"] = labels
    with _writing(path) as (temporary, target), temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    return target


def _picture(sheet: NDArray[np.uint8]) -> "Image":
    from PIL import Image

    return Image.fromarray(sheet)
