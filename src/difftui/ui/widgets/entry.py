"""A line to type in."""

from __future__ import annotations

from textual.widgets import Input

__all__ = ["Entry"]


class Entry(Input):
    """Textual's Input, which takes what follows a backspace at its beginning.

    Textual 8.2 deletes from before the beginning there, and then loses the next letter of fast typing.
    """

    def action_delete_left(self) -> None:
        if self.cursor_position or not self.selection.is_empty:
            super().action_delete_left()
