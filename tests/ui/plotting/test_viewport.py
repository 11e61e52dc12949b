"""A window on a growing curve."""

from hypothesis import given
from hypothesis import strategies as st

from difftui.ui.plotting.viewport import Viewport

BOUNDS = (1.0, 1001.0)


def test_live_shows_everything_and_grows_with_the_data() -> None:
    view = Viewport()
    assert view.live
    assert view.over((1, 10)) == (1, 10)
    assert view.over((1, 20)) == (1, 20)


def test_zooming_at_the_right_edge_follows_the_newest_data() -> None:
    view = Viewport().zoomed(BOUNDS, 1)
    start, end = view.over(BOUNDS)
    assert (round(start, 6), end) == (round(1001 - 1000 / 1.5, 6), 1001)
    assert view.follows
    moved = view.over((1.0, 2001.0))
    assert moved[1] == 2001
    assert abs((moved[1] - moved[0]) - (end - start)) < 1e-9


def test_a_zoomed_view_survives_new_data() -> None:
    view = Viewport().zoomed(BOUNDS, 2, anchor=0.5)
    assert view.over(BOUNDS) == view.over((1.0, 5001.0))


def test_back_at_the_newest_data_it_follows_again() -> None:
    view = Viewport().zoomed(BOUNDS, 2).panned(BOUNDS, -0.5)
    assert not view.follows
    assert view.panned(BOUNDS, 5).follows
    assert not view.panned(BOUNDS, 5).live


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("zoom"), st.floats(-3, 3), st.floats(0, 1)),
            st.tuples(st.just("pan"), st.floats(-2, 2), st.just(0.0)),
        ),
        max_size=12,
    )
)
def test_whatever_is_done_the_window_lies_within_the_data(steps: list[tuple[str, float, float]]) -> None:
    view = Viewport()
    for what, amount, anchor in steps:
        if what == "zoom":
            view = view.zoomed(BOUNDS, amount, anchor=anchor, least=6.0)
        else:
            view = view.panned(BOUNDS, amount)
        start, end = view.over(BOUNDS)
        assert BOUNDS[0] - 1e-6 <= start < end <= BOUNDS[1] + 1e-6
        assert view.live or end - start >= 6.0 - 1e-6


@given(st.floats(0, 1), st.floats(0.1, 2))
def test_the_point_under_the_mouse_stays_there(anchor: float, steps: float) -> None:
    view = Viewport(400.0, 700.0)
    start, end = view.over(BOUNDS)
    at = start + anchor * (end - start)
    start, end = view.zoomed(BOUNDS, steps, anchor=anchor).over(BOUNDS)
    assert abs(start + anchor * (end - start) - at) < 1e-6


def test_everything_is_live_again() -> None:
    assert Viewport(400.0, 700.0).zoomed(BOUNDS, -5).live
