"""What can be chosen of an equation: everything offered can be simulated, and nothing damaged is recalled."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from difftui.diffusion.sde import EQUATIONS, Brownian, Geometric, Linear, make_equation
from difftui.engine.simulating import start_paths
from difftui.state import Choices
from difftui.ui.panels.sde_scene import PATHS, STEPS, TOPICS, Scene


def test_every_equation_is_offered_with_its_usual_numbers() -> None:
    assert list(TOPICS) == list(EQUATIONS)
    for name in TOPICS:
        assert Scene(name).simulation.equation == make_equation(name)
        for one in Scene(name).parameters:
            assert one.usual in one.values
            assert list(one.values) == sorted(set(one.values))


def test_the_labs_demos_have_its_numbers() -> None:
    demo = Scene(paths=1000, steps=50, numbers=(("sigma", 2.0),)).of_lab().simulation
    assert demo.equation == Brownian(sigma=1.0, x0=0.0, time=10.0)
    assert (demo.paths, demo.steps) == (5, 1000)
    assert Scene("drift").of_lab().simulation.equation == Linear(rate=0.1, x0=10.0)
    assert isinstance(Scene("geometric").of_lab().simulation.equation, Geometric)


@pytest.mark.parametrize("name", sorted(TOPICS))
def test_the_extremes_of_all_numbers_go_together(name: str) -> None:
    ends = [(one.values[0], one.values[-1]) for one in TOPICS[name].parameters]
    names = [one.name for one in TOPICS[name].parameters]
    for values in itertools.product(*ends):
        scene = Scene(name, tuple(zip(names, values, strict=True)), paths=5, steps=5)
        *_, view = start_paths(scene.simulation)()
        assert np.isfinite(view.x).all(), scene
        assert view.law.low < view.law.high, scene


def test_numbers_are_changed_within_their_limits() -> None:
    scene = Scene().picking(2)
    assert scene.parameter.name == "sigma"
    values = scene.parameter.values
    for _ in values:
        scene = scene.changed(scene.parameter, 1)
    assert scene.value(scene.parameter) == values[-1]
    assert scene.simulation.equation == Brownian(sigma=values[-1])
    for _ in values:
        scene = scene.changed(scene.parameter, -1)
    assert scene.value(scene.parameter) == values[0]
    paths, steps = scene.parameters[:2]
    assert scene.changed(paths, 99).paths == PATHS[-1]
    assert scene.changed(steps, -99).steps == STEPS[0]
    assert scene.picking(-3).picked == len(scene.parameters) - 1


def test_formulas_read_as_one_writes_them() -> None:
    assert Scene().formula() == "dx = dW"
    assert Scene("geometric", (("sigma", 0.5),)).formula() == "dS = 0.1 S dt + 0.5 S dW"
    assert Scene("ornstein-uhlenbeck", (("theta", 2.0),)).formula() == "dx = -2 x dt + dW"
    level = Scene("drift", (("rate", -1.0), ("level", -2.0), ("sigma", 1.5)))
    assert level.formula() == "dx = -(x + 2) dt + 1.5 dW"


def test_a_scene_is_recalled_and_what_is_damaged_is_not() -> None:
    scene = replace(Scene("drift", (("x0", 5.0),)), paths=20, steps=200, seed=7, picked=3)
    again = Scene.from_choices(Choices(json.loads(json.dumps(scene.to_json()))))
    assert again.simulation == scene.simulation
    assert again.picked == 3
    damaged = {"name": "levy", "paths": -1, "steps": "many", "seed": -4, "picked": 99, "sigma": 1e9}
    assert Scene.from_choices(Choices(damaged)).simulation == Scene().simulation
    half = {"name": "brownian", "sigma": 2.0, "time": [], "picked": 4}
    assert Scene.from_choices(Choices(half)).simulation.equation == Brownian(sigma=2.0)
