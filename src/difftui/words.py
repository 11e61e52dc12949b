"""Numbers, times and places as people read them, the same on every screen and in every command."""

from __future__ import annotations

from pathlib import Path

__all__ = ["duration", "gib", "grouped", "loss_text", "short_path"]


def grouped(number: int) -> str:
    """A whole number with its digits in threes: "46 900"."""
    return f"{number:,}".replace(",", " ")


def loss_text(value: float) -> str:
    """A loss: "0.0312"; where it has run away, "6.1e+35"."""
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.2g}"


def duration(seconds: float) -> str:
    """A time: "8 s", "4 min", "1 h 05 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def gib(count: float) -> str:
    """Bytes: "0.3 GiB", "79 GiB"; less than a tenth of that in MiB."""
    if count < 0.1 * 2**30:
        return f"{count / 2**20:.0f} MiB"
    return f"{count / 2**30:.{0 if count >= 10 * 2**30 else 1}f} GiB"


def short_path(path: Path) -> str:
    """A path, with the user's own folder written "~"."""
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)
