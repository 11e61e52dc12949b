"""``difftui runs``: what there is to sample from and to resume, and a word to a run that is being trained."""

from __future__ import annotations

import argparse
import math
import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import cast, get_args

from difftui.commands.options import handle
from difftui.errors import DifftuiError
from difftui.runs import LifeSign, Run, Status, Verb, ask, find_run, list_runs, runs_dir, shipped_runs
from difftui.runs.metrics import LOSS_STEPS, last_loss, last_metrics
from difftui.training.recipe import PRESETS, Recipe
from difftui.training.reference import incomparable
from difftui.words import duration, loss_text

__all__ = ["add_arguments", "news", "run"]

HEADER = ("NAME", "PRESET", "STATE", "STEP", "LOSS", "WHEN")
RIGHT = (3, 4)  # columns of numbers
ANSWER_SECONDS = 60.0  # that a training may take to save and end
LOOK_SECONDS = 0.1
MOST_STOPPED = 3  # stopped runs that are told how to go on with
HELP = {
    "pause": "ask the process that trains it to pause",
    "resume": "ask it to go on after a pause",
    "stop": "ask it to save and end",
    "sample": "ask it to draw samples now",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui runs`` takes."""
    verbs = parser.add_mutually_exclusive_group()
    for verb in get_args(Verb):
        verbs.add_argument(f"--{verb}", metavar="RUN", help=HELP[verb])
    verbs.add_argument(
        "--plot", metavar="RUN", help="print its losses over the steps as a plot of characters"
    )


def run(args: argparse.Namespace) -> int:
    """Print the table, or ask a run for something, and return the exit status."""
    for verb in get_args(Verb):
        if (name := getattr(args, verb)) is not None:
            return _ask(find_run(name), cast(Verb, verb))
    if args.plot is not None:
        return _plot(find_run(args.plot))
    own, shipped = list_runs(), shipped_runs()
    if not own:
        print(f"No runs yet in {runs_dir()}. Begin with: difftui train --preset {next(iter(PRESETS))}")
    found = [(run, run.status(), run.liveness()) for run in own]
    rows = [_row(run, _state(run, status, life)) for run, status, life in found]
    rows += [_row(run, "shipped") for run in shipped]
    if rows:
        print(_table([HEADER, *rows]))
        print(f"LOSS: of training, the mean of the last {LOSS_STEPS} steps.")
    for line in _no_contest([run for run, *_ in found] + list(shipped)):
        print(line)
    for line in _notes(found):
        print(line)
    return 0


def news(run: Run, status: Status, life: LifeSign) -> str:
    """How it stands with a run, and what can be done; empty where the table says it all."""
    holder = run.holder()
    if holder is not None and life.state != "not running":
        where = f"on {holder.host}, process {holder.pid}, {holder.device}".removesuffix(", ")
        if life.state == "alive":
            if holder.held:
                return f"held {where}. {holder.held}"
            return f"{holder.state} {where}. Watch: {_command('watch', handle(run))}"
        ago = duration(life.seconds or 0)
        return f"presumed dead {where}: the last sign of life was {ago} ago. {_resume(run)}"
    if status.state in ("stopped", "new") and status.fraction < 1:
        return f"stopped at {status.fraction:.0%}. {_resume(run)}"
    return f"failed: {status.message}" if status.state == "failed" and status.message else ""


def _notes(found: Sequence[tuple[Run, Status, LifeSign]]) -> list[str]:
    lines, stopped = [], 0
    for run, status, life in found:
        if life.state == "not running":
            stopped += status.state == "stopped"
            if status.state != "stopped" or stopped > MOST_STOPPED:
                continue
        if line := news(run, status, life):
            lines.append(f"{run.name}: {line}")
    return lines


def _no_contest(runs: Sequence[Run]) -> list[str]:
    """Why the losses of these runs are no ranking; nothing where they are one."""
    recipes = []
    for run in runs:
        with suppress(DifftuiError, ValueError):
            recipes.append(Recipe.from_json(run.recipe_text()))
    if all(incomparable(recipes[0], other) is None for other in recipes[1:]):
        return []
    return [
        "Losses under other schedules, targets or sizes do not compare. Errors at equal noise do: "
        "difftui denoise --from NAME --errors, or difftui labs losses"
    ]


def _ask(run: Run, verb: Verb) -> int:
    ask(run, verb)
    if verb != "stop":
        print(f"{run.name}: asked to {verb}.")
        return 0
    deadline = time.monotonic() + ANSWER_SECONDS
    while run.liveness().state != "not running":
        if time.monotonic() > deadline:
            raise DifftuiError(
                f"{run.name} was asked to stop and has not ended in {duration(ANSWER_SECONDS)}. "
                "Look again with: difftui runs"
            )
        time.sleep(LOOK_SECONDS)
    status = run.status()
    print(f"{run.name}: {status.state} at step {status.step}. {_resume(run)}".strip())
    return 0


def _plot(run: Run) -> int:
    from difftui.commands.text_plot import text_plot
    from difftui.runs.reader import MetricsReader

    reader = MetricsReader(run.metrics.path, whole=True)
    reader.read(math.inf)
    drawn = text_plot(reader.builder.view())
    print(drawn or f"{run.name}: no losses to plot yet. They come with the first hundred steps.")
    return 0


def _state(run: Run, status: Status, life: LifeSign) -> str:
    if life.state == "alive":
        holder = run.holder()
        does = "training" if holder is None else "held" if holder.held else holder.state
        return f"{does} {run.reached()[1]:.0%}"
    if life.state == "presumed dead":
        return "presumed dead"
    return f"stopped {status.fraction:.0%}" if status.state == "stopped" else status.state


def _row(run: Run, state: str) -> tuple[str, ...]:
    try:
        name = Recipe.from_json(run.recipe_text()).name
    except (DifftuiError, ValueError):
        name, state = "?", "damaged"
    last = last_metrics(run.metrics.path)
    step, loss = last.get("step", run.status().step), last_loss(run.metrics.path)
    when = "" if state == "shipped" else _when(run.last_written())
    return run.name, name, state, str(step), "-" if loss is None else loss_text(loss), when


def _resume(run: Run) -> str:
    return f"Go on: {_command('train', '--run', handle(run), '--resume')}"


def _command(*words: str) -> str:
    return shlex.join(["difftui", *words])


def _when(moment: float) -> str:
    """How long ago, or the date after a week."""
    ago = time.time() - moment
    if ago < 7 * 86_400:
        return f"{duration(max(ago, 0))} ago" if ago < 86_400 else f"{ago / 86_400:.0f} days ago"
    return datetime.fromtimestamp(moment).strftime("%Y-%m-%d")


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if i in RIGHT else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
