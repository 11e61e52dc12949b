"""Parts of a batch computed side by side on a CPU, each in a thread of its own.

PyTorch's own way, all threads in each operation, makes the threads wait for each other some hundred times in
a pass through a small network. While another program wants one of the cores, each time is a slice of the
scheduler's: passes were seen to take a hundred times as long. Parts of a batch meet once a pass.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn

__all__ = ["SideBySide", "Split", "choose_split", "edges", "in_parallel", "side_by_side", "with_threads"]

R = TypeVar("R")
MOST_SHARDS = 4  # more, and they wait for Python's lock


@dataclass(frozen=True, slots=True)
class Split:
    """How a CPU shares a batch out.

    Attributes:
        shards: parts of the batch that are computed side by side.
        threads: of PyTorch's own, in each.
    """

    shards: int = 1
    threads: int = 1


def choose_split(threads: int) -> Split:
    """As many shards as threads, up to four, that share the threads evenly.

    Args:
        threads: that PyTorch may use.
    """
    shards = max(1, min(threads, MOST_SHARDS))
    return Split(shards, max(1, threads // shards))


def edges(size: int, count: int) -> list[slice]:
    """At most ``count`` slices of ``size`` things, none empty, whose lengths differ by one at most."""
    count = min(count, size)
    return [slice(*pair) for pair in pairwise(size * i // count for i in range(count + 1))]


def in_parallel(split: Split, calls: Sequence[Callable[[], R]]) -> list[R]:
    """Results of the calls, in their order, computed in the threads of ``split``.

    Raises:
        Exception: what the first call that failed has raised, when none is at work any more.
    """
    crew = _crew(split)
    at_work = [crew.submit(call) for call in calls]
    wait(at_work)
    return [one.result() for one in at_work]


@contextmanager
def with_threads(split: Split) -> Iterator[None]:
    """In this block PyTorch's own threads are as few in the calling thread as in a part.

    What it does between the parts is short, and with more threads each of its operations would be one more
    place to wait in.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(split.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@cache
def _crew(split: Split) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(split.shards, "difftui-part", initializer=_settle, initargs=(split.threads,))


def _settle(threads: int) -> None:
    torch.get_num_threads()  # prepares this thread for PyTorch, which would undo what was set before
    torch.set_num_threads(threads)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_crew.cache_clear)  # a forked process has none of these threads


class SideBySide(nn.Module):
    """A network that answers as ``model`` does, parts of the batch side by side. For networks at rest."""

    def __init__(self, model: nn.Module, split: Split) -> None:
        super().__init__()
        self.model = model
        self.split = split
        self.image_shape = model.image_shape
        self.num_classes = model.num_classes
        self.one_shot = bool(getattr(model, "one_shot", False))

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        inference, casting = torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")

        def answer(part: slice) -> Tensor:
            with (
                torch.inference_mode(inference),
                torch.no_grad(),
                torch.autocast("cpu", torch.bfloat16, enabled=casting, cache_enabled=False),
            ):
                told: Tensor = self.model(x[part], t[part], None if label is None else label[part])
                return told

        parts = [partial(answer, part) for part in edges(len(x), self.split.shards)]
        return torch.cat(in_parallel(self.split, parts))


def side_by_side(model: nn.Module) -> nn.Module:
    """The network as it is best asked where it lies: in parts on a CPU with several threads, else itself."""
    weight = next(model.parameters())
    split = choose_split(torch.get_num_threads())
    if weight.device.type != "cpu" or split.shards == 1:
        return model
    return SideBySide(model, split)
