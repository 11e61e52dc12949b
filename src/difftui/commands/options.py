"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from difftui.diffusion.schedule import MAX_T, SCHEDULES
from difftui.runs import Run, runs_dir

__all__ = ["add_device", "add_schedule", "handle", "number", "whole_number"]


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """A type for argparse: an integer from ``low`` to ``high``."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"expected a whole number from {low} to {high}, not {text!r}")
        return value

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    """A type for argparse: a number from ``low`` to ``high``."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"expected a number from {low:g} to {high:g}, not {text!r}")
        return value

    return parse


def add_device(parser: argparse.ArgumentParser) -> None:
    """``--device``."""
    parser.add_argument(
        "--device", metavar="D", default="auto", help="where to compute: auto (default), cpu, cuda:0, mps"
    )


def add_schedule(parser: argparse.ArgumentParser) -> None:
    """``--schedule`` and ``--timesteps``, as the Forward screen begins."""
    parser.add_argument("--schedule", choices=list(SCHEDULES), default="linear", help="default: linear")
    parser.add_argument(
        "--timesteps", metavar="T", type=whole_number(2, MAX_T), default=1000, help="T (default: 1000)"
    )


def handle(run: Run) -> str:
    """What commands take for this run: its name, or its path where it lies elsewhere."""
    return run.name if run.path.parent == runs_dir() else str(run.path)
