"""The user's runs with what can be done with each: attach, go on, look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from difftui.runs import Run, list_runs
from difftui.words import duration, grouped

__all__ = ["OPEN", "Kind", "RunEntry", "find_entries", "line_of"]

Kind = Literal["running", "presumed dead", "interrupted", "failed", "finished"]
OPEN: frozenset[Kind] = frozenset({"running", "presumed dead", "interrupted"})
"""Kinds of which one is offered at the start."""
ORDER: tuple[Kind, ...] = ("running", "presumed dead", "interrupted", "failed", "finished")


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run as a list shows it.

    Attributes:
        run: which.
        kind: what it is now.
        fraction, step: how far it is; where nobody trains it, its newest saved state.
        told: more about it in a few words: who trains it, since when it is silent, why it failed.
    """

    run: Run
    kind: Kind
    fraction: float
    step: int
    told: str

    @property
    def words(self) -> str:
        """In short: "lab-2 running at 61%"."""
        return f"{self.run.name} {self.kind} at {self.fraction:.0%}"

    @property
    def offer(self) -> str:
        """What one key does with it: "attach to lab-2"."""
        return f"{self.verb} {self.run.name}"

    @property
    def verb(self) -> str:
        """What one key does: nobody can go on with a run that may be alive elsewhere."""
        return {"running": "attach to", "interrupted": "go on with"}.get(self.kind, "look at")


def find_entries() -> list[RunEntry]:
    """The user's runs: those that run first, then what can go on, and the finished ones last."""
    entries = [entry for run in list_runs() if (entry := _entry(run)) is not None]
    return sorted(entries, key=lambda entry: ORDER.index(entry.kind))


def _entry(run: Run) -> RunEntry | None:
    life, status, holder = run.liveness(), run.status(), run.holder()
    if life.state == "alive":
        where = "" if holder is None or holder.here else f" on {holder.host}"
        paused = "paused" if holder is not None and holder.state == "paused" else "trains"
        if holder is not None and holder.held:
            return _now(run, f"held{where}: {holder.held}")
        return _now(run, f"{paused}{where}{f' · {holder.device}' if holder else ''}")
    if life.state == "presumed dead":
        since = f"silent for {duration(life.seconds)}" if life.seconds is not None else "silent"
        return _told(run, "presumed dead", f"{since} on {holder.host if holder else 'another machine'}")
    if status.state == "finished":
        return _told(run, "finished", f"took {duration(status.seconds)}")
    if status.state == "failed":
        return _told(run, "failed", status.message)
    if status.state == "stopped" or status.step:
        why = f" ({status.message})" if status.message else ""
        return _told(run, "interrupted", f"after {duration(status.seconds)} of training{why}")
    return None  # made, and never begun


def _told(run: Run, kind: Kind, told: str) -> RunEntry:
    status = run.stored_status()
    return RunEntry(run, kind, status.fraction, status.step, told)


def _now(run: Run, told: str) -> RunEntry:
    """A run that is trained is further than its newest save."""
    step, fraction = run.reached()
    return RunEntry(run, "running", fraction, step, told)


def line_of(entry: RunEntry) -> str:
    """Step and share, aligned below one another."""
    return f"{entry.fraction:>4.0%}  step {grouped(entry.step):>9}"
