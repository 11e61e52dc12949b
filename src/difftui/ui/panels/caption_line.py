"""Two lines of words; in their place, when asked for, one to type a caption in."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.message import Message
from textual.widgets import Input

from difftui.diffusion.captions import label_of
from difftui.errors import DifftuiError
from difftui.ui.widgets.entry import Entry
from difftui.ui.widgets.text import ActionText

__all__ = ["CaptionLine", "known_label"]


class CaptionLine(Vertical):
    """The words are the `ActionText` ``note``. Enter takes a caption, Esc or a click elsewhere goes back."""

    DEFAULT_CSS = """
    CaptionLine { height: 2; }
    CaptionLine #note { height: 2; }
    CaptionLine #caption { height: 2; border: none; padding: 0 1; background: $panel; display: none; }
    """

    class Entered(Message):
        """A caption was typed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def compose(self) -> ComposeResult:
        yield ActionText(id="note")
        yield Entry(placeholder="a seven", id="caption", max_length=60)

    def open(self, text: str) -> None:
        """Let a caption be typed, beginning with this one."""
        box = self._show(typing=True)
        box.value = text
        box.focus()

    def close(self) -> None:
        """The words again."""
        if self.query_one("#caption").display:
            self._show(typing=False)
            self.screen.set_focus(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.close()
        if event.value.strip():
            self.post_message(self.Entered(event.value.strip()))

    def on_input_blurred(self, event: Input.Blurred) -> None:
        event.stop()
        self.close()

    def on_key(self, event: Key) -> None:
        if event.key == "escape":
            event.stop()
            self.close()

    def _show(self, *, typing: bool) -> Input:
        box = self.query_one("#caption", Input)
        box.display = typing
        self.query_one("#note").display = not typing
        return box


def known_label(caption: str, classes: int | None) -> int:
    """The label that a caption is mapped to.

    Args:
        caption: what was typed.
        classes: how many labels the network knows, or None where it takes none.

    Raises:
        DifftuiError: the caption names no label, or one that the network does not know.
    """
    label = label_of(caption)
    if classes is None or label >= classes:
        known = "takes none" if classes is None else f"knows 0 to {classes - 1}"
        raise DifftuiError(f"That is mapped to label {label}, and this network {known}.")
    return label
