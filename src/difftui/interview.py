"""Asking a terminal what it can do, by control sequences that it answers; it is left as it was found."""

from __future__ import annotations

import os
import re
import select
import signal
import termios
import time
import tty
from dataclasses import dataclass

__all__ = ["Answers", "ask_terminal"]

STATUS = b"\x1b[5n"  # "how are you?": every terminal since the VT100 answers ESC [ 0 n
SYNCHRONIZED = b"\x1b[?2026$p"  # "is mode 2026 known?": answered by ESC [ ? 2026 ; state $ y, or not at all
BRAILLE = "\r⣿\x1b[6n\r\x1b[K"  # a braille sign, and "where is the cursor now?", then the line is empty again
PINGS = 3
SECONDS = 2.0  # five answers over a link of a third of a second

_HELD = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP}


@dataclass(frozen=True, slots=True)
class Answers:
    """What a terminal said.

    Attributes:
        why_not: why it could not be asked; "" when it was.
        round_trip: seconds from a question to its answer, the quickest of a few; None when none came in time.
        synchronized: whether it can hold a frame back until it is whole (mode 2026).
        braille_cells: how many cells a braille sign took; None when it did not say.
    """

    why_not: str = ""
    round_trip: float | None = None
    synchronized: bool = False
    braille_cells: int | None = None


def ask_terminal(reads: int = 0, writes: int = 1, *, seconds: float = SECONDS, utf8: bool = True) -> Answers:
    """Ask the terminal on these descriptors; takes ``seconds`` at most, and raises nothing for its sake.

    What is typed meanwhile is lost. Signals that would end or stop the process wait until it is restored.

    Args:
        reads, writes: descriptors of the terminal.
        seconds: for all answers together.
        utf8: whether it may be sent a braille sign.
    """
    if not (os.isatty(reads) and os.isatty(writes)):
        return Answers("the input or the output is no terminal")
    if _in_background(reads):  # the question would stop us
        return Answers("this process runs in the background")
    try:
        before = termios.tcgetattr(reads)
    except (OSError, termios.error) as error:
        return Answers(f"it cannot be set up ({error})")
    held = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    conversation = _Conversation(reads, writes, time.monotonic() + seconds)
    try:
        tty.setcbreak(reads, termios.TCSANOW)
        return conversation.hold(utf8)
    except (OSError, termios.error) as error:
        return Answers(f"it went away ({error})")
    finally:
        try:
            termios.tcsetattr(reads, termios.TCSANOW, before)  # TCSAFLUSH would wait for a stalled terminal
            if not conversation.answered:  # an answer that comes too late would look as if it had been typed
                termios.tcflush(reads, termios.TCIFLUSH)
        except (OSError, termios.error):
            pass  # gone: there is nothing to restore
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _in_background(terminal: int) -> bool:
    """Whether it is the terminal of our session, and another group of processes has it now."""
    try:
        return os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:  # not of our session: nothing stops us
        return False


class _Conversation:
    """Questions and answers until the time is up."""

    def __init__(self, reads: int, writes: int, deadline: float) -> None:
        self.answered = True
        self._reads, self._writes, self._deadline = reads, writes, deadline

    def hold(self, utf8: bool) -> Answers:
        times: list[float] = []
        for _ in range(PINGS):
            began = time.monotonic()
            if self._ask(STATUS, rb"\x1b\[\d*n") is None:
                break
            times.append(time.monotonic() - began)
        if not times:
            return Answers()
        # A status is asked for after the mode: who does not know the mode answers that alone.
        mode = self._ask(SYNCHRONIZED + STATUS, rb"\x1b\[\d*n")
        known = re.search(rb"\x1b\[\?2026;([0-4])\$y", mode or b"")
        place = self._ask(BRAILLE.encode(), rb"\x1b\[\d+;\d+R") if utf8 and mode is not None else None
        column = re.search(rb"\x1b\[\d+;(\d+)R", place or b"")
        return Answers(
            round_trip=min(times),
            synchronized=known is not None and known[1] in (b"1", b"2", b"3"),
            braille_cells=int(column[1]) - 1 if column else None,
        )

    def _ask(self, question: bytes, answer: bytes) -> bytes | None:
        """Everything that came up to the answer; None if that did not come in time."""
        self.answered = False
        os.write(self._writes, question)
        said = b""
        while (left := self._deadline - time.monotonic()) > 0:
            if select.select([self._reads], [], [], left)[0]:
                more = os.read(self._reads, 4096)
                if not more:
                    break
                said += more
                if re.search(answer, said):
                    self.answered = True
                    return said
        return None
