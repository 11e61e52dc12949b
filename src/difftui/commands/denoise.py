"""``difftui denoise``: real digits, noised, and what a network makes of them; the Denoise screen as text."""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from difftui.commands import UsageError
from difftui.commands.display import tell
from difftui.commands.greys import grey_text
from difftui.commands.options import add_device, add_seed, add_source, number, whole_number
from difftui.commands.out import add_out, check_out, written
from difftui.commands.tables import figure, table
from difftui.diffusion.ladder import Ladder
from difftui.errors import DifftuiError
from difftui.words import grouped

if TYPE_CHECKING:
    import torch

    from difftui.data import Pictures
    from difftui.training.loading import LoadedModel

__all__ = ["add_arguments", "run"]

SHOWN_FILTERS = 16  # in characters
MEASURED = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui denoise`` takes."""
    add_source(parser)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--filters", action="store_true", help="tell what the network is made of, and draw its first layer"
    )
    kind.add_argument(
        "--errors",
        action="store_true",
        help="measure its error at every strength of noise",
    )
    parser.add_argument(
        "--told",
        metavar="T",
        type=whole_number(0, 9_999),
        help="with --errors: measure it also when it is told this time everywhere",
    )
    parser.add_argument(
        "--at",
        metavar="T",
        type=whole_number(0, 9_999),
        action="append",
        help="noise the digits to this timestep; may be given several times (default: those that are 25, 50, "
        "100 and 150 of 200)",
    )
    parser.add_argument(
        "--noise",
        metavar="S",
        type=number(0.0, 1000.0),
        action="append",
        help="show this noise instead of the timestep's own: its standard deviation beside pixels in [0, 1]; "
        "may be given several times",
    )
    parser.add_argument(
        "--pure", action="store_true", help="show pure noise of the timestep's strength, and no digit"
    )
    parser.add_argument(
        "--times",
        metavar="N",
        type=whole_number(1, 1000),
        default=1,
        help="apply it again to its own answer, N looks in all, a row each (default: 1)",
    )
    parser.add_argument("--digit", metavar="D", type=whole_number(0, 999), help="of this class only")
    parser.add_argument(
        "--example",
        metavar="N",
        type=whole_number(1, 100_000),
        default=1,
        help="the first digit to take, from 1 (default: 1)",
    )
    parser.add_argument(
        "-n",
        "--number",
        metavar="N",
        type=whole_number(1, 500),
        help=f"digits (default: 10; with --digit 1, with --errors {MEASURED})",
    )
    add_seed(parser, "of the noise (default: 0)")
    add_out(parser, ".png: rows original, noisy, cleaned ... (default: the first digit in characters)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Noise, clean, print, write, and return the exit status."""
    if args.out is not None:
        if args.errors:
            raise UsageError("--errors prints figures: leave out --out, or add --json.")
        check_out(args.out, {".png": "rows"}, force=args.force)
    if args.told is not None and not args.errors:
        raise UsageError("--told goes with --errors.")
    from difftui.engine.device import configure_threads, pick_device
    from difftui.engine.network_facts import pictures_for
    from difftui.training.loading import load_model

    device = pick_device(args.device)
    configure_threads()
    loaded = load_model(args.source, device.torch_device_name)
    pictures, _ = pictures_for(loaded)
    if args.filters:
        _tell_inside(loaded, pictures, args)
    elif args.errors:
        _tell_errors(loaded, pictures, args)
    else:
        _tell_looks(loaded, pictures, args)
    return 0


# Looks.


@dataclass(frozen=True, slots=True)
class _Level:
    """A strength of noise: what it is called, its standard deviation in [-1, 1], and the time told."""

    name: str
    sigma: float
    t: int


