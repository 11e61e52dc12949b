"""How the gradient of a step is computed, and how a step is executed: the same sums, arranged for the device.

- :class:`Whole`: in the calling thread, by ``backward()``. Works everywhere.
- :class:`Shards`: on a CPU with several cores, parts of the batch side by side, one thread each.
- :class:`StaticStep` and :class:`RecordedStep`: on CUDA the whole step (network, gradient, optimiser,
  average) is recorded once and replayed as one launch. With small networks launching the kernels takes longer
  than the kernels.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache, partial
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from difftui.models.side_by_side import Split, edges, in_parallel

if TYPE_CHECKING:
    from difftui.training.distributed import World

__all__ = [
    "Batch",
    "Gradients",
    "RecordedStep",
    "Shards",
    "Split",
    "StaticStep",
    "Whole",
    "keep_freed_memory",
]

WARM_UP_STEPS = (
    3  # real steps before recording: libraries choose their kernels, the optimiser makes its moments
)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a step needs, all of it drawn.

    Attributes:
        x0, eps: (B, C, H, W) float32; images in [-1, 1] and standard normal noise.
        t: (B,) timesteps.
        label: (B,) classes, or None for a network that takes none.
    """

    x0: Tensor
    eps: Tensor
    t: Tensor
    label: Tensor | None

    def __len__(self) -> int:
        """Images in it."""
        return len(self.x0)

    def part(self, which: slice) -> Batch:
        """Some of its images, as views."""
        return Batch(*(None if tensor is None else tensor[which] for tensor in self._fields()))  # type: ignore[arg-type]

    def parts(self, count: int) -> list[Batch]:
        """At most ``count`` parts, none empty, whose sizes differ by one at most."""
        return [self.part(which) for which in edges(len(self), count)]

    def clone(self) -> Batch:
        """The same numbers in memory of their own."""
        return Batch(*(None if tensor is None else tensor.clone() for tensor in self._fields()))  # type: ignore[arg-type]

    def copy_(self, other: Batch) -> None:
        """Take the other's numbers; the tensors stay where they are. The shapes must be equal."""
        for mine, theirs in zip(self._fields(), other._fields(), strict=True):
            if mine is not None and theirs is not None:
                mine.copy_(theirs)

    def _fields(self) -> list[Tensor | None]:
        return [getattr(self, field.name) for field in fields(self)]


Losses = Callable[[Batch], Tensor]
"""The weighted loss of each image, (b,) float32, to be differentiated."""


class Gradients(Protocol):
    """Leaves the gradient of a batch's mean loss in the weights' ``grad``, and returns the loss."""

    def __call__(self, batch: Batch) -> Tensor: ...


class Whole:
    """The gradient in one piece, in the calling thread; with several processes, of this one's part."""

    def __init__(self, losses: Losses, weights: Sequence[Tensor], world: World) -> None:
        self._losses, self._weights, self._world = losses, weights, world

    def __call__(self, batch: Batch) -> Tensor:
        for weight in self._weights:
            weight.grad = None
        losses = self._losses(batch.part(self._world.part(len(batch))))
        loss = self._world.mean(losses, len(batch))
        loss.backward()
        return self._world.average(loss.detach())


class Shards:
    """The gradient in parts, each in a thread of its own, added up in a fixed order.

    The result depends on the number of parts, and not on who computes which, or when.
    """

    def __init__(self, losses: Losses, weights: Sequence[Tensor], split: Split) -> None:
        self._losses, self._weights, self._split = losses, weights, split

    def __call__(self, batch: Batch) -> Tensor:
        parts = batch.parts(self._split.shards)
        shards = [partial(self._shard, part, len(batch)) for part in parts]
        results = in_parallel(self._split, shards)
        gradient = self._gradient()
        loss, first = results[0]
        torch._foreach_copy_(gradient, first)
        for more, part in results[1:]:
            loss = loss + more
            torch._foreach_add_(gradient, part)
        return loss

    def _shard(self, batch: Batch, images: int) -> tuple[Tensor, list[Tensor]]:
        loss = self._losses(batch).sum() / images
        return loss.detach(), list(torch.autograd.grad(loss, self._weights))

    def _gradient(self) -> list[Tensor]:
        """The weights' ``grad``, laid out in memory as they are: the fused optimiser relies on it."""
        for weight in self._weights:
            if weight.grad is None:
                weight.grad = torch.empty_like(weight)
        return [weight.grad for weight in self._weights if weight.grad is not None]


@cache
def keep_freed_memory() -> bool:
    """Have the C library keep the memory of a step for the next one, and say whether it does.

    glibc gives large blocks back to the system as soon as they are freed and gets them again, page by page
    and zeroed, a moment later: a tenth of a step. It keeps up to 256 MiB then. A user's own settings stand.
    """
    own = ("GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_")
    if sys.platform != "linux" or any(name in os.environ for name in own):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    trim_threshold, mmap_threshold = -1, -3  # malloc.h
    return bool(mallopt(mmap_threshold, 32 << 20) and mallopt(trim_threshold, 256 << 20))


class StaticStep:
    """A step whose inputs stay in one place in memory, as a recording needs them.

    Args:
        body: takes a batch and does all of a step on the device, without waiting for it or reading from it;
            returns the loss.
        like: a batch of the only size that it will be called with.
    """

    def __init__(self, body: Callable[[Batch], Tensor], like: Batch) -> None:
        self.body = body
        self.batch = like.clone()

    def __call__(self, batch: Batch) -> Tensor:
        """Take the step; the loss stays on the device and is the caller's own."""
        self.batch.copy_(batch)
        return self._execute().clone()  # the next step writes over it

    def _execute(self) -> Tensor:
        return self.body(self.batch)


class RecordedStep(StaticStep):
    """A step that is recorded as a CUDA graph after a few real ones, and replayed from then on.

    Where recording fails, one line in the log says so, and steps go on as they were. All calls come from one
    thread.

    Args:
        body, like: as for :class:`StaticStep`.
        weights: whose ``grad`` is to be the newest step's.
    """

    def __init__(self, body: Callable[[Batch], Tensor], like: Batch, weights: Sequence[Tensor]) -> None:
        super().__init__(body, like)
        self._weights = weights
        self._gradient: list[Tensor | None] = []
        self._graph: torch.cuda.CUDAGraph | None = None
        self._loss: Tensor | None = None
        self._steps_to_warm = WARM_UP_STEPS
        self._stream = torch.cuda.Stream(like.x0.device)

    def _execute(self) -> Tensor:
        if self._steps_to_warm > 0:
            self._steps_to_warm -= 1
            with self._aside():
                return self.body(self.batch)
        if self._steps_to_warm == 0:
            self._steps_to_warm = -1
            self._record()
        if self._graph is None or self._loss is None:
            return self.body(self.batch)
        self._graph.replay()
        for weight, gradient in zip(self._weights, self._gradient, strict=True):
            weight.grad = gradient  # a step of another size has put its own there
        return self._loss

    def _record(self) -> None:
        for weight in self._weights:
            weight.grad = None  # the recording is to own them
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                loss = self.body(self.batch)
        except RuntimeError as error:
            log.warning(
                "the step could not be recorded, and goes on without: %s", str(error).partition("\n")[0]
            )
            return
        self._gradient = [weight.grad for weight in self._weights]
        self._graph, self._loss = graph, loss

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """In this block work is queued on the stream that will record, in order with what is around it."""
        here = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            yield
        here.wait_stream(self._stream)
