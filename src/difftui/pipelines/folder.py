"""What a diffusers pipeline says of itself: its configuration, read without diffusers and without torch.

A pipeline is a folder with ``model_index.json``. Its network (``config.json`` and safetensors) and its
scheduler (``scheduler_config.json``) lie in ``unet/`` and ``scheduler/``; pipelines of 2022, such as
``google/ddpm-cifar10-32``, have them all at the top. Whatever a file says is checked before anything is built
from it, and no file that holds code is ever opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from difftui.diffusion import NoiseSchedule, make_schedule
from difftui.errors import DifftuiError

__all__ = ["CARD", "DEFAULT", "INDEX", "OURS", "WEIGHTS", "PipelineFacts", "PipelineRef", "read_pipeline"]

DEFAULT = "google/ddpm-cifar10-32"
"""The pipeline that the lab looks at: CIFAR-10, 35.7 million parameters, 143 MB."""

CARD = "35.7 million parameters, 32x32 in colour, by its paper"
"""Of that pipeline: Ho et al. (2020), appendix B."""

INDEX = "model_index.json"
WEIGHTS = "diffusion_pytorch_model.safetensors"
PICKLE = "diffusion_pytorch_model.bin"
OURS = ("pipeline", "DifftuiPipeline")  # the file and class that `difftui export` names
MOST_JSON = 1_000_000  # bytes
MOST_SIDE, MOST_BLOCKS, MOST_CHANNELS, MOST_LAYERS = 256, 8, 4096, 16

_TARGETS = {"epsilon": "eps", "sample": "x0", "v_prediction": "v"}
_VARIANCES = {
    "fixed_small": "beta_tilde",
    "fixed_small_log": "beta_tilde",
    "fixed_large": "beta",
    "fixed_large_log": "beta",
}
_CLIPS = ("DDPMScheduler", "DDIMScheduler")  # hold x̂0 within [-1, 1] where nothing else is said


@dataclass(frozen=True, slots=True)
class PipelineRef:
    """A pipeline as somebody names it: a folder, or a name on the Hugging Face hub."""

    where: str


@dataclass(frozen=True, eq=False, slots=True)
class PipelineFacts:
    """A pipeline that our samplers can draw with, by what its files say.

    Attributes:
        name: for people.
        folder: where it lies.
        weights: its safetensors file.
        unet: arguments of diffusers' UNet2DModel.
        shape: of a picture, (C, H, W).
        schedule: the noise schedule it was trained on.
        target: what its network predicts, one of :data:`difftui.diffusion.TARGETS`.
        variance: of its DDPM sampler, one of :data:`difftui.diffusion.VARIANCES`.
        clip_x0: whether its scheduler holds the estimated clean picture within [-1, 1].
        scheduler: the name of the scheduler's class.
    """

    name: str
    folder: Path
    weights: Path
    unet: Mapping[str, Any]
    shape: tuple[int, int, int]
    schedule: NoiseSchedule
    target: str
    variance: str
    clip_x0: bool
    scheduler: str


def read_pipeline(folder: Path, name: str | None = None) -> PipelineFacts:
    """Read and check a pipeline's configuration.

    Args:
        folder: where it lies.
        name: what to call it; None is the folder's own name.

    Raises:
        DifftuiError: it is no pipeline, one that needs a text or code of its own, one whose weights are a
            pickle, or one that says something our samplers cannot do. One line says which.
    """
    name = name or folder.name
    index = _read_json(folder / INDEX, name)
    _check_kind(index, name)
    unet = _read_json(_part(folder, "unet", "config.json"), name)
    scheduler = _read_json(_part(folder, "scheduler", "scheduler_config.json"), name)
    kind = str(_class_of(index, "scheduler"))
    shape = _shape(unet, name)
    try:
        schedule = _schedule(scheduler)
        target = _known(_TARGETS, scheduler.get("prediction_type", "epsilon"), "prediction_type")
        variance = _known(_VARIANCES, scheduler.get("variance_type", "fixed_small"), "variance_type")
        clip_x0 = _clips(scheduler, kind)
    except (ValueError, TypeError) as error:
        raise _refused(name, f"its scheduler: {error}") from None
    weights = _weights(folder, name)
    return PipelineFacts(name, folder, weights, unet, shape, schedule, target, variance, clip_x0, kind)


def _check_kind(index: Mapping[str, Any], name: str) -> None:
    if index.get("_class_name") == list(OURS):
        raise _refused(
            name, "difftui wrote it for diffusers; here, draw from the run that it was made of (--from)"
        )
    if isinstance(index.get("_class_name"), list):
        raise _refused(name, "it brings code of its own, which difftui does not run")
    network = _class_of(index, "unet")
    if network != "UNet2DModel":
        what = index.get("_class_name", "something else")
        raise _refused(
            name, f"it is a {what} without a UNet2DModel, and only pipelines that draw unasked are opened"
        )
    more = sorted(key for key, value in index.items() if isinstance(value, list) and value[:1] != [None])
    odd = [key for key in more if key not in ("unet", "scheduler")]
    if odd:
        raise _refused(name, f"it also needs {odd[0]!r}, and only pipelines that draw unasked are opened")


def _class_of(index: Mapping[str, Any], part: str) -> str | None:
    """The class that ``model_index.json`` names for a part: diffusers' own, else None."""
    entry = index.get(part)
    if isinstance(entry, list) and len(entry) == 2 and entry[0] == "diffusers":
        return str(entry[1])
    return None


