"""The curves of the loss, from histories that are built as a run builds them."""

from dataclasses import replace

import numpy as np

from difftui.diffusion import TARGETS
from difftui.runs import History, HistoryBuilder
from difftui.training.recipe import PRESETS
from difftui.ui.panels.loss_plot import WHY, Ghost, loss_lines, loss_notes, loss_series

LAB = PRESETS["lab"]


def history(steps: int, offset: float = 0.0) -> History:
    builder = HistoryBuilder()
    builder.add_losses(1, [1 / (1 + step / 50) + offset for step in range(steps)])
    for step in range(100, steps + 1, 100):
        builder.add_row({"step": step, "validation": 0.5 + offset, "bins": [0.1] * 10})
    return builder.view()


def test_each_batch_is_a_band_under_the_smoothed_and_the_held_out_curve() -> None:
    band, smooth, held_out = loss_series(history(500), None, LAB, live=True)
    assert (band.kind, smooth.kind, held_out.kind) == ("band", "line", "line")
    assert len({band.colour, smooth.colour, held_out.colour}) == 3
    assert np.asarray(held_out.x).tolist() == [100, 200, 300, 400, 500]
    assert loss_series(history(50), None, LAB, live=True)[-1].label == "smoothed", "nothing measured yet"


def test_a_ghost_stops_where_the_live_curve_is() -> None:
    ghost = Ghost("lab-1", LAB, history(5000))
    live = loss_series(history(500), ghost, LAB, live=True)
    assert [one.label for one in live] == ["each batch", "lab-1", "", "smoothed", "held-out digits"]
    assert max(np.asarray(one.x).max() for one in live) == 500
    whole = loss_series(history(500), ghost, LAB, live=False)
    assert max(np.asarray(one.x).max() for one in whole) == 5000


def test_a_ghost_that_cannot_be_compared_is_not_drawn_and_says_why() -> None:
    ghost = Ghost("v-1", replace(LAB, target="v"), history(500))
    assert [one.label for one in loss_series(history(500), ghost, LAB, live=True)] == [
        "each batch",
        "smoothed",
        "held-out digits",
    ]
    assert ghost.reason(LAB) == "target v instead of eps"


def test_the_level_of_answering_nothing_is_drawn_where_it_is_known() -> None:
    assert loss_lines(None) == []
    assert (loss_lines(1.0)[0].y, loss_lines(1.0)[0].label) == (1.0, "1: always answering 0")
    assert loss_lines(0.93712)[0].label == "0.937: always answering 0"


def test_every_target_has_its_own_reason() -> None:
    assert set(WHY) == set(TARGETS)
    for target in WHY:
        assert loss_notes(replace(LAB, target=target), None, broken=False)[0].text.startswith("Why not 0?")
    assert loss_notes(LAB, None, broken=True) == []


def test_a_pinned_run_that_is_not_drawn_is_told_before_all() -> None:
    same, other = Ghost("same", LAB, history(100)), Ghost("other", replace(LAB, target="v"), history(100))
    assert len(loss_notes(LAB, same, broken=False)) == 1
    refused = loss_notes(LAB, other, broken=False)[0].text
    assert refused == "other is not drawn: its loss measures something else (target v instead of eps)."
