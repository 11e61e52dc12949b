"""``difftui networks``: the networks there are, measured now, beside the scale that the lab quotes."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from difftui.commands.display import Bar
from difftui.commands.options import add_device, number
from difftui.commands.pipelines import fetch
from difftui.commands.tables import table
from difftui.pipelines import DEFAULT
from difftui.pipelines.folder import CARD
from difftui.words import grouped

__all__ = ["add_arguments", "run"]

HEADER = ("NETWORK", "KIND", "DRAWN BY", "PARAMETERS", "PIXELS", "STEPS", "A PICTURE")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui networks`` takes."""
    parser.add_argument(
        "--fetch",
        metavar="NAME",
        nargs="?",
        const=DEFAULT,
        help=f"first download a diffusers pipeline from the Hugging Face hub (default: {DEFAULT}, 143 MB)",
    )
    parser.add_argument(
        "--seconds",
        metavar="S",
        type=number(0.01, 3600),
        default=1.0,
        help="measure each for so long, about (default: 1)",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Measure and print, and return the exit status."""
    if args.fetch:
        fetch(args.fetch)
    from difftui.engine.device import configure_threads, pick_device
    from difftui.engine.networks import Comparison, compare_networks
    from difftui.experiments.quoted import QUOTED
    from difftui.ui.pipeline_sources import Network, default_pipeline, find_pipelines
    from difftui.ui.sources import find_sources

    device = pick_device(args.device)
    configure_threads()
    sources: list[Network] = [*find_sources(None), *find_pipelines()]
    wanted = [(source.name, source.wanted) for source in sources]
    found = Comparison((), 0)
    bar = Bar("measuring")
    try:
        for event in compare_networks(wanted, device.torch_device_name, args.seconds):
            if event is not None:
                found = event
                bar.show(len(found.rows) / len(wanted), found.rows[-1].name)
    finally:
        bar.close()
    if args.json:
        rows = [asdict(row) for row in found.rows]
        print(json.dumps({"device": device.label, "networks": rows, "toy_parameters": found.toy}, indent=2))
        return 0
    lines = [
        (
            row.name,
            row.kind,
            row.sampler,
            grouped(row.parameters),
            "x".join(str(side) for side in row.shape),
            str(row.steps),
            row.told,
        )
        for row in found.rows
        if not row.problem
    ]
    print(f"Measured now on {device.label}, one picture drawn alone:")
    print(table(HEADER, lines, left=3))
    for row in found.rows:
        if row.problem:
            print(f"{row.name}: {row.problem}")
    offered = default_pipeline()
    if offered.absent:
        print(
            f"{offered.name} ({CARD}): not on this machine; difftui networks --fetch downloads it (143 MB)."
        )
    print("\nThe lab's sheet says (quoted, not measured):")
    print(table(("MODEL", "PARAMETERS"), [(quoted.name, quoted.parameters) for quoted in QUOTED], left=1))
    print(f"The toy denoiser, built as the sheet says, has {grouped(found.toy)} parameters.")
    return 0
