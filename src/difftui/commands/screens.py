"""Opening the screens: how they shall look, and what to tell where they cannot be shown."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from difftui.commands import UsageError
from difftui.settings import MOST_FPS, PIXELS, THEMES, load_settings

if TYPE_CHECKING:
    from difftui.runs import Run

__all__ = ["LOOK", "add_look", "look_of", "obstacle", "open_screens", "require_screens"]

LOOK = ("theme", "pixels", "fps", "reduced_motion")
"""The settings that are flags as well."""

TEXTLESS = ("dumb", "unknown")  # terminals that cannot place a character where it is wanted
INSTEAD = (
    "As plain text: difftui labs, questions, invert, sde, schedule, noise, denoise, train, watch, runs, "
    "metrics, sample, compare, evaluate, networks, doctor ('difftui --help' tells what each does)."
)


def obstacle() -> str | None:
    """What keeps the screens from being shown, as half a sentence; None where nothing does."""
    if not sys.stdin.isatty():
        return "the standard input is no terminal"
    if not sys.stdout.isatty():
        return "the standard output is no terminal"
    term = os.environ.get("TERM", "")
    return f"a terminal of the kind TERM={term} cannot show them" if term in TEXTLESS else None


def require_screens() -> None:
    """Let those pass for whom the screens can be drawn.

    Raises:
        UsageError: what is in the way, and which commands give the same results as text.
    """
    found = obstacle()
    if found is not None:
        raise UsageError(f"the screens cannot be opened: {found}. {INSTEAD}")


def add_look(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """``--theme``, ``--pixels``, ``--fps`` and ``--reduced-motion``; what is left out is None.

    Args:
        parser: of the command.
        prefix: before the names in the namespace, where a command's own options must not hide these.
    """
    parser.add_argument("--theme", dest=f"{prefix}theme", choices=THEMES, help="colours")
    parser.add_argument(
        "--pixels", dest=f"{prefix}pixels", metavar="MODE", choices=PIXELS,
        help=f"how pictures are drawn: {', '.join(PIXELS)}",
    )  # fmt: skip
    parser.add_argument(
        "--fps", dest=f"{prefix}fps", metavar="N", type=_fps,
        help=f"frames a second at most, 1 to {MOST_FPS}",
    )  # fmt: skip
    parser.add_argument(
        "--reduced-motion", dest=f"{prefix}reduced_motion", action=argparse.BooleanOptionalAction,
        help="send fewer frames, and no animation of the interface",
    )  # fmt: skip


def _fps(text: str) -> int:
    """A number of frames a second. (`options.whole_number` is not for here: it comes with NumPy.)"""
    if not text.isdecimal() or not 1 <= int(text) <= MOST_FPS:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {MOST_FPS}, not {text!r}")
    return int(text)


def look_of(args: argparse.Namespace, prefix: str = "") -> dict[str, object]:
    """What :func:`add_look` found on the command line."""
    return {name: getattr(args, prefix + name) for name in LOOK}


def open_screens(
    look: dict[str, object],
    *,
    screen: str | None = None,
    run: str | None = None,
    device: str = "auto",
    data: str | None = None,
    watch: Run | None = None,
    notices: tuple[str, ...] = (),
) -> int:
    """Open the app with the user's settings and where the user was; returns its exit status.

    Args:
        look: as :func:`look_of` gives it.
        screen, run, device, data, watch, notices: as :func:`difftui.ui.app.run_app` takes them.
    """
    from difftui.state import load_state
    from difftui.ui.app import run_app

    loaded = load_settings(look)
    return run_app(
        screen, run, device, data, watch, (*loaded.notices, *notices),
        settings=loaded.settings, state=load_state(),
    )  # fmt: skip
