"""One network and real digits on a bench: single looks at a noised digit, and looks again and again.

The network stays loaded while the screen asks for one thing after another. What it wants lies in a latch
(:class:`Wishes`); :meth:`Job.step` asks for a view of the newest wish, and nothing runs in between.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion.ladder import Ladder
from difftui.engine.engine import Workbench
from difftui.engine.network_facts import NetworkFacts, as_shown, loss_of, network_facts, pictures_for

if TYPE_CHECKING:
    from torch import Tensor

    from difftui.data import Pictures
    from difftui.training.loading import LoadedModel

__all__ = [
    "REPEATS",
    "DenoisingView",
    "Repeats",
    "SingleLooks",
    "Wish",
    "Wishes",
    "psnr",
    "start_denoising",
]

Floats = NDArray[np.float32]

REPEATS = 12
"""How often a network is shown its own answer; the lecture did it five times."""


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


def _denoise(bench: Workbench, source: str | Path, wishes: Wishes) -> Iterator[DenoisingView | None]:
    from difftui.engine.sampling import network_of

    loaded, live = network_of(bench, source)
    pictures, unseen = pictures_for(loaded)
    facts = network_facts(loaded, live, pictures, loss_of(source))
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


def _clean_and_noise(loaded: LoadedModel, pictures: Pictures, index: int, seed: int) -> tuple[Tensor, Tensor]:
    """The digit and its noise, (1, C, H, W) where the network computes; the same on every device."""
    import torch

    from difftui.training.seen import as_seen

    device = next(loaded.model.parameters()).device
    clean = as_seen(pictures.images[index : index + 1])
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
        as_shown(clean.cpu().numpy())[0],
        as_shown(torch.cat(seen).cpu().numpy()),
        as_shown(torch.cat(answers).cpu().numpy()),
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
    return Repeats(rung, np.stack([as_shown(row) for row in kept]), np.stack(moved, axis=1), np.array(errors))
