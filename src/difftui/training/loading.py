"""Networks for sampling, from what a training left on disk."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from difftui import models
from difftui.diffusion import Frame, NoiseSchedule, make_schedule
from difftui.errors import DifftuiError
from difftui.runs import Run, find_run
from difftui.runs.checkpoint import load_tensors, read_metadata
from difftui.training.drawing import draw, samplers_for
from difftui.training.recipe import Recipe

__all__ = ["LoadedModel", "load_model"]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A trained network and what is needed to sample from it.

    Attributes:
        model: in evaluation mode, on the device asked for; the averaged weights where the recipe keeps them.
        recipe: how it was trained; ``recipe.target`` is what it predicts.
        schedule: the noise schedule it was trained on.
        step: optimiser steps behind the weights.
        name: of the run, or of the file.
    """

    model: nn.Module
    recipe: Recipe
    schedule: NoiseSchedule
    step: int
    name: str

    @property
    def kind(self) -> str:
        """The network's name among ours."""
        return self.recipe.model

    @property
    def target(self) -> str:
        """What it predicts."""
        return self.recipe.target

    @property
    def clip_x0(self) -> bool:
        """Our networks learn from pictures within [-1, 1]: estimates beyond are errors."""
        return True

    @property
    def variance(self) -> str:
        """Of DDPM: the posterior's, as the labs have it."""
        return "beta_tilde"

    @property
    def samplers(self) -> tuple[str, ...]:
        """The samplers, and experiments, that can draw with it."""
        return samplers_for(one_shot=getattr(self.model, "one_shot", False))

    @property
    def goes_without(self) -> bool:
        """Whether its training hid labels, so that it can be guided."""
        return self.recipe.label_drop > 0 and self.model.num_classes is not None

    def sample(
        self,
        seeds: Sequence[int],
        labels: Sequence[int] | None = None,
        *,
        sampler: str | None = None,
        steps: int | None = None,
        temperature: float | None = None,
        guidance: float | None = None,
        eta: float = 0.0,
    ) -> Generator[Frame[Tensor], None, None]:
        """Draw pictures as the recipe advises, save where an argument says otherwise.

        As :func:`difftui.training.drawing.draw`, whose arguments it takes.

        Raises:
            ValueError: as :func:`difftui.diffusion.sample` does.
        """
        return draw(
            self,
            seeds,
            labels,
            sampler=sampler,
            steps=steps,
            temperature=temperature,
            guidance=guidance,
            eta=eta,
        )

    def drawing(
        self, sampler: str | None = None, steps: int | None = None, temperature: float | None = None
    ) -> tuple[str, int, float]:
        """As :meth:`Recipe.drawing`.

        Raises:
            DifftuiError: the sampler needs the noise, and the network cleans in one look.
        """
        chosen = self.recipe.drawing(sampler, steps, temperature)
        if getattr(self.model, "one_shot", False) and chosen[0] != "looped-x0":
            raise DifftuiError(
                f"{self.name} cleans a picture in one look and cannot tell the noise that {chosen[0]} needs. "
                "Leave out --sampler, or clean noisy digits: difftui denoise."
            )
        return chosen

    def guidance(self, labelled: bool, wanted: float | None = None) -> float:
        """Guidance to draw with: what is wanted, else the recipe's where there are labels.

        Raises:
            DifftuiError: guidance is wanted without labels, or of a network that cannot do without them.
        """
        if wanted is None:
            return self.recipe.guidance if labelled else 0.0
        if wanted and not labelled:
            raise DifftuiError(
                f"{self.name} draws without labels here: there is nothing to guide it towards."
            )
        if wanted and not self.recipe.label_drop:
            raise DifftuiError(f"{self.name} cannot be guided: its training hid no labels (label_drop 0).")
        return wanted


def load_model(source: str | Path, device: torch.device | str = "cpu") -> LoadedModel:
    """Load the network of a run, of a shipped checkpoint, or of a weights file.

    Args:
        source: the name of one of the user's runs or of a shipped checkpoint, a run's directory, or a
            weights file; looked for in this order. A file needs nothing beside it: its header has the recipe.
        device: where the network will compute.

    Raises:
        DifftuiError: there is no such thing, it has no weights yet, or the file is cut short, damaged, no
            checkpoint of difftui's, or holds other weights than its recipe tells.
    """
    path, name = _weights_file(source)
    header = read_metadata(path)
    try:
        recipe = Recipe.from_json(header["recipe"])
        schedule = make_schedule(recipe.schedule, recipe.timesteps, **recipe.schedule_options)
        model = models.build(recipe.model, **recipe.model_options)
        step = int(header["step"])
    except KeyError:
        raise DifftuiError(
            f"{path} is not a checkpoint of difftui's: its header names no recipe. Choose another."
        ) from None
    except (ValueError, RuntimeError) as error:  # RuntimeError: a size that no tensor can have
        raise DifftuiError(f"{path} cannot be used ({error}). Choose another.") from None
    model.load_state_dict(load_tensors(path, model.state_dict()))
    model = models.place(model.requires_grad_(False).eval(), device)
    return LoadedModel(model, recipe, schedule, step, name)


def _weights_file(source: str | Path) -> tuple[Path, str]:
    """The file that ``source`` means, and what to call it."""
    try:
        run = _run_at(source) if isinstance(source, Path) else find_run(source)
    except DifftuiError:
        if (Path(source) / "model_index.json").is_file():
            raise DifftuiError(
                f"{source} is a diffusers pipeline and no run: difftui sample --pipeline {source}"
            ) from None
        if not Path(source).is_file():
            raise
        path = Path(source).absolute()
        return path, path.parent.name if path.name == "weights.safetensors" else path.stem
    if not run.weights_path.is_file():
        raise DifftuiError(f"the run {run.name} has no weights yet. Train it first, or choose another.")
    return run.weights_path, run.name


def _run_at(path: Path) -> Run:
    if not (path / "recipe.json").is_file():
        raise DifftuiError(f"{path} is neither a run nor a weights file.")
    return Run(path.resolve())
