"""Text with parts that can be clicked."""

from __future__ import annotations

from rich.style import Style
from textual.content import Content
from textual.widgets import Static

__all__ = ["ActionText"]


class ActionText(Static):
    """A Static whose clickable parts (``@click``) keep their own colours and are underlined when hovered.

    Textual's own rule paints all of a link in one colour; here a key and its meaning differ in theirs.
    """

    _said: Content | None = None

    @property
    def link_style(self) -> Style:
        return Style()

    @property
    def link_style_hover(self) -> Style:
        return Style(underline=True)

    def say(self, text: Content, *, layout: bool = False) -> None:
        """Show a text; draws only where its letters or its colours are new.

        Args:
            text: what to show.
            layout: whether the size may change with it.
        """
        if self._said is None or not text.is_same(self._said):  # == takes no notice of colours
            self._said = text
            self.update(text, layout=layout)
