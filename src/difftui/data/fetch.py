"""The child process of `difftui.data.download`: python -m difftui.data.fetch FOLDER MIRROR...

The four data files arrive in FOLDER/MNIST/raw.
"""

import http.client
import os
import shutil
import socket
import sys
import threading
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from difftui.data.download import ANSWERED, PROBLEM

__all__ = ["main"]

_PROBE = "t10k-labels-idx1-ubyte.gz"  # the smallest of the files
_PROBE_SECONDS = 3.5  # a mirror, so that two fit into the 8 s that the parent waits
_READ_SECONDS = 20.0


def main(folder: Path, mirrors: Sequence[str]) -> int:
    """Download through torchvision; the exit status is 0 when all four files are whole."""
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    if not any(_answers(mirror) for mirror in mirrors):
        return _give_up(folder, "none of its mirrors can be reached from this machine")
    (folder / ANSWERED).touch()

    # torchvision sets no time limit of its own; this process has no other sockets.
    socket.setdefaulttimeout(_READ_SECONDS)
    from torchvision.datasets import MNIST  # only now: its import takes seconds

    MNIST.mirrors = list(mirrors)
    try:
        MNIST(folder, download=True)
    except Exception as error:  # nobody reads a traceback here: whatever it is, the parent tells it
        return _give_up(folder, " ".join(str(error).split()) or type(error).__name__)
    return 0


def _answers(mirror: str) -> bool:
    try:
        with urllib.request.urlopen(mirror + _PROBE, timeout=_PROBE_SECONDS) as response:
            return bool(response.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def _give_up(folder: Path, reason: str) -> int:
    (folder / PROBLEM).write_text(reason.rstrip("."), encoding="utf-8")
    return 1


def _end_with_parent(folder: Path) -> None:
    """Our standard input ends when the parent is gone, however it went: leave nothing behind."""
    os.read(0, 1)  # not sys.stdin, whose lock, held by a thread, aborts Python when it ends
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
