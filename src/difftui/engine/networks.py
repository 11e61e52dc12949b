"""Networks side by side: parameters, size of the pictures, and how long one takes, measured now."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from difftui.engine.engine import Workbench
from difftui.errors import DifftuiError
from difftui.pipelines import PipelineRef

if TYPE_CHECKING:
    from difftui.training.drawing import Drawable

__all__ = ["Comparison", "Measured", "compare_networks", "start_comparing"]

SECONDS = 1.0  # a network is asked for so long, and at least for two steps


@dataclass(frozen=True, slots=True)
class Measured:
    """A network's figures.

    Attributes:
        name: what people call it.
        kind: of network.
        parameters: its trained numbers, counted.
        shape: of a picture, (C, H, W).
        sampler, steps: how it is best drawn with.
        seconds: that one picture takes on this device, drawn alone; None where it could not be drawn.
        whole: whether a whole picture was drawn; else some steps were, and the rest was reckoned.
        problem: one line on why it could not be drawn.
    """

    name: str
    kind: str = ""
    parameters: int = 0
    shape: tuple[int, int, int] = (0, 0, 0)
    sampler: str = ""
    steps: int = 0
    seconds: float | None = None
    whole: bool = False
    problem: str = ""

    @property
    def told(self) -> str:
        """What one picture takes: "0.18 s"; "about" where not all of it was drawn; "-" where none was."""
        if self.seconds is None:
            return "-"
        figure = f"{1000 * self.seconds:.2g} ms" if self.seconds < 0.1 else f"{self.seconds:.2g} s"
        return f"{'' if self.whole else 'about '}{figure if self.seconds < 10 else f'{self.seconds:.0f} s'}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The networks measured so far.

    Attributes:
        rows: in the order asked for.
        toy: the true parameter count of the sheet's toy denoiser, as we built it.
    """

    rows: tuple[Measured, ...]
    toy: int


def start_comparing(
    wanted: Sequence[tuple[str, str | Path | PipelineRef]],
) -> Callable[[Workbench], Iterator[Comparison | None]]:
    """Work for :meth:`Engine.submit`: measure these networks, given by name and place, one after another."""

    def start(bench: Workbench) -> Iterator[Comparison | None]:
        return compare_networks(wanted, bench.device.torch_device_name)

    return start


def compare_networks(
    wanted: Sequence[tuple[str, str | Path | PipelineRef]], device: str, seconds: float = SECONDS
) -> Iterator[Comparison | None]:
    """Measure one network after another: a :class:`Comparison` after each, None after each of its steps.

    Args:
        wanted: names and places of networks, as a sampling request has them.
        device: where to compute.
        seconds: that each may take, about.
    """
    from difftui.models import build, parameter_count

    toy = parameter_count(build("toy-unet"))
    rows: list[Measured] = []
    for name, place in wanted:
        try:
            row = yield from _measured(name, _loaded(place, device), seconds)
        except (DifftuiError, ValueError, RuntimeError) as error:  # RuntimeError: too large for the device
            row = Measured(name, problem=" ".join(str(error).split()))
        rows.append(row)
        yield Comparison(tuple(rows), toy)


def _measured(name: str, network: Drawable, seconds: float) -> Generator[None, None, Measured]:
    """Draw one picture, or as much of it as the time allows; at the end the figures."""
    from difftui.models import parameter_count
    from difftui.training.drawing import draw

    sampler, steps, _ = network.drawing()
    classes: int | None = network.model.num_classes  # type: ignore[assignment]
    shape: tuple[int, int, int] = network.model.image_shape  # type: ignore[assignment]
    frames = draw(network, [0], [0] if classes else None)
    spent, counted, index = 0.0, 0, 0
    for index in range(steps):
        began = perf_counter()
        float(next(frames).x.reshape(-1)[0])  # a GPU answers when it has done all before
        if index or steps == 1:  # the first step also prepares what the others find prepared
            spent, counted = spent + perf_counter() - began, counted + 1
        if counted >= 2 and spent > seconds:
            break
        yield None
    parameters = parameter_count(network.model)
    return Measured(
        name, network.kind, parameters, shape, sampler, steps, spent / counted * steps, index == steps - 1
    )


def _loaded(place: str | Path | PipelineRef, device: str) -> Drawable:
    from difftui.pipelines.loading import load_pipeline
    from difftui.training.loading import load_model

    return load_pipeline(place, device) if isinstance(place, PipelineRef) else load_model(place, device)
