"""Numbers, times and places as people read them, the same on every screen and in every command."""

from __future__ import annotations

from pathlib import Path

__all__ = ["duration", "grouped", "short_path"]


def grouped(number: int) -> str:
    """A whole number with its digits in threes: "46 900"."""
    return f"{number:,}".replace(",", " ")


def duration(seconds: float) -> str:
    """A time: "8 s", "4 min", "1 h 05 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def short_path(path: Path) -> str:
    """A path, with the user's own folder written "~"."""
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)
