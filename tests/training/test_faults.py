"""What can befall a training: kills at any moment, a full disk, damaged and hostile files, a second process.

Each is really done, to processes that run tests/training_child.py.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import training_child
from helpers import eventually
from safetensors.torch import load_file
from training_child import SAVE_SECONDS, digits, tiny

from difftui.errors import DifftuiError
from difftui.runs import Run, create_run, read_metrics
from difftui.runs.checkpoint import read_metadata
from difftui.training.session import train

Child = subprocess.Popen[str]
# Steps of a staircase, up after a kill too early for a save, else down: about one in five saves.
LONGER, SHORTER = 1.02, 0.92


@pytest.fixture
def child() -> Iterator[Callable[[str], Child]]:
    """Starts children of one of training_child's modes; they end with the test."""
    children: list[Child] = []

    def start(mode: str) -> Child:
        command = [sys.executable, training_child.__file__, mode]
        children.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        )
        return children[-1]

    yield start
    for process in children:
        process.kill()
        process.wait()


def order(child: Child, line: str) -> str:
    """Give an order and wait for the answer."""
    child.stdin.write(f"{line}\n")
    return child.stdout.readline().strip()


def new_run(name: str) -> Run:
    return create_run(name, tiny().to_json())


def same_tensors(a: Path, b: Path) -> bool:
    one, two = load_file(a), load_file(b)
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def saved_position(run: Run) -> dict[str, Any]:
    position: dict[str, Any] = json.loads(read_metadata(run.state_paths[0])["position"])
    return position


def seconds_to_first_save(server: Child) -> float:
    """How long a training takes until there is something to lose: this machine may be slow, or busy."""
    run, began = new_run("timed"), time.monotonic()
    pid = int(order(server, str(run.path)))
    eventually(run.state_paths[0].exists)
    taken = time.monotonic() - began
    os.kill(pid, signal.SIGKILL)
    return taken


@pytest.mark.slow
def test_two_hundred_kills_lose_nothing_but_the_last_moments(child: Callable[[str], Child]) -> None:
    """Killed at random moments and resumed, it is to the bit the training that nobody killed."""
    moments, run, server = random.Random(0), new_run("killed"), child("forks")
    longest = 1.25 * seconds_to_first_save(server)
    reached = unsaved = 0
    for _ in range(200):
        pid = int(order(server, str(run.path)))
        time.sleep(moments.uniform(0.0, longest))
        os.kill(pid, signal.SIGKILL)
        while run.is_locked():
            time.sleep(0.001)
        assert run.status().state in ("new", "stopped")
        if not run.state_paths[0].exists():
            assert reached == 0, "the newest state was gone for a moment"
            longest *= LONGER
            continue
        position = saved_position(run)
        assert position["step"] >= reached, "a saved step was lost"
        saved_nothing = position["step"] == reached
        unsaved += saved_nothing
        longest *= LONGER if saved_nothing else SHORTER  # however busy the machine is
        reached = position["step"]
        told = [row["seconds"] for row in read_metrics(run.metrics.path) if "loss" in row]
        if len(told) > 2:  # when the last but one ended it was not yet time to save
            lost = told[-3] - position["seconds"]
            assert lost < SAVE_SECONDS + 0.001, "more than the last save interval was lost"
    assert reached > 100, "it got nowhere between the kills: the test shows nothing"
    assert unsaved, "no kill came between two saves: the test shows nothing"

    events = train(tiny(), run, digits=digits(), resume=True)
    step = next(events).step
    events.close()
    assert step > reached
    whole = new_run("whole")
    list(train(tiny(step), whole, digits=digits()))
    assert same_tensors(run.state_paths[0], whole.state_paths[0])
    names = [path.name for folder in (run.path, run.path / "state") for path in folder.iterdir()]
    assert [name for name in names if "tmp" in name] == [], "what was left half written was not swept away"