def _tell_looks(loaded: LoadedModel, pictures: Pictures, args: argparse.Namespace) -> None:
    import torch

    from difftui.training.seen import as_seen

    chosen = _chosen(pictures, args, 10 if args.digit is None else 1)
    device = next(loaded.model.parameters()).device
    clean = as_seen(pictures.images[chosen], device)
    labels = _labels(loaded, pictures, chosen)
    sheets, captions = [clean], ["clean"]
    facts: list[dict[str, Any]] = []
    for level in _levels(loaded, args):
        for look, (picture, fact) in enumerate(_looks(loaded, args, clean, level, labels)):
            sheets.append(picture)
            captions.append(level.name if look == 0 else f"look {look}")
            if fact is not None:
                facts.append(
                    {"level": level.name, "t": level.t, "noise": level.sigma / 2, "look": look} | fact
                )
    written = _write(args, torch.cat(sheets).cpu().numpy(), len(clean))
    if args.json:
        print(json.dumps({"network": loaded.name, "digits": chosen.tolist(), "looks": facts}, indent=2))
        return
    print(f"{loaded.name} on {len(clean)} of {pictures.source}; errors in pixels of [0, 1]\n")
    if args.out is None and clean.shape[1] == 1:
        firsts = torch.cat([sheet[:1] for sheet in sheets]).cpu().numpy()
        print(grey_text(firsts, captions, width=shutil.get_terminal_size().columns) + "\n")
    header = ("noised", "noise", "look", "MSE before", "MSE", "PSNR dB", "moved")
    keys = ("before", "mse", "psnr", "moved")
    rows = [
        (fact["level"], f"{fact['noise']:.3g}", str(fact["look"]), *(figure(fact[key]) for key in keys))
        for fact in facts
    ]
    print(table(header, rows, left=1))
    if written is not None:
        tell(f"wrote {written}: the first row is clean; for each t, what was shown and each look's answer")


def _looks(
    loaded: LoadedModel,
    args: argparse.Namespace,
    clean: torch.Tensor,
    level: _Level,
    labels: list[int] | None,
) -> list[tuple[torch.Tensor, dict[str, float | None] | None]]:
    """What is shown, then each answer with its figures."""
    import torch

    from difftui.diffusion.one_shot import look_again
    from difftui.engine.denoising import psnr

    draws = torch.Generator().manual_seed(args.seed)
    noise = torch.randn(clean.shape, generator=draws).to(clean.device)
    shown = level.sigma * noise if args.pure else clean + level.sigma * noise
    before = None if args.pure else _mse(shown.clamp(-1, 1), clean)
    rows: list[tuple[torch.Tensor, dict[str, float | None] | None]] = [(shown, None)]
    for look in look_again(
        loaded.model, loaded.schedule, shown, t=level.t, target=loaded.recipe.target, times=args.times,
        labels=labels,
    ):  # fmt: skip
        error = None if args.pure else _mse(look.cleaned, clean)
        moved = float((look.cleaned - look.shown.clamp(-1, 1)).abs().mean() / 2)
        told = None if error is None else psnr(error)
        rows.append((look.cleaned, {"before": before, "mse": error, "psnr": told, "moved": moved}))
        before = error
    return rows


def _mse(one: torch.Tensor, other: torch.Tensor) -> float:
    """Mean squared error in pixels of [0, 1]."""
    return float(((one - other) / 2).square().mean())


def _levels(loaded: LoadedModel, args: argparse.Namespace) -> list[_Level]:
    """The noise to show: timesteps with their own, or with what ``--noise`` says."""
    one_shot = bool(getattr(loaded.model, "one_shot", False))
    T, ladder = loaded.schedule.T, Ladder(loaded.schedule)
    times = args.at if args.at is not None else sorted(set(ladder.usual))
    for t in times:
        if t >= T and one_shot:
            raise DifftuiError(
                f"{loaded.name} is told no time: --noise, not --at, says how much noise it is shown."
            )
        if t >= T:
            raise DifftuiError(f"{loaded.name} has {T} timesteps: --at is 0 to {T - 1}, not {t}.")
    if args.noise is not None:  # pixels of [0, 1] are half as far apart as those of [-1, 1]
        told = "" if one_shot else "t = {}, "
        return [_Level(f"{told.format(t)}noise {s:g}", 2 * s, t) for t in times for s in args.noise]
    return [_Level("taught" if one_shot else f"t = {t}", ladder.sigma(t), t) for t in times]


def _chosen(pictures: Pictures, args: argparse.Namespace, usual: int) -> np.ndarray:
    """Positions of the pictures to take."""
    members = np.arange(len(pictures))
    if args.digit is not None:
        if pictures.labels is None or args.digit >= len(pictures.classes):
            known = (
                f"the classes 0 to {len(pictures.classes) - 1}"
                if pictures.labels is not None
                else "no classes"
            )
            raise DifftuiError(f"{pictures.source} has {known}: choose another --digit.")
        members = np.flatnonzero(pictures.labels == args.digit)
    if args.example > len(members):
        raise DifftuiError(f"there are {len(members)} such pictures here: --example is 1 to that.")
    return members[args.example - 1 :][: args.number or usual]


def _labels(loaded: LoadedModel, pictures: Pictures, chosen: np.ndarray) -> list[int] | None:
    """The pictures' own classes for a network that must be told; else None."""
    must = getattr(loaded.model, "num_classes", None) is not None and loaded.recipe.label_drop == 0
    return pictures.labels[chosen].tolist() if must and pictures.labels is not None else None


