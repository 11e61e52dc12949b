"""The end that a signal asks for: heard at once, carried out in order, and over within a bounded time.

No work is done in a signal handler. The interpreter's C handler writes the signal's number into a pipe
(``signal.set_wakeup_fd``), and a thread that was started beforehand reads it there. A write to a pipe takes
no lock, so this is safe wherever the signal finds us, also in the instant in which the interrupted thread
holds the engine's lock (a Python handler that asked for that lock would wait for itself). And it works while
the main thread is stuck in a system call or waits for the GPU, where a Python handler never gets its turn.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable
from types import FrameType

__all__ = ["END_SECONDS", "SIGNALS", "EndListener", "end_within"]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)  # Slurm warns by the last
END_SECONDS = 25.0  # for the step, the save and the rest: Slurm kills 30 s after its first signal

_current: EndListener | None = None


class EndListener:
    """Hears the signals that ask for the end. Make it in the main thread.

    The first one counts; those that come later, the same or others, change nothing, so that impatience
    cannot break off a save. If the process is still there ``seconds`` after it, because a save hangs on a
    dead file server or a device does not answer, it ends as it is, with status 128 + the signal's number:
    what was saved before is whole.

    Attributes:
        number: the first signal that came, or None.
    """

    def __init__(
        self,
        numbers: Iterable[int] = SIGNALS,
        *,
        heard: Callable[[int], object] | None = None,
        handler: Callable[[int, FrameType | None], object] | None = None,
        seconds: float = END_SECONDS,
    ) -> None:
        """Begin to listen.

        Args:
            numbers: which signals.
            heard: called once, in the listener's thread, with the first signal.
            handler: what Python calls in the main thread, for each signal, when it gets to it.
            seconds: from the first signal until the process is ended by force.
        """
        global _current
        self.number: int | None = None
        self._numbers = frozenset(numbers)
        self._act = heard
        self._seconds = seconds
        self._heard = threading.Event()
        self._over = threading.Event()
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        for target in (self._listen, self._watch):  # now: a signal may come when no thread can be made
            threading.Thread(target=target, name="difftui-ending", daemon=True).start()
        self._old_wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._old_handlers = {n: signal.signal(n, handler or _only_wake) for n in self._numbers}
        _current = self

    def close(self) -> None:
        """Listen no more, call off the end by force, and put the old handlers back. In the main thread."""
        global _current
        if _current is self:
            _current = None
        for number, old in self._old_handlers.items():
            signal.signal(number, old)
        signal.set_wakeup_fd(self._old_wakeup)
        self._over.set()
        self._heard.set()
        os.close(self._write)  # the listener reads the end of the pipe

    def _listen(self) -> None:
        while came := os.read(self._read, 64):
            number = next((n for n in came if n in self._numbers), None)  # others wake us too
            if number is not None and self.number is None:
                self.number = number
                self._heard.set()
                if self._act is not None:
                    self._act(number)
        os.close(self._read)

    def _watch(self) -> None:
        self._heard.wait()
        if not self._over.wait(self._seconds):
            os._exit(128 + (self.number or 0))

    def _leave_to_parent(self) -> None:
        """In a forked child: what it is sent is not meant for us, and must end it."""
        signal.set_wakeup_fd(-1)
        for number in self._numbers:
            signal.signal(number, signal.SIG_DFL)


def end_within(seconds: float, status: int) -> None:
    """End the process with ``status`` if it is still there after so long, whatever its exit waits for."""
    timer = threading.Timer(seconds, os._exit, (status,))
    timer.daemon = True
    timer.start()


def _only_wake(_number: int, _frame: FrameType | None) -> None:
    """A signal must have a handler, or the system's own takes its place."""


def _after_fork() -> None:
    global _current
    if _current is not None:
        _current._leave_to_parent()
        _current = None


os.register_at_fork(after_in_child=_after_fork)
