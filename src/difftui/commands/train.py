"""``difftui train``: training without a screen."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from difftui.commands import UsageError
from difftui.commands.display import TrainingDisplay, tell
from difftui.commands.options import add_device, handle, number, whole_number
from difftui.commands.stopping import Stopped, StopRequest, stop_signals
from difftui.data import COLLECTIONS
from difftui.diffusion import SCHEDULES, make_schedule
from difftui.errors import DifftuiError
from difftui.runs import Activity, Run, Verb, create_run, find_own_run, shipped_runs, unused_name
from difftui.training.progress import Hold, Progress
from difftui.training.recipe import PRESETS, Decay, Precision, Recipe, Target, Weighting, preset
from difftui.words import duration, loss_text

if TYPE_CHECKING:
    from difftui.data import Pictures
    from difftui.engine import Device
    from difftui.training.distributed import World

__all__ = ["add_arguments", "run"]

BUDGETS = ("epochs", "steps", "minutes")
OWN = (
    *BUDGETS,
    "image_size",
    "classes",
    "batch_size",
    "learning_rate",
    "schedule",
    "timesteps",
    "target",
    "weighting",
    "decay",
    "ema_decay",
    "precision",
    "seed",
)
REST_SECONDS = 0.1  # how often a pause looks whether it is over
RETRY_SECONDS = 5.0  # how often a disk that refuses is tried again
IDLE_SECONDS = 30 * 60.0  # a device is not held longer for a training that does nothing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui train`` takes."""
    parser.add_argument("--preset", choices=list(PRESETS), help="the recipe to train by")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--epochs", metavar="N", type=whole_number(1, 10**9), help="passes over the data")
    budget.add_argument("--steps", metavar="N", type=whole_number(1, 10**9), help="optimiser steps")
    budget.add_argument("--minutes", metavar="M", type=number(1e-3, 1e9), help="time spent training")
    parser.add_argument(
        "--image-size", metavar="N", type=whole_number(4, 256), help="pixels across to bring the pictures to"
    )
    parser.add_argument(
        "--classes", metavar="N", type=whole_number(1, 1000), help="train on the first N classes only"
    )
    parser.add_argument(
        "--model-option",
        metavar="NAME=VALUE",
        action="append",
        type=_model_option,
        default=[],
        help="an option of the network, such as time=yes for that of --preset lecture",
    )
    parser.add_argument("--batch-size", metavar="N", type=whole_number(1, 65_536), help="images a step")
    parser.add_argument("--learning-rate", metavar="R", type=number(0, 10), help="Adam's step size")
    parser.add_argument("--decay", choices=get_args(Decay), help="what the learning rate does in the end")
    parser.add_argument("--schedule", choices=list(SCHEDULES), help="noise schedule")
    parser.add_argument("--timesteps", metavar="T", type=whole_number(1, 10_000), help="its number of steps")
    parser.add_argument("--target", choices=get_args(Target), help="what the network predicts")
    parser.add_argument("--weighting", choices=get_args(Weighting), help="of the timesteps' errors")
    parser.add_argument(
        "--ema-decay", metavar="D", type=number(0, 1), help="of the average of weights that samples"
    )
    parser.add_argument("--precision", choices=get_args(Precision), help="what the network computes in")
    parser.add_argument(
        "--seed", metavar="N", type=whole_number(0, 2**63 - 1), help="of everything drawn at random"
    )
    parser.add_argument(
        "--run",
        "--name",  # torchrun takes --run for an abbreviation of its own --run-path
        metavar="NAME",
        help="what to call the run (else PRESET-1, PRESET-2 ...); under torchrun say --name",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run that --run names; with --preset, begin it if it is not there yet",
    )
    parser.add_argument(
        "--detach", action="store_true", help="train in a process of its own that needs no terminal"
    )
    add_device(parser)
    parser.add_argument(
        "--data",
        metavar="NAME_OR_DIR",
        help=f"mnist, {', '.join(COLLECTIONS)} (fetched if need be), bundled, or a folder of images",
    )


