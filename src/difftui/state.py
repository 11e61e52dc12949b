"""Where the user was: the last screen and what was chosen there, kept from one start to the next.

One small JSON file. Whatever is wrong with it costs only the memory: it is then as if there were none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import platformdirs

from difftui import atomic

__all__ = ["MOST_SEED", "Choices", "State", "load_state", "save_state", "state_path"]

FORMAT = 1
MOST_BYTES = 100_000
MOST_SEED = 2**62
"""No seed that the commands take is larger."""

T = TypeVar("T")


@dataclass(slots=True)
class State:
    """What the app remembers.

    Attributes:
        screen: the screen shown last; "" for none.
        theme: the colours chosen in the app; "" for none.
        choices: by screen, what was chosen there by name; values of JSON.
    """

    screen: str = ""
    theme: str = ""
    choices: dict[str, dict[str, object]] = field(default_factory=dict)


class Choices:
    """What a screen remembered, each value asked for with what it may be: a file can hold anything."""

    def __init__(self, known: Mapping[str, object]) -> None:
        self._known = known

    def one_of(self, name: str, allowed: Collection[T], default: T) -> T:
        """The value if it is one of those allowed, and of their type."""
        if name not in self._known:  # JSON's null may be a value as well
            return default
        value = self._known[name]
        return next((one for one in allowed if type(one) is type(value) and one == value), default)

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """The value if it is a whole number within these limits, both included."""
        value = self._known.get(name)
        return value if type(value) is int and low <= value <= high else default

    def number(self, name: str, low: float, high: float, default: float) -> float:
        """The value if it is a number within these limits, both included."""
        value = self._known.get(name)
        return float(value) if type(value) in (int, float) and low <= value <= high else default  # type: ignore[arg-type,operator]  # its type was asked

    def text(self, name: str, default: str = "") -> str:
        """The value if it is text."""
        value = self._known.get(name)
        return value if isinstance(value, str) else default


def state_path() -> Path:
    """The state file: ``$DIFFTUI_STATE``, else in this platform's user state directory."""
    chosen = os.environ.get("DIFFTUI_STATE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_state_dir("difftui", appauthor=False)) / "state.json"


def load_state() -> State:
    """What was saved last; an empty state where there is none that can be used. Never raises."""
    with suppress(OSError, ValueError, RecursionError):
        path = state_path()
        raw = json.loads(path.read_bytes()[: MOST_BYTES + 1]) if path.is_file() else None
        if isinstance(raw, dict) and raw.get("format") == FORMAT:
            screens = raw.get("choices")
            return State(
                screen=Choices(raw).text("screen"),
                theme=Choices(raw).text("theme"),
                choices={
                    name: known
                    for name, known in (screens.items() if isinstance(screens, dict) else ())
                    if isinstance(known, dict)
                },
            )
    return State()


def save_state(state: State) -> None:
    """Keep it for the next start; a folder that cannot be written is no reason to fail."""
    path = state_path()
    with suppress(OSError):
        if path.exists() and not path.is_file():  # /dev/null, say, which must not be replaced
            return
        text = json.dumps({"format": FORMAT, **asdict(state)}, indent=1)
        if len(text) <= MOST_BYTES:
            atomic.write_text(path, text + "\n")
