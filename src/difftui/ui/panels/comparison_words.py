"""The words and figures of the Compare screen: what stands with each picture, and what is said of all."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from difftui.diffusion.captions import caption_of
from difftui.diffusion.comparison import SAMPLER_NAMES, VIEWS
from difftui.diffusion.grid import timesteps
from difftui.engine.comparing import ComparisonView, MeasurementView
from difftui.ui.sources import Source
from difftui.ui.widgets.text import choice

__all__ = [
    "FIRST_LABEL",
    "LINES",
    "MEASURABLE",
    "VARIED_SAMPLER",
    "VARIED_STEPS",
    "Asked",
    "choices_line",
    "figure_lines",
    "floor_words",
    "misread",
    "notes_on",
    "tabs_line",
    "tile_title",
]

LINES = 7
"""Lines of figures with each picture, where pictures are held against each other one by one."""

MOST_QUOTED = 30  # letters of a caption
ROOMY_SCREEN = 100  # columns from which speed and temperature are told
WIDE = 16  # columns from which names are written in full

VARIED_SAMPLER = ("samplers", "variety")
"""Views that have their samplers; ``VARIED_STEPS``: that have their numbers of steps."""
VARIED_STEPS = ("steps",)
MEASURABLE = ("steps", "samplers", "guidance")

FIRST_SEED, FIRST_LABEL = 5, 7
"""There the first network draws what was asked for in every view; seed 3 is one where it does not."""

_ROOMY = 50  # columns of a tile from which an experiment is explained in its title
_EXPERIMENTS = {"naive-stride": "plain DDPM on a stride", "looped-x0": "its x0 guess fed back"}

ASKS = "[@click=screen.edit()][b $accent]i[/] asks in words[/]"
DRAWS = "[@click=screen.sample()][b $accent]s[/] draws[/]"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user has chosen.

    Attributes:
        view: which comparison.
        sampler, steps, seed, label: whatever the view does not vary; the label None is any.
        count: pictures a way to measure.
    """

    view: str = "steps"
    sampler: str = "ddim"
    steps: int = 25
    seed: int = FIRST_SEED
    label: int | None = FIRST_LABEL
    count: int = 128


def tile_title(view: ComparisonView, way: int, index: int, *, width: int, chosen: bool) -> Content:
    """The name of a picture; where pictures have no lines of figures, what is read in it as well."""
    plan, figure = view.plan, view.figures[way]
    name = Content(plan.names[way]).stylize("b $accent" if chosen else "b")
    if plan.is_experiment(way):
        words = f": {_EXPERIMENTS[plan.ways[way].sampler]}" if width >= _ROOMY else ""
        return Content.assemble(name, (" experiment" + words, "$error"))
    at_end = figure.done and index == plan.ways[way].steps
    if plan.view in ("labels", "variety") and at_end and figure.reading is not None:
        asked = plan.ways[way].label
        wrong = asked is not None and asked != figure.reading.digit
        read = f"→{figure.reading.digit} {figure.reading.probability:.0%}"
        return Content.assemble(name, (read, "$error" if wrong else "$muted"))
    return name


def figure_lines(
    view: ComparisonView, way: int, index: int, measurement: MeasurementView | None, width: int
) -> Content:
    """What is known of a picture at this moment: its cost, and at its end what it came to."""
    plan, figure = view.plan, view.figures[way]
    if plan.view in ("labels", "variety"):
        return Content()
    total = view.looks[way][-1]
    done = figure.done and index == plan.ways[way].steps
    if not done:
        t = timesteps(view.T, plan.ways[way].steps)[index]
        lines = [_fact("call", str(view.looks[way][index]), width), _fact("of", str(total), width)]
        lines += [_fact("t", str(t), width), Content()]
    else:
        reading, distance = figure.reading, figure.distance
        wrong = reading is not None and plan.ways[way].label not in (None, reading.digit)
        read = "-" if reading is None else f"{reading.digit} {_share(reading.probability)}"
        lines = [
            _fact("calls", str(total), width),
            _fact("took", _seconds(figure.seconds), width),
            _fact("read" if width < WIDE else "recogniser", read, width, "$error" if wrong else ""),
            _fact("RMS", "-" if distance is None else f"{distance:.3f}", width),
        ]
    return Content("\n").join([*lines, *_measured(measurement, way, width)])


