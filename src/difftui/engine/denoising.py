"""One network and real digits on a bench: single looks, repeated looks, its first layer, its error by noise.

The network stays loaded while the screen asks for one thing after another. What it wants lies in a latch
(:class:`Wishes`); :meth:`Job.step` asks for a view of the newest wish, and nothing runs in between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion.ladder import Ladder
from difftui.engine.engine import Workbench
from difftui.errors import DifftuiError

if TYPE_CHECKING:
    from torch import Tensor

    from difftui.data import Pictures
    from difftui.evaluation.by_noise import ErrorCurve
    from difftui.training.loading import LoadedModel

__all__ = [
    "REPEATS",
    "DenoisingView",
    "NetworkFacts",
    "NoiseErrors",
    "Repeats",
    "SingleLooks",
    "Wish",
    "Wishes",
    "last_loss",
    "network_facts",
    "pictures_for",
    "psnr",
    "start_denoising",
    "start_measuring",
    "weighed_loss",
]

Floats = NDArray[np.float32]

REPEATS = 12
"""How often a network is shown its own answer; the lecture did it five times."""

LOSS_STEPS = 100
MEASURED = 64  # held-out digits behind an error curve at its end


@dataclass(frozen=True, slots=True)
class Wish:
    """What to look at.

    Attributes:
        label: class of the digit; pictures without classes have only class 0.
        example: which of its class, counted round.
        seed: of the noise.
        rungs: how noisy, a look each (see :class:`Ladder`); none takes the ladder's usual four.
        chosen: index among ``rungs`` of the noise for looking again and again.
        again: whether that is wanted.
    """

    label: int = 7
    example: int = 0
    seed: int = 0
    rungs: tuple[int, ...] = ()
    chosen: int = 0
    again: bool = False


class Wishes:
    """A latch: what is wanted newest. Anyone may set it; the engine's thread reads it."""

    def __init__(self, wish: Wish) -> None:
        self.newest = wish


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


@dataclass(frozen=True, eq=False, slots=True)
class SingleLooks:
    """One look at each of several noise levels. Errors are in pixels of [0, 1].

    Attributes:
        clean: (H, W) or (H, W, 3) in [-1, 1].
        shown: (L, H, W …) the noisy pictures: x_t, and for a one-shot network clean + noise.
        cleaned: (L, H, W …) the answers, in [-1, 1].
        error: (L,) mean squared error of the answers; ``untouched`` of the noisy pictures, held within
            [-1, 1] after the signal was brought back to its size.
    """

    clean: Floats
    shown: Floats
    cleaned: Floats
    error: tuple[float, ...]
    untouched: tuple[float, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Repeats:
    """Shown its own answers again and again: once from a noisy digit, once from noise alone.

    Attributes:
        rung: how noisy the first one was.
        pictures: (2, 1 + REPEATS, H, W …): what it was shown first, then each answer; row 0 from the digit.
        moved: (2, REPEATS) mean absolute change by each look, in pixels of [0, 1].
        error: (REPEATS,) mean squared error of the answers in row 0, likewise.
    """

    rung: int
    pictures: Floats
    moved: NDArray[np.float64]
    error: NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class DenoisingView:
    """A network and what it makes of one digit.

    Attributes:
        wish: what this answers, with its rungs and its example as they were taken.
        network: facts.
        index: of the digit among those that are looked at, ``count`` how many of its class there are.
        source: where the digits come from, and ``unseen`` whether training never saw them.
        looks, repeats: the answers; ``repeats`` is None where it was not wished for.
    """

    wish: Wish
    network: NetworkFacts
    index: int
    count: int
    source: str
    unseen: bool
    looks: SingleLooks
    repeats: Repeats | None


@dataclass(frozen=True, eq=False, slots=True)
class NoiseErrors:
    """Error by noise of a network, and of what it is compared with.

    Attributes:
        told: the wrong time that ``fixed`` is told everywhere.
        own: as it should be asked; ``fixed``: told one time, None where it is told none at all.
        other: of the network that differs from it by the time input, or None.
        steps: optimiser steps behind the network's weights and behind those of the other (0 for none).
    """

    told: int
    own: ErrorCurve
    fixed: ErrorCurve | None
    other: ErrorCurve | None
    steps: tuple[int, int]


def psnr(error: float) -> float:
    """Peak signal to noise ratio in dB of a mean squared error in pixels of [0, 1]: -10 log10(error)."""
    return float("inf") if error <= 0 else float(-10 * np.log10(error))


def start_denoising(
    source: str | Path, wishes: Wishes
) -> Callable[[Workbench], Iterator[DenoisingView | None]]:
    """Work for :meth:`Engine.submit`, to be stepped: each event is a view of the newest wish.

    Args:
        source: the network, as :class:`difftui.engine.sampling.SamplingRequest` names it.
        wishes: where what is wanted lies.
    """

    def start(bench: Workbench) -> Iterator[DenoisingView | None]:
        return _denoise(bench, source, wishes)

    return start


def start_measuring(
    source: str | Path, other: str | Path | None, told: int
) -> Callable[[Workbench], Iterator[NoiseErrors | None]]:
    """Work for :meth:`Engine.submit`: curves that every event sharpens.

    Args:
        source: the network.
        other: one that differs by being told the time, or None.
        told: the time that a network which takes one is told everywhere, for comparison.
    """

    def start(bench: Workbench) -> Iterator[NoiseErrors | None]:
        return _measure(bench, source, other, told)

    return start


def _denoise(bench: Workbench, source: str | Path, wishes: Wishes) -> Iterator[DenoisingView | None]:
    from difftui.engine.sampling import network_of

    loaded, live = network_of(bench, source)
    pictures, unseen = pictures_for(loaded)
    facts = network_facts(loaded, live, pictures, last_loss(source))
    view: DenoisingView | None = None
    asked: Wish | None = None
    while True:
        wish = wishes.newest
        if view is None or wish != asked:
            wish, asked = _settled(wish, facts, pictures), wish
            members = _members(pictures, wish.label)
            index = int(members[wish.example])
            label = wish.label if facts.told_label else None
            looks = _looks(loaded, facts.ladder, pictures, index, wish, label)
            repeats: Repeats | None = None
            if wish.again:
                repeats = yield from _repeats(loaded, facts.ladder, pictures, index, wish, label)
            view = DenoisingView(wish, facts, index, len(members), pictures.source, unseen, looks, repeats)
        yield view


def _settled(wish: Wish, facts: NetworkFacts, pictures: Pictures) -> Wish:
    """The wish with rungs, a class and an example that there are."""
    rungs = tuple(facts.ladder.held(rung) for rung in wish.rungs) or facts.ladder.usual
    label = wish.label % len(facts.classes)
    example = wish.example % len(_members(pictures, label))
    return replace(wish, rungs=rungs, label=label, example=example, chosen=wish.chosen % len(rungs))


def _members(pictures: Pictures, label: int) -> NDArray[np.intp]:
    """Which pictures are of a class; all, where there are no classes or none of this one."""
    everything = np.arange(len(pictures))
    if pictures.labels is None:
        return everything
    members = np.flatnonzero(pictures.labels == label)
    return members if len(members) else everything


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
            f"{loaded.name} takes pictures of {_told(shape)}, and {pictures.source} has "
            f"{_told(pictures.shape)}."
        )
    return pictures, held is not None


