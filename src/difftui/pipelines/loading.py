"""A diffusers pipeline's network, asked by our own samplers. Here alone diffusers is imported."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from difftui import models
from difftui.diffusion import NoiseSchedule
from difftui.errors import DifftuiError
from difftui.pipelines.folder import PipelineFacts, PipelineRef, read_pipeline
from difftui.pipelines.hub import find_pipeline, how_to_get, is_hub_name, require_diffusers
from difftui.runs.checkpoint import check_tensors, load_tensors, tensor_names
from difftui.training.drawing import samplers_for

__all__ = ["LoadedPipeline", "UnaskedUNet", "load_pipeline"]

STEPS = 50  # where nothing else is said: what the lab's sheet has between 25 and 100
_ADVISED = {"DDPMScheduler": "ddpm", "DPMSolverMultistepScheduler": "dpm-solver++"}

# Attention layers of 2022 had other names; diffusers renames them on loading, and so do we.
_FORMER = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


class UnaskedUNet(nn.Module):
    """diffusers' UNet2DModel, called as our networks are.

    Attributes:
        unet: the network.
        image_shape: (C, H, W).
        num_classes: None: it draws unasked.
    """

    def __init__(self, unet: nn.Module, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.unet = unet
        self.image_shape = image_shape
        self.num_classes = None

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        """What it predicts for x (B, C, H, W) at integer times t (B,). A label is not looked at."""
        answer: Tensor = self.unet(x, t).sample
        return answer


@dataclass(frozen=True, slots=True)
class LoadedPipeline:
    """A pipeline's network and what is needed to sample from it; see :class:`Drawable`.

    Attributes:
        model: in evaluation mode, on the device asked for.
        facts: what its files say.
    """

    model: nn.Module
    facts: PipelineFacts

    @property
    def name(self) -> str:
        """What it was asked for by."""
        return self.facts.name

    @property
    def step(self) -> None:
        """Nobody has told how long it was trained."""
        return None

    @property
    def kind(self) -> str:
        """The class of its network."""
        return "UNet2DModel"

    @property
    def schedule(self) -> NoiseSchedule:
        """Its scheduler's betas."""
        return self.facts.schedule

    @property
    def target(self) -> str:
        """Its scheduler's prediction_type."""
        return self.facts.target

    @property
    def clip_x0(self) -> bool:
        """Its scheduler's clip_sample."""
        return self.facts.clip_x0

    @property
    def variance(self) -> str:
        """Its scheduler's variance_type."""
        return self.facts.variance

    @property
    def samplers(self) -> tuple[str, ...]:
        """All of them."""
        return samplers_for(one_shot=False)

    @property
    def goes_without(self) -> bool:
        """It knows no labels."""
        return False

    def drawing(
        self, sampler: str | None = None, steps: int | None = None, temperature: float | None = None
    ) -> tuple[str, int, float]:
        """Sampler, its steps and the temperature; without a wish its own scheduler's kind, in 50 steps."""
        chosen = min(steps or STEPS, self.schedule.T)
        return (
            sampler or _ADVISED.get(self.facts.scheduler, "ddim"),
            chosen,
            1.0 if temperature is None else temperature,
        )

    def guidance(self, labelled: bool, wanted: float | None = None) -> float:
        """None.

        Raises:
            DifftuiError: some is wanted.
        """
        if wanted:
            raise DifftuiError(
                f"{self.name} was trained without labels: there is nothing to guide it towards."
            )
        return 0.0


def load_pipeline(wanted: PipelineRef, device: torch.device | str = "cpu") -> LoadedPipeline:
    """Load the network of a diffusers pipeline that is on this machine. Nothing is fetched.

    Its files are checked before anything is built from them, and only safetensors are read: never a pickle,
    never code that came with it.

    Raises:
        DifftuiError: it is not here (the line says what would bring it), diffusers is not installed, or it is
            none that draws unasked.
    """
    folder = find_pipeline(wanted.where)
    if folder is None:
        raise DifftuiError(f"{wanted.where} is not on this machine. {how_to_get(wanted.where)}")
    named = is_hub_name(wanted.where) and not Path(wanted.where).is_dir()
    facts = read_pipeline(folder, wanted.where if named else folder.name)
    require_diffusers()
    unet = _build(facts)
    network = UnaskedUNet(unet.requires_grad_(False), facts.shape).eval()
    return LoadedPipeline(models.place(network, device), facts)


def _build(facts: PipelineFacts) -> nn.Module:
    """The network with its weights; a shape that does not fit them is told before it takes memory."""
    from diffusers import UNet2DModel

    known = inspect.signature(UNet2DModel.__init__).parameters
    options: dict[str, Any] = {key: value for key, value in facts.unet.items() if key in known}
    here = tensor_names(facts.weights)
    try:
        with torch.device("meta"):
            blank = UNet2DModel(**options).state_dict()
        check_tensors(facts.weights, {_name_in(here, name): tensor for name, tensor in blank.items()})
        unet: nn.Module = UNet2DModel(**options)
    except DifftuiError:
        raise
    except Exception as error:  # whatever diffusers makes of a configuration that is not its own
        told = " ".join(str(error).split())[:160]
        raise DifftuiError(f"{facts.name} cannot be built by diffusers ({told}). Choose another.") from error
    ours = {_name_in(here, name): name for name in blank}
    own = unet.state_dict()
    tensors = load_tensors(facts.weights, {theirs: own[name] for theirs, name in ours.items()})
    unet.load_state_dict({ours[theirs]: tensor for theirs, tensor in tensors.items()})
    return unet


def _name_in(here: frozenset[str], name: str) -> str:
    """The name that a weight has in a file: today's, or that of 2022."""
    if name in here or ".attentions." not in name:
        return name
    for now, former in _FORMER.items():
        name = name.replace(f".{now}.", f".{former}.")
    return name
