"""A recipe as a form: texts by field, each with a sentence, read back into a Recipe or into what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

from difftui.data import prepare
from difftui.diffusion import SCHEDULES, make_schedule
from difftui.errors import DifftuiError
from difftui.runs import check_name, unused_name
from difftui.training.recipe import PRESETS, Recipe, Target

__all__ = ["FIELDS", "Field", "Plan", "hint_of", "length_text", "plan_from", "texts_of"]

Devices = Literal["this", "all"]
HANG_UP = {"stop and save": False, "go on": True}
DEVICES: Mapping[str, Devices] = MappingProxyType({"this one": "this", "all GPUs": "all"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train, and how to start it.

    Attributes:
        recipe: what.
        devices: on the device that the app has, or on every GPU of this machine.
        keep: whether it goes on when the connection drops: then it trains in a process of its own.
    """

    recipe: Recipe
    devices: Devices = "this"
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the form.

    Attributes:
        name: its key among the texts.
        label: what the form calls it.
        hint: what it does, in one short sentence.
        choices: the values there are; none where anything may be typed.
    """

    name: str
    label: str
    hint: str
    choices: tuple[str, ...] = ()


NETWORKS = ("lab-unet", "patch-unet", "attention-unet", "residual-unet", "toy-unet", "autoencoder")
"""Names of the networks; they themselves are torch's, which this page does not wait for."""

SIZED: Mapping[str, int] = MappingProxyType(
    {"attention-unet": 28, "residual-unet": 28, "toy-unet": 16, "autoencoder": 28}
)
"""Networks that are made for pictures of any size, and for which if they are not told; others draw 28x28."""

DIGITS = 28  # pixels across
TIMED = "residual-unet"  # the network with a switch that tells it the time

FIELDS: tuple[Field, ...] = (
    Field("name", "name", "Runs are called after it, with a number."),
    Field("model", "network", "Only patch- and attention-unet know digits.", NETWORKS),
    Field("time", "t switch", "Only of residual-unet: on, it is told t.", ("off", "on")),
    Field("schedule", "schedule", "How fast noise takes over on the way to T.", tuple(SCHEDULES)),
    Field("timesteps", "T", "Steps from clean to noise, at no more cost."),
    Field("target", "target", "Noise ε, image x0, v, or x a step cleaner.", get_args(Target)),
    Field("weighting", "weighting", "min-snr: nearly clean steps count for less.", ("none", "min-snr")),
    Field("batch_size", "batch", "Images a step: more is steadier, and slower."),
    Field("learning_rate", "learn rate", "Adam's step size: too large and it diverges."),
    Field("decay", "decay", "cosine: ever smaller steps, finer weights.", ("none", "cosine")),
    Field("ema_decay", "average", "0.999 averages weights for samples; or none."),
    Field("seed", "seed", "The same seed trains the same network again."),
    Field("data", "data", "mnist: 60 000; bundled: 10 000; or a folder."),
    Field("classes", "classes", "all, or the first few: 2 is 0 and 1."),
    Field("image_size", "size", "Pixels across: the toy has 16, digits 28."),
    Field("length", "length", "20 epochs, 5000 steps or 2 min."),
    Field("devices", "device", "All GPUs share each batch, a process each.", tuple(DEVICES)),
    Field("keep", "on hang-up", "go on: a process of its own keeps training.", tuple(HANG_UP)),
)

_UNITS = {"epoch": "epochs", "step": "steps", "min": "minutes", "minute": "minutes"}


def texts_of(plan: Plan) -> dict[str, str]:
    """The form's texts for a plan."""
    recipe = plan.recipe
    texts = {field.name: str(getattr(recipe, field.name, "")) for field in FIELDS}
    texts["learning_rate"] = f"{recipe.learning_rate:g}"
    texts["time"] = "on" if recipe.model_options.get("time") else "off"
    texts["classes"] = "all" if recipe.classes is None else str(recipe.classes)
    texts["image_size"] = str(recipe.image_size or DIGITS)
    texts["ema_decay"] = "none" if recipe.ema_decay is None else f"{recipe.ema_decay:g}"
    texts["length"] = length_text(recipe)
    texts["devices"] = next(word for word, devices in DEVICES.items() if devices == plan.devices)
    texts["keep"] = next(word for word, keep in HANG_UP.items() if keep == plan.keep)
    return texts


def hint_of(field: Field, plan: Plan | None) -> str:
    """What a field does; of the name, what the run will really be called."""
    if field.name == "name" and plan is not None:
        return f"This run is called {unused_name(plan.recipe.name)}."
    return field.hint


def length_text(recipe: Recipe) -> str:
    """How long a recipe trains, as the form writes and reads it."""
    if recipe.minutes is not None:
        return f"{recipe.minutes:g} min"
    if recipe.epochs is not None:
        return f"{recipe.epochs} epoch{'s' if recipe.epochs != 1 else ''}"
    return f"{recipe.steps} steps"


