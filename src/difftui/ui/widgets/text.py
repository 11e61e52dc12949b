"""Text with parts that can be clicked."""

from __future__ import annotations

from rich.style import Style
from textual.widgets import Static

__all__ = ["ActionText"]


class ActionText(Static):
    """A Static whose clickable parts (``@click``) keep their own colours and are underlined when hovered.

    Textual's own rule paints all of a link in one colour; here a key and its meaning differ in theirs.
    """

    @property
    def link_style(self) -> Style:
        return Style()

    @property
    def link_style_hover(self) -> Style:
        return Style(underline=True)
