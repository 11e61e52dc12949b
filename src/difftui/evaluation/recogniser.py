"""The digit recogniser: the independent judge of every generated picture.

A small convolutional classifier, trained on real digits only and never used in training a diffusion model.
Its penultimate layer (128 numbers) is the feature space of the Fréchet distance in `frechet.py`.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from difftui import atomic
from difftui.data import load
from difftui.evaluation.frechet import save_statistics, statistics
from difftui.models import parameter_count
from difftui.paths import checkpoints_dir
from difftui.runs.checkpoint import load_tensors, save_tensors

UInt8 = npt.NDArray[np.uint8]

FEATURES = 128
NETWORK = "difftui recogniser, 128 features (32 channels x 4 quadrants)"


class Recogniser(nn.Module):
    """Digit classifier on 2x2 patches: two 3x3 convolutions at 14x14, three at 7x7, one linear layer.

    Input: float (B, 1, 28, 28) in [-1, 1]. Output: logits (B, 10).
    """

    def __init__(self) -> None:
        super().__init__()

        def block(inputs: int, outputs: int) -> nn.Sequential:
            convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
            return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())

        self.layers = nn.Sequential(
            nn.PixelUnshuffle(2),
            block(4, 32),
            block(32, 64),
            nn.MaxPool2d(2),
            block(64, 96),
            block(96, 96),
            block(96, FEATURES // 4),
            # The mean over each quadrant, not over the whole picture: the features keep a sense of place, and
            # the Fréchet distance sees more than the ten classes.
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Linear(FEATURES, 10)

    def features(self, x: Tensor) -> Tensor:
        """The penultimate layer: float (B, 128), each >= 0: the mean of a channel over a quadrant."""
        means: Tensor = self.layers(x)
        return means

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(F.dropout(self.features(x), 0.1, self.training))
        return logits


@dataclass(frozen=True)
class RecogniserRecipe:
    """Everything that decides the recogniser's weights, given the training digits."""

    epochs: int = 4
    batch_size: int = 128
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    rotation_degrees: float = 10.0
    scale: float = 0.1
    shear: float = 0.1
    shift_pixels: float = 2.0
    seed: int = 0


@dataclass(frozen=True)
class RecogniserProgress:
    """State after one step of training; `loss` is that batch's cross-entropy in nats (a scalar tensor)."""

    step: int
    steps: int
    loss: Tensor


def to_pictures(images: UInt8 | Tensor) -> Tensor:
    """uint8 (N, 28, 28), 0 = paper, 255 = ink -> float32 (N, 1, 28, 28) in [-1, 1]."""
    # Copied, since digits are read-only and torch warns of such arrays.
    tensor = torch.from_numpy(images.copy()) if isinstance(images, np.ndarray) else images
    if tensor.dtype != torch.uint8 or tensor.ndim != 3:
        raise ValueError(
            f"to_pictures wants uint8 digits of shape (N, 28, 28), got {tensor.dtype} {tuple(tensor.shape)}"
        )
    return tensor.unsqueeze(1).float() / 127.5 - 1.0


def augment(pictures: Tensor, recipe: RecogniserRecipe, generator: torch.Generator) -> Tensor:
    """A random affine change per picture (rotation, scale, shear, shift), bilinear, paper (-1) outside."""
    count = len(pictures)

    def uniform(limit: float) -> Tensor:
        return (torch.rand(count, generator=generator) * 2 - 1) * limit

    angle = uniform(math.radians(recipe.rotation_degrees))
    zoom, shear = 1 + uniform(recipe.scale), uniform(recipe.shear)
    # affine_grid measures shifts in half picture widths: 14 pixels to the unit.
    dx, dy = uniform(recipe.shift_pixels / 14), uniform(recipe.shift_pixels / 14)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    rows = [
        torch.stack([cos, shear * cos - sin, dx], dim=1),
        torch.stack([sin, shear * sin + cos, dy], dim=1),
    ]
    grid = F.affine_grid(torch.stack(rows, dim=1), list(pictures.shape), align_corners=False)
    # grid_sample pads with 0, so ink is moved to [0, 2] and back.
    return F.grid_sample(pictures + 1, grid, align_corners=False) - 1


