"""What is compared with what, and the mapping from words to labels."""

from __future__ import annotations

import pytest

from difftui.diffusion import EXPERIMENTS, SAMPLERS
from difftui.diffusion.captions import NUMBER_WORDS, caption_of, label_of
from difftui.diffusion.comparison import GUIDANCES, VIEWS, plan, step_counts
from difftui.diffusion.race import Way
from difftui.errors import DifftuiError


@pytest.mark.parametrize(
    ("T", "counts"),
    [
        (1000, (25, 50, 100, 200, 1000)),
        (4000, (25, 50, 100, 200, 1000)),
        (200, (25, 50, 100, 200)),
        (40, (5, 10, 20, 40)),
        (3, (1, 3)),
        (1, (1,)),
    ],
)
def test_steps_go_as_far_as_the_schedule(T: int, counts: tuple[int, ...]) -> None:
    assert step_counts(T) == counts
    what = plan("steps", T, Way())
    assert tuple(way.steps for way in what.ways) == counts
    assert what.reference == what.ways[-1]


def test_each_view_varies_one_thing() -> None:
    way = Way(steps=30, seed=9, label=2, guidance=0.3)
    samplers = plan("samplers", 1000, way)
    assert [one.sampler for one in samplers.ways] == [*SAMPLERS, *EXPERIMENTS]
    assert [samplers.is_experiment(i) for i in range(6)] == [False] * 4 + [True] * 2
    assert samplers.reference is not None
    assert (samplers.reference.sampler, samplers.reference.steps) == ("ddim", 1000)
    assert [one.label for one in plan("labels", 1000, way, labels=4).ways] == [0, 1, 2, 3]
    guided = plan("guidance", 1000, way)
    assert tuple(one.guidance for one in guided.ways) == GUIDANCES
    assert guided.reference == guided.ways[GUIDANCES.index(0)]
    assert [view for view in VIEWS if plan(view, 1000, way, labels=10).measurable] == [
        "steps", "samplers", "guidance",
    ]  # fmt: skip
    for view in VIEWS:
        what = plan(view, 20, way, labels=10)
        assert len(what.names) == len(what.ways)
        assert max(map(len, what.names)) <= 13
        assert all(one.seed >= 9 and one.steps <= 20 for one in what.ways)


def test_unknown_comparisons_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown comparison 'colours'; known are steps"):
        plan("colours", 10, Way())
    with pytest.raises(ValueError, match="labels can only be compared"):
        plan("labels", 10, Way())


@pytest.mark.parametrize(
    ("caption", "label"),
    [("a seven", 7), ("7", 7), ("An EIGHT, please!", 8), ("two sixes", None), ("nines", 9), ("label 3", 3),
     ("seven 7", 7), ("a cat", None), ("someone", None), ("", None), ("3 or 4", None), ("class 12", 12)],
)  # fmt: skip
def test_a_caption_is_mapped_by_the_one_number_in_it(caption: str, label: int | None) -> None:
    if label is None:
        with pytest.raises(DifftuiError, match="the mapping finds"):
            label_of(caption)
    else:
        assert label_of(caption) == label


def test_captions_lead_back_to_their_labels() -> None:
    assert [label_of(caption_of(label)) for label in range(13)] == list(range(13))
    assert (caption_of(1), caption_of(8), caption_of(12)) == ("a one", "an eight", "class 12")
    assert len(NUMBER_WORDS) == 10
