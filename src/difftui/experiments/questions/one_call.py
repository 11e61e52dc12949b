"""Page: from noise in one call of a network, as a GAN does, in five, and in twenty-five."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import starting_noise
from difftui.experiments.figures import signif
from difftui.experiments.materials import (
    apart,
    drawn,
    grain,
    load_network,
    real_apart,
    real_grain,
)
from difftui.experiments.page import PENDING, Findings, Page, Pictures, Setup, Table
from difftui.experiments.questions.asking import wake
from difftui.experiments.walks import walk

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["ONE_CALL", "one_call"]

Grey = NDArray[np.float32]

NETWORKS = ("quick", "conditional", "lab")
CALLS = (1, 5, 25)
DRAWN = 6  # measured
SHOWN = 4  # of them
REPEATED = 20  # one call for one picture is timed so often


def one_call(setup: Setup, device: str) -> Iterator[Findings]:
    """DDIM from the same six noises in one step, in five and in 25; and what one call takes."""
    import torch

    loaded = load_network(NETWORKS, setup.network, device)
    seeds = tuple(range(setup.seed, setup.seed + DRAWN))
    x_T = starting_noise(seeds, loaded.model.image_shape)  # type: ignore[arg-type]
    state = _Calls(loaded, {calls: drawn(x_T) for calls in CALLS})
    yield state.findings(0)
    wake(loaded, device)
    times = torch.full((1,), loaded.schedule.T - 1, dtype=torch.long, device=device)
    began = time.perf_counter()
    with torch.inference_mode():
        for _ in range(REPEATED):
            drawn(loaded.model(x_T[:1].to(device), times))  # waits for the device
    state.seconds = (time.perf_counter() - began) / REPEATED
    made = 0
    for calls in CALLS:
        for frame in walk(loaded, "ddim", x_T, seeds, calls):
            state.pictures[calls] = drawn(frame.x)
            made += 1
            if frame.s < 0:
                state.measure(calls)
            yield state.findings(made)


@dataclass(slots=True)
class _Calls:
    """The drawings so far.

    Attributes:
        loaded: the network.
        pictures: by calls, (6, H, W), as they are now.
        figures: by calls, distance of two and edges, of the finished ones.
        seconds: that one call for one picture takes; None before it is timed.
    """

    loaded: LoadedModel
    pictures: dict[int, Grey]
    figures: dict[int, tuple[float, float]] = field(default_factory=dict)
    seconds: float | None = None

    def measure(self, calls: int) -> None:
        """Measure the finished drawings."""
        pictures = self.pictures[calls]
        self.figures[calls] = apart(pictures), grain(pictures)

    def findings(self, made: int) -> Findings:
        """The page after so many calls."""
        whole = self.loaded.schedule.T
        found = [self.figures.get(calls) for calls in CALLS]
        far, edges = (
            [PENDING if each is None else signif(each[place]) for each in found] for place in range(2)
        )
        rows = (
            ("time for one picture, about", *(self._time(calls) for calls in CALLS), self._time(whole), ""),
            (f"how far {DRAWN} lie apart", *far, "not drawn", signif(real_apart())),
            ("edges: neighbours differ by", *edges, "not drawn", signif(real_grain())),
        )
        counted = tuple(f"{calls} call{'s' * (calls > 1)}" for calls in CALLS)
        return Findings(
            made / sum(CALLS),
            tuple(
                Pictures(name, self.pictures[calls][:SHOWN])
                for name, calls in zip(counted, CALLS, strict=True)
            ),
            Table((f"{self.loaded.name}, DDIM", *counted, str(whole), "real digits"), rows),
            self._seen() if made == sum(CALLS) else "",
            needed=len(CALLS),
        )

    def _time(self, calls: int) -> str:
        if self.seconds is None:
            return PENDING
        took = calls * self.seconds
        return f"{signif(took, 2)} s" if took >= 0.1 else f"{signif(1000 * took, 2)} ms"

    def _seen(self) -> str:
        one, many = (self.figures[calls] for calls in (CALLS[0], CALLS[-1]))
        return (
            f"Six noises end {signif(one[0])} apart after one call, {signif(many[0])} after {CALLS[-1]} "
            f"(real digits {signif(real_apart())}). A GAN is trained for one call; none is here to measure."
        )


ONE_CALL = Page(
    name="one-call",
    title="One call, as a GAN has, against many",
    source="Brief",
    says="why does iterating help; diffusion against GANs?",
    look="What can one look at pure noise tell? What do the next looks add?",
    how="DDIM without noise from the same six x_T on respaced grids. One call for one picture is timed "
    f"{REPEATED} times; other times are multiples of it. "
    "No GAN is measured here: what is said of them is their design, one call a picture.",
    run=one_call,
    offers=frozenset({"seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)
