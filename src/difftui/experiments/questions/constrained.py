"""Drawing under a constraint that no training knew: known pixels (RePaint) or known block means (DDNM)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from difftui.diffusion import (
    Denoise,
    Prediction,
    add_noise,
    eps_from_x0,
    make_sampler,
    network_denoiser,
    step_noise,
    transitions,
)

if TYPE_CHECKING:
    from torch import Tensor

    from difftui.training.loading import LoadedModel

__all__ = ["block_means", "filled", "from_means", "spread"]


def filled(
    loaded: LoadedModel,
    x0: Tensor,
    known: Tensor,
    x_T: Tensor,
    seeds: Sequence[int],
    steps: int,
    *,
    rounds: int = 1,
) -> Iterator[Tensor]:
    """Draw what is hidden of a picture, a step at a time.

    After each step of DDPM to x_s the known pixels are replaced by the known ones noised as far,

        x_s ← m (√ᾱ_s x_0 + √(1-ᾱ_s) ε) + (1 - m) x_s .

    With more ``rounds`` each step but the last is then taken back, x_t = √(ᾱ_t/ᾱ_s) x_s + √(1-ᾱ_t/ᾱ_s) ε,
    and done again, so that what is drawn can agree with what is known.

    Source: Lugmayr et al. (2022), RePaint, algorithm 1.

    Args:
        loaded: the network; it was trained for none of this.
        x0: (1, 1, H, W), the picture, of which only the known pixels are used.
        known: its shape; 1 where a pixel is known, else 0.
        x_T: (N, 1, H, W), noise to start from, with ``seeds``, one each.
        steps: of the respaced schedule.
        rounds: how often each step is taken, from 1 up.

    Yields:
        x_s after each time that the network was asked; the last is finished.
    """
    import torch

    schedule = loaded.schedule
    rule = make_sampler(
        "ddpm", schedule, _network(loaded), step_noise(seeds), variance="beta_tilde", clip_x0=True
    )
    fresh = step_noise([seed + len(seeds) for seed in seeds])
    device = next(loaded.model.parameters()).device
    x, mask = x_T.to(device), known.to(device)
    given = (mask * x0.to(device)).expand_as(x)  # what is hidden is not even there
    for t, s in transitions(schedule.T, steps):
        here, there = schedule.alpha_bar(t), schedule.alpha_bar(s)
        for left in range(rounds if s >= 0 else 1, 0, -1):
            with torch.inference_mode():
                x = rule.step(x, t, s).x
                x = mask * add_noise(given, fresh(x), there) + (1.0 - mask) * x
            yield x
            if left > 1:
                x = add_noise(x, fresh(x), here / there)


def from_means(
    loaded: LoadedModel, means: Tensor, x_T: Tensor, seeds: Sequence[int], steps: int
) -> Iterator[Tensor]:
    """Draw pictures whose block means are known, a step of DDPM at a time.

    Each estimate is put right before the step: x̂0 ← x̂0 + spread(means - block_means(x̂0)). The last step's
    answer is such an estimate, so that its block means are the known ones; pixels may lie a little outside
    [-1, 1].

    Source: Wang, Yu and Zhang (2023), DDNM, equation 13, for the mean over blocks.

    Args:
        loaded, x_T, seeds, steps: as for :func:`filled`.
        means: (1, 1, h, w); H and W are multiples of h and w.

    Yields:
        x_s after each step.
    """
    import torch

    schedule, ask = loaded.schedule, _network(loaded)
    device = next(loaded.model.parameters()).device
    x, wanted = x_T.to(device), means.to(device)
    block = x.shape[-1] // wanted.shape[-1]

    def put_right(x_t: Tensor, t: int) -> Prediction[Tensor]:
        estimate = ask(x_t, t).x0.clamp(-1.0, 1.0)
        estimate = estimate + spread(wanted - block_means(estimate, block), block)
        return Prediction(estimate, eps_from_x0(x_t, estimate, schedule.alpha_bar(t)))

    rule = make_sampler("ddpm", schedule, put_right, step_noise(seeds), variance="beta_tilde")
    for t, s in transitions(schedule.T, steps):
        with torch.inference_mode():
            x = rule.step(x, t, s).x
        yield x


def block_means(pictures: Tensor, block: int) -> Tensor:
    """The mean of each block of ``block`` x ``block`` pixels: (N, C, H, W) to (N, C, H/block, W/block)."""
    from torch.nn.functional import avg_pool2d

    return avg_pool2d(pictures, block)


def spread(means: Tensor, block: int) -> Tensor:
    """Each number as a block of equal pixels, whose mean it is."""
    return means.repeat_interleave(block, -1).repeat_interleave(block, -2)


def _network(loaded: LoadedModel) -> Denoise[Tensor]:
    from difftui.models.side_by_side import side_by_side

    return network_denoiser(side_by_side(loaded.model), loaded.schedule, target=loaded.recipe.target)
