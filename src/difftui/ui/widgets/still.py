"""Still pictures by rich-pixels: a gallery's thumbnails, the preview that the command line prints.

True colours and every cell in full, so it looks the same in a widget (`Static(still(images))`), on a console
and in a log; far too much to animate (14 kB for a digit, `PixelView` needs 6).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich_pixels import Pixels

from difftui.media import as_tiles, to_uint8


def still(images: NDArray[Any], *, width: int = 80, columns: int | None = None, gap: int = 1) -> Pixels:
    """Images side by side in half blocks, as something that rich and Textual print.

    Args:
        images: (H, W), (N, H, W), (N, 1, H, W), or in colour (N, 3, H, W), floats in [-1, 1] or uint8.
        width: cells there are; an image is as many cells wide as it has pixels, and half as many high.
        columns: images in a row; as many as the width takes when None.
        gap: cells between images; the terminal's own background shows there.

    Raises:
        ValueError: wrong shape or number type, or columns below 1.
    """
    from PIL import Image

    tiles = to_uint8(as_tiles(images))
    number, tile_height, tile_width = tiles.shape[:3]
    if columns is None:
        columns = max(1, (width + gap) // (tile_width + gap))
    if columns < 1:
        raise ValueError(f"columns must be 1 or more, got {columns}")
    columns = min(columns, number)
    rows = -(-number // columns)
    pitch_y = tile_height + tile_height % 2 + 2 * min(gap, 1)  # whole cells, so that no half is stretched
    pitch_x = tile_width + gap
    height = (rows - 1) * pitch_y + tile_height + tile_height % 2
    sheet = np.zeros((height, columns * pitch_x - gap, 4), np.uint8)  # transparent
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        place = sheet[row * pitch_y :, column * pitch_x :][:tile_height, :tile_width]
        place[..., :3] = tile if tile.ndim == 3 else tile[..., None]
        place[..., 3] = 255
    pixels: Pixels = Pixels.from_image(Image.fromarray(sheet))
    return pixels
