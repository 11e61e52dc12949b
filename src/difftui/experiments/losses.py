"""Page: losses of different schedules do not compare; the error at equal noise does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.data.digits import SIZE
from difftui.diffusion import NoiseSchedule, add_noise, make_schedule
from difftui.errors import DifftuiError
from difftui.experiments.figures import signif
from difftui.experiments.materials import load_network, network_names, never_seen
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Setup, Table
from difftui.experiments.printed_losses import epoch_curves, tables

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["LEVELS", "errors_by_level", "loss_under", "losses", "timestep_at"]

# What the labs print at the end, where they print it.
PRINTED = {"lab": "0.030", "lecture": "0.18", "toy": "0.05"}
NETWORKS = ("lab", "quick", "conditional", "lecture", "toy")
COLOURS = ("accent", "noise", "foreground", "purple", "green")
LEVELS = tuple(float(level) for level in range(-30, 31, 5))
"""SNR in decibels at which errors are measured."""
SEEN = 48  # digits at each level
ABSENT = "not shipped"
OTHERS = (("linear", 1000), ("cosine", 1000))
HEADER = ("network", "trained on", "lab says", "its loss", "on linear", "on cosine")


def losses(
    setup: Setup, device: str, *, names: tuple[str, ...] = NETWORKS, seen: int = SEEN
) -> Iterator[Findings]:
    """Measure every network's error of ε at thirteen levels of noise, and average as each schedule would."""
    known = network_names(names)
    if not known:
        raise DifftuiError("No network ships here to measure. Install difftui again.")
    nets: dict[str, _Net] = {}
    for name in known:
        loaded = load_network((name,), name, device)
        nets[name] = net = _Net(loaded.schedule, int(loaded.model.image_shape[-1]))  # type: ignore[index]
        for error in errors_by_level(loaded, device, seen, setup.seed):
            net.errors.append(error)
            yield _findings(known, nets)


@dataclass(slots=True)
class _Net:
    """A network, and its errors of ε at the first of the :data:`LEVELS`.

    Attributes:
        schedule: which it was trained on.
        size: pixels across its pictures.
        errors: so far.
    """

    schedule: NoiseSchedule
    size: int
    errors: list[float] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return len(self.errors) == len(LEVELS)

    def called(self, name: str) -> str:
        """Its name, with its size where that is not the digits' own."""
        return name if self.size == SIZE else f"{name}, {self.size}×{self.size}"


def errors_by_level(loaded: LoadedModel, device: str, seen: int, seed: int) -> Iterator[float]:
    """The mean squared error of ε at each of the :data:`LEVELS`, on digits that no training saw.

    Each is measured at the timestep of the network's own schedule that comes nearest to the level.
    """
    import torch

    from difftui.diffusion import network_denoiser
    from difftui.training.seen import as_seen

    recipe, schedule = loaded.recipe, loaded.schedule
    pictures = never_seen(loaded)
    x0 = as_seen(pictures.images[:seen], device)
    labels = None
    if getattr(loaded.model, "num_classes", None) is not None and pictures.labels is not None:
        labels = [int(label) for label in pictures.labels[:seen]]
    denoise = network_denoiser(loaded.model, schedule, target=recipe.target, labels=labels)
    for level in LEVELS:
        t = timestep_at(schedule, level)
        eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(seed)).to(device)
        with torch.inference_mode():
            said = denoise(add_noise(x0, eps, schedule.alpha_bar(t)), t)
        yield float((said.eps - eps).square().mean())


def timestep_at(schedule: NoiseSchedule, level: float) -> int:
    """The timestep whose SNR is nearest to so many decibels."""
    return int(np.abs(10.0 * np.log10(schedule.snr) - level).argmin())


def loss_under(schedule: NoiseSchedule, errors: list[float] | NDArray[np.float64]) -> float:
    """The loss of a network of these errors by SNR, were every timestep of this schedule drawn alike.

    Between the :data:`LEVELS` the error's logarithm is taken to run straight; beyond them it stays.
    """
    decibels = 10.0 * np.log10(schedule.snr)
    return float(np.exp(np.interp(decibels, LEVELS, np.log(errors))).mean())


def _findings(known: tuple[str, ...], nets: dict[str, _Net]) -> Findings:
    rows = [_row(name, nets.get(name)) for name in known]
    rows += [(name, ABSENT, PRINTED[name], "", "", "") for name in PRINTED if name not in known]
    curves = tuple(
        Curve(net.called(name), LEVELS[: len(net.errors)], tuple(net.errors), colour)
        for (name, net), colour in zip(nets.items(), COLOURS, strict=False)
    )
    done = sum(len(net.errors) for net in nets.values()) / (len(known) * len(LEVELS))
    title = "error of ε by SNR in dB, clean right"
    by_snr = Curves(title, curves, (-30.0, 30.0), (1e-3, 1.5), True, x_name="SNR/dB")
    trained = epoch_curves()
    blocks = (by_snr,) if trained is None else (by_snr, trained)
    told = tables()
    return Findings(
        done,
        blocks,
        Table(HEADER, tuple(rows)),
        _seen(nets) if len(nets) == len(known) and all(net.done for net in nets.values()) else "",
        more=(*told[:1], ("MSE of ε by SNR", _by_level(known, nets)), *told[1:]),
    )


def _row(name: str, net: _Net | None) -> tuple[str, ...]:
    said = PRINTED.get(name, "")
    if net is None:
        return name, PENDING, said, PENDING, PENDING, PENDING
    schedules = (net.schedule, *(make_schedule(*other) for other in OTHERS))
    found = [signif(loss_under(schedule, net.errors)) if net.done else PENDING for schedule in schedules]
    return net.called(name), f"{net.schedule.kind} {net.schedule.T}", said, *found


def _seen(nets: dict[str, _Net]) -> str:
    first, net = next(iter(nets.items()))
    under = [loss_under(make_schedule(*other), net.errors) for other in OTHERS]
    at = LEVELS.index(0.0)
    alike = ", ".join(f"{name} {signif(n.errors[at], 2)}" for name, n in nets.items() if n.size == net.size)
    return (
        f"{first} alone has losses of {signif(min(under))} to {signif(max(under))}: the schedule decides. At "
        f"equal noise, 0 dB: {alike}."
    )


def _by_level(known: tuple[str, ...], nets: dict[str, _Net]) -> Table:
    rows = []
    for place, level in enumerate(LEVELS):
        found = (nets[name].errors if name in nets else [] for name in known)
        rows.append((f"{level:+.0f} dB", *(signif(e[place]) if place < len(e) else PENDING for e in found)))
    return Table(("SNR", *known), tuple(rows))
