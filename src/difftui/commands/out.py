"""``--out`` and ``--force``: the file that a command writes, checked before the work and written whole."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from difftui.commands import UsageError
from difftui.errors import DifftuiError

__all__ = ["FIGURES", "add_out", "check_out", "written"]

FIGURES: Mapping[str, str] = MappingProxyType({".json": "figures"})


def add_out(parser: argparse.ArgumentParser, text: str) -> None:
    """``--out FILE``, of which the text says what it gets, and ``--force``."""
    parser.add_argument("--out", metavar="FILE", type=Path, help=text)
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")


def check_out(out: Path, kinds: Mapping[str, str], *, force: bool) -> None:
    """Tell before the work what would go wrong after it.

    Args:
        out: the file.
        kinds: how its name may end, and what is written then.
        force: whether a file that exists is replaced.

    Raises:
        UsageError: another end.
        DifftuiError: the file exists, or cannot be written there.
    """
    if out.suffix.lower() not in kinds:
        known = ", ".join(f"{suffix} ({what})" for suffix, what in kinds.items())
        one = f"name a {next(iter(kinds))} file"
        raise UsageError(
            f"--out {out}: {one if len(kinds) == 1 else f'its end says what to write; known are {known}'}"
        )
    if out.is_dir():
        raise DifftuiError(f"{out} is a folder. Name a file.")
    if os.path.lexists(out) and not force:
        raise DifftuiError(f"{out} exists. Add --force to replace it, or name another file.")
    if not out.absolute().parent.is_dir():
        raise DifftuiError(f"{out.parent} is not a folder. Make it first, or name another.")


def written(out: Path, write: Callable[[Path], Path], *, force: bool) -> Path:
    """The file as it was written: whole, or not at all.

    Args:
        out: the file.
        write: writes a file of that name, or of another where it exists, and returns its path.
        force: whether a file that exists is replaced, when the new one is there.

    Raises:
        DifftuiError: it cannot be written.
    """
    if not force:
        return write(out)
    try:
        with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".difftui-") as folder:
            write(Path(folder) / out.name).replace(out)
    except OSError as error:
        raise DifftuiError(f"{out} cannot be written ({error.strerror}). Name another file.") from None
    return out
