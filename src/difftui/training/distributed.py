"""Data-parallel training: several processes, each on its own device, take one optimiser step together.

Every process draws the whole batch (images, t, ε, hidden labels) from the same seeds and computes its slice
of it; PyTorch's DistributedDataParallel adds the gradients up. So a step is that of one process on the whole
batch, up to the order in which floats are added, and a run may be resumed by any number of processes.

One process leads: it has the run, the clock and the terminal, and says before each step whether there is one.
The others only follow, so what is decided by time or by a signal is decided once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from difftui.errors import DifftuiError

if TYPE_CHECKING:
    from difftui.training.trainer import Trainer

__all__ = ["ALONE", "PeerLost", "World", "follow", "joined"]

PATIENCE = timedelta(hours=2)  # that the others wait for the leader: it may be paused


class PeerLost(DifftuiError):
    """Another process of the training is gone, so that no further step can be taken."""


@dataclass
class World:
    """The processes that train together, as one of them sees them. ``World()`` is a single process.

    Attributes:
        rank: which of them this is; 0 leads.
        size: how many there are.
        wants_stop: whether this process has been asked to end; asked before each step.
        stop_wanted: whether any process has been asked to end, as of the last step.
    """

    rank: int = 0
    size: int = 1
    wants_stop: Callable[[], bool] = field(default=lambda: False)
    stop_wanted: bool = False
    _in_step: bool = False

    @property
    def leads(self) -> bool:
        """Whether this process has the run, the clock and the terminal."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """The network to call in training: its gradients become the mean over the processes'."""
        if self.size == 1:
            return model
        devices = {parameter.device for parameter in model.parameters()}
        on_gpu = [device for device in devices if device.type == "cuda"]
        return DistributedDataParallel(model, device_ids=on_gpu or None)

    def part(self, count: int) -> slice:
        """Which of a batch of ``count`` images are this process's.

        At least one: where there are fewer images than processes, one that belongs to nobody's sum (see
        :meth:`mean`), for every process must call its network in every step.
        """
        start, stop = (count * (self.rank + i) // self.size for i in (0, 1))
        return slice(start, stop) if stop > start else slice(0, 1)

    def mean(self, losses: Tensor, count: int) -> Tensor:
        """What to differentiate: averaged over the processes, it is the mean loss of all ``count`` images.

        Args:
            losses: (b,) of this process's part of the batch.
            count: images in the whole batch.
        """
        if self.size == 1:
            return losses.mean()
        owned = count * (self.rank + 1) // self.size > count * self.rank // self.size
        return losses.sum() * (self.size / count if owned else 0.0)

    def average(self, loss: Tensor) -> Tensor:
        """The average of a scalar over the processes; it stays on the device, and nobody waits for it."""
        if self.size == 1:
            return loss
        total = loss.clone()
        with _peers():
            dist.all_reduce(total)
        return total / self.size

    def step(self, trainer: Trainer) -> Tensor:
        """The next optimiser step, which all take. For the leader; returns the mean loss.

        Raises:
            PeerLost: somebody is gone; the trainer stands where it stood.
        """
        if self.size == 1:
            return trainer.train_step()
        self._in_step = True
        self._exchange(going_on=True, seconds=trainer.seconds)
        with _peers():
            loss = trainer.train_step()
        self._in_step = False
        return loss

    def dismiss(self) -> None:
        """Say that there are no more steps. For the leader, at the end.

        After a step that failed the others wait in the middle of it, and cannot be told. They notice when we
        are gone.
        """
        if self.size > 1 and not self._in_step:
            with suppress(PeerLost):
                self._exchange(going_on=False, seconds=0.0)

    def follow(self) -> float | None:
        """Wait for the leader: the seconds trained so far, or None if there are no more steps.

        Raises:
            PeerLost: somebody is gone.
        """
        going_on, seconds = self._exchange(going_on=False, seconds=0.0)
        return seconds if going_on else None

    def tell(self, what: dict[str, Any] | None = None) -> dict[str, Any]:
        """Give every process the leader's JSON object.

        Raises:
            PeerLost: somebody is gone.
        """
        if self.size == 1:
            return what or {}
        data = json.dumps(what).encode() if self.leads else b""
        with _peers():
            length = torch.tensor(len(data))
            dist.broadcast(length, 0)
            text = torch.zeros(int(length), dtype=torch.uint8)
            if self.leads:
                text = torch.frombuffer(bytearray(data), dtype=torch.uint8)
            dist.broadcast(text, 0)
        told: dict[str, Any] = json.loads(bytes(text.tolist()))
        return told

    @torch.no_grad()
    def share_state(self, trainer: Trainer) -> None:
        """Give every process the leader's weights, moments and position.

        Raises:
            PeerLost: somebody is gone.
        """
        if self.size == 1:
            return
        position = self.tell(trainer.position() if self.leads else None)
        tensors = trainer.tensors()
        with _peers():
            for name in sorted(tensors):
                plain = tensors[name].contiguous()  # channels-last is not what is sent
                dist.broadcast(plain, 0)
                tensors[name].copy_(plain)
        if not self.leads:
            trainer.restore(tensors, position)

    def _exchange(self, *, going_on: bool, seconds: float) -> tuple[bool, float]:
        mine = [float(going_on), seconds, float(self.wants_stop())]
        told = torch.tensor(mine, dtype=torch.float64)  # on the CPU: the device is not waited for
        with _peers():
            dist.all_reduce(told)
        self.stop_wanted = bool(told[2])
        return bool(told[0]), float(told[1])


ALONE = World()


def follow(trainer: Trainer) -> None:
    """Take part in a training that another process leads, until that ends it.

    Raises:
        PeerLost: somebody is gone.
    """
    trainer.world.share_state(trainer)
    while (seconds := trainer.world.follow()) is not None:
        trainer.seconds = seconds
        with _peers():
            trainer.train_step()


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """In this block we are one of the processes that torchrun started.

    Args:
        device: where this process computes.

    Raises:
        DifftuiError: the others cannot be reached.
    """
    try:
        if device.type == "cuda":
            torch.cuda.set_device(device)  # else every process would open a context on the first
            dist.init_process_group("cpu:gloo,cuda:nccl", timeout=PATIENCE)
        else:
            dist.init_process_group("gloo", timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        line = " ".join(str(error).split())[:200]
        raise DifftuiError(f"the processes of this training cannot reach each other ({line}).") from None
    yield World(dist.get_rank(), dist.get_world_size())
    dist.destroy_process_group()  # not after an error: it could wait for those who are gone


@contextmanager
def _peers() -> Iterator[None]:
    """Tell a connection that broke from other errors."""
    try:
        yield
    except RuntimeError as error:
        if not is_loss_of_a_peer(error):
            raise
        raise PeerLost("another process of this training is gone.") from error


def is_loss_of_a_peer(error: RuntimeError) -> bool:
    """Whether this error of PyTorch says that another process did not answer."""
    if isinstance(error, dist.DistError):
        return True
    text = str(error).lower()
    return "gloo" in text or "nccl" in text or "connection closed by peer" in text
