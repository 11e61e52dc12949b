"""Choices and facts of a drawing as text: beside the panes, or in a band below them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from difftui.diffusion import EXPERIMENTS, SAMPLERS
from difftui.engine.sampling import SamplingView
from difftui.ui.panels.wish import Wish
from difftui.ui.pipeline_sources import Network, PipelineSource
from difftui.words import grouped

__all__ = ["CELL", "Drawing", "band", "facts", "guidance_text", "sampler_text", "side"]

CELL = 23  # columns of one choice or fact
NAMED = 10  # of them before its value
OF_ONE = ("x̂0 moved", "pixels")  # facts of one picture, not of a grid
MOST_FACTS = 6  # beside the panes of an 80×24 terminal
_SHORT = {
    "ddim": "DDIM",
    "ddpm": "DDPM",
    "dpm-solver++": "DPM++ 2M",
    "heun": "Heun",
    "naive-stride": "stride!",
    "looped-x0": "x̂0 loop!",
}
"""Samplers by the names that fit; experiments are marked."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is wanted, and what there is.

    Attributes:
        wish, source: what is wanted.
        view: how far it has come; None before the first picture.
        index: which frame is shown.
        fps: frames a second.
        stage_pixels: across a pane, as drawn.
    """

    wish: Wish
    source: Network
    view: SamplingView | None
    index: int
    fps: float
    stage_pixels: int

    @property
    def guidance(self) -> float | None:
        """What is applied: what is wanted or advised until the engine has told; None where there is none."""
        if self.view is not None:
            return self.view.guidance if self.view.labels is not None and self.view.guidable else None
        if not self.source.guidable or self.wish.label is None:
            return None
        return self.wish.guidance if self.wish.guidance is not None else self.source.guidance

    def choices(self, width: int) -> list[Content]:
        """Each choice with its key, in a cell of this width; a click does what the key does."""
        wish, source, view = self.wish, self.source, self.view
        sampler, steps = wish.taken(source)
        if view is not None:
            sampler = view.sampler
        asked = not isinstance(source, PipelineSource) and (view is None or view.num_classes is not None)
        w = self.guidance
        count = wish.count(source)
        found = [
            self._model(width),
            _choice("d", source.asked, self._label() if asked else "none", "digit(1)", grey=not asked),
            _choice("a", "sampler", _SHORT.get(sampler, sampler), "sampler(1)"),
            _choice("+/-", "steps", str(steps), "count(1)"),
            _choice("< >", "guide", "none" if w is None else f"w = {w:g}", "guide(1)", grey=w is None),
            _choice("r", "seed", self._seed(count), "reseed(1)"),
            _choice("g", "seeds", str(count), "grid"),
            _choice("f", "fps", f"{self.fps:.3g}", "speed(1)"),
        ]
        if wish.grid:
            found.append(_choice("n", "chosen", str(wish.seed + wish.picture), "pick(1)"))
        return found

    def _model(self, width: int) -> Content:
        """The network's name; one that is long needs no "network" before it."""
        name, mark = self.source.name.rpartition("/")[2], " ▶" if self.source.live else ""
        return _choice(
            "m", "network" if NAMED + len(name + mark) < width else "", name, "source(1)", mark=mark
        )

    def _label(self) -> str:
        label, view = self.wish.asked(self.source), self.view
        if label is None and view is not None and view.labels and not self.wish.grid:
            return f"any {view.labels[self.wish.picture]}"
        return "any" if label is None else str(label)

    def _seed(self, count: int) -> str:
        return f"{self.wish.seed}-{self.wish.seed + count - 1}" if count > 1 else str(self.wish.seed)


def facts(drawing: Drawing) -> list[tuple[str, str]]:
    """Names and values; a value that is not there yet is a dash, so that nothing jumps."""
    view, index, source = drawing.view, drawing.index, drawing.source
    behind = "parameters" if isinstance(source, PipelineSource) else "train steps"
    if view is None:
        return [(name, "-") for name in ("frame", "noise", "x̂0 moved", behind, "took")]
    moved = view.belief_moved(index, drawing.wish.picture)
    told = [
        ("frame", f"{index}/{len(view.times) - 1}"),
        ("noise", f"{100 * (1 - view.alpha_bars[index]):.1f} %"),
        ("x̂0 moved", "-" if moved is None else f"{moved:.3f}"),
    ]
    if view.temperature != 1:
        told.append(("temperature", f"{view.temperature:g}"))
    told.append((behind, grouped(view.parameters if view.weights_step is None else view.weights_step)))
    side = view.x.shape[2]
    if drawing.stage_pixels % side:
        told.append(("pixels", f"{side} as {drawing.stage_pixels}"))
    told.append(("took", f"{view.seconds:.2g} s" if view.seconds < 10 else f"{view.seconds:.0f} s"))
    return told[:MOST_FACTS]


def sampler_text(name: str, looks: int) -> str:
    """What a sampler does, in a sentence, and what it costs."""
    return (
        f"{name}: {SAMPLERS.get(name) or EXPERIMENTS.get(name, '')} Asks the network {grouped(looks)} times."
    )


def guidance_text(w: float) -> str:
    """What this guidance does, with its convention."""
    also = f"(others write g = 1 + w = {1 + w:g})"
    if w == 0:
        return f"guidance w = 0: the label's own answer c, nothing added {also}"
    if w == -1:
        return f"guidance w = -1: u, the answer without a label {also}"
    return f"guidance w = {w:g}: c + w (c - u), c the answer with the label, u without {also}"


def side(drawing: Drawing, told: Sequence[tuple[str, str]], columns: int) -> Content:
    """One below the other, beside the panes."""
    width = min(columns, CELL)
    lines = [
        *drawing.choices(width),
        Content(),
        *(_fact(name, value, min(width - 1, CELL - 5)) for name, value in told),
    ]
    return Content("\n").join([Content(" ") + line.truncate(width - 1, ellipsis=True) for line in lines])


def band(drawing: Drawing, told: Sequence[tuple[str, str]], columns: int) -> Content:
    """Side by side in a few rows, below the panes."""
    cells = max(3, columns // CELL)
    width = columns // cells
    choices = [choice.truncate(width - 1, ellipsis=True) for choice in drawing.choices(width)]
    shown = [fact for fact in told if not (drawing.wish.grid and fact[0] in OF_ONE)]
    figures = [_fact(name, value, width - 4) for name, value in shown]
    rows = [group[at : at + cells] for group in (choices, figures) for at in range(0, len(group), cells)]
    lines = [Content().join([cell.pad_right(width - cell.cell_length) for cell in row]) for row in rows]
    return Content("\n").join([Content(" ") + line for line in lines])


def _choice(key: str, name: str, value: str, action: str, *, mark: str = "", grey: bool = False) -> Content:
    """Key, name, value; a click does what the key does."""
    text = Content.assemble(
        (f"{key} ", "$muted" if grey else "b $accent"),
        (f"{name:<{NAMED - 1 - len(key)}}" if name else "", "$muted"),
        (value, "$muted" if grey else "b"),
        (mark, "$accent"),
    )
    return text.stylize(f"@click=screen.{action}" if "(" in action else f"@click=screen.{action}()")


def _fact(name: str, value: str, width: int) -> Content:
    """Name on the left, value on the right; where the room is short the name is cut, never the value."""
    room = max(1, width - len(value))
    label = Content(name).truncate(room - 1, ellipsis=True, pad=True)
    return label.stylize("$muted") + " " + value
