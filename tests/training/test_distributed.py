"""Two real processes on the CPU against one; and the arithmetic of slices for any number."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import distributed_child as child
import psutil
import pytest
import torch
from helpers import eventually
from safetensors.torch import load_file

from difftui.runs import Run, find_run
from difftui.training import Recipe, Trainer, train
from difftui.training.distributed import World

TORCHRUN = [
    sys.executable,
    "-W",
    "ignore",
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc-per-node=2",
]
TRAIN = ["train", "--preset", "quick", "--data", "bundled", "--device", "cpu", "--batch-size", "7"]


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what two processes did."""
    folder = tmp_path_factory.mktemp("two")
    words = [*TORCHRUN, str(Path(child.__file__)), str(folder / "seen.json")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def alone(name: str) -> tuple[list[float], Trainer]:
    torch.set_num_threads(1)
    trainer = Trainer(child.recipe(name), child.digits(), child.CPU)
    return [float(trainer.train_step().detach()) for _ in range(child.STEPS)], trainer


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lab", "quick"])
def test_two_processes_train_as_one(two: Path, name: str) -> None:
    """Uneven slices, and a batch of one image for both, among them."""
    expected, trainer = alone(name)
    losses = json.loads((two / "seen.json").read_text())[name]
    assert len(losses) == child.STEPS
    assert max(abs(a - b) for a, b in zip(losses, expected, strict=True)) < 1e-5
    weights = load_file(Run(two / name).weights_path)
    for key, weight in trainer.sampling_weights().items():
        assert (weights[key] - weight).abs().max() < 1e-4
    assert Run(two / name).status().state == "finished"
    assert len(Run(two / name).metrics.path.read_text().splitlines()) >= 1


@pytest.mark.slow
def test_one_process_goes_on_with_what_two_began(two: Path) -> None:
    run = Run(two / "stopped")
    assert (run.status().state, run.status().step) == ("stopped", 10)
    expected, _ = alone("quick")
    seen = json.loads((two / "seen.json").read_text())["stopped"]
    recipe = Recipe.from_json(run.recipe_text())
    losses = [loss for p in train(recipe, run, digits=child.digits(), resume=True) for loss in p.losses]
    assert len(seen) == 10
    assert max(abs(a - b) for a, b in zip([*seen, *losses], expected, strict=True)) < 1e-5


@contextmanager
def training_for_long(log: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """Two processes under torchrun that have begun; none is left behind."""
    with log.open("w") as file:
        agent = subprocess.Popen(
            [*TORCHRUN, "-m", "difftui", *TRAIN, "--steps", "1000000", "--name", name],
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        eventually(lambda: "images/s" in log.read_text() or agent.poll() is not None)
        yield agent
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(agent.pid, number)
            except ProcessLookupError:
                break


@pytest.mark.slow
def test_a_signal_to_torchrun_saves(tmp_path: Path) -> None:
    """By the command; also that one process alone speaks, and that none is left behind."""
    log = tmp_path / "log"
    with training_for_long(log, "long") as agent:
        workers = psutil.Process(agent.pid).children()
        assert len(workers) >= 2
        run = find_run("long")
        holder = run.holder()
        assert holder is not None
        assert holder.pid in {worker.pid for worker in workers}
        assert holder.device.startswith("2 x CPU")
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(60) != 0
        eventually(lambda: not any(worker.is_running() for worker in workers))
    said = [line for line in log.read_text().splitlines() if "difftui: " in line]
    assert len(said) == 1
    assert "difftui: stopped by SIGTERM, saved at step " in said[0]
    assert "torchrun --nproc-per-node=2 -m difftui train --name long --resume" in said[0]
    assert run.status().state == "stopped"
    step = run.status().step
    assert step > 0
    first = next(train(Recipe.from_json(run.recipe_text()), run, resume=True))
    assert first.step == step + 1


@pytest.mark.slow
def test_a_process_that_is_killed_ends_all_and_loses_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with training_for_long(log, "bereft") as agent:
        run = find_run("bereft")
        holder = run.holder()
        assert holder is not None
        workers = psutil.Process(agent.pid).children()
        (follower,) = [w for w in workers if w.pid != holder.pid and "difftui" in w.cmdline()]
        follower.kill()
        assert agent.wait(90) != 0
        eventually(lambda: not any(worker.is_running() for worker in workers))
    assert run.status().state == "stopped"
    assert run.status().step > 0
    assert run.holder() is None


@pytest.mark.slow
def test_what_is_wrong_is_told_once() -> None:
    done = subprocess.run(
        [*TORCHRUN, "-m", "difftui", *TRAIN, "--name", "a b"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode != 0
    assert done.stderr.count("difftui: 'a b' cannot name a run.") == 1


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [1, 2, 7, 8, 64])
def test_slices_and_their_means(size: int, count: int) -> None:
    """Whatever the numbers, the average of what is differentiated is the mean over the batch."""
    losses = torch.rand(count, dtype=torch.float64, generator=torch.Generator().manual_seed(count))
    worlds = [World(rank, size) for rank in range(size)]
    parts = [world.part(count) for world in worlds]
    assert all(part.stop > part.start for part in parts)
    owned = [i for part in parts for i in range(count)[part]]
    assert set(owned) == set(range(count))
    if count >= size:
        assert len(owned) == count
        sizes = [part.stop - part.start for part in parts]
        assert max(sizes) - min(sizes) <= 1
    total = sum(world.mean(losses[part], count) for world, part in zip(worlds, parts, strict=True))
    assert abs(float(total) / size - float(losses.mean())) < 1e-12


def test_a_single_process_needs_no_others() -> None:
    world = World()
    assert world.leads
    assert world.tell({"a": 1}) == {"a": 1}
    world.dismiss()
    trainer = Trainer(child.recipe("lab"), child.digits(), child.CPU, world)
    world.share_state(trainer)
    assert [float(world.step(trainer).detach()) for _ in islice(range(3), 3)] == pytest.approx(
        alone("lab")[0][:3], abs=0
    )