def run(args: argparse.Namespace) -> int:
    """Train, and return the exit status."""
    with stop_signals() as request:
        try:
            if "TORCHELASTIC_RUN_ID" in os.environ:
                return _train_with_others(args, request)
            plan = _Plan(args)
            return _detach(args, plan) if args.detach else _train_alone(args, plan, request)
        except Stopped as stopped:
            tell(f"difftui: {stopped} before training began; nothing was lost.")
            return 128 + stopped.number


class _Plan:
    """What is to be trained.

    Attributes:
        recipe: by which recipe.
        existing: the run to go on with, or None if one is to be made.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        """Raises DifftuiError: there is no such recipe or run, or they contradict the options."""
        self.existing = _existing(args)
        self.recipe = _new_recipe(args) if self.existing is None else _own_recipe(args, self.existing)
        self._name = args.run

    def fit(self, data: str) -> Pictures:
        """The pictures; the recipe of a new run gets a network that fits them."""
        from difftui.data import load_pictures
        from difftui.training.preparing import fitted, prepared

        pictures = prepared(self.recipe, load_pictures(data, size=self.recipe.image_size))
        if self.existing is None:
            self.recipe = fitted(self.recipe, pictures)
        return pictures

    def run_for(self, data: str) -> Run:
        """The run; a new one is made now, for it is known which digits it has."""
        if self.existing is not None:
            return self.existing
        self.recipe = replace(self.recipe, data=data)
        return create_run(self._name or unused_name(self.recipe.name), self.recipe.to_json())


def _detach(args: argparse.Namespace, plan: _Plan) -> int:
    from difftui.engine.detached import start_detached

    data = _ready_data(args.data, plan.recipe)
    if data not in ("mnist", "bundled") or plan.recipe.image_size or plan.recipe.classes:
        plan.fit(data)  # digits as they are fit every preset, and torch need not be imported to see it
    kept = plan.run_for(data)
    pid = start_detached(
        _options(("--device", args.device), ("--data", args.data)), kept, new=plan.existing is None
    )
    tell(
        f"{kept.name}: training in process {pid}, which needs no terminal.\n"
        f"Watch it with: {_command(args, 'watch', handle(kept))}\n"
        f"Stop it with:  {_command(args, 'runs', '--stop', handle(kept))}"
    )
    return 0


def _train_alone(args: argparse.Namespace, plan: _Plan, request: StopRequest) -> int:
    from difftui.engine.device import pick_device

    device = pick_device(args.device)
    from difftui.training.distributed import ALONE

    return _train(args, plan, device, request, ALONE)


def _train(args: argparse.Namespace, plan: _Plan, device: Device, request: StopRequest, world: World) -> int:
    from difftui.engine.device import configure_threads

    configure_threads()
    data = _ready_data(args.data, plan.recipe)
    digits = plan.fit(data)
    kept = plan.run_for(data)
    world.tell({"recipe": plan.recipe.to_json(), "data": data})
    together = f", {world.size} processes" if world.size > 1 else ""
    tell(
        f"{kept.name}: {plan.recipe.model} on {len(digits.images)} images ({digits.source}), "
        f"{device.label} ({device.why}){together}"
    )
    if any(kept.name == ours.name for ours in shipped_runs()):
        tell(f"{kept.name}: a network that ships has this name too; while this run is there, it is taken.")
    return _pull(args, plan.recipe, kept, digits, device, request, world)


def _train_with_others(args: argparse.Namespace, request: StopRequest) -> int:
    """As one of torchrun's processes. The first leads, the others are silent unless they fail."""
    if args.detach:
        raise UsageError("--detach is not for torchrun: leave it out.")
    import torch

    from difftui.engine.device import configure_threads, pick_device_among
    from difftui.training.distributed import PeerLost, follow, joined
    from difftui.training.recipe import Recipe
    from difftui.training.trainer import Trainer

    mine = pick_device_among(int(os.environ["LOCAL_RANK"]), args.device)
    device = torch.device(mine.torch_device_name)
    with joined(device) as world:
        world.wants_stop = lambda: request.number is not None
        if world.leads:
            return _train(args, _Plan(args), mine, request, world)
        request.at_once = False
        try:
            told = world.tell()
            configure_threads()
            from difftui.data import load_pictures

            recipe = Recipe.from_json(told["recipe"])
            follow(Trainer(recipe, load_pictures(told["data"], size=recipe.image_size), device, world))
        except PeerLost:  # whoever is gone has said why
            sys.exit(1)
        except DifftuiError as error:
            raise DifftuiError(f"process {world.rank + 1} of {world.size}: {error}") from error
        return 128 + request.number if request.number is not None else 0


