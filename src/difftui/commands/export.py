"""``difftui export``: one of our networks in another program's form."""

from __future__ import annotations

import argparse
from pathlib import Path

from difftui.commands.display import tell

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui export`` takes."""
    parser.add_argument("source", metavar="RUN", help="a run, a shipped checkpoint, or a weights file")
    parser.add_argument(
        "--diffusers",
        metavar="DIR",
        type=Path,
        required=True,
        help="write a diffusers pipeline into this new folder; it brings the network's code along, so load "
        "it with DiffusionPipeline.from_pretrained(DIR, trust_remote_code=True)",
    )


def run(args: argparse.Namespace) -> int:
    """Write the folder, and return the exit status."""
    from difftui.pipelines.export import export_pipeline
    from difftui.training.loading import load_model

    folder = export_pipeline(load_model(args.source), args.diffusers)
    tell(
        f"wrote {folder}: DiffusionPipeline.from_pretrained({str(folder)!r}, trust_remote_code=True) loads it"
    )
    return 0
