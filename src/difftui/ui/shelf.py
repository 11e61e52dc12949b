"""What Generate draws with: trained networks, the pipelines found, and those that were named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from difftui.ui.pipeline_sources import (
    Network,
    PipelineSource,
    default_pipeline,
    find_pipelines,
    named_network,
    typed_pipeline,
)
from difftui.ui.source_choice import SourceChoice
from difftui.ui.sources import find_sources

if TYPE_CHECKING:
    from difftui.runs import Run

__all__ = ["Shelf"]

MOST_OPENED = 8


class Shelf(SourceChoice[Network]):
    """A choice that has other people's pipelines, too.

    Attributes:
        opened: pipelines that the user named, the newest last; at most eight are remembered.
    """

    def __init__(self) -> None:
        super().__init__(self._find_all, named_network)
        self.opened: list[str] = []

    def take(self, source: Network) -> None:
        super().take(source)
        if isinstance(source, PipelineSource):
            others = [one for one in self.opened if one != source.where]
            self.opened = [*others, source.where][-MOST_OPENED:]

    def take_typed(self, text: str) -> None:
        """The pipeline that somebody typed.

        Raises:
            DifftuiError: there is no such folder, and it cannot be a name on the hub.
        """
        self.take(typed_pipeline(text))

    def offered(self) -> list[Network]:
        """All of them, and the pipeline that the lab looks at, where it is not among them."""
        default = default_pipeline()
        return self.all if default.place in [one.place for one in self.all] else [*self.all, default]

    def _find_all(self, live: Run | None) -> list[Network]:
        return [*find_sources(live), *find_pipelines(self.opened)]
