"""Which network a screen draws with: those there are, the one chosen, and what other screens hand on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from difftui.errors import DifftuiError

if TYPE_CHECKING:
    from difftui.runs import Run
    from difftui.ui.pipeline_sources import Network

__all__ = ["SourceChoice"]

N = TypeVar("N", bound="Network")


class SourceChoice(Generic[N]):
    """A choice among the networks there are.

    Attributes:
        all: the networks, as of the last look.
        chosen: one of them, or None where there is none.
        remembered: name of the network that was chosen at the last start, or "".
    """

    def __init__(
        self, find: Callable[[Run | None], list[N]], named: Callable[[str], N], first: str = ""
    ) -> None:
        """Nothing is looked for yet.

        Args:
            find: all networks; it is told the run that this app is training.
            named: the network of a name that is not among those found; raises DifftuiError.
            first: the one to begin with where none is remembered; the first of all where there is no such.
        """
        self.all: list[N] = []
        self.chosen: N | None = None
        self.remembered = ""
        self._find, self._named, self._first = find, named, first
        self._live: Run | None = None

    @property
    def name(self) -> str:
        """Of the chosen network, for the next start."""
        return self.chosen.name if self.chosen is not None else self.remembered

    def look(self, live: Run | None) -> None:
        """See what networks there are now; the chosen one stays, as it is now.

        Args:
            live: the run that this app is training.
        """
        self._live = live
        self.all = self._find(live)
        if self.chosen is not None:
            here = self.chosen.place
            self.chosen = next((source for source in self.all if source.place == here), self.chosen)

    def look_again(self, live: Run | None) -> None:
        """Cheap to ask often: look only where another run is in training than before."""
        if live != self._live:
            self.look(live)

    def take(self, source: N) -> None:
        """This one."""
        self.chosen = source

    def take_first(self) -> None:
        """Where none is chosen: the remembered one, or the first."""
        if self.chosen is None and self.all:
            names = (self.remembered, self._first)
            known = [source for name in names for source in self.all if source.name == name]
            self.chosen = (*known, *self.all)[0]

    def take_named(self, name: str) -> str:
        """The one that ``--run`` or another screen named, the user's own before a shipped one.

        Returns:
            One line where there is no such, else "".
        """
        matching = [source for source in self.all if source.name == name]
        try:
            self.take(matching[-1] if matching else self._named(name))
        except DifftuiError as error:
            self.take_first()
            return str(error)
        return ""

    def take_next(self, by: int) -> bool:
        """The next one, or one before; False where that is the same."""
        places = [source.place for source in self.all]
        here = self.chosen.place if self.chosen is not None else None
        at = (places.index(here) + by) % len(places) if here in places else 0
        if not places or places[at] == here:
            return False
        self.take(self.all[at])
        return True