class _Wishes:
    """What is asked of the training from outside, by :func:`difftui.runs.ask`."""

    def __init__(self) -> None:
        self.paused = False
        self.stop = False
        self.held = False  # by a disk that refuses
        self.changed = threading.Event()

    def obey(self, verb: Verb) -> None:
        """Called in another thread."""
        if verb in ("pause", "resume"):
            self.paused = verb == "pause"
        elif verb == "stop":
            self.stop = True
        self.changed.set()

    def state(self) -> Activity:
        return "paused" if self.paused or self.held else "training"


def _pull(
    args: argparse.Namespace,
    recipe: Recipe,
    kept: Run,
    digits: Pictures,
    device: Device,
    request: StopRequest,
    world: World,
) -> int:
    """Pull the training until it ends or somebody asks for the end."""
    from difftui.training.session import Session

    wishes = _Wishes()
    session = Session(
        recipe,
        kept,
        digits=digits,
        device=device.torch_device_name,
        on_request=wishes.obey,
        state=wishes.state,
        device_label=f"{world.size} x {device.label}" if world.size > 1 else device.label,
        world=world,
    )
    display = TrainingDisplay(kept.name, recipe)
    events = session.events(resume=args.resume)
    request.at_once = False  # from here on the end is orderly: finish the step, save
    why = ""
    try:
        for event in events:
            if isinstance(event, Progress):
                wishes.held = False
                display.show(event, now=event.fraction >= 1)
                if event.fraction >= 1:
                    continue
            why = _reason_to_end(world, request, wishes)
            if not why and (wishes.paused or isinstance(event, Hold)):
                why = _wait(event, request, wishes)
            if why:
                break
    finally:
        events.close()
        display.close()
    status = kept.status()
    if why and status.state == "stopped":
        tell(f"difftui: {why}, saved at step {status.step}. {_resume_line(args, kept, world.size)}")
        return 128 + request.number if request.number is not None else 0
    loss = f", loss {loss_text(display.loss)}" if display.loss is not None else ""
    tell(
        f"{kept.name}: finished after {status.step} steps in {duration(status.seconds)}{loss}. "
        f"{_next_line(args, kept, recipe)}"
    )
    return 0


def _next_line(args: argparse.Namespace, kept: Run, recipe: Recipe) -> str:
    """What a finished network is for."""
    from difftui.models import MODELS

    if getattr(MODELS[recipe.model], "one_shot", False):
        return f"Clean noisy digits with: {_command(args, 'denoise', '--from', handle(kept))}"
    return f"Draw with: {_command(args, 'sample', '--from', handle(kept), '--out', f'{kept.name}.png')}"


def _reason_to_end(world: World, request: StopRequest, wishes: _Wishes) -> str:
    if request.number is not None:
        return f"stopped by {signal.Signals(request.number).name}"
    if world.stop_wanted:
        return "stopped by a signal to another of its processes"
    return "stopped as somebody asked" if wishes.stop else ""


def _wait(event: Progress | Hold | None, request: StopRequest, wishes: _Wishes) -> str:
    """Do nothing while the training is paused, or until it is time to try a disk again that refuses.

    Returns:
        Why the training is to end now; empty to go on.
    """
    began = time.monotonic()
    if isinstance(event, Hold) and not wishes.held:
        tell(f"difftui: {event.message}")
    wishes.held = isinstance(event, Hold)
    while wishes.paused or (wishes.held and time.monotonic() - began < RETRY_SECONDS):
        wishes.changed.wait(REST_SECONDS)
        wishes.changed.clear()
        if request.number is not None:
            return f"stopped by {signal.Signals(request.number).name}"
        if wishes.stop:
            return "stopped as somebody asked"
        if time.monotonic() - began > IDLE_SECONDS:
            return f"ended after a pause of {duration(IDLE_SECONDS)}"
    return ""


