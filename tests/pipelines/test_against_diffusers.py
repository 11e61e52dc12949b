"""Our samplers on a pipeline's network, step by step against diffusers' own pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("diffusers", reason="needs the extra: pip install '.[diffusers]'")

import diffusers
import torch

from difftui.diffusion import make_sampler, network_denoiser, transitions
from difftui.pipelines import PipelineRef
from difftui.pipelines.loading import LoadedPipeline, load_pipeline

T = 10
KINDS = [
    pytest.param({"beta_end": 0.4}, "ddpm", id="linear, small variance"),
    pytest.param({"beta_end": 0.4, "variance_type": "fixed_large"}, "ddpm", id="large variance"),
    pytest.param({"beta_schedule": "squaredcos_cap_v2"}, "ddpm", id="cosine"),
    pytest.param({"beta_end": 0.4, "prediction_type": "v_prediction", "clip_sample": False}, "ddpm", id="v"),
    pytest.param({"beta_end": 0.4, "prediction_type": "sample"}, "ddpm", id="x0"),
    pytest.param({"beta_schedule": "scaled_linear", "beta_end": 0.4}, "ddim", id="squares of a line"),
    pytest.param({"beta_schedule": "sigmoid", "beta_end": 0.4, "clip_sample": False}, "ddpm", id="sigmoid"),
    pytest.param({"trained_betas": [0.01 * (i + 1) for i in range(T)]}, "ddim", id="trained betas"),
]


def theirs(folder: Path, kind: str) -> tuple[Any, list[torch.Tensor]]:
    """The pictures of diffusers' own pipeline, and x_t after each of its steps."""
    pipeline = getattr(diffusers, f"{kind.upper()}Pipeline").from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    step, seen = pipeline.scheduler.step, []

    def noted(*args: Any, **options: Any) -> Any:
        result = step(*args, **options)
        seen.append(result.prev_sample)
        return result

    pipeline.scheduler.step = noted
    options = {"use_clipped_model_output": True} if kind == "ddim" else {}
    out = pipeline(
        batch_size=2, num_inference_steps=T, generator=torch.Generator().manual_seed(3), output_type="np",
        **options,
    )  # fmt: skip
    return out.images, seen


def ours(loaded: LoadedPipeline, kind: str) -> list[torch.Tensor]:
    """x_t after each step of our sampler, from the noise that the pipeline draws."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn((2, *loaded.facts.shape), generator=generator)
    sampler = make_sampler(
        kind,
        loaded.schedule,
        network_denoiser(loaded.model, loaded.schedule, target=loaded.target),
        lambda x_t: torch.randn(x_t.shape, generator=generator),
        variance=loaded.variance if kind == "ddpm" else "beta_tilde",
        clip_x0=loaded.clip_x0,
    )
    seen = []
    with torch.inference_mode():
        for t, s in transitions(T, T):
            x = sampler.step(x, t, s).x
            seen.append(x)
    return seen


@pytest.mark.parametrize(("settings", "kind"), KINDS)
def test_every_step_is_that_of_diffusers_own_pipeline(
    make_pipeline: Any, settings: dict[str, Any], kind: str
) -> None:
    scheduler = getattr(diffusers, f"{kind.upper()}Scheduler")(num_train_timesteps=T, **settings)
    folder = make_pipeline(scheduler)
    images, expected = theirs(folder, kind)
    found = ours(load_pipeline(PipelineRef(str(folder))), kind)
    assert len(found) == len(expected) == T
    errors = [float((a - b).abs().max()) for a, b in zip(found, expected, strict=True)]
    assert max(errors) < 2e-5 * max(1.0, *(float(x.abs().max()) for x in expected)), errors
    final = (found[-1] / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    assert abs(final - images).max() < 1e-5
