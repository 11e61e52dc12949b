"""Page: losses of different schedules do not compare; the error at equal noise does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import NoiseSchedule, add_noise, make_schedule
from difftui.errors import DifftuiError
from difftui.experiments.figures import signif
from difftui.experiments.materials import load_network, network_names
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Setup, Table

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["LEVELS", "errors_by_level", "loss_under", "losses"]

# What the labs print at the end, where they print it.
PRINTED = {"lab": "0.030", "lecture": "0.18", "toy": "0.05"}
NETWORKS = ("lab", "quick", "conditional", "lecture", "toy")
COLOURS = ("accent", "noise", "foreground", "purple", "green")
LEVELS = tuple(float(level) for level in range(-30, 31, 5))
"""SNR in decibels at which errors are measured."""
SEEN = 48  # digits at each level
ABSENT = "not shipped"
OTHERS = (("linear", 1000), ("cosine", 1000), ("clipped-cosine", 1000))
HEADER = ("network", "trained on", "lab says", "its loss", "on linear", "on cosine", "on clipped")


def losses(
    setup: Setup, device: str, *, names: tuple[str, ...] = NETWORKS, seen: int = SEEN
) -> Iterator[Findings]:
    """Measure every network's error of ε at thirteen levels of noise, and average as each schedule would."""
    known = network_names(names)
    if not known:
        raise DifftuiError("No network ships here to measure. Install difftui again.")
    errors: dict[str, list[float]] = {}
    schedules: dict[str, NoiseSchedule] = {}
    for name in known:
        loaded = load_network((name,), name, device)
        schedules[name] = loaded.schedule
        errors[name] = []
        for error in errors_by_level(loaded, device, seen, setup.seed):
            errors[name].append(error)
            yield _findings(known, errors, schedules)


def errors_by_level(loaded: LoadedModel, device: str, seen: int, seed: int) -> Iterator[float]:
    """The mean squared error of ε at each of the :data:`LEVELS`, on digits that no training saw.

    Each is measured at the timestep of the network's own schedule that comes nearest to the level.
    """
    import torch

    from difftui.data import held_out_pictures
    from difftui.diffusion import network_denoiser

    recipe, schedule = loaded.recipe, loaded.schedule
    held = held_out_pictures(recipe.data)
    if held is None:
        raise DifftuiError(f"{loaded.name} was trained on data of which none are held out.")
    pictures = held.prepared(recipe.image_size, recipe.classes)
    x0 = (torch.from_numpy(pictures.images[:seen].copy()).float() / 127.5 - 1.0).to(device)
    labels = None
    if getattr(loaded.model, "num_classes", None) is not None and pictures.labels is not None:
        labels = [int(label) for label in pictures.labels[:seen]]
    denoise = network_denoiser(loaded.model, schedule, target=recipe.target, labels=labels)
    decibels = 10.0 * np.log10(schedule.snr)
    for level in LEVELS:
        t = int(np.abs(decibels - level).argmin())
        eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(seed)).to(device)
        with torch.inference_mode():
            said = denoise(add_noise(x0, eps, schedule.alpha_bar(t)), t)
        yield float((said.eps - eps).square().mean())


def loss_under(schedule: NoiseSchedule, errors: list[float] | NDArray[np.float64]) -> float:
    """The loss of a network of these errors by SNR, were every timestep of this schedule drawn alike.

    Between the :data:`LEVELS` the error's logarithm is taken to run straight; beyond them it stays.
    """
    decibels = 10.0 * np.log10(schedule.snr)
    return float(np.exp(np.interp(decibels, LEVELS, np.log(errors))).mean())


def _findings(
    known: tuple[str, ...], errors: dict[str, list[float]], schedules: dict[str, NoiseSchedule]
) -> Findings:
    measured = {name: found for name, found in errors.items() if len(found) == len(LEVELS)}
    others = [make_schedule(*other) for other in OTHERS]
    rows = []
    for name in known:
        found = measured.get(name)
        own = "" if name not in schedules else f"{schedules[name].kind} {schedules[name].T}"
        cells = (
            [PENDING] * 4
            if found is None
            else [signif(loss_under(schedule, found)) for schedule in (schedules[name], *others)]
        )
        rows.append((name, own, PRINTED.get(name, ""), *cells))
    rows += [(name, ABSENT, PRINTED[name], "", "", "", "") for name in PRINTED if name not in known]
    curves = tuple(
        Curve(name, LEVELS[: len(found)], tuple(found), colour)
        for (name, found), colour in zip(errors.items(), COLOURS, strict=False)
    )
    done = sum(map(len, errors.values())) / (len(known) * len(LEVELS))
    return Findings(
        done,
        (
            Curves(
                "error of ε by SNR in dB: noise left, clean right", curves, (-30.0, 30.0), (1e-3, 1.5), True
            ),
        ),
        Table(
            ("network", "trained on", "lab says", "its loss", "on linear", "on cosine", "on clipped"),
            tuple(rows),
        ),
        _seen(known, measured, others) if len(measured) == len(known) else "",
        more=(("MSE of ε by SNR", _by_level(known, errors)),),
    )


def _seen(known: tuple[str, ...], measured: dict[str, list[float]], others: list[NoiseSchedule]) -> str:
    first = known[0]
    under = [loss_under(schedule, measured[first]) for schedule in others]
    at = LEVELS.index(0.0)
    level = ", ".join(f"{name} {signif(measured[name][at], 2)}" for name in known)
    return (
        f"{first} alone has losses of {signif(min(under))} to {signif(max(under))}: the schedule decides. At "
        f"equal noise nets compare; at 0 dB: {level}."
    )


def _by_level(known: tuple[str, ...], errors: dict[str, list[float]]) -> Table:
    rows = []
    for place, level in enumerate(LEVELS):
        found = (errors.get(name, []) for name in known)
        rows.append((f"{level:+.0f} dB", *(signif(e[place]) if place < len(e) else PENDING for e in found)))
    return Table(("SNR", *known), tuple(rows))
