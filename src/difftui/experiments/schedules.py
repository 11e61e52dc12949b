"""Schedules by the names that pages use, and three pages about what is left of a digit at the end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import NoiseSchedule, add_noise, make_schedule
from difftui.experiments.figures import decibels, signif
from difftui.experiments.leak import DRAWS, told_at_the_end
from difftui.experiments.materials import picture
from difftui.experiments.page import PENDING, SAYS, Curve, Curves, Findings, Pictures, Setup, Table

__all__ = ["NAMED", "clipped", "named", "noises", "short", "two"]

Floats = NDArray[np.float64]

NAMED: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        f"{kind} {T}": (kind, T)
        for kind, T in (
            ("linear", 1000),
            ("clipped-cosine", 1000),
            ("cosine", 1000),
            ("sigmoid", 1000),
            ("linear", 200),
            ("scaled-linear", 200),
            ("cosine", 200),
        )
    }
)
"""Kind and T of the schedules that pages compare, by what they are called."""

LOOKS = 1000  # noised pictures of which the mean is taken
LOOKS_A_TURN = 40
CLIPPED_AT = 0.02
PRINTED = ("4.1284e-05", "8.9871e-05")
AXIS_DB = 40.0


@lru_cache(maxsize=16)
def named(name: str) -> NoiseSchedule:
    """The schedule of one of the :data:`NAMED`."""
    return make_schedule(*NAMED[name])


def signal_left(schedule: NoiseSchedule) -> float:
    """√ᾱ at the last timestep: how much of the picture's amplitude is left."""
    return math.sqrt(schedule.alpha_bars[-1])


# Page: the clipped cosine.


def clipped(setup: Setup, device: str) -> Iterator[Findings]:
    """Look a thousand times at what three schedules leave of one digit, each time under new noise."""
    schedules = [make_schedule(kind, 1000) for kind in ("clipped-cosine", "linear", "cosine")]
    x0, rng = picture(setup), np.random.default_rng(setup.seed)
    sums = np.zeros((3, *x0.shape))
    yield _clipped(schedules, x0, sums, 0)
    for looks in range(LOOKS_A_TURN, LOOKS + 1, LOOKS_A_TURN):
        for which, schedule in enumerate(schedules):
            eps = rng.standard_normal((LOOKS_A_TURN, *x0.shape))
            sums[which] += add_noise(x0[None], eps, schedule.alpha_bar(999)).sum(axis=0)
        yield _clipped(schedules, x0, sums, looks)
    yield _clipped(schedules, x0, sums, LOOKS, told_at_the_end(schedules[0], setup.seed))


def _clipped(
    schedules: list[NoiseSchedule], x0: Floats, sums: Floats, looks: int, told: float | None = None
) -> Findings:
    cut, linear, cosine = schedules
    at_limit = np.flatnonzero(cut.betas >= CLIPPED_AT)
    # Divided by √looks and not by looks: the noise keeps its size, and what is not noise grows.
    grown = sums / math.sqrt(looks) if looks else sums
    images = np.concatenate([x0[None], np.clip(grown / 2.0, -1.0, 1.0)])
    captions = ("the digit", "clipped", "linear", "cosine")
    rows = (
        ("signal left, √ᾱ at T", "pure noise", signif(signal_left(cut))),
        ("digits told from one x_T", "none", PENDING if told is None else f"{told:.1%}, chance 10%"),
        ("betas at the limit 0.02", "", f"{len(at_limit)}, from t = {at_limit[0]} on"),
        ("first and 11th β", ", ".join(PRINTED), f"{cut.betas[0]:.4e}, {cut.betas[10]:.4e}"),
        ("last ten β printed", "1.9742e-02, 9 × 0.02", _last_ten(cut)),
    )
    curves = tuple(
        Curve(name, np.arange(1000), np.sqrt(s.alpha_bars), colour)
        for name, s, colour in (
            ("cosine", cosine, "muted"),
            ("linear", linear, "foreground"),
            ("clip", cut, "accent"),
        )
    )
    seen = ""
    if told is not None:
        seen = (
            f"{signal_left(cut):.1%} of the digit's amplitude is left at T; {looks} looks bring it out. A "
            "sampler starts from noise without it: from what training never saw."
        )
    return Findings(
        1.0 if told is not None else 0.9 * looks / LOOKS,
        (
            Pictures(f"x_T, {looks} looks added up", images.astype(np.float32), captions),
            Curves(
                "signal left √ᾱ", curves, (0.0, 999.0), (1e-3, 1.0), True, x_ticks=_ends(1000), x_name="t"
            ),
        ),
        Table(SAYS, rows),
        seen,
        more=(("Cosine, clipped and not", _both(cut, cosine)),),
    )


