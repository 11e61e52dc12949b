"""Question 24: what makes the gap between a toy and a professional network: size, data, time, pixels?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.data.digits import SIZE
from difftui.diffusion import starting_noise
from difftui.errors import DifftuiError
from difftui.experiments.figures import signif
from difftui.experiments.materials import (
    SURE,
    drawn,
    load_network,
    nearest_digit,
    network_names,
    readings,
    real_certainty,
    real_nearest,
)
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Page, Pictures, Setup, Table
from difftui.experiments.quoted import QUOTED
from difftui.experiments.walks import walk
from difftui.runs import last_metrics, shipped_runs
from difftui.words import duration, grouped

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["QUALITY_GAP"]

NETWORKS = ("toy", "lab", "quick", "conditional", "lecture")
CIFAR_SEEN = 800_000 * 128
"""Pictures that the CIFAR-10 network saw: steps times batch, by Ho et al. (2020), appendix B."""
COLOURS = ("accent", "noise", "foreground", "purple", "green")
DRAWN, STEPS = 32, 50
Grey = NDArray[np.float32]


@dataclass(slots=True)
class _Net:
    """A network, what its files tell, and what it draws.

    Attributes:
        name: of the network.
        parameters: trained numbers.
        side: pixels across.
        seen: pictures shown to it in training, the same ones again counted again.
        seconds: that its training took, as it was noted down then.
        pictures: as they are now.
        sure, near: in the end the share read with certainty, and the distance to the nearest real digit; None
            before, and where the pictures are no size for it.
    """

    name: str
    parameters: int
    side: int
    seen: int
    seconds: float
    pictures: Grey
    sure: float | None = None
    near: float | None = None
    done: bool = False

    def measure(self) -> None:
        """Judge the finished pictures, if they can be."""
        self.done = True
        if self.side == SIZE:
            self.sure = float((readings(self.pictures).max(axis=1) > SURE).mean())
            self.near = nearest_digit(self.pictures)

    def row(self) -> tuple[str, ...]:
        """Its row of the table."""
        sure = "-" if self.done else PENDING
        near = sure
        if self.sure is not None and self.near is not None:
            sure, near = f"{self.sure:.0%}", signif(self.near)
        size, seen = f"{self.side}×{self.side}", f"{self.seen / 1e6:.2f} M"
        return self.name, grouped(self.parameters), size, seen, duration(self.seconds), sure, near

    def shown(self, place: int) -> Grey:
        """One of its drawings on 28×28 pixels: a smaller one has paper around it."""
        margin = (SIZE - self.side) // 2
        return np.pad(self.pictures[place], (margin, SIZE - self.side - margin), constant_values=-1.0)


def quality_gap(
    setup: Setup, device: str, *, count: int = DRAWN, steps: int = STEPS, names: tuple[str, ...] = NETWORKS
) -> Iterator[Findings]:
    """Draw with all networks, and hold their quality against their size and their training."""
    names = network_names(names)
    if not names:
        raise DifftuiError("No network ships here to compare. Install difftui again.")
    seeds = range(setup.seed, setup.seed + count)
    nets: list[_Net] = []
    for place, name in enumerate(names):
        loaded = load_network((name,), name, device)
        x_T = starting_noise(seeds, loaded.model.image_shape)  # type: ignore[arg-type]
        net = _told(loaded, drawn(x_T))
        nets.append(net)
        yield _findings(names, nets, place / len(names))
        for made, frame in enumerate(walk(loaded, "ddpm", x_T, seeds, steps), start=1):
            net.pictures = drawn(frame.x)
            if made == steps:
                net.measure()
            yield _findings(names, nets, (place + made / steps) / len(names))


def _told(loaded: LoadedModel, pictures: Grey) -> _Net:
    """What is known of a network before it draws."""
    from difftui.models import parameter_count

    run = next(run for run in shipped_runs() if run.name == loaded.name)
    return _Net(
        loaded.name,
        parameter_count(loaded.model),
        pictures.shape[-1],
        loaded.step * loaded.recipe.batch_size,
        float(last_metrics(run.metrics.path)["seconds"]),
        pictures,
    )


def _findings(names: tuple[str, ...], nets: list[_Net], done: float) -> Findings:
    header = ("network", "parameters", "pixels", "has seen", "training", f"{SURE:.0%} sure", "nearest")
    rows = [net.row() for net in nets]
    rows += [(name, *(PENDING,) * 6) for name in names[len(nets) :]]
    real = f"{real_certainty()[1]:.0%}", signif(real_nearest())
    rows.append(("real digits", "", "", "", "", *real))
    judged = [net for net in nets if net.sure is not None]
    points = [
        Curve(net.name, [math.log10(net.parameters)], [net.sure or 0.0], colour, True)
        for net, colour in zip(judged, COLOURS, strict=False)
    ]
    plot = Curves(
        f"share {SURE:.0%} sure by parameters",
        tuple(points),
        (5.0, 7.0),
        (0.0, 1.0),
        x_ticks=((5.0, "100 K"), (6.0, "1 M"), (7.0, "10 M")),
        x_name="log10",
    )
    quoted = Table(
        ("the lab says", "parameters", "beside ours"),
        tuple((each.name, each.parameters, _beside(each.name, nets)) for each in QUOTED),
    )
    return Findings(
        done,
        (_pictures(names, nets, 0), plot, _pictures(names, nets, 1)),
        Table(header, tuple(rows)),
        _seen(judged) if done == 1.0 and judged else "",
        more=(("The lab's table of scale", quoted),),
    )


def _beside(name: str, nets: list[_Net]) -> str:
    """What is known that belongs beside a row of the lab's table."""
    toy = next((net for net in nets if net.name == "toy"), None)
    if name == QUOTED[1].name:
        return f"35.7 M by Ho et al. (2020), saw {CIFAR_SEEN / 1e6:.0f} M"
    return (
        f"ours, built as its sheet says: {grouped(toy.parameters)}" if toy and name == QUOTED[0].name else ""
    )


