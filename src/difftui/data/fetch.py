"""The child process of `difftui.data.download`: python -m difftui.data.fetch FOLDER CLASS URL...

CLASS is one of torchvision.datasets; its files arrive in FOLDER as it lays them out. The URLs are MNIST's
mirrors, or an address that tells whether another set's server answers.
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


def main(folder: Path, name: str, urls: Sequence[str]) -> int:
    """Download through torchvision, which checks sums; the exit status is 0 when all files are whole."""
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    probes = [url + _PROBE for url in urls] if name == "MNIST" else urls
    if not any(_answers(probe) for probe in probes):
        return _give_up(folder, "none of its mirrors can be reached from this machine")
    (folder / ANSWERED).touch()

    # torchvision sets no time limit of its own; this process has no other sockets.
    socket.setdefaulttimeout(_READ_SECONDS)
    from torchvision import datasets  # only now: its import takes seconds

    if name == "MNIST":
        datasets.MNIST.mirrors = list(urls)
    try:
        getattr(datasets, name)(folder, download=True)
    except Exception as error:  # nobody reads a traceback here: whatever it is, the parent tells it
        return _give_up(folder, " ".join(str(error).split()) or type(error).__name__)
    return 0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_PROBE_SECONDS) as response:
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
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
