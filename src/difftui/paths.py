"""Where things lie: what ships with difftui, and what belongs to the user."""

import os
from pathlib import Path

import platformdirs

from difftui.errors import DifftuiError

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    """The shipped folder `name`: inside the package in a wheel, at the repository's top in a checkout."""
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parents[1] / name):
        if folder.is_dir():
            return folder
    raise DifftuiError(
        f"difftui's own folder {name!r} is missing from this installation. Install difftui again."
    )


def assets_dir() -> Path:
    """The folder with the bundled digits.

    Raises:
        DifftuiError: the installation is incomplete.
    """
    return _shipped("assets")


def checkpoints_dir() -> Path:
    """The folder with the trained weights that ship, one sub-folder each.

    Raises:
        DifftuiError: the installation is incomplete.
    """
    return _shipped("checkpoints")


def home_dir() -> Path:
    """The user's difftui folder: ``$DIFFTUI_HOME``, else this platform's user data directory.

    It may not exist yet. Runs live in its ``runs``, downloaded data sets in its ``data``.
    """
    chosen = os.environ.get("DIFFTUI_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_data_dir("difftui", appauthor=False))
