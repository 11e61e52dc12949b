"""The line above and the line below every screen."""

from __future__ import annotations

from rich.markup import escape
from textual.content import Content
from textual.style import Style

from difftui.ui.keys import GLOBAL, PLACES, SCREENS, Action, plain_key
from difftui.ui.pixels.display import has_all_characters
from difftui.ui.widgets.text import ActionText

__all__ = ["KeyBar", "TopBar"]

ROOM_FOR_PULSE = 16
"""Columns that the names of the screens leave to the pulse, or they are written shorter."""

FORMS = (("difftui", True, "  "), ("", True, "  "), ("", False, "  "), ("", False, " "))
"""Title, whether the names are whole, and the gap between them: the first form that leaves room is taken."""


class TopBar(ActionText):
    """Name, screens, and at the right end the pulse: what the worker does."""

    def __init__(self, screen_name: str) -> None:
        super().__init__()
        self.screen_name = screen_name
        self.pulse: tuple[str, ...] = ()

    def show_pulse(self, pulse: tuple[str, ...]) -> None:
        """Change the right end; draws only when a part is new. Where room is short the last part stays."""
        if pulse != self.pulse:
            self.pulse = pulse
            self.refresh()

    def render(self) -> Content:
        for form in FORMS:
            left = self._tabs(*form)
            if left.cell_length + ROOM_FOR_PULSE <= self.size.width:
                break
        room = self.size.width - left.cell_length - 1
        parts = list(self.pulse)
        while len(parts) > 1 and len(" · ".join(parts)) > room:
            parts.pop(0)
        if parts and len(parts[-1]) > room:
            parts[-1] = parts[-1].partition(",")[0]  # "CPU" of "CPU, 2 cores"
        pulse = Content(" · ".join(parts)).truncate(max(room, 0), ellipsis=True).stylize("$foreground")
        gap = max(0, self.size.width - left.cell_length - pulse.cell_length - 1)
        return left + " " * gap + pulse

    def _tabs(self, title: str, whole: bool, gap: str) -> Content:
        """The screens; where they are written short, the one that is shown keeps its whole name."""
        tabs = Content.from_markup(f" [b $accent]{title}[/]  ") if title else Content(" ")
        for place in PLACES:
            here = place.name == self.screen_name
            style = "b $accent" if here else "$muted"
            label = place.label if here or whole else place.short
            tabs += Content.from_markup(f"[{style} @click=app.go('{place.name}')]{place.key} {label}[/]{gap}")
        return tabs


class KeyBar(ActionText):
    """The keys that work here, as many as fit; each can be clicked."""

    def __init__(self, screen_name: str) -> None:
        super().__init__()
        self.actions = [a for a in (*SCREENS[screen_name], *GLOBAL) if a.label]
        self.errand: tuple[str, ...] = ()
        self.idle: frozenset[str] = frozenset()

    def show_idle(self, idle: frozenset[str]) -> None:
        """Leave out what does nothing now; draws only when that is new.

        Args:
            idle: names of actions without their arguments, such as "step".
        """
        if idle != self.idle:
            self.idle = idle
            self.refresh()

    def show_errand(self, errand: tuple[str, ...]) -> None:
        """Put first what the user came for, and the key that leads back; draws only when it is new.

        Args:
            errand: the name of the screen to go back to, and a word or two; or nothing.
        """
        if errand != self.errand:
            self.errand = errand
            self.refresh()

    def render(self) -> Content:
        bar = Content(" ") + self._way_back()
        plain = not has_all_characters(self.app)
        working = [action for action in self.actions if action.verb not in self.idle]
        entries = [_entry(action, plain=plain) for action in working]
        last = entries[-2] + entries[-1]  # help and quit are always there
        for entry in entries[:-2]:
            if bar.cell_length + entry.cell_length + last.cell_length > self.size.width + 2:
                break
            bar += entry
        return bar + last

    def _way_back(self) -> Content:
        if not self.errand:
            return Content()
        name, words = self.errand
        key = next(place.key for place in PLACES if place.name == name)
        entry = Content.from_markup(f"[b reverse $accent] {key} [/] [b]{escape(words)}[/]")
        return entry.stylize(Style.from_meta({"@click": f"app.go('{name}')"})) + "  "


def _entry(action: Action, *, plain: bool) -> Content:
    target = action.name if action.name.startswith("app.") else f"screen.{action.name}"
    if "(" not in target:
        target += "()"
    shown = plain_key(action.shown) if plain else action.shown
    entry = Content.from_markup(f"[b $accent]{escape(shown)}[/] [$muted]{action.label}[/]")
    # Not in the markup, which cannot read the negative number of "step(-1)".
    return entry.stylize(Style.from_meta({"@click": target})) + "  "
