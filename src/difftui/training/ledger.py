"""The books of a training: losses as they leave the device, the rate, and the lines of metrics."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from difftui.runs import Metrics, row_interval
from difftui.training.progress import Validation

if TYPE_CHECKING:
    from difftui.training.trainer import Trainer

__all__ = ["Ledger", "NotFinite"]

RATE_READINGS = 40  # the rate is of so many readings, a few seconds
PACE_SECONDS = 60.0  # of training; what is left is told by the pace of these


class NotFinite(Exception):
    """A loss or a gradient is no finite number.

    Attributes:
        step: of which step.
    """

    def __init__(self, what: str, value: float, step: int) -> None:
        super().__init__(f"the {what} is {value}")
        self.step = step


class Ledger:
    """Keeps losses on the device until they are read, all at once, and writes a row of metrics now and then.

    Args:
        trainer: whose losses.
        metrics: where rows go; None keeps none.

    Attributes:
        gradient_norm: of the newest step that was read; None before the first.
    """

    def __init__(self, trainer: Trainer, metrics: Metrics | None) -> None:
        self.trainer = trainer
        self.metrics = metrics
        self.gradient_norm: float | None = None
        self._unread: list[Tensor] = []
        self._unwritten: list[float] = []
        self._row_at = -math.inf  # when the newest row was written, in seconds trained
        self._readings: list[tuple[float, int, float]] = []  # seconds, images seen, share of the budget done

    def add(self, loss: Tensor) -> None:
        """Take a step's loss, wherever it lies; nothing waits for the device."""
        self._unread.append(loss)

    def read(self) -> tuple[float, ...]:
        """Fetch the losses that wait on the device, in one transfer.

        Raises:
            NotFinite: one of them, or the gradient of the last, is not a number.
        """
        if not self._unread:
            return ()
        trainer = self.trainer
        began = time.perf_counter()
        norm = trainer.gradient_norm()
        told = torch.stack([*self._unread, *([] if norm is None else [norm])]).tolist()
        trainer.seconds += time.perf_counter() - began
        losses = tuple(told[: len(self._unread)])
        self.gradient_norm = None if norm is None else told[-1]
        self._unread.clear()
        self._readings.append((trainer.seconds, trainer.images_seen, trainer.fraction))
        while len(self._readings) > 2 and trainer.seconds - self._readings[1][0] > PACE_SECONDS:
            del self._readings[0]
        for index, loss in enumerate(losses):
            if not math.isfinite(loss):
                raise NotFinite("loss", loss, trainer.step - len(losses) + index + 1)
        if self.gradient_norm is not None and not math.isfinite(self.gradient_norm):
            raise NotFinite("gradient", self.gradient_norm, trainer.step)
        self._unwritten += losses
        return losses

    def write(self, *, at_once: bool = False) -> None:
        """Append a row of metrics over the losses since the one before, where it is time for it.

        Raises:
            OSError: the disk refuses; the losses wait for the next try.
        """
        trainer, losses = self.trainer, self._unwritten
        rest = row_interval(trainer.seconds)
        due = at_once or rest == row_interval(0) or trainer.seconds - self._row_at >= rest
        if not losses or not due:
            return
        if self.metrics is not None:
            norm, left = self.gradient_norm, self.seconds_left
            self.metrics.append(
                {
                    "step": trainer.step,
                    "seconds": round(trainer.seconds, 3),
                    "loss": round(sum(losses) / len(losses), 6),
                    "low": round(min(losses), 6),
                    "high": round(max(losses), 6),
                    "grad": None if norm is None else _short(norm),
                    "lr": _short(self.learning_rate),
                    "rate": round(self.images_per_second, 1),
                    "fraction": round(trainer.fraction, 6),
                    "left": None if left is None else round(left, 1),
                }
            )
        self._row_at = trainer.seconds
        losses.clear()

    def write_validation(self, measured: Validation) -> None:
        """Append a row with a validation. Raises OSError."""
        if self.metrics is not None:
            self.metrics.append(
                {
                    "step": measured.step,
                    "seconds": round(self.trainer.seconds, 3),
                    "validation": round(measured.loss, 6),
                    "bins": [None if math.isnan(e) else round(e, 6) for e in measured.by_timestep],
                }
            )

    @property
    def learning_rate(self) -> float:
        """Of the step just done."""
        return float(self.trainer.optimiser.param_groups[0]["lr"])

    @property
    def images_per_second(self) -> float:
        """Over the last few seconds of training."""
        if len(self._readings) < 2:
            return self.trainer.images_seen / self.trainer.seconds if self.trainer.seconds else 0.0
        few = self._readings[-RATE_READINGS:]
        (seconds_0, images_0, _), (seconds_1, images_1, _) = few[0], few[-1]
        return (images_1 - images_0) / max(seconds_1 - seconds_0, 1e-9)

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the training time that is left, at the pace of the last minute of this sitting.

        None before there is a pace. Earlier sittings do not count: they may have had another machine.
        """
        left = 1 - self.trainer.fraction
        if left <= 0:
            return 0.0
        if len(self._readings) < 2:
            return None
        (seconds_0, _, done_0), (seconds_1, _, done_1) = self._readings[0], self._readings[-1]
        return left * (seconds_1 - seconds_0) / (done_1 - done_0) if done_1 > done_0 else None


def _short(value: float) -> float:
    return float(f"{value:.4g}")
