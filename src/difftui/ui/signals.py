"""Being told to end, by a hang-up, a kill or a scheduler: save first, give the terminal back, go."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from difftui.ui.app import DifftuiApp

__all__ = ["end_well_on_signals"]

SAVE_SECONDS = 20.0
RESTORE_SECONDS = 2.0  # a terminal that is gone or does not read must not keep the process


def end_well_on_signals(app: DifftuiApp) -> None:
    """Make SIGTERM, SIGHUP and SIGUSR1 (Slurm's warning) save what trains before the process ends.

    Nothing here waits for the event loop, which may be stuck writing to a terminal that is gone: the handler
    stops the engine itself, restores the terminal within two seconds or not at all, and exits with
    128 + the signal's number. A second signal changes nothing.
    """
    leaving = threading.Event()

    def leave(number: int, frame: FrameType | None) -> None:
        if leaving.is_set():
            return
        leaving.set()
        app.engine.shutdown(SAVE_SECONDS)
        watchdog = threading.Timer(RESTORE_SECONDS, os._exit, (128 + number,))
        watchdog.daemon = True
        watchdog.start()
        driver = app._driver
        if driver is not None:
            with contextlib.suppress(Exception):  # a broken terminal cannot be restored, and need not be
                driver.stop_application_mode()
                driver.close()
        os._exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, leave)
