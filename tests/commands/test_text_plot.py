"""Losses as characters: the curve is where the numbers are, in any locale."""

import math
from pathlib import Path

import pytest

from difftui.cli import main
from difftui.commands.text_plot import text_plot
from difftui.runs import create_run
from difftui.runs.history import History, HistoryBuilder
from difftui.training.recipe import preset


def a_history(losses: list[float]) -> History:
    builder = HistoryBuilder()
    builder.add_losses(1, losses)
    return builder.view()


def canvas(text: str) -> list[str]:
    """What lies within the frame, row by row."""
    return [line.split("|")[1] for line in text.splitlines() if line.count("|") == 2 and "loss" not in line]


def test_a_falling_loss_falls_and_a_gap_is_empty() -> None:
    falling = [math.exp(-i / 100) for i in range(300)]
    text = text_plot(a_history(falling), columns=60, ascii_only=True)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 60
    rows = {x: y for y, row in enumerate(canvas(text)) for x, glyph in enumerate(row) if glyph == "*"}
    heights = [rows[x] for x in sorted(rows)]
    assert heights == sorted(heights)
    assert heights[-1] - heights[0] >= 8
    broken = text_plot(a_history([*falling[:100], *[math.nan] * 100, *falling[:100]]), columns=60)
    assert "⢕⢕ loss, smoothed" in broken
    assert broken.count("loss, smoothed") == 1


def test_ticks_are_round_and_the_axis_is_logarithmic_where_losses_span_far() -> None:
    text = text_plot(a_history([10 ** -(i / 100) for i in range(400)]), columns=60, ascii_only=True)
    assert [line.split("+")[0].strip() for line in text.splitlines() if line[:5].strip() and "+" in line] == [
        "1", "0.1", "0.01", "0.001",
    ]  # fmt: skip
    assert " 100 " in text.splitlines()[-2]


def test_nothing_to_plot_is_said(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert text_plot(a_history([0.5])) == ""
    create_run("new", preset("quick").to_json())
    assert main(["runs", "--plot", "new"]) == 0
    assert capsys.readouterr().out == "new: no losses to plot yet. They come with the first hundred steps.\n"


def test_a_shipped_run_can_be_plotted(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--plot", "lab"]) == 0
    assert "loss, smoothed" in capsys.readouterr().out
