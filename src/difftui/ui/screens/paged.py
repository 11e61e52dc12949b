"""What Labs and Questions share: a page of an experiment, what is chosen on it, and holding it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from difftui.experiments import NAMED, Page, Setup
from difftui.experiments.page import Choice
from difftui.state import MOST_SEED
from difftui.ui.page_works import PageWork, PageWorks
from difftui.ui.panels.page_panel import network_of
from difftui.ui.widgets.slider import Slider

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["Paged"]

CHOOSE: Mapping[Choice, frozenset[str]] = {
    "digit": frozenset({"digit"}),
    "seed": frozenset({"reseed"}),
    "time": frozenset({"step", "jump"}),
    "schedules": frozenset({"schedule", "swap"}),
    "network": frozenset({"source"}),
}
"""The actions by which what a page offers is chosen."""


class Paged:
    """The keys of a page, for a screen.

    Attributes:
        setup: what is chosen; a page uses what it offers.
        held: whether the user holds the computation.
    """

    setup: Setup
    held: bool

    @property
    def page(self) -> Page:
        """The page shown."""
        raise NotImplementedError

    @property
    def work_key(self) -> Hashable:
        """What the work of this page is called among those of the screen."""
        return self.page.name

    @property
    def works(self) -> PageWorks:
        """All works of the screen."""
        raise NotImplementedError

    @property
    def work(self) -> PageWork | None:
        """What is computed, or was, of this page."""
        return self.works.of(self.work_key)

    def idle_choices(self) -> frozenset[str]:
        """The actions that choose what this page does not offer."""
        return frozenset().union(*(names for offer, names in CHOOSE.items() if offer not in self.page.offers))

    def action_play(self) -> None:
        """Hold, or go on; at the end compute it again."""
        work = self.work
        if work is not None and work.job.state.final:
            self.held = False
            self.action_restart()
        else:
            self.held = not self.held

    def action_restart(self) -> None:
        """Compute this page anew."""
        self.works.drop(self.work_key)

    def action_step(self, hundredths: int) -> None:
        """Towards noise; negative: towards the clean digit."""
        self.choose("time", time=min(max(self.setup.time + hundredths / 100, 0.0), 1.0))

    def action_jump(self, end: int) -> None:
        """The first timestep (0) or the last (1)."""
        self.choose("time", time=float(end))

    def on_slider_moved(self, event: Slider.Moved) -> None:
        self.choose("time", time=event.value / max(1, event.slider.last))

    def action_digit(self, by: int) -> None:
        """The next or the previous class."""
        self.choose("digit", label=(self.setup.label + by) % 10)

    def action_reseed(self, by: int) -> None:
        """Other randomness."""
        self.choose("seed", seed=min(max(self.setup.seed + by, 0), MOST_SEED))

    def action_source(self, by: int) -> None:
        """The next or the previous network that ships."""
        from difftui.experiments.materials import network_names

        names = network_names(self.page.networks)
        if names:
            at = names.index(network_of(self.page, self.setup)) + by
            self.choose("network", network=names[at % len(names)])

    def action_schedule(self, by: int) -> None:
        """The next or the previous schedule, on the left where there are two."""
        names = list(NAMED)
        self.choose("schedules", left=names[(names.index(self.setup.left) + by) % len(names)])

    def action_swap(self) -> None:
        """The two schedules the other way round."""
        self.choose("schedules", left=self.setup.right, right=self.setup.left)

    def choose(self, choice: str, **changes: object) -> None:
        """Take a choice, if this page offers it."""
        if choice in self.page.offers:
            self.setup = replace(self.setup, **changes)  # type: ignore[arg-type]
