"""The device in one line: how busy it is, how full, how hot, and what others use of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from difftui.words import gib

if TYPE_CHECKING:
    from difftui.engine.telemetry import DeviceStats

__all__ = ["device_line"]


def device_line(stats: DeviceStats | None, width: int, note: str = "") -> Content:
    """The line, as many of its parts as fit; what cannot be read is left out.

    Args:
        stats: the newest reading; None before the first.
        width: cells.
        note: more about the device in a word or two, such as that it is no GPU.
    """
    if stats is None:
        return Content()
    parts = [stats.name]
    if stats.utilisation is not None:
        parts.append(f"{stats.utilisation:>4.0%} busy")
    if stats.memory_used is not None and stats.memory_total is not None:
        used, total = gib(stats.memory_used), gib(stats.memory_total)
        what = "memory" if stats.kind == "gpu" else "RAM"
        parts.append(f"{what} {used.removesuffix(' GiB')} of {total}")
    if note:
        parts.append(note)
    if stats.own_memory is not None:
        parts.append(f"ours {gib(stats.own_memory)}")
    parts += _others(stats)
    if stats.power is not None:
        limit = f" of {stats.power_limit:.0f}" if stats.power_limit is not None else ""
        parts.append(f"{stats.power:.0f}{limit} W")
    if stats.temperature is not None:
        parts.append(f"{stats.temperature} °C")
    if stats.threads is not None:
        parts.append(f"{stats.threads} threads")
    while len(parts) > 1 and len(" · ".join(parts)) + 2 > width:
        parts.pop()
    return Content(" " + " · ".join(parts)).stylize("$muted")


def _others(stats: DeviceStats) -> list[str]:
    """Who else uses the GPU, the two with the most memory by name."""
    told = [f"{one.user} {gib(one.memory) if one.memory is not None else '?'}" for one in stats.others[:2]]
    if len(stats.others) > 2:
        told.append(f"{len(stats.others) - 2} more")
    if stats.unattributed is not None and stats.unattributed >= 2**30:
        told.append(f"unknown {gib(stats.unattributed)}")
    return ["others: " + ", ".join(told)] if told else []
