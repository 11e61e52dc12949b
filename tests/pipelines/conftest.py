"""Tiny diffusers pipelines, made and saved by diffusers itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MakePipeline = Callable[..., Path]


@pytest.fixture(scope="session")
def make_pipeline(tmp_path_factory: pytest.TempPathFactory) -> MakePipeline:
    """Saves a pipeline of a scheduler's class and settings around one small network, and returns its folder.

    Skipped, with a reason, where the extra "diffusers" is not installed.
    """
    pytest.importorskip("diffusers", reason="needs the extra: pip install '.[diffusers]'")
    import torch
    from diffusers import DDIMPipeline, DDPMPipeline, UNet2DModel

    torch.manual_seed(0)
    unet = UNet2DModel(
        sample_size=8,
        in_channels=3,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=(8, 8),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
        attention_head_dim=4,
    ).eval()

    def make(scheduler: Any, *, safe_serialization: bool = True) -> Path:
        ddim = type(scheduler).__name__ == "DDIMScheduler"
        folder = tmp_path_factory.mktemp("pipeline") / "tiny"
        kind = DDIMPipeline if ddim else DDPMPipeline
        kind(unet=unet, scheduler=scheduler).save_pretrained(folder, safe_serialization=safe_serialization)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny(make_pipeline: MakePipeline) -> Path:
    """A DDPM pipeline as diffusers saves it: 8x8, three colours, twenty timesteps."""
    from diffusers import DDPMScheduler

    return make_pipeline(DDPMScheduler(num_train_timesteps=20, beta_end=0.4, variance_type="fixed_large"))