def _pictures(names: tuple[str, ...], nets: list[_Net], place: int) -> Pictures:
    """What each drew from one start."""
    paper = np.full((SIZE, SIZE), -1.0, np.float32)
    images = [net.shown(place) for net in nets] + [paper] * (len(names) - len(nets))
    return Pictures(f"drawn by each, start {place + 1}", np.stack(images), names)


def _seen(judged: list[_Net]) -> str:
    largest = max(judged, key=lambda net: net.parameters)
    best = max(judged, key=lambda net: net.sure or 0.0)
    told = f"{largest.name}, {grouped(largest.parameters)} parameters: {largest.sure:.0%} clear"
    if best is not largest:
        told += f"; {best.name}, {grouped(best.parameters)}: {best.sure:.0%}"
    most = max(net.seen for net in judged)
    return (
        f"{told}. Size is not all: ours have seen {most / 1e6:.1f} M pictures at most, Ho's CIFAR-10 network "
        f"{CIFAR_SEEN / 1e6:.0f} M."
    )


QUALITY_GAP = Page(
    name="gap",
    title="What makes the gap between toy and professional?",
    source="Modules",
    says="from 100 K parameters to 10 billion. What else makes the gap?",
    look="Order the networks by parameters, and by what they draw. Is it the same order?",
    how=f"DDPM in {STEPS} steps from {DRAWN} seeds, without labels. Parameters are counted; pictures seen: "
    "steps times batch; training: as its files noted it then, on two cores, often busy. Pictures of 16×16 "
    "are not read: the recogniser knows 28×28. Nearest: median distance √Σ(a-b)² to 2000 real digits.",
    run=quality_gap,
    offers=frozenset({"seed"}),
    needs_torch=True,
)
