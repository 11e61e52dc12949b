"""Pages of experiments as jobs: whatever a page is made of, this is how it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from difftui.experiments.guess import Game, Judged, judge_game
from difftui.experiments.page import Findings, Page, Setup

if TYPE_CHECKING:
    from difftui.engine.engine import Engine, Workbench
    from difftui.engine.job import Job

__all__ = ["judge", "run_page"]


def run_page(engine: Engine, page: Page, setup: Setup) -> Job[Findings]:
    """Queue a page; one that needs no torch does not wait for it."""
    name = f"page {page.name}"
    if not page.needs_torch:
        return engine.submit_light(name, lambda: page.run(setup, "cpu"))

    def start(bench: Workbench) -> Iterator[Findings]:
        return page.run(setup, bench.device.torch_device_name)

    return engine.submit(name, start)


def judge(engine: Engine, game: Game) -> Job[Judged]:
    """Queue the machines' answers to a game that is over."""
    return engine.submit("judging the game", lambda bench: judge_game(game))
