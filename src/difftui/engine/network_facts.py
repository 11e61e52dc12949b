"""What can be told of a loaded network without asking it anything, and the pictures to show it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion.ladder import Ladder
from difftui.errors import DifftuiError

if TYPE_CHECKING:
    from difftui.data import Pictures
    from difftui.training.loading import LoadedModel

__all__ = ["NetworkFacts", "as_shown", "loss_of", "network_facts", "pictures_for"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class NetworkFacts:
    """What can be told of a network without asking it anything.

    Attributes:
        name: of the run.
        live: whether it is being trained now.
        step: optimiser steps behind its weights.
        model: its kind ("toy-unet").
        target, data: as its recipe has them.
        takes_time: whether it is told the time; ``one_shot``: whether it cleans in one look.
        ladder: at what noise it can be asked.
        shape: of a picture, (C, H, W).
        classes: names of the classes of its digits; ("",) where they have none.
        told_label: whether it must be told the class of a digit.
        filters: (N, H, W), or (N, H, W, 3), each scaled so that its largest weight is 1 or -1.
        parts: the network's parts and how many numbers each learned; ``parameters`` their sum.
        kernels: of those, how many are of 3x3 convolutions.
        claimed: the number of parameters that its lab claims, and ``goal`` the loss it is to reach, or None.
        loss: mean loss of the last 100 steps or so of its training, or None where that is not known.
    """

    name: str
    live: bool
    step: int
    model: str
    target: str
    data: str
    takes_time: bool
    one_shot: bool
    ladder: Ladder
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    told_label: bool
    filters: Floats
    parts: tuple[tuple[str, int], ...]
    kernels: int
    claimed: int | None
    goal: float | None
    loss: float | None

    @property
    def parameters(self) -> int:
        """All the numbers that it learned."""
        return sum(count for _, count in self.parts)

    @property
    def kibibytes(self) -> float:
        """What they take as 32-bit floats, in units of 1024 bytes, which Keras calls KB."""
        return self.parameters * 4 / 1024


def pictures_for(loaded: LoadedModel) -> tuple[Pictures, bool]:
    """Pictures as the network takes them, and whether it has never seen them.

    Raises:
        DifftuiError: they are of another size than the network takes, or not on this machine.
    """
    from difftui.data import held_out_pictures, load_pictures

    recipe = loaded.recipe
    held = held_out_pictures(recipe.data)
    pictures = held or load_pictures(recipe.data, size=recipe.image_size)
    try:
        pictures = pictures.prepared(recipe.image_size, recipe.classes)
    except ValueError as error:
        raise DifftuiError(f"{loaded.name} cannot be shown these pictures: {error}.") from None
    shape: tuple[int, int, int] = loaded.model.image_shape  # type: ignore[assignment]
    if pictures.shape != shape:
        raise DifftuiError(
            f"{loaded.name} takes pictures of {_told(shape)}, and these are {_told(pictures.shape)}: "
            f"{pictures.source}."
        )
    return pictures, held is not None


def _told(shape: tuple[int, int, int]) -> str:
    return f"{shape[1]}x{shape[2]}{'' if shape[0] == 1 else ' in colour'}"


def loss_of(source: str | Path) -> float | None:
    """The mean training loss of the last hundred steps, see :func:`difftui.runs.last_loss`."""
    from difftui.runs import Run, find_run, last_loss

    try:
        run = find_run(source) if isinstance(source, str) else Run(source)
    except DifftuiError:
        return None
    return last_loss(run.metrics.path)


def network_facts(loaded: LoadedModel, live: bool, pictures: Pictures, loss: float | None) -> NetworkFacts:
    """What can be told of a loaded network that is shown such pictures; ``loss`` is its training's."""
    from difftui.models.inside import claims, first_filters, kernel_count, parts

    model, recipe = loaded.model, loaded.recipe
    one_shot = bool(getattr(model, "one_shot", False))
    filters = first_filters(model).float().cpu().numpy()
    largest = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    claimed, goal = claims(model)
    return NetworkFacts(
        name=loaded.name,
        live=live,
        step=loaded.step,
        model=recipe.model,
        target=recipe.target,
        data=recipe.data,
        takes_time=not one_shot and bool(getattr(model, "time", True)),
        one_shot=one_shot,
        ladder=Ladder(loaded.schedule, one_shot),
        shape=pictures.shape,
        classes=pictures.classes if pictures.labels is not None else ("",),
        told_label=getattr(model, "num_classes", None) is not None and recipe.label_drop == 0,
        filters=as_shown(filters / np.maximum(largest, 1e-12)),
        parts=parts(model),
        kernels=kernel_count(model),
        claimed=claimed,
        goal=goal if recipe.target == "eps" else None,
        loss=loss,
    )


def as_shown(pictures: NDArray[Any]) -> Floats:
    """(N, C, H, W) as screens take them: (N, H, W), or (N, H, W, 3) in colour."""
    moved = pictures[:, 0] if pictures.shape[1] != 3 else pictures.transpose(0, 2, 3, 1)
    result: Floats = np.ascontiguousarray(moved, dtype=np.float32)
    return result
