"""Who trains a run now: ``holder.json``, a heartbeat in a file that any machine can read.

On the machine that trains, the run's lock decides: the system lets go of it with the process. A lock says
little on another machine (not every network disk passes it on), so there the heartbeat decides.

Clocks of two machines may differ by any amount. A beat carries a counter, and whoever looks twice trusts only
that (:class:`Pulse`): a counter that changes is a sign of life, at the moment in which it is *seen* to
change. Only the first look has to compare times; it takes the clock of the writer or of the disk, whichever
agrees better with our own.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeGuard

from difftui.runs.files import is_number, plain_text, read_object, write_object

__all__ = [
    "STALE_SECONDS",
    "Activity",
    "Holder",
    "LifeSign",
    "Liveness",
    "Pulse",
    "read_holder",
    "write_holder",
]

Liveness = Literal["alive", "presumed dead", "not running"]
Activity = Literal["training", "paused"]

STALE_SECONDS = 20.0
"""Four beats missed: presumed dead."""

LONGEST_REASON = 1000  # characters; it names a directory

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that trains a run.

    Attributes:
        pid, host, user: where it runs, and whose it is.
        device: what it computes on, in words; may be empty.
        state: "training" or "paused".
        counter: beats so far.
        began, beat: start of its sitting and newest beat, in Unix seconds by its own clock.
        boot: what tells its machine from another of the same name; empty where the system has no such thing.
        held: why it cannot go on and waits, one line; empty while it can.
    """

    pid: int
    host: str
    user: str
    device: str
    state: Activity
    counter: int
    began: float
    beat: float
    boot: str = ""
    held: str = ""

    @property
    def here(self) -> bool:
        """Whether it runs on this machine."""
        host, boot = this_machine()
        return self.boot == boot if self.boot and boot else self.host == host

    @property
    def who(self) -> str:
        """Process and machine, as messages say it."""
        return f"process {self.pid} on {self.host}"


class LifeSign(NamedTuple):
    """What a look at a run says.

    Attributes:
        state: "alive"; "presumed dead" (a heartbeat that stopped, on another machine); "not running".
        seconds: since the last sign of life; None where nobody left one.
    """

    state: Liveness
    seconds: float | None


@cache
def this_machine() -> tuple[str, str]:
    """Name of this machine, and the mark of its present start ("" where there is none)."""
    try:
        boot = _BOOT_ID.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        boot = ""
    return socket.gethostname(), boot


def read_holder(path: Path) -> tuple[Holder, float] | None:
    """The record in ``path`` and its age in seconds, as well as one look can tell; None if there is none."""
    found = read_object(path)
    holder = _holder(found[0]) if found is not None else None
    if found is None or holder is None:
        return None
    now = time.time()
    return holder, min(abs(now - found[1]), abs(now - holder.beat))


def write_holder(path: Path, holder: Holder) -> float:
    """Replace the record; returns the time of writing by the file system's clock. Raises OSError."""
    return write_object(path, asdict(holder))


def judge(holder: Holder | None, locked: bool | None, age: float) -> LifeSign:
    """Whether a run is alive.

    Args:
        holder: its record, if there is one.
        locked: whether its lock is held as far as this machine can tell; None if it cannot tell.
        age: seconds since the record changed.
    """
    if holder is None:
        return LifeSign("alive", None) if locked else LifeSign("not running", None)
    if holder.here:
        alive = locked if locked is not None else _process_exists(holder.pid)
        return LifeSign("alive" if alive else "not running", age)
    return LifeSign("alive" if age <= STALE_SECONDS else "presumed dead", age)


class Pulse:
    """Looks at one run's heartbeat again and again, and trusts its counter more than any clock."""

    def __init__(self) -> None:
        self._beat: tuple[object, ...] | None = None
        self._since = 0.0
        self._moved = False

    def look(self, found: tuple[Holder, float] | None, locked: bool | None) -> LifeSign:
        """Judge what :func:`read_holder` found just now."""
        if found is None:
            self._beat, self._moved = None, False
            return judge(None, locked, 0.0)
        holder, age = found
        now = time.monotonic()
        beat = (holder.pid, holder.host, holder.began, holder.counter)
        if beat != self._beat:
            self._moved = self._beat is not None
            self._beat, self._since = beat, now
        watched = now - self._since
        return judge(holder, locked, watched if self._moved else max(age, watched))


def _holder(raw: dict[str, Any]) -> Holder | None:
    pid, counter, began, beat, state = (raw.get(k) for k in ("pid", "counter", "began", "beat", "state"))
    if state not in ("training", "paused") or not plain_text(raw.get("host")):
        return None
    if not _within(pid, 2**31) or not pid or not _within(counter, 2**63):
        return None
    if not is_number(began) or not is_number(beat):
        return None
    return Holder(
        pid=pid,
        host=plain_text(raw["host"]),
        user=plain_text(raw.get("user")),
        device=plain_text(raw.get("device")),
        state=state,
        counter=counter,
        began=float(began),
        beat=float(beat),
        boot=plain_text(raw.get("boot")),
        held=plain_text(raw.get("held"), LONGEST_REASON),
    )


def _within(value: object, limit: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < limit


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True
