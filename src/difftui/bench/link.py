"""The real app on a pseudo-terminal that takes no more bytes a second than a link: how soon keys are seen."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass

from difftui.bench.seen import Seen
from difftui.bench.terminal import CHUNK, Terminal, own_home
from difftui.bench.trained import until_it_trains
from difftui.bench.waits import Waits

__all__ = ["LINKS", "LinkFigures", "SlowLink", "animated_digits"]

LINKS: dict[str, tuple[float | None, bool]] = {
    "unlimited, training beside it": (None, True),
    "unlimited": (None, False),
    "300 kB/s": (300_000.0, False),
    "64 kB/s": (64_000.0, False),
}
"""Bytes a second, and whether the app trains meanwhile."""
ASKED, SIGN = b"\x1b[5n", "\x1b[0n"
PICTURE = re.compile("[▀▄█▌▐\u2801-\u28ff]{5}")
FASTER, SLOWER = re.compile("fps +30"), re.compile("fps +15")
DRAWS = re.compile(r"frame +[1-9]\d*/\d")
SCENE = (
    ("+", re.compile("steps +50 ")),
    ("+", re.compile("steps +100 ")),
    ("+", re.compile("steps +200 ")),
    ("g", re.compile("seeds +12 ")),
    ("F", FASTER),
    ("F", SLOWER),
)
SIZE = 200, 60  # twelve digits of 28×28 fit
SLICE_SECONDS = 0.004
REPLAY_SECONDS = 10.0  # less than 200 frames last
SETTLE_SECONDS = 6.0
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """What was seen at the far end of the link while twelve digits moved.

    Attributes:
        waits: from a key's being sent to the arrival of what it writes.
        frames: a second: how often the row of pictures was drawn that was drawn most often. Where frames come
            in parts, all parts together are one.
        bytes_per_second: that arrived.
    """

    waits: Waits
    frames: float
    bytes_per_second: float


class SlowLink:
    """Reads a terminal at a rate, and gives the signs that a terminal gives when it has read so far.

    Args:
        terminal: whose output is taken.
        rate: bytes a second; None takes what comes.
    """

    def __init__(self, terminal: Terminal, rate: float | None) -> None:
        self._terminal, self._rate = terminal, rate
        self._room, self._at = 0.0, time.perf_counter()
        self._tail = b""
        self._screen = Seen(*SIZE)
        self._drawn: Counter[int] = Counter()  # by row of pictures
        self._touched: set[int] = set()  # rows since the last request for a sign
        self.received = 0
        self.arrived = 0.0  # when anything came last; what follows is our own work

    @property
    def frames(self) -> int:
        """How often the pictures were drawn."""
        return max(self._drawn.values(), default=0)

    def take(self) -> bytes:
        """What arrives within a few milliseconds."""
        most = CHUNK
        if self._rate is not None:
            now = time.perf_counter()
            # A link that was idle does not send faster afterwards.
            self._room = min(self._room + self._rate * (now - self._at), 2 * self._rate * SLICE_SECONDS)
            self._at = now
            if self._room < 1:
                time.sleep(SLICE_SECONDS / 2)
                return b""
            most = min(CHUNK, int(self._room))
        data = self._terminal.read(SLICE_SECONDS, most)
        if data:
            self.arrived = time.perf_counter()
        self._room -= len(data)
        self.received += len(data)
        self._answer(data)
        return data

    def wait(self, seconds: float) -> None:
        """Let time pass, and what comes arrive."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.take()

    def wait_for(self, words: re.Pattern[str], seconds: float = PATIENCE_SECONDS) -> float:
        """The moment at which the last came of what makes these words stand on the screen.

        Raises:
            TimeoutError: they did not come.
        """
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if self.take() and words.search(self._screen.text):
                return self.arrived
        raise TimeoutError(f"{words.pattern!r} did not arrive within {seconds:g} s")

    def _answer(self, data: bytes) -> None:
        text = self._tail + data
        parts = text.split(ASKED)
        self._terminal.type(SIGN * (len(parts) - 1))
        for part in parts[:-1]:
            self._touched |= self._screen.feed(part)
            self._drawn.update(row for row in self._touched if PICTURE.search(self._screen.words(row)))
            self._touched.clear()
        kept = min(len(parts[-1]), len(ASKED) - 1)
        whole = len(parts[-1]) - kept
        self._tail = parts[-1][whole:]
        self._touched |= self._screen.feed(parts[-1][:whole])


def animated_digits(rate: float | None, keys: int = 60, *, training: bool = False) -> LinkFigures:
    """Play twelve digits being born again and again, press keys, and time what they write.

    Args:
        rate: bytes a second of the link; None for all that the terminal can take.
        keys: how many.
        training: whether the same app trains on all cores meanwhile.
    """
    screen = "train" if training else "generate"
    with (
        own_home() as home,
        Terminal(["--screen", screen], size=SIZE, environment={"DIFFTUI_HOME": str(home)}) as terminal,
    ):
        link = SlowLink(terminal, rate)
        if training:
            terminal.type("B ")  # for an hour
            until_it_trains(home, link.wait)
            terminal.type("5")
        link.wait_for(re.compile("seeds +1 "))
        for key, shown in SCENE:
            terminal.type(key)
            link.wait_for(shown)
        link.wait_for(DRAWS)
        link.wait(SETTLE_SECONDS)
        waits = []
        frames, received, began = link.frames, link.received, time.perf_counter()
        replayed = 0.0
        for number in range(keys):
            if time.perf_counter() - replayed > REPLAY_SECONDS:
                terminal.type("\x1b[H ")  # Home holds, space plays
                replayed = time.perf_counter()
            key, shown = ("f", FASTER) if number % 2 == 0 else ("F", SLOWER)
            sent = terminal.type(key)
            waits.append(1e3 * (link.wait_for(shown) - sent))
            link.wait(0.15 + 0.007 * (number % 30))  # apart, and in no step with the app's clock
        seconds = time.perf_counter() - began
        return LinkFigures(
            Waits(waits), (link.frames - frames) / seconds, (link.received - received) / seconds
        )
