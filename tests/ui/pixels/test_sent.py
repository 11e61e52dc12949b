"""What is left out stands on the terminal already."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from difftui.ui.pixels.sent import Sent

STYLES = [Style(), Style(bold=True), Style(color="red")]
LETTERS = "abc ·ε"
WIDTH, ROWS = 24, 3


def cells(strip: Strip) -> list[tuple[str, Style | None]]:
    return [(letter, segment.style) for segment in strip for letter in segment.text]


def line(rng: np.random.Generator, width: int) -> Strip:
    text = "".join(rng.choice(list(LETTERS), width))
    cuts = [0, *sorted(rng.choice(width + 1, 2)), width]
    parts = [text[a:b] for a, b in pairwise(cuts) if a < b]
    return Strip([Segment(part, STYLES[rng.integers(3)]) for part in parts])


def test_whatever_is_sent_the_terminal_shows_what_was_last_asked_for() -> None:
    rng = np.random.default_rng(0)
    sent, left_out = Sent(), 0
    terminal: list[list[tuple[str, Style | None]]] = [[("?", None)] * WIDTH for _ in range(ROWS)]
    wanted = [list(row) for row in terminal]
    spans = [(0, 24), (0, 10), (10, 24), (5, 15)]
    kept: dict[tuple[int, int, int], Strip] = {}
    for turn in range(3000):
        y, (start, stop) = int(rng.integers(ROWS)), spans[rng.integers(len(spans))]
        kind = rng.integers(12)
        if kind == 0:  # something else draws there: pictures and plots
            sent.cover(y, start, stop)
            wanted[y][start:stop] = terminal[y][start:stop] = [("#", None)] * (stop - start)
            continue
        if kind == 1:  # the whole screen is drawn
            sent.forget()
            terminal = [list(row) for row in wanted]
            continue
        strip = line(rng, stop - start)
        old = kept.get((y, start, stop))
        if old is not None and kind < 9:  # most lines change in a letter or two, or not at all
            letters = list(old.text)
            if kind < 6:
                letters[rng.integers(len(letters))] = LETTERS[rng.integers(len(LETTERS))]
            at, parts = 0, []
            for segment in old:
                parts.append(Segment("".join(letters[at : at + len(segment.text)]), segment.style))
                at += len(segment.text)
            strip = Strip(parts)
        kept[y, start, stop] = strip
        wanted[y][start:stop] = cells(strip)
        first, last = sent.news(y, start, strip)
        assert start <= first <= last <= stop
        terminal[y][first:last] = wanted[y][first:last]
        left_out += stop - start - (last - first)
        assert terminal == wanted, turn
    assert left_out > 4_000


def test_of_a_figure_in_a_line_the_figure_is_sent() -> None:
    sent = Sent()
    muted = Style(color="grey50")

    def of(step: int) -> Strip:
        return Strip([Segment(" step ", muted), Segment(f"{step:>6}"), Segment(" of 200" + " " * 180, muted)])

    assert sent.news(5, 2, of(9)) == (2, 201), "the first time all of it"
    assert sent.news(5, 2, of(9)) == (2, 2)
    assert sent.news(5, 2, of(12)) == (12, 14)
    assert sent.news(5, 2, Strip([*of(12)][:2])) == (2, 14), "a shorter line is another one"


def test_letters_of_two_columns_or_none_are_not_taken_apart() -> None:
    sent = Sent()
    wide, marked = Strip([Segment("漢字x")]), Strip([Segment("漢語x")])
    assert wide.cell_length == 5
    sent.news(0, 0, wide)
    assert sent.news(0, 0, marked) == (0, 5)
    sent.news(1, 0, Strip([Segment("x̂ = 1")]))
    assert sent.news(1, 0, Strip([Segment("x̄ = 1")])) == (0, 5)
