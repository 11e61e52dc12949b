"""The words on a screen, against a terminal emulator."""

import numpy as np
import pyte

from difftui.bench.seen import Seen

MOVES = ["\x1b[7;12H", "\x1b[3H", "\x1b[H", "\x1b[30G", "\r\n"]
PIECES = [*MOVES, "steps 50", "·ε⠿▀", "\x1b[1;38;5;240m", "\x1b[0m", "\x1b[?2026h", "\x1b[5n", "x" * 50]


def test_it_shows_what_a_terminal_shows_however_the_bytes_are_cut() -> None:
    rng = np.random.default_rng(0)
    data = "".join(rng.choice(PIECES, 2000)).encode()
    screen = pyte.Screen(40, 10)
    screen.reset_mode(pyte.modes.DECAWM)
    stream = pyte.ByteStream(screen)
    seen, at = Seen(40, 10), 0
    while at < len(data):
        size = int(rng.integers(1, 60))
        seen.feed(data[at : at + size])
        stream.feed(data[at : at + size])
        at += size
        if screen.cursor.y == 9:  # a real one would scroll
            for one in (seen.feed, stream.feed):
                one(b"\x1b[H")
    stream.feed(b"")
    assert "steps 50" in seen.text
    assert sum(a != b for a, b in zip(seen.text.split("\n"), screen.display, strict=True)) == 0


def test_it_tells_which_rows_were_written_to() -> None:
    seen = Seen(20, 5)
    assert seen.feed(b"\x1b[2;3Hone\x1b[4;1Htwo") == {1, 3}
    assert seen.words(1).strip() == "one"
