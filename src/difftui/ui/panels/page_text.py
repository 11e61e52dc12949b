"""A whole page in words and figures, for screens that have no room for all of it at once."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from difftui.experiments import SAYS, Findings, Page, Table
from difftui.ui.window import Window

__all__ = ["PageText", "table_text"]


class PageText(Window[None]):
    """What the lab says, how it is computed, and every figure found so far."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,0,q,enter,space", "dismiss", "Close"),
        ("j", "scroll(1)", "Down"),
        ("k", "scroll(-1)", "Up"),
    ]
    DEFAULT_CSS = """
    PageText { align: center middle; background: $background 60%; }
    PageText > VerticalScroll {
        width: 80; max-width: 100%; height: auto; max-height: 100%;
        border: round $accent; background: $surface; padding: 0 1;
        border-title-color: $accent; border-subtitle-color: $muted;
    }
    PageText Static { margin-bottom: 1; }
    """

    def __init__(self, page: Page, findings: Findings | None) -> None:
        super().__init__()
        self._page, self._findings = page, findings

    def compose(self) -> ComposeResult:
        page, findings = self._page, self._findings
        parts = [_told(page.source, page.says), _told("Computed", page.how), _told("Look", page.look)]
        if findings is not None:
            parts += [Content(findings.seen).stylize("bold"), table_text(findings.table)]
            parts += [Content(f"{title}\n") + table_text(table) for title, table in findings.more]
        box = VerticalScroll(*(Static(part) for part in parts if part))
        box.border_title = page.title
        box.border_subtitle = "j k ↑ ↓ scroll · 0 Esc q close"
        yield box

    def action_scroll(self, lines: int) -> None:
        """Down or up, as the arrows do."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def table_text(table: Table, most: int = 100) -> Content:
    """Its first rows, at most so many; header and names are grey, what was measured is bold."""
    header, *rows = table.aligned()
    lines = [Content("  ".join(header)).stylize("$muted")]
    measured = "bold" if table.header == SAYS else ""
    for first, *others, last in rows[:most]:
        told = "".join(f"  {cell}" for cell in others)
        lines.append(Content.assemble((first, "$muted"), told, "  ", (last, measured)))
    return Content("\n").join(lines)


def _told(name: str, text: str) -> Content:
    return Content.assemble((f"{name}: ", "$muted"), text)
