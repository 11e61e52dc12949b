"""A training in one process, seen and controlled from others: real processes, real files."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from helpers import eventually

from difftui.cli import main
from difftui.runs import Run, ask, create_run, find_run, list_runs
from difftui.runs.presence import Holder, write_holder
from difftui.training.recipe import preset

pytestmark = pytest.mark.slow

DIFFTUI = [sys.executable, "-m", "difftui"]
LONG = ["--data", "bundled", "--batch-size", "2", "--device", "cpu", "--steps", "1000000", "--run", "long"]

Say = Callable[..., str]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Give a command, and return what it printed, errors included; it must not fail."""

    def said(*words: object, status: int = 0) -> str:
        assert main([str(word) for word in words]) == status
        told = capsys.readouterr()
        return told.out + told.err

    return said


@pytest.fixture
def long(say: Say) -> Iterator[Run]:
    """A training that was detached, and would last for hours."""
    told = say("train", "--preset", "lab", *LONG, "--detach")
    found = re.fullmatch(
        r"long: training in process (\d+), which needs no terminal\.\n"
        r"Watch it with: difftui watch long\n"
        r"Stop it with:  difftui runs --stop long\n",
        told,
    )
    assert found is not None
    pid = int(found[1])
    yield find_run("long")
    if psutil.pid_exists(pid):
        os.killpg(pid, signal.SIGKILL)
    eventually(lambda: not psutil.pid_exists(pid))


def last_step(run: Run) -> int:
    return int((run.metrics.path.read_text().splitlines() or ['{"step": 0'])[-1].split(":")[1].split(",")[0])


def test_a_detached_training_is_listed_paused_resumed_and_stopped(long: Run, say: Say) -> None:
    eventually(lambda: long.metrics.path.exists() and last_step(long) > 0)
    holder = long.holder()
    assert holder is not None
    listed = say("runs")
    assert re.search(r"long +lab +training 0% +\d+ +", listed)
    assert f"long: training on {holder.host}, process {holder.pid}, CPU, " in listed
    assert "Watch: difftui watch long" in listed

    assert say("runs", "--pause", "long") == "long: asked to pause.\n"
    eventually(lambda: (h := long.holder()) is not None and h.state == "paused")

    def stands() -> bool:  # what was under way when it was asked is finished first
        at = last_step(long)
        time.sleep(0.5)
        return last_step(long) == at

    eventually(stands)
    at = last_step(long)
    assert "long: paused on " in say("runs")

    assert say("runs", "--resume", "long") == "long: asked to resume.\n"
    eventually(lambda: last_step(long) > at)

    strips = len(long.sample_strips())
    assert say("runs", "--sample", "long") == "long: asked to sample.\n"
    eventually(lambda: len(long.sample_strips()) > strips)

    told = say("runs", "--stop", "long")
    assert re.fullmatch(r"long: stopped at step \d+\. Go on: difftui train --run long --resume\n", told)
    eventually(lambda: not psutil.pid_exists(holder.pid))
    assert "stopped as somebody asked, saved at step" in long.log_path.read_text().splitlines()[-1]
    listed = say("runs")
    assert re.search(r"long +lab +stopped 0% ", listed)
    assert "long: stopped at 0%. Go on: difftui train --run long --resume" in listed
    assert main(["runs", "--pause", "long"]) == 1


def test_watching_in_plain_text(long: Run, say: Say) -> None:
    watcher = subprocess.Popen(
        [*DIFFTUI, "watch", "long"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert watcher.stdout is not None
    lines = []
    for line in watcher.stdout:
        lines.append(line)
        if len(lines) == 3:
            say("runs", "--stop", "long")
    assert watcher.wait() == 0
    assert re.match(r"long +0%  step \d+", lines[0])
    assert re.search(r"  loss \d\.\d{4}  .*\d+ images/s  about .* left\n", lines[2])
    assert re.search(r"long: stopped at 0%\. Go on: difftui train --run long --resume\n", lines[-1])


def test_a_training_that_began_by_itself_cannot_be_taken_away(
    long: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--run", "long", "--resume", "--device", "cpu"]) == 1
    assert "is being trained by process" in capsys.readouterr().err
    assert main(["train", "--run", "long", "--resume", "--device", "cpu", "--detach"]) == 1
    assert "is being trained by process" in capsys.readouterr().err
    assert long.liveness().state == "alive"


def test_nothing_stays_of_a_detached_training_that_cannot_begin(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "--preset", "lab", "--data", "bundled", "--device", "cuda:77", "--detach"]
    assert main(words) == 1
    assert "there is no device 'cuda:77' here" in capsys.readouterr().err
    assert list_runs() == []


def test_a_training_on_another_machine_that_gives_no_sign(
    say: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    run = create_run("far", preset("lab").to_json())
    now = time.time()
    write_holder(
        run.holder_path, Holder(77, "node-5", "ada", "NVIDIA H200", "training", 9, now, now - 200, "b")
    )
    os.utime(run.holder_path, (now - 200, now - 200))
    listed = say("runs")
    assert re.search(r"far +lab +presumed dead +", listed)
    assert (
        "far: presumed dead on node-5, process 77, NVIDIA H200: the last sign of life was 3 min ago. "
        "Go on: difftui train --run far --resume"
    ) in listed
    assert main(["watch", "--plain", "far"]) == 1
    assert "difftui: far: presumed dead on node-5" in capsys.readouterr().err


def test_watching_what_nobody_trains(say: Say) -> None:
    create_run("fresh", preset("lab").to_json())
    told = say("watch", "fresh", "--plain")
    assert told == ("fresh    0%  step 0\nfresh: stopped at 0%. Go on: difftui train --run fresh --resume\n")
    shipped = say("watch", "lab", "--plain")
    assert shipped == "lab came with difftui and is finished. Its curves: difftui metrics lab\n"


def test_a_run_elsewhere_is_named_by_its_path(tmp_path: Path, say: Say) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "recipe.json").write_text(preset("lab").to_json())
    assert f"difftui train --run {tmp_path / 'mine'} --resume" in say("watch", tmp_path / "mine", "--plain")


def test_a_long_pause_ends_the_training(monkeypatch: pytest.MonkeyPatch, say: Say) -> None:
    """In this process, with the patience of a moment; another thread asks for the pause."""
    monkeypatch.setattr("difftui.commands.train.IDLE_SECONDS", 0.5)
    run = create_run("idle", replace(preset("lab").with_budget(steps=10**6), batch_size=2).to_json())

    def pause() -> None:
        eventually(lambda: run.metrics.path.exists() and last_step(run) > 0)
        ask(run, "pause")

    asker = threading.Thread(target=pause)
    asker.start()
    told = say("train", "--run", "idle", "--resume", "--device", "cpu", "--data", "bundled")
    asker.join()
    assert re.search(
        r"difftui: ended after a pause of 0 s, saved at step \d+\. Go on with: difftui train", told
    )
    assert run.status().state == "stopped"
    assert run.holder() is None
