"""Signals that ask a command to end, turned into an orderly end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from difftui.ending import END_SECONDS, SIGNALS, EndListener

__all__ = ["StopRequest", "Stopped", "stop_signals"]


class Stopped(BaseException):
    """A signal came while there was nothing yet to save."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


class StopRequest:
    """Whether a signal has asked for the end.

    Attributes:
        number: the first signal that came, or None. Later ones change nothing, so that impatience cannot
            break off a save.
        at_once: whether a signal raises :class:`Stopped` where it finds us, rather than being noted.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.at_once = True

    def _came(self, number: int, _frame: FrameType | None) -> None:
        # A Python handler, which takes no lock: it notes, or raises where nothing can be lost yet.
        if self.number is None:
            self.number = number
            if self.at_once:
                raise Stopped(number)


@contextmanager
def stop_signals(seconds: float = END_SECONDS) -> Iterator[StopRequest]:
    """Listen to Ctrl+C, SIGTERM, SIGHUP and SIGUSR1 (Slurm's warning) in this block.

    A block that has not ended ``seconds`` after the first of them, because its save hangs, is ended with the
    process, with status 128 + the signal's number. One that the parent had us ignore stays ignored: ``nohup``
    means it.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():  # where Python delivers no signals
        yield request
        return
    wanted = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    listener = EndListener(wanted, handler=request._came, seconds=seconds)
    try:
        yield request
    finally:
        listener.close()
