"""The regression that a diffusion model is trained on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from difftui.diffusion import NoiseSchedule, previous_weights
from difftui.training.recipe import Recipe

__all__ = ["Objective"]

MIN_SNR_GAMMA = 5.0  # Hang et al. 2023, section 3.4


class Objective:
    """Weighted mean squared error of a network's prediction at random timesteps.

    Draws t and ε, forms x_t = √ᾱ_t x_0 + √(1-ᾱ_t) ε (Ho et al. 2020, eq. 4), and compares the network's
    output with ε, x_0, v = √ᾱ_t ε - √(1-ᾱ_t) x_0 (Salimans & Ho 2022, eq. 12) or the mean of x_{t-1} (Ho et
    al. 2020, eq. 7). The tables live on the device as float32, cast once from float64.
    """

    def __init__(self, schedule: NoiseSchedule, recipe: Recipe, device: torch.device) -> None:
        alpha_bars = torch.from_numpy(schedule.alpha_bars.copy())
        self.timesteps = schedule.T
        self.target = recipe.target
        self.time_sampling = recipe.time_sampling
        self.time_mean, self.time_spread = recipe.time_mean, recipe.time_spread
        self.signal = alpha_bars.sqrt().float().to(device)
        self.noise = (1 - alpha_bars).sqrt().float().to(device)
        before = torch.cat([torch.ones(1, dtype=torch.float64), alpha_bars[:-1]])
        share_x0, share_x_t = previous_weights(alpha_bars, before)
        self.previous_x0, self.previous_x_t = (w.float().to(device) for w in (share_x0, share_x_t))
        self.weights = _weights(alpha_bars, recipe).float().to(device)

    def draw_timesteps(self, count: int, generator: torch.Generator) -> Tensor:
        """(count,) integers in [0, T), drawn as the recipe's ``time_sampling`` says."""
        if self.time_sampling == "uniform":
            return torch.randint(self.timesteps, (count,), generator=generator, device=generator.device)
        jitter = torch.rand(count, generator=generator, device=generator.device)
        share = (torch.arange(count, device=generator.device) + jitter) / count
        if self.time_sampling == "logit-normal":
            share = torch.sigmoid(self.time_mean + self.time_spread * torch.special.ndtri(share))
        return (share * self.timesteps).long().clamp_(max=self.timesteps - 1)

    def time_density(self) -> Tensor:
        """(T,) float32: with which probability each timestep is drawn."""
        if self.time_sampling != "logit-normal":
            return torch.full((self.timesteps,), 1 / self.timesteps)
        edges = torch.arange(self.timesteps + 1, dtype=torch.float64) / self.timesteps
        # P(t/T < a) = Φ((logit a - m) / s), 0 and 1 at the ends
        below = torch.special.ndtr((torch.logit(edges) - self.time_mean) / self.time_spread)
        density: Tensor = below.diff().float()
        return density

    def loss(self, model: nn.Module, x0: Tensor, label: Tensor | None, t: Tensor, eps: Tensor) -> Tensor:
        """The errors of :meth:`errors` with the weights of their timesteps: (B,) float32."""
        weighted: Tensor = self.weights[t] * self.errors(model, x0, label, t, eps)
        return weighted

    def errors(self, model: nn.Module, x0: Tensor, label: Tensor | None, t: Tensor, eps: Tensor) -> Tensor:
        """Squared error of each image, averaged over its pixels.

        Args:
            model: called ``model(x_t, t, label)``.
            x0, eps: (B, C, H, W); images in [-1, 1] and standard normal noise.
            label: (B,) integers, or None.
            t: (B,) integers in [0, T).

        Returns:
            (B,) float32.
        """
        signal = self.signal[t].view(-1, 1, 1, 1)
        noise = self.noise[t].view(-1, 1, 1, 1)
        x_t = signal * x0 + noise * eps
        if self.target == "eps":
            wanted = eps
        elif self.target == "x0":
            wanted = x0
        elif self.target == "v":
            wanted = signal * eps - noise * x0
        else:
            wanted = self.previous_x0[t].view(-1, 1, 1, 1) * x0 + self.previous_x_t[t].view(-1, 1, 1, 1) * x_t
        error: Tensor = model(x_t, t, label).float() - wanted
        return error.square().mean(dim=(1, 2, 3))


def _weights(alpha_bars: Tensor, recipe: Recipe) -> Tensor:
    """Weight of each timestep: 1, or min(SNR, γ) in the target's units (Hang et al. 2023, section 3.4)."""
    if recipe.weighting == "none":
        return torch.ones_like(alpha_bars)
    snr = alpha_bars / (1 - alpha_bars)
    clipped = snr.clamp(max=MIN_SNR_GAMMA)
    before = torch.cat([torch.ones(1, dtype=torch.float64), alpha_bars[:-1]])
    previous = previous_weights(alpha_bars, before)[0]  # an error of x_0 is so much smaller in x_{t-1}
    weights: dict[str, Tensor] = {
        "eps": clipped / snr,
        "x0": clipped,
        "v": clipped / (snr + 1),
        "x_prev": clipped / previous**2,
    }
    return weights[recipe.target]
