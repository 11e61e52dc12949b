"""Where pipelines lie on this machine, and how one is fetched from the Hugging Face hub by its name.

The hub's own cache is used, so that diffusers finds what was fetched here and the other way round. Looking
needs no network and none of the hub's packages; fetching runs huggingface_hub in a process of its own
(:mod:`difftui.pipelines.fetch`), which can be ended whatever it waits for.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

from difftui import paths
from difftui.data.download import Download
from difftui.errors import DifftuiError
from difftui.pipelines.folder import DEFAULT, INDEX

__all__ = [
    "cached_pipelines",
    "fetch_pipeline",
    "find_pipeline",
    "home_pipelines",
    "how_to_get",
    "is_hub_name",
    "require_diffusers",
]

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_ANSWER_SECONDS = 15.0  # for the hub to say how large it is, the child's own start included
_STALL_SECONDS = 60.0  # without a new byte
_POLL_SECONDS = 0.1
_DEFAULT_SIZE = "about 143 MB"


def is_hub_name(text: str) -> bool:
    """Whether this can be a name on the hub: owner/name."""
    return _NAME.fullmatch(text) is not None


def require_diffusers() -> None:
    """Let those pass who have the extra.

    Raises:
        DifftuiError: how to install it.
    """
    if importlib.util.find_spec("diffusers") is None:
        raise DifftuiError(
            "Pipelines need the package diffusers, which is not installed here: "
            "pip install 'diffusers>=0.30' in the environment of difftui."
        )


def find_pipeline(where: str) -> Path | None:
    """The folder of a pipeline on this machine, or None for a name on the hub that was not fetched yet.

    Args:
        where: a folder, a name of one in ``pipelines`` of difftui's home, or a name on the hub.

    Raises:
        DifftuiError: there is no such folder, and it cannot be a name on the hub.
    """
    try:
        for folder in (Path(where).expanduser(), paths.home_dir() / "pipelines" / where):
            if where.strip() and folder.is_dir():
                return folder.absolute()
    except (OSError, ValueError, RuntimeError):  # a name no file can have, or a home of nobody
        pass
    if not is_hub_name(where):
        raise DifftuiError(
            f"{where!r} is neither a folder nor a name on the Hugging Face hub, such as {DEFAULT}."
        )
    return _snapshot(_hub_cache() / f"models--{where.replace('/', '--')}")


def home_pipelines() -> list[Path]:
    """Pipelines in the folder ``pipelines`` of difftui's home, by name."""
    try:
        found = sorted((paths.home_dir() / "pipelines").iterdir())
    except OSError:
        return []
    return [folder for folder in found if (folder / INDEX).is_file()]


def cached_pipelines() -> list[tuple[str, Path]]:
    """Names and folders of the pipelines in the hub's cache, by name."""
    try:
        kept = sorted(_hub_cache().glob("models--*--*"))
    except OSError:
        return []
    found = (
        (folder.name.removeprefix("models--").replace("--", "/", 1), _snapshot(folder)) for folder in kept
    )
    return [(name, folder) for name, folder in found if folder is not None]


def how_to_get(name: str) -> str:
    """What would bring a pipeline to this machine, as a sentence."""
    size = f" ({_DEFAULT_SIZE})" if name == DEFAULT else ""
    return f"difftui networks --fetch {name} downloads it from {_host()}{size}; then no network is needed."


def fetch_pipeline(name: str) -> Generator[Download, None, None]:
    """Fetch a pipeline's configuration and safetensors into the hub's cache.

    Tells some ten times a second how far it is. Closing the generator ends the download; what has arrived
    stays, and the next try goes on from there.

    Raises:
        DifftuiError: huggingface_hub is not installed, the hub does not answer (told within 15 s), it has no
            such pipeline or only a pickle of it, or the transfer breaks or stalls.
    """
    require_diffusers()
    if not is_hub_name(name):
        raise DifftuiError(f"{name!r} is no name on the Hugging Face hub, such as {DEFAULT}.")
    child = subprocess.Popen(
        [sys.executable, "-m", "difftui.pipelines.fetch", name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        },
    )
    heard = _Heard(child)
    try:
        yield from _follow(name, child, heard)
    finally:
        child.kill()
        child.wait()


class _Heard:
    """The child's lines, read in a thread: a pipe has no time limit."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.facts: dict[str, object] = {}
        self._child = child
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self.facts = {**self.facts, **json.loads(line)}

    def to_the_end(self) -> None:
        """Wait for the last line of a child that has ended."""
        self._thread.join(5.0)


def _follow(name: str, child: subprocess.Popen[str], heard: _Heard) -> Generator[Download, None, None]:
    began = moved = time.monotonic()
    done = -1
    while child.poll() is None:
        now = time.monotonic()
        total, blobs = heard.facts.get("total"), heard.facts.get("blobs")
        if isinstance(total, int) and isinstance(blobs, str):
            arrived = min(_bytes_in(Path(blobs)), total)
            if arrived != done:
                done, moved = arrived, now
            yield Download(done, total)
            if now - moved > _STALL_SECONDS:
                raise _unfetched(name, f"{_host()} has sent nothing for {_STALL_SECONDS:.0f} s")
        elif now - began > _ANSWER_SECONDS:
            raise _unfetched(name, f"{_host()} does not answer")
        time.sleep(_POLL_SECONDS)
    heard.to_the_end()
    if "folder" not in heard.facts:
        raise _unfetched(name, str(heard.facts.get("problem") or "the download broke off"))
    total = heard.facts["total"]
    assert isinstance(total, int)
    yield Download(total, total)


def _unfetched(name: str, why: str) -> DifftuiError:
    size = f", {_DEFAULT_SIZE}" if name == DEFAULT else ""
    return DifftuiError(
        f"{name} cannot be fetched: {why}. It needs a network{size}; or name a folder with a pipeline in it."
    )


def _bytes_in(folder: Path) -> int:
    try:
        return sum(entry.stat().st_size for entry in os.scandir(folder))
    except OSError:  # not made yet, or a file was renamed meanwhile
        return 0


def _host() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").partition("://")[2].rstrip("/")


def _hub_cache() -> Path:
    """Where huggingface_hub keeps what it fetched, by its own environment variables."""
    if chosen := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(chosen).expanduser()
    home = os.environ.get("HF_HOME")
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return (Path(home) if home else Path(cache) / "huggingface").expanduser() / "hub"


def _snapshot(folder: Path) -> Path | None:
    """The newest fetched revision in one of the cache's folders, where it is a pipeline."""
    try:
        revision = (folder / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    found = folder / "snapshots" / revision
    return found if (found / INDEX).is_file() else None
