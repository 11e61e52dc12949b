"""How long it will take, from runs on disk, and the truth beside it."""

import json
from dataclasses import replace

import pytest

from difftui.runs import create_run
from difftui.training.recipe import PRESETS, Recipe
from difftui.ui.panels.estimate import clock, estimate

LAB = replace(PRESETS["lab"], data="bundled", epochs=None, steps=1000)


def past(name: str, recipe: Recipe, device: str, rate: float) -> None:
    run = create_run(name, recipe.to_json())
    run.write_about({"device": device})
    run.metrics.path.write_text(json.dumps({"step": 1, "rate": rate}) + "\n")


def test_without_experience_nothing_is_made_up() -> None:
    found = estimate(LAB, "CPU")
    assert found.seconds is None
    assert "first steps" in found.words
    assert found.against(61) == "took 1:01"


def test_a_budget_in_minutes_is_no_estimate() -> None:
    found = estimate(PRESETS["quick"], "CPU")
    assert (found.seconds, found.words) == (60, "")
    assert found.against(60.4) == "took 1:00"


def test_the_rate_of_the_same_network_on_the_same_device_counts() -> None:
    past("other-device", LAB, "GPU", 50_000)
    past("other-network", PRESETS["quick"], "CPU", 9_000)
    assert estimate(LAB, "CPU").seconds is None
    past("other-batch", replace(LAB, batch_size=8), "CPU", 100)
    assert estimate(LAB, "CPU").seconds == pytest.approx(640)
    past("same", LAB, "CPU", 640)
    past("newest", replace(LAB, batch_size=8), "CPU", 200)
    found = estimate(LAB, "CPU")
    assert found.seconds == pytest.approx(100)
    assert found.words == "takes about 2 min, at the 640 images/s of same"
    assert found.against(112) == "took 1:52, the estimate was 1:40"


def test_epochs_count_the_images_there_are() -> None:
    past("same", LAB, "CPU", 1000)
    assert estimate(LAB.with_budget(epochs=2), "CPU").seconds == pytest.approx(2 * 157 * 64 / 1000)


def test_clock() -> None:
    assert [clock(s) for s in (0, 59.6, 760, 3725)] == ["0:00", "1:00", "12:40", "1:02:05"]
