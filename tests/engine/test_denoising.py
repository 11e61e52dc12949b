"""The network on the bench: its figures against ones computed here, in float64, by the formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import eventually
from numpy.typing import NDArray

from difftui.data import held_out
from difftui.data.pictures import resized
from difftui.engine import Engine, Job, JobState
from difftui.engine.denoising import (
    REPEATS,
    DenoisingView,
    Wish,
    Wishes,
    psnr,
    start_denoising,
)
from difftui.engine.measuring import start_measuring
from difftui.runs.checkpoint import save_tensors
from difftui.training import load_model, preset

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine("cpu")
    engine.start()
    yield engine
    assert engine.shutdown(60)


class Bench:
    """A network on the engine's bench, asked for one wish after another."""

    def __init__(self, engine: Engine, source: str | Path, wish: Wish) -> None:
        self.wishes = Wishes(wish)
        work = start_denoising(source, self.wishes)
        self.job: Job[DenoisingView] = engine.submit("denoising", work, paused=True)

    def view(self, wish: Wish) -> DenoisingView:
        self.wishes.newest = wish
        before = self.job.version
        self.job.step()
        eventually(lambda: self.job.version > before or self.job.state.final)
        assert self.job.snapshot is not None, self.job.error
        return self.job.snapshot


def digit(label: int, example: int, size: int = 28) -> Floats:
    """A held-out digit, (1, 1, size, size) in [-1, 1]."""
    digits = held_out()
    image = digits.images[np.flatnonzero(digits.labels == label)[example]]
    return resized(image, size)[None, None].astype(np.float64) / 127.5 - 1


def noise(seed: int, size: int = 28) -> Floats:
    drawn = torch.randn((1, 1, size, size), generator=torch.Generator().manual_seed(seed))
    return drawn.double().numpy()


def test_the_toys_looks_are_the_formula_in_float64(engine: Engine) -> None:
    """x̂0 = (x_t - √(1-ᾱ) ε̂) / √ᾱ, ᾱ from β = 5e-4 … 0.1 over 200 steps."""
    wish = Wish(label=4, example=3, seed=9)
    view = Bench(engine, "toy", wish).view(wish)
    alpha_bars = np.cumprod(1 - np.linspace(5e-4, 0.1, 200, dtype=np.float64))
    x0, eps = digit(4, 3, 16), noise(9, 16)
    net: Any = load_model("toy").model
    assert view.wish.rungs == (25, 50, 100, 150)
    assert np.abs(view.looks.clean - x0[0, 0]).max() < 1e-6
    for i, t in enumerate(view.wish.rungs):
        a = alpha_bars[t]
        x_t = a**0.5 * x0 + (1 - a) ** 0.5 * eps
        said = net(torch.from_numpy(x_t).float(), torch.tensor([t])).double().numpy()
        cleaned = np.clip((x_t - (1 - a) ** 0.5 * said) / a**0.5, -1, 1)
        error = float((((cleaned - x0) / 2) ** 2).mean())
        assert np.abs(view.looks.shown[i] - x_t).max() < 1e-4
        assert np.abs(view.looks.cleaned[i] - cleaned).max() < 1e-3
        assert view.looks.error[i] == pytest.approx(error, rel=1e-3)
        was = float((((np.clip(x_t / a**0.5, -1, 1) - x0) / 2) ** 2).mean())
        assert view.looks.untouched[i] == pytest.approx(was, rel=1e-4)
    assert view.looks.error[0] < view.looks.untouched[0] / 5  # it cleans
    assert psnr(0.01) == pytest.approx(20.0)
    assert psnr(0.0) == float("inf")


