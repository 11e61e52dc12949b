"""``difftui schedule``: the table of a noise schedule, which the Forward screen draws as curves."""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

from difftui.commands import UsageError
from difftui.commands.options import add_schedule, whole_number
from difftui.commands.tables import figure, table
from difftui.diffusion import NoiseSchedule, make_schedule
from difftui.diffusion.schedule import MAX_T

__all__ = ["add_arguments", "run", "spread"]

ROWS = 11
HEADER = ("t", "beta", "alpha_bar", "signal", "noise", "SNR", "SNR_dB")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui schedule`` takes."""
    add_schedule(parser)
    parser.add_argument(
        "--at",
        metavar="t",
        nargs="+",
        type=whole_number(0, MAX_T - 1),
        help=f"timesteps to tell of (default: {ROWS} from the first to the last)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print the table, and return the exit status."""
    schedule = make_schedule(args.schedule, args.timesteps)
    rows = [_row(schedule, t) for t in chosen_times(args.at, schedule.T, ROWS)]
    left = math.sqrt(schedule.alpha_bars[-1])
    if args.json:
        facts: dict[str, Any] = {
            "schedule": schedule.kind,
            "timesteps": schedule.T,
            "options": dict(schedule.options),
            "signal_left_at_T": left,
            "snr_crossing": schedule.snr_crossing,
            "table": [dict(zip(HEADER, row, strict=True)) for row in rows],
        }
        print(json.dumps(facts, indent=2))
        return 0
    crossing = schedule.snr_crossing
    last = schedule.T - 1
    print(f"{schedule.kind} schedule, T = {schedule.T}: t = 0 is the first step from clean, {last} noise")
    print("x_t = signal x_0 + noise eps, signal = sqrt(alpha_bar), noise = sqrt(1 - alpha_bar)\n")
    print(table(HEADER, [(str(row[0]), *map(figure, row[1:])) for row in rows]))
    print(f"\nsignal left at T   {figure(left)}")
    print(f"SNR                {'never below 1' if crossing is None else f'below 1 from t = {crossing}'}")
    return 0


def spread(T: int, count: int) -> list[int]:
    """Timesteps evenly from the first to the last, both included, no two alike."""
    return sorted({i * (T - 1) // (count - 1) for i in range(count)})


def chosen_times(asked: list[int] | None, T: int, count: int) -> list[int]:
    """The timesteps asked for, else so many of them.

    Raises:
        UsageError: one lies beyond the schedule.
    """
    beyond = [t for t in asked or () if t >= T]
    if beyond:
        raise UsageError(f"with {T} timesteps --at is 0 to {T - 1}, not {beyond[0]}")
    return asked or spread(T, count)


def _row(schedule: NoiseSchedule, t: int) -> tuple[float, ...]:
    a = float(schedule.alpha_bars[t])
    snr = float(schedule.snr[t])
    return t, float(schedule.betas[t]), a, math.sqrt(a), math.sqrt(1 - a), snr, 10 * math.log10(snr)
