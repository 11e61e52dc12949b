"""``difftui generate``: the app, opened where pictures come out of noise, with a network or a pipeline."""

from __future__ import annotations

import argparse

from difftui.commands.networks import fetch
from difftui.commands.options import add_device
from difftui.commands.screens import add_look, look_of, open_screens, require_screens
from difftui.pipelines import DEFAULT, find_pipeline
from difftui.pipelines.hub import require_diffusers

__all__ = ["add_arguments", "add_pipeline", "local_pipeline", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui generate`` takes."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--from", dest="source", metavar="NAME", help="a shipped checkpoint or a run")
    add_pipeline(which)
    add_device(parser)
    add_look(parser)


def add_pipeline(parser: argparse._ActionsContainer) -> None:
    """``--pipeline``: a diffusers pipeline in the place of a network of ours."""
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
        found = find_pipeline(where)
    return where if found is None or "snapshots" in found.parts else str(found)


def run(args: argparse.Namespace) -> int:
    """Open the app, and return its exit status."""
    require_screens()
    run_name = local_pipeline(args.pipeline) if args.pipeline else args.source
    return open_screens(look_of(args), screen="generate", run=run_name, device=args.device)
