"""A line to type in."""

from __future__ import annotations

from textual.events import Key
from textual.widgets import Input

__all__ = ["Entry"]


class Entry(Input):
    """Textual's Input, with keys taken in the order in which they were typed.

    There a letter is entered at once and a backspace only when it has travelled to the app and back: of
    "backspace, 8" typed or pasted fast, the 8 comes first and is deleted.
    """

    async def _on_key(self, event: Key) -> None:
        bound = self._bindings.key_to_bindings.get(event.key)
        if bound and await self.app.run_action(bound[0].action, self):
            event.stop()
            event.prevent_default()
        else:
            await super()._on_key(event)
