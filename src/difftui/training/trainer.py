"""The training loop: a generator that yields after every optimiser step."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from difftui import models
from difftui.data import Digits
from difftui.diffusion import make_schedule
from difftui.errors import DifftuiError
from difftui.runs import Run, State, Status
from difftui.runs.checkpoint import load_tensors, read_metadata, save_tensors
from difftui.training.ema import Ema
from difftui.training.objective import Objective
from difftui.training.precision import resolve_precision
from difftui.training.recipe import Recipe
from difftui.training.seeding import derived_seed, generator

__all__ = ["Progress", "Session", "Trainer", "train"]

REPORT_SECONDS = 0.1  # losses leave the device this often: one synchronisation, not one a step
SAVE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands after a step.

    Attributes:
        step: optimiser steps done.
        total_steps: steps in all; None when the budget is a time.
        epoch: passes over the data done, as a fraction.
        fraction: share of the budget done, 0 to 1.
        images: training images seen.
        seconds: time spent training, earlier sessions included, pauses not.
        losses: losses of the steps since the last event that had any, oldest first; empty in between.
        images_per_second: over the last few seconds.
        learning_rate: of the step just done.
        saved_step: step of the newest state on disk; None if there is none.
    """

    step: int
    total_steps: int | None
    epoch: float
    fraction: float
    images: int
    seconds: float
    losses: tuple[float, ...]
    images_per_second: float
    learning_rate: float
    saved_step: int | None

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the training time that is left; None before there is anything to estimate from."""
        return self.seconds * (1 - self.fraction) / self.fraction if self.fraction > 0 else None


class Trainer:
    """The state of one training in memory: network, optimiser, average, position.

    Every random draw is a function of (seed, purpose, position), so this state is all there is to save.
    """

    def __init__(self, recipe: Recipe, digits: Digits, device: torch.device) -> None:
        self.recipe = recipe
        self.device = device
        self.schedule = make_schedule(recipe.schedule, recipe.timesteps, **recipe.schedule_options)
        self.objective = Objective(self.schedule, recipe, device)
        self.precision = resolve_precision(recipe.precision, device)
        self.model = models.place(_build_model(recipe), device)
        self.model.train()
        self.num_classes: int | None = self.model.num_classes  # type: ignore[assignment]
        self.weights = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            self.weights,
            lr=recipe.learning_rate,
            betas=recipe.adam_betas,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.ema = Ema(self.weights, recipe.ema_decay) if recipe.ema_decay is not None else None
        self.images = torch.from_numpy(digits.images.copy()).to(device).unsqueeze(1)
        self.labels = torch.from_numpy(digits.labels.copy()).to(device).long()
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
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
        x0, label = self._batch()
        draws = generator(self.device, self.recipe.seed, "noise", self.step)
        t = self.objective.draw_timesteps(len(x0), draws)
        eps = torch.randn(x0.shape, generator=draws, device=self.device)
        if label is not None and self.num_classes is not None:
            hidden = torch.rand(len(x0), generator=draws, device=self.device) < self.recipe.label_drop
            label = label.masked_fill(hidden, self.num_classes)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            loss = self.objective.loss(self.model, x0, label, t, eps).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        if self.ema is not None:
            self.ema.update(self.weights)
        self.step += 1
        self.images_seen += len(x0)
        return loss.detach()

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
        }

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor], position: dict[str, Any]) -> None:
        """Go on from what :meth:`tensors` and :meth:`position` gave.

        Raises:
            KeyError, ValueError, TypeError: not such a position; nothing has changed.
        """
        step, seen = int(position["step"]), int(position["images_seen"])
        seconds, updates = float(position["seconds"]), int(position["ema_updates"])
        for name, tensor in self.tensors().items():
            tensor.copy_(tensors[name])
        self.step, self.images_seen, self.seconds = step, seen, seconds
        if self.ema is not None:
            self.ema.updates = updates

    def _batch(self) -> tuple[Tensor, Tensor | None]:
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


def train(
    recipe: Recipe,
    run: Run | None = None,
    *,
    digits: Digits | None = None,
    device: torch.device | str = "cpu",
    resume: bool = False,
) -> Generator[Progress, None, None]:
    """Train by ``recipe``, one optimiser step a ``next()``.

    With a ``run``, the state is saved every 30 s, at the end, and when the generator is closed; metrics are
    appended as they leave the device. Not pulling is pausing: it costs nothing and counts as no time.

    Args:
        recipe: what to train.
        run: directory to keep it in; None keeps nothing.
        digits: training images; None loads what ``recipe.data`` names.
        device: where to compute.
        resume: go on from the run's newest whole state.

    Raises:
        DifftuiError: the run is being trained elsewhere, cannot be written, has no usable state to resume or
            began with other data; the device has not enough memory; or the loss is no finite number any more.
    """
    yield from Session(recipe, run, digits=digits, device=device).events(resume=resume)


class Session:
    """One sitting of a training: the trainer, its run on disk, and the clock between them.

    ``trainer`` is open to whoever holds the session and works in the same thread (the engine samples from the
    weights between two steps). Arguments are those of :func:`train`.
    """

    def __init__(
        self,
        recipe: Recipe,
        run: Run | None = None,
        *,
        digits: Digits | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        if digits is None:
            from difftui.data import load

            digits = load(recipe.data)
        self.run = run
        self.trainer = Trainer(recipe, digits, torch.device(device))
        self.unread: list[Tensor] = []
        self.recent: list[tuple[int, float]] = []
        self.saved_step: int | None = None

    def events(self, *, resume: bool = False) -> Generator[Progress]:
        """The training as a generator; see :func:`train`."""
        with ExitStack() as held:
            if self.run is not None:
                held.enter_context(self.run.lock())
            try:
                yield from self._sitting(resume)
            except OSError as error:
                raise self._unwritable(error) from error
            except torch.cuda.OutOfMemoryError:
                raise DifftuiError(
                    f"{self.trainer.device} has not enough free memory for this. "
                    "Use a smaller batch or another device."
                ) from None

    def _unwritable(self, error: OSError) -> DifftuiError:
        """What the user reads when the run's directory refuses."""
        if self.run is None:
            return DifftuiError(f"the training stopped: {error.strerror or error}.")
        if not self.run.path.is_dir():
            return DifftuiError(f"{self.run.path} was removed while it trained. Train a new run.")
        kept = f"Step {self.saved_step} is kept" if self.saved_step else "Nothing was saved yet"
        return DifftuiError(
            f"{self.run.path} cannot be written ({error.strerror or error}). "
            f"{kept}: make room, then resume the run."
        )

    def _sitting(self, resume: bool) -> Generator[Progress, None, None]:
        trainer = self.trainer
        if resume:
            self._restore()
        self._write_status("training")
        last_report = last_save = time.monotonic()
        try:
            while trainer.fraction < 1:
                began = time.perf_counter()
                self.unread.append(trainer.train_step())
                trainer.seconds += time.perf_counter() - began
                now = time.monotonic()
                save_due = now - last_save >= SAVE_SECONDS
                losses: tuple[float, ...] = ()
                if save_due or now - last_report >= REPORT_SECONDS or self._at_end():
                    losses, last_report = self._read_losses(), now
                    self._record(losses)
                if save_due:  # after its losses were seen to be numbers
                    self.save("training")
                    last_save = time.monotonic()
                yield self._progress(losses)
            self.save("finished")
        except GeneratorExit:
            self._record(self._read_losses())
            self.save("stopped")
            raise

    def save(self, state: State) -> None:
        """Write state, weights and status; each file is whole at every moment.

        Raises:
            DifftuiError: the weights are no numbers any more; what was saved before is kept.
        """
        if self.run is None:
            return
        trainer = self.trainer
        newest, previous = self.run.state_paths
        if trainer.step != self.saved_step:
            if not bool(torch.stack([w.isfinite().all() for w in trainer.weights]).all()):
                self._diverged("a weight is not a finite number", trainer.step)
            if newest.exists():
                newest.replace(previous)
            save_tensors(newest, trainer.tensors(), {"position": json.dumps(trainer.position())})
            save_tensors(self.run.weights_path, trainer.sampling_weights(), self._weights_header())
            self.saved_step = trainer.step
        self._write_status(state)

    def _weights_header(self) -> dict[str, str]:
        return {"recipe": self.trainer.recipe.to_json(), "step": str(self.trainer.step)}

    def _write_status(self, state: State, message: str = "") -> None:
        if self.run is None:
            return
        step = self.saved_step or 0 if state == "failed" else self.trainer.step
        self.run.write_status(Status(state, step, self.trainer.fraction, self.trainer.seconds, message))

    def _restore(self) -> None:
        """Load the newest whole state; a damaged one is set aside for the one before it."""
        if self.run is None:
            raise ValueError("there is nothing to resume without a run")
        newest, previous = self.run.state_paths
        if not (newest.exists() or previous.exists() or self.run.weights_path.exists()):
            self.run.metrics.cut_after(0)  # it ended before its first save: begin again
            return
        problems = []
        for path in (newest, previous):
            try:
                tensors = load_tensors(path, self.trainer.tensors())
                position = json.loads(read_metadata(path)["position"])
                if not isinstance(position, dict):
                    raise ValueError("not a position")
                self._check_data(position)
                self.trainer.restore(tensors, position)
            except DifftuiError as error:
                problems.append(str(error))
                continue
            except (KeyError, ValueError, TypeError):
                problems.append(f"{path} is not the state of a training.")
                continue
            if path is previous and newest.exists():  # else the next save would push out the good one
                newest.replace(newest.with_name("damaged.safetensors"))
            self.saved_step = self.trainer.step
            self.run.metrics.cut_after(self.trainer.step)
            return
        raise DifftuiError(f"the run {self.run.name} cannot be resumed: {problems[0]}")

    def _check_data(self, position: dict[str, Any]) -> None:
        """Other data would silently be another training: the order of the images hangs on their number."""
        here = len(self.trainer.images)
        began = position.get("images", here)  # the earliest states lack it
        if began != here:
            raise DifftuiError(
                f"it began with {began} images, and there are {here} now. Give it the data it began with "
                f"by --data (its recipe says {self.trainer.recipe.data!r})."
            )

    def _at_end(self) -> bool:
        return self.trainer.fraction >= 1

    def _read_losses(self) -> tuple[float, ...]:
        """Fetch the losses that wait on the device, in one transfer."""
        if not self.unread:
            return ()
        began = time.perf_counter()
        losses = tuple(torch.stack(self.unread).tolist())
        self.trainer.seconds += time.perf_counter() - began
        self.unread.clear()
        return losses

    def _record(self, losses: tuple[float, ...]) -> None:
        """Append a line of metrics, and stop if a loss is not a number."""
        if not losses:
            return
        trainer = self.trainer
        self.recent = [*self.recent[-40:], (trainer.images_seen, trainer.seconds)]
        for index, loss in enumerate(losses):
            if not math.isfinite(loss):
                self._diverged(f"the loss is {loss}", trainer.step - len(losses) + index + 1)
        if self.run is not None:
            self.run.metrics.append(
                {
                    "step": trainer.step,
                    "seconds": round(trainer.seconds, 3),
                    "loss": round(sum(losses) / len(losses), 6),
                    "low": round(min(losses), 6),
                    "high": round(max(losses), 6),
                }
            )

    def _diverged(self, what: str, step: int) -> NoReturn:
        rate = self.trainer.optimiser.param_groups[0]["lr"]
        message = f"{what} at step {step} (learning rate {rate:.2g}). Train a new run with a smaller one."
        if self.saved_step:
            message += f" The last good state, step {self.saved_step}, is kept."
        self._write_status("failed", message)
        raise DifftuiError(message)

    def _progress(self, losses: tuple[float, ...]) -> Progress:
        trainer = self.trainer
        return Progress(
            step=trainer.step,
            total_steps=trainer.total_steps,
            epoch=trainer.step / trainer.steps_per_epoch,
            fraction=trainer.fraction,
            images=trainer.images_seen,
            seconds=trainer.seconds,
            losses=losses,
            images_per_second=self._rate(),
            learning_rate=trainer.optimiser.param_groups[0]["lr"],
            saved_step=self.saved_step,
        )

    def _rate(self) -> float:
        if len(self.recent) < 2:
            return self.trainer.images_seen / self.trainer.seconds if self.trainer.seconds else 0.0
        (images_0, seconds_0), (images_1, seconds_1) = self.recent[0], self.recent[-1]
        return (images_1 - images_0) / max(seconds_1 - seconds_0, 1e-9)


def _build_model(recipe: Recipe) -> nn.Module:
    """The network with weights drawn from the recipe's seed; the global random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(recipe.seed, "weights"))
        return models.build(recipe.model, **recipe.model_options)
