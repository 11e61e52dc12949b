"""Downloading MNIST, or another of torchvision's sets, through torchvision, in a process of its own.

torchvision's downloader waits without limit, draws its bar on stderr and leaves half files behind. In a child
process (`difftui.data.fetch`) it can be ended at any moment, whatever it waits for; its files lie in a hidden
folder until they are whole.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from difftui.data.idx import read_shape
from difftui.errors import DifftuiError

if TYPE_CHECKING:
    from difftui.data.collections import Collection

__all__ = ["ANSWERED", "FILES", "PROBLEM", "Download", "download_collection", "download_mnist"]

# Files by which the child tells this process that a mirror has answered, and in one line why it gave up.
ANSWERED = "answered"
PROBLEM = "problem"

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

# torchvision's own, told here so that asking whether there is a network does not wait for torch.
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)

_TOTAL = 9_912_422 + 28_881 + 1_648_877 + 4_542  # bytes of the four compressed files
_ANSWER_SECONDS = 8.0  # for a mirror to answer; name servers can hang longer than any socket's time limit
_STALL_SECONDS = 60.0  # without a new byte; torch's import, minutes on a cold network disk, has to fit in
_POLL_SECONDS = 0.1
_ELSEWHERE = "Set DIFFTUI_DATA to a folder that can."


@dataclass(frozen=True, slots=True)
class Download:
    """One moment of a download.

    Attributes:
        done: bytes that have arrived.
        total: bytes in all.
    """

    done: int
    total: int


def download_mnist(root: str | os.PathLike[str], mirrors: Sequence[str] = MIRRORS) -> Generator[Download]:
    """Download the four MNIST files into root/MNIST/raw, telling about ten times a second how far it is.

    The checksums are torchvision's. Files take their place only when all four are whole; files that are
    there already stay as they are. The last event comes when they lie there. Closing the generator ends the
    download and leaves nothing behind.

    Args:
        root: the folder of data sets; it is made if need be.
        mirrors: addresses of folders with the .gz files, tried in turn.

    Raises:
        DifftuiError: no mirror answers (told within 10 s), the transfer breaks or stalls, or `root` cannot be
            written.
    """
    target = Path(root).expanduser().absolute()
    try:
        target.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".mnist-", dir=target))
    except OSError as error:
        raise DifftuiError(f"{target} cannot be written ({error.strerror}). {_ELSEWHERE}") from error
    try:
        job = _Job("MNIST", ("MNIST", *mirrors), _TOTAL, target / "MNIST" / "raw")
        yield from _fetch(staging, job)
        _install(staging / "MNIST" / "raw", target / "MNIST" / "raw")
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    yield Download(_TOTAL, _TOTAL)


def download_collection(
    name: str, collection: Collection, root: str | os.PathLike[str]
) -> Generator[Download]:
    """Download one of torchvision's sets into ``root``, in its layout; as :func:`download_mnist` otherwise.

    Args:
        name: what ``--data`` calls it.
        collection: which one it is.
        root: the folder of data sets; it is made if need be.

    Raises:
        DifftuiError: its server does not answer, the transfer breaks or stalls, or `root` cannot be written.
    """
    target = Path(root).expanduser().absolute()
    total = collection.megabytes * 1_000_000
    try:
        target.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target))
    except OSError as error:
        raise DifftuiError(f"{target} cannot be written ({error.strerror}). {_ELSEWHERE}") from error
    try:
        yield from _fetch(staging, _Job(name, (collection.torchvision, collection.url), total, target))
        for entry in sorted(staging.iterdir()):
            if entry.is_dir() and not (target / entry.name).exists():
                entry.replace(target / entry.name)
    except OSError as error:
        raise DifftuiError(f"{target} cannot be written ({error.strerror}). {_ELSEWHERE}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    yield Download(total, total)


@dataclass(frozen=True, slots=True)
class _Job:
    """What the child is to fetch (a class of torchvision's, and addresses); its name, bytes and place."""

    name: str
    words: tuple[str, ...]
    total: int
    place: Path


def _fetch(staging: Path, job: _Job) -> Iterator[Download]:
    """Run the child, telling how far it is; whatever ends this generator ends the child."""
    child = subprocess.Popen(
        [sys.executable, "-m", "difftui.data.fetch", str(staging), *job.words],
        stdin=subprocess.PIPE,  # it ends with this process, and so tells the child that nobody waits any more
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        state, since = (False, 0), time.monotonic()
        while child.poll() is None:
            now, before = time.monotonic(), state
            state = ((staging / ANSWERED).exists(), _arrived(staging))
            if state != before:
                since = now
            answered, done = state
            if now - since > (_STALL_SECONDS if answered else _ANSWER_SECONDS):
                raise _failure("the transfer stalled" if answered else "its mirrors do not answer", job)
            yield Download(min(done, job.total), job.total)
            time.sleep(_POLL_SECONDS)
        if child.returncode != 0:
            raise _failure(_problem(staging), job)
    finally:
        child.kill()
        child.wait()
        if child.stdin is not None:
            child.stdin.close()


def _arrived(staging: Path) -> int:
    """Bytes of compressed files so far."""
    return sum(path.stat().st_size for path in staging.rglob("*.gz"))


def _problem(staging: Path) -> str:
    """What the child said before it ended."""
    try:
        return (staging / PROBLEM).read_text(encoding="utf-8")
    except OSError:
        return "the download ended unexpectedly"


def _failure(reason: str, job: _Job) -> DifftuiError:
    return DifftuiError(
        f"{job.name} could not be downloaded: {reason}. Try again, or put its files into {job.place}."
    )


def _install(staged: Path, raw: Path) -> None:
    """Move the four files, each known to be whole, to where they belong."""
    for name in FILES:
        read_shape(staged / name, 3 if "images" in name else 1)
    try:
        raw.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            if not (raw / name).exists() and not (raw / f"{name}.gz").exists():
                (staged / name).replace(raw / name)
    except OSError as error:
        raise DifftuiError(f"{raw} cannot be written ({error.strerror}). {_ELSEWHERE}") from error
