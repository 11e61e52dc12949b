"""Questions to a terminal: answered by pyte, by a scripted one, by none; it is always left as it was."""

import os
import pty
import signal
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pyte
import pytest
from helpers import PATIENCE, eventually

from difftui.interview import Answers, ask_terminal

Reply = Callable[[bytes], bytes]


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """The terminal's end and the program's end."""
    far, near = pty.openpty()
    yield far, near
    for end in (far, near):
        with suppress(OSError):
            os.close(end)


def answering(far: int, reply: Reply) -> threading.Thread:
    """A terminal that replies to all that is written to it, until it is closed."""

    own = os.dup(far)  # it may live longer than the test's, and that number may be another file's by then

    def live() -> None:
        with suppress(OSError):
            while said := os.read(own, 4096):
                os.write(own, reply(said))
        os.close(own)

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    return thread


class Emulator:
    """pyte, and what it answers."""

    def __init__(self) -> None:
        answers = self._answers = bytearray()

        class Screen(pyte.Screen):
            def write_process_input(self, data: str) -> None:
                answers.extend(data.encode())

        self.screen = Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)

    def __call__(self, said: bytes) -> bytes:
        self._stream.feed(said)
        told = bytes(self._answers)
        self._answers.clear()
        return told


def test_an_emulator_answers(ends: tuple[int, int]) -> None:
    emulator, before = Emulator(), termios.tcgetattr(ends[1])
    answering(ends[0], emulator)
    answers = ask_terminal(ends[1], ends[1], seconds=PATIENCE)
    assert answers.why_not == ""
    assert answers.round_trip is not None
    assert 0 < answers.round_trip < PATIENCE
    assert not answers.synchronized  # pyte does not know the mode
    assert answers.braille_cells == 1
    assert termios.tcgetattr(ends[1]) == before
    eventually(lambda: "⣿" not in "".join(emulator.screen.display))


@pytest.mark.parametrize(("state", "known"), [(0, False), (1, True), (2, True), (3, True), (4, False)])
def test_the_mode_is_known_by_its_state(ends: tuple[int, int], state: int, known: bool) -> None:
    def reply(said: bytes) -> bytes:
        mode = b"\x1b[?2026;%d$y" % state if b"?2026$p" in said else b""
        return mode + b"\x1b[0n" * said.count(b"\x1b[5n") + b"\x1b[1;3R" * said.count(b"\x1b[6n")

    answering(ends[0], reply)
    answers = ask_terminal(ends[1], ends[1], seconds=PATIENCE)
    assert answers.synchronized is known
    assert answers.braille_cells == 2


def test_silence_costs_no_more_than_the_limit(ends: tuple[int, int]) -> None:
    before = termios.tcgetattr(ends[1])
    began = time.monotonic()
    assert ask_terminal(ends[1], ends[1], seconds=0.2) == Answers()
    assert 0.15 < time.monotonic() - began < PATIENCE
    assert termios.tcgetattr(ends[1]) == before


def test_what_is_no_terminal_is_said_at_once() -> None:
    reads, writes = os.pipe()
    assert ask_terminal(reads, writes).why_not == "the input or the output is no terminal"
    os.close(reads)
    os.close(writes)


def test_a_signal_waits_until_the_terminal_is_restored(ends: tuple[int, int]) -> None:
    before = termios.tcgetattr(ends[1])
    seen: list[Any] = []
    old = signal.signal(signal.SIGTERM, lambda *_: seen.append(termios.tcgetattr(ends[1])))
    try:
        ours = threading.get_ident()  # the process has other threads here, doctor has none then

        def signal_instead(_said: bytes) -> bytes:
            signal.pthread_kill(ours, signal.SIGTERM)
            return b""

        answering(ends[0], signal_instead)
        assert ask_terminal(ends[1], ends[1], seconds=0.4) == Answers()
        eventually(lambda: seen)
    finally:
        signal.signal(signal.SIGTERM, old)
    assert seen == [before]


def test_a_terminal_that_goes_away_is_told(ends: tuple[int, int]) -> None:
    threading.Timer(0.1, os.close, (ends[0],)).start()
    answers = ask_terminal(ends[1], ends[1], seconds=PATIENCE)
    assert answers.round_trip is None
