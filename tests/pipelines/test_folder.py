"""What a pipeline's folder may say: everything is checked, no pickle is opened, no code is run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from difftui.diffusion import make_schedule
from difftui.errors import DifftuiError
from difftui.pipelines import PipelineRef, read_pipeline

UNET = "unet/config.json"
SCHEDULER = "scheduler/scheduler_config.json"
INDEX = "model_index.json"
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def copied(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "mine"))


def change(folder: Path, file: str, **values: Any) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_what_diffusers_saved_is_read(tiny: Path) -> None:
    facts = read_pipeline(tiny)
    assert (facts.name, facts.shape, facts.target) == ("tiny", (3, 8, 8), "eps")
    assert (facts.variance, facts.clip_x0, facts.scheduler) == ("beta", True, "DDPMScheduler")
    assert facts.schedule == make_schedule("linear", 20, beta_start=1e-4, beta_end=0.4)


WRONG = [
    (INDEX, {"_class_name": ["pipeline", "DifftuiPipeline"]}, "draw from the run that it was made of"),
    (INDEX, {"_class_name": ["pipeline", "Mine"]}, "brings code of its own, which difftui does not run"),
    (INDEX, {"unet": ["diffusers", "UNet2DConditionModel"]}, "only pipelines that draw unasked"),
    (INDEX, {"unet": ["my_code", "UNet2DModel"]}, "only pipelines that draw unasked"),
    (INDEX, {"vae": ["diffusers", "AutoencoderKL"]}, "it also needs 'vae'"),
    (UNET, {"sample_size": 100_000}, "4 to 256 pixels wide"),
    (UNET, {"sample_size": [8, 16]}, "must be square"),
    (UNET, {"sample_size": None}, "must be square"),
    (UNET, {"in_channels": 4, "out_channels": 4}, "1 or 3 colours"),
    (UNET, {"num_class_embeds": 10}, "wants a class"),
    (UNET, {"block_out_channels": [10**9]}, "out of bounds"),
    (UNET, {"layers_per_block": "many"}, "out of bounds"),
    (SCHEDULER, {"num_train_timesteps": 10**9}, "its scheduler: T must be"),
    (SCHEDULER, {"num_train_timesteps": "many"}, "its scheduler: T must be"),
    (SCHEDULER, {"beta_schedule": "laplace"}, "'laplace' is not known"),
    (SCHEDULER, {"beta_end": 2}, "beta_end must lie between 0 and 1"),
    (SCHEDULER, {"trained_betas": [0.1, float("nan")]}, "beta is nan"),
    (SCHEDULER, {"prediction_type": "flow"}, "prediction_type 'flow' is not known"),
    (SCHEDULER, {"variance_type": "learned_range"}, "variance_type 'learned_range' is not known"),
    (SCHEDULER, {"rescale_betas_zero_snr": True}, "signal of exactly 0"),
    (SCHEDULER, {"thresholding": True}, "quantiles"),
    (SCHEDULER, {"clip_sample_range": 2.0}, "clips at 2.0"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "values", "why"), WRONG)
def test_what_our_samplers_cannot_do_is_one_line(
    copied: Path, file: str, values: dict[str, Any], why: str
) -> None:
    change(copied, file, **values)
    with pytest.raises(DifftuiError, match="mine cannot be used as a pipeline") as caught:
        read_pipeline(copied)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def no_index(folder: Path) -> None:
    (folder / INDEX).unlink()


def damaged(folder: Path) -> None:
    (folder / UNET).write_bytes(b"\xff{")


def endless(folder: Path) -> None:
    (folder / SCHEDULER).write_text("[" * 2_000_000)


def pickled(folder: Path) -> None:
    (folder / "unet" / WEIGHTS).rename(folder / "unet" / "diffusion_pytorch_model.bin")


def bare(folder: Path) -> None:
    (folder / "unet" / WEIGHTS).unlink()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (no_index, "there is no model_index.json in it"),
        (damaged, "config.json cannot be read"),
        (endless, "too large"),
        (pickled, "a pickle, which can run any code when it is opened"),
        (bare, f"it has no {WEIGHTS}"),
    ],
)
def test_missing_and_dangerous_files_are_named(copied: Path, spoil: Callable[[Path], None], why: str) -> None:
    spoil(copied)
    with pytest.raises(DifftuiError) as caught:
        read_pipeline(copied)
    assert why in str(caught.value)


def test_other_weights_and_cut_ones_are_named(copied: Path) -> None:
    from difftui.pipelines.loading import load_pipeline

    weights = copied / "unet" / WEIGHTS
    whole = weights.read_bytes()
    change(copied, UNET, block_out_channels=[16, 16])
    with pytest.raises(DifftuiError, match=r"made for another network: .* has shape"):
        load_pipeline(PipelineRef(str(copied)))
    change(copied, UNET, block_out_channels=[8, 8], down_block_types=["NoSuchBlock", "DownBlock2D"])
    with pytest.raises(DifftuiError, match="cannot be built by diffusers"):
        load_pipeline(PipelineRef(str(copied)))
    weights.write_bytes(whole[:1000])
    with pytest.raises(DifftuiError, match="damaged"):
        load_pipeline(PipelineRef(str(copied)))


def test_a_pipeline_of_2022_has_all_at_the_top_and_other_names(tiny: Path, tmp_path: Path) -> None:
    """google/ddpm-cifar10-32 is such a one."""
    import torch
    from safetensors.torch import load_file, save_file

    from difftui.pipelines.loading import load_pipeline

    old = tmp_path / "old"
    old.mkdir()
    for file in (INDEX, UNET, SCHEDULER):
        shutil.copy(tiny / file, old / Path(file).name)
    names = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    renamed = {}
    for name, tensor in load_file(tiny / "unet" / WEIGHTS).items():
        for now, former in names.items():
            name = name.replace(now, former)
        renamed[name] = tensor
    assert sum(".query." in name for name in renamed) >= 4
    save_file(renamed, old / WEIGHTS)
    models = [load_pipeline(PipelineRef(str(folder))).model for folder in (tiny, old)]
    x, t = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([3, 17])
    with torch.inference_mode():
        first, second = (model(x, t) for model in models)
    assert torch.equal(first, second)
    assert float(first.abs().max()) > 0.1


def test_the_labs_pipeline_has_as_many_parameters_as_its_paper_says(tiny: Path) -> None:
    """Ho et al. (2020), appendix B: 35.7 million for CIFAR-10. From the configuration that is on the hub."""
    import torch
    from diffusers import UNet2DModel

    with torch.device("meta"):
        unet = UNet2DModel(
            sample_size=32, block_out_channels=(128, 256, 256, 256), downsample_padding=0,
            flip_sin_to_cos=False, freq_shift=1, layers_per_block=2, norm_eps=1e-6, attention_head_dim=None,
            down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
        )  # fmt: skip
    count = sum(weight.numel() for weight in unet.parameters())
    assert count == pytest.approx(35.7e6, abs=0.05e6)
    assert 4 * count == pytest.approx(143e6, abs=0.5e6), "the size that we tell"
