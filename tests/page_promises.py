"""What every page that computes promises to its screen, and how its table is read."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from difftui.experiments import PENDING, Findings, Page, Pictures

__all__ = ["COLUMNS", "assert_fits", "row"]

COLUMNS = 78  # of a narrow terminal, less a margin


def row(findings: Findings, name: str) -> tuple[str, ...]:
    """A row of the table by the beginning of its name."""
    (found,) = [cells for cells in findings.table.rows if cells[0].startswith(name)]
    return found[1:]


def assert_fits(page: Page, found: Sequence[Findings]) -> None:
    """It comes to its end, with nothing pending, and all its words fit a narrow screen."""
    done = [findings.done for findings in found]
    assert done == sorted(done)
    assert done[-1] == 1.0
    last = found[-1]
    assert len(page.title) <= 52
    assert len(f"{page.source}: {page.says}") <= COLUMNS
    assert len(textwrap.wrap(page.look, COLUMNS)) <= 2
    assert 1 <= len(textwrap.wrap(last.seen, COLUMNS)) <= 2
    assert ("time" in page.offers) == (last.time is not None)
    tables = [last.table, *(table for _, table in last.more)]
    for table in [findings.table for findings in found] + tables:
        assert max(sum(map(len, cells)) + 2 * len(cells) - 2 for cells in table.aligned()) <= COLUMNS
        assert all(len(cells) == len(table.header) for cells in table.rows)
    assert PENDING not in {cell for table in tables for cells in table.rows for cell in cells}
    assert 1 <= last.needed <= len(last.blocks)
    for findings in found:
        for block in findings.blocks:
            if isinstance(block, Pictures):
                assert np.isfinite(block.images).all()
                assert len(block.captions) in (0, len(block.images))
            else:
                assert all(np.size(curve.x) == np.size(curve.y) for curve in block.curves)
    for block in last.blocks:
        if not isinstance(block, Pictures):
            assert block.curves
            assert all(np.size(curve.x) > 0 for curve in block.curves)
