"""Our networks as diffusers pipelines: diffusers loads them, and draws our very pictures."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("diffusers", reason="needs the extra: pip install '.[diffusers]'")

import torch
from diffusers import DDIMScheduler, DiffusionPipeline
from diffusers.utils import dynamic_modules_utils

from difftui import models
from difftui.diffusion import make_schedule
from difftui.errors import DifftuiError
from difftui.pipelines.export import export_pipeline
from difftui.training.loading import LoadedModel
from difftui.training.recipe import Recipe

T = 60
SMALL = {"width": 8, "middle_width": 8, "middle_blocks": 1}


@pytest.fixture(autouse=True)
def own_modules(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What diffusers copies to run stays out of the user's cache."""
    monkeypatch.setattr(dynamic_modules_utils, "HF_MODULES_CACHE", str(tmp_path_factory.mktemp("modules")))
    monkeypatch.setattr("sys.path", list(__import__("sys").path))


def network(model: str, options: dict[str, Any], **recipe: Any) -> LoadedModel:
    """A network of ours with random weights, none of them 0, which says something."""
    told = Recipe("tiny", model, model_options=options, timesteps=T, steps=1, **recipe)
    built = models.build(model, **options).eval().requires_grad_(False)
    draws = torch.Generator().manual_seed(1)
    for weight in built.parameters():
        weight.copy_(0.1 * torch.randn(weight.shape, generator=draws))
    return LoadedModel(built, told, make_schedule(told.schedule, T), 7, "tiny")


CASES = [
    pytest.param(
        "patch-unet", SMALL, {"schedule": "cosine", "target": "v", "temperature": 0.8, "sampler_steps": 9},
        id="ddpm, v, cosine, temperature",
    ),
    pytest.param(
        "attention-unet", {},
        {"schedule": "cosine", "target": "v", "sampler": "dpm-solver++", "sampler_steps": 7,
         "guidance": 0.5, "label_drop": 0.1},
        id="DPM-Solver++, guidance",
    ),
    pytest.param("lab-unet", {"timesteps": T}, {"sampler": "ddim", "sampler_steps": 8}, id="ddim, eps"),
    pytest.param("toy-unet", {"size": 16}, {"target": "x0", "sampler_steps": 6}, id="ddpm, x0, 16x16"),
    pytest.param("residual-unet", {}, {"schedule": "clipped-cosine", "sampler_steps": 3}, id="without time"),
    pytest.param(
        "toy-unet", {"channels": 3, "size": 16},
        {"target": "v", "sampler": "ddim", "sampler_steps": 5}, id="RGB",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("model", "options", "recipe"), CASES)
def test_diffusers_draws_our_pictures(
    tmp_path: Path, model: str, options: dict[str, Any], recipe: dict[str, Any]
) -> None:
    ours = network(model, options, **recipe)
    folder = export_pipeline(ours, tmp_path / "out" / "exported")
    pipeline = DiffusionPipeline.from_pretrained(folder, trust_remote_code=True)
    pipeline.set_progress_bar_config(disable=True)
    labels = [3, 1] if ours.model.num_classes else None
    theirs = pipeline(class_labels=labels, seeds=[4, 9], output_type="pt").images
    *_, last = ours.sample([4, 9], labels)
    assert last.x.shape == theirs.shape
    assert float((last.x - theirs).abs().max()) < 5e-5
    assert float(last.x.std()) > 0.05, "pictures that say something"
    image = pipeline(batch_size=1, num_inference_steps=1).images[0]
    assert (image.mode, image.size) == ("RGB" if theirs.shape[1] == 3 else "L", tuple(theirs.shape[2:]))


def test_it_needs_nothing_of_difftuis_and_takes_other_schedulers(tmp_path: Path) -> None:
    folder = export_pipeline(network("attention-unet", {}, label_drop=0.1, target="v"), tmp_path / "new")
    for path in folder.rglob("*.py"):
        tree = ast.walk(ast.parse(path.read_text()))
        froms = [node.module or "" for node in tree if isinstance(node, ast.ImportFrom)]
        assert not [name for name in froms if "difftui" in name], path
    assert not [path for path in folder.rglob("*") if path.suffix in (".bin", ".pt", ".pkl")]
    pipeline = DiffusionPipeline.from_pretrained(folder, trust_remote_code=True)
    pipeline.set_progress_bar_config(disable=True)
    config = dict(pipeline.scheduler.config) | {"thresholding": False, "clip_sample": True}
    pipeline.scheduler = DDIMScheduler.from_config(config)
    assert pipeline(class_labels=[1], num_inference_steps=4, output_type="np").images.shape == (1, 28, 28, 1)


def test_diffusers_does_not_run_its_code_unasked(tmp_path: Path) -> None:
    folder = export_pipeline(network("lab-unet", {"timesteps": T}), tmp_path / "new")
    with pytest.raises(ValueError, match="trust_remote_code"):
        DiffusionPipeline.from_pretrained(folder)


def test_what_cannot_be_exported_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    one_look = network("autoencoder", {"noise": 0.5}, target="x0", sampler="looped-x0")
    previous = network("lab-unet", {"timesteps": T}, target="x_prev")
    for loaded, why in ((one_look, "in one look"), (previous, "predicts x_prev")):
        with pytest.raises(DifftuiError, match=why):
            export_pipeline(loaded, tmp_path / "new")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "file").touch()
    fine = network("lab-unet", {"timesteps": T})
    with pytest.raises(DifftuiError, match="not empty"):
        export_pipeline(fine, taken)
    with pytest.raises(DifftuiError, match="cannot be written"):
        export_pipeline(fine, taken / "file" / "below")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]
    exported = export_pipeline(fine, tmp_path / "new")
    assert json.loads((exported / "model_index.json").read_text())["unet"][1] == "DifftuiUNet"
