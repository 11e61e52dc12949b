"""A race draws what `sample` draws, from the same bits, and counts what that costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from difftui.diffusion import make_schedule, sample, starting_noise
from difftui.diffusion.comparison import VIEWS, plan
from difftui.diffusion.race import Turn, Way, lanes_of, race, starts

SCHEDULE = make_schedule("linear", 40)
SHAPE = (1, 8, 8)


class Net:
    """Says something that depends on the picture, the time and the label, and counts its calls."""

    num_classes = 10
    image_shape = SHAPE

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        self.calls += 1
        told = torch.zeros(len(x)) if label is None else label.float() / 10
        return torch.tanh(x + told[:, None, None, None]) * (1 - t[:, None, None, None] / 80)


def raced(ways: list[Way], net: Net | None = None) -> list[Turn]:
    return list(race(net or Net(), SCHEDULE, ways, shape=SHAPE, temperature=0.9))


def finished(turns: list[Turn]) -> dict[int, Tensor]:
    return {way: turn.frame.x[place] for turn in turns if turn.done for place, way in enumerate(turn.ways)}


def alone(way: Way) -> Tensor:
    frames = sample(
        Net(), SCHEDULE, sampler=way.sampler, steps=way.steps, seeds=[way.seed], labels=way.label,
        shape=SHAPE, guidance=way.guidance, eta=way.eta, temperature=0.9, clip_x0=True,
    )  # fmt: skip
    *_, last = frames
    return last.x[0]


@pytest.mark.parametrize("view", VIEWS)
def test_every_way_is_what_sample_draws_alone(view: str) -> None:
    what = plan(view, SCHEDULE.T, Way(steps=7, seed=3, label=4), labels=10)
    pictures = finished(raced(list(what.ways)))
    assert sorted(pictures) == list(range(len(what.ways)))
    for index, way in enumerate(what.ways):
        if way.noise_seed in (None, way.seed):
            assert (pictures[index] - alone(way)).abs().max() < 1e-6


@pytest.mark.parametrize("view", ["steps", "samplers", "labels", "guidance"])
def test_all_start_from_the_same_bits(view: str) -> None:
    what = plan(view, SCHEDULE.T, Way(seed=11, label=1), labels=10)
    noise = 0.9 * starting_noise([11], SHAPE)[0]
    for start in starts(what.ways, SHAPE, 0.9):
        assert torch.equal(start, noise)


def test_variety_has_other_starts_above_and_one_start_below() -> None:
    what = plan("variety", SCHEDULE.T, Way(steps=6, seed=2, label=1))
    begun = starts(what.ways, SHAPE)
    assert len({tuple(x.flatten().tolist()) for x in begun[:5]}) == 5
    assert all(torch.equal(x, begun[0]) for x in begun[5:])
    pictures = finished(raced(list(what.ways)))
    assert len({tuple(x.flatten().tolist()) for x in pictures.values()}) == 10
    assert torch.equal(finished(raced(list(what.ways)))[7], pictures[7]), "the same seeds, the same noise"


def test_who_has_asked_least_goes_next_and_the_short_way_ends_first() -> None:
    ways = [Way(steps=20), Way(steps=5), Way(sampler="heun", steps=5)]
    turns = raced(ways)
    asked = [0, 0, 0]
    for turn in turns:
        (way,) = turn.ways
        still = [
            asked[i] for i in range(3) if not any(t.done and i in t.ways for t in turns[: turns.index(turn)])
        ]
        assert asked[way] == min(still)
        asked[way] = turn.looks
    assert [turn.ways[0] for turn in turns if turn.done] == [1, 2, 0]
    assert asked == [20, 5, 9], "Heun looks twice a step, save the last"


def test_looks_are_counted_where_they_happen() -> None:
    net = Net()
    turns = raced([Way(steps=4, label=3, guidance=1.0), Way(steps=4, label=3)], net)
    assert {turn.ways: turn.looks for turn in turns} == {(0,): 8, (1,): 4}
    assert net.calls == 4 + 4 + 2, "two answers of a guided step are one batch; a step each to warm up"
    seconds = [turn.seconds for turn in turns if turn.ways == (0,)]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0


def test_only_what_differs_in_seed_and_label_is_drawn_together() -> None:
    way = Way(label=1)
    others = [
        replace(way, steps=2),
        replace(way, sampler="ddpm"),
        replace(way, guidance=2.0),
        replace(way, eta=1),
    ]
    assert lanes_of([way, replace(way, label=2), replace(way, seed=5), *others]) == (
        (0, 1, 2), (3,), (4,), (5,), (6,),
    )  # fmt: skip
    assert lanes_of([way, Way()]) == ((0,), (1,))


def test_what_cannot_be_drawn_is_told_at_the_call() -> None:
    with pytest.raises(ValueError, match="steps must be a whole number from 1 to T = 40"):
        race(Net(), SCHEDULE, [Way(steps=41)], shape=SHAPE)
    with pytest.raises(ValueError, match="label 10 is outside"):
        race(Net(), SCHEDULE, [Way(steps=4, label=10)], shape=SHAPE)
