"""The clock on simulated links: bytes leave at the link's rate and arrive after its delay, nothing else."""

from __future__ import annotations

from collections import deque

import pytest

from difftui.pixel_modes import Detail
from difftui.ui.clock import SHARE, FrameClock
from difftui.ui.flow import Flow

TICK = 1 / 15
COST = {Detail.FULL: 75_000, Detail.FEWER_GREYS: 45_000, Detail.BRAILLE: 8_000}


class Link:
    """A link, and a terminal that gives its signs at the far end."""

    def __init__(self, rate: float, delay: float) -> None:
        self.rate, self.delay = rate, delay
        self.total = 0
        self.free_at = 0.0
        self.signs: deque[float] = deque()

    def send(self, count: int, now: float) -> float:
        """Returns when the last of them has arrived."""
        self.total += count
        self.free_at = max(self.free_at, now) + count / self.rate
        return self.free_at + self.delay


def animate(
    link: Link, seconds: float, cost: dict[Detail, int] = COST
) -> tuple[FrameClock, list[tuple[float, float]]]:
    """Animate over a link; returns the clock, and when each frame was begun and had arrived."""
    clock, frames, now = FrameClock(15), [], 0.0
    clock.flow.mark(0, 0.0)  # before anything is drawn
    link.signs.append(2 * link.delay)
    while now < seconds:
        while link.signs and link.signs[0] <= now:
            clock.flow.heard(link.signs.popleft())
        if clock.may_draw(now):
            clock.drew(link.total, now)
            arrives = link.send(cost[clock.detail], now)
            frames.append((now, arrives))
            if clock.flow.mark(link.total, now):
                link.signs.append(arrives + link.delay)
        now += TICK
    return clock, frames


def late(frames: list[tuple[float, float]], after: float) -> float:
    """The longest that something sent then would have waited."""
    return max(arrived - begun for begun, arrived in frames if begun >= after)


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.1])
def test_a_fast_link_shows_everything(delay: float) -> None:
    clock, frames = animate(Link(1e9, delay), 5.0)
    assert clock.detail is Detail.FULL
    assert len(frames) >= 70
    assert clock.told(5.0)[0] == pytest.approx(15, abs=1)
    assert clock.told(5.0)[1] == pytest.approx(15 * COST[Detail.FULL], rel=0.1)


@pytest.mark.parametrize(("rate", "wait"), [(300_000, 0.3), (64_000, 0.5)])
@pytest.mark.parametrize("delay", [0.0, 0.02, 0.1])
def test_a_slow_link_gets_coarser_pictures_and_stays_quick(rate: int, wait: float, delay: float) -> None:
    clock, frames = animate(Link(rate, delay), 20.0)
    assert clock.detail is not Detail.FULL
    settled = [(begun, arrived) for begun, arrived in frames if begun >= 5.0]
    waits = sorted(arrived - begun - delay for begun, arrived in settled)
    assert waits[int(0.95 * len(waits))] <= wait
    assert len(settled) / 15.0 >= 4
    assert sum(arrived <= 20.0 for _, arrived in frames) >= 20


def test_a_picture_that_became_cheaper_is_drawn_sharp_again() -> None:
    link = Link(300_000, 0.0)
    clock, _ = animate(link, 6.0)
    before: Detail = clock.detail
    assert before is not Detail.FULL
    cheap = {Detail.FULL: 9_000, Detail.FEWER_GREYS: 6_000, Detail.BRAILLE: 5_000}
    now = 6.0
    for _ in range(300):
        while link.signs and link.signs[0] <= now:
            clock.flow.heard(link.signs.popleft())
        if clock.may_draw(now):
            clock.drew(link.total, now)
            if clock.flow.mark(link.total, now):
                link.signs.append(link.send(cheap[clock.detail], now))
        now += TICK
    detail: Detail = clock.detail
    assert detail is Detail.FULL


def test_a_terminal_that_gives_no_sign_is_judged_by_what_the_system_takes() -> None:
    flow = Flow()
    flow.mark(1000, 0.0)
    flow.mark(2000, 0.1)
    flow.taken(999, 0.2)
    assert flow.waiting(0.3) == pytest.approx(0.3)
    flow.taken(2000, 0.5)
    assert flow.waiting(9.0) == 0
    flow.mark(3000, 1.0)
    flow.heard(1.01)
    flow.mark(4000, 2.0)
    flow.taken(4000, 2.0)
    assert flow.waiting(3.0) > 0.9, "once it has answered, only answers count"


