"""Text with parts that can be clicked."""

from __future__ import annotations

from rich.style import Style
from textual.content import Content
from textual.widgets import Static

__all__ = ["ActionText", "choice"]


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


def choice(key: str, name: str, value: str, action: str, *, grey: bool = False) -> Content:
    """Key, name and value of what can be chosen; a click does what the key does.

    Args:
        key: as people write it.
        name: what is chosen; may be empty.
        value: what is chosen now.
        action: one of the screen's, such as "digit(1)".
        grey: it changes nothing now.
    """
    text = Content.assemble(
        (f"{key} ", "$muted" if grey else "b $accent"),
        (f"{name} " if name else "", "$muted"),
        (value, "$muted" if grey else "b"),
    )
    return text.stylize(f"@click=screen.{action}" if "(" in action else f"@click=screen.{action}()")
