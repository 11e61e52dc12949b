"""Looking at a training from inside: the error on held-out digits and a strip of samples, now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from difftui.models.side_by_side import side_by_side
from difftui.training.progress import SampleStrip, Validation
from difftui.training.strips import Strips
from difftui.training.validation import Validator

if TYPE_CHECKING:
    from torch import nn

    from difftui.training.trainer import Trainer

__all__ = ["Onlooker"]

SHARE = 0.03  # of the time goes into looking, at most
CREDIT_SECONDS = 1.0  # and this on top, so that there is something to see early
REST_SECONDS = 2.0  # between two looks
LOOKS = 100  # a look's rest is at least this part of the time trained: their number grows as its logarithm


class Onlooker:
    """Spends a bounded share of a training's time on looking at it. Changes nothing in it.

    Attributes:
        wanted: whether somebody asked for a look now.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.validator = Validator(trainer)
        self.strips = Strips(trainer)
        self.wanted = False
        self._model: nn.Module | None = None
        self._spent = 0.0
        self._began = self._last = time.monotonic()

    @property
    def validation(self) -> Validation | None:
        """The newest measurement."""
        return self.validator.newest

    @property
    def strip(self) -> SampleStrip | None:
        """The newest samples."""
        return self.strips.newest

    def due(self) -> bool:
        """Whether it is time for a look."""
        now = time.monotonic()
        rest = max(REST_SECONDS, self.trainer.seconds / LOOKS)
        affordable = self._spent <= CREDIT_SECONDS + SHARE * (now - self._began)
        return self.wanted or (now - self._last >= rest and affordable)

    def look(self) -> Iterator[None]:
        """Draw and measure with the weights as they are, giving way after every bounded piece of work."""
        self.wanted = False
        self._model = self.trainer.sampling_model(into=self._model)
        model = side_by_side(self._model)
        for activity in (self.strips.draw(model), self.validator.measure(model)):
            while True:
                began = time.perf_counter()
                at_end = next(activity, _END) is _END
                self._spent += time.perf_counter() - began
                if at_end:
                    break
                yield
        self._last = time.monotonic()


_END = object()
