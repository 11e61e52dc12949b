"""Schedules against published figures, the Lecture's print-out, closed forms and diffusers."""

import copy
import math

import numpy as np
import pytest
from diffusers import DDPMScheduler
from hypothesis import given
from hypothesis import strategies as st

from difftui.diffusion import SCHEDULES, NoiseSchedule, make_schedule

KINDS = sorted(SCHEDULES)
ALL_T = st.integers(min_value=1, max_value=10_000)


def test_the_five_schedules_are_listed_with_a_sentence_each() -> None:
    assert set(SCHEDULES) == {"linear", "scaled-linear", "cosine", "clipped-cosine", "sigmoid"}
    assert all(sentence.endswith(".") for sentence in SCHEDULES.values())


@pytest.mark.parametrize(
    ("kind", "first", "middle", "last"),
    [
        ("linear", 0.9999, 0.0785872, 4.03583e-5),
        ("cosine", 0.99995872, 0.49384359, 2.42877e-9),
        ("clipped-cosine", 0.99995872, 0.49384359, 3.19606e-3),
    ],
)
def test_alpha_bar_has_the_published_figures(kind: str, first: float, middle: float, last: float) -> None:
    bars = make_schedule(kind, 1000).alpha_bars
    assert bars[0] == pytest.approx(first, rel=1e-8)
    assert bars[499] == pytest.approx(middle, rel=1e-6)
    assert bars[999] == pytest.approx(last, rel=5e-6)


@pytest.mark.parametrize(("T", "last"), [(50, 0.603), (100, 0.364), (200, 0.132), (400, 0.0175)])
def test_unscaled_linear_leaves_signal_when_short(T: int, last: float) -> None:
    assert make_schedule("linear", T).alpha_bars[-1] == pytest.approx(last, rel=3e-3)


def test_scaled_linear_reaches_noise_in_200_steps() -> None:
    assert make_schedule("scaled-linear", 200).alpha_bars[-1] == pytest.approx(3.03e-5, rel=2e-3)


def test_posterior_variance_has_the_published_figures() -> None:
    variance = make_schedule("linear", 1000).posterior_variance
    assert variance[0] == 0.0
    assert variance[1] == pytest.approx(5.45319e-5, rel=1e-6)
    assert variance[487] == pytest.approx(0.00979157, rel=1e-6)
    assert variance[999] == pytest.approx(0.01999998, rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "T", "crossing"),
    [
        ("linear", 200, 117),
        ("scaled-linear", 200, 51),
        ("cosine", 200, 99),
        ("linear", 1000, 259),
        ("cosine", 1000, 496),
    ],
)
def test_snr_crosses_one_where_the_labs_say(kind: str, T: int, crossing: int) -> None:
    schedule = make_schedule(kind, T)
    assert schedule.snr_crossing == crossing
    assert schedule.snr[crossing] < 1.0 <= schedule.snr[crossing - 1]


def test_a_schedule_that_stays_clear_never_crosses() -> None:
    assert make_schedule("linear", 50).snr_crossing is None


def test_clipped_cosine_prints_the_lectures_betas() -> None:
    betas = make_schedule("clipped-cosine", 1000).betas
    printed = [f"{beta:.4e}" for beta in betas[::10]]
    assert printed[:2] == ["4.1284e-05", "8.9871e-05"]
    assert printed[-10:] == ["1.9742e-02"] + ["2.0000e-02"] * 9
    clipped = np.flatnonzero(betas == 0.02)
    assert (clipped.size, clipped[0]) == (98, 902)
    assert math.sqrt(make_schedule("clipped-cosine", 1000).alpha_bars[-1]) == pytest.approx(0.0565, abs=5e-5)


def test_clipping_from_below_holds() -> None:
    # At T = 10 000 the first cosine betas are smaller than the Lecture's floor.
    assert make_schedule("cosine", 10_000).betas.min() < 1e-5
    assert make_schedule("clipped-cosine", 10_000).betas.min() == 1e-5


