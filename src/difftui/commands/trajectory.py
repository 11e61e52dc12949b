"""The figures of a drawing, step by step, as rows of text: what Generate shows of each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from difftui.commands.tables import figure
from difftui.diffusion import NoiseSchedule

if TYPE_CHECKING:
    from torch import Tensor

    from difftui.diffusion import Frame

__all__ = ["HEADER", "Following"]

HEADER = ("STEP", "T", "S", "NOISE %", "X0 MOVED", "X0 MEAN", "X0 STD", "X_S MEAN", "X_S STD")


class Following:
    """Takes in frames and keeps a row for each: mean values over all pictures.

    NOISE is the share of noise in the picture that the network looked at, 100 (1 - ᾱ_t); X0 MOVED the mean
    absolute change of its estimate since the step before.

    Attributes:
        rows: of :data:`HEADER`.
    """

    def __init__(self, schedule: NoiseSchedule) -> None:
        self.rows: list[tuple[str, ...]] = []
        self._schedule = schedule
        self._last: Tensor | None = None

    def add(self, frame: Frame[Tensor]) -> None:
        """One step more."""
        x0, x_s = frame.x0_hat, frame.x
        moved = None if self._last is None else float((x0 - self._last).abs().mean())
        self._last = x0
        numbers = (float(x0.mean()), float(x0.std()), float(x_s.mean()), float(x_s.std()))
        noise = f"{100 * (1 - self._schedule.alpha_bar(frame.t)):.2f}"
        told = (figure(moved and round(moved, 6)), *(f"{number:.4f}" for number in numbers))
        self.rows.append((str(len(self.rows) + 1), str(frame.t), str(frame.s), noise, *told))
