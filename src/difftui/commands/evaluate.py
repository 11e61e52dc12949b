"""``difftui evaluate``: how good a network's digits are, by an independent recogniser."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from difftui import atomic
from difftui.commands.display import Bar, tell
from difftui.commands.options import add_device, add_drawing, add_seed, drawn_how, whole_number
from difftui.commands.out import FIGURES, add_out, check_out
from difftui.data import load
from difftui.errors import DifftuiError
from difftui.proportion import wilson

if TYPE_CHECKING:
    from difftui.data import Digits
    from difftui.evaluation.report import Report
    from difftui.training.loading import LoadedModel

__all__ = ["add_arguments", "run"]

BATCH = 128


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui evaluate`` takes."""
    parser.add_argument("source", metavar="NAME", help="a shipped checkpoint, a run, or a file")
    parser.add_argument(
        "-n",
        "--number",
        metavar="N",
        type=whole_number(2, 10_000),
        default=512,
        help="pictures (default: 512)",
    )
    add_drawing(parser)
    add_seed(parser, "of the first picture (default: 0)")
    add_out(parser, "also write the figures as JSON")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Draw, judge and print, and return the exit status."""
    if args.out is not None:
        check_out(args.out, FIGURES, force=args.force)  # before torch is imported, which takes seconds
    from difftui.engine.device import configure_threads, pick_device
    from difftui.evaluation.report import report
    from difftui.training.loading import load_model

    device = pick_device(args.device)
    configure_threads()
    loaded = load_model(args.source, device.torch_device_name)
    sampler, steps, temperature = loaded.drawing(args.sampler, args.steps, args.temperature)
    classes: int | None = loaded.model.num_classes  # type: ignore[assignment]
    labels = None if classes is None else [index % classes for index in range(args.number)]
    _check_judgeable(loaded)
    args.guidance = loaded.guidance(labels is not None, args.guidance)
    pictures = _draw(loaded, args, labels)
    try:
        real = load("mnist", "test")
    except DifftuiError as error:
        real = None
        tell(f"{error} Without them there is no floor to hold the Fréchet distance against.")
    judged = report(pictures, labels, real=real, training=_training(loaded))
    seeds = f"seeds {args.seed}-{args.seed + args.number - 1}"
    how = f"{drawn_how(sampler, steps, temperature, args.guidance)}, {seeds}"
    _print(judged, f"{loaded.name} at step {loaded.step}: {how}")
    if args.out is not None:
        facts: dict[str, Any] = {"source": loaded.name, "step": loaded.step, "drawn": how, **asdict(judged)}
        atomic.write_text(args.out, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    return 0


def _draw(loaded: LoadedModel, args: argparse.Namespace, labels: list[int] | None) -> NDArray[np.float32]:
    """The finished pictures, (N, C, H, W) in [-1, 1]; labels in turn where the network takes them."""
    parts: list[NDArray[np.float32]] = []
    bar = Bar(loaded.name)
    try:
        for start in range(0, args.number, BATCH):
            chosen = range(start, min(start + BATCH, args.number))
            bar.show(start / args.number, f"{chosen.stop} pictures", now=True)
            frames = loaded.sample(
                [args.seed + index for index in chosen],
                None if labels is None else [labels[index] for index in chosen],
                sampler=args.sampler,
                steps=args.steps,
                temperature=args.temperature,
                guidance=args.guidance,
            )
            for frame in frames:
                if frame.s < 0:
                    parts.append(frame.x.cpu().numpy())
        bar.show(1.0, f"{args.number} pictures", now=True)
    finally:
        bar.close()
    return np.concatenate(parts)


def _check_judgeable(loaded: LoadedModel) -> None:
    """The recogniser knows 28x28 handwritten digits and nothing else: tell before anything is drawn."""
    from difftui.evaluation.comparison import why_not_judged

    problem = why_not_judged(loaded)
    if problem is not None:
        raise DifftuiError(problem)


def _training(loaded: LoadedModel) -> Digits | None:
    """The digits that the network may have learned by heart; None, with a line, where they are not here."""
    try:
        return load(loaded.recipe.data)
    except DifftuiError as error:
        tell(f"{error} Without them nothing is said of copies.")
        return None


def _near_line(judged: Report) -> str:
    """What the search for copies found, beside the same for real digits."""
    near, real = judged.neighbours, judged.real_neighbours
    assert near is not None
    found = (
        f"copies      {near.copies} of {judged.samples} (nearest training digit under a third as far as the "
    )
    found += f"next); median distance {near.median:.2f}"
    if real is not None:
        found += f", of as many real test digits {real.median:.2f} with {real.copies} copies"
    return f"{found}; {near.training_count} training digits"


def _print(judged: Report, title: str) -> None:
    lines = [title, f"judged by   {judged.network}", f"samples     {judged.samples}"]
    if judged.agreement is not None:
        low, high = wilson(round(judged.agreement * judged.samples), judged.samples)
        known = f"95 % interval {low:.3f} to {high:.3f}"
        lines.append(f"agreement   {judged.agreement:.3f} of them are read as the digit asked for; {known}")
    lines.append(f"confident   {judged.confident:.3f} with a probability above 0.9 (blobs can fool this)")
    shares = " ".join(f"{digit}:{share:.0%}" for digit, share in enumerate(judged.class_shares))
    lines.append(f"classes     {shares}   entropy {judged.entropy:.3f} of {np.log(10):.3f}")
    lines.append(f"Fréchet     {judged.frechet:.2f} to {judged.reference_count} real training digits")
    if judged.floor is not None:
        floor = f"{judged.floor:.2f} ± {judged.floor_spread:.2f}"
        ratio = f"the distance above is {judged.frechet / judged.floor:.1f} × this"
        lines.append(f"floor       {floor} for as many real test digits; {ratio}")
    if judged.neighbours is not None:
        lines.append(_near_line(judged))
    print("\n".join(lines))
