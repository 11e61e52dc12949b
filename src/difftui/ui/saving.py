"""Saving what a screen shows, beside the screen: a long GIF takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from difftui.errors import DifftuiError
from difftui.words import short_path

if TYPE_CHECKING:
    from textual.screen import Screen

__all__ = ["Saver"]


class Tell(Protocol):
    """Shows a text on the screen, as wrong or not."""

    def __call__(self, text: str, *, wrong: bool = False) -> None: ...


class Saver:
    """Writes two files at a time, and tells what became of it."""

    def __init__(self, screen: Screen[Any], tell: Tell) -> None:
        self._screen, self._tell = screen, tell
        self._busy = False

    def save(self, write: Callable[[], tuple[Path, Path]]) -> None:
        """Write in a thread; while something is being written already: nothing.

        Args:
            write: returns the two files, in one folder, or raises DifftuiError or OSError.
        """
        if self._busy:
            return
        self._busy = True
        self._tell("saving …")
        self._screen.run_worker(lambda: self._write(write), thread=True, exit_on_error=False)

    def _write(self, write: Callable[[], tuple[Path, Path]]) -> None:
        try:
            first, second = write()
            text, wrong = f"saved {first.name} and {second.name}\nin {short_path(first.parent)}", False
        except (DifftuiError, OSError) as error:
            text, wrong = str(error), True
        self._screen.app.call_from_thread(self._end, text, wrong)

    def _end(self, text: str, wrong: bool) -> None:
        self._busy = False
        self._tell(text, wrong=wrong)
