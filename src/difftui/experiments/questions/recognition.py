"""Pages: how far into the noise a digit can be told, and what two timesteps of the lab leave of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import add_noise
from difftui.experiments.figures import decibels, signif
from difftui.experiments.leak import best_guess
from difftui.experiments.materials import picture, recognised, some_of_each
from difftui.experiments.page import PENDING, Block, Curve, Curves, Findings, Page, Pictures, Setup, Table
from difftui.experiments.schedules import named

__all__ = ["EARLY_LATE", "UNRECOGNISABLE", "early_late", "told_at", "unrecognisable"]

Floats = NDArray[np.float64]
Shares = tuple[float, float]
"""Of the digits, those that the recogniser tells and those that the best guess tells."""

KINDS = ("scaled-linear 200", "linear 200")
"""The lab says T = 200 and no word of its betas: the two ways to read it."""
JUDGES = ("recogniser", "best guess")
OF_EACH = 20  # digits of each class
CHANCE, HALF = 0.1, 0.5


def told_at(digits: Floats, eps: Floats, level: float) -> Shares:
    """The shares of digits 0 to 9, and again, that the recogniser and the best guess tell from one x_t.

    Args:
        digits: (N, 28, 28) clean, as :func:`~difftui.experiments.materials.some_of_each` gives them.
        eps: (N, 28, 28) their noise.
        level: ᾱ_t.
    """
    true = np.arange(len(digits)) % 10
    x_t = add_noise(digits, eps, level)
    answers = recognised(x_t), best_guess(x_t, math.sqrt(level), 1.0 - level)
    first, second = (float((answer == true).mean()) for answer in answers)
    return first, second


# Page: the timestep at which a digit cannot be told.

EVERY = 20  # timesteps between two points of a curve
SHOWN = (0, 25, 50, 75, 100, 150, 199)


def unrecognisable(setup: Setup, device: str, *, of_each: int = OF_EACH) -> Iterator[Findings]:
    """Ask two judges at more and more noise; then at every fifth timestep where half is passed."""
    digits = some_of_each(of_each)
    # The same ε at all t: what changes along a curve is the noise's size alone.
    eps = np.random.default_rng(setup.seed).standard_normal(digits.shape)
    state = _Told(setup)
    yield state.findings(0.0)
    coarse = [*range(0, 199, EVERY), 199]
    for place, t in enumerate(coarse, 1):
        for kind in KINDS:
            state.shares[kind][t] = told_at(digits, eps, named(kind).alpha_bar(t))
            yield state.findings(0.6 * place / len(coarse))
    finer = [(kind, t) for kind in KINDS for t in state.undecided(kind)]
    for place, (kind, t) in enumerate(finer, 1):
        state.shares[kind][t] = told_at(digits, eps, named(kind).alpha_bar(t))
        yield state.findings(0.6 + 0.3 * place / len(finer))
    for kind in KINDS:
        state.own[kind] = _first_mistake(setup, kind)
    yield state.findings(1.0)


def _first_mistake(setup: Setup, kind: str) -> str:
    """Where the recogniser first takes the chosen digit, under one ε, for another."""
    x0, schedule = picture(setup), named(kind)
    eps = np.random.default_rng(setup.seed).standard_normal(x0.shape)
    answers = recognised(np.array([add_noise(x0, eps, level) for level in schedule.alpha_bars]))
    wrong = np.flatnonzero(answers != setup.label)
    return f"t = {wrong[0]}, for a {answers[wrong[0]]}" if len(wrong) else "never"


@dataclass(slots=True)
class _Told:
    """What the judges have said so far.

    Attributes:
        setup: the digit and the noise that are shown.
        shares: by schedule and t.
        own: by schedule, where the chosen digit is first taken for another.
    """

    setup: Setup
    shares: dict[str, dict[int, Shares]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    own: dict[str, str] = field(default_factory=dict)

    def first_below(self, kind: str, judge: int) -> int | None:
        """The first timestep asked about at which less than half are told."""
        return min((t for t, told in self.shares[kind].items() if told[judge] < HALF), default=None)

    def undecided(self, kind: str) -> list[int]:
        """Timesteps between the last point above half and the first below it, for either judge."""
        ends = {self.first_below(kind, judge) for judge in range(len(JUDGES))} - {None}
        asked = self.shares[kind]
        fine = (t for end in ends if end for t in range(end - EVERY + 4, end, 4))
        return sorted({t for t in fine if t > 0} - asked.keys())

    def findings(self, done: float) -> Findings:
        """The page at this point."""
        finished = done == 1.0
        rows = [
            (
                f"{name} right in less than half from",
                *(self._crossing(kind, judge) if finished else PENDING for kind in KINDS),
            )
            for judge, name in enumerate(JUDGES)
        ]
        rows += [
            ("SNR where the recogniser gets there", *(self._snr(k) if finished else PENDING for k in KINDS)),
            ("right at t = 199: recogniser, best guess", *(self._last(kind) for kind in KINDS)),
            (f"this {self.setup.label} is first mistaken at", *(self.own.get(k, PENDING) for k in KINDS)),
        ]
        return Findings(
            done,
            (self._pictures(), self._curves()),
            Table(("T = 200, chance 10%", *KINDS), tuple(rows)),
            self._seen() if finished else "",
        )

    def _crossing(self, kind: str, judge: int) -> str:
        t = self.first_below(kind, judge)
        return "never" if t is None else f"t = {t}"

    def _snr(self, kind: str) -> str:
        t = self.first_below(kind, 0)
        return "" if t is None else decibels(float(named(kind).snr[t]))

    def _last(self, kind: str) -> str:
        told = self.shares[kind].get(199)
        return PENDING if told is None else ", ".join(f"{share:.0%}" for share in told)

    def _pictures(self) -> Pictures:
        x0, schedule = picture(self.setup), named(KINDS[0])
        eps = np.random.default_rng(self.setup.seed).standard_normal(x0.shape)
        images = [x0, *(add_noise(x0, eps, schedule.alpha_bar(t)) for t in SHOWN[1:])]
        captions = ("clean", *(f"t = {t}" for t in SHOWN[1:]))
        return Pictures(f"x_t under {KINDS[0]}", np.array(images, np.float32), captions, len(SHOWN))

    def _curves(self) -> Curves:
        colours = (("accent", "green"), ("noise", "purple"))
        curves = []
        for kind, pair in zip(KINDS, colours, strict=True):
            times = sorted(self.shares[kind])
            for judge, (name, colour) in enumerate(zip(JUDGES, pair, strict=True)):
                told = [self.shares[kind][t][judge] for t in times]
                label = f"{name}, {kind.removesuffix('-linear 200').removesuffix(' 200')}"
                curves.append(Curve(label, times or [0], told or [math.nan], colour))
        return Curves(
            "share of digits told, by t",
            tuple(curves),
            (0.0, 199.0),
            (0.0, 1.0),
            lines=((HALF, ""), (CHANCE, "chance")),
            x_ticks=((0.0, "0 clean"), (100.0, "100"), (199.0, "199")),
            x_name="t",
        )

    def _seen(self) -> str:
        scaled, plain = ([self._crossing(kind, judge) for judge in (0, 1)] for kind in KINDS)
        return (
            f"Scaled, a judge who knows no noise loses half at {scaled[0]}, the best at {scaled[1]}; "
            f"unscaled, {plain[0]} and {plain[1]}. The answer needs a judge and a schedule."
        )


# Page: t = 50 against t = 150.

PAIR = (50, 150)


def early_late(setup: Setup, device: str, *, of_each: int = 2 * OF_EACH) -> Iterator[Findings]:
    """Three digits at two timesteps of two schedules; how many of many digits are told there."""
    digits = some_of_each(of_each)
    eps = np.random.default_rng(setup.seed).standard_normal(digits.shape)
    told: dict[tuple[str, int], Shares] = {}
    yield _early_late(setup, told)
    for kind in KINDS:
        for t in PAIR:
            told[kind, t] = told_at(digits, eps, named(kind).alpha_bar(t))
            yield _early_late(setup, told)


def _early_late(setup: Setup, told: dict[tuple[str, int], Shares]) -> Findings:
    cases = [(kind, t) for kind in KINDS for t in PAIR]
    levels = [named(kind).alpha_bar(t) for kind, t in cases]
    shares = [told.get(case) for case in cases]
    rows = (
        ("signal left √ᾱ", *(signif(math.sqrt(a)) for a in levels)),
        ("noise √(1-ᾱ)", *(signif(math.sqrt(1.0 - a)) for a in levels)),
        ("SNR", *(decibels(a / (1.0 - a)) for a in levels)),
        *(
            (
                f"told by the {name}",
                *(PENDING if share is None else f"{share[judge]:.0%}" for share in shares),
            )
            for judge, name in enumerate(JUDGES)
        ),
    )
    header = ("", *(f"{kind.split('-')[0].split()[0]}, {t}" for kind, t in cases))
    return Findings(
        (1 + len(told)) / (1 + len(cases)),
        _early_late_pictures(setup),
        Table(header, rows),
        _seen_early_late(told) if len(told) == len(cases) else "",
        needed=2,
    )


def _early_late_pictures(setup: Setup) -> tuple[Block, ...]:
    """The chosen digit and two others at both timesteps, a block for each schedule."""
    labels = [(setup.label + step) % 10 for step in (0, 3, 6)]
    digits = some_of_each(1)[labels]
    eps = np.random.default_rng(setup.seed).standard_normal(digits.shape)
    blocks = []
    for kind in KINDS:
        noised = np.concatenate([add_noise(digits, eps, named(kind).alpha_bar(t)) for t in PAIR])
        captions = tuple(str(t) for t in PAIR for _ in labels)
        blocks.append(Pictures(f"{kind}, by t", noised.astype(np.float32), captions, len(captions)))
    return tuple(blocks)


def _seen_early_late(told: dict[tuple[str, int], Shares]) -> str:
    early, late = (told[KINDS[0], t][1] for t in PAIR)
    return (
        f"Scaled, {early:.0%} of digits can be told at t = 50 and {late:.0%} at 150, where chance gives 10%. "
        f"Unscaled, t = 150 still leaves {told[KINDS[1], 150][1]:.0%}: the schedule decides, not t alone."
    )


UNRECOGNISABLE = Page(
    name="unrecognisable",
    title="When is a digit no longer to be told?",
    source="Modules",
    says="from which timestep on is the digit unrecognisable?",
    look="Where do you lose the digit? One judge has never seen noise, the other knows all of it.",
    how="200 held-out digits, each under one ε of growing size. The recogniser has learnt clean digits; "
    "the best guess is Bayes' rule over the 10 000 bundled ones. Shares are good to about 0.03, t to 4.",
    run=unrecognisable,
    offers=frozenset({"digit", "seed"}),
    needs_torch=True,
)

EARLY_LATE = Page(
    name="early-late",
    title="t = 50 against t = 150",
    source="Modules",
    says="the same digits at t = 50 and at t = 150 of 200: what is left?",
    look="Compare the left three with the right three, then the upper row with the lower.",
    how="x_t = √ᾱ_t x_0 + √(1-ᾱ_t) ε with the same ε everywhere. Told: the share of 400 held-out digits, by "
    "the recogniser, which has never seen noise, and by Bayes' rule over the 10 000 bundled ones; known to "
    "about 0.02.",
    run=early_late,
    offers=frozenset({"digit", "seed"}),
    needs_torch=True,
)
