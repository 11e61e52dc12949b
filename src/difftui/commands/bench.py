"""``difftui bench``: measures this machine and prints a table."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from difftui import __version__, atomic
from difftui.commands.out import FIGURES, add_out, check_out

if TYPE_CHECKING:
    from difftui.bench.waits import Waits

__all__ = ["add_arguments", "run"]

Row = tuple[str, float, str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", action="append", choices=(*BENCHMARKS, *MORE), metavar="NAME",
        help=f"measure just this, may be repeated: {', '.join((*BENCHMARKS, *MORE))}",
    )  # fmt: skip
    add_out(parser, "also save the table as JSON")


def run(args: argparse.Namespace) -> int:
    if args.out is not None:
        check_out(args.out, FIGURES, force=args.force)
    facts = _machine()
    print(" · ".join(f"{name} {value}" for name, value in facts.items()))
    rows: list[Row] = []
    for name in args.only or BENCHMARKS:
        for row in {**BENCHMARKS, **MORE}[name]():
            rows.append(row)
            print(f"{row[0]:<70} {row[1]:>9.2f} {row[2]}", flush=True)
    if args.out is not None:
        table = [{"what": what, "value": value, "unit": unit} for what, value, unit in rows]
        atomic.write_text(args.out, json.dumps({"machine": facts, "table": table}, indent=2) + "\n")
        print(f"saved {args.out}", file=sys.stderr)
    return 0


def _first_paint() -> Iterator[Row]:
    from difftui.bench.app import first_paint

    yield "first paint after process start, median of 5", first_paint(), "s"


def _training() -> Iterator[Row]:
    from difftui.bench.contest import PLAIN, training_speed
    from difftui.training.recipe import PRESETS

    speed = training_speed(tuple(PRESETS), _device())
    for name in PRESETS:
        batch, step = speed.batch[name], speed.step(name)
        yield f"training {name}: a step of {batch} images", 1e3 * step, "ms"
        yield f"training {name}", batch / step, "images/s"
    yield "the plain loop on lab's recipe: a step of 64 images", 1e3 * speed.step(PLAIN), "ms"
    turns = len(speed.seconds[PLAIN])
    yield f"plain loop ÷ ours on lab's recipe, median of {turns} pairs", speed.ratio(PLAIN, "lab"), "×"


def _arrangements() -> Iterator[Row]:
    from difftui.bench.arrangements import ARRANGEMENTS, OURS, arrangement_speed

    for name in ("lab", "quick"):
        seconds = arrangement_speed(name)
        for arrangement in ARRANGEMENTS:
            words = f"{name} in {arrangement.words}{' (chosen)' if arrangement == OURS else ''}"
            yield words, 1e3 * seconds[arrangement], "ms a step"


def _watched() -> Iterator[Row]:
    from difftui.bench.app import PRESET, watched_training

    result = watched_training()
    yield f"training {PRESET} headless, median of {result.pairs}", result.headless, "steps/s"
    yield f"training {PRESET} in the app, median of {result.pairs}", result.in_app, "steps/s"
    yield "in the app ÷ headless, median of pairs", result.ratio, "×"


def _sampling() -> Iterator[Row]:
    from difftui.bench.drawing import sampling_speed

    for count, rate in sampling_speed(_device()).items():
        yield f"drawing with quick as it advises, {count} at once", rate, "images/s"


def _keys() -> Iterator[Row]:
    from difftui.bench.app import key_to_paint

    yield from _told("key to paint while training on all cores", key_to_paint())


def _told(what: str, waits: Waits) -> Iterator[Row]:
    from difftui.bench.waits import QUANTILES

    for q in QUANTILES:
        yield f"{what}, p{100 * q:.0f} of {len(waits)}", waits.quantile(q), "ms"


def _links() -> Iterator[Row]:
    from difftui.bench.app import watched_training
    from difftui.bench.link import LINKS, animated_digits

    for name, (rate, training) in LINKS.items():
        figures = animated_digits(rate, training=training)
        what = f"12 digits animated, {name}"
        yield from _told(f"{what}: key to paint", figures.waits)
        yield f"{what}: frames", figures.frames, "/s"
        yield f"{what}: sent", figures.bytes_per_second / 1000, "kB/s"
    yield "training beside 12 digits animated ÷ headless", watched_training(digits=True).ratio, "×"


def _scale() -> Iterator[Row]:
    from difftui.bench.scale import measure_scale

    figures = measure_scale()
    what = f"a run of {figures.steps:,} steps ({figures.megabytes:.1f} MB)".replace(",", " ")
    yield f"{what}: opened in", figures.open_seconds, "s"
    yield f"{what}: a new row, curves redrawn", figures.redraw_ms, "ms"
    yield f"{what}: memory more than an empty one", figures.memory_mb, "MB"


def _frames(count: int | None = None) -> Iterator[Row]:
    from difftui.bench.pixels import scenes

    for name, measured in list(scenes().items())[:count]:
        cost = measured()
        yield f"one frame of 28×28, {name}: 256 colours", cost.bytes_median / 1000, "kB"
        yield f"one frame of 28×28, {name}: quantise, choose cells, strips", cost.draw_ms, "ms CPU"
        yield f"one frame of 28×28, {name}: all of it, Textual too", cost.app_ms, "ms CPU"


def _device() -> str:
    from difftui.engine.device import pick_device

    return pick_device("auto").torch_device_name


BENCHMARKS: Mapping[str, Callable[[], Iterator[Row]]] = MappingProxyType(
    {
        "first-paint": _first_paint,
        "training": _training,
        "watched-training": _watched,
        "sampling": _sampling,
        "frames": lambda: _frames(2),
        "keys": _keys,
        "scale": _scale,
    }
)
"""What is measured without being asked for, in under two minutes."""

MORE: Mapping[str, Callable[[], Iterator[Row]]] = MappingProxyType(
    {"pixels": _frames, "arrangements": _arrangements, "links": _links}
)
"""What is measured when asked for."""


def _machine() -> dict[str, Any]:
    from importlib.metadata import version

    from difftui.engine.device import pick_device, usable_cores

    device = pick_device("auto")
    return {
        "difftui": __version__,
        "python": platform.python_version(),
        "torch": version("torch"),
        "textual": version("textual"),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": usable_cores(),
        "device": device.label,
    }


def _processor() -> str:
    """The processor's own name, where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
