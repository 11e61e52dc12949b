"""The worker thread: who is pulled when, what the latch shows, what an error leaves behind, how it ends.

The jobs are plain generators and, where it matters, a real training. Fairness is tested on a clock of our own
that the jobs themselves move, so that its figures are exact on any machine.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers import eventually

from difftui.data import Digits
from difftui.engine import Device, Engine, Job, JobState, Workbench
from difftui.engine import engine as engine_module
from difftui.errors import DifftuiError
from difftui.runs import create_run, find_run
from difftui.training.recipe import Recipe

IMPORT_SECONDS = 600.0  # of torch, beside others that do


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine("cpu")
    yield engine
    assert engine.shutdown(60), "the thread ends when it is told to"


class Clock:
    """Stands in for time.perf_counter in the engine; jobs move it by what they cost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(engine_module, "time", SimpleNamespace(perf_counter=lambda: self.now))


def counting(bench: Workbench | None) -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1
        time.sleep(0.001)


def worker(
    clock: Clock, cost: float, log: list[str], name: str, pulls: int = 10**9
) -> Callable[[Workbench], Iterator[int]]:
    def start(bench: Workbench) -> Iterator[int]:
        for number in range(pulls):
            clock.now += cost
            log.append(name)
            yield number

    return start


def test_importing_and_making_an_engine_imports_no_torch_and_a_thread_of_its_own_does() -> None:
    script = """
import sys, threading, time, importlib.abc
importers = []
class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            importers.append(threading.current_thread().name)
sys.meta_path.insert(0, Watch())
from difftui.engine import Engine
import difftui.engine.sampling, difftui.engine.training
engine = Engine("cpu")
job = engine.submit("one", lambda bench: iter([bench.device.torch_device_name]))
assert not importers, importers
engine.start()
while not job.state.final:
    time.sleep(0.01)
assert importers == ["difftui-torch"], importers
assert job.snapshot == "cpu" and engine.device.label.startswith("CPU")
assert engine.shutdown(60)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=IMPORT_SECONDS)


def test_light_jobs_run_while_torch_is_still_being_imported() -> None:
    """The import is held up by us until the light job has done a hundred pulls; the other one waits."""
    script = """
import sys, threading, time, importlib.abc
go = threading.Event()
class Hold(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            assert go.wait(600)
sys.meta_path.insert(0, Hold())
from difftui.engine import Engine, JobState
engine = Engine("cpu")
heavy = engine.submit("heavy", lambda bench: iter([bench.device.label]))
light = engine.submit_light("light", lambda: iter([threading.current_thread().name] * 100), paused=True)
engine.start()
light.step(40)
while light.version < 40:
    time.sleep(0.001)
light.resume()
while not light.state.final:
    time.sleep(0.001)
assert light.state is JobState.DONE and light.snapshot == "difftui-engine" and light.version == 100
assert heavy.state is JobState.WAITING and engine.device is None and "torch" not in sys.modules
go.set()
while not heavy.state.final:
    time.sleep(0.01)
assert heavy.state is JobState.DONE and heavy.snapshot.startswith("CPU"), heavy.error
assert engine.shutdown(60)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=IMPORT_SECONDS)


def test_two_jobs_of_different_cost_get_equal_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, log = Clock(monkeypatch), list[str]()
    engine.submit("cheap", worker(clock, 1.0, log, "cheap"))
    engine.submit("dear", worker(clock, 7.0, log, "dear"))
    engine.start()
    eventually(lambda: len(log) >= 800)
    first = log[:800]
    assert first.count("cheap") == pytest.approx(7 * first.count("dear"), abs=7)
    longest_wait = max(len(run) for run in "".join("d" if n == "dear" else "c" for n in first).split("d"))
    assert longest_wait <= 7, "neither waits longer than the other's pull lasts"