def notes_on(view: ComparisonView, asked: Asked, caption: str) -> tuple[str, str]:
    """Two lines of at most 78 columns, in markup: what is compared, and what the figures do not say."""
    plan, way, count = view.plan, view.plan.ways[0], asked.count
    if plan.view == "steps":
        tail = "Other noise: other pictures." if way.sampler == "ddpm" else "No noise: one goal."
        first = f"RMS: distance to {plan.reference_name} (pixels -1 to 1). {tail}"
        return (
            first,
            f"One picture is no measure of quality: {DRAWS} {count} in each way and measures.",
        )
    if plan.view == "samplers":
        steps = view.reference_steps
        waits = "" if steps is None or steps[0] == steps[1] else f" ({steps[0] / steps[1]:.0%} drawn)"
        first = f"RMS: to DDIM in all {view.T} steps{waits}. DDPM's own noise leads elsewhere."
        return first, "Experiments: DDPM's formula used on a stride; the x̂0 guess fed back as x_t."
    if plan.view == "labels":
        return _label_notes(view, caption, asked.label)
    if plan.view == "guidance":
        first = "Guided = c + w (c - u): c the answer for the label, u for any. w = 0 is none."
        return (
            first,
            f"Others write u + g (c - u), g = 1 + w. {DRAWS} {count} in each way and measures.",
        )
    starts, noises = ("…" if value is None else f"{value:.2f}" for value in view.apart)
    so = " So the start alone gives variety." if view.apart[0] else ""
    return (
        f"Above: DDIM, η = 0: five starts, no noise after: {starts} apart (RMS, mean).",
        f"Below: DDPM: one start, five noises: {noises}.{so}",
    )


def misread(view: ComparisonView) -> str:
    """A line of at most 78 columns on pictures that are not what was asked for; "" where all are.

    Once all are drawn. Experiments do not count: they are there to fail.
    """
    plan = view.plan
    ways = [way for way in range(len(plan.ways)) if not plan.is_experiment(way)]
    readings = [view.figures[way].reading for way in ways]
    label = plan.ways[0].label
    if plan.view not in MEASURABLE or label is None or not view.drawn:
        return ""
    read = [reading.digit for reading in readings if reading is not None]
    if len(read) < len(ways) or all(digit == label for digit in read):
        return ""
    if plan.view == "guidance":
        unguided = next(d for way, d in zip(ways, read, strict=True) if plan.ways[way].guidance == 0)
        helps = [
            w for way, d in zip(ways, read, strict=True) if d == label and (w := plan.ways[way].guidance) > 0
        ]
        if unguided == label or not helps:
            return ""
        return f"A {label} was asked for: w = 0 draws a {unguided}, w = {min(helps):g} the {label}."
    if label in read:
        return ""
    none = "no number of steps draws it" if plan.view == "steps" else "none of these draws it"
    return f"A {label} was asked for; {none}. Guidance may ([b $accent]tab[/])."


def _label_notes(view: ComparisonView, caption: str, label: int | None) -> tuple[str, str]:
    known = view.num_classes or 0
    second = "It gets a learned vector, no text. Text-to-image models put an encoder there."
    if label is None or label >= known:
        return (
            f"One noise under every label. {ASKS}, such as “a seven”.",
            second,
        )
    said = Content((caption or caption_of(label))[:MOST_QUOTED]).markup
    return f"“{said}” → label {label}: a mapping and nothing more.", second


