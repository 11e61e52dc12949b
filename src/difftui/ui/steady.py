"""Screens that are never laid out for a size which the terminal has no longer.

A screen that was laid out tells itself its size, and that word may come behind the app's word of a newer one.
Textual then keeps the last of the two, which is the older size: the last resize of many was lost.
"""

from __future__ import annotations

from typing import TypeVar

from textual.command import CommandPalette
from textual.events import Event, Resize
from textual.screen import Screen

__all__ = ["Palette", "SteadyScreen"]

T = TypeVar("T")


class SteadyScreen(Screen[T]):
    """A screen that hears of one size alone, which is the app's. The last of the bases, for Textual takes a
    widget's styles from the first.
    """

    async def on_event(self, event: Event) -> None:
        size = self.app.size
        if isinstance(event, Resize) and event.size != size:
            self.post_message(Resize(size, size))  # this one may have taken its place in the queue
        else:
            await super().on_event(event)


class Palette(CommandPalette, SteadyScreen[None]):
    """Textual's command palette."""