def _told(shape: tuple[int, int, int]) -> str:
    return f"{shape[1]}x{shape[2]}{'' if shape[0] == 1 else ' in colour'}"


def last_loss(source: str | Path) -> float | None:
    """The mean of the last metrics, each weighed by its steps, back to 100 steps before the last."""
    from difftui.runs import Run, find_run, read_metrics

    try:
        run = find_run(source) if isinstance(source, str) else Run(source)
        rows = deque((row for row in read_metrics(run.metrics.path) if "loss" in row), maxlen=LOSS_STEPS)
    except DifftuiError:
        return None
    return weighed_loss(rows) if rows else None


def weighed_loss(rows: Sequence[Mapping[str, Any]]) -> float:
    """The mean loss of the last 100 steps or so: a row tells the mean since the row before it.

    Args:
        rows: with "step" and "loss", oldest first; at least one.
    """
    steps = [int(row["step"]) for row in rows]
    losses = [float(row["loss"]) for row in rows]
    since = [1, *(now - before for before, now in pairwise(steps))]
    last = [i for i, step in enumerate(steps) if step > steps[-1] - LOSS_STEPS]
    weights = [max(since[i], 1) for i in last]
    return float(np.average([losses[i] for i in last], weights=weights))


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
        filters=_as_shown(filters / np.maximum(largest, 1e-12)),
        parts=parts(model),
        kernels=kernel_count(model),
        claimed=claimed,
        goal=goal if recipe.target == "eps" else None,
        loss=loss,
    )


def _as_shown(pictures: NDArray[Any]) -> Floats:
    """(N, C, H, W) as screens take them: (N, H, W), or (N, H, W, 3) in colour."""
    moved = pictures[:, 0] if pictures.shape[1] != 3 else pictures.transpose(0, 2, 3, 1)
    result: Floats = np.ascontiguousarray(moved, dtype=np.float32)
    return result


def _clean_and_noise(loaded: LoadedModel, pictures: Pictures, index: int, seed: int) -> tuple[Tensor, Tensor]:
    """The digit and its noise, (1, C, H, W) where the network computes; the same on every device."""
    import torch

    device = next(loaded.model.parameters()).device
    clean = torch.from_numpy(pictures.images[index : index + 1].copy()).float() / 127.5 - 1.0
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))
    return clean.to(device), noise.to(device)


