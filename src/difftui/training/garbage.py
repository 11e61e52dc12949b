"""Python's garbage collector, kept from passing over torch again and again."""

from __future__ import annotations

import atexit
import gc
from functools import cache

import torch

__all__ = ["spare_what_is_loaded"]


@cache
def spare_what_is_loaded() -> None:
    """Leave out of further collections what is there now: once in a process, before its first trainer.

    Torch and what its first optimiser imports are 340 000 objects that live as long as the process. A full
    collection passes over them with every thread waiting, 25 ms, some seconds apart: half of what the screens
    cost a training beside them was this.
    """
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # the first one imports a thousand modules
    gc.freeze()
    atexit.register(gc.unfreeze)  # libraries that count their objects at the end would miss them
