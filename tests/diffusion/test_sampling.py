"""The generator that draws pictures: what the network is asked, seeds, labels, refusals."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from difftui.diffusion import (
    SAMPLERS,
    GaussianDenoiser,
    PointsDenoiser,
    make_schedule,
    network_denoiser,
    sample,
    starting_noise,
    step_noise,
    timesteps,
    transitions,
    velocity,
)

SCHEDULE = make_schedule("cosine", 100)


def exact(x: Tensor, t: Tensor) -> Tensor:
    """The best possible eps-network for N(0, 0.5^2), told nothing but x and t."""
    return GaussianDenoiser[Tensor](SCHEDULE, 0.0, 0.5)(x, int(t[0])).eps


class Pixelwise(nn.Module):
    """A conditional network that treats every pixel alike, so that batching cannot change its rounding."""

    def __init__(self, num_classes: int | None = 10) -> None:
        super().__init__()
        self.image_shape = (1, 6, 6)
        self.num_classes = num_classes
        self.gain = nn.Parameter(torch.tensor(0.6))
        self.asked: list[tuple[Tensor, Tensor, Tensor | None]] = []
        self.in_inference_mode: list[bool] = []

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        self.asked.append((x, t, label))
        self.in_inference_mode.append(torch.is_inference_mode_enabled())
        shift = 0.0 if label is None else 0.05 * label.view(-1, 1, 1, 1)
        return torch.tanh(self.gain * x) + shift


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
@pytest.mark.parametrize("steps", [1, 2, 7, 100, None])
def test_one_frame_a_step_from_noise_to_the_clean_picture(sampler: str, steps: int | None) -> None:
    frames = list(sample(exact, SCHEDULE, sampler=sampler, steps=steps, shape=(1, 4, 4)))
    assert [(frame.t, frame.s) for frame in frames] == list(transitions(100, steps or 100))
    for frame in frames:
        for picture in (frame.x, frame.x0_hat, frame.eps_hat):
            assert picture.shape == (1, 1, 4, 4)
            assert picture.dtype == torch.float32
            assert torch.isfinite(picture).all()
    assert torch.equal(frames[-1].x, frames[-1].x0_hat)


def test_the_network_is_asked_with_integer_times_and_a_label_for_each() -> None:
    model = Pixelwise()
    frames = list(sample(model, SCHEDULE, steps=4, seeds=(5, 6), labels=(3, 7)))
    assert [t.tolist() for _, t, _ in model.asked] == [[t, t] for t in timesteps(100, 4)]
    for x, t, label in model.asked:
        assert x.shape == (2, 1, 6, 6)
        assert t.dtype == torch.long
        assert label is not None
        assert label.dtype == torch.long
        assert label.tolist() == [3, 7]
    assert torch.equal(model.asked[0][0], starting_noise((5, 6), (1, 6, 6)))
    assert torch.equal(model.asked[1][0], frames[0].x)


def test_one_label_serves_all_and_none_is_not_passed() -> None:
    model = Pixelwise()
    list(sample(model, SCHEDULE, steps=1, seeds=(0, 1, 2), labels=4))
    list(sample(model, SCHEDULE, steps=1))
    assert [None if label is None else label.tolist() for _, _, label in model.asked] == [[4, 4, 4], None]
    # A callable that knows no labels at all is fine as long as none are asked for.
    list(sample(lambda x, t: x, SCHEDULE, steps=1))


def test_the_default_picture_is_a_digit() -> None:
    assert next(sample(exact, SCHEDULE, steps=1)).x.shape == (1, 1, 28, 28)
    assert next(sample(Pixelwise(), SCHEDULE, steps=1)).x.shape == (1, 1, 6, 6)


def test_inference_mode_holds_within_a_step_and_not_between() -> None:
    model = Pixelwise()
    for frame in sample(model, SCHEDULE, steps=3):
        assert not torch.is_inference_mode_enabled()
        assert frame.x.is_inference()
    assert model.in_inference_mode == [True] * 3
    # Work between two frames, as a training run in the same thread does it.
    frames = sample(model, SCHEDULE, steps=3)
    next(frames)
    model(torch.ones(1, 1, 6, 6), torch.zeros(1, dtype=torch.long)).sum().backward()
    assert model.gain.grad is not None
    next(frames)


def test_a_closed_generator_stops_asking() -> None:
    model = Pixelwise()
    frames = sample(model, SCHEDULE, steps=5)
    assert model.asked == []
    next(frames)
    frames.close()
    assert len(model.asked) == 1
    assert list(frames) == []


@pytest.mark.parametrize("options", [{}, {"eta": 1.0}, {"sampler": "ddpm"}])
def test_a_picture_depends_on_its_seed_and_label_only(options: dict[str, Any]) -> None:
    seeds, labels = (11, 4, 2**63 - 1, 4), (1, 2, 3, 9)
    together = list(sample(Pixelwise(), SCHEDULE, steps=9, seeds=seeds, labels=labels, **options))
    for i in range(4):
        alone = list(
            sample(Pixelwise(), SCHEDULE, steps=9, seeds=seeds[i : i + 1], labels=labels[i], **options)
        )
        for ours, theirs in zip(together, alone, strict=True):
            assert torch.equal(ours.x[i], theirs.x[0])
            assert torch.equal(ours.x0_hat[i], theirs.x0_hat[0])


def test_sampling_neither_reads_nor_moves_the_global_generator() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = [frame.x for frame in sample(exact, SCHEDULE, sampler="ddpm", steps=5, shape=(1, 4, 4))][-1]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    again = [frame.x for frame in sample(exact, SCHEDULE, sampler="ddpm", steps=5, shape=(1, 4, 4))][-1]
    assert torch.equal(first, again)


def test_starting_noise_is_the_plain_seeded_draw() -> None:
    drawn = starting_noise((3, 0), (1, 5, 5))
    assert torch.equal(drawn[0], torch.randn(1, 5, 5, generator=torch.Generator().manual_seed(3)))
    assert torch.equal(drawn[1], torch.randn(1, 5, 5, generator=torch.Generator().manual_seed(0)))


def test_step_noise_is_fresh_normal_and_not_the_start_again() -> None:
    shape = (1, 100, 100)
    x = starting_noise((1, 2), shape)
    draw = step_noise((1, 2))
    everything = torch.stack([x, draw(x), draw(x)]).reshape(6, -1)
    assert everything.mean(dim=1).abs().max() < 4 / 100
    assert (everything.std(dim=1) - 1).abs().max() < 4 / 100 / 2**0.5
    correlation = torch.corrcoef(everything) - torch.eye(6)
    assert correlation.abs().max() < 4.5 / 100
    assert draw(x.double()).dtype == torch.float64


@pytest.mark.parametrize("options", [{}, {"sampler": "ddpm"}])
def test_given_starting_pictures_continue_as_their_seeds_would(options: dict[str, Any]) -> None:
    seeds = (8, 9)
    plain = list(sample(Pixelwise(), SCHEDULE, steps=6, seeds=seeds, **options))
    given = list(
        sample(Pixelwise(), SCHEDULE, steps=6, x_T=starting_noise(seeds, (1, 6, 6)), seeds=seeds, **options)
    )
    assert torch.equal(plain[-1].x, given[-1].x)


def test_starting_pictures_are_not_changed_and_need_no_seeds() -> None:
    x_T = starting_noise((1, 2, 3), (1, 6, 6))
    before = x_T.clone()
    frames = list(sample(Pixelwise(), SCHEDULE, steps=3, x_T=x_T, sampler="ddpm"))
    assert torch.equal(x_T, before)
    assert frames[-1].x.shape == (3, 1, 6, 6)


def test_the_target_tells_how_to_read_the_network() -> None:
    def as_x0(x: Tensor, t: Tensor) -> Tensor:
        return GaussianDenoiser[Tensor](SCHEDULE, 0.0, 0.5)(x, int(t[0])).x0

    def as_v(x: Tensor, t: Tensor) -> Tensor:
        said = GaussianDenoiser[Tensor](SCHEDULE, 0.0, 0.5)(x, int(t[0]))
        return velocity(said.x0, said.eps, SCHEDULE.alpha_bar(int(t[0])))

    ends = [
        list(sample(model, SCHEDULE, steps=20, target=target, shape=(1, 4, 4)))[-1].x
        for model, target in ((as_x0, "x0"), (as_v, "v"))
    ]
    assert (ends[0] - ends[1]).abs().max() < 1e-5


def test_a_network_in_half_precision_does_not_make_the_sampler_so() -> None:
    for frame in sample(lambda x, t: exact(x, t).bfloat16(), SCHEDULE, steps=5, shape=(1, 4, 4)):
        assert {frame.x.dtype, frame.x0_hat.dtype, frame.eps_hat.dtype} == {torch.float32}


def test_clipping_holds_every_estimate() -> None:
    wild = lambda x, t: 3.0 * x  # noqa: E731
    assert max(f.x0_hat.abs().max().item() for f in sample(wild, SCHEDULE, steps=5)) > 1.0
    assert max(f.x0_hat.abs().max().item() for f in sample(wild, SCHEDULE, steps=5, clip_x0=True)) <= 1.0


@pytest.mark.parametrize("options", [{}, {"sampler": "ddpm"}])
def test_an_exact_network_draws_its_points_in_proportion(options: dict[str, Any]) -> None:
    points = np.array([0.8, -0.5]).reshape(2, 1, 1, 1)
    denoise = PointsDenoiser(SCHEDULE, points, np.array([0.7, 0.3]))

    def model(x: Tensor, t: Tensor) -> Tensor:
        return torch.from_numpy(denoise(x.double().numpy(), int(t[0])).x0)

    drawn = 600
    *_, last = sample(model, SCHEDULE, steps=50, seeds=range(drawn), shape=(1, 1, 1), target="x0", **options)
    nearest = (last.x - torch.from_numpy(points).view(1, 2, 1, 1)).abs().view(drawn, 2)
    assert nearest.min(dim=1).values.quantile(0.99) < 1e-2
    share = (nearest.argmin(dim=1) == 0).double().mean().item()
    assert share == pytest.approx(0.7, abs=4 * (0.7 * 0.3 / drawn) ** 0.5)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"sampler": "euler"}, "unknown sampler 'euler'"),
        ({"steps": 0}, "steps must be a whole number from 1 to T = 100"),
        ({"steps": 101}, "steps must be a whole number from 1 to T = 100"),
        ({"target": "noise"}, "unknown target 'noise'"),
        ({"eta": -1.0}, "eta must be"),
        ({"sampler": "ddpm", "variance": "big"}, "unknown variance 'big'"),
        ({"seeds": ()}, "at least one seed"),
        ({"seeds": (-1,)}, r"a seed must be a whole number from 0 to 2\^63 - 1, not -1"),
        ({"seeds": (2**63,)}, "a seed must be"),
        ({"seeds": (0.5,)}, "a seed must be"),
        ({"seeds": (0, 1), "labels": (3,)}, "1 labels were given for 2 pictures"),
        ({"seeds": (0, 1), "x_T": torch.zeros(1, 1, 6, 6)}, "2 seeds were given for 1 starting pictures"),
        ({"labels": 10}, r"label 10 is outside 0 \.\.\. 9"),
        ({"labels": -1}, r"label -1 is outside 0 \.\.\. 9"),
    ],
)
def test_wrong_arguments_are_refused_before_the_first_frame(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        sample(Pixelwise(), SCHEDULE, **options)


def test_a_label_for_an_unconditional_network_is_refused() -> None:
    with pytest.raises(ValueError, match="trained without labels"):
        sample(Pixelwise(num_classes=None), SCHEDULE, labels=3)
    with pytest.raises(ValueError, match="trained without labels"):
        network_denoiser(Pixelwise(num_classes=None), SCHEDULE, labels=[3])


def test_a_network_that_answers_in_another_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 1, 1, 1\) to pictures of shape \(1, 1, 28, 28\)"):
        next(sample(lambda x, t: x.mean().view(1, 1, 1, 1), SCHEDULE))


def test_importing_and_using_the_mathematics_loads_no_torch() -> None:
    program = """
import sys
import numpy as np
import difftui.diffusion as d
schedule = d.make_schedule("cosine", 200)
denoise = d.PointsDenoiser(schedule, np.eye(3))
sampler = d.DDPM(schedule, denoise, lambda x: np.random.default_rng(0).standard_normal(x.shape))
x = d.add_noise(np.zeros((1, 3)), np.ones((1, 3)), schedule.alpha_bar(199))
for t, s in d.transitions(200, 20):
    x = sampler.step(x, t, s).x
assert x.shape == (1, 3)
assert not [name for name in ("torch", "textual") if name in sys.modules], "heavy import"
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=600)


def test_temperature_scales_every_noise_that_is_drawn() -> None:
    schedule = make_schedule("linear", 50)

    def network(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x)  # linear in the noise: pictures scale with it

    plain = list(sample(network, schedule, sampler="ddpm", steps=9, seeds=(3, 4)))[-1].x
    cool = list(sample(network, schedule, sampler="ddpm", steps=9, seeds=(3, 4), temperature=0.5))[-1].x
    assert (cool - 0.5 * plain).abs().max() < 1e-5
    with pytest.raises(ValueError, match="temperature"):
        sample(network, schedule, temperature=-1.0)
