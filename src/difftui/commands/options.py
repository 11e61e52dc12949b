"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from difftui.diffusion import EXPERIMENTS, SAMPLERS
from difftui.diffusion.schedule import MAX_T, SCHEDULES
from difftui.runs import Run, runs_dir
from difftui.state import MOST_SEED
from difftui.training.recipe import OTHER_STEPS

__all__ = [
    "add_device",
    "add_drawing",
    "add_schedule",
    "add_seed",
    "add_source",
    "drawn_how",
    "handle",
    "number",
    "whole_number",
]


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


def add_seed(parser: argparse.ArgumentParser, text: str, default: int | None = 0) -> None:
    """``--seed``.

    Args:
        parser: of the command.
        text: what is drawn with it.
        default: None lets the command tell whether it was given.
    """
    parser.add_argument("--seed", metavar="N", type=whole_number(0, MOST_SEED), default=default, help=text)


def add_source(parser: argparse.ArgumentParser) -> None:
    """``--from``: the network that a command asks."""
    parser.add_argument(
        "--from", dest="source", metavar="NAME", required=True, help="a shipped checkpoint, a run, or a file"
    )


def add_schedule(parser: argparse.ArgumentParser) -> None:
    """``--schedule`` and ``--timesteps``, as the Forward screen begins."""
    parser.add_argument("--schedule", choices=list(SCHEDULES), default="linear", help="default: linear")
    parser.add_argument(
        "--timesteps", metavar="T", type=whole_number(2, MAX_T), default=1000, help="T (default: 1000)"
    )


def add_drawing(parser: argparse.ArgumentParser) -> None:
    """``--sampler``, ``--steps``, ``--temperature`` and ``--guidance``: how pictures are drawn."""
    parser.add_argument(
        "--sampler",
        choices=[*SAMPLERS, *EXPERIMENTS],
        metavar="NAME",
        help=f"{', '.join(SAMPLERS)}; or an experiment that is meant to fail: {', '.join(EXPERIMENTS)} "
        "(default: what the network's recipe says)",
    )
    parser.add_argument(
        "--steps",
        metavar="N",
        type=whole_number(1, 10_000),
        help=f"sampler steps (default: the recipe's; for another sampler than its own, {OTHER_STEPS})",
    )
    parser.add_argument(
        "--temperature",
        metavar="X",
        type=number(0.0, 2.0),
        help="standard deviation of the noise; below 1 more typical and less varied (default: the recipe's)",
    )
    parser.add_argument(
        "--guidance",
        metavar="W",
        type=number(-1.0, 20.0),
        help="how far beyond the label's answer c, away from the answer u without one: c + W (c - u), so 0 "
        "is none; others write g = 1 + W (default: the recipe's)",
    )


def drawn_how(sampler: str, steps: int, temperature: float, guidance: float) -> str:
    """How pictures were drawn, in words."""
    marked = f"{sampler} (an experiment)" if sampler in EXPERIMENTS else sampler
    guided = f", guidance {guidance:g}" if guidance else ""
    return f"{marked}, {steps} step{'s' if steps > 1 else ''}, temperature {temperature:g}{guided}"


def handle(run: Run) -> str:
    """What commands take for this run: its name, or its path where it lies elsewhere."""
    return run.name if run.path.parent == runs_dir() else str(run.path)
