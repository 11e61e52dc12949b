"""How long it will take, from runs on disk, and the truth beside it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import eventually

from difftui.engine import Engine
from difftui.runs import Run, create_run, list_runs
from difftui.training.recipe import PRESETS, Recipe
from difftui.ui.panels import estimate as estimate_module
from difftui.ui.panels.estimate import MEASURING, Estimates, clock, estimate

LAB = replace(PRESETS["lab"], data="bundled", epochs=None, steps=1000)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine("cpu")
    engine.start()
    yield engine
    assert engine.shutdown(60)


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
    assert found.words == "takes about 2 min, at 640 images/s, as same had"
    assert found.against(112) == "took 1:52, the estimate was 1:40"


def test_epochs_count_the_images_there_are() -> None:
    past("same", LAB, "CPU", 1000)
    assert estimate(LAB.with_budget(epochs=2), "CPU").seconds == pytest.approx(2 * 157 * 64 / 1000)


def test_clock() -> None:
    assert [clock(s) for s in (0, 59.6, 760, 3725)] == ["0:00", "1:00", "12:40", "1:02:05"]


def test_what_no_run_tells_is_measured_while_the_engine_rests(own_home: Path, engine: Engine) -> None:
    recipe = replace(LAB, batch_size=4)
    estimates = Estimates(engine)
    eventually(lambda: engine.device is not None)
    assert estimates.of(recipe).seconds is None
    assert estimates.measure(recipe)
    assert estimates.of(recipe).words == MEASURING
    eventually(lambda: estimates.measure(recipe))
    found = estimates.of(recipe)
    assert "measured just now" in found.words
    rate = float(found.source.split()[1])
    assert found.seconds is not None
    assert 1000 * 4 / found.seconds == pytest.approx(rate, abs=0.51)
    assert list_runs() == []
    assert not estimates.measure(recipe), "once is enough"
    other = replace(recipe, learning_rate=1.0)
    assert estimates.of(other) == found, "the speed does not depend on it"
    huge = replace(recipe, batch_size=65_536)  # the bundled digits alone would not fill it
    estimates.measure(huge)
    estimates.measure(replace(recipe, batch_size=2))
    assert estimates.of(huge).words != MEASURING, "the newest question goes before"
    assert estimates.of(replace(recipe, batch_size=2)).words == MEASURING
    estimates.stop()
    assert estimates.of(replace(recipe, batch_size=2)).seconds is None


def test_a_budget_in_minutes_is_not_measured(engine: Engine) -> None:
    eventually(lambda: engine.device is not None)
    estimates = Estimates(engine)
    for _ in range(3):
        assert not estimates.measure(PRESETS["quick"])
    assert not engine.has_work


def test_runs_are_not_read_again_until_it_is_asked_for(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    eventually(lambda: engine.device is not None)
    label = engine.device.label
    reads: list[None] = []

    def counted() -> list[Run]:
        reads.append(None)
        return list_runs()

    monkeypatch.setattr(estimate_module, "list_runs", counted)
    estimates = Estimates(engine)
    past("one", LAB, label, 100)
    for _ in range(3):  # as every frame of a screen asks, and the form
        assert not estimates.measure(LAB)
        assert estimates.of(replace(LAB, learning_rate=1.0)).seconds == pytest.approx(640)
    assert len(reads) == 1
    past("two", LAB, label, 200)
    estimates.look_again()
    assert estimates.of(LAB).seconds == pytest.approx(320)
    assert len(reads) == 2
