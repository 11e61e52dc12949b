"""Pages of experiments at work: the one shown is computed, the others rest and keep what they found."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from difftui.engine.experiments import run_page
from difftui.experiments import Findings, Page, Setup

if TYPE_CHECKING:
    from difftui.engine import Engine, Job

__all__ = ["PageWork", "PageWorks"]


@dataclass(slots=True)
class PageWork:
    """A page being computed, or computed.

    Attributes:
        setup: with what.
        job: by whom.
        held: whether it was told to pause.
    """

    setup: Setup
    job: Job[Findings]
    held: bool = False

    @property
    def findings(self) -> Findings | None:
        """What was found so far."""
        return self.job.snapshot


class PageWorks:
    """The works of a screen, by whatever it tells them apart."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._works: dict[Hashable, PageWork] = {}

    def of(self, key: Hashable) -> PageWork | None:
        """What is computed, or was."""
        return self._works.get(key)

    def see_to(self, key: Hashable, page: Page, setup: Setup, *, held: bool) -> PageWork:
        """Let this, and nothing else, be computed.

        Args:
            key: what it is called here.
            page, setup: what to compute; with another setup than before it begins anew.
            held: whether the user holds it.
        """
        work = self._works.get(key)
        if work is None or work.setup != setup:
            self.drop(key)
            work = self._works[key] = PageWork(setup, run_page(self._engine, page, setup))
        for name, each in self._works.items():
            _hold(each, held or name != key)
        return work

    def rest(self) -> None:
        """Let nothing be computed."""
        for work in self._works.values():
            _hold(work, True)

    def drop(self, key: Hashable) -> None:
        """Forget what was found."""
        work = self._works.pop(key, None)
        if work is not None:
            work.job.close()


def _hold(work: PageWork, hold: bool) -> None:
    if hold != work.held and not work.job.state.final:
        work.held = hold
        work.job.pause() if hold else work.job.resume()
