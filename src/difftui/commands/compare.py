"""``difftui compare``: pictures drawn in several ways from one noise, with the figures of each."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from difftui.commands import UsageError
from difftui.commands.display import Bar, tell
from difftui.commands.options import add_device, add_seed, add_source, number, whole_number
from difftui.commands.out import add_out, check_out, written
from difftui.commands.stopping import Stopped, stop_signals
from difftui.commands.tables import figure, table
from difftui.diffusion.captions import label_of
from difftui.diffusion.comparison import VIEWS, Plan
from difftui.diffusion.samplers import EXPERIMENTS, SAMPLERS
from difftui.errors import DifftuiError

if TYPE_CHECKING:
    from difftui.engine.comparing import ComparisonRequest
    from difftui.evaluation.comparison import Measuring, Tally
    from difftui.training.loading import LoadedModel

__all__ = ["add_arguments", "run"]

VARIED = (("steps", "steps"), ("samplers", "sampler"), ("guidance", "guidance"), ("variety", "sampler"))
MOST_IN_A_ROW = 6  # pictures of the PNG; ten are two rows of five


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui compare`` takes."""
    views = "; ".join(f"{name}: {what}" for name, what in VIEWS.items())
    add_source(parser)
    parser.add_argument(
        "--view", choices=list(VIEWS), default="steps", metavar="VIEW", help=f"{views} (default: steps)"
    )
    parser.add_argument(
        "--sampler",
        choices=[*SAMPLERS, *EXPERIMENTS],
        metavar="NAME",
        help=f"where the view does not vary it: {', '.join([*SAMPLERS, *EXPERIMENTS])} (default: ddim)",
    )
    parser.add_argument(
        "--steps",
        metavar="N",
        type=whole_number(1, 10_000),
        help="sampler steps, where the view does not vary them (default: 25)",
    )
    parser.add_argument(
        "--temperature",
        metavar="X",
        type=number(0.0, 2.0),
        help="standard deviation of all noise (default: the recipe's)",
    )
    parser.add_argument(
        "--guidance",
        metavar="W",
        type=number(-1.0, 20.0),
        help="W in c + W (c - u), where the view does not vary it (default: the recipe's)",
    )
    add_seed(parser, "of x_T (default: 0)")
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--label", metavar="L", type=whole_number(0, 10_000), help="the class asked for")
    asked.add_argument("--caption", metavar="TEXT", help='the same in words: "a seven" is mapped to label 7')
    parser.add_argument(
        "--measure",
        metavar="N",
        type=whole_number(2, 10_000),
        help="also draw N pictures in each way: Frechet distance and agreement with the digit asked for",
    )
    add_out(parser, "also write the pictures as .png with captions")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Draw, measure and print, and return the exit status."""
    with stop_signals() as request:
        try:
            _compare(args)
        except Stopped as stopped:
            tell(f"difftui: {stopped}; nothing was written.")
            return 128 + stopped.number
        finally:
            request.at_once = False
    return 0


def _compare(args: argparse.Namespace) -> None:
    from difftui.engine.comparing import settled
    from difftui.engine.device import configure_threads, pick_device
    from difftui.training.loading import load_model

    if args.out is not None:
        check_out(args.out, {".png": "pictures"}, force=args.force)
    request = _request(args)
    device = pick_device(args.device)
    configure_threads()
    loaded = load_model(args.source, device.torch_device_name)
    _check(args, loaded, request)
    what, temperature = settled(loaded, request)
    # Made before anything is drawn: it says what cannot be measured.
    results = None if args.measure is None else _measurement(loaded, what, temperature, args.measure)
    tally, unread = _draw(loaded, what, temperature)
    measuring = None if results is None else _last(loaded, what, results)
    if unread:
        tell(unread)
    _print(args, loaded, tally, measuring, temperature)
    if args.out is not None:
        _write(args.out, tally, measuring, _title(loaded, what, temperature, args.seed), force=args.force)


def _request(args: argparse.Namespace) -> ComparisonRequest:
    from difftui.engine.comparing import ComparisonRequest

    return ComparisonRequest(
        source=args.source,
        view=args.view,
        sampler=args.sampler,
        steps=args.steps,
        seed=args.seed,
        label=args.label if args.caption is None else label_of(args.caption),
        guidance=args.guidance,
        temperature=args.temperature,
    )


def _check(args: argparse.Namespace, loaded: LoadedModel, request: ComparisonRequest) -> None:
    """What the command line asks for and this network or view cannot do."""
    T = loaded.schedule.T
    if args.steps is not None and args.steps > T:
        raise DifftuiError(
            f"{loaded.name} was trained with {T} timesteps: --steps is 1 to {T}, not {args.steps}."
        )
    if request.label is not None and loaded.model.num_classes is None:
        raise DifftuiError(
            f"{loaded.name} was trained without labels: it draws what it likes. Leave out --label."
        )
    for view, option in VARIED:
        if args.view == view and getattr(args, option) is not None:
            raise UsageError(f"--view {view} chooses the {option} itself: leave out --{option}")


def _draw(loaded: LoadedModel, what: Plan, temperature: float) -> tuple[Tally, str]:
    from difftui.engine.comparing import recogniser_for
    from difftui.evaluation.comparison import Tally, compare

    recogniser, unread = recogniser_for(loaded)
    tally = Tally(what)
    total = sum(way.steps for way in what.ways)
    bar = Bar(loaded.name)
    try:
        for event in compare(loaded, what, temperature=temperature, recogniser=recogniser):
            tally.take(event)
            done = sum(known.steps for known in tally.figures)
            text = f"{what.view}: {done} of {total} steps" if event.turn.ways else "the reference"
            bar.show(done / total, text)
    finally:
        bar.close()
    return tally, unread


def _measurement(loaded: LoadedModel, what: Plan, temperature: float, count: int) -> Iterator[Measuring]:
    from difftui.engine.comparing import digits_for_floor
    from difftui.evaluation.comparison import measure

    real, problem = digits_for_floor(None)
    results = measure(loaded, what, count=count, temperature=temperature, real=real)
    if problem:
        tell(f"{problem} Without them there is no floor to hold the Frechet distance against.")
    return results


def _last(loaded: LoadedModel, what: Plan, results: Iterator[Measuring]) -> Measuring:
    """Measure to the end."""
    bar = Bar(loaded.name)
    try:
        for last in results:
            name = "" if last.current is None else what.names[last.current]
            bar.show(last.fraction, f"measuring {last.count} pictures: {name}")
    finally:
        bar.close()
    return last


def _print(
    args: argparse.Namespace,
    loaded: LoadedModel,
    tally: Tally,
    measuring: Measuring | None,
    temperature: float,
) -> None:
    from difftui.engine.comparing import figures_table

    what = tally.plan
    header, rows = figures_table(what, tally.figures, measuring)
    if args.json:
        facts = {
            "source": loaded.name,
            "step": loaded.step,
            "view": what.view,
            "seed": args.seed,
            "label": what.ways[0].label,
            "guidance": what.ways[0].guidance,
            "temperature": temperature,
            "reference": what.reference_name or None,
            "apart": list(tally.apart()),
            "measured": None if measuring is None else measuring.count,
            "floor": None if measuring is None or measuring.floor is None else measuring.floor.mean,
            "table": [dict(zip(header, row, strict=True)) for row in rows],
        }
        print(json.dumps(facts, indent=1))
        return
    print(_title(loaded, what, temperature, args.seed))
    print(table(header, [[_cell(value) for value in row] for row in rows], left=2))
    print("\n".join(_notes(tally, measuring)))


def _title(loaded: LoadedModel, what: Plan, temperature: float, seed: int) -> str:
    way = what.ways[0]
    parts = [f"{loaded.name} at step {loaded.step}, {what.view}: seed {seed}", f"temperature {temperature:g}"]
    if way.label is not None and what.view != "labels":
        parts.append(f"label {way.label}")
    if way.guidance and what.view != "guidance":
        parts.append(f"guidance {way.guidance:g}")
    return ", ".join(parts)


def _notes(tally: Tally, measuring: Measuring | None) -> list[str]:
    """What the columns mean, and what they do not."""
    what = tally.plan
    notes = ["calls: of the network, a picture (guidance asks twice); reads: what a recogniser reads in it"]
    if what.reference is not None:
        notes.append(f"rms: distance of the pixels, in [-1, 1], to {what.reference_name}")
    if what.view == "labels":
        notes.append("a caption is mapped to its label, and the label to a row of a table: no text is read")
    if what.view == "guidance":
        notes.append("guidance: c + w (c - u), c the answer for the label, u without; elsewhere g = 1 + w")
    for way, name in enumerate(what.names):
        if what.is_experiment(way):
            notes.append(f"{name}: {EXPERIMENTS[what.ways[way].sampler]}")
    rows = ("other starts, no noise (DDIM)", "one start, other noise (DDPM)")
    for name, apart in zip(rows[: len(what.rows)], tally.apart(), strict=True):
        notes.append(f"{name}: two pictures are {_cell(apart)} apart on average (rms)")
    if measuring is None:
        if what.measurable:
            notes.append("one picture's figures are not quality: --measure N draws many")
    else:
        notes.append(
            f"frechet: {measuring.count} pictures a way, all digits in turn; the recogniser's features"
        )
        if measuring.floor is not None:
            floor = measuring.floor
            notes.append(f"floor: as many real test digits, {floor.mean:.2f} +- {floor.spread:.2f}")
    return notes


def _cell(value: str | float | None) -> str:
    return value if isinstance(value, str) else figure(None if value is None else float(f"{value:.4g}"))


def _write(out: Path, tally: Tally, measuring: Measuring | None, title: str, *, force: bool) -> None:
    from difftui import media
    from difftui.engine.comparing import caption_lines

    captions = caption_lines(tally.plan, tally.figures, measuring)
    columns = len(captions) if len(captions) <= MOST_IN_A_ROW else -(-len(captions) // 2)
    save = partial(
        media.save_captioned, images=tally.pictures(), captions=captions, title=title, columns=columns
    )
    tell(f"wrote {written(out, save, force=force)}")
