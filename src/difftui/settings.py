"""The user's settings: a TOML file, above it the environment, above that the command line.

The file is only ever read; :func:`write_template` makes one where there is none. What cannot be used is told
in one line and left out, and the rest counts.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import platformdirs

from difftui import atomic
from difftui.errors import DifftuiError
from difftui.pixel_modes import PixelMode

__all__ = [
    "MOST_FPS",
    "PIXELS",
    "THEMES",
    "Loaded",
    "Settings",
    "load_settings",
    "settings_path",
    "write_template",
]

THEMES = ("auto", "dark", "light", "high-contrast")
PIXELS = ("auto", *(mode.value for mode in PixelMode))
MOST_FPS = 60

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_ALLOWED = {
    "theme": f"one of {', '.join(THEMES)}",
    "pixels": f"one of {', '.join(PIXELS)}",
    "fps": f"a whole number from 1 to {MOST_FPS}",
    "reduced_motion": "true or false",
}

_TEMPLATE = f"""\
# Settings of difftui. Each line is a default: take away its "#" and change it.
# The environment (DIFFTUI_THEME, DIFFTUI_FPS ...) and the command line go before this file.

# Colours: {", ".join(THEMES)}.
#theme = "auto"

# How pictures are drawn: {", ".join(PIXELS)}.
#pixels = "auto"

# The most frames a second, 1 to {MOST_FPS}.
#fps = 15

# Fewer frames, for people whom motion disturbs.
#reduced_motion = false
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the app looks and moves for this user.

    Attributes:
        theme: colours, one of :data:`THEMES`.
        pixels: how pictures are drawn, one of :data:`PIXELS`.
        fps: the most frames a second, 1 to 60.
        reduced_motion: whether fewer frames are sent.
    """

    theme: str = "auto"
    pixels: str = "auto"
    fps: int = 15
    reduced_motion: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings as they were found.

    Attributes:
        settings: what counts.
        notices: one line for each entry that could not be used.
    """

    settings: Settings
    notices: tuple[str, ...]


def settings_path() -> Path:
    """The settings file: ``$DIFFTUI_CONFIG``, else in this platform's user configuration directory."""
    chosen = os.environ.get("DIFFTUI_CONFIG")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_config_dir("difftui", appauthor=False)) / "settings.toml"


def load_settings(flags: Mapping[str, object] | None = None) -> Loaded:
    """Read the file and the environment; never raises, whatever they hold.

    Args:
        flags: what the command line chose, by name; None for what it left out.
    """
    notices: list[str] = []
    chosen: dict[str, object] = {}
    path = settings_path()
    for key, value in _read(path, notices).items():
        _take(chosen, key, value, str(path), notices)
    for field in fields(Settings):
        variable = f"DIFFTUI_{field.name.upper()}"
        text = os.environ.get(variable)
        if text:
            _take(chosen, field.name, _from_text(field.name, text), variable, notices)
    for key, value in (flags or {}).items():
        if value is not None:
            _take(chosen, key, value, f"--{key.replace('_', '-')}", notices)
    return Loaded(Settings(**chosen), tuple(notices))  # type: ignore[arg-type]  # each was checked


def write_template() -> Path:
    """Write a commented settings file and say where.

    Raises:
        DifftuiError: there is one already, or the folder cannot be written.
    """
    path = settings_path()
    if os.path.lexists(path):
        raise DifftuiError(f"{path} exists and stays as it is. Edit it, or move it away first.")
    try:
        atomic.write_text(path, _TEMPLATE)
    except OSError as error:
        raise DifftuiError(
            f"{path} cannot be written ({error.strerror}). Set DIFFTUI_CONFIG to a file that can."
        ) from None
    return path


def _read(path: Path, notices: list[str]) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        notices.append(f"{path} cannot be read ({error.strerror}). The defaults are used.")
    except ValueError as error:  # not TOML, or not UTF-8
        notices.append(f"{path} is not a TOML file ({' '.join(str(error).split())}). The defaults are used.")
    return {}


def _take(chosen: dict[str, object], key: str, value: object, source: str, notices: list[str]) -> None:
    if key not in _ALLOWED:
        notices.append(f"{source}: there is no setting {key!r}. Known: {', '.join(_ALLOWED)}.")
    elif not _is_valid(key, value):
        notices.append(f"{source}: {key} is {value!r}, but must be {_ALLOWED[key]}. It is left out.")
    else:
        chosen[key] = value


def _is_valid(key: str, value: object) -> bool:
    if key == "theme":
        return isinstance(value, str) and value in THEMES
    if key == "pixels":
        return isinstance(value, str) and value in PIXELS
    if key == "fps":
        return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_FPS
    return isinstance(value, bool)


def _from_text(key: str, text: str) -> object:
    """A value from the environment; text that has no such value is kept, to be told."""
    if key == "fps":
        return int(text) if text.isdecimal() else text
    if key == "reduced_motion" and text.lower() in (*_TRUE, *_FALSE):
        return text.lower() in _TRUE
    return text
