"""A line to type in, and a box for several."""

from __future__ import annotations

from textual.events import Blur, Key
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, TextArea

__all__ = ["Entry", "TextBox"]


class Entry(Input):
    """Textual's Input, with keys taken in the order in which they were typed.

    There a letter is entered at once and a backspace only when it has travelled to the app and back: of
    "backspace, 8" typed or pasted fast, the 8 comes first and is deleted.
    """

    async def _on_key(self, event: Key) -> None:
        if not await _did_at_once(self, event):
            await super()._on_key(event)


class TextBox(TextArea):
    """Textual's TextArea, its lines wrapped; the keys in their order, too. Enter, Esc or a click elsewhere
    leaves it.
    """

    NEW_LINE = ("shift+enter", "ctrl+enter", "alt+enter", "ctrl+j")
    DEFAULT_CSS = """
    TextBox, TextBox:focus { border: none; border-left: outer $accent; padding: 0 1; background: $panel; }
    TextBox .text-area--cursor-line { background: $panel; }
    """

    class Left(Message):
        """The typing is over.

        Attributes:
            text: what stands in the box.
            entered: it was left by Enter.
        """

        def __init__(self, text: str, *, entered: bool) -> None:
            super().__init__()
            self.text, self.entered = text, entered

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, highlight_cursor_line=False)

    async def _on_key(self, event: Key) -> None:
        if event.key in ("enter", "escape"):
            event.stop()
            event.prevent_default()
            self.post_message(self.Left(self.text, entered=event.key == "enter"))
        elif event.key in self.NEW_LINE:
            event.stop()
            event.prevent_default()
            self.insert("\n")
        elif not await _did_at_once(self, event):
            await super()._on_key(event)

    def on_blur(self, event: Blur) -> None:
        # Without app_focus another window of the desktop was taken: the typing goes on after it.
        put_away = self.has_focus or not (self.parent is not None and self.parent.display)
        if self.app.app_focus and not put_away:
            self.post_message(self.Left(self.text, entered=False))


async def _did_at_once(widget: Widget, event: Key) -> bool:
    """Do what the widget itself binds to this key; whether there was such."""
    bound = widget._bindings.key_to_bindings.get(event.key)
    if not bound or not await widget.app.run_action(bound[0].action, widget):
        return False
    event.stop()
    event.prevent_default()
    return True
