"""What is compared with what: five questions about drawing, each as pictures to be drawn side by side.

A :class:`Plan` says how each picture is drawn and what it is held against; :mod:`~difftui.diffusion.race`
draws. NumPy and torch are not needed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from difftui.diffusion.captions import caption_of
from difftui.diffusion.race import Way
from difftui.diffusion.samplers import EXPERIMENTS, SAMPLERS

__all__ = ["GUIDANCES", "SAMPLER_NAMES", "STEPS", "VIEWS", "Plan", "plan", "step_counts"]

STEPS = (25, 50, 100, 200, 1000)
"""Sampler steps that are compared, as far as the schedule has so many."""

GUIDANCES = (-1.0, 0.0, 0.3, 1.0, 3.0, 8.0)
"""Guidance scales w in c + w (c - u) that are compared; -1 is the answer without a label."""

VARIETY = 5
"""Pictures in each row of the view of variety."""

MOST_LABELS = 10

VIEWS: Mapping[str, str] = MappingProxyType(
    {
        "steps": "one sampler, more and more steps, from one x_T",
        "samplers": "all samplers and two mistakes, as many steps each, from one x_T",
        "labels": "one x_T under every label: what text conditioning comes to",
        "guidance": "one x_T and label under several guidance scales",
        "variety": "other starts without noise, against one start with other noise",
    }
)
"""The comparisons by name, each with its question."""

SAMPLER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ddpm": "DDPM",
        "ddim": "DDIM",
        "dpm-solver++": "DPM-Solver++",
        "heun": "Heun",
        "naive-stride": "naive stride",
        "looped-x0": "looped x0",
    }
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One comparison.

    Attributes:
        view: one of :data:`VIEWS`.
        ways: how each picture is drawn.
        names: what each is called, in at most 13 characters.
        reference: what the finished pictures are held against, one of ``ways`` or another; None is nothing.
        reference_name: what that is called in words.
        rows: pictures of which it is asked how far they lie apart, as positions in ``ways``.
    """

    view: str
    ways: tuple[Way, ...]
    names: tuple[str, ...]
    reference: Way | None = None
    reference_name: str = ""
    rows: tuple[tuple[int, ...], ...] = ()

    @property
    def measurable(self) -> bool:
        """Whether it makes sense to draw many pictures in each way and to measure them."""
        return self.view in ("steps", "samplers", "guidance")

    def is_experiment(self, index: int) -> bool:
        """Whether that way is a mistake on purpose."""
        return self.ways[index].sampler in EXPERIMENTS


def plan(view: str, T: int, way: Way, *, labels: int | None = None) -> Plan:
    """The comparison of this name.

    Args:
        view: one of :data:`VIEWS`.
        T: timesteps of the network's schedule.
        way: sampler, steps (all T at most), seed, label and guidance wherever the view does not vary them.
        labels: how many classes the network knows; for the view "labels".

    Raises:
        ValueError: an unknown view, or "labels" without any.
    """
    if view not in VIEWS:
        raise ValueError(f"unknown comparison {view!r}; known are {', '.join(VIEWS)}.")
    way = replace(way, steps=min(way.steps, T))
    if view == "labels":
        if not labels:
            raise ValueError("labels can only be compared on a network that knows some.")
        return _labels(way, min(labels, MOST_LABELS))
    makers: dict[str, Callable[[int, Way], Plan]] = {
        "steps": _steps,
        "samplers": _samplers,
        "guidance": _guidance,
        "variety": _variety,
    }
    return makers[view](T, way)


def step_counts(T: int) -> tuple[int, ...]:
    """The numbers of steps that are compared on a schedule of T timesteps, rising."""
    counts = sorted({min(steps, T) for steps in STEPS})
    if len(counts) < 3:
        counts = sorted({max(1, T // part) for part in (8, 4, 2, 1)})
    return tuple(counts)


def _steps(T: int, way: Way) -> Plan:
    counts = step_counts(T)
    ways = tuple(replace(way, steps=steps) for steps in counts)
    names = tuple(f"{steps} step{'s' if steps > 1 else ''}" for steps in counts)
    return Plan("steps", ways, names, ways[-1], f"the {counts[-1]}-step picture")


def _samplers(T: int, way: Way) -> Plan:
    names = (*SAMPLERS, *EXPERIMENTS)
    ways = tuple(replace(way, sampler=name) for name in names)
    exact = replace(way, sampler="ddim", steps=T)
    return Plan(
        "samplers",
        ways,
        tuple(SAMPLER_NAMES[name] for name in names),
        exact,
        f"DDIM's picture in all {T} steps",
    )


def _labels(way: Way, count: int) -> Plan:
    ways = tuple(replace(way, label=label) for label in range(count))
    return Plan("labels", ways, tuple(caption_of(label) for label in range(count)))


def _guidance(T: int, way: Way) -> Plan:
    ways = tuple(replace(way, guidance=w) for w in GUIDANCES)
    names = tuple(f"w = {w:g}" for w in GUIDANCES)
    return Plan("guidance", ways, names, ways[GUIDANCES.index(0.0)], "the picture without guidance, w = 0")


def _variety(T: int, way: Way) -> Plan:
    seeds = range(way.seed, way.seed + VARIETY)
    starts = [replace(way, sampler="ddim", eta=0.0, seed=seed) for seed in seeds]
    noises = [replace(way, sampler="ddpm", noise_seed=seed) for seed in seeds]
    names = [f"start {seed}" for seed in seeds] + [f"noise {seed}" for seed in seeds]
    rows = tuple(range(VARIETY)), tuple(range(VARIETY, 2 * VARIETY))
    return Plan("variety", (*starts, *noises), tuple(names), rows=rows)