@pytest.mark.parametrize("T", [1, 2, 7, 200, 1000, 10_000])
def test_linear_and_cosine_are_the_peers(T: int) -> None:
    linear = DDPMScheduler(num_train_timesteps=T, beta_schedule="linear").betas.numpy()
    assert np.abs(make_schedule("linear", T).betas - linear).max() < 1e-8
    cosine = DDPMScheduler(num_train_timesteps=T, beta_schedule="squaredcos_cap_v2").betas.numpy()
    assert np.abs(make_schedule("cosine", T).betas - cosine).max() < 1e-6


@pytest.mark.parametrize("T", [1, 3, 64, 1000])
def test_cosine_and_sigmoid_follow_their_closed_forms(T: int) -> None:
    # The cap touches the last beta only, so that every alpha_bar before it is the curve itself.
    u = np.arange(1, T + 1) / T
    cosine = np.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2
    assert np.abs(make_schedule("cosine", T).alpha_bars - cosine)[:-1].max(initial=0.0) < 1e-12

    def logistic(z: float | np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    low, high = logistic(-3.0), logistic(3.0)
    sigmoid = (high - logistic(6.0 * u - 3.0)) / (high - low)
    assert np.abs(make_schedule("sigmoid", T).alpha_bars - sigmoid)[:-1].max(initial=0.0) < 1e-12


def test_scaled_linear_is_linear_at_a_thousand_steps() -> None:
    assert np.array_equal(make_schedule("scaled-linear", 1000).betas, make_schedule("linear", 1000).betas)


@pytest.mark.parametrize("T", [2, 5, 19, 20])
def test_scaled_linear_caps_the_betas_that_would_reach_one(T: int) -> None:
    betas = make_schedule("scaled-linear", T).betas
    assert betas[-1] == 0.999
    assert make_schedule("scaled-linear", 21).betas[-1] == pytest.approx(20 / 21)


@given(kind=st.sampled_from(KINDS), T=ALL_T)
def test_every_schedule_is_sound_at_every_length(kind: str, T: int) -> None:
    schedule = make_schedule(kind, T)
    tables = (schedule.betas, schedule.alphas, schedule.alpha_bars, schedule.posterior_variance, schedule.snr)
    for table in tables:
        assert table.shape == (T,)
        assert table.dtype == np.float64
        assert np.isfinite(table).all()
        assert not table.flags.writeable
    assert ((schedule.betas > 0) & (schedule.betas < 1)).all()
    assert ((schedule.alpha_bars > 0) & (schedule.alpha_bars < 1)).all()
    assert (np.diff(schedule.alpha_bars) < 0).all()
    assert (np.diff(schedule.snr) < 0).all()
    assert (schedule.posterior_variance >= 0).all()
    assert (schedule.posterior_variance <= schedule.betas).all()
    assert np.allclose(schedule.snr * (1 - schedule.alpha_bars), schedule.alpha_bars, rtol=1e-12)
    # An independent road to alpha_bar: a sum of logarithms.
    assert np.allclose(
        np.log(schedule.alpha_bars), np.cumsum(np.log1p(-schedule.betas)), rtol=1e-9, atol=1e-9
    )


@given(kind=st.sampled_from(KINDS), T=ALL_T, data=st.data())
def test_alpha_bar_by_time(kind: str, T: int, data: st.DataObject) -> None:
    schedule = make_schedule(kind, T)
    t = data.draw(st.integers(0, T - 1))
    assert schedule.alpha_bar(t) == schedule.alpha_bars[t]
    assert type(schedule.alpha_bar(t)) is float
    assert schedule.alpha_bar(-1) == 1.0


@pytest.mark.parametrize("t", [-2, 10])
def test_a_time_off_the_schedule_is_refused(t: int) -> None:
    with pytest.raises(ValueError, match=r"outside -1 \.\.\. 9"):
        make_schedule("linear", 10).alpha_bar(t)


@pytest.mark.parametrize("T", [0, -1, 10_001, 10.0, "10", None, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_length_is_refused(kind: str, T: object) -> None:
    with pytest.raises(ValueError, match="T must be a whole number from 1 to 10000"):
        make_schedule(kind, T)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown schedule 'cosin'; known are .*") as error:
        make_schedule("cosin", 10)
    assert all(kind in str(error.value) for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_option_lists_the_known_ones(kind: str) -> None:
    with pytest.raises(ValueError, match="no option 'slope'; it has") as error:
        make_schedule(kind, 10, slope=1.0)
    assert all(name in str(error.value) for name in make_schedule(kind, 10).options)


@pytest.mark.parametrize(
    ("kind", "options", "complaint"),
    [
        ("linear", {"beta_end": 1.0}, "beta_end must lie between 0 and 1, not 1"),
        ("linear", {"beta_end": 1.5}, "beta_end must lie"),
        ("linear", {"beta_start": 0.0}, "beta_start must lie"),
        ("linear", {"beta_start": -0.1}, "beta_start must lie"),
        ("linear", {"beta_start": 0.5}, "beta_start must not exceed beta_end"),
        ("linear", {"beta_end": math.nan}, "finite number"),
        ("linear", {"beta_end": "0.02"}, "finite number"),
        ("linear", {"beta_end": True}, "finite number"),
        ("scaled-linear", {"beta_end": 2.0}, "beta_end must lie"),
        ("scaled-linear", {"max_beta": 1.0}, "max_beta must lie"),
        ("cosine", {"s": -0.1}, "s must be at least 0"),
        ("cosine", {"max_beta": 1.0}, "max_beta must lie"),
        ("clipped-cosine", {"min_beta": 0.0}, "min_beta must lie"),
        ("clipped-cosine", {"min_beta": 0.1}, "min_beta must not exceed max_beta"),
        ("clipped-cosine", {"max_beta": 1.0}, "max_beta must lie"),
        ("sigmoid", {"start": 3.0}, "start must be less than end"),
        ("sigmoid", {"tau": 0.0}, "tau must be greater than 0"),
        ("sigmoid", {"max_beta": 0.0}, "max_beta must lie"),
    ],
)
def test_a_wrong_option_is_refused(kind: str, options: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make_schedule(kind, 100, **options)


def test_a_schedule_that_loses_all_signal_is_refused() -> None:
    with pytest.raises(ValueError, match="alpha_bar falls below 1e-70 at t = 2483"):
        make_schedule("linear", 10_000, beta_end=0.5)


@pytest.mark.parametrize("beta", [0.0, 1.0, -0.1, 1.5, math.nan, 1e-17])
def test_foreign_betas_are_checked(beta: float) -> None:
    with pytest.raises(ValueError, match="at t = 1; every beta must lie between 0 and 1"):
        NoiseSchedule("mine", np.array([0.1, beta, 0.2]))


def test_foreign_betas_must_be_a_list_of_numbers() -> None:
    with pytest.raises(ValueError, match="shape"):
        NoiseSchedule("mine", np.full((2, 2), 0.1))
    with pytest.raises(ValueError, match="T must be"):
        NoiseSchedule("mine", np.array([]))


def test_a_schedule_cannot_be_changed_from_outside() -> None:
    betas = np.array([0.1, 0.2])
    schedule = NoiseSchedule("mine", betas)
    betas[0] = 0.9
    assert schedule.betas[0] == 0.1
    with pytest.raises(ValueError, match="read-only"):
        schedule.alpha_bars[0] = 0.5
    with pytest.raises(TypeError):
        schedule.options["s"] = 1.0  # type: ignore[index]


def test_options_rebuild_the_schedule_and_tell_schedules_apart() -> None:
    schedule = make_schedule("cosine", 100, s=0.01)
    assert dict(schedule.options) == {"s": 0.01, "max_beta": 0.999}
    again = make_schedule(schedule.kind, schedule.T, **schedule.options)
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert np.array_equal(again.betas, schedule.betas)
    assert schedule != make_schedule("cosine", 100)
    assert schedule != make_schedule("cosine", 101, s=0.01)
    assert copy.copy(schedule) == schedule
