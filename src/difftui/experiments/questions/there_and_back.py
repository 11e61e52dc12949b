"""Page: the way to noise beside the way back, and what each of them needs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import add_noise, transitions
from difftui.experiments.figures import signif
from difftui.experiments.materials import drawn, load_network, picture, recognised
from difftui.experiments.page import PENDING, Findings, Page, Pictures, Setup, Table
from difftui.experiments.questions.asking import beginning, milliseconds, wake
from difftui.words import grouped

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["THERE_AND_BACK", "there_and_back"]

Grey = NDArray[np.float32]

NETWORKS = ("quick", "conditional")
SHOWN = 9  # timesteps of each strip, as in the lab
REPEATED = 50  # one formula is too quick to be timed once


def there_and_back(setup: Setup, device: str, *, steps: int | None = None) -> Iterator[Findings]:
    """Noise a digit at nine timesteps by one formula; then draw one from noise, step by step."""
    from difftui.models import parameter_count

    x0, rng = picture(setup), np.random.default_rng(setup.seed)
    eps = rng.standard_normal(x0.shape)
    loaded = load_network(NETWORKS, setup.network, device)
    state = _Ways(loaded, parameter_count(loaded.model), setup.label, steps)
    last = loaded.schedule.T - 1
    state.there_at = [round(i * last / (SHOWN - 1)) for i in range(SHOWN)]
    began = time.perf_counter()
    for _ in range(REPEATED):
        add_noise(x0, eps, loaded.schedule.alpha_bar(last))
    state.there_seconds = (time.perf_counter() - began) / REPEATED
    state.there = np.array(
        [add_noise(x0, eps, loaded.schedule.alpha_bar(t)) for t in state.there_at], np.float32
    )
    yield state.findings(0)
    frames = loaded.sample((setup.seed,), steps=steps)
    state.back = [beginning(loaded, setup.seed)]
    wake(loaded, device)
    for done in range(1, state.count + 1):
        began = time.perf_counter()
        frame = next(frames)
        picture_now = drawn(frame.x)  # waits for the device
        state.back_seconds += time.perf_counter() - began
        if done in state.kept:
            state.back.append(picture_now[0])
        if done == state.count:
            state.answer = int(recognised(picture_now)[0])
        yield state.findings(done)


@dataclass(slots=True)
class _Ways:
    """Both ways, as far as they have come.

    Attributes:
        loaded, parameters: the network that goes back, and how many numbers it has learnt.
        label: class of the digit that is noised.
        wanted: steps back; None is what the network advises.
        there_at, there, there_seconds: timesteps, pictures and time of the way there.
        back, back_seconds, answer: pictures so far, time, and what the last is recognised as.
    """

    loaded: LoadedModel
    parameters: int
    label: int
    wanted: int | None
    there_at: list[int] = field(default_factory=list)
    there: Grey = field(default_factory=lambda: np.empty(0, np.float32))
    there_seconds: float = 0.0
    back: list[Grey] = field(default_factory=list)
    back_seconds: float = 0.0
    answer: int | None = None

    @property
    def sampler(self) -> str:
        return self.loaded.drawing(steps=self.wanted)[0]

    @property
    def count(self) -> int:
        """Steps back."""
        return self.loaded.drawing(steps=self.wanted)[1]

    @property
    def kept(self) -> list[int]:
        """The steps back whose pictures are shown; 0 is the start."""
        return [round(i * self.count / (SHOWN - 1)) for i in range(SHOWN)]

    def findings(self, done: int) -> Findings:
        """The page after so many steps back."""
        finished = done == self.count
        pixels = self.there[0].size
        noises = self.count if self.sampler == "ddpm" else 1  # x_T, and one after each step but the last
        took = milliseconds(self.back_seconds) if finished else PENDING
        random = f"x_T and {noises - 1} more" if noises > 1 else "x_T"
        rows = (
            ("from, to", f"this {self.label}, noise", f"noise, {self._end()}"),
            ("calls of a network", "0", f"{done} of {self.count}"),
            ("time for one picture", milliseconds(self.there_seconds), took),
            ("numbers that were learnt", "0", grouped(self.parameters)),
            ("noise in it", f"one ε, {pixels} numbers", f"{random}, {grouped(noises * pixels)} numbers"),
        )
        return Findings(
            done / self.count,
            (
                Pictures("there: a digit to noise, by t", self.there, _captions(self.there_at), SHOWN),
                Pictures(
                    f"back: noise to a digit, by t ({self.loaded.name})",
                    self._strip(),
                    self._back_captions(),
                    SHOWN,
                ),
            ),
            Table(("", "there (forward)", "back (reverse)"), rows),
            self._seen() if finished else "",
            needed=2,
        )

    def _strip(self) -> Grey:
        paper = np.full_like(self.there[0], -1.0)
        return np.array([*self.back, *[paper] * (SHOWN - len(self.back))], np.float32)

    def _back_captions(self) -> tuple[str, ...]:
        jumps = transitions(self.loaded.schedule.T, self.count)
        return _captions([jumps[0][0], *(jumps[step - 1][1] for step in self.kept[1:])])

    def _end(self) -> str:
        return PENDING if self.answer is None else f"a digit read as {self.answer}"

    def _seen(self) -> str:
        ratio = signif(self.back_seconds / self.there_seconds, 1)
        return (
            f"There: one formula, one noise, {milliseconds(self.there_seconds)}. Back: {self.count} calls of "
            f"a trained network, about {ratio} times as long, and a digit (a {self.answer}) where none was."
        )


def _captions(times: Sequence[int]) -> tuple[str, ...]:
    return tuple("x_0" if t < 0 else str(t) for t in times)


THERE_AND_BACK = Page(
    name="there-and-back",
    title="The way to noise, and the way back",
    source="Modules",
    says="forward and reverse, in your own words?",
    look="Read both from left to right. What does each begin with, need, and end as?",
    how="Forward: x_t = √ᾱ_t x_0 + √(1-ᾱ_t) ε at nine t, the same ε. Back: the network draws one digit with "
    "the sampler and the steps that it ships with. Times are this machine's, now.",
    run=there_and_back,
    offers=frozenset({"digit", "seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)
