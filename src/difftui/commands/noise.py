"""``difftui noise``: a digit on its way into noise, as PNG and in characters; the Forward screen as text."""

from __future__ import annotations

import argparse
import json
import math
import shutil
import textwrap
from pathlib import Path

import numpy as np

from difftui.commands import UsageError
from difftui.commands.display import tell
from difftui.commands.greys import grey_text
from difftui.commands.options import add_schedule, add_seed, whole_number
from difftui.commands.schedule import chosen_times
from difftui.diffusion import add_noise, make_schedule
from difftui.diffusion.schedule import MAX_T
from difftui.diffusion.told import Pixel, Told, forward_told
from difftui.errors import DifftuiError

__all__ = ["add_arguments", "run"]

TIMES = 9
SCALE = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui noise`` takes."""
    add_schedule(parser)
    parser.add_argument(
        "--at", metavar="t", nargs="+", type=whole_number(0, MAX_T - 1),
        help=f"timesteps to draw (default: {TIMES} from the first to the last)",
    )  # fmt: skip
    parser.add_argument(
        "--digit", metavar="D", type=whole_number(0, 9), default=7, help="its class (default: 7)"
    )
    parser.add_argument(
        "--example", metavar="N", type=whole_number(1, 100_000), default=1,
        help="which digit of that class, from 1 (default: 1)",
    )  # fmt: skip
    add_seed(parser, "of the noise (default: 0)")
    parser.add_argument("--data", metavar="NAME_OR_DIR", default="mnist", help="where the digits are")
    parser.add_argument(
        "--out", metavar="FILE.png", type=Path, help="also write the pictures side by side as PNG"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the figures as JSON instead of the pictures"
    )
    parser.add_argument(
        "--maths", action="store_true",
        help="tell the step to one timestep, that of --at, in symbols, in plain words and as pseudocode",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Draw, write and print, and return the exit status."""
    from difftui.data import load
    from difftui.media import save_png

    if args.out is not None and args.out.suffix.lower() != ".png":
        raise UsageError(f"--out {args.out}: the picture is written as .png")
    if args.maths and (args.json or len(args.at or ()) != 1):
        raise UsageError("--maths tells of one timestep in words: give it one --at, and no --json")
    schedule = make_schedule(args.schedule, args.timesteps)
    times = chosen_times(args.at, schedule.T, TIMES)
    digits = load(args.data)
    members = digits.of_class(args.digit)
    if args.example > len(members):
        raise DifftuiError(f"there are {len(members)} digits {args.digit} here: --example is 1 to that.")
    index = int(members[args.example - 1])
    x0 = digits.images[index] / 127.5 - 1
    eps = np.random.default_rng(args.seed).standard_normal(x0.shape)
    levels = [schedule.alpha_bar(t) for t in times]
    pictures = np.stack([add_noise(x0, eps, level) for level in levels])
    if args.json:
        facts = {
            "schedule": schedule.kind, "timesteps": schedule.T, "digit": args.digit, "index": index,
            "digits": digits.source, "seed": args.seed,
            "pictures": [{"t": t, "alpha_bar": a, "signal": math.sqrt(a), "noise": math.sqrt(1 - a),
                          "mean": float(x.mean()), "std": float(x.std())}
                         for t, a, x in zip(times, levels, pictures, strict=True)],
        }  # fmt: skip
        print(json.dumps(facts, indent=2))
    else:
        print(f"digit {args.digit}, number {index} of {digits.source}, noise of seed {args.seed}; "
              f"{schedule.kind}, T = {schedule.T}\n")  # fmt: skip
    if args.maths:
        print("\n\n".join(map(_lines, forward_told(schedule, times[0], Pixel.brightest(x0, eps)))))
    elif not args.json:
        captions = [f"t = {t}  signal {math.sqrt(a):.3f}" for t, a in zip(times, levels, strict=True)]
        print(grey_text(pictures, captions, width=shutil.get_terminal_size().columns))
    if args.out is not None:
        tell(f"wrote {save_png(args.out, pictures, columns=len(pictures), scale=SCALE)}")
    return 0


def _lines(told: Told) -> str:
    """A formula three ways, in lines of at most 78 characters."""
    return "\n".join([
        told.title,
        "  in symbols", *(f"    {line}" for line in told.symbols),
        "  in plain words", textwrap.fill(told.words, 78, initial_indent="    ", subsequent_indent="    "),
        f"  as pseudocode (given: {told.needs})", *(f"    {line}" for line in told.code),
    ])  # fmt: skip
