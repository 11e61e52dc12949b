"""The networks that a screen offers, the one that is chosen, and the pipelines that were named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from difftui.errors import DifftuiError
from difftui.ui.pipeline_sources import (
    Network,
    PipelineSource,
    default_pipeline,
    find_pipelines,
    named_network,
    typed_pipeline,
)
from difftui.ui.sources import find_sources

if TYPE_CHECKING:
    from difftui.runs import Run

__all__ = ["Shelf"]

MOST_OPENED = 8


class Shelf:
    """What there is to draw with.

    Attributes:
        sources: the networks found last; ``source`` the chosen one, None when there is none.
        opened: pipelines that the user named, the newest last; at most eight are remembered.
        live: the run in training when they were looked for.
    """

    def __init__(self) -> None:
        self.sources: list[Network] = []
        self.source: Network | None = None
        self.opened: list[str] = []
        self.live: Run | None = None

    def look(self, live: Run | None) -> None:
        """Look again; the chosen one stays, as it is now."""
        self.live = live
        self.sources = [*find_sources(live), *find_pipelines(self.opened)]
        if self.source is not None:
            here = _place(self.source)
            self.source = next((source for source in self.sources if _place(source) == here), self.source)

    def begin(self, name: str) -> None:
        """Where nothing is chosen yet: the network of that name, or the first."""
        if self.source is None and self.sources:
            remembered = [source for source in self.sources if source.name == name]
            self.source = (*remembered, *self.sources)[0]

    def choose(self, name: str) -> None:
        """The network that ``--run`` or another screen names: the user's own before a shipped one.

        Raises:
            DifftuiError: there is none; the first one is chosen where none was.
        """
        matching = [source for source in self.sources if source.name == name]
        try:
            self.take(matching[-1] if matching else named_network(name))
        except DifftuiError:
            self.begin("")
            raise

    def take(self, source: Network) -> None:
        """This one."""
        self.source = source
        if isinstance(source, PipelineSource):
            others = [one for one in self.opened if one != source.where]
            self.opened = [*others, source.where][-MOST_OPENED:]

    def take_typed(self, text: str) -> None:
        """The pipeline that somebody typed.

        Raises:
            DifftuiError: there is no such folder, and it cannot be a name on the hub.
        """
        self.take(typed_pipeline(text))

    def walk(self, by: int) -> bool:
        """The next one, or the one before; whether that is another."""
        places = [source.wanted for source in self.sources]
        here = self.source.wanted if self.source is not None else None
        at = (places.index(here) + by) % len(places) if here in places else 0
        if not places or places[at] == here:
            return False
        self.take(self.sources[at])
        return True

    def offered(self) -> list[Network]:
        """All of them, and the pipeline that the lab looks at, where it is not among them."""
        default = default_pipeline()
        return (
            self.sources if default.wanted in [s.wanted for s in self.sources] else [*self.sources, default]
        )


def _place(source: Network) -> object:
    """Where it lies: what stays the same while it trains."""
    return source.where if isinstance(source, PipelineSource) else source.run
