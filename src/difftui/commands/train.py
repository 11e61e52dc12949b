"""``difftui train``: the training loop with a progress bar, and an orderly end whatever ends it."""

from __future__ import annotations

import argparse
import shlex
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from difftui.commands import UsageError
from difftui.commands.display import TrainingDisplay, tell
from difftui.commands.options import add_device, number, whole_number
from difftui.commands.stopping import Stopped, StopRequest, stop_signals
from difftui.diffusion import SCHEDULES, make_schedule
from difftui.errors import DifftuiError
from difftui.runs import Run, create_run, find_own_run, unused_name
from difftui.training.recipe import PRESETS, Recipe, preset
from difftui.words import duration

if TYPE_CHECKING:
    from difftui.data import Digits

__all__ = ["add_arguments", "run"]

OWN = ("epochs", "steps", "minutes", "batch_size", "learning_rate", "schedule", "timesteps", "seed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui train`` takes."""
    parser.add_argument("--preset", choices=list(PRESETS), help="the recipe to train by")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--epochs", metavar="N", type=whole_number(1, 10**9), help="passes over the data")
    budget.add_argument("--steps", metavar="N", type=whole_number(1, 10**9), help="optimiser steps")
    budget.add_argument("--minutes", metavar="M", type=number(1e-3, 1e9), help="time spent training")
    parser.add_argument("--batch-size", metavar="N", type=whole_number(1, 65_536), help="images a step")
    parser.add_argument("--learning-rate", metavar="R", type=number(0, 10), help="Adam's step size")
    parser.add_argument("--schedule", choices=list(SCHEDULES), help="noise schedule")
    parser.add_argument("--timesteps", metavar="T", type=whole_number(1, 10_000), help="its number of steps")
    parser.add_argument(
        "--seed", metavar="N", type=whole_number(0, 2**63 - 1), help="of everything drawn at random"
    )
    parser.add_argument("--run", metavar="NAME", help="what to call the run (else PRESET-1, PRESET-2 ...)")
    parser.add_argument("--resume", action="store_true", help="go on with the run that --run names")
    add_device(parser)
    parser.add_argument(
        "--data", metavar="NAME_OR_DIR", help="mnist (fetched if need be), bundled or a folder"
    )


def run(args: argparse.Namespace) -> int:
    """Train, and return the exit status."""
    with stop_signals() as request:
        try:
            return _train(args, request)
        except Stopped as stopped:
            tell(f"difftui: {stopped} before training began; nothing was lost.")
            return 128 + stopped.number


def _train(args: argparse.Namespace, request: StopRequest) -> int:
    recipe = _own_recipe(args) if args.resume else _new_recipe(args)
    from difftui.data import load
    from difftui.engine.device import configure_threads, pick_device

    device = pick_device(args.device)
    configure_threads()
    data = _ready_data(args.data, recipe)
    digits = load(data)
    if args.resume:
        kept = find_own_run(args.run)
    else:
        recipe = replace(recipe, data=data)
        kept = create_run(args.run or unused_name(recipe.name), recipe.to_json())
    tell(
        f"{kept.name}: {recipe.model} on {len(digits.images)} images ({digits.source}), "
        f"{device.label} ({device.why})"
    )
    return _follow(args, recipe, kept, digits, device.torch_device_name, request)


def _ready_data(wanted: str | None, recipe: Recipe) -> str:
    """Make the training images ready, and name them as they are."""
    from difftui.commands.digits import ready_data
    from difftui.data import settled

    if wanted is None and recipe.data != "mnist":
        wanted = recipe.data
    return settled(ready_data(wanted, notice=tell))


def _follow(
    args: argparse.Namespace, recipe: Recipe, kept: Run, digits: Digits, device: str, request: StopRequest
) -> int:
    """Pull the training until it ends or a signal asks for the end."""
    from difftui.training.session import train

    display = TrainingDisplay(kept.name, recipe)
    events = train(recipe, kept, digits=digits, device=device, resume=args.resume)
    request.at_once = False  # from here on the end is orderly: finish the step, save
    try:
        for progress in events:
            display.show(progress, now=progress.fraction >= 1)
            if request.number is not None and progress.fraction < 1:
                break
    finally:
        events.close()
        display.close()
    status = kept.status()
    if request.number is not None and status.state == "stopped":
        name = signal.Signals(request.number).name
        tell(f"difftui: stopped by {name}, saved at step {status.step}. {_resume_line(args, kept)}")
        return 128 + request.number
    loss = f", loss {display.loss:.4f}" if display.loss is not None else ""
    tell(
        f"{kept.name}: finished after {status.step} steps in {duration(status.seconds)}{loss}. "
        f"Draw with: difftui sample --from {kept.name} --out {kept.name}.png"
    )
    return 0


def _new_recipe(args: argparse.Namespace) -> Recipe:
    """The preset with the changes asked for."""
    if args.preset is None:
        raise UsageError(f"name a recipe: --preset {' or --preset '.join(PRESETS)}.")
    recipe = preset(args.preset)
    changes: dict[str, Any] = {name: value for name in OWN if (value := getattr(args, name)) is not None}
    if {"epochs", "steps", "minutes"} & set(changes):
        changes = {"epochs": None, "steps": None, "minutes": None, **changes}
    if "timesteps" in changes and "timesteps" in recipe.model_options:
        changes["model_options"] = {**recipe.model_options, "timesteps": changes["timesteps"]}
    try:
        recipe = replace(recipe, **changes)
        make_schedule(recipe.schedule, recipe.timesteps, **recipe.schedule_options)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return recipe


def _own_recipe(args: argparse.Namespace) -> Recipe:
    """The recipe of the run to resume, which no option may contradict."""
    if args.run is None:
        raise UsageError("name the run to resume: --run NAME.")
    kept = find_own_run(args.run)
    try:
        recipe = Recipe.from_json(kept.recipe_text())
    except ValueError as error:
        raise DifftuiError(f"{kept.recipe_path} cannot be used ({error}). Train anew.") from None
    asked = {"preset": args.preset, **{name: getattr(args, name) for name in OWN}}
    has = {"preset": recipe.name, **{name: getattr(recipe, name) for name in OWN}}
    for name, value in asked.items():
        if value is not None and value != has[name]:
            option = f"--{name.replace('_', '-')}"
            was = f"without {option}" if has[name] is None else f"with {option} {has[name]}"
            raise UsageError(f"the run {kept.name} began {was}. Leave {option} out, or train a new run.")
    return recipe


def _resume_line(args: argparse.Namespace, kept: Run) -> str:
    words = ["difftui", "train", "--run", kept.name, "--resume"]
    for option, value in (("--device", args.device), ("--data", args.data), ("--home", args.home)):
        if value not in (None, "auto"):
            words += [option, value]
    return f"Go on with: {shlex.join(words)}"
