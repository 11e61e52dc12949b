"""The mathematics of diffusion: schedules, the noising process, samplers. Importing it imports no torch."""

from difftui.diffusion.analytic import GaussianDenoiser, PointsDenoiser
from difftui.diffusion.grid import timesteps, transitions
from difftui.diffusion.process import (
    TARGETS,
    Prediction,
    add_noise,
    eps_from_v,
    eps_from_x0,
    posterior_mean,
    posterior_variance,
    read_output,
    step_beta,
    training_target,
    velocity,
    x0_from_eps,
    x0_from_v,
)
from difftui.diffusion.samplers import (
    DDIM,
    DDPM,
    SAMPLERS,
    VARIANCES,
    Denoise,
    Frame,
    Noise,
    Sampler,
    make_sampler,
)
from difftui.diffusion.sampling import Model, network_denoiser, sample, starting_noise, step_noise
from difftui.diffusion.schedule import SCHEDULES, NoiseSchedule, make_schedule

__all__ = [
    "DDIM",
    "DDPM",
    "SAMPLERS",
    "SCHEDULES",
    "TARGETS",
    "VARIANCES",
    "Denoise",
    "Frame",
    "GaussianDenoiser",
    "Model",
    "Noise",
    "NoiseSchedule",
    "PointsDenoiser",
    "Prediction",
    "Sampler",
    "add_noise",
    "eps_from_v",
    "eps_from_x0",
    "make_sampler",
    "make_schedule",
    "network_denoiser",
    "posterior_mean",
    "posterior_variance",
    "read_output",
    "sample",
    "starting_noise",
    "step_beta",
    "step_noise",
    "timesteps",
    "training_target",
    "transitions",
    "velocity",
    "x0_from_eps",
    "x0_from_v",
]
