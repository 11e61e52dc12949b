"""``difftui watch``: look at a run that another process writes, on this machine or another."""

from __future__ import annotations

import argparse
import time

from difftui.commands.runs import news
from difftui.commands.screens import add_look, look_of, obstacle, open_screens
from difftui.errors import DifftuiError
from difftui.runs import Run, find_run, shipped_runs
from difftui.runs.follow import Follower
from difftui.words import duration, loss_text

__all__ = ["add_arguments", "run"]

LINE_SECONDS = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui watch`` takes."""
    parser.add_argument("run", metavar="RUN_OR_DIR", help="the name of a run, or its directory")
    parser.add_argument(
        "--plain", action="store_true", help="print a line a second instead of opening the app"
    )
    add_look(parser)


def run(args: argparse.Namespace) -> int:
    """Watch until the run ends or the user has seen enough; returns the exit status."""
    watched = find_run(args.run)
    if args.plain or obstacle() is not None:
        return _watch(watched)
    return open_screens(look_of(args), screen="train", watch=watched)


def _watch(watched: Run) -> int:
    """Print where the run stands once a second, as long as somebody trains it."""
    if any(watched.path == ours.path for ours in shipped_runs()):
        print(f"{watched.name} came with difftui and is finished. Its curves: difftui metrics {watched.name}")
        return 0
    follower = Follower(watched)
    follower.poll()
    shown = ""
    while follower.life.state == "alive":
        line = _line(follower)
        if line != shown:
            print(line, flush=True)
            shown = line
        time.sleep(LINE_SECONDS)
        follower.poll()
    while follower.behind:
        follower.poll()
    print(_line(follower), flush=True)
    status = follower.status
    if follower.life.state == "presumed dead":
        raise DifftuiError(f"{watched.name}: {news(watched, status, follower.life)}")
    told = news(watched, status, follower.life) or f"{status.state} at step {status.step}"
    print(f"{watched.name}: {told}", flush=True)
    return 0


def _line(follower: Follower) -> str:
    """ "lab-1  61%  step 28600  loss 0.0312  validation 0.0330  950 images/s  about 3 min left"."""
    row, history, holder = follower.last_row, follower.history, follower.holder
    fraction = row.get("fraction", follower.status.fraction)
    parts = [follower.run.name, f"{fraction:4.0%}", f"step {row.get('step', follower.status.step):.0f}"]
    if len(history.loss):
        parts.append(f"loss {loss_text(history.loss.smooth[-1])}")
    if len(history.validation):
        parts.append(f"validation {loss_text(history.validation.y[-1])}")
    if follower.life.state == "alive" and holder is not None and holder.held:
        parts.append(f"held: {holder.held}")
    elif follower.life.state == "alive" and holder is not None and holder.state == "paused":
        parts.append("paused")
    elif follower.life.state == "alive" and "rate" in row:
        parts.append(f"{row['rate']:.0f} images/s")
        if "left" in row and fraction < 1:
            parts.append(f"about {duration(row['left'])} left")
    return "  ".join(parts)
