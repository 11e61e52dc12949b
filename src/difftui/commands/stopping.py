"""Signals that ask a command to end, turned into an orderly end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopRequest", "Stopped", "stop_signals"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
        if self.number is None:
            self.number = number
            if self.at_once:
                raise Stopped(number)


@contextmanager
def stop_signals() -> Iterator[StopRequest]:
    """Listen to Ctrl+C, SIGTERM and SIGHUP in this block.

    One that the parent had us ignore stays ignored: ``nohup`` means it.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():  # where Python delivers no signals
        yield request
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, request._came)
    try:
        yield request
    finally:
        for number in heard:
            signal.signal(number, before[number])
