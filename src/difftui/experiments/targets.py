"""Page: what a network may be trained to say, and that one answer gives all of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from difftui.diffusion import add_noise, training_target
from difftui.experiments.figures import signif, times
from difftui.experiments.materials import clean, drawn, load_network, picture
from difftui.experiments.page import Curve, Curves, Findings, Pictures, Setup, Table

__all__ = ["errors_by_time", "targets"]

NETWORKS = ("lab", "quick", "conditional", "lecture")
NAMES = {"eps": "ε", "x0": "x_0", "x_prev": "x_{t-1}", "v": "v"}
SAID = {
    "eps": "all its code",
    "x0": "its autoencoder",
    "x_prev": "its words, the Readme",
    "v": "",
}
COLOURS = ("accent", "foreground", "purple", "noise")
CURVE_TIMES, SEEN = 16, 12


def targets(setup: Setup, device: str) -> Iterator[Findings]:
    """Ask a network once at one x_t, and read its answer as each of the four targets."""
    import torch

    from difftui.diffusion import network_denoiser

    loaded = load_network(NETWORKS, setup.network, device)
    schedule = loaded.schedule
    t = max(1, round(setup.time * (schedule.T - 1)))
    levels = schedule.alpha_bar(t), schedule.alpha_bar(t - 1)
    x0 = torch.from_numpy(picture(setup).astype(np.float32))[None, None].to(device)
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(setup.seed)).to(device)
    x_t = add_noise(x0, eps, levels[0])
    denoise = network_denoiser(loaded.model, schedule, target=loaded.recipe.target)
    with torch.inference_mode():
        said = denoise(x_t, t)
        answers = {name: training_target(name, said.x0, said.eps, *levels) for name in NAMES}
    # x_t = √ᾱ x̂0 + √(1-ᾱ) ε̂ holds for the answer as for the truth, so both read alike.
    truths = {name: training_target(name, x0, eps, *levels) for name in NAMES}
    errors = {name: float((answers[name] - truths[name]).square().mean()) for name in NAMES}
    said_row, true_row = (
        np.concatenate([drawn(x) for x in (x_t, *pictures.values())]) for pictures in (answers, truths)
    )
    captions = ("x_t", *NAMES.values())
    rows = tuple(
        (
            NAMES[name],
            " · ".join(filter(None, (SAID[name], loaded.name if name == loaded.recipe.target else ""))),
            signif(errors[name]),
            times(errors[name] / errors["eps"]),
        )
        for name in NAMES
    )
    table = Table((f"t = {t}, one look of {loaded.name}", "the lab says", "measured now", "over ε's"), rows)
    worst = max(errors.values()) / min(errors.values())
    for points in errors_by_time(loaded.name, device):
        yield Findings(
            len(points) / CURVE_TIMES,
            (
                Pictures(f"what {loaded.name} says of x_t at t = {t}", said_row, captions, len(captions)),
                Pictures("the truth", true_row, captions, len(captions)),
                _curves(points, t, schedule.T),
            ),
            table,
            f"One look, one answer; read as four targets its error differs {signif(worst, 2)}-fold. Each "
            "weighs the timesteps its own way: no two such losses compare.",
            time=(t, schedule.T - 1),
        )


Points = tuple[tuple[float, ...], ...]


def errors_by_time(name: str, device: str) -> Iterator[Points]:
    """The mean squared error of each target at more and more times: rows (t, ε, x_0, x_{t-1}, v)."""
    if (known := _known.get((name, device))) is not None:
        yield known
        return
    points: list[tuple[float, ...]] = []
    T = load_network((name,), name, device).schedule.T
    for t in np.linspace(1, T - 1, CURVE_TIMES).round().astype(int):
        points.append((float(t), *_errors_at(name, device, int(t))))
        yield tuple(points)
    _known[name, device] = tuple(points)


_known: dict[tuple[str, str], Points] = {}
"""Curves that were measured already: they do not depend on what the student chooses."""


def _errors_at(name: str, device: str, t: int) -> list[float]:
    import torch

    from difftui.data import held_out
    from difftui.diffusion import network_denoiser

    loaded = load_network((name,), name, device)
    schedule = loaded.schedule
    levels = schedule.alpha_bar(t), schedule.alpha_bar(t - 1)
    x0 = torch.from_numpy(clean(held_out().images[:SEEN]).astype(np.float32))[:, None].to(device)
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(t)).to(device)
    denoise = network_denoiser(loaded.model, schedule, target=loaded.recipe.target)
    with torch.inference_mode():
        said = denoise(add_noise(x0, eps, levels[0]), t)
        wrong = {
            name: training_target(name, said.x0, said.eps, *levels) - training_target(name, x0, eps, *levels)
            for name in NAMES
        }
    return [float(error.square().mean()) for error in wrong.values()]


def _curves(points: Points, t: int, T: int) -> Curves:
    columns = np.array(points).T
    return Curves(
        "MSE of each target by t",
        tuple(
            Curve(NAMES[name], columns[0], values, colour)
            for name, values, colour in zip(NAMES, columns[1:], COLOURS, strict=True)
        ),
        (0.0, float(T - 1)),
        log_y=True,
        marks=((float(t), ""),),
        x_ticks=((0.0, "0 clean"), (float(T - 1), f"noise {T - 1}")),
        x_name="t",
    )
