"""The state of one training in memory, and the one thing that changes it: an optimiser step."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from difftui import models
from difftui.data import Digits, Pictures
from difftui.diffusion import make_schedule
from difftui.errors import DifftuiError
from difftui.models.side_by_side import Split, choose_split, with_threads
from difftui.training.distributed import ALONE, World
from difftui.training.ema import Ema
from difftui.training.garbage import spare_what_is_loaded
from difftui.training.objective import Objective
from difftui.training.precision import resolve_precision
from difftui.training.preparing import prepared
from difftui.training.recipe import Recipe
from difftui.training.seeding import derived_seed, generator
from difftui.training.step import (
    Batch,
    Gradients,
    RecordedStep,
    Shards,
    StaticStep,
    Whole,
    keep_freed_memory,
)

__all__ = ["Trainer"]


class Trainer:
    """The state of one training in memory: network, optimiser, average, position.

    Every random draw is a function of (seed, purpose, position), so this state is all there is to save. It is
    the same in all processes of a ``world`` that trains together.
    """

    def __init__(
        self, recipe: Recipe, digits: Digits | Pictures, device: torch.device, world: World = ALONE
    ) -> None:
        spare_what_is_loaded()
        self.recipe = recipe
        pictures = prepared(recipe, digits)
        self.device = device
        self.world = world
        self.schedule = make_schedule(recipe.schedule, recipe.timesteps, **recipe.schedule_options)
        self.objective = Objective(self.schedule, recipe, device)
        self.precision = resolve_precision(recipe.precision, device)
        self.model = models.place(_build_model(recipe), device)
        self.model.train()
        self._network = world.wrap(self.model)
        self.num_classes: int | None = self.model.num_classes  # type: ignore[assignment]
        _check_fit(self.model, pictures)
        self.split = self._own_split()
        if device.type == "cpu":
            keep_freed_memory()
        self._records = device.type == "cuda" and world.size == 1
        self._gradients: Gradients | None = None
        self._static: StaticStep | None = None
        self.weights = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            self.weights,
            lr=torch.tensor(recipe.learning_rate, device=device) if self._records else recipe.learning_rate,
            betas=recipe.adam_betas,
            weight_decay=recipe.weight_decay,
            fused=True,
            capturable=self._records,
        )
        self.ema = Ema(self.weights, recipe.ema_decay) if recipe.ema_decay is not None else None
        self.images = torch.from_numpy(pictures.images.copy()).to(device)
        labels = np.zeros(len(pictures), np.int64) if pictures.labels is None else pictures.labels.copy()
        self.labels = torch.from_numpy(labels).to(device)
        self.steps_per_epoch = recipe.steps_per_epoch(len(self.images))
        self.total_steps = recipe.total_steps(len(self.images))
        self.step = 0
        self.images_seen = 0
        self.seconds = 0.0
        self._order = torch.empty(0, dtype=torch.long, device=device)
        self._order_epoch = -1

    @property
    def fraction(self) -> float:
        """Share of the budget done, 0 to 1."""
        if self.total_steps is not None:
            return min(1.0, self.step / self.total_steps)
        assert self.recipe.minutes is not None  # the recipe has exactly one budget
        return min(1.0, self.seconds / (60 * self.recipe.minutes))

    def learning_rate(self) -> float:
        """Step size of the next step: linear warm-up, then constant or a half cosine down to 0."""
        rate = self.recipe.learning_rate
        if self.step < self.recipe.warmup_steps:
            return rate * (self.step + 1) / self.recipe.warmup_steps
        if self.recipe.decay == "cosine":
            return rate * 0.5 * (1 + math.cos(math.pi * self.fraction))
        return rate

    def train_step(self) -> Tensor:
        """One optimiser step. Returns the batch's mean loss, still on the device."""
        with with_threads(self.split) if self.split.shards > 1 else nullcontext():
            self._set_rate(self.learning_rate())
            batch = self._draw()
            if self.ema is not None:
                self.ema.advance()
            loss = self._execute(batch)
        self.step += 1
        self.images_seen += len(batch)
        return loss

    def autocast(self) -> AbstractContextManager[Any]:
        """In this block the network's layers compute in the recipe's precision."""
        return torch.autocast(
            self.device.type,
            torch.bfloat16,
            enabled=self.precision == "bf16",
            cache_enabled=False,  # one cache for all threads; and no weight is used twice in a step
        )

    def gradient_norm(self) -> Tensor | None:
        """Euclidean norm of the newest step's whole gradient, still on the device; None before the first."""
        gradients = [w.grad for w in self.weights if w.grad is not None]
        if not gradients:
            return None
        norm: Tensor = torch.stack(torch._foreach_norm(gradients)).norm()
        return norm

    def sampling_model(self, into: nn.Module | None = None) -> nn.Module:
        """A copy of the network with :meth:`sampling_weights`, in evaluation mode.

        Args:
            into: an earlier copy to fill again, or None to build one.
        """
        if into is None:
            recipe = self.recipe
            into = models.place(models.build(recipe.model, **recipe.model_options), self.device)
        into.load_state_dict(self.sampling_weights())
        return into.eval()

    def sampling_weights(self) -> dict[str, Tensor]:
        """The weights that sampling uses, by name: the average where the recipe keeps one."""
        state = dict(self.model.state_dict())
        if self.ema is not None:
            names = [name for name, p in self.model.named_parameters() if p.requires_grad]
            state.update(zip(names, self.ema.average, strict=True))
        return state

    def tensors(self) -> dict[str, Tensor]:
        """Everything that resuming needs, by name (the live tensors, not copies)."""
        named = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for index, weight in enumerate(self.weights):
            moments = self.optimiser.state[weight]
            if not moments:  # before the first step Adam has none
                moments = {
                    "step": torch.zeros((), dtype=torch.float32, device=self.device),
                    "exp_avg": torch.zeros_like(weight, memory_format=torch.preserve_format),
                    "exp_avg_sq": torch.zeros_like(weight, memory_format=torch.preserve_format),
                }
                self.optimiser.state[weight] = moments
            for key in ("step", "exp_avg", "exp_avg_sq"):
                named[f"adam.{index}.{key}"] = moments[key]
            if self.ema is not None:
                named[f"ema.{index}"] = self.ema.average[index]
        return named

    def position(self) -> dict[str, Any]:
        """The numbers that go with :meth:`tensors`."""
        return {
            "step": self.step,
            "images_seen": self.images_seen,
            "seconds": self.seconds,
            "ema_updates": self.ema.updates if self.ema is not None else 0,
            "precision": self.precision,
            "images": len(self.images),
            "shards": self.split.shards,
            "shard_threads": self.split.threads,
        }

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor], position: dict[str, Any]) -> None:
        """Go on from what :meth:`tensors` and :meth:`position` gave.

        Raises:
            KeyError, ValueError, TypeError: not such a position; nothing has changed.
        """
        step, seen = int(position["step"]), int(position["images_seen"])
        seconds, updates = float(position["seconds"]), int(position["ema_updates"])
        split = self.split
        if self.device.type == "cpu" and self.world.size == 1 and "shards" in position:
            split = Split(int(position["shards"]), int(position["shard_threads"]))
        for name, tensor in self.tensors().items():
            tensor.copy_(tensors[name])
        if split != self.split:
            self.split, self._gradients = split, None
        self.step, self.images_seen, self.seconds = step, seen, seconds
        if self.ema is not None:
            self.ema.updates = updates

    def _draw(self) -> Batch:
        """Everything random of the next step."""
        x0, label = self._images()
        draws = generator(self.device, self.recipe.seed, "noise", self.step)
        t = self.objective.draw_timesteps(len(x0), draws)
        eps = torch.randn(x0.shape, generator=draws, device=self.device)
        if label is not None and self.num_classes is not None:
            hidden = torch.rand(len(x0), generator=draws, device=self.device) < self.recipe.label_drop
            label = label.masked_fill(hidden, self.num_classes)
        return Batch(x0, eps, t, label)

    def _execute(self, batch: Batch) -> Tensor:
        """Network, gradient, optimiser and average; returns the loss."""
        if not self._records or len(batch) != min(self.recipe.batch_size, len(self.images)):
            return self._body(batch)
        if self._static is None:
            self._static = RecordedStep(self._body, batch, self.weights)
        return self._static(batch)

    def _body(self, batch: Batch) -> Tensor:
        if self._gradients is None:
            if self.split.shards > 1:
                self._gradients = Shards(self._losses, self.weights, self.split)
            else:
                self._gradients = Whole(self._losses, self.weights, self.world)
        loss = self._gradients(batch)
        self.optimiser.step()
        if self.ema is not None:
            self.ema.blend(self.weights)
        return loss

    def _losses(self, batch: Batch) -> Tensor:
        with self.autocast():
            return self.objective.loss(self._network, batch.x0, batch.label, batch.t, batch.eps)

    def _own_split(self) -> Split:
        if self.device.type == "cpu" and self.world.size == 1:
            return choose_split(torch.get_num_threads())
        return Split()

    def _set_rate(self, rate: float) -> None:
        for group in self.optimiser.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)  # a recorded step reads it on the device
            else:
                group["lr"] = rate

    def _images(self) -> tuple[Tensor, Tensor | None]:
        """Images in [-1, 1], (B, C, H, W), and their labels; every image once an epoch, in a seeded order."""
        epoch, index = divmod(self.step, self.steps_per_epoch)
        if epoch != self._order_epoch:
            order = torch.Generator().manual_seed(derived_seed(self.recipe.seed, "order", epoch))
            self._order = torch.randperm(len(self.images), generator=order).to(self.device)
            self._order_epoch = epoch
        size = self.recipe.batch_size
        chosen = self._order[index * size : (index + 1) * size]
        x0 = self.images.index_select(0, chosen).float().div_(127.5).sub_(1.0)
        label = self.labels.index_select(0, chosen) if self.num_classes is not None else None
        return x0, label


def _check_fit(model: nn.Module, pictures: Pictures) -> None:
    """Raise DifftuiError unless the network takes such pictures and knows as many classes as they have."""
    drawn, given = tuple(model.image_shape), pictures.shape  # type: ignore[arg-type]
    if drawn != given:
        raise DifftuiError(
            f"the network draws pictures of shape {drawn}, and {pictures.source} has {given}. "
            "Train another preset, or choose other data."
        )
    known: int | None = model.num_classes  # type: ignore[assignment]
    if known is not None and (pictures.num_classes is None or pictures.num_classes > known):
        raise DifftuiError(
            f"the network learns {known} classes, {pictures.source} has {pictures.num_classes or 'none'}. "
            "Train another preset, or choose other data."
        )


def _build_model(recipe: Recipe) -> nn.Module:
    """The network with weights drawn from the recipe's seed; the global random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(recipe.seed, "weights"))
        return models.build(recipe.model, **recipe.model_options)
