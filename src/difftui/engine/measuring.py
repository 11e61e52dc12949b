"""A network's error by noise as a job, beside what it is compared with: every event sharpens the curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from difftui.engine.engine import Workbench
from difftui.engine.network_facts import network_facts, pictures_for

if TYPE_CHECKING:
    from difftui.evaluation.by_noise import ErrorCurve

__all__ = ["NoiseErrors", "start_measuring"]

MEASURED = 64  # held-out digits behind a curve at its end


@dataclass(frozen=True, eq=False, slots=True)
class NoiseErrors:
    """Error by noise of a network, and of what it is compared with.

    Attributes:
        told: the wrong time that ``fixed`` is told everywhere.
        own: as it should be asked; ``fixed``: told one time, None where it is told none at all.
        other: of the network that differs from it by the time input, or None.
        steps: optimiser steps behind the network's weights and behind those of the other (0 for none).
    """

    told: int
    own: ErrorCurve
    fixed: ErrorCurve | None
    other: ErrorCurve | None
    steps: tuple[int, int]


def start_measuring(
    source: str | Path, other: str | Path | None, told: int
) -> Callable[[Workbench], Iterator[NoiseErrors | None]]:
    """Work for :meth:`Engine.submit`: curves that every event sharpens.

    Args:
        source: the network.
        other: one that differs by being told the time, or None.
        told: the time that a network which takes one is told everywhere, for comparison.
    """

    def start(bench: Workbench) -> Iterator[NoiseErrors | None]:
        return _measure(bench, source, other, told)

    return start


def _measure(
    bench: Workbench, source: str | Path, other: str | Path | None, told: int
) -> Iterator[NoiseErrors | None]:
    import torch

    from difftui.engine.sampling import network_of
    from difftui.evaluation.by_noise import error_by_noise
    from difftui.training.seen import as_seen

    loaded, live = network_of(bench, source)
    pictures, _ = pictures_for(loaded)
    facts = network_facts(loaded, live, pictures, None)
    device = next(loaded.model.parameters()).device
    x0 = as_seen(pictures.images[:MEASURED], device)
    labels = None
    if facts.told_label and pictures.labels is not None:
        labels = torch.from_numpy(pictures.labels[:MEASURED].copy()).to(device)
    asked = [error_by_noise(loaded, x0, labels=labels)]
    if facts.takes_time:
        wrong = min(max(told, 0), loaded.schedule.T - 1)
        asked.append(error_by_noise(loaded, x0, told=wrong, labels=labels))
    steps = (loaded.step, 0)
    if other is not None:
        compared, _ = network_of(bench, other)
        asked.append(error_by_noise(compared, x0, labels=labels))
        steps = (loaded.step, compared.step)
    for curves in _passes(asked):
        if curves is None:
            yield None
            continue
        rest = list(curves[1:])
        fixed = rest.pop(0) if facts.takes_time else None
        yield NoiseErrors(told, curves[0], fixed, rest.pop(0) if rest else None, steps)


def _passes(
    asked: Sequence[Iterator[ErrorCurve | None]],
) -> Iterator[tuple[ErrorCurve, ...] | None]:
    """All curves after each pass, and None in between."""
    while True:
        done: list[ErrorCurve] = []
        for events in asked:
            for event in events:
                if event is not None:
                    done.append(event)
                    break
                yield None
        if len(done) < len(asked):
            return
        yield tuple(done)