def test_the_one_shot_denoiser_again_and_again(engine: Engine) -> None:
    """The autoencoder in its own pixels, y = clean + noise n in [0, 1], fed its own answers."""
    wish = Wish(label=2, example=0, seed=3, rungs=(2, 5, 10, 20), chosen=2, again=True)
    view = Bench(engine, "denoiser", wish).view(wish)
    repeats, net = view.repeats, load_model("denoiser").model
    assert repeats is not None
    layers: list[Any] = [net.encode_1, net.encode_2, net.decode_1, net.decode_2]
    clean, n = (digit(2, 0).reshape(1, 784) + 1) / 2, noise(3).reshape(1, 784)
    for row, y in enumerate((clean + 0.5 * n, 0.5 + 0.5 * n)):
        before = np.clip(y, 0, 1)
        for look in range(REPEATS):
            h = y
            for index, layer in enumerate(layers):
                h = h @ layer.weight.double().numpy().T + layer.bias.double().numpy()
                h = np.maximum(h, 0) if index < 3 else 1 / (1 + np.exp(-h))
            assert np.abs((repeats.pictures[row, look + 1].reshape(1, 784) + 1) / 2 - h).max() < 1e-3
            assert repeats.moved[row, look] == pytest.approx(np.abs(h - before).mean(), abs=1e-4)
            if row == 0:
                assert repeats.error[look] == pytest.approx(((h - clean) ** 2).mean(), abs=1e-4)
            y = before = h
    assert repeats.error[-1] > 3 * repeats.error[0]  # it drifts away from the digit
    assert view.network.ladder.label(repeats.rung) == "noise 0.50"


def test_the_newest_wish_is_answered_and_odd_ones_are_settled(engine: Engine) -> None:
    bench = Bench(engine, "toy", Wish())
    first = bench.view(Wish(label=7))
    assert bench.view(Wish(label=7)) is first  # nothing is computed twice
    assert first.repeats is None
    other = bench.view(Wish(label=12, example=-1, seed=1, rungs=(-5, 3, 9, 10_000), chosen=6))
    assert other.wish == Wish(label=2, example=other.count - 1, seed=1, rungs=(0, 3, 9, 199), chosen=2)
    assert held_out().labels[other.index] == 2
    bench.job.close()
    eventually(lambda: bench.job.state is JobState.CLOSED)


def test_what_is_told_of_a_network(engine: Engine) -> None:
    network = Bench(engine, "toy", Wish()).view(Wish()).network
    weights = load_model("toy").model.state_dict()
    kernels = weights["down_1.weight"].numpy()
    scaled = kernels[:, 0] / np.abs(kernels).max(axis=(1, 2, 3))[:, None, None]
    assert np.array_equal(network.filters, scaled.astype(np.float32))
    assert network.parameters == sum(tensor.numel() for tensor in weights.values()) == 238_689
    assert (network.claimed, network.kernels, network.goal) == (100_000, 231_297, 0.05)
    assert network.loss == pytest.approx(0.0444, abs=5e-4)  # as checkpoints/README.md has it
    assert network.takes_time
    assert not network.one_shot
    denoiser = Bench(engine, "denoiser", Wish()).view(Wish()).network
    assert (denoiser.takes_time, denoiser.one_shot, denoiser.claimed) == (False, True, None)


def test_being_told_the_time_is_worth_something(engine: Engine) -> None:
    job = engine.submit("measuring", start_measuring("toy", "toy", 100))
    eventually(lambda: job.snapshot is not None or job.state.final)
    errors = job.snapshot
    job.close()
    assert errors is not None, job.error
    assert errors.fixed is not None
    assert errors.other is not None
    assert np.array_equal(errors.other.loss, errors.own.loss)  # itself
    assert errors.steps == (3752, 3752)
    assert errors.fixed.mean_loss > 3 * errors.own.mean_loss
    near = int(np.abs(errors.own.rungs - 100).argmin())
    assert errors.fixed.loss[near] == pytest.approx(errors.own.loss[near], rel=0.3)
    assert 0.02 < errors.own.mean_loss < 0.08
    assert (errors.own.clean[5:] < errors.own.untouched[5:]).all()


def test_weights_of_one_size_are_not_shown_pictures_of_another(engine: Engine, tmp_path: Path) -> None:
    recipe = replace(preset("toy"), image_size=None)
    state = load_model("toy").model.state_dict()
    path = tmp_path / "small.safetensors"
    save_tensors(path, state, {"recipe": recipe.to_json(), "step": "1"})
    bench = Bench(engine, path, Wish())
    bench.job.step()
    eventually(lambda: bench.job.state is JobState.FAILED)
    assert bench.job.error == (
        "small takes pictures of 16x16, and these are 28x28: the first 500 digits of MNIST's test set."
    )
