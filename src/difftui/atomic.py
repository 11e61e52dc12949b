"""Files that are there whole or not at all, whatever ends the process."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp(\..+)?")


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; when the block ends well, what was written there becomes `path`.

    The file is synced before it takes its name, so a reader, and the disk after a power cut, has the old
    file or the new one. If the block raises, `path` is untouched and the temporary file is gone. A process
    that is killed in the block leaves a hidden file (its name starts with a dot) which readers of the folder
    skip. The temporary name keeps the suffix of `path`, because Pillow and NumPy choose their format by it.
    Missing parent folders are made.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    # A link is followed, so that writing to it does not cut it off from its target.
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".{target.stem}.{secrets.token_hex(4)}.tmp{target.suffix}"
    try:
        # Not by tempfile, whose private mode 0600 would hide a run from the group it is shared with.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` atomically. Raises OSError as `replacing` does."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to `path` atomically as UTF-8, line ends untouched. Raises OSError as `replacing`."""
    write_bytes(path, text.encode("utf-8"))


def sweep(folder: str | os.PathLike[str]) -> None:
    """Remove what killed processes left half written in `folder`. Only for who alone writes there now."""
    with suppress(OSError):  # a folder that is not there, or may not be written: nothing to sweep
        for path in Path(folder).iterdir():
            if _TEMPORARY.fullmatch(path.name):
                path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable, where the system can (not Windows, nor every network disk)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
