"""Being told to end, by a hang-up, a kill or a scheduler: save first, give the terminal back, go."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from difftui.ending import END_SECONDS, EndListener
from difftui.ui.driver import RESTORE_SECONDS, TerminalDriver

if TYPE_CHECKING:
    from difftui.ui.app import DifftuiApp

__all__ = ["end_well_on_signals"]

SAVE_SECONDS = END_SECONDS - RESTORE_SECONDS - 1
IMPORT_SECONDS = 0.5  # while torch is still being imported there is nothing to save


def end_well_on_signals(app: DifftuiApp) -> EndListener:
    """Make SIGINT, SIGTERM, SIGHUP and SIGUSR1 (Slurm's warning) save what trains before the process ends.

    Nothing here waits for the event loop: the listener's own thread stops the engine, gives the terminal back
    within two seconds or not at all, and exits with 128 + the signal's number, 25 seconds after the first
    signal at the latest. (In the app ctrl+c is a key; a SIGINT comes from ``kill -INT`` or a scheduler.)
    """

    def leave(number: int) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})  # it would stop us in the background
        with contextlib.suppress(Exception):  # whatever is wrong, the end must come
            app.engine.shutdown(SAVE_SECONDS if app.engine.device is not None else IMPORT_SECONDS)
        with contextlib.suppress(Exception):
            if isinstance(app._driver, TerminalDriver):
                app._driver.give_back(RESTORE_SECONDS)
        with contextlib.suppress(Exception):
            app.keep_state()
        os._exit(128 + number)

    return EndListener(heard=leave)
