"""What ``--data`` names, made ready with a bar, for every command and for the app."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from difftui.commands.display import Bar

if TYPE_CHECKING:
    from difftui.data import Download

__all__ = ["ready_data"]


def ready_data(wanted: str | None, notice: Callable[[str], None]) -> str:
    """As :func:`difftui.data.ready_pictures`, with a bar on stderr while something is downloaded.

    Args:
        wanted: the value of ``--data``.
        notice: called with the one line for the user when the bundled digits have to do.

    Raises:
        DifftuiError: a named folder without pictures, or a set that cannot be downloaded.
    """
    from difftui.data import ready_pictures

    bar = Bar(wanted or "MNIST")

    def show(download: Download) -> None:
        text = f"{download.done / 1e6:.1f} of {download.total / 1e6:.1f} MB"
        bar.show(download.done / download.total, text)

    try:
        return ready_pictures(wanted, progress=show, notice=notice)
    finally:
        bar.close()
