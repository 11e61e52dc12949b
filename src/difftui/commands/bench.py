"""``difftui bench``: measures this machine and prints a table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from difftui import __version__, atomic

__all__ = ["add_arguments", "run"]

Row = tuple[str, float, str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", action="append", choices=tuple(BENCHMARKS), metavar="NAME",
        help=f"measure just this, may be repeated: {', '.join(BENCHMARKS)}",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FILE", help="also save the table as JSON")


def run(args: argparse.Namespace) -> int:
    facts = _machine()
    print("  ".join(f"{name} {value}" for name, value in facts.items()))
    rows: list[Row] = []
    for name in args.only or BENCHMARKS:
        for row in BENCHMARKS[name]():
            rows.append(row)
            print(f"{row[0]:<68} {row[1]:>8.2f} {row[2]}", flush=True)
    if args.out is not None:
        table = [{"what": what, "value": value, "unit": unit} for what, value, unit in rows]
        atomic.write_text(args.out, json.dumps({"machine": facts, "table": table}, indent=2) + "\n")
        print(f"saved {args.out}", file=sys.stderr)
    return 0


def _first_paint() -> Iterator[Row]:
    from difftui.bench.app import first_paint

    yield "first paint after process start, median of 7", first_paint(), "s"


def _keys() -> Iterator[Row]:
    from difftui.bench.app import key_to_paint

    latency = key_to_paint()
    for name in ("p50", "p95", "p99"):
        yield (
            f"key to paint while training on all cores, {name} of {latency.keys}",
            getattr(latency, name),
            "ms",
        )


def _watched() -> Iterator[Row]:
    from difftui.bench.app import PRESET, watched_training

    result = watched_training()
    yield f"training {PRESET} headless, median of {result.pairs}", result.headless, "steps/s"
    yield f"training {PRESET} in the app, median of {result.pairs}", result.in_app, "steps/s"
    yield "in the app ÷ headless, median of pairs", result.ratio, ""


def _pixels() -> Iterator[Row]:
    from difftui.bench.pixels import scenes

    for name, measured in scenes().items():
        cost = measured()
        yield f"one frame of 28×28, {name}: 256 colours", cost.bytes_median / 1000, "kB"
        yield f"one frame of 28×28, {name}: quantise, choose cells, strips", cost.draw_ms, "ms CPU"
        yield f"one frame of 28×28, {name}: all of it, Textual too", cost.app_ms, "ms CPU"


BENCHMARKS: Mapping[str, Callable[[], Iterator[Row]]] = MappingProxyType(
    {"first-paint": _first_paint, "pixels": _pixels, "keys": _keys, "watched-training": _watched}
)


def _machine() -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "difftui": __version__,
        "python": platform.python_version(),
        "torch": version("torch"),
        "textual": version("textual"),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "machine": platform.machine(),
    }
