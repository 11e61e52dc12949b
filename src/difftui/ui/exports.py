"""Pictures as files that a student keeps: PNG, and of a trajectory the way to it as GIF."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from difftui.media import save_gif, save_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from difftui.engine.denoising import DenoisingView
    from difftui.engine.sampling import SamplingView

__all__ = ["save_filters", "save_looks", "save_repeats", "save_trajectory"]

GIF_FRAMES = 120  # at most; longer trajectories leave frames out
GIF_FPS = 20.0
SCALE, GRID_SCALE = 8, 4
GRID_COLUMNS = 4
ROWS_PIXELS = 112  # across each picture of rows, about


def save_trajectory(view: SamplingView, index: int, picture: int | None, folder: Path) -> tuple[Path, Path]:
    """Write the picture at ``index`` as PNG, and as GIF everything that is there from the noise on.

    Args:
        view: the trajectory.
        index: which frame the PNG shows.
        picture: which of the pictures, x_t and x̂0 side by side in the GIF; None for all of them as a grid.
        folder: where; it is made if need be.

    Returns:
        The two paths. They share a name that no file had before.

    Raises:
        DifftuiError: the folder cannot be written.
    """
    stem = _unused_stem(folder, _stem(view, index, picture))
    frames = np.unique(np.linspace(0, view.newest, min(view.newest + 1, GIF_FRAMES)).round().astype(int))
    if picture is None:
        png = save_png(folder / f"{stem}.png", view.x[index], columns=GRID_COLUMNS, scale=GRID_SCALE)
        film = (view.x[i] for i in frames)
        return png, save_gif(folder / f"{stem}.gif", film, GIF_FPS, columns=GRID_COLUMNS, scale=GRID_SCALE)
    png = save_png(folder / f"{stem}.png", view.x[index, picture], scale=SCALE)
    pairs = (np.stack([view.x[i, picture], view.x0_hat[i, picture]]) for i in frames)
    return png, save_gif(folder / f"{stem}.gif", pairs, GIF_FPS, columns=2, scale=SCALE)


def save_looks(view: DenoisingView, folder: Path) -> Path:
    """Write single looks as rows: clean, noised, cleaned. Returns the path; raises as the function above."""
    looks, wish = view.looks, view.wish
    count = len(wish.rungs)
    clean = np.repeat(looks.clean[None], count, axis=0)
    name = f"{_denoised(view)}-t{'-'.join(map(str, wish.rungs))}"
    return _save_rows(folder, name, np.concatenate([clean, looks.shown, looks.cleaned]), count)


def save_repeats(view: DenoisingView, folder: Path) -> Path:
    """Write two rows of looks again and again: from the digit, from noise alone."""
    if view.repeats is None:
        raise ValueError("nothing was looked at again")
    pictures = view.repeats.pictures
    return _save_rows(folder, f"{_denoised(view)}-again", np.concatenate(list(pictures)), pictures.shape[1])


def save_filters(view: DenoisingView, folder: Path) -> Path:
    """Write the network's first layer."""
    filters = view.network.filters
    name = f"denoise-{view.network.name}-filters"
    return _save_rows(folder, name, filters, 8 if len(filters) <= 64 else 20)


def _denoised(view: DenoisingView) -> str:
    """All it takes to make the same pictures again."""
    digit = view.network.classes[view.wish.label] or "picture"
    return f"denoise-{view.network.name}-{digit}-{view.index}-seed{view.wish.seed}"


def _save_rows(folder: Path, name: str, pictures: NDArray[np.float32], columns: int) -> Path:
    if pictures.ndim == 4:  # in colour: to where files have it
        pictures = pictures.transpose(0, 3, 1, 2)
    scale = max(1, ROWS_PIXELS // pictures.shape[-1])
    return save_png(folder / f"{name}.png", pictures, columns=columns, scale=scale)


def _stem(view: SamplingView, index: int, picture: int | None) -> str:
    """All it takes to draw the same again, as "quick-ddim50-digit7-seed0"; and t where it is unfinished."""
    request = view.request
    parts = [view.name, f"{view.sampler}{len(view.times) - 1}"]
    if picture is not None:
        parts += [f"digit{view.labels[picture]}"] if view.labels else []
        parts.append(f"seed{request.seeds[picture]}")
    else:
        parts += [f"digit{view.labels[0]}"] if view.labels and len(set(view.labels)) == 1 else []
        parts.append(f"seeds{request.seeds[0]}to{request.seeds[-1]}")
    if view.times[index] >= 0:
        parts.append(f"t{view.times[index]}")
    return "-".join(parts)


def _unused_stem(folder: Path, stem: str) -> str:
    """``stem``, or the first of stem-2, stem-3, … that neither file has."""
    for number in count(1):
        candidate = stem if number == 1 else f"{stem}-{number}"
        if not any(os.path.lexists(folder / f"{candidate}.{kind}") for kind in ("png", "gif")):
            return candidate
    raise AssertionError("count() does not end")