def _ready_data(wanted: str | None, recipe: Recipe) -> str:
    """Make the training images ready, and name them as they are."""
    from difftui.commands.digits import ready_data
    from difftui.data import settled

    if wanted is None and recipe.data != "mnist":
        wanted = recipe.data
    return settled(ready_data(wanted, notice=tell))


def _existing(args: argparse.Namespace) -> Run | None:
    """The run that --resume means; None if one is to be made."""
    if not args.resume:
        return None
    if args.run is None:
        raise UsageError("name the run to resume: --run NAME.")
    try:
        return find_own_run(args.run)
    except DifftuiError:
        if args.preset is None:
            raise
        tell(f"{args.run}: there is no such run yet, so it begins.")
        return None


def _new_recipe(args: argparse.Namespace) -> Recipe:
    """The preset with the changes asked for."""
    if args.preset is None:
        raise UsageError(f"name a recipe: --preset {' or --preset '.join(PRESETS)}.")
    recipe = preset(args.preset)
    changes: dict[str, Any] = {name: value for name in OWN if (value := getattr(args, name)) is not None}
    if set(BUDGETS) & set(changes):
        changes = {**dict.fromkeys(BUDGETS), **changes}
    if "timesteps" in changes and "timesteps" in recipe.model_options:
        changes["model_options"] = {**recipe.model_options, "timesteps": changes["timesteps"]}
    if args.model_option:
        before = {**recipe.model_options, **changes.get("model_options", {})}
        changes["model_options"] = _model_options(recipe.model, {**before, **dict(args.model_option)})
    try:
        recipe = replace(recipe, **changes)
        make_schedule(recipe.schedule, recipe.timesteps, **recipe.schedule_options)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return recipe


_KINDS = {bool: "yes or no", int: "a whole number", float: "a number"}


def _model_option(text: str) -> tuple[str, str | int | float | bool]:
    """A type for argparse: NAME=VALUE, the value a number, yes or no, or a word."""
    name, sign, word = text.partition("=")
    if not (name and sign and word):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, not {text!r}")
    if word in ("yes", "no"):
        return name, word == "yes"
    for kind in (int, float):
        with suppress(ValueError):
            return name, kind(word)
    return name, word


def _model_options(model: str, options: dict[str, Any]) -> dict[str, Any]:
    """These options, if the network takes them."""
    from difftui import models

    known = models.defaults(model)
    for name, value in options.items():
        if name not in known:
            raise UsageError(f"{model} has no option {name!r}; it has {', '.join(known)}.")
        kind = type(known[name])
        if kind in _KINDS and type(value) is not kind and not (kind is float and type(value) is int):
            raise UsageError(f"--model-option {name} is {_KINDS[kind]}, not {value!r}.")
    return options


def _own_recipe(args: argparse.Namespace, kept: Run) -> Recipe:
    """The recipe of the run to resume, which no option may contradict."""
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


def _resume_line(args: argparse.Namespace, kept: Run, processes: int) -> str:
    options = _options(("--device", args.device), ("--data", args.data))
    if processes == 1:
        return f"Go on with: {_command(args, 'train', '--run', handle(kept), '--resume', *options)}"
    command = _command(args, "train", "--name", handle(kept), "--resume", *options)
    return f"Go on with: torchrun --nproc-per-node={processes} -m {command}"


def _command(args: argparse.Namespace, *words: str) -> str:
    """A command that the user can copy."""
    return shlex.join(["difftui", *words, *_options(("--home", args.home))])


def _options(*given: tuple[str, str | None]) -> list[str]:
    """Options as words; what is not given, or goes without saying, is left out."""
    return [word for option, value in given if value not in (None, "auto") for word in (option, str(value))]
