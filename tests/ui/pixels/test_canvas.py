"""The canvas: which cells it draws again, and which it leaves."""

import numpy as np

from difftui.pixel_modes import PixelMode
from difftui.ui.pixels.brushes import brush_for
from difftui.ui.pixels.canvas import BRIDGED, Canvas

BRUSH = brush_for(PixelMode.EXACT, colour=False)


def test_spans_are_the_cells_that_differ_and_short_gaps_between_them() -> None:
    rng = np.random.default_rng(0)
    canvas = Canvas()
    image = np.zeros((1, 40, 60), np.uint8)
    assert canvas.want(BRUSH, BRUSH.wants(image)[0]), "all of it is new"
    for y in range(canvas.rows):
        canvas.row(y)
    for share in (0.0, 0.01, 0.1, 0.3, 0.9, 1.0):
        touched = rng.random(image.shape) < share
        image = np.where(touched, image + rng.integers(1, 200, image.shape), image).astype(np.uint8)
        assert not canvas.want(BRUSH, BRUSH.wants(image)[0])
        expected = []
        for y in range(20):
            columns = np.flatnonzero(touched[0, 2 * y : 2 * y + 2].any(axis=0))
            runs = np.split(columns, np.flatnonzero(np.diff(columns) > BRIDGED + 1) + 1)
            expected += [(y, int(run[0]), int(run[-1]) + 1) for run in runs if len(run)]
        assert canvas.spans() == expected
        for y in range(canvas.rows):
            canvas.row(y)
        canvas.want(BRUSH, BRUSH.wants(image)[0])
        assert canvas.spans() == [], "what was drawn need not be drawn again"


def test_a_frame_that_nobody_looked_at_is_not_drawn() -> None:
    canvas = Canvas()
    frames = [np.full((1, 2, 3), grey, np.uint8) for grey in (10, 20, 10)]
    canvas.want(BRUSH, BRUSH.wants(frames[0])[0])
    canvas.row(0)
    for frame in frames[1:]:
        canvas.want(BRUSH, BRUSH.wants(frame)[0])
    assert canvas.spans() == []
