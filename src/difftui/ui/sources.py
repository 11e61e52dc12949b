"""Networks to choose from: those that ship, the user's runs, what trains now, other people's pipelines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

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
from difftui.runs import Run, find_run, list_runs, shipped_runs
from difftui.training.drawing import samplers_for
from difftui.training.recipe import OTHER_STEPS, Recipe

__all__ = [
    "Source",
    "default_pipeline",
    "find_sources",
    "named_source",
    "opened_as",
    "pipeline_source",
    "typed_source",
]

FIRST = "quick"  # the conditional one: it draws what it is asked for, and well
CLASSES = 10
SIDE = 28
RUN_PICTURES, PIPELINE_PICTURES = 12, 16  # drawn together; the lab's sheet has sixteen of a pipeline's


@dataclass(frozen=True, slots=True)
class Source:
    """A trained network.

    Attributes:
        name: what people call it.
        run: where it is kept; None for a pipeline.
        shipped: it came with difftui.
        live: it is being trained by this app.
        recipe: how it was trained and is best drawn with, or None where that cannot be read.
        pipeline: for a diffusers pipeline, how it is named; else None.
        facts: what the pipeline's files say, or None where they are not here or cannot be used.
        absent: it is a pipeline whose files are not on this machine.
    """

    name: str
    run: Run | None = None
    shipped: bool = False
    live: bool = False
    recipe: Recipe | None = None
    pipeline: PipelineRef | None = None
    facts: PipelineFacts | None = None
    absent: bool = False

    @property
    def wanted(self) -> str | Path | PipelineRef:
        """What a sampling request calls it: by name the weights of this moment, by path those on disk."""
        if self.run is None:
            return self.pipeline or PipelineRef(self.name)
        return self.run.name if self.live else self.run.path

    @property
    def exports(self) -> Path:
        """Where pictures drawn with it are saved."""
        own = self.run is not None and not self.shipped
        return self.run.samples_path if own and self.run is not None else home_dir() / "exports"

    @property
    def timesteps(self) -> int | None:
        """The length of its schedule, where that is known."""
        if self.facts is not None:
            return self.facts.schedule.T
        return self.recipe.timesteps if self.recipe is not None else None

    @property
    def side(self) -> int:
        """Pixels across a picture."""
        if self.facts is not None:
            return self.facts.shape[1]
        if self.recipe is None:
            return SIDE
        size = self.recipe.model_options.get("size", self.recipe.image_size)
        return size if type(size) is int and size > 0 else SIDE

    @property
    def classes(self) -> int:
        """How many it may be asked for; the digits where nothing is said."""
        told = self.recipe.model_options.get("num_classes") if self.recipe is not None else None
        return told if type(told) is int and told > 0 else CLASSES

    @property
    def asked(self) -> str:
        """What it is asked for: a digit, or a class of other pictures."""
        return "digit" if self.recipe is None or self.recipe.data in ("mnist", "bundled") else "class"

    @property
    def together(self) -> int:
        """How many pictures a grid shows."""
        return RUN_PICTURES if self.pipeline is None else PIPELINE_PICTURES

    def drawing(self, sampler: str | None, steps: int | None) -> tuple[str, int]:
        """Sampler and steps: what is given, else what its recipe or its scheduler advises."""
        if sampler not in self.samplers:
            sampler = None
        if self.recipe is not None:
            chosen, count, _ = self.recipe.drawing(sampler, steps)
            return chosen, count
        advised = "ddpm" if self.facts is not None and self.facts.scheduler == "DDPMScheduler" else "ddim"
        return sampler or advised, min(steps or OTHER_STEPS, self.timesteps or 10_000)

    @property
    def samplers(self) -> tuple[str, ...]:
        """Those, and the experiments, that can draw with it."""
        return samplers_for(one_shot=self.recipe is not None and self.recipe.sampler == "looped-x0")

    @property
    def guidable(self) -> bool:
        """Whether it learned to go without labels, which guidance needs."""
        return self.recipe is not None and self.recipe.label_drop > 0

    @property
    def guidance(self) -> float:
        """What its recipe advises."""
        return self.recipe.guidance if self.recipe is not None else 0.0


def find_sources(live: Run | None, opened: Iterable[str] = ()) -> list[Source]:
    """Everything that can draw.

    Shipped checkpoints, "quick" first; then runs with weights, newest first; then pipelines: those in the
    folder ``pipelines`` of difftui's home, those that the hub's cache holds, and those named.

    Args:
        live: the run that this app is training now; it can draw before it has saved any weights.
        opened: pipelines that the user named, by folder or by name on the hub.
    """
    shipped = sorted(shipped_runs(), key=lambda run: run.name != FIRST)
    found = [_source(run, shipped=True) for run in shipped]
    drawing = [source for source in found if source.recipe is not None]  # a recogniser ships as well
    runs = [run for run in list_runs() if run == live or run.weights_path.is_file()]
    return drawing + [_source(run, live=run == live) for run in runs] + _pipelines(opened)


def default_pipeline() -> Source:
    """The pipeline that the lab looks at, whether it is here or not."""
    return pipeline_source(DEFAULT)


def named_source(name: str) -> Source:
    """The network that ``--run`` or another screen names, whether it has weights or not.

    Raises:
        DifftuiError: there is no such run, and it is not the folder or the hub's name of a pipeline.
    """
    try:
        run = find_run(name)
    except DifftuiError:
        if _folder(name) is None and not is_hub_name(name):
            raise
        return pipeline_source(name)
    return _source(run, shipped=run in shipped_runs())


def opened_as(name: str) -> str:
    """The name or the path by which screens find what ``--run`` names, wherever it was named.

    Raises:
        DifftuiError: as :func:`named_source`.
    """
    found = named_source(name)
    if found.run is None:
        return found.pipeline.where if found.pipeline is not None else name
    known = found.run in (*list_runs(), *shipped_runs())
    return found.run.name if known else str(found.run.path.absolute())


def pipeline_source(where: str) -> Source:
    """A pipeline by its folder or its name on the hub, whether it can be used or not."""
    folder = _folder(where)
    name = where if folder is None or is_hub_name(where) else folder.name
    facts = None
    if folder is not None:
        try:
            facts = read_pipeline(folder, name)
        except DifftuiError:
            facts = None  # the engine will say what is wrong with it, when it is asked to draw
    return Source(name, pipeline=PipelineRef(where), facts=facts, absent=folder is None)


def typed_source(text: str) -> Source:
    """The pipeline that somebody typed.

    Raises:
        DifftuiError: there is no such folder, and it cannot be a name on the hub.
    """
    find_pipeline(text)
    return pipeline_source(text)


def _pipelines(opened: Iterable[str]) -> list[Source]:
    kept = [pipeline_source(str(folder)) for folder in home_pipelines()]
    cached = [pipeline_source(name) for name, _ in cached_pipelines()]
    usable = [source for source in cached if source.facts is not None]  # the cache has many other things
    named = [pipeline_source(where) for where in opened]
    by_place = {source.wanted: source for source in (*kept, *usable, *named)}
    return list(by_place.values())


def _folder(where: str) -> Path | None:
    try:
        return find_pipeline(where)
    except DifftuiError:
        return None


def _source(run: Run, *, shipped: bool = False, live: bool = False) -> Source:
    try:
        recipe = Recipe.from_json(run.recipe_text())
    except (DifftuiError, ValueError):
        recipe = None  # the engine will say what is wrong with it, when it is asked to draw
    return Source(run.name, run, shipped, live, recipe)