def _both(cut: NoiseSchedule, cosine: NoiseSchedule) -> Table:
    """The two schedules side by side."""
    times = [*range(0, 1000, 100), 902, 950, 999]
    rows = (
        (
            str(t),
            *(signif(s.betas[t]) for s in (cut, cosine)),
            *(signif(math.sqrt(s.alpha_bars[t])) for s in (cut, cosine)),
        )
        for t in times
    )
    return Table(("t", "β clipped", "β cosine", "√ᾱ clipped", "√ᾱ cosine"), tuple(rows))


def _last_ten(schedule: NoiseSchedule) -> str:
    """The betas printed every tenth, of which the lecture shows the last ten."""
    first, *others = schedule.betas[::10][-10:]
    same = sum(beta == others[0] for beta in others)
    return f"{first:.4e}, {same} × {others[0]:g}"


def _ends(T: int) -> tuple[tuple[float, str], ...]:
    return ((0.0, "0 clean"), (float(T - 1), f"noise {T - 1}"))


# Page: T = 200.

FIVE = (
    ("linear 200", "accent"),
    ("scaled-linear 200", "noise"),
    ("cosine 200", "green"),
    ("linear 1000", "foreground"),
    ("cosine 1000", "purple"),
)
"""Schedules and their colours."""


def short(setup: Setup, device: str, *, draws: int = DRAWS) -> Iterator[Findings]:
    """One digit at the end of five schedules, and where each first has more noise than signal."""
    told: list[float] = []
    yield _short(setup, told)
    for name, _ in FIVE:
        told.append(told_at_the_end(named(name), setup.seed, draws))
        yield _short(setup, told)


def _short(setup: Setup, told: list[float]) -> Findings:
    x0 = picture(setup)
    eps = np.random.default_rng(setup.seed).standard_normal(x0.shape)
    schedules = [named(name) for name, _ in FIVE]
    images = [add_noise(x0, eps, schedule.alpha_bar(schedule.T - 1)) for schedule in schedules]
    rows = tuple(
        (
            name,
            "T = 200, no β" if name == FIVE[0][0] else "",
            f"t = {schedule.snr_crossing}, {(schedule.snr_crossing or 0) / (schedule.T - 1):.0%}",
            signif(signal_left(schedule)),
            f"{told[place]:.0%}" if place < len(told) else PENDING,
        )
        for place, ((name, _), schedule) in enumerate(zip(FIVE, schedules, strict=True))
    )
    header = ("schedule and T", "the lab says", "SNR < 1 from", "√ᾱ at T", "told (chance 10%)")
    curves = tuple(
        Curve(name, *_snr_curve(schedule), colour)
        for (name, colour), schedule in zip(FIVE, schedules, strict=True)
    )
    return Findings(
        (1 + len(told)) / (1 + len(FIVE)),
        (
            Pictures(
                "x_T: the digit at the last timestep",
                np.array([x0, *images], np.float32),
                ("clean", *(name.replace("scaled-linear", "scaled") for name, _ in FIVE)),
            ),
            Curves(
                "SNR in dB, from clean to noise",
                curves,
                (0.0, 1.0),
                (-AXIS_DB, AXIS_DB),
                lines=((0.0, "SNR = 1"),),
                x_ticks=((0.0, "clean"), (0.5, "half way"), (1.0, "noise")),
                x_name="t/T",
            ),
        ),
        Table(header, rows),
        _seen_short(schedules, told) if len(told) == len(FIVE) else "",
    )


def _seen_short(schedules: list[NoiseSchedule], told: list[float]) -> str:
    plain, scaled = schedules[:2]
    return (
        f"200 usual betas leave {signal_left(plain):.0%} of the amplitude, and {told[0]:.0%} of digits can "
        f"be told; times 1000/T, {signal_left(scaled):.1%}. Where noise wins hangs on kind and T."
    )


def _snr_curve(schedule: NoiseSchedule) -> tuple[Floats, Floats]:
    """Share of the way and SNR in dB, with a gap where it leaves the axis."""
    values = 10.0 * np.log10(schedule.snr)
    return np.arange(schedule.T) / (schedule.T - 1), np.where(np.abs(values) <= AXIS_DB, values, np.nan)


# Pages to try out: two schedules side by side, and five noises.