def floor_words(measurement: MeasurementView | None) -> str:
    """What real digits score, or how far the measurement is; "" where nothing is measured."""
    if measurement is None:
        return ""
    state = measurement.measuring
    if state.current is not None:
        return f"measuring {state.count} each: {state.fraction:.0%}"
    if state.floor is None:
        return f"FD: Fréchet distance of {state.count}; no test digits: no floor"
    floor = state.floor
    return f"FD: Fréchet distance of {state.count}; floor {floor.mean:.1f} ± {floor.spread:.1f}"


def tabs_line(shown: str, source: Source | None, view: ComparisonView | None, width: int) -> Content:
    """The comparisons, each to be clicked, and the network, and how it is asked, at the right end."""
    tabs = [Content.from_markup(" [@click=screen.view(1)][b $accent]tab[/][/]")]
    for name in VIEWS:
        style = "b reverse" if name == shown else "$muted"
        tabs.append(
            Content.from_markup(f"[{style} @click=screen.take_view('{name}')] {name.capitalize()} [/]")
        )
    line = Content(" ").join(tabs)
    mark = " ▶" if source is not None and source.live else ""
    network = choice("m", "network", "none" if source is None else source.name + mark, "source(1)")
    w = 0.0 if view is None or shown == "guidance" else view.plan.ways[0].guidance
    if w:
        network += Content.assemble((" w ", "$muted"), f"{w:g}")
    if view is not None and width >= ROOMY_SCREEN:
        network += Content.assemble(("  temperature ", "$muted"), f"{view.temperature:g}")
    room = max(1, width - line.cell_length - 2)
    network = network.truncate(room, ellipsis=True)
    return line + " " * (room - network.cell_length + 1) + network


def choices_line(asked: Asked, view: ComparisonView | None, fps: float, width: int) -> Content:
    """What can be chosen, by its key or by a click; grey where it changes nothing."""
    takes_labels = view is None or view.num_classes is not None
    digit = "none" if not takes_labels else "any" if asked.label is None else str(asked.label)
    steps = min(asked.steps, view.T) if view is not None else asked.steps
    once = asked.view not in MEASURABLE
    choices = [
        choice("d", "digit", digit, "digit(1)", grey=not takes_labels),
        choice("a", "", SAMPLER_NAMES[asked.sampler], "sampler", grey=asked.view in VARIED_SAMPLER),
        choice("+/-", "steps", str(steps), "count(1)", grey=asked.view in VARIED_STEPS),
        choice("r", "seed", str(asked.seed), "reseed(1)"),
        *([choice("f", "fps", f"{fps:.3g}", "speed(1)")] if width >= ROOMY_SCREEN else []),
        choice("s", "", "measure", "sample", grey=once),
        choice("b", "", str(asked.count), "budget(1)", grey=once),
    ]
    return Content(" ") + Content("  ").join(choices)


def _measured(measurement: MeasurementView | None, way: int, width: int) -> list[Content]:
    if measurement is None:
        return [Content()] * 3
    state = measurement.measuring
    result = state.done[way]
    if result is None:
        return [Content("measuring" if state.current == way else "").stylize("$muted"), Content(), Content()]
    ratio = None if state.floor is None else result.frechet / state.floor.mean
    over = "-" if ratio is None else f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"
    share = ("sure", result.confident) if result.agreement is None else ("agree", result.agreement)
    return [
        _fact("FD" if width < WIDE else "Fréchet", f"{result.frechet:.3g}", width),
        _fact("×floor", over, width),
        _fact(share[0], f"{share[1]:.0%}", width),
    ]


def _share(probability: float) -> str:
    """A probability in three columns."""
    return "1.0" if probability >= 0.995 else f"{probability:.2f}"[1:]


def _seconds(seconds: float) -> str:
    if seconds < 0.0995:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"


def _fact(name: str, value: str, width: int, style: str = "") -> Content:
    gap = " " * max(1, width - len(name) - len(value))
    return Content.assemble((name, "$muted"), gap, (value, style))
