"""Page: the exact way back, which knows all pictures by heart and can only copy them, beside a learnt one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.data import bundled, held_out
from difftui.diffusion import make_sampler, starting_noise, transitions
from difftui.diffusion.analytic import PointsDenoiser
from difftui.evaluation.neighbours import nearest
from difftui.experiments.materials import clean, drawn, load_network
from difftui.experiments.page import PENDING, Findings, Page, Pictures, Setup, Table
from difftui.experiments.questions.asking import milliseconds, wake
from difftui.words import grouped

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["LEARNED_REVERSE", "learned_reverse"]

Grey = NDArray[np.float32]

NETWORKS = ("quick", "lab", "conditional")
DRAWN = 6
STEPS = 50
REAL = 60  # held-out digits, for the distance of new ones
SAME = 0.5  # nearer than this is a copy; a new real digit is some twenty times as far from the nearest
WAYS = ("exact", "learnt")


def learned_reverse(
    setup: Setup, device: str, *, steps: int = STEPS, known: int | None = None
) -> Iterator[Findings]:
    """DDIM from the same noise with two denoisers: Bayes' rule over all digits known, and a network."""
    import torch

    from difftui.diffusion import network_denoiser
    from difftui.models.side_by_side import side_by_side

    loaded = load_network(NETWORKS, setup.network, device)
    points = bundled().images[:known]
    exact = PointsDenoiser(loaded.schedule, clean(points).astype(np.float32))
    seeds = tuple(range(setup.seed, setup.seed + DRAWN))
    noise = starting_noise(seeds, loaded.model.image_shape)  # type: ignore[arg-type]
    state = _Ways(loaded, points, drawn(noise))
    yield state.findings(0.0)
    by_rule = make_sampler("ddim", loaded.schedule, exact, np.zeros_like)
    learnt = network_denoiser(side_by_side(loaded.model), loaded.schedule, target=loaded.recipe.target)
    by_network = make_sampler("ddim", loaded.schedule, learnt, torch.zeros_like, clip_x0=True)
    wake(loaded, device)
    x, z = drawn(noise), noise.to(device)
    for done, (t, s) in enumerate(transitions(loaded.schedule.T, steps), 1):
        began = time.perf_counter()
        x = by_rule.step(x, t, s).x.astype(np.float32)
        between = time.perf_counter()
        with torch.inference_mode():
            z = by_network.step(z, t, s).x
        state.pictures = {"exact": x, "learnt": drawn(z)}
        state.add_times(between - began, time.perf_counter() - between)
        yield state.findings(0.95 * done / steps)
    for way in WAYS:
        state.distances[way] = nearest(state.pictures[way], points)[1]
    state.distances["real"] = nearest(clean(held_out().images[:REAL]), points)[1]
    yield state.findings(1.0)


class _Ways:
    """Both ways back, as far as they have come.

    Attributes:
        loaded: the network.
        points: the digits known, (N, 28, 28) bytes.
        pictures: (6, 28, 28), by way.
        seconds, steps: time spent so far, by way, and steps taken.
        distances: to the nearest known digit, by way and for "real" ones; empty before they are measured.
    """

    def __init__(self, loaded: LoadedModel, points: NDArray[np.uint8], noise: Grey) -> None:
        self.loaded, self.points = loaded, points
        self.pictures: dict[str, Grey] = dict.fromkeys(WAYS, noise)
        self.seconds, self.steps = [0.0, 0.0], 0
        self.distances: dict[str, NDArray[np.float64]] = {}

    def add_times(self, exact: float, learnt: float) -> None:
        """One more step of each."""
        self.seconds = [self.seconds[0] + exact, self.seconds[1] + learnt]
        self.steps += 1

    def findings(self, done: float) -> Findings:
        """The page at this point."""
        from difftui.models import parameter_count

        steps = [milliseconds(s / self.steps) if self.steps else PENDING for s in self.seconds]
        needed = self.points.size, parameter_count(self.loaded.model)
        rows = (
            ("distance to the nearest known", *(self._median(way) for way in WAYS)),
            (f"of {DRAWN} pictures, copies", *(self._copies(way) for way in WAYS)),
            ("numbers needed at each step", *map(grouped, needed)),
            (f"time of a step of {DRAWN} pictures", *steps),
            ("distance of real new digits", "", self._median("real")),
        )
        titles = ("exact, from six x_T", f"learnt ({self.loaded.name}), from the same six")
        blocks = [Pictures(title, self.pictures[way]) for title, way in zip(titles, WAYS, strict=True)]
        nearby = np.concatenate([self._neighbours(way) for way in WAYS])
        blocks.append(Pictures("the nearest known digits of both", nearby, columns=DRAWN))
        return Findings(
            done,
            tuple(blocks),
            Table(("", "exact (Bayes' rule)", f"learnt ({self.loaded.name})"), rows),
            self._seen() if self.distances else "",
            needed=2,
        )

    def _neighbours(self, way: str) -> Grey:
        if not self.distances:
            return np.full_like(self.pictures[way], -1.0)
        places, _, _ = nearest(self.pictures[way], self.points)
        return clean(self.points[places]).astype(np.float32)

    def _median(self, way: str) -> str:
        found = self.distances.get(way)
        return PENDING if found is None else f"{np.median(found):.1f}"

    def _copies(self, way: str) -> str:
        found = self.distances.get(way)
        return PENDING if found is None else str(int((found < SAME).sum()))

    def _seen(self) -> str:
        return (
            f"The exact way back copies: {self._copies('exact')} of {DRAWN} are digits it knows. The "
            f"network's lie {self._median('learnt')} from any, as new real ones do ({self._median('real')}): "
            "not copies."
        )


LEARNED_REVERSE = Page(
    name="copies",
    title="The exact way back can only copy",
    source="Modules",
    says="why learn the reverse at all?",
    look="The same noise, twice. Which pictures were there before?",
    how="DDIM from the same x_T. Exact: E[x_0 | x_t] by Bayes' rule, were the 10 000 bundled digits all. "
    "Learnt: a network trained on them and 50 000 more. Distances are medians of √Σ(a-b)² over 784 pixels; a "
    "copy is nearer than 0.5 to a digit known.",
    run=learned_reverse,
    offers=frozenset({"seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)
