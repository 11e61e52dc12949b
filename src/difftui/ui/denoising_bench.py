"""What Denoise has the engine do: a network that lies on the bench, and its error by noise measured."""

from __future__ import annotations

from difftui.engine import Engine, Job, JobState
from difftui.engine.denoising import DenoisingView, Wish, Wishes, start_denoising
from difftui.engine.measuring import NoiseErrors, start_measuring
from difftui.ui.sources import Source

__all__ = ["DenoisingBench", "NoiseMeter"]

SETTLED_SECONDS = 0.5  # a told time that rests so long is measured


class DenoisingBench:
    """A network that answers one wish after another; of those that come meanwhile only the newest.

    Attributes:
        job: the work, or None before the first network.
    """

    def __init__(self, engine: Engine) -> None:
        self.job: Job[DenoisingView] | None = None
        self._engine = engine
        self._wishes = Wishes(Wish())
        self._expected, self._due = 0, False

    @property
    def view(self) -> DenoisingView | None:
        """The newest answer, or None before the first and after a failure."""
        return self.job.snapshot if self.job is not None and not self.failed else None

    @property
    def failed(self) -> bool:
        """Whether the network could not be used."""
        return self.job is not None and self.job.state is JobState.FAILED

    @property
    def busy(self) -> bool:
        """Whether the newest wish has not been answered yet."""
        return self.job is not None and (self._due or self.job.version < self._expected)

    def take(self, source: Source, wish: Wish) -> None:
        """Another network; the one before is given up."""
        if self.job is not None:
            self.job.close()
        self._wishes = Wishes(wish)
        work = start_denoising(source.wanted, self._wishes)
        self.job = self._engine.submit(f"denoising with {source.name}", work, paused=True)
        self._expected = 0
        self.want(wish)

    def want(self, wish: Wish) -> None:
        """Ask for an answer to this."""
        self._wishes.newest = wish
        self._due = True
        self.ask()

    def ask(self) -> None:
        """Have the newest wish answered, unless an answer is still under way. To be called now and then."""
        job = self.job
        if self._due and job is not None and job.version >= self._expected and not job.state.final:
            self._expected, self._due = job.version + 1, False
            job.step()


class NoiseMeter:
    """The error by noise of a network, measured anew when another time is told and that has come to rest.

    Attributes:
        job: the newest measurement, or None before the first.
    """

    def __init__(self, engine: Engine) -> None:
        self.job: Job[NoiseErrors] | None = None
        self._engine = engine
        self._before: NoiseErrors | None = None  # shown until there is something new
        self._told = 0
        self._changed_at: float | None = None

    @property
    def errors(self) -> NoiseErrors | None:
        """What is measured so far; ``told`` in it says of which time."""
        return (self.job.snapshot if self.job is not None else None) or self._before

    def clear(self) -> None:
        """Another network comes."""
        if self.job is not None:
            self.job.close()
        self.job, self._changed_at, self._before = None, None, None

    def measure(self, source: Source, other: Source | None, told: int, now: float) -> None:
        """See to it that this is measured, beside ``other`` if there is one. To be called at every tick."""
        if self.job is not None and told == self._told:
            self._changed_at = None
            return
        self._changed_at = now if self._changed_at is None else self._changed_at
        if self.job is not None and now - self._changed_at < SETTLED_SECONDS:
            return
        before = self.errors
        self.clear()
        self._told, self._before = told, before
        work = start_measuring(source.wanted, None if other is None else other.wanted, told)
        self.job = self._engine.submit(f"measuring {source.name}", work)

    def hold(self) -> None:
        """Leave the device to others."""
        if self.job is not None:
            self.job.pause()

    def go_on(self) -> None:
        """After :meth:`hold`."""
        if self.job is not None and self.job.state is JobState.PAUSED:
            self.job.resume()
