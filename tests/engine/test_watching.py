"""Watching a training through its files: what is seen, asked for, and told when its process dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import training_child
from helpers import eventually

from difftui.engine import Engine, JobState
from difftui.engine.training import resume_training
from difftui.engine.watching import Watch
from difftui.runs import Holder, Run, create_run, find_run, list_runs
from difftui.runs.presence import write_holder
from difftui.ui.panels.standing import Standing, standing_of


@pytest.fixture
def run() -> Run:
    return create_run("watched", training_child.tiny().to_json())


@pytest.fixture
def watch(run: Run) -> Iterator[Watch]:
    watch = Watch(run).start()
    yield watch
    watch.leave()


def test_a_run_that_nobody_has_trained_yet_shows_its_recipe(watch: Watch, run: Run) -> None:
    eventually(lambda: watch.snapshot)
    assert watch.snapshot.recipe == training_child.tiny()
    assert watch.snapshot.progress is None
    assert watch.state is JobState.CLOSED


def test_why_a_training_elsewhere_waits_is_seen(run: Run) -> None:
    now = time.time()
    why = f"{run.path} cannot be written (No space left on device). Step 3 is kept: make room, then go on."
    write_holder(run.holder_path, Holder(7, "node7", "ada", "", "training", 1, now, now, "boot", why))
    watch = Watch(run).start()
    eventually(lambda: watch.held == why)
    eventually(lambda: watch.state is JobState.PAUSED)
    assert standing_of(watch) is Standing.HELD
    watch.leave()


@pytest.mark.slow
def test_it_follows_and_steers_a_training_as_if_it_were_its_own(watch: Watch, run: Run) -> None:
    engine = Engine("cpu")
    engine.start()
    job = engine.submit("training", resume_training("watched"))
    eventually(lambda: watch.state is JobState.RUNNING and watch.snapshot.progress is not None)
    assert watch.who == f"process {os.getpid()} on {run.holder().host}"
    watch.pause()
    eventually(lambda: job.state is JobState.PAUSED and watch.state is JobState.PAUSED)
    step = job.snapshot.progress.step
    watch.post("sample")
    watch.resume()
    eventually(lambda: watch.state is JobState.RUNNING)
    eventually(lambda: watch.snapshot.strips and watch.snapshot.progress.step > step)
    watch.close()
    eventually(lambda: job.state is JobState.CLOSED and watch.state is JobState.CLOSED)
    eventually(lambda: watch.snapshot.progress.step == job.snapshot.progress.step)
    ours, theirs = job.snapshot, watch.snapshot
    assert theirs.about == ours.about
    assert theirs.progress.saved_step == ours.progress.step
    assert theirs.progress.epoch == ours.progress.epoch
    assert theirs.progress.fraction == pytest.approx(ours.progress.fraction, abs=1e-6)
    assert theirs.history.by_timestep == pytest.approx(ours.history.by_timestep, abs=1e-6)
    assert [s.step for s in theirs.strips] == [s.step for s in ours.strips]
    assert (theirs.strips[-1].images == ours.strips[-1].images).all()
    assert engine.shutdown(60)


@pytest.mark.slow
def test_a_process_that_was_killed_is_seen_to_be_gone(watch: Watch, run: Run) -> None:
    command = [sys.executable, training_child.__file__, "forks"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        print(run.path, file=child.stdin, flush=True)
        pid = int(child.stdout.readline())
        eventually(lambda: watch.state is JobState.RUNNING and watch.snapshot.progress is not None)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: watch.state is JobState.CLOSED)
        child.kill()
    assert find_run("watched").status().message == "its process ended early"
    assert list_runs() == [run]


def test_a_run_whose_recipe_cannot_be_read_says_so(run: Run) -> None:
    run.recipe_path.write_text("{")
    watch = Watch(run).start()
    eventually(lambda: watch.error)
    assert watch.error.startswith("watched cannot be watched: not a recipe")
    watch.leave()
