"""Other people's pipelines to choose from, beside the networks of :mod:`difftui.ui.sources`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from difftui.errors import DifftuiError
from difftui.paths import home_dir
from difftui.pipelines import (
    DEFAULT,
    PipelineFacts,
    PipelineRef,
    cached_pipelines,
    find_pipeline,
    read_pipeline,
)
from difftui.pipelines.hub import home_pipelines, is_hub_name
from difftui.runs import list_runs, shipped_runs
from difftui.training.drawing import samplers_for
from difftui.training.recipe import OTHER_STEPS
from difftui.ui.sources import CLASSES, SIDE, Source, named_source

__all__ = [
    "PIPELINE_PICTURES",
    "Network",
    "PipelineSource",
    "default_pipeline",
    "find_pipelines",
    "named_network",
    "opened_as",
    "pipeline_source",
    "typed_pipeline",
]

PIPELINE_PICTURES = 16  # drawn together, as the lab's sheet has it


@dataclass(frozen=True, slots=True)
class PipelineSource:
    """A diffusers pipeline, with all that a screen asks of a :class:`~difftui.ui.sources.Source`.

    Attributes:
        name: what people call it.
        where: its folder, or its name on the hub.
        facts: what its files say, or None where they are not here or cannot be used.
        absent: its files are not on this machine.
    """

    name: str
    where: str
    facts: PipelineFacts | None
    absent: bool

    live = False
    recipe = None
    asked = "digit"
    classes = CLASSES
    together = PIPELINE_PICTURES
    guidable = False
    guidance = 0.0

    @property
    def place(self) -> str:
        """Where it lies."""
        return self.where

    @property
    def wanted(self) -> PipelineRef:
        """What a sampling request calls it."""
        return PipelineRef(self.where)

    @property
    def exports(self) -> Path:
        """Where pictures drawn with it are saved."""
        return home_dir() / "exports"

    @property
    def timesteps(self) -> int | None:
        """The length of its schedule, where that is known."""
        return self.facts.schedule.T if self.facts is not None else None

    @property
    def side(self) -> int:
        """Pixels across a picture."""
        return self.facts.shape[1] if self.facts is not None else SIDE

    @property
    def samplers(self) -> tuple[str, ...]:
        """All of them, and the experiments."""
        return samplers_for(one_shot=False)

    def drawing(self, sampler: str | None, steps: int | None) -> tuple[str, int]:
        """Sampler and steps: what is given, else its own scheduler's kind."""
        advised = "ddpm" if self.facts is not None and self.facts.scheduler == "DDPMScheduler" else "ddim"
        return sampler or advised, min(steps or OTHER_STEPS, self.timesteps or 10_000)


Network: TypeAlias = Source | PipelineSource
"""What Generate draws with."""


def find_pipelines(opened: Iterable[str] = ()) -> list[PipelineSource]:
    """Those in the folder ``pipelines`` of difftui's home, those that the hub's cache holds, and those named.

    Args:
        opened: pipelines that the user named, by folder or by name on the hub.
    """
    kept = [pipeline_source(str(folder)) for folder in home_pipelines()]
    cached = [pipeline_source(name) for name, _ in cached_pipelines()]
    usable = [source for source in cached if source.facts is not None]  # the cache has many other things
    named = [pipeline_source(where) for where in opened]
    return list({source.where: source for source in (*kept, *usable, *named)}.values())


def default_pipeline() -> PipelineSource:
    """The pipeline that the lab looks at, whether it is here or not."""
    return pipeline_source(DEFAULT)


def pipeline_source(where: str) -> PipelineSource:
    """A pipeline by its folder or its name on the hub, whether it can be used or not."""
    folder = _folder(where)
    name = where if folder is None or is_hub_name(where) else folder.name
    facts = None
    if folder is not None:
        try:
            facts = read_pipeline(folder, name)
        except DifftuiError:
            facts = None  # the engine will say what is wrong with it, when it is asked to draw
    return PipelineSource(name, where, facts, folder is None)


def typed_pipeline(text: str) -> PipelineSource:
    """The pipeline that somebody typed.

    Raises:
        DifftuiError: there is no such folder, and it cannot be a name on the hub.
    """
    find_pipeline(text)
    return pipeline_source(text)


def named_network(name: str) -> Network:
    """The network that ``--run`` or another screen names, whether it has weights or not.

    Raises:
        DifftuiError: there is no such run, and it is not the folder or the hub's name of a pipeline.
    """
    try:
        return named_source(name)
    except DifftuiError:
        if _folder(name) is None and not is_hub_name(name):
            raise
        return pipeline_source(name)


def opened_as(name: str) -> str:
    """The name or the path by which screens find what ``--run`` names, wherever it was named.

    Raises:
        DifftuiError: as :func:`named_network`.
    """
    found = named_network(name)
    if isinstance(found, PipelineSource):
        return found.where
    known = found.run in (*list_runs(), *shipped_runs())
    return found.run.name if known else str(found.run.path.absolute())


def _folder(where: str) -> Path | None:
    try:
        return find_pipeline(where)
    except DifftuiError:
        return None
