"""The playhead goes by the clock, never beyond what is there."""

from difftui.ui.playhead import Playhead


def test_it_goes_by_the_clock_and_drops_frames_not_time() -> None:
    head = Playhead(rate=60.0)
    head.start()
    shown = []
    for tick in range(16):  # fifteen looks a second at sixty frames a second
        head.advance(100.0 + tick / 15, newest=1000, complete=True)
        shown.append(head.index)
    assert shown == [4 * tick for tick in range(16)]
    head.advance(103.0, newest=1000, complete=True)
    assert head.index == 180, "one late look after two seconds: the frames between are dropped"


def test_slow_playing_keeps_the_parts_of_frames() -> None:
    head = Playhead(rate=0.9375)
    head.start()
    for tick in range(161):
        head.advance(tick / 15, newest=50, complete=True)
    assert head.index == 10


def test_it_waits_for_frames_and_stops_at_the_last() -> None:
    head = Playhead(rate=10.0)
    head.start()
    head.advance(0.0, newest=3, complete=False)
    head.advance(5.0, newest=3, complete=False)
    assert (head.index, head.playing) == (3, True), "it waits, playing"
    head.advance(5.1, newest=9, complete=False)
    assert head.index == 4, "the wait is not made up for"
    head.advance(9.0, newest=9, complete=True)
    assert (head.index, head.playing) == (9, False)
    head.advance(20.0, newest=9, complete=True)
    assert head.index == 9
    head.start()
    head.advance(30.0, newest=9, complete=True)
    assert (head.index, head.playing) == (0, True), "the time before it started does not count"


def test_going_somewhere_holds_within_what_there_is() -> None:
    head = Playhead()
    head.start()
    for wish, got in ((5, 5), (-3, 0), (99, 8)):
        head.go(wish, newest=8)
        assert (head.index, head.playing) == (got, False)
    head.advance(0.0, newest=8, complete=False)
    head.advance(9.0, newest=8, complete=False)
    assert head.index == 8


def test_time_that_nobody_looked_does_not_count() -> None:
    head = Playhead(rate=10.0)
    head.start()
    head.advance(0.0, newest=100, complete=True)
    head.advance(1.0, newest=100, complete=True)
    head.rest()
    head.advance(60.0, newest=100, complete=True)
    assert head.index == 10
    head.advance(60.5, newest=100, complete=True)
    assert head.index == 15