def _looks(
    loaded: LoadedModel, ladder: Ladder, pictures: Pictures, index: int, wish: Wish, label: int | None
) -> SingleLooks:
    import torch

    from difftui.diffusion.one_shot import look_again
    from difftui.models.side_by_side import side_by_side

    model = side_by_side(loaded.model)
    clean, noise = _clean_and_noise(loaded, pictures, index, wish.seed)
    seen, answers, errors, untouched = [], [], [], []
    for rung in wish.rungs:
        shown, t = clean + ladder.sigma(rung) * noise, ladder.told(rung)
        labels = None if label is None else [label]
        (look,) = look_again(model, loaded.schedule, shown, t=t, target=loaded.recipe.target, labels=labels)
        seen.append(shown if ladder.one_shot else shown * loaded.schedule.alpha_bar(t) ** 0.5)
        answers.append(look.cleaned)
        errors.append(_mse(look.cleaned, clean))
        untouched.append(_mse(shown.clamp(-1.0, 1.0), clean))
    return SingleLooks(
        _as_shown(clean.cpu().numpy())[0],
        _as_shown(torch.cat(seen).cpu().numpy()),
        _as_shown(torch.cat(answers).cpu().numpy()),
        tuple(errors),
        tuple(untouched),
    )


def _mse(one: Tensor, other: Tensor) -> float:
    """Mean squared error in pixels of [0, 1], which are half as far apart as those of [-1, 1]."""
    return float(((one - other) / 2).square().mean())


def _repeats(
    loaded: LoadedModel, ladder: Ladder, pictures: Pictures, index: int, wish: Wish, label: int | None
) -> Generator[None, None, Repeats]:
    """Gives way after each look, so that others have their turn."""
    import torch

    from difftui.diffusion.one_shot import look_again
    from difftui.models.side_by_side import side_by_side

    clean, noise = _clean_and_noise(loaded, pictures, index, wish.seed)
    rung = wish.rungs[wish.chosen]
    added = ladder.sigma(rung) * noise
    shown, t = torch.cat([clean + added, added]), ladder.told(rung)
    looks = look_again(
        side_by_side(loaded.model),
        loaded.schedule,
        shown,
        t=t,
        target=loaded.recipe.target,
        times=REPEATS,
        labels=None if label is None else [label] * 2,
    )
    signal = 1.0 if ladder.one_shot else loaded.schedule.alpha_bar(t) ** 0.5
    rows, moved, errors = [shown * signal], [], []
    for look in looks:
        rows.append(look.cleaned)
        before = look.shown.clamp(-1.0, 1.0)
        moved.append(((look.cleaned - before).abs() / 2).mean(dim=(1, 2, 3)).double().cpu().numpy())
        errors.append(_mse(look.cleaned[:1], clean))
        yield
    kept = torch.stack(rows, dim=1).cpu().numpy()
    return Repeats(
        rung, np.stack([_as_shown(row) for row in kept]), np.stack(moved, axis=1), np.array(errors)
    )


def _measure(
    bench: Workbench, source: str | Path, other: str | Path | None, told: int
) -> Iterator[NoiseErrors | None]:
    import torch

    from difftui.engine.sampling import network_of
    from difftui.evaluation.by_noise import error_by_noise

    loaded, live = network_of(bench, source)
    pictures, _ = pictures_for(loaded)
    facts = network_facts(loaded, live, pictures, None)
    device = next(loaded.model.parameters()).device
    x0 = torch.from_numpy(pictures.images[:MEASURED].copy()).float().to(device) / 127.5 - 1.0
    labels = None
    if facts.told_label and pictures.labels is not None:
        labels = torch.from_numpy(pictures.labels[:MEASURED].copy()).to(device)
    asked = [error_by_noise(loaded, x0, labels=labels)]
    if facts.takes_time:
        wrong = min(max(told, 0), loaded.schedule.T - 1)
        asked.append(error_by_noise(loaded, x0, told=wrong, labels=labels))
    steps = (loaded.step, 0)
    if other is not None:
        compared, _ = network_of(bench, other)
        asked.append(error_by_noise(compared, x0, labels=labels))
        steps = (loaded.step, compared.step)
    for curves in _passes(asked):
        if curves is None:
            yield None
            continue
        rest = list(curves[1:])
        fixed = rest.pop(0) if facts.takes_time else None
        yield NoiseErrors(told, curves[0], fixed, rest.pop(0) if rest else None, steps)


def _passes(
    asked: Sequence[Iterator[ErrorCurve | None]],
) -> Iterator[tuple[ErrorCurve, ...] | None]:
    """All curves after each pass, and None in between."""
    while True:
        done: list[ErrorCurve] = []
        for events in asked:
            for event in events:
                if event is not None:
                    done.append(event)
                    break
                yield None
        if len(done) < len(asked):
            return
        yield tuple(done)
