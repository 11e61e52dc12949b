"""Out of memory, told in one line: what was asked for, what was free, what to do."""

from __future__ import annotations

import re
from contextlib import suppress

import psutil
import torch

from difftui.errors import DifftuiError
from difftui.words import gib

__all__ = ["OutOfMemory", "out_of_memory"]

_ASKED = re.compile(r"tried to allocate ([0-9.]+) ?([KMGT]?)i?(?:B|bytes)", re.IGNORECASE)
_SIGNS = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class OutOfMemory(DifftuiError):
    """The device has not enough memory.

    Attributes:
        batch_size: what to try instead, half of what did not fit; None when that was one image.
    """

    def __init__(self, message: str, batch_size: int | None) -> None:
        super().__init__(message)
        self.batch_size = batch_size


def out_of_memory(error: BaseException, device: torch.device, batch_size: int) -> OutOfMemory | None:
    """What to tell instead of PyTorch's ``error``; None if it is about something else.

    Args:
        error: what was caught: CUDA's own error, and plain ``RuntimeError`` from the CPU's allocator, from
            Metal and from libraries below PyTorch.
        device: where it happened.
        batch_size: images a step.
    """
    known = isinstance(error, torch.cuda.OutOfMemoryError | MemoryError)
    if not known and not (isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)):
        return None
    facts = [f"{gib(asked)} were asked for"] if (asked := _asked(str(error))) is not None else []
    if (room := _room(device)) is not None:
        free, total, others = room
        facts.append(
            f"{gib(free)} of {gib(total)} are free" + (f" (others use {gib(others)})" if others else "")
        )
    half = batch_size // 2 or None
    what = f"{'the CPU' if device.type == 'cpu' else device} has not enough free memory"
    means = [f"Halve the batch (--batch-size {half})"] if half else ["Train a smaller network"]
    if device.type != "cpu":
        means.append("choose another device")
    return OutOfMemory(f"{what}{': ' if facts else ''}{', '.join(facts)}. {' or '.join(means)}.", half)


def _asked(text: str) -> float | None:
    """Bytes of the allocation that failed."""
    found = _ASKED.search(text)
    if found is None:
        return None
    try:
        return float(found[1]) * _UNITS[found[2].upper()]
    except ValueError:  # "1.2.3"
        return None


def _room(device: torch.device) -> tuple[int, int, int] | None:
    """Bytes free, in all, and used by others (0 where that is not known or next to nothing)."""
    if device.type == "cpu":
        memory = psutil.virtual_memory()
        return memory.available, memory.total, 0
    if device.type == "cuda":
        with suppress(RuntimeError):  # a device in such a state may not answer
            free, total = torch.cuda.mem_get_info(device)
            others = total - free - torch.cuda.memory_reserved(device)
            return free, total, others if others >= 2**30 else 0  # our own context takes half of one
    return None
