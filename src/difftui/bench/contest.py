"""Trainings timed in turn, A B A B …, each in a process of its own that waits while the others work.

A machine's speed drifts by the minute, so two figures taken one after the other say little about each other;
neighbouring turns do. And in one process the contestants would change each other's allocator and threads.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from types import TracebackType

from difftui.errors import DifftuiError

__all__ = ["Contestant", "TrainingSpeed", "answer", "ours", "plain", "take_turns", "training_speed"]

FIRST_STEPS, WARM_UP_STEPS = 2, 5  # the second where the first took no second
TURN_SECONDS = 0.4
PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class TrainingSpeed:
    """Seconds a step in every turn of each contestant, in the order of the turns.

    Attributes:
        seconds: by contestant: a preset's name, or "plain" for the plain loop of the lab's recipe.
        batch: images a step.
    """

    seconds: Mapping[str, Sequence[float]]
    batch: Mapping[str, int]

    def step(self, name: str) -> float:
        """Median seconds of a step."""
        return median(self.seconds[name])

    def ratio(self, slow: str, fast: str) -> float:
        """Median of slow / fast, turn by turn."""
        return median(a / b for a, b in zip(self.seconds[slow], self.seconds[fast], strict=True))


class Contestant:
    """A child process that takes training steps when told to. A context manager; leaving it ends the child.

    Args:
        command: of a process that answers every line "N" on its input with a line, the seconds of N steps.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Contestant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def seconds(self, steps: int) -> float:
        """Time that ``steps`` steps take.

        Raises:
            DifftuiError: the child has ended.
        """
        assert self._process.stdin is not None  # both are pipes
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{steps}\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise DifftuiError("a training that was to be measured has ended. Look above for its reason.")
        return float(answer)


def take_turns(commands: Mapping[str, Sequence[str]], turns: int) -> Mapping[str, Sequence[float]]:
    """Seconds a step of each command in each turn.

    Args:
        commands: of each contestant, by name.
        turns: of each, each of about half a second, or one step.
    """
    with ExitStack() as stack:
        children = {name: stack.enter_context(Contestant(command)) for name, command in commands.items()}
        steps = {}
        for name, child in children.items():
            warm = WARM_UP_STEPS if child.seconds(FIRST_STEPS) < 1.0 else 1
            child.seconds(warm)
            steps[name] = max(1, round(TURN_SECONDS * warm / child.seconds(warm)))
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(turns):
            for name, child in children.items():
                taken[name].append(child.seconds(steps[name]) / steps[name])
    return taken


def training_speed(presets: Sequence[str], device: str, turns: int = 5) -> TrainingSpeed:
    """Time our training of each preset and the plain loop, in turn.

    Args:
        presets: names of recipes; the plain loop follows "lab".
        device: where all of them compute.
        turns: of each.
    """
    from difftui.training.recipe import preset

    names = [*presets, PLAIN]
    module = "difftui.bench.contest"
    taken = take_turns({name: [sys.executable, "-m", module, name, device] for name in names}, turns)
    batch = {name: preset("lab" if name == PLAIN else name).batch_size for name in names}
    return TrainingSpeed(taken, batch)


def ours(name: str, device: str) -> Iterator[object]:
    """Our training by this preset, an event a step, as ``difftui train`` runs it but for the files."""
    from difftui.data import load_pictures
    from difftui.engine.device import configure_threads
    from difftui.training import preset, train

    configure_threads()
    recipe = preset(name).with_budget(steps=10**9)
    pictures = load_pictures("bundled", size=recipe.image_size)
    yield from train(recipe, digits=pictures, device=device)


def plain(device: str) -> Iterator[object]:
    """The plain loop, an event a step."""
    from difftui.bench.plain import plain_training
    from difftui.data import bundled

    yield from plain_training(bundled(), device)


def answer(events: Iterator[object], device: str) -> None:
    """Take steps as told on the standard input, until it is closed, and tell how long they took.

    Args:
        events: a training, an event a step.
        device: where it computes.
    """
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            next(events)
        if device != "cpu":
            _wait_for(device)
        sys.stdout.write(f"{time.perf_counter() - began}\n")
        sys.stdout.flush()


def _wait_for(device: str) -> None:
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device == "mps":
        torch.mps.synchronize()


def _child(name: str, device: str) -> None:
    answer(plain(device) if name == PLAIN else ours(name, device), device)


if __name__ == "__main__":
    _child(sys.argv[1], sys.argv[2])
