"""Page: a network that tells digits beside one that draws them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.experiments.figures import signif
from difftui.experiments.materials import apart, drawn, load_network, picture, recognised
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Page, Pictures, Setup, Table
from difftui.experiments.questions.asking import beginning, milliseconds, wake
from difftui.words import grouped

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["AGAINST_CLASSIFIER", "against_classifier"]

Grey = NDArray[np.float32]

NETWORKS = ("quick", "conditional")
SHOWN = 5  # pictures of the way back
ASKED = 4  # times each is asked the same
REPEATED = 20  # answers of the classifier that are timed


def against_classifier(setup: Setup, device: str, *, steps: int | None = None) -> Iterator[Findings]:
    """Have a digit told; then have one drawn, four times."""
    import torch

    from difftui.evaluation.recogniser import judge, load_recogniser
    from difftui.models import parameter_count

    loaded, classifier = load_network(NETWORKS, setup.network, device), load_recogniser()
    x0 = torch.from_numpy(picture(setup).astype(np.float32))[None, None]
    state = _Both(loaded, drawn(x0)[0], beginning(loaded, setup.seed), steps)
    state.learnt = parameter_count(classifier), parameter_count(loaded.model)
    yield state.findings(0.0)
    answers = torch.cat([judge(classifier, x0)[1] for _ in range(ASKED)])
    began = time.perf_counter()
    for _ in range(REPEATED):
        judge(classifier, x0)
    state.seconds.append((time.perf_counter() - began) / REPEATED)
    state.probabilities = answers[0].numpy().astype(np.float64)
    state.spread.append(float((answers - answers[0]).abs().max()))
    yield state.findings(0.05)
    wake(loaded, device)
    ends = []
    for asked in range(ASKED):
        seed, took = setup.seed + asked, 0.0
        frames = loaded.sample((seed,), steps=steps)
        for done in range(1, state.count + 1):
            began = time.perf_counter()
            now = drawn(next(frames).x)
            took += time.perf_counter() - began
            if not asked and done in state.kept:
                state.strip.append(now[0])
            yield state.findings(0.05 + 0.95 * (asked + (done - 1) / state.count) / ASKED)
        ends.append(now[0])
        state.drawing_seconds.append(took)
    state.seconds.append(float(np.median(state.drawing_seconds)))
    state.spread.append(apart(np.array(ends)))
    state.answers = recognised(np.array(ends)).tolist()
    yield state.findings(1.0)


@dataclass(slots=True)
class _Both:
    """The classifier and the network that draws, as far as they have answered.

    Attributes:
        loaded: the network that draws.
        digit, noise: what is told, and what the first drawing begins with.
        wanted: steps of a drawing; None is what the network advises.
        learnt: parameters of both.
        probabilities: (10,) of the digit.
        seconds, spread: of both, for one result, and between answers to the same question.
        strip: pictures of the way back so far.
        drawing_seconds, answers: of each drawing, and what they are recognised as.
    """

    loaded: LoadedModel
    digit: Grey
    noise: Grey
    wanted: int | None
    learnt: tuple[int, int] = (0, 0)
    probabilities: NDArray[np.float64] = field(default_factory=lambda: np.full(10, np.nan))
    seconds: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    strip: list[Grey] = field(default_factory=list)
    drawing_seconds: list[float] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Steps of a drawing."""
        return self.loaded.drawing(steps=self.wanted)[1]

    @property
    def kept(self) -> list[int]:
        """The steps whose pictures are shown."""
        return [round(i * self.count / SHOWN) for i in range(1, SHOWN + 1)]

    def findings(self, done: float) -> Findings:
        """The page at this point."""
        pixels = self.digit.size
        took = [*map(milliseconds, self.seconds), PENDING, PENDING][:2]
        same = "" if not self.spread else f"{signif(self.spread[0])} apart"
        other = (
            ""
            if len(self.spread) < 2
            else f"{signif(self.spread[1])} apart: " + ", ".join(map(str, self.answers))
        )
        rows = (
            ("goes in", f"a digit, {pixels} numbers", f"noise, {pixels} numbers, and t"),
            ("comes out", "10 probabilities", f"a digit, {pixels} numbers"),
            ("calls for one result, time", f"1, {took[0]}", f"{self.count}, {took[1]}"),
            (f"asked {ASKED} times, answers are", same or PENDING, other or PENDING),
            ("parameters", *map(grouped, self.learnt)),
        )
        return Findings(
            done,
            (self._pictures(), self._belief()),
            Table(("", "classifier (tells)", f"{self.loaded.name} (draws)"), rows),
            self._seen() if done == 1.0 else "",
            needed=1,
        )

    def _pictures(self) -> Pictures:
        paper = np.full_like(self.digit, -1.0)
        strip = [*self.strip, *[paper] * (SHOWN - len(self.strip))]
        captions = ("told", "noise", *(f"call {step}" for step in self.kept[:-1]), "drawn")
        return Pictures(
            "a digit is told; from noise one is drawn",
            np.array([self.digit, self.noise, *strip], np.float32),
            captions,
            SHOWN + 2,
        )

    def _belief(self) -> Curves:
        return Curves(
            "told: ten probabilities come out",
            (Curve("", np.arange(10), self.probabilities, "accent", points=True),),
            (-0.5, 9.5),
            (0.0, 1.05),
            x_ticks=tuple((float(digit), str(digit)) for digit in range(10)),
            x_name="digit",
        )

    def _seen(self) -> str:
        best = int(self.probabilities.argmax())
        ratio = signif(self.seconds[1] / self.seconds[0], 2)
        return (
            f"Told: {best}, by {self.probabilities[best]:.1%}; 784 numbers become 10, the same every time. "
            f"Drawn: {self.count} calls, {ratio} times as long; {ASKED} drawings lie "
            f"{signif(self.spread[1])} apart."
        )


AGAINST_CLASSIFIER = Page(
    name="classifier",
    title="One network tells digits, another draws them",
    source="Modules",
    says="a CNN that classifies, and diffusion: what differs?",
    look="What goes in, what comes out, how many calls, and is there chance in it?",
    how="The recogniser asked four times about one held-out digit, and timed over 20 answers; the diffusion "
    "network draws four digits with the sampler it ships with. Apart: the largest difference of a "
    "probability, and the mean √Σ(a-b)² of two drawings.",
    run=against_classifier,
    offers=frozenset({"digit", "seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)