# Inside.


def _tell_inside(loaded: LoadedModel, pictures: Pictures, args: argparse.Namespace) -> None:
    from difftui.engine.network_facts import loss_of, network_facts

    facts = network_facts(loaded, False, pictures, loss_of(args.source))
    filters, height = facts.filters, facts.filters.shape[1]
    written = _write(args, filters if filters.ndim == 3 else filters.transpose(0, 3, 1, 2), 8)
    if args.json:
        told: dict[str, Any] = {
            "network": facts.name, "model": facts.model, "parameters": facts.parameters,
            "kibibytes": facts.kibibytes, "parts": dict(facts.parts), "kernels": facts.kernels,
            "claimed": facts.claimed, "loss": facts.loss, "goal": facts.goal, "filters": filters.tolist(),
        }  # fmt: skip
        print(json.dumps(told))
        return
    rows = [(name, grouped(count)) for name, count in (*facts.parts, ("parameters", facts.parameters))]
    rows += [("KiB as 32-bit floats", f"{facts.kibibytes:.2f}")]
    if facts.claimed is not None:
        rows += [("its lab says about", grouped(facts.claimed))]
        rows += [("of 3x3 convolutions", grouped(facts.kernels))]
    if facts.loss is not None:
        rows += [("training loss, last 100 steps", f"{facts.loss:.4f}")]
    if facts.goal is not None:
        rows += [("its lab's target, about", f"{facts.goal:g}")]
    print(f"{facts.name}, {facts.model}: its first layer has {len(filters)} filters of {height}x{height}\n")
    print(table(("part", "numbers"), rows, left=1))
    if written is not None:
        tell(f"wrote {written}: each filter from its lowest weight (black) to its highest (white)")
    elif filters.ndim == 3:
        larger = filters[:SHOWN_FILTERS].repeat(2, axis=1).repeat(2, axis=2) if height < 12 else filters[:3]
        print("\n" + grey_text(larger, width=shutil.get_terminal_size().columns))


# Error by noise.


def _tell_errors(loaded: LoadedModel, pictures: Pictures, args: argparse.Namespace) -> None:
    import torch

    from difftui.evaluation.by_noise import error_by_noise
    from difftui.training.seen import as_seen

    ladder = Ladder(loaded.schedule, bool(getattr(loaded.model, "one_shot", False)))
    if args.told is not None and (ladder.one_shot or args.told > ladder.last):
        raise DifftuiError(
            f"{loaded.name} cannot be told t = {args.told}: leave out --told, or choose another."
        )
    chosen = _chosen(pictures, args, MEASURED)
    device = next(loaded.model.parameters()).device
    x0 = as_seen(pictures.images[chosen], device)
    own_labels = _labels(loaded, pictures, chosen)
    labels = None if own_labels is None else torch.tensor(own_labels, device=device)
    *_, own = error_by_noise(loaded, x0, labels=labels, seed=args.seed)
    assert own is not None  # the last event is a curve
    columns = {"loss": own.loss, "cleaned": own.clean, "as it was": own.untouched}
    if args.told is not None:
        *_, fixed = error_by_noise(loaded, x0, told=args.told, labels=labels, seed=args.seed)
        assert fixed is not None
        columns[f"loss, told {args.told}"] = fixed.loss
    if args.json:
        told = {"network": loaded.name, "pictures": own.pictures, "rungs": own.rungs.tolist()}
        print(json.dumps(told | {name: column.tolist() for name, column in columns.items()}, indent=2))
        return
    print(
        f"{loaded.name} on {own.pictures} of {pictures.source}\n"
        f"loss: of {loaded.recipe.target}, as in training; the others: MSE to the clean picture in [0, 1]\n"
    )
    rows = [
        (ladder.label(rung), *(f"{column[i]:.5f}" for column in columns.values()))
        for i, rung in enumerate(own.rungs.tolist())
    ]
    means = ("mean", *(f"{column.mean():.5f}" for column in columns.values()))
    print(table(("noised", *columns), [*rows, means], left=1))


def _write(args: argparse.Namespace, pictures: np.ndarray, columns: int) -> Path | None:
    from difftui import media

    if args.out is None:
        return None
    scale = 3 if pictures.shape[-1] >= 12 else 12
    save = partial(media.save_png, images=pictures, columns=columns, scale=scale)
    return written(args.out, save, force=args.force)
