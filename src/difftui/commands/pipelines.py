"""``--pipeline``: a diffusers pipeline in the place of a network of ours, for the commands that take one."""

from __future__ import annotations

import argparse

from difftui.commands.display import Bar, tell
from difftui.pipelines import DEFAULT, find_pipeline
from difftui.pipelines.hub import fetch_pipeline, require_diffusers

__all__ = ["add_pipeline", "fetch", "local_pipeline"]


def add_pipeline(parser: argparse._ActionsContainer) -> None:
    """``--pipeline``."""
    parser.add_argument(
        "--pipeline",
        metavar="DIR_OR_NAME",
        nargs="?",
        const=DEFAULT,
        help="a diffusers pipeline: its folder, or its name on the Hugging Face hub, from where it is "
        f"downloaded once (default: {DEFAULT}, 143 MB)",
    )


def local_pipeline(where: str) -> str:
    """Make sure that a pipeline is on this machine, downloading it if need be; the name to open it by.

    Raises:
        DifftuiError: diffusers is not installed, there is no such pipeline, or it cannot be downloaded.
    """
    require_diffusers()
    found = find_pipeline(where)
    if found is None:
        fetch(where)
        return where
    return where if "snapshots" in found.parts else str(found)


def fetch(name: str) -> None:
    """Download a pipeline with a bar of progress.

    Raises:
        DifftuiError: it cannot be had; the line says why.
    """
    bar = Bar(name)
    try:
        for event in fetch_pipeline(name):
            bar.show(
                event.done / max(event.total, 1), f"{event.done / 1e6:.0f} of {event.total / 1e6:.0f} MB"
            )
    finally:
        bar.close()
    tell(f"{name} is here now.")