def test_neither_a_long_pause_nor_a_long_past_gives_a_claim(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, log = Clock(monkeypatch), list[str]()
    paused: Job[int] = engine.submit("rested", worker(clock, 1.0, log, "rested"), paused=True)
    newcomer: list[Job[int]] = []

    def long_past(bench: Workbench) -> Iterator[int]:
        for number in range(10**9):
            clock.now += 1.0
            log.append("old")
            if number == 500:
                paused.resume()
            if number == 600:
                paused.close()
                newcomer.append(engine.submit("new", worker(clock, 1.0, log, "new")))
                old.pause()
                newcomer[0].resume()
                old.resume()
            yield number

    old = engine.submit("old", long_past)
    engine.start()
    eventually(lambda: log.count("new") >= 100)
    together = log[501 : log.index("new")]
    assert abs(together.count("rested") - together.count("old")) <= 1
    later = log[log.index("new") :][:100]
    assert abs(later.count("new") - later.count("old")) <= 1


def test_a_job_that_ran_alone_for_long_is_not_starved_after_its_own_pause(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training is paused after an hour, an animation starts, the training goes on: both move at once."""
    clock, log = Clock(monkeypatch), list[str]()
    training: Job[int] = engine.submit("training", worker(clock, 10.0, log, "training"))
    engine.start()
    eventually(lambda: log.count("training") >= 300)
    training.pause()
    eventually(lambda: training.state is JobState.PAUSED)
    before = log.count("training")

    def animation(bench: Workbench) -> Iterator[int]:
        for number in range(10**9):
            clock.now += 1.0
            log.append("animation")
            if number == 20:
                training.resume()
            yield number

    engine.submit("animation", animation)
    eventually(lambda: log.count("animation") >= 200)
    both = log[before + 21 :]
    assert both.count("training") * 10 == pytest.approx(both.count("animation"), abs=20)


def test_pause_resume_step_and_close(engine: Engine) -> None:
    closed_in = []

    def work(bench: Workbench) -> Iterator[int]:
        try:
            yield from counting(bench)
        finally:
            closed_in.append(threading.current_thread().name)

    job = engine.submit("count", work, paused=True)
    engine.start()
    eventually(lambda: job.state is JobState.PAUSED)
    fresh = (job.snapshot, job.version)
    assert fresh == (None, 0), "a job that starts paused makes nothing"

    job.step()
    eventually(lambda: job.version == 1 and job.state is JobState.PAUSED)
    for _ in range(3):  # a key pressed three times in a row is three steps
        job.step()
    eventually(lambda: job.version == 4 and job.state is JobState.PAUSED)
    assert job.snapshot == 3

    job.resume()
    eventually(lambda: job.version > 10)
    job.step()
    eventually(lambda: job.state is JobState.PAUSED)
    held = job.version
    time.sleep(0.03)
    assert job.version == held
    assert job.snapshot == held - 1, "version counts snapshots"

    assert closed_in == []
    job.close()
    job.close()
    eventually(lambda: job.state is JobState.CLOSED)
    assert closed_in == ["difftui-engine"]
    job.resume()
    job.step()
    after = engine.submit("after", lambda bench: iter([1]))
    eventually(lambda: after.state is JobState.DONE)
    assert job.state is JobState.CLOSED, "what has ended stays ended"


def test_a_job_closed_before_its_first_pull_never_runs(engine: Engine) -> None:
    ran = []

    def work(bench: Workbench) -> Iterator[int]:
        ran.append(1)
        return iter([1])

    jobs = [engine.submit(f"{n}", work) for n in range(20)]  # somebody leans on a key
    for job in jobs[:-1]:
        job.close()
    engine.start()
    eventually(lambda: all(job.state.final for job in jobs))
    assert [job.state for job in jobs] == [JobState.CLOSED] * 19 + [JobState.DONE]
    assert len(ran) == 1, "nor is it started"


def test_a_job_that_waits_for_torch_is_closed_at_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = threading.Event()

    def slowly(request: str) -> Device:
        assert loaded.wait(60)
        return Device("cpu", "CPU", "the test says so")

    monkeypatch.setattr(engine_module, "pick_device", slowly)
    started: list[Workbench] = []

    def work(bench: Workbench) -> Iterator[int]:
        started.append(bench)
        return iter([1])

    job = engine.submit("waits", work)
    engine.start()
    job.pause()
    job.close()
    eventually(lambda: job.state is JobState.CLOSED)
    assert engine.device is None, "torch has not been loaded yet"
    loaded.set()
    after = engine.submit("after", lambda bench: iter([1]))
    eventually(lambda: after.state is JobState.DONE)
    assert started == []
    assert job.state is JobState.CLOSED


def test_giving_way_is_no_event(engine: Engine) -> None:
    def work(bench: Workbench) -> Iterator[int | None]:
        for number in range(100):
            yield None
            yield number
            yield None

    job: Job[int] = engine.submit("polite", work, paused=True)
    engine.start()
    job.step(3)
    eventually(lambda: job.state is JobState.PAUSED and job.version == 3)
    assert job.snapshot == 2
    job.resume()
    eventually(lambda: job.state is JobState.DONE)
    assert (job.snapshot, job.version) == (99, 100)


def test_the_latch_holds_the_newest_event_alone(engine: Engine) -> None:
    job = engine.submit("burst", lambda bench: iter(range(5000)))
    assert (job.state, job.snapshot, job.version) == (JobState.WAITING, None, 0)
    assert engine.has_work
    assert not engine.started
    engine.start()
    engine.start()  # once is enough
    eventually(lambda: job.state is JobState.DONE)
    assert (job.snapshot, job.version, job.error) == (4999, 5000, None)
    assert not engine.has_work


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DifftuiError("the weights are damaged.\n  Train again."), "the weights are damaged. Train again."),
        (ValueError("steps must be 1 or more."), "steps must be 1 or more."),
        (RuntimeError("CUDA out of memory.\nSee the manual\nfor pages"), "RuntimeError: CUDA out of memory."),
        (KeyError("x"), "KeyError: 'x'"),
        (RuntimeError(), "RuntimeError"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_a_job_that_raises_fails_with_one_line_and_the_engine_lives_on(
    engine: Engine, error: BaseException, line: str
) -> None:
    def at_first(bench: Workbench) -> Iterator[int]:
        raise error

    def later(bench: Workbench) -> Iterator[int]:
        yield 7
        raise error

    def when_closed(bench: Workbench) -> Iterator[int]:
        try:
            yield from counting(bench)
        finally:
            raise error

    bystander = engine.submit("bystander", counting)
    failing: list[Job[Any]] = [engine.submit("x", work) for work in (at_first, later, when_closed)]
    engine.start()
    eventually(lambda: failing[2].version > 0)
    failing[2].close()
    eventually(lambda: all(job.state is JobState.FAILED for job in failing))
    assert [job.error for job in failing] == [line] * 3
    assert failing[1].snapshot == 7, "what was there before the error stays"
    seen = bystander.version
    eventually(lambda: bystander.version > seen)
    assert bystander.error is None


def test_a_device_that_is_not_there_fails_jobs_with_its_reason_and_ends_all_the_same() -> None:
    engine = Engine("cuda:77")
    job = engine.submit("any", counting)
    engine.start()
    eventually(lambda: job.state.final)
    assert job.state is JobState.FAILED
    assert engine.device is None
    assert engine.problem is not None
    assert "cuda:77" in engine.problem
    assert job.error == engine.problem
    light = engine.submit_light("light", lambda: iter([1, 2]))
    eventually(lambda: light.state is JobState.DONE)
    assert light.snapshot == 2, "what needs no device goes on without one"
    assert engine.shutdown(60)


def test_shutdown_while_torch_is_being_imported_waits_for_the_import_and_closes_all() -> None:
    engine = Engine("cpu")
    heavy = engine.submit("heavy", counting)
    light = engine.submit_light("light", lambda: counting(None), paused=True)
    engine.start()
    assert engine.shutdown(60)
    assert heavy.state.final
    assert light.state is JobState.CLOSED


def test_shutdown_without_a_start_and_twice() -> None:
    engine = Engine("cpu")
    engine.submit("never", counting)
    assert engine.shutdown(1)
    assert engine.shutdown(1)


def test_an_idle_engine_takes_no_processor_time(engine: Engine) -> None:
    job = engine.submit("count", counting)
    engine.start()
    eventually(lambda: job.version > 3)
    job.pause()
    eventually(lambda: job.state is JobState.PAUSED)

    def rests() -> bool:  # in the end: other threads of this process may have something left to do
        before = time.process_time()
        time.sleep(0.2)
        return time.process_time() - before < 0.05

    eventually(rests)


@pytest.mark.parametrize("paused", [False, True])
def test_shutdown_closes_a_training_which_saves_itself(engine: Engine, paused: bool) -> None:
    from difftui.training import train

    recipe = Recipe(name="tiny", model="lab-unet", data="bundled", timesteps=20, batch_size=2, steps=10**6)
    run = create_run("kept", recipe.to_json())
    digits = Digits(np.zeros((4, 28, 28), np.uint8), np.zeros(4, np.uint8), "zeros")
    job = engine.submit("training", lambda bench: train(recipe, run, digits=digits))
    engine.start()
    eventually(lambda: job.version >= 3)
    if paused:
        job.pause()
        eventually(lambda: job.state is JobState.PAUSED)
    assert engine.shutdown(60)
    assert job.state is JobState.CLOSED
    assert job.snapshot is not None
    status = find_run("kept").status()
    assert (status.state, status.step) == ("stopped", job.snapshot.step)
    assert run.weights_path.is_file()
