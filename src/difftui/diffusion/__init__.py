"""The mathematics of diffusion: schedules, the noising process, samplers. Imports no torch."""

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
from difftui.diffusion.schedule import SCHEDULES, NoiseSchedule, make_schedule

__all__ = [
    "SCHEDULES",
    "TARGETS",
    "NoiseSchedule",
    "Prediction",
    "add_noise",
    "eps_from_v",
    "eps_from_x0",
    "make_schedule",
    "posterior_mean",
    "posterior_variance",
    "read_output",
    "step_beta",
    "training_target",
    "velocity",
    "x0_from_eps",
    "x0_from_v",
]
