"""The work behind the Compare screen: a drawing, its measurement, and those drawn before."""

from __future__ import annotations

from collections.abc import Iterator

from difftui.engine import Engine, Job, JobState
from difftui.engine.comparing import (
    ComparisonRequest,
    ComparisonView,
    MeasurementView,
    start_comparison,
    start_measurement,
)

__all__ = ["ComparisonJobs"]

KEPT = 6  # comparisons, so that going back to one does not draw it again


class ComparisonJobs:
    """One comparison is shown, at work or done; the ones before it wait, or are kept as they ended.

    Attributes:
        request: of the one that is shown, or None.
        drawing: its job.
        measuring: its measurement's job, or None where none was asked for.
    """

    def __init__(self, engine: Engine) -> None:
        self.request: ComparisonRequest | None = None
        self.drawing: Job[ComparisonView] | None = None
        self.measuring: Job[MeasurementView] | None = None
        self._engine = engine
        self._kept: dict[ComparisonRequest, tuple[Job[ComparisonView], Job[MeasurementView] | None]] = {}

    @property
    def view(self) -> ComparisonView | None:
        """The comparison as far as it has come, or None before its first moment."""
        return self.drawing.snapshot if self.drawing is not None else None

    @property
    def measurement(self) -> MeasurementView | None:
        """What was measured so far, or None."""
        return self.measuring.snapshot if self.measuring is not None else None

    def take(self, request: ComparisonRequest, name: str, *, anew: bool) -> None:
        """Draw what is requested, or take it up again where it was left.

        Args:
            request: what.
            name: of the network, for people.
            anew: draw it in any case: the network is another than it was.
        """
        self.rest()
        kept = self._kept.pop(request, None)
        if kept is not None and (anew or kept[0].state in (JobState.FAILED, JobState.CLOSED)):
            self._end(kept)
            kept = None
        if kept is None:
            kept = self._engine.submit(f"comparing with {name}", start_comparison(request)), None
        self._kept[request] = kept
        while len(self._kept) > KEPT:
            self._end(self._kept.pop(next(iter(self._kept))))
        self.request = request
        self.drawing, self.measuring = kept
        self.go_on()

    def measure(self, count: int, data: str | None) -> None:
        """Measure so many pictures of each way of the comparison that is shown."""
        if self.request is None or self.drawing is None:
            return
        work = start_measurement(self.request, count, data)
        self.measuring = self._engine.submit(f"measuring {self.drawing.name}", work)
        self._kept[self.request] = (self.drawing, self.measuring)

    def stop_measuring(self) -> bool:
        """End the measurement; False where none is under way."""
        if self.measuring is None or self.measuring.state.final:
            return False
        self.measuring.close()
        self.measuring = None
        if self.request is not None and self.drawing is not None:
            self._kept[self.request] = (self.drawing, None)
        return True

    def rest(self) -> None:
        """Leave the device to others."""
        for job in self._shown():
            job.pause()

    def go_on(self) -> None:
        """Work again."""
        for job in self._shown():
            job.resume()

    def _shown(self) -> Iterator[Job[ComparisonView] | Job[MeasurementView]]:
        return (job for job in (self.drawing, self.measuring) if job is not None)

    @staticmethod
    def _end(kept: tuple[Job[ComparisonView], Job[MeasurementView] | None]) -> None:
        for job in kept:
            if job is not None:
                job.close()