def _part(folder: Path, part: str, file: str) -> Path:
    """A part's file: in its own folder, or at the top."""
    inside = folder / part / file
    return inside if inside.is_file() else folder / file


def _weights(folder: Path, name: str) -> Path:
    weights = _part(folder, "unet", WEIGHTS)
    if weights.is_file():
        return weights
    if _part(folder, "unet", PICKLE).is_file():
        raise _refused(
            name,
            f"its weights are {PICKLE}, a pickle, which can run any code when it is opened. "
            "Have diffusers save it again with safe_serialization=True",
        )
    raise _refused(name, f"it has no {WEIGHTS}")


def _shape(unet: Mapping[str, Any], name: str) -> tuple[int, int, int]:
    """(C, H, H), with everything in the configuration that decides a size within bounds."""
    size, channels = unet.get("sample_size"), unet.get("in_channels", 3)
    side = size[0] if isinstance(size, list) and len(size) == 2 and size[0] == size[1] else size
    if type(side) is not int or not 4 <= side <= MOST_SIDE:
        raise _refused(name, f"its pictures must be square, 4 to {MOST_SIDE} pixels wide, not {size!r}")
    if channels not in (1, 3) or unet.get("out_channels", 3) != channels:
        told = f"{channels!r} in, {unet.get('out_channels', 3)!r} out"
        raise _refused(name, f"its pictures must have 1 or 3 colours, the same in and out, not {told}")
    if unet.get("num_class_embeds") is not None or unet.get("class_embed_type") is not None:
        raise _refused(name, "its network wants a class, and only pipelines that draw unasked are opened")
    blocks = unet.get("block_out_channels", [])
    layers = unet.get("layers_per_block", 2)
    within = isinstance(blocks, list) and len(blocks) <= MOST_BLOCKS
    within = within and all(type(width) is int and 1 <= width <= MOST_CHANNELS for width in blocks)
    if not within or type(layers) is not int or not 1 <= layers <= MOST_LAYERS:
        raise _refused(name, f"its network's size is out of bounds (block_out_channels {blocks!r:.80})")
    return channels, side, side


def _schedule(config: Mapping[str, Any]) -> NoiseSchedule:
    """The scheduler's betas as a schedule of ours: the formulas of diffusers' DDPMScheduler, in float64.

    Raises:
        ValueError: a kind that is not known, or numbers that are no schedule.
    """
    if config.get("rescale_betas_zero_snr"):
        raise ValueError("it ends in a signal of exactly 0 (rescale_betas_zero_snr), which ours divide by.")
    T = config.get("num_train_timesteps", 1000)
    trained = config.get("trained_betas")
    if trained is not None:
        return NoiseSchedule("trained betas", np.asarray(trained, np.float64))
    kind = config.get("beta_schedule", "linear")
    start, end = float(config.get("beta_start", 1e-4)), float(config.get("beta_end", 0.02))
    if kind == "linear":
        return make_schedule("linear", T, beta_start=start, beta_end=end)
    if kind == "squaredcos_cap_v2":
        return make_schedule("cosine", T)
    make_schedule("linear", T)  # a T that cannot be is told before anything has its length
    if kind == "scaled_linear":
        return NoiseSchedule("squares of a line", np.linspace(start**0.5, end**0.5, T) ** 2)
    if kind == "sigmoid":
        curve = 1 / (1 + np.exp(-np.linspace(-6.0, 6.0, T)))
        return NoiseSchedule("sigmoid betas", start + (end - start) * curve)
    raise ValueError(f"beta_schedule {kind!r} is not known.")


def _clips(config: Mapping[str, Any], scheduler: str) -> bool:
    """Whether x̂0 is held within [-1, 1].

    Raises:
        ValueError: within other bounds, or by another rule.
    """
    if config.get("thresholding"):
        raise ValueError("it bounds the estimate by quantiles (thresholding), which ours cannot.")
    clips = bool(config.get("clip_sample", scheduler in _CLIPS))
    if clips and config.get("clip_sample_range", 1.0) != 1.0:
        raise ValueError(f"it clips at {config['clip_sample_range']!r}, and ours clip at 1.")
    return clips


def _known(table: Mapping[str, str], value: object, field: str) -> str:
    if not isinstance(value, str) or value not in table:
        raise ValueError(f"{field} {value!r} is not known; known are {', '.join(table)}.")
    return table[value]


def _read_json(path: Path, name: str) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_JSON:
            raise ValueError("too large")
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("not an object")
    except FileNotFoundError:
        told = f"{path.parent} has no {path.name}" if path.name != INDEX else f"there is no {INDEX} in it"
        raise _refused(name, told) from None
    except (OSError, ValueError, RecursionError) as error:
        raise _refused(name, f"{path} cannot be read ({error})") from None
    return found


def _refused(name: str, why: str) -> DifftuiError:
    return DifftuiError(f"{name} cannot be used as a pipeline: {why.rstrip('.')}.")
