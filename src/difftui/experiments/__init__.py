"""Experiments: what the labs claim, put to the test on this machine. Importing it imports no torch."""

from difftui.experiments.catalogue import CLAIMS, PAGES, find_page
from difftui.experiments.page import (
    PENDING,
    SAYS,
    Block,
    Curve,
    Curves,
    Findings,
    Page,
    Pictures,
    Setup,
    Table,
    sheet,
)
from difftui.experiments.schedules import NAMED

__all__ = [
    "CLAIMS",
    "NAMED",
    "PAGES",
    "PENDING",
    "SAYS",
    "Block",
    "Curve",
    "Curves",
    "Findings",
    "Page",
    "Pictures",
    "Setup",
    "Table",
    "find_page",
    "sheet",
]
