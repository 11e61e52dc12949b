"""What a training is, before it runs: one frozen record with a JSON form. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

__all__ = ["PRESETS", "Recipe", "preset"]

Target = Literal["eps", "x0", "v", "x_prev"]
Weighting = Literal["none", "min-snr"]
TimeSampling = Literal["uniform", "stratified", "logit-normal"]
Decay = Literal["none", "cosine"]
Precision = Literal["auto", "fp32", "bf16"]
Sampler = Literal["ddpm", "ddim", "dpm-solver++", "heun", "looped-x0"]
Option = str | int | float | bool

FORMAT = 1
OTHER_STEPS = 50  # for a sampler that a recipe gives no number for


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training's outcome, apart from the machine.

    Exactly one of ``epochs``, ``steps`` and ``minutes`` is set: how long to train.

    Attributes:
        name: what it is called in lists ("lab", "quick").
        model, model_options: arguments of :func:`difftui.models.build`.
        data: "mnist", "bundled", one of torchvision's sets (:data:`difftui.data.COLLECTIONS`), a folder that
            holds MNIST, or any folder of images.
        image_size: pixels across to which the pictures are brought; None leaves them as they are.
        classes: train on the first so many classes only; None takes all.
        schedule, timesteps, schedule_options: arguments of :func:`difftui.diffusion.make_schedule`.
        target: what the network predicts: the noise ε, the clean image x_0, v = √ᾱ ε - √(1-ᾱ) x_0
            (Salimans & Ho 2022, eq. 12), or "x_prev", the image one step cleaner (its mean; Ho et al. 2020,
            eq. 7).
        weighting: weight of each timestep's squared error: 1, or min-SNR-γ with γ = 5 (Hang et al. 2023).
        time_sampling: how t is drawn. "uniform": independently; "stratified": one draw in each of B equal
            slices, the same marginal with less variance (Kingma et al. 2021, app. I.1); "logit-normal":
            t/T = sigmoid(m + s z), z standard normal and stratified, which spends more steps on middling
            noise, where digits take shape (Esser et al. 2024, section 3.1).
        time_mean, time_spread: m and s of "logit-normal".
        batch_size: images a step.
        learning_rate: Adam's step size at its peak.
        adam_betas, weight_decay: AdamW's moments' decay and decoupled weight decay.
        warmup_steps: steps in which the learning rate rises linearly from 0.
        decay: what the learning rate does after that until the end of the budget.
        ema_decay: the weights that sample are an exponential moving average with decay
            min(ema_decay, (1+n)/(10+n)) after n steps; None samples from the raw weights.
        label_drop: share of labels hidden in training, so that the network also learns to go without.
        seed: of weights, order, t and ε.
        sampler, sampler_steps, temperature, guidance: how its pictures are best drawn, as arguments of
            :func:`difftui.diffusion.sample`; training itself does not use them. None is every timestep.
            Guidance applies where a digit is asked for.
        precision: "bf16" runs the network's layers in bfloat16 (weights, optimiser and loss stay float32);
            "auto" takes it where the hardware computes in it natively.
    """

    name: str
    model: str
    model_options: Mapping[str, Option] = field(default_factory=dict)
    data: str = "mnist"
    image_size: int | None = None
    classes: int | None = None
    schedule: str = "linear"
    timesteps: int = 1000
    schedule_options: Mapping[str, float] = field(default_factory=dict)
    target: Target = "eps"
    weighting: Weighting = "none"
    time_sampling: TimeSampling = "uniform"
    time_mean: float = 0.0
    time_spread: float = 1.0
    batch_size: int = 64
    learning_rate: float = 2e-4
    adam_betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    warmup_steps: int = 0
    decay: Decay = "none"
    ema_decay: float | None = None
    label_drop: float = 0.0
    seed: int = 0
    precision: Precision = "auto"
    sampler: Sampler = "ddpm"
    sampler_steps: int | None = None
    temperature: float = 1.0
    guidance: float = 0.0
    epochs: int | None = None
    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        _check(self)
        object.__setattr__(self, "model_options", MappingProxyType(dict(self.model_options)))
        object.__setattr__(self, "schedule_options", MappingProxyType(dict(self.schedule_options)))
        object.__setattr__(self, "adam_betas", tuple(self.adam_betas))

    def to_json(self) -> str:
        """The record as JSON text that :meth:`from_json` reads back to an equal record."""
        return json.dumps({"format": FORMAT, **self._as_dict()}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read what :meth:`to_json` wrote.

        Raises:
            ValueError: not JSON; a field is missing, unknown or of the wrong type; a value is out of range.
        """
        try:
            raw = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"not a recipe: {error}") from None
        if not isinstance(raw, dict):
            raise ValueError("not a recipe: expected a JSON object")
        if raw.pop("format", FORMAT) != FORMAT:
            raise ValueError("this recipe was written by another version of difftui")
        unknown = sorted(set(raw) - {f.name for f in fields(cls)})
        if unknown:
            raise ValueError(f"not a recipe: unknown field {unknown[0]!r}")
        if "adam_betas" in raw and isinstance(raw["adam_betas"], list):
            raw["adam_betas"] = tuple(raw["adam_betas"])
        try:
            return cls(**raw)
        except TypeError as error:
            raise ValueError(f"not a recipe: {error}") from None

    def with_budget(
        self, *, epochs: int | None = None, steps: int | None = None, minutes: float | None = None
    ) -> Recipe:
        """The same recipe for another length; exactly one argument is given."""
        return replace(self, epochs=epochs, steps=steps, minutes=minutes)

    def total_steps(self, images: int) -> int | None:
        """Optimiser steps on a data set of ``images`` images; None when the budget is a time."""
        if self.steps is not None:
            return self.steps
        if self.epochs is not None:
            return self.epochs * self.steps_per_epoch(images)
        return None

    def drawing(
        self, sampler: str | None = None, steps: int | None = None, temperature: float | None = None
    ) -> tuple[str, int, float]:
        """Sampler, its steps and the temperature to draw with: what is given, else what this recipe advises.

        For another sampler than its own the recipe has no number of steps; it is 50 then.
        """
        sampler = sampler or self.sampler
        advised = (self.sampler_steps or self.timesteps) if sampler == self.sampler else OTHER_STEPS
        chosen = min(steps or advised, self.timesteps)
        return sampler, chosen, self.temperature if temperature is None else temperature

    def steps_per_epoch(self, images: int) -> int:
        """Batches that show every image once (the last one may be smaller)."""
        return -(-images // self.batch_size)

    def _as_dict(self) -> dict[str, Any]:
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in ("model_options", "schedule_options"):
            plain[name] = dict(plain[name])
        plain["adam_betas"] = list(self.adam_betas)
        return plain


def _check(recipe: Recipe) -> None:
    """Raise ValueError with the field's name and what it allows."""
    for name, allowed in (
        ("target", get_args(Target)),
        ("weighting", get_args(Weighting)),
        ("time_sampling", get_args(TimeSampling)),
        ("decay", get_args(Decay)),
        ("precision", get_args(Precision)),
        ("sampler", get_args(Sampler)),
    ):
        if getattr(recipe, name) not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {getattr(recipe, name)!r}")
    for name in ("name", "model", "data", "schedule"):
        if not isinstance(getattr(recipe, name), str) or not getattr(recipe, name):
            raise ValueError(f"{name} must be a name, not {getattr(recipe, name)!r}")
    for name, low, high in (
        ("timesteps", 1, 10_000),
        ("batch_size", 1, 65_536),
        ("warmup_steps", 0, 10**9),
        ("seed", 0, 2**63 - 1),
    ):
        _check_number(recipe, name, low, high, whole=True)
    for name, low_f, high_f in (
        ("learning_rate", 0.0, 10.0),
        ("weight_decay", 0.0, 10.0),
        ("label_drop", 0.0, 1.0),
        ("temperature", 0.0, 2.0),
        ("guidance", -1.0, 20.0),
        ("time_mean", -10.0, 10.0),
        ("time_spread", 0.01, 10.0),
    ):
        _check_number(recipe, name, low_f, high_f)
    if recipe.sampler_steps is not None:
        _check_number(recipe, "sampler_steps", 1, recipe.timesteps, whole=True)
    for name, low, high in (("image_size", 4, 256), ("classes", 1, 1000)):
        if getattr(recipe, name) is not None:
            _check_number(recipe, name, low, high, whole=True)
    if recipe.ema_decay is not None:
        _check_number(recipe, "ema_decay", 0.0, 1.0)
    if len(tuple(recipe.adam_betas)) != 2 or not all(0 <= b < 1 for b in recipe.adam_betas):
        raise ValueError(f"adam_betas must be two numbers in [0, 1), not {recipe.adam_betas!r}")
    _check_budget(recipe)


def _check_number(recipe: Recipe, name: str, low: float, high: float, *, whole: bool = False) -> None:
    value: object = getattr(recipe, name)
    right_kind = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not right_kind or not low <= value <= high:  # type: ignore[operator]
        span = f"a whole number from {low} to {high}" if whole else f"a number from {low:g} to {high:g}"
        raise ValueError(f"{name} must be {span}, not {value!r}")


def _check_budget(recipe: Recipe) -> None:
    given = [name for name in ("epochs", "steps", "minutes") if getattr(recipe, name) is not None]
    if len(given) != 1:
        raise ValueError(
            f"give exactly one of epochs, steps and minutes (given: {', '.join(given) or 'none'})"
        )
    if given[0] == "minutes":
        _check_number(recipe, "minutes", 1e-3, 1e9)
    else:
        _check_number(recipe, given[0], 1, 10**9, whole=True)


PRESETS: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe(
                name="quick",
                model="patch-unet",
                schedule="cosine",
                timesteps=1000,
                target="v",
                time_sampling="logit-normal",
                time_mean=0.4,
                time_spread=1.3,
                batch_size=32,
                learning_rate=2e-3,
                adam_betas=(0.9, 0.99),
                warmup_steps=50,
                decay="cosine",
                ema_decay=0.998,
                label_drop=0.05,
                sampler_steps=25,
                temperature=0.85,
                minutes=1.0,
            ),
            Recipe(
                name="lab",
                model="lab-unet",
                model_options={"timesteps": 1000},
                schedule="linear",
                timesteps=1000,
                batch_size=64,
                learning_rate=2e-4,
                epochs=50,
            ),
            Recipe(
                name="conditional",
                model="attention-unet",
                schedule="cosine",
                timesteps=1000,
                target="v",
                time_sampling="logit-normal",
                time_mean=0.4,
                time_spread=1.3,
                batch_size=64,
                learning_rate=2e-3,
                adam_betas=(0.9, 0.99),
                warmup_steps=200,
                decay="cosine",
                ema_decay=0.9985,
                label_drop=0.1,
                sampler="dpm-solver++",
                sampler_steps=15,
                guidance=0.3,
                epochs=30,
            ),
            Recipe(
                name="toy",
                model="toy-unet",
                model_options={"size": 16},
                image_size=16,
                schedule="scaled-linear",  # the sheet names no betas; plain ones leave 36 % at T = 200
                timesteps=200,
                batch_size=128,
                learning_rate=1e-3,
                epochs=8,
            ),
            Recipe(
                name="lecture",
                model="residual-unet",
                schedule="clipped-cosine",
                timesteps=1000,
                batch_size=128,
                learning_rate=1e-3,
                epochs=23,
            ),
            Recipe(
                name="denoiser",
                model="autoencoder",
                model_options={"noise": 0.5},
                schedule="linear",
                timesteps=1,
                schedule_options={"beta_start": 0.5, "beta_end": 0.5},
                target="x0",
                batch_size=128,
                learning_rate=1e-3,
                sampler="looped-x0",
                epochs=10,
            ),
        )
    }
)


def preset(name: str) -> Recipe:
    """A recipe by its name.

    Raises:
        ValueError: unknown name; the message lists the known ones.
    """
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; known: {', '.join(PRESETS)}")
    return PRESETS[name]
