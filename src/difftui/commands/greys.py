"""Pictures in plain characters, from blank to dense: for a pipe, a log, a terminal without colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftui.media import as_tiles, to_uint8

__all__ = ["RAMP", "grey_text"]

RAMP = " .:-=+*#%@"
"""Characters from nothing to dense, for equal steps of grey; 0 (paper in MNIST) is a blank."""

GAP = "  "
LUMINANCE = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def grey_text(images: NDArray[Any], captions: Sequence[str] = (), *, width: int = 80) -> str:
    """Images side by side, as many a row as the width takes; two pixel rows a line, their mean grey drawn.

    Args:
        images: (H, W), (N, H, W), (N, 1, H, W), or in colour (N, 3, H, W), whose luminance is drawn; floats
            in [-1, 1] or uint8.
        captions: one above each image, or none at all.
        width: characters a line; one image is drawn even where it is wider.

    Raises:
        ValueError: images of another shape or type, or another number of captions.
    """
    tiles = to_uint8(as_tiles(images)).astype(np.float64)
    if tiles.ndim == 4:
        tiles = tiles @ LUMINANCE
    if captions and len(captions) != len(tiles):
        raise ValueError(f"{len(captions)} captions for {len(tiles)} images")
    number, height, columns = tiles.shape
    if height % 2:
        tiles = np.concatenate([tiles, tiles[:, -1:]], axis=1)
    means = tiles.reshape(number, -1, 2, columns).mean(axis=2)
    levels = np.minimum((means * len(RAMP) / 256).astype(int), len(RAMP) - 1)
    drawn = [["".join(RAMP[level] for level in row) for row in picture] for picture in levels]
    each = max(1, (width + len(GAP)) // (columns + len(GAP)))
    blocks = []
    for start in range(0, number, each):
        lines = [
            GAP.join(picture[row] for picture in drawn[start : start + each])
            for row in range(levels.shape[1])
        ]
        if captions:
            lines.insert(
                0, GAP.join(f"{text:<{columns}.{columns}}" for text in captions[start : start + each])
            )
        blocks.append("\n".join(line.rstrip() for line in lines))
    return "\n\n".join(blocks)