@pytest.mark.slow
def test_a_full_disk_holds_the_training_and_spoils_nothing(child: Callable[[str], Child]) -> None:
    run, trainer = new_run("full"), child("full")
    told = [order(trainer, str(run.path)), *(trainer.stdout.readline().strip() for _ in range(4))]
    assert told[:3] == ["step 1", "step 2", "step 3"]
    for line in told[3:]:
        assert line.endswith("cannot be written (File too large). Step 3 is kept: make room, then go on.")
    assert saved_position(run)["step"] == 3
    assert run.status().state == "training"
    eventually(lambda: run.holder().held.endswith("Step 3 is kept: make room, then go on."))
    assert [order(trainer, "there is room again"), trainer.stdout.readline().strip()] == ["step 4", "step 5"]
    assert trainer.wait(120) == 0
    assert run.status().state == "stopped"
    assert run.weights_path.stat().st_mode & 0o777 == run.recipe_path.stat().st_mode & 0o777
    whole = new_run("whole")
    list(train(tiny(5), whole, digits=digits()))
    assert same_tensors(run.state_paths[0], whole.state_paths[0])
    steps = [row["step"] for row in read_metrics(run.metrics.path) if "loss" in row]
    assert steps == [1, 2, 3, 4, 5]


def test_a_second_process_is_refused_and_told_who_has_it(child: Callable[[str], Child]) -> None:
    run, holder = new_run("held"), child("hold")
    assert order(holder, str(run.path)) == "holding"
    with pytest.raises(DifftuiError, match=f"process {holder.pid} on .*"):
        next(train(tiny(), run, digits=digits(), resume=True))
    assert run.status().state == "training"
    holder.kill()
    holder.wait()
    assert run.status().state == "stopped"


@pytest.fixture
def trained() -> Run:
    """A run with two states: of step 3 and, newer, of step 6."""
    run = new_run("trained")
    for resume in (False, True):
        events = train(tiny(), run, digits=digits(), resume=resume)
        for _ in range(3):
            next(events)
        events.close()
    return run


def resumed_at(run: Run) -> int:
    """The first step of another sitting."""
    events = train(tiny(), run, digits=digits(), resume=True)
    try:
        return next(events).step
    finally:
        events.close()


def test_any_flipped_bit_is_found_and_the_state_before_is_used(trained: Run) -> None:
    newest, previous = trained.state_paths
    good, earlier = newest.read_bytes(), previous.read_bytes()
    places = random.Random(1)
    for _ in range(40):
        data = bytearray(good)
        place = places.randrange(len(data))
        data[place] ^= 1 << places.randrange(8)
        newest.write_bytes(bytes(data))
        previous.write_bytes(earlier)
        assert resumed_at(trained) == 4, f"a flipped bit at byte {place} of {len(data)} went unseen"


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_state_is_passed_over(trained: Run, share: float) -> None:
    newest = trained.state_paths[0]
    data = newest.read_bytes()
    newest.write_bytes(data[: int(share * len(data))])
    assert resumed_at(trained) == 4


class Hostile:
    """Unpickling this makes a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def test_no_file_can_run_code(trained: Run, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    as_pickle = pickle.dumps(Hostile(mark))
    as_torch = tmp_path / "hostile.pt"
    torch.save({"model": Hostile(mark)}, as_torch)
    for hostile in (as_pickle, as_torch.read_bytes()):
        for path in (*trained.state_paths, trained.weights_path):
            path.write_bytes(hostile)
        with pytest.raises(DifftuiError, match=r"newest\.safetensors is damaged or not a checkpoint"):
            resumed_at(trained)
    assert not mark.exists()


def test_sizes_are_checked_before_memory_is_taken(trained: Run) -> None:
    """A header that promises terabytes is refused for its shapes, not tried."""
    newest = trained.state_paths[0]
    names = load_file(newest).keys()
    huge = {name: {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]} for name in names}
    header = json.dumps(huge).encode()
    for path in trained.state_paths:
        path.write_bytes(len(header).to_bytes(8, "little") + header)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DifftuiError, match=r"newest\.safetensors"):
        resumed_at(trained)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


@pytest.mark.slow
def test_too_little_memory_is_one_line_and_offers_half_the_batch(child: Callable[[str], Child]) -> None:
    run, greedy = new_run("greedy"), child("greedy")
    line = order(greedy, str(run.path))
    told = (
        r"the CPU has not enough free memory: .* were asked for, .* are free\. Halve the batch \(.* 8192\)\."
    )
    assert re.fullmatch(told + " 8192", line), line
    assert greedy.wait(120) == 0
    assert not run.is_locked()
