"""Question 25: all the way from a caption to a picture, each stage with its size and its time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import starting_noise
from difftui.diffusion.captions import caption_of, label_of
from difftui.diffusion.samplers import looks
from difftui.experiments.materials import drawn, load_network, readings
from difftui.experiments.page import PENDING, Findings, Page, Pictures, Setup, Table
from difftui.words import grouped

if TYPE_CHECKING:
    from torch import Tensor

    from difftui.training.loading import LoadedModel

__all__ = ["PROMPT_TO_IMAGE", "embedded"]

NETWORKS = ("conditional", "quick")
Grey = NDArray[np.float32]
SHOWN = 6  # pictures of the way
STRENGTHS = (None, 0.0, 0.3, 1.0, 3.0)
"""Guidance of the drawings beside; None asks for no digit at all."""


def embedded(loaded: LoadedModel, label: int) -> tuple[Tensor, Tensor]:
    """What the network has in the place of a text: its learned vector, and its learned map, of a class."""
    model = loaded.model
    return model.class_vector.weight[label], model.class_map[label]  # type: ignore[union-attr,index]


@dataclass(slots=True)
class _Way:
    """The stages so far.

    Attributes:
        caption: what is asked for.
        label: the class that it names.
        numbers: sizes of the class's vector and of its map.
        pixels: numbers of x_T.
        seconds: that each stage took: caption, embedding, noise, network, reading; None before it.
        sampler, steps, guidance, asked: how it is drawn, and how often the network is asked.
        strip: x̂0 on the way, paper where there is none yet, with ``captions``; the last is the picture.
        read: the digit read in the end, and how surely.
        others: the same start with other guidance, as they are now, and what is read in them.
    """

    caption: str
    label: int
    numbers: tuple[int, int]
    pixels: int
    seconds: list[float | None]
    sampler: str
    steps: int
    guidance: float
    asked: int
    strip: Grey
    captions: list[str]
    others: Grey
    read: tuple[int, float] | None = None
    others_read: tuple[str, ...] = ()


def prompt_to_image(setup: Setup, device: str) -> Iterator[Findings]:
    """From "a seven" to a picture that is read as one; then the same start with less of it, and with more."""
    loaded = load_network(NETWORKS, setup.network, device)
    way, x_T = _prepared(loaded, setup)
    yield _findings(loaded, way, 0.0)
    readings(drawn(x_T))  # loads the recogniser, which is no stage
    kept = sorted({round(i * way.steps / (SHOWN - 1)) for i in range(1, SHOWN)})
    spent, frames = 0.0, loaded.sample([setup.seed], [way.label])
    picture = drawn(x_T)
    for made in range(1, way.steps + 1):
        began = perf_counter()
        frame = next(frames)
        picture = drawn(frame.x)
        spent += perf_counter() - began
        if made in kept:
            place = kept.index(made) + 1
            way.strip[place] = picture[0] if made == way.steps else drawn(frame.x0_hat)[0]
            way.captions[place] = "the end" if made == way.steps else f"t = {frame.t}"
        if made == way.steps:
            way.seconds[3] = spent
        yield _findings(loaded, way, 0.5 * made / way.steps)
    began = perf_counter()
    told = readings(picture)[0]
    way.seconds[4] = perf_counter() - began
    way.read = int(told.argmax()), float(told.max())
    for done in _with_other_guidance(loaded, way, setup.seed):
        yield _findings(loaded, way, 0.5 + 0.5 * done)


def _prepared(loaded: LoadedModel, setup: Setup) -> tuple[_Way, Tensor]:
    """All that comes before the network is asked, timed."""
    caption = caption_of(setup.label)
    moments = [perf_counter()]
    label = label_of(caption)
    moments.append(perf_counter())
    vector, places = embedded(loaded, label)
    sizes = vector.numel(), places.numel()
    moments.append(perf_counter())
    x_T = starting_noise([setup.seed], loaded.model.image_shape)  # type: ignore[arg-type]
    moments.append(perf_counter())
    sampler, steps, _ = loaded.drawing()
    guidance = loaded.guidance(True)
    strip = np.full((SHOWN, *x_T.shape[2:]), -1.0, np.float32)
    strip[0] = drawn(x_T)[0]
    way = _Way(
        caption,
        label,
        sizes,
        x_T.numel(),
        [*(after - before for before, after in pairwise(moments)), None, None],
        sampler,
        steps,
        guidance,
        looks(sampler, steps) * (1 if guidance == 0.0 else 2),
        strip,
        ["noise"] + ["…"] * (SHOWN - 1),
        np.repeat(strip[:1], len(STRENGTHS), axis=0),
    )
    return way, x_T


def _with_other_guidance(loaded: LoadedModel, way: _Way, seed: int) -> Iterator[float]:
    """Draw from the same start without a label, and with more and more guidance: the share done."""
    for place, strength in enumerate(STRENGTHS):
        frames = loaded.sample([seed], None if strength is None else [way.label], guidance=strength or 0.0)
        for made, frame in enumerate(frames, start=1):
            way.others[place] = drawn(frame.x)[0]
            if made < way.steps or place < len(STRENGTHS) - 1:
                yield (place + made / way.steps) / len(STRENGTHS)
    way.others_read = tuple(f"{row.argmax()}, {row.max():.0%}" for row in readings(way.others))
    yield 1.0


def _findings(loaded: LoadedModel, way: _Way, done: float) -> Findings:
    took = [PENDING if seconds is None else _told(seconds) for seconds in way.seconds]
    classes: int = loaded.model.num_classes  # type: ignore[assignment]
    vector, places = way.numbers
    rows = (
        (
            "caption to label",
            f'"{way.caption}": {way.label}, of {classes}',
            took[0],
            "a text encoder reads it",
        ),
        ("label to numbers", f"{vector} + {grouped(places)}", took[1], "a vector for each word"),
        ("noise x_T", f"{way.pixels} pixels", took[2], "noise in latents, not pixels"),
        (
            f"{way.steps} steps, w = {way.guidance:g}",
            f"network asked {way.asked} ×",
            took[3],
            "the same, attending to words",
        ),
        ("picture, read", _read(way), took[4], "a decoder: latents to pixels"),
    )
    beside = ("no label", *(f"w = {strength:g}" for strength in STRENGTHS[1:]))
    blocks = (
        Pictures(f'from noise to "{way.caption}": x̂0 on the way', way.strip.copy(), tuple(way.captions)),
        Pictures("the same start, other guidance w", way.others.copy(), beside),
    )
    other = Table(("the same start", *beside), (("read as", *(way.others_read or (PENDING,) * len(beside))),))
    return Findings(
        done,
        blocks,
        Table((loaded.name, "here", "took", "text-to-image has"), rows),
        _seen(way) if done == 1.0 else "",
        more=(("What guidance w does", other),),
    )


def _read(way: _Way) -> str:
    return PENDING if way.read is None else f"{way.read[0]}, {way.read[1]:.0%} sure"


def _told(seconds: float) -> str:
    """A time, short or long: "12 µs", "3.1 ms", "0.2 s"."""
    if seconds < 1e-3:
        return f"{1e6 * seconds:.0f} µs"
    return f"{1e3 * seconds:.1f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def _seen(way: _Way) -> str:
    known = [seconds for seconds in way.seconds if seconds is not None]
    share = (way.seconds[3] or 0.0) / sum(known)
    return (
        f'"{way.caption}" becomes one label, that {grouped(sum(way.numbers))} numbers, and these steer '
        f"{way.asked} looks of the network, {share:.0%} of the time. The picture is read as {_read(way)}."
    )


PROMPT_TO_IMAGE = Page(
    name="prompt",
    title="From a caption to a picture, stage by stage",
    source="Modules",
    says="describe the whole pipeline from prompt to image.",
    look="Where does the caption come in, and how often is it looked at? What has a text model there?",
    how="The network as it is best drawn with. Guidance: c + w (c - u), with the network's answer c for the "
    "label and u for any. Each stage is timed once. What text-to-image models have is not here.",
    run=prompt_to_image,
    offers=frozenset({"digit", "seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)