def train_recogniser(
    images: UInt8, labels: UInt8, recipe: RecogniserRecipe, model: Recogniser
) -> Iterator[RecogniserProgress]:
    """Train `model` in place on uint8 digits (N, 28, 28) and labels (N,); one item a step.

    Cross-entropy, AdamW under a one-cycle learning rate. The caller seeds the model (`torch.manual_seed`
    before building it); the model is left in evaluation mode when the generator ends.

    Raises:
        ValueError: counts that differ, or fewer digits than one batch.
    """
    if len(images) != len(labels) or len(images) < recipe.batch_size:
        raise ValueError(
            f"{len(images)} digits, {len(labels)} labels: equal counts of at least one batch are needed"
        )
    pixels, targets = torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.int64))
    generator = torch.Generator().manual_seed(recipe.seed)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    per_epoch = len(images) // recipe.batch_size
    steps = recipe.epochs * per_epoch
    warm_up = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=steps, pct_start=0.2
    )
    model.train()
    for step in range(steps):
        place = step % per_epoch
        if place == 0:
            order = torch.randperm(len(images), generator=generator)
        chosen = order[place * recipe.batch_size : (place + 1) * recipe.batch_size]
        batch = augment(to_pictures(pixels[chosen]), recipe, generator)
        loss = F.cross_entropy(model(batch), targets[chosen])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        warm_up.step()
        yield RecogniserProgress(step + 1, steps, loss.detach())
    model.eval()


@torch.inference_mode()
def judge(model: Recogniser, pictures: Tensor, batch_size: int = 500) -> tuple[Tensor, Tensor]:
    """Features (N, 128) and class probabilities (N, 10), float32, of pictures (N, 1, 28, 28) in [-1, 1]."""
    if pictures.ndim != 4 or tuple(pictures.shape[1:]) != (1, 28, 28):
        raise ValueError(
            f"the recogniser judges pictures of shape (N, 1, 28, 28), not {tuple(pictures.shape)}"
        )
    features = torch.cat([model.features(part.float()) for part in torch.split(pictures, batch_size)])
    return features, model.head(features).softmax(dim=1)


def accuracy(model: Recogniser, images: UInt8, labels: UInt8) -> float:
    """Share of uint8 digits (N, 28, 28) whose most probable class is the label."""
    _, probabilities = judge(model, to_pictures(images))
    return float((probabilities.argmax(dim=1).numpy() == labels).mean())


def default_folder() -> Path:
    """Where the shipped recogniser lies: weights, recipe, metrics and the reference statistics."""
    return checkpoints_dir() / "recogniser"


def save_recogniser(model: Recogniser, folder: Path) -> None:
    """Write `weights.safetensors` (float32, 0.75 MB) into `folder`, atomically."""
    save_tensors(folder / "weights.safetensors", model.state_dict(), {"network": NETWORK})


def load_recogniser(folder: Path | None = None) -> Recogniser:
    """The recogniser from a folder (the shipped one by default), in evaluation mode.

    Raises DifftuiError where the weights are missing, damaged or of another net.
    """
    model = Recogniser()
    path = (folder or default_folder()) / "weights.safetensors"
    model.load_state_dict(load_tensors(path, model.state_dict()))
    return model.eval()


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m difftui.evaluation.recogniser`: train on full MNIST and write all that the report needs."""
    parser = argparse.ArgumentParser(prog="python -m difftui.evaluation.recogniser", description=main.__doc__)
    parser.add_argument(
        "--out", type=Path, default=default_folder(), help="folder to write (default: the shipped one)"
    )
    parser.add_argument(
        "--data", type=Path, help="folder with full MNIST (default: where difftui looks for it)"
    )
    parser.add_argument("--epochs", type=int, default=RecogniserRecipe.epochs)
    chosen = parser.parse_args(arguments)
    train, test = (load("mnist", split, data_dir=chosen.data) for split in ("train", "test"))
    recipe = RecogniserRecipe(epochs=chosen.epochs)
    torch.manual_seed(recipe.seed)
    model = Recogniser()
    started = time.perf_counter()
    for progress in train_recogniser(train.images, train.labels, recipe, model):
        if progress.step % 100 == 0 or progress.step == progress.steps:
            print(f"step {progress.step}/{progress.steps}  loss {progress.loss.item():.4f}", flush=True)  # noqa: T201
    seconds = time.perf_counter() - started
    save_recogniser(model, chosen.out)
    features, _ = judge(model, to_pictures(train.images))
    save_statistics(statistics(features.numpy()), chosen.out / "reference.safetensors")
    metrics = {
        "test_accuracy": accuracy(model, test.images, test.labels),
        "test_digits": len(test),
        "train_digits": len(train),
        "parameters": parameter_count(model),
        "seconds": round(seconds, 1),
        "threads": torch.get_num_threads(),
    }
    atomic.write_text(chosen.out / "recipe.json", json.dumps(asdict(recipe), indent=2) + "\n")
    atomic.write_text(chosen.out / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    print(json.dumps(metrics))  # noqa: T201


if __name__ == "__main__":
    main()
