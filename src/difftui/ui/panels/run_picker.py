"""The runs as a list over the Train screen: attach, go on, look at, or pin one beside the live curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from difftui.ui.list_window import ListWindow
from difftui.ui.panels.run_list import Kind, RunEntry, line_of
from difftui.ui.panels.run_preview import RunPreview
from difftui.ui.window import hints

__all__ = ["Picked", "RunPicker"]

_MARKS: dict[Kind, tuple[str, str]] = {
    "running": ("▶", "$accent"),
    "presumed dead": ("?", "$warning"),
    "interrupted": ("⏸", "$foreground"),
    "failed": ("✗", "$error"),
    "finished": ("✓", "$success"),
}


@dataclass(frozen=True, slots=True)
class Picked:
    """What was chosen.

    Attributes:
        entry: the run.
        verb: what to do with it.
    """

    entry: RunEntry
    verb: Literal["open", "watch", "pin"]


class RunPicker(ListWindow[Picked]):
    """The list. It closes with what was picked, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,o,q", "dismiss(None)", "Close", show=False),
        Binding("p", "pick('pin')", "Pin beside the live curve", show=False),
        Binding("w", "pick('watch')", "Only look at it", show=False),
    ]
    DEFAULT_CSS = """
    RunPicker OptionList { max-height: 8; }
    RunPicker #about { height: 2; margin-top: 1; }
    """

    def __init__(self, entries: Sequence[RunEntry]) -> None:
        super().__init__()
        self.entries = tuple(entries)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            yield OptionList(*(Option(_row(entry)) for entry in self.entries))
            yield Static(id="about")
            if self.entries:
                yield RunPreview()
        box.border_title = "your runs"
        close = ("esc", "close", "dismiss(None)")
        box.border_subtitle = hints(
            *(
                ("enter", "open", "open()"),
                ("w", "only look", "pick('watch')"),
                ("p", "pin as ghost", "pick('pin')"),
            )[: 3 if self.entries else 0],
            close,
        )

    def on_mount(self) -> None:
        if not self.entries:
            self.query_one("#about", Static).update("none yet: the first one starts with space")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        entry = self.entries[event.option_index]
        line = Content.assemble((entry.verb, "$accent"), f" {entry.run.name}: ", entry.told)
        self.query_one("#about", Static).update(line, layout=False)
        self.query_one(RunPreview).look_at(entry.run)

    def answer(self, place: int) -> Picked:
        return Picked(self.entries[place], "open")

    def action_pick(self, verb: Literal["watch", "pin"]) -> None:
        """Close with the highlighted run."""
        at = self.options.highlighted
        if at is not None:
            self.dismiss(Picked(self.entries[at], verb))


def _row(entry: RunEntry) -> Content:
    mark, colour = _MARKS[entry.kind]
    return Content.assemble(
        (f"{mark} ", colour),
        f"{entry.run.name:<22.22} ",
        (f"{entry.kind:<14}", colour),
        (line_of(entry), "$muted"),
    )