def plan_from(texts: Mapping[str, str], base: Recipe) -> tuple[Plan | None, dict[str, str]]:
    """Read the form.

    Args:
        texts: of every field.
        base: a valid recipe; what the form does not ask for stays as it is there, as far as it goes with the
            rest.

    Returns:
        The plan, or None; and what is wrong, by field, in the words of whoever refused it.
    """
    errors: dict[str, str] = {}
    changes: dict[str, Any] = {}
    for field in FIELDS[:-2]:
        try:
            part = _read(field.name, texts[field.name].strip())
            replace(base, **_fitting(base, part))  # alone, so that each field has its own say
            changes |= part
        except (ValueError, DifftuiError) as error:
            errors[field.name] = _in_words_of_the_form(field, str(error))
    if errors:
        return None, errors
    try:
        recipe = replace(base, **_fitting(base, changes))
        make_schedule(recipe.schedule, recipe.timesteps, **recipe.schedule_options)
    except ValueError as error:
        return None, {"timesteps": str(error)}
    if wrong := _wrong_size(recipe):
        return None, {"image_size": wrong}
    return Plan(_named(recipe), DEVICES[texts["devices"]], HANG_UP[texts["keep"]]), {}


def _wrong_size(recipe: Recipe) -> str:
    """Why the network cannot have pictures of this size; empty where it can."""
    size = recipe.image_size or DIGITS
    if recipe.model not in SIZED and size != DIGITS:
        return f"{recipe.model} draws 28x28 only"
    return "must be a multiple of 4" if recipe.model != "autoencoder" and size % 4 else ""


def _in_words_of_the_form(field: Field, message: str) -> str:
    """What refused it calls a field by its name in Python, and speaks of options of the command line."""
    return re.sub(rf"^{field.name}\b", field.label, message).replace(" (--data)", "")


def _read(name: str, text: str) -> dict[str, Any]:
    """The recipe's fields that a text stands for. What is no number stays text, for the recipe to refuse."""
    if name in ("timesteps", "batch_size", "seed"):
        return {name: _number(text.replace(" ", ""), int)}
    if name == "time":
        return {name: text == "on"}
    if name == "classes":
        return {name: None if text in ("", "all") else _number(text, int)}
    if name == "image_size":
        return {name: None if text in ("", str(DIGITS)) else _number(text, int)}
    if name == "name":
        check_name(text)
        check_name(f"my-{text}-9999")  # it must stay one with what is put before and behind it
        return {name: text}
    if name == "learning_rate":
        rate = _number(text, float)
        if rate == 0:
            raise ValueError("learning_rate must be more than 0, or nothing is learned")
        return {name: rate}
    if name == "ema_decay":
        decay = None if text in ("", "none") else _number(text, float)
        if decay == 1:
            raise ValueError("ema_decay must be less than 1, or the average never moves")
        return {name: decay}
    if name == "length":
        return _read_length(text)
    if name == "data" and text not in ("mnist", "bundled", ""):
        return {name: prepare(text)}
    return {name: text}


def _number(text: str, kind: type[int] | type[float]) -> int | float | str:
    try:
        return kind(text)
    except ValueError:
        return text


def _read_length(text: str) -> dict[str, Any]:
    parts = re.fullmatch(r"(.+?) *([a-z]+)", text)
    amount, unit = parts.groups() if parts is not None else ("", "")
    field = _UNITS.get(unit.rstrip("s"))
    if field is None:
        raise ValueError(f"length must be like 20 epochs, 5000 steps or 2 min, not {text!r}")
    value = _number(amount.replace(" ", ""), float if field == "minutes" else int)
    return {"epochs": None, "steps": None, "minutes": None, field: value}


def _fitting(base: Recipe, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, and with them what must go along: options of another network, of another schedule."""
    changes = dict(changes)
    told = changes.pop("time", None)
    model = changes.get("model", base.model)
    timesteps = changes.get("timesteps", base.timesteps)
    if model == "lab-unet":  # its time input is t/T
        changes["model_options"] = {"timesteps": timesteps}
    elif model != base.model:
        changes["model_options"] = {}
    options = dict(changes.get("model_options", base.model_options))
    if model == TIMED and told is not None:
        options = {**options, "time": True} if told else _without(options, "time")
    size = changes.get("image_size", base.image_size) or DIGITS
    if model in SIZED and isinstance(size, int):
        usual = size == SIZED[model] and "size" not in base.model_options
        options = _without(options, "size") if usual else {**options, "size": size}
    if options != base.model_options:
        changes["model_options"] = options
    if changes.get("schedule", base.schedule) != base.schedule:
        changes["schedule_options"] = {}
    if isinstance(timesteps, int) and base.sampler_steps is not None and 0 < timesteps < base.sampler_steps:
        changes["sampler_steps"] = timesteps
    return changes


def _without(options: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key != name}


def _named(recipe: Recipe) -> Recipe:
    """A preset that was changed is no longer that preset, and must not be called so."""
    preset = PRESETS.get(recipe.name)
    if preset is None:
        return recipe
    free = {name: getattr(recipe, name) for name in ("epochs", "steps", "minutes", "seed", "data")}
    return recipe if replace(preset, **free) == recipe else replace(recipe, name=f"my-{recipe.name}")
