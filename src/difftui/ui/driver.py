"""Our end of the terminal: its output never makes anybody wait, and its loss is an orderly end.

Textual's own writer thread dies when the terminal is gone, and its queue then blocks the event loop; its
reader spins at the end of the input. Here an :class:`~difftui.outlet.Outlet` writes, and tells how far behind
the link is, so that frames can be dropped before keys have to wait.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
from codecs import getincrementaldecoder
from collections import deque
from contextlib import suppress
from typing import Any, TextIO

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from difftui.characters import repertoire_of, spelled
from difftui.outlet import Link, Outlet

__all__ = ["RESTORE_SECONDS", "TerminalDriver"]

RESTORE_SECONDS = 2.0  # a terminal that does not read must not keep the process
BEHIND_BYTES = 64_000  # with more than this waiting, or with anything that waits for so long,
BEHIND_SECONDS = 0.25  # animation draws no new frame
FLOODED_BYTES = 256_000  # with more than this nothing at all is drawn
SIGN_SECONDS = 0.2  # that signs under way are waited for at the end: a shell would take them for keys
ASK_FOR_SIGN = "\x1b[5n"
SIGN = "\x1b[0n"
POLL_SECONDS = 0.1  # how soon a lone Esc is known to be no sequence, and an end is noticed

RESTORE = (
    "\x1b[?2026l"  # synchronized output: over
    "\x1b[?2004l\x1b[?7h\x1b[?2048l"  # no bracketed paste, wrapped lines, no reports of size
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # no mouse
    "\x1b[<u"  # the Kitty keyboard, which must go before the alternate screen does
    "\x1b[0m\x1b[?1049l\x1b[?25h\x1b[?1004l"  # the first screen, its cursor, no reports of focus
)


class _Pen:
    """What Textual takes for its writer thread."""

    def __init__(self, file: TextIO) -> None:
        self.outlet = Outlet(file.fileno(), name="difftui-terminal")
        self._encoding = file.encoding or "utf-8"

    def start(self) -> None:
        """Nothing: the outlet writes from the first."""

    def write(self, text: str) -> None:
        self.outlet.put(text.encode(self._encoding, errors="replace"))

    def stop(self) -> None:
        self.outlet.finish(RESTORE_SECONDS)


class TerminalDriver(LinuxDriver):
    """Textual's driver with an output that never blocks and an input that ends with its terminal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._pen: _Pen | None = None
        self._asked = self._answered = 0
        self._signs: deque[float] = deque()
        self._held = ""  # the beginning of what may be a sign
        super().__init__(*args, **kwargs)
        streams = [stream for stream in (sys.__stderr__, sys.__stdout__) if stream is not None]
        # "difftui 2> errors.txt" means the messages, not the screen.
        self._screen = next((stream for stream in streams if stream.isatty()), streams[0])

    @property
    def _writer_thread(self) -> Any:
        return self._pen

    @_writer_thread.setter
    def _writer_thread(self, stock: object) -> None:
        """Textual puts its writer here at each start of application mode; it gets ours instead."""
        self._pen = None if stock is None else _Pen(self._screen)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Columns and rows of the terminal that is drawn on.

        Textual asks the environment first, where some shells leave the size that the terminal once had.
        """
        try:
            size = os.get_terminal_size(self._screen.fileno())
        except (OSError, ValueError):
            return super()._get_terminal_size()
        return (size.columns, size.lines) if size.columns and size.lines else super()._get_terminal_size()

    @property
    def link(self) -> Link:
        """How it stands with the terminal; what was written counts from the start of application mode."""
        return self._pen.outlet.link if self._pen is not None else Link(0, 0, 0.0, 0.0, False)

    def write(self, data: str) -> None:
        """Send text, in characters that the terminal has."""
        mode = getattr(self._app, "pixel_mode", None)
        super().write(spelled(data, repertoire_of(mode)) if mode is not None else data)

    def ask_for_sign(self) -> None:
        """Have the terminal answer when it has read everything that was written until now."""
        self._asked += 1
        self.write(ASK_FOR_SIGN)

    def take_sign(self) -> float | None:
        """When the oldest answer came that was not taken yet, on the monotonic clock; None: there is none."""
        return self._signs.popleft() if self._signs else None

    @property
    def behind(self) -> bool:
        """Whether the terminal takes less than it is sent: time to drop frames."""
        link = self.link
        return link.dead or link.backlog > BEHIND_BYTES or link.waiting > BEHIND_SECONDS

    @property
    def flooded(self) -> bool:
        """Whether so much waits, or waits for nobody, that drawing anything would only add to it."""
        link = self.link
        return link.dead or link.backlog > FLOODED_BYTES

    def give_back(self, seconds: float) -> None:
        """Leave the terminal as it was found, from any thread, waiting so long at most.

        Frames that wait are thrown away, and nothing can be written any more.
        """
        if self._pen is None:
            return
        self.exit_event.set()  # what is typed from now on is for the shell
        if self.attrs_before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        self._pen.outlet.finish(seconds, RESTORE.encode())
        with suppress(termios.error):
            termios.tcflush(self.fileno, termios.TCIFLUSH)

    def stop_application_mode(self) -> None:
        """Stop application mode; frames that a slow terminal has not taken are not waited for."""
        if self._pen is not None and self.behind:
            self._pen.outlet.forget()
            self.write("\x1b[?2026l")
        elif self._answered:
            self._wait_for_signs()
        if self._mouse_pixels:
            self.write("\x1b[?1016l")
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        """Read keys until the end of application mode, or of the terminal."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode  # a stray byte is no reason to die
        while not self.exit_event.is_set():
            text = ""
            if select.select([self.fileno], [], [], POLL_SECONDS)[0]:
                data = self._read()
                if not data:
                    self._lost()
                    return
                text = decode(data)
            text = self._without_signs(text)
            for event in (*parser.feed(text), *parser.tick()) if text else parser.tick():
                self.process_message(event)
            if self.link.dead:
                self._lost()
                return

    def _without_signs(self, text: str) -> str:
        """What was typed, without the answers of the terminal: those are noted."""
        fresh, text, self._held = text, self._held + text, ""
        count = text.count(SIGN)
        if count:
            self._signs.extend([time.monotonic()] * count)
            self._answered += count
            text = text.replace(SIGN, "")
        if fresh and self._answered < self._asked:
            for length in range(len(SIGN) - 1, 0, -1):
                if text.endswith(SIGN[:length]):
                    text, self._held = text[:-length], text[-length:]
                    break
        return text

    def _wait_for_signs(self) -> None:
        """Wait a moment for the answers that are under way."""
        deadline = time.monotonic() + SIGN_SECONDS
        while self._answered < self._asked and time.monotonic() < deadline and not self.link.dead:
            time.sleep(SIGN_SECONDS / 20)

    def _read(self) -> bytes:
        """What was typed; nothing when the terminal is gone."""
        while not self.exit_event.is_set():
            try:
                return os.read(self.fileno, 4096)
            except BlockingIOError:  # somebody who shares our input made it so
                time.sleep(POLL_SECONDS / 10)
            except OSError:
                return b""
        return b""

    def _lost(self) -> None:
        """Do what the system does for us only if we are in the foreground of the terminal that hung up."""
        if not self.exit_event.is_set():
            os.kill(os.getpid(), signal.SIGHUP)

    def _sigtstp_application(self, *_: object) -> None:
        if self._auto_restart:  # then it writes, which is not for a handler to do
            self._loop.call_soon_threadsafe(super()._sigtstp_application)
        else:
            super()._sigtstp_application()

    def _sigcont_application(self, *_: object) -> None:
        """Come back from Ctrl+Z. Slurm sends SIGCONT before it sends SIGTERM: that is no return."""
        if self._must_signal_resume:
            self._loop.call_soon_threadsafe(super()._sigcont_application)