def test_the_rate_is_the_links() -> None:
    flow = Flow()
    now = 0.0
    flow.mark(1, 0.0)
    flow.heard(0.02)
    for index in range(40):
        flow.mark(50_000 * (index + 1), now)
        now += 0.5  # 100 kB/s
        flow.heard(now)
    assert flow.rate(now) == pytest.approx(100_000, rel=0.05)
    assert (flow.rate(now + 5) or 0.0) > 110_000, "nothing confirms it: it is tried again"
    assert flow.delay == pytest.approx(0.02)


def test_a_frame_just_sent_is_waited_for_as_long_as_the_link_needs() -> None:
    flow = Flow()
    flow.mark(0, 0.0)
    flow.heard(0.1)  # the way there and back
    flow.mark(10_000, 1.0)
    flow.heard(2.1)  # 10 kB/s
    assert flow.rate(2.1) == pytest.approx(10_000, rel=0.01)
    flow.mark(11_000, 3.0)  # words
    flow.mark(16_000, 3.02)  # and the picture behind them
    assert flow.waiting(3.02) == pytest.approx(0.5, abs=0.1)
    flow.heard(3.2)
    assert flow.waiting(3.2) == pytest.approx(0.4, abs=0.1)
    flow.heard(3.7)
    assert flow.waiting(3.7) == 0


def test_a_machine_that_was_busy_once_is_no_slow_link() -> None:
    flow = Flow()
    flow.mark(0, 0.0)
    flow.heard(0.001)
    flow.mark(3_000, 1.0)
    flow.heard(1.05)
    assert flow.rate(1.05) == pytest.approx(3_000 / 0.049, rel=0.05)
    flow.mark(23_000, 2.0)
    flow.heard(2.01)
    assert (flow.rate(2.01) or 0.0) > 600_000, "20 kB came in 10 ms"
    flow.mark(23_500, 3.0)
    flow.heard(3.02)
    assert (flow.rate(3.02) or 0.0) > 600_000, "a word tells nothing"


def test_a_word_that_took_its_time_says_nothing_of_the_link() -> None:
    flow = Flow()
    flow.mark(100, 0.0)
    flow.heard(0.001)
    for index in range(2, 50):  # a busy machine answers late
        flow.mark(100 * index, float(index))
        flow.heard(index + 0.05)
    assert flow.rate(60.0) is None


def test_frames_in_parts_are_counted_as_wholes_and_cost_as_much() -> None:
    clock, now, total = FrameClock(15), 0.0, 0
    clock.flow.mark(0, 0.0)
    clock.flow.heard(0.0)
    for _ in range(40):
        clock.drew(total, now, share=0.25)
        total, now = total + 5_000, now + 0.1
        clock.flow.mark(total, now - 0.1)
        clock.flow.heard(now)  # 50 kB/s
    assert clock.told(now)[0] == pytest.approx(2.5, abs=0.2)
    assert clock.drawings(now) == pytest.approx(10, abs=0.6)
    assert clock.detail is Detail.BRAILLE, "a whole frame of 20 kB is too much for a tenth of a second"


def test_a_cap_is_kept() -> None:
    clock = FrameClock(2)
    drawn = 0
    for tick in range(150):
        now = tick * TICK
        if clock.may_draw(now):
            clock.drew(0, now)
            drawn += 1
    assert drawn == pytest.approx(20, abs=2)
    assert clock.told(10.0) == (0.0, 0.0), "frames that send nothing are none"


def test_beside_a_training_animation_takes_a_small_share_of_a_core_and_keys_none() -> None:
    clock, frames, worked, now = FrameClock(15), 0, 5.0, 0.0  # five seconds of starting count for nothing
    clock.drew(0, now, worked)
    clock.sparing = True
    while now < 20.0:
        now += TICK
        if clock.may_draw(now):
            worked += 0.024  # what twelve digits take
            clock.drew(0, now, worked)
            frames += 1
        elif now > 10.0 + TICK:
            assert clock.may_draw(now, 15)  # a key is answered all the same
    assert 40 <= frames <= 20.0 * SHARE / 0.024 + 10
