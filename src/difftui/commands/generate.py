"""``difftui generate``: the app, opened where pictures come out of noise, with a network or a pipeline."""

from __future__ import annotations

import argparse

from difftui.commands.options import add_device
from difftui.commands.pipelines import add_pipeline, local_pipeline
from difftui.commands.screens import add_look, look_of, open_screens, require_screens

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui generate`` takes."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--from", dest="source", metavar="NAME", help="a shipped checkpoint or a run")
    add_pipeline(which)
    add_device(parser)
    add_look(parser)


def run(args: argparse.Namespace) -> int:
    """Open the app, and return its exit status."""
    require_screens()
    name = local_pipeline(args.pipeline) if args.pipeline else args.source
    return open_screens(look_of(args), screen="generate", run=name, device=args.device)
