"""Which network a screen draws with: those there are, the one chosen, and what other screens hand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from difftui.errors import DifftuiError
from difftui.ui.sources import Source, find_sources, named_source

if TYPE_CHECKING:
    from difftui.runs import Run
    from difftui.ui.app import DifftuiApp

__all__ = ["SourceChoice"]


class SourceChoice:
    """A choice among the networks there are.

    Attributes:
        all: the networks, as of the last look.
        chosen: one of them, or None where there is none.
        remembered: name of the network that was chosen at the last start, or "".
    """

    def __init__(self) -> None:
        self.all: list[Source] = []
        self.chosen: Source | None = None
        self.remembered = ""
        self._live: Run | None = None

    @property
    def name(self) -> str:
        """Of the chosen network, for the next start."""
        return self.chosen.name if self.chosen is not None else self.remembered

    def look(self, app: DifftuiApp) -> None:
        """See what networks there are now."""
        self._live = _in_training(app)
        self.all = find_sources(self._live)
        if self.chosen is not None:
            now = [source for source in self.all if source.run == self.chosen.run]
            self.chosen = now[0] if now else self.chosen

    def look_again(self, app: DifftuiApp) -> None:
        """Cheap to ask often: look only where another run is in training than before."""
        if _in_training(app) != self._live:
            self.look(app)

    def take_first(self) -> None:
        """Where none is chosen: the remembered one, or the first."""
        if self.chosen is None and self.all:
            remembered = [source for source in self.all if source.name == self.remembered]
            self.chosen = (*remembered, *self.all)[0]

    def take_named(self, name: str) -> str:
        """The one that ``--run`` or another screen named, the user's own before a shipped one.

        Returns:
            One line where there is no such, else "".
        """
        matching = [source for source in self.all if source.name == name]
        try:
            self.chosen = matching[-1] if matching else named_source(name)
        except DifftuiError as error:
            self.take_first()
            return str(error)
        return ""

    def take_next(self, by: int) -> bool:
        """The next one, or one before; False where that is the same."""
        before = self.chosen
        runs = [source.run for source in self.all]
        if before is not None and before.run in runs:
            self.chosen = self.all[(runs.index(before.run) + by) % len(runs)]
        else:
            self.chosen = self.all[0] if self.all else None
        return self.chosen is not None and (before is None or before.run != self.chosen.run)


def _in_training(app: DifftuiApp) -> Run | None:
    """The run that this app is training, once it is on disk."""
    training = app.own_training()
    return training.snapshot.run if training is not None and training.snapshot is not None else None
