"""What a student keeps as files: a picture as PNG, the way to it as GIF, a comparison with its figures."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui import atomic
from difftui.engine.comparing import caption_lines, figures_table
from difftui.media import save_captioned, save_gif, save_png

if TYPE_CHECKING:
    from difftui.engine.comparing import ComparisonView, MeasurementView
    from difftui.engine.denoising import DenoisingView
    from difftui.engine.sampling import SamplingView

__all__ = ["save_comparison", "save_filters", "save_looks", "save_repeats", "save_trajectory"]

GIF_FRAMES = 120  # at most; longer trajectories leave frames out
GIF_FPS = 20.0
SCALE, GRID_SCALE = 8, 4
GRID_COLUMNS = 4
ROWS_PIXELS = 112  # across each picture of rows, about
MOST_IN_A_ROW = 6  # of a comparison; ten pictures are two rows of five


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


def _unused_stem(folder: Path, stem: str, kinds: tuple[str, str] = ("png", "gif")) -> str:
    """``stem``, or the first of stem-2, stem-3, … that neither file has."""
    for number in count(1):
        candidate = stem if number == 1 else f"{stem}-{number}"
        if not any(os.path.lexists(folder / f"{candidate}.{kind}") for kind in kinds):
            return candidate
    raise AssertionError("count() does not end")


def save_comparison(
    view: ComparisonView, measurement: MeasurementView | None, looks: int, folder: Path
) -> tuple[Path, Path]:
    """Write the pictures of a comparison as PNG with captions, and its figures as CSV.

    Args:
        view: the comparison.
        measurement: what was measured of it, or None.
        looks: the moment of the race: how often the network had been asked for each picture at most.
        folder: where; it is made if need be.

    Returns:
        The two paths. They share a name that no file had before.

    Raises:
        DifftuiError: the folder cannot be written.
    """
    plan, way = view.plan, view.plan.ways[0]
    finished = view.drawn and looks >= view.most_looks
    parts = [view.name, "compare", plan.view, *([f"digit{way.label}"] if way.label is not None else [])]
    parts += [f"seed{way.seed}", *([] if finished else [f"call{looks}"])]
    stem = _unused_stem(folder, "-".join(parts), ("png", "csv"))
    measuring = None if measurement is None else measurement.measuring
    captions = caption_lines(plan, view.figures, measuring)
    if not finished:  # their figures are those of the end
        captions = [(lines[0], f"after {looks} calls at most") for lines in captions]
    count = len(captions)
    png = save_captioned(
        folder / f"{stem}.png",
        np.stack(view.pictures_at(looks)),
        captions,
        title=f"{view.name} at step {view.weights_step}, {plan.view}: seed {way.seed}, "
        f"temperature {view.temperature:g}",
        columns=count if count <= MOST_IN_A_ROW else -(-count // 2),
    )
    header, rows = figures_table(plan, view.figures, measuring)
    lines = [header, *(["" if cell is None else str(cell) for cell in row] for row in rows)]
    csv = folder / f"{stem}.csv"
    atomic.write_text(csv, "\n".join(",".join(line) for line in lines) + "\n")
    return png, csv
