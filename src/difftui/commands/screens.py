"""Whether the screens can be shown here, and what to tell who asks for them where they cannot."""

from __future__ import annotations

import os
import sys

from difftui.commands import UsageError

__all__ = ["obstacle", "require_screens"]

TEXTLESS = ("dumb", "unknown")  # terminals that cannot place a character where it is wanted
INSTEAD = (
    "As plain text: difftui schedule, noise, invert, train, runs, metrics, watch, sample, evaluate, doctor "
    "('difftui --help' tells what each does)."
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
