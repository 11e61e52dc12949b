"""A run's losses as lines of text: for a pipe, a log, a screen reader's user who asks a friend to look."""

from __future__ import annotations

import shutil
import sys

from difftui.runs.history import History
from difftui.ui.plotting.still import plot_losses

__all__ = ["text_plot"]

ROWS = 20
MOST_COLUMNS = 120
ASCII_FRAME = str.maketrans("─│┌┐└┘├┤┬┴┼", "-|+++++++++")


def text_plot(history: History, *, columns: int | None = None, ascii_only: bool | None = None) -> str:
    """The losses of a run over its steps, without colours; empty where there are not two points yet.

    Args:
        history: the run's curves.
        columns: width; None is the terminal's, 120 at most.
        ascii_only: whether to use no other characters; None asks the standard output.
    """
    import plotext

    columns = columns or min(shutil.get_terminal_size().columns, MOST_COLUMNS)
    if ascii_only is None:
        ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    seen = plot_losses(plotext, history, columns, ROWS, marker="*" if ascii_only else "braille")
    if not seen:
        return ""
    plotext.plotsize(columns, ROWS)
    plotext.theme("clear")
    text: str = plotext.uncolorize(plotext.build())
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return lines.translate(ASCII_FRAME) if ascii_only else lines
