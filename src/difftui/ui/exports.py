"""A trajectory as files that a student keeps: the picture shown as PNG, the way to it as GIF."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.media import save_gif, save_png

if TYPE_CHECKING:
    from difftui.engine.sampling import SamplingView

__all__ = ["save_trajectory"]

GIF_FRAMES = 120  # at most; longer trajectories leave frames out
GIF_FPS = 20.0
SCALE, GRID_SCALE = 8, 4
GRID_COLUMNS = 4


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
    x, x0_hat = _channels_first(view.x), _channels_first(view.x0_hat)
    frames = np.unique(np.linspace(0, view.newest, min(view.newest + 1, GIF_FRAMES)).round().astype(int))
    if picture is None:
        png = save_png(folder / f"{stem}.png", x[index], columns=GRID_COLUMNS, scale=GRID_SCALE)
        film = (x[i] for i in frames)
        return png, save_gif(folder / f"{stem}.gif", film, GIF_FPS, columns=GRID_COLUMNS, scale=GRID_SCALE)
    png = save_png(folder / f"{stem}.png", x[index, picture : picture + 1], scale=SCALE)
    pairs = (np.stack([x[i, picture], x0_hat[i, picture]]) for i in frames)
    return png, save_gif(folder / f"{stem}.gif", pairs, GIF_FPS, columns=2, scale=SCALE)


def _channels_first(frames: NDArray[np.float16]) -> NDArray[np.float16]:
    """(steps, n, H, W) as it is; colours, (steps, n, H, W, 3), as (steps, n, 3, H, W), which files want."""
    return frames if frames.ndim == 4 else frames.transpose(0, 1, 4, 2, 3)


def _stem(view: SamplingView, index: int, picture: int | None) -> str:
    """All it takes to draw the same again, as "quick-ddim50-digit7-seed0"; and t where it is unfinished."""
    request = view.request
    parts = [view.name.replace("/", "-"), f"{view.sampler}{len(view.times) - 1}"]
    if view.guidance:
        parts.append(f"w{view.guidance:g}")
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