def two(setup: Setup, device: str) -> Iterator[Findings]:
    """The same digit and the same noise under two schedules, at the same share of the way."""
    x0 = picture(setup)
    eps = np.random.default_rng(setup.seed).standard_normal(x0.shape)
    names = setup.left, setup.right
    pair = [named(name) for name in names]
    times = [round(setup.time * (s.T - 1)) for s in pair]
    images = [add_noise(x0, eps, s.alpha_bar(t)) for s, t in zip(pair, times, strict=True)]
    ends = [add_noise(x0, eps, s.alpha_bar(s.T - 1)) for s in pair]
    here = [s.alpha_bar(t) for s, t in zip(pair, times, strict=True)]
    rows = (
        ("signal left at T", *(signif(signal_left(s)) for s in pair)),
        ("SNR first below 1", *(f"t = {s.snr_crossing} of {s.T}" for s in pair)),
        ("signal √ᾱ now", *(signif(math.sqrt(a)) for a in here)),
        ("SNR now", *(decibels(a / (1.0 - a)) for a in here)),
        ("noise √(1-ᾱ) now", *(signif(math.sqrt(1.0 - a)) for a in here)),
    )
    more, less = sorted(pair, key=signal_left, reverse=True)
    yield Findings(
        1.0,
        (
            Pictures(
                "left: x_t and x_T",
                np.array([images[0], ends[0]], np.float32),
                (f"t = {times[0]}", f"t = {pair[0].T - 1}"),
            ),
            Pictures(
                "right: x_t and x_T",
                np.array([images[1], ends[1]], np.float32),
                (f"t = {times[1]}", f"t = {pair[1].T - 1}"),
            ),
            Curves(
                "signal √ᾱ",
                tuple(
                    Curve(side, np.linspace(0.0, 1.0, s.T), np.sqrt(s.alpha_bars), colour)
                    for side, s, colour in zip(("left", "right"), pair, ("accent", "noise"), strict=True)
                ),
                (0.0, 1.0),
                (0.0, 1.0),
                marks=((setup.time, ""),),
                x_ticks=((0.0, "clean"), (1.0, "noise")),
                x_name="t/T",
            ),
        ),
        Table(("", *(f"{side}: {n}" for side, n in zip(("left", "right"), names, strict=True))), rows),
        f"Signal left at T: {signif(signal_left(more))} under {more.kind} {more.T}, "
        f"{signif(signal_left(less))} under {less.kind} {less.T}."
        if more != less
        else "Both sides are the same schedule: choose another for one of them.",
        time=(times[0], pair[0].T - 1),
        needed=2,
    )


NOISES = 5


def noises(setup: Setup, device: str) -> Iterator[Findings]:
    """One digit, one timestep, five noises, and their mean."""
    schedule = named(setup.left)
    t = round(setup.time * (schedule.T - 1))
    a = schedule.alpha_bar(t)
    x0 = picture(setup)
    eps = np.random.default_rng(setup.seed).standard_normal((NOISES, *x0.shape))
    x_t = add_noise(x0[None], eps, a)
    mean = x_t.mean(axis=0)
    spread = float(x_t.std(axis=0, ddof=1).mean())
    # E[s] = c4 σ for the standard deviation s of five normal numbers.
    c4 = math.sqrt(2.0 / (NOISES - 1)) * math.gamma(NOISES / 2) / math.gamma((NOISES - 1) / 2)
    off = float((mean - math.sqrt(a) * x0).std())
    rows = (
        ("signal √ᾱ, the same in all five", signif(math.sqrt(a)), signif(_slope(x_t, x0))),
        ("noise √(1-ᾱ), another in each", signif(math.sqrt(1.0 - a)), signif(spread / c4)),
        ("noise of their mean, that over √5", signif(math.sqrt((1.0 - a) / NOISES)), signif(off)),
    )
    yield Findings(
        1.0,
        (
            Pictures(
                f"x_t at t = {t}, five noises and their mean",
                np.array([*x_t, mean], np.float32),
                (*(f"noise {i + 1}" for i in range(NOISES)), "mean"),
            ),
        ),
        Table(("at this t", "the formula says", "measured now"), rows),
        "q(x_t | x_0) is a distribution, each picture one draw from it, and all equally right. They share "
        "the signal; noise tells them apart.",
        time=(t, schedule.T - 1),
    )


def _slope(x_t: Floats, x0: Floats) -> float:
    """How much of the digit is in the pictures: the best factor f in x_t ≈ f x_0."""
    return float((x_t * x0).sum() / (len(x_t) * (x0 * x0).sum()))
