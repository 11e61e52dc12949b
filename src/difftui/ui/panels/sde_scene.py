"""What can be chosen of a stochastic differential equation: its numbers, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from difftui.diffusion.sde import make_equation
from difftui.engine.simulating import Simulation
from difftui.state import MOST_SEED, Choices
from difftui.words import grouped

__all__ = ["LAB_PATHS", "PATHS", "STEPS", "TOPICS", "Parameter", "Scene", "Topic", "number"]

PATHS = (1, 5, 20, 100, 1000, 5000, 20_000)
STEPS = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
LAB_PATHS, USUAL_PATHS, LAB_STEPS = 5, 1000, 1000


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of an equation.

    Attributes:
        name: as :func:`make_equation` takes it; "paths" and "steps" are the simulation's.
        symbol: how it is written.
        values: what it may be, rising.
        usual: the one to begin with: the lab's, where the lab names one.
        text: what it does.
    """

    name: str
    symbol: str
    values: tuple[float, ...]
    usual: float
    text: str


@dataclass(frozen=True, slots=True)
class Topic:
    """An equation to look at.

    Attributes:
        title: its name for people.
        formula: with its numbers by name in braces.
        parameters: what can be chosen of it.
        start, end: what the ends of its time are called; "" where they are nothing but times.
        note: a few words, for what to look at.
        also: what belongs to the formula, where there is room for it.
    """

    title: str
    formula: str
    parameters: tuple[Parameter, ...]
    note: str
    start: str = ""
    end: str = ""
    also: str = ""


SIZES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0)
LEVELS = (-5.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 10.0)
TIMES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_START = "where all paths begin"
_TIME = "how long it is followed"
_BETAS = (
    Parameter("beta_start", "β start", (0.01, 0.1, 1.0, 5.0), 0.1, "noise added per time, at t = 0"),
    Parameter(
        "beta_end", "β end", (1.0, 2.0, 5.0, 10.0, 20.0, 40.0), 20.0,
        "noise added per time, at t = 1; too little leaves signal",
    ),
)  # fmt: skip

TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        "brownian": Topic(
            "Brownian motion",
            "dx = {sigma} dW",
            (
                Parameter("sigma", "σ", SIZES, 1.0, "size of the noise"),
                Parameter("x0", "x0", LEVELS, 0.0, _START),
                Parameter("time", "time", TIMES, 10.0, _TIME),
            ),
            "the variance grows as t, the spread as √t",
        ),
        "drift": Topic(
            "drift with noise",
            "dx = {rate} (x - {level}) dt + {sigma} dW",
            (
                Parameter("rate", "rate", (-1.0, -0.5, -0.2, -0.1, 0.05, 0.1, 0.2, 0.3), 0.1, "growth"),
                Parameter("level", "level", LEVELS, 0.0, "what it grows away from"),
                Parameter("sigma", "σ", SIZES, 1.0, "size of the noise"),
                Parameter("x0", "x0", LEVELS, 10.0, _START),
                Parameter("time", "time", TIMES, 10.0, _TIME),
            ),
            "the mean is the noise-free path",
        ),
        "geometric": Topic(
            "geometric Brownian motion",
            "dS = {mu} S dt + {sigma} S dW",
            (
                Parameter("mu", "μ", (-0.2, -0.1, 0.0, 0.05, 0.1, 0.2, 0.5), 0.1, "growth of the price S"),
                Parameter("sigma", "σ", SIZES[:-2], 0.3, "noise in proportion to the price"),
                Parameter("x0", "S0", (0.5, 1.0, 2.0, 5.0, 10.0, 100.0), 1.0, "the price to begin with"),
                Parameter("time", "time", TIMES[:-1], 5.0, _TIME),
            ),
            "a price is never negative",
        ),
        "ornstein-uhlenbeck": Topic(
            "Ornstein-Uhlenbeck",
            "dx = {theta} ({level} - x) dt + {sigma} dW",
            (
                Parameter("theta", "θ", (0.1, 0.2, 0.5, 1.0, 2.0, 5.0), 1.0, "pull back to the level"),
                Parameter("level", "level", LEVELS, 0.0, "where it is pulled to"),
                Parameter("sigma", "σ", SIZES, 1.0, "size of the noise"),
                Parameter("x0", "x0", LEVELS, 3.0, _START),
                Parameter("time", "time", TIMES, 5.0, _TIME),
            ),
            "the variance settles at σ²/2θ",
        ),
        "diffusion": Topic(
            "diffusion, forward",
            "dx = -β(t)/2 x dt + √β(t) dW   β {beta_start} → {beta_end}",
            _BETAS,
            "two modes turn into one Gaussian",
            "data",
            "noise",
        ),
        "reverse": Topic(
            "diffusion, reverse",
            "dx = (β/2 x + β ∇log p) dt + √β dW   β {beta_end} → {beta_start}",
            _BETAS,
            "noise turns back into two modes",
            "noise",
            "data",
            "p is the density of x, ∇log p the exact score",
        ),
        "flow": Topic(
            "diffusion, reverse without noise",
            "dx = (β/2 x + β/2 ∇log p) dt   β {beta_end} → {beta_start}",
            _BETAS,
            "no dW: the start decides the end, as in DDIM",
            "noise",
            "data",
        ),
        "round-trip": Topic(
            "diffusion, there and back",
            "β {beta_start} → {beta_end} → {beta_start}, back by the exact score ∇log p",
            _BETAS,
            "a path forgets which mode it came from",
            "data",
            "data",
            "there dx = -β/2 x dt + √β dW, back dx = (β/2 x + β ∇log p) dt + √β dW",
        ),
    }
)
"""What there is to look at, in the order of the lab: names as in :data:`EQUATIONS`."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is chosen.

    Attributes:
        name: of the equation, one of :data:`TOPICS`.
        numbers: (name, value) of those of its parameters that are not the usual ones.
        paths, steps, seed: of the simulation.
        picked: which of the parameters the keys change.
    """

    name: str = "brownian"
    numbers: tuple[tuple[str, float], ...] = ()
    paths: int = USUAL_PATHS
    steps: int = LAB_STEPS
    seed: int = 0
    picked: int = 0

    @property
    def topic(self) -> Topic:
        """The equation."""
        return TOPICS[self.name]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All that can be picked: paths and steps first."""
        return (
            Parameter(
                "paths",
                "paths",
                PATHS,
                USUAL_PATHS,
                "all count for mean, variance and histogram, some are drawn",
            ),
            Parameter("steps", "dt", STEPS, LAB_STEPS, "= time / steps"),
            *self.topic.parameters,
        )

    @property
    def parameter(self) -> Parameter:
        """The picked one."""
        return self.parameters[self.picked]

    @property
    def simulation(self) -> Simulation:
        """What is to be simulated."""
        values = {one.name: self.value(one) for one in self.topic.parameters}
        return Simulation(make_equation(self.name, **values), self.paths, self.steps, self.seed)

    def value(self, parameter: Parameter) -> float:
        """What a parameter is now."""
        if parameter.name in ("paths", "steps"):
            return self.paths if parameter.name == "paths" else self.steps
        return dict(self.numbers).get(parameter.name, parameter.usual)

    def of_topic(self, by: int) -> Scene:
        """The next or the previous equation, with its usual numbers; paths, steps and seed stay."""
        names = list(TOPICS)
        name = names[(names.index(self.name) + by) % len(names)]
        return replace(self, name=name, numbers=(), picked=min(self.picked, 1))

    def of_lab(self) -> Scene:
        """As the lab shows it: five paths in 1000 steps, and its own numbers."""
        return replace(self, numbers=(), paths=LAB_PATHS, steps=LAB_STEPS)

    def picking(self, by: int) -> Scene:
        """With the next or the previous parameter picked."""
        return replace(self, picked=(self.picked + by) % len(self.parameters))

    def changed(self, parameter: Parameter, by: int) -> Scene:
        """With the next larger or smaller value of a parameter, as far as there is one."""
        at = parameter.values.index(self.value(parameter)) + by
        value = parameter.values[min(max(at, 0), len(parameter.values) - 1)]
        if parameter.name == "paths":
            return replace(self, paths=int(value))
        if parameter.name == "steps":
            return replace(self, steps=int(value))
        others = tuple(pair for pair in self.numbers if pair[0] != parameter.name)
        return replace(self, numbers=(*others, (parameter.name, value)))

    def formula(self) -> str:
        """The equation with its numbers."""
        values = {one.name: number(self.value(one)) for one in self.topic.parameters}
        text = self.topic.formula.format(**values).replace("(x - 0)", "x").replace("- -", "+ ")
        text = re.sub(r"= ([\d.]+) \(0 - x\)", r"= -\1 x", text)
        return re.sub(r"(?<![\d.])1 (?=[(xSd])", "", text)  # 1 dW is dW

    def to_json(self) -> dict[str, object]:
        """As values of JSON."""
        return {
            "name": self.name,
            "paths": self.paths,
            "steps": self.steps,
            "seed": self.seed,
            "picked": self.picked,
            **dict(self.numbers),
        }

    @classmethod
    def from_choices(cls, choices: Choices) -> Scene:
        """What was chosen, as far as it is still offered."""
        scene = cls(name=choices.one_of("name", tuple(TOPICS), cls().name))
        numbers = tuple(
            (one.name, choices.one_of(one.name, one.values, one.usual)) for one in scene.topic.parameters
        )
        return replace(
            scene,
            numbers=numbers,
            paths=choices.one_of("paths", PATHS, scene.paths),
            steps=choices.one_of("steps", STEPS, scene.steps),
            seed=choices.whole("seed", 0, MOST_SEED, scene.seed),
            picked=choices.whole("picked", 0, len(scene.parameters) - 1, 0),
        )


def number(value: float) -> str:
    """1000, 20 000, 0.05, 1.5"""
    return grouped(int(value)) if value == int(value) else f"{value:g}"
