"""A whole page in words and figures, for screens that have no room for all of it at once."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from difftui.experiments import SAYS, Findings, Page, Table
from difftui.ui.window import TextWindow, hints

__all__ = ["PageText", "table_text"]


class PageText(TextWindow):
    """What the lab says, how it is computed, and every figure found so far."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,asterisk,q,enter,space", "dismiss", "Close"),
    ]
    DEFAULT_CSS = """
    PageText > VerticalScroll { width: 80; }
    PageText Static { margin-bottom: 1; }
    """

    def __init__(self, page: Page, findings: Findings | None) -> None:
        super().__init__()
        self._page, self._findings = page, findings

    def compose(self) -> ComposeResult:
        box = VerticalScroll(*(Static(part) for part in self.parts() if part))
        box.border_title = self.heading
        box.border_subtitle = hints(("↑ ↓", "scroll", ""), ("esc", "close", "dismiss(None)"))
        yield box

    @property
    def heading(self) -> str:
        """Of the window."""
        return self._page.title

    def parts(self) -> list[Content]:
        """The paragraphs; empty ones are left out."""
        page, findings = self._page, self._findings
        parts = [_told(page.source, page.says), _told("Computed", page.how), _told("Look", page.look)]
        if findings is not None:
            parts += [Content(findings.seen).stylize("bold"), table_text(findings.table)]
            parts += [Content(f"{title}\n") + table_text(table) for title, table in findings.more]
        return parts


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
