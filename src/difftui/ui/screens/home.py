"""The first screen: what this is, what was found, what to do first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from difftui.ui.screens.base import LabScreen

if TYPE_CHECKING:
    from difftui.runs import Run

__all__ = ["SCREEN", "HomeScreen"]

_INTRODUCTION = (
    "A laboratory for diffusion models: see noise being added to digits, a network\n"
    "learning to take it away, and digits being born from nothing, frame by frame."
)
_SCREENS = (
    ("2", "inverse", "Inverse", "a small network learns arcsin: watch the fit, and what it hides"),
    ("3", "forward", "Forward", "scrub a digit into noise: schedules, signal and noise, SNR"),
    ("4", "train", "Train", "train a network that removes noise, live; digits in a minute"),
    ("5", "generate", "Generate", "ask for a digit and watch it come out of pure noise"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What Home found on this machine, read once each time it is shown."""

    digits: str
    checkpoints: tuple[str, ...]
    runs: int
    interrupted: str | None


class HomeScreen(LabScreen):
    """Introduction, the list of screens, and the state of the laboratory."""

    NAME = "home"

    def __init__(self) -> None:
        super().__init__()
        self.found: Found | None = None
        self._shown: Content | None = None

    def compose_body(self) -> ComposeResult:
        with Vertical(id="home"):
            yield Static(_introduction(), id="introduction")
            yield Static(id="found")

    def on_screen_resume(self) -> None:
        self.found = None  # runs may have come since
        self.call_after_refresh(self._look_around)

    def tick(self, now: float) -> None:
        text = self._found_text()
        if text != self._shown:
            self._shown = text
            self.query_one("#found", Static).update(text)

    def action_begin(self) -> None:
        """Resume what was interrupted, else go and see a digit being born."""
        if self.found is not None and self.found.interrupted is not None:
            self.lab.wanted_run = self.found.interrupted
            self.lab.action_go("train")
        else:
            self.lab.action_go("generate")

    def _look_around(self) -> None:
        from difftui.data import found_digits
        from difftui.runs import list_runs, shipped_runs

        runs = list_runs()
        self.found = Found(
            digits=found_digits(self.lab.data),
            checkpoints=tuple(run.name for run in shipped_runs()),
            runs=len(runs),
            interrupted=_first_interrupted(runs),
        )

    def _found_text(self) -> Content:
        engine, found = self.lab.engine, self.found
        device = engine.problem or (f"{engine.device.label}: {engine.device.why}" if engine.device else "loading torch …")
        rows = [("device", device)]
        if found is not None:
            rows.append(("digits", found.digits))
            rows.append(("networks", ", ".join(found.checkpoints) or "none shipped: train one on screen 4"))
            rows.append(("your runs", f"{found.runs} in {_home()}" if found.runs else f"none yet; they will be kept in {_home()}"))
            if found.interrupted:
                rows.append(("interrupted", f"{found.interrupted}: press enter to go on with it"))
        lines = [Content.from_markup(f"[$muted]{name:>12}[/]  ") + Content(value) for name, value in rows]
        first = (
            "Press [b $accent]enter[/] to go on with the interrupted run."
            if found is not None and found.interrupted
            else "Press [b $accent]enter[/] to watch a digit being born, or a number to begin anywhere."
        )
        return Content("\n").join([*lines, Content(), Content.from_markup(first)])


def _introduction() -> Content:
    lines = [Content(_INTRODUCTION), Content()]
    for key, name, label, text in _SCREENS:
        lines.append(
            Content.from_markup(f"  [@click=app.go('{name}')][b $accent]{key}[/]  [b]{label:<9}[/] {text}[/]")
        )
    return Content("\n").join([*lines, Content()])


def _first_interrupted(runs: list[Run]) -> str | None:
    return next((run.name for run in runs if run.status().state == "stopped"), None)


def _home() -> str:
    from pathlib import Path

    from difftui.runs import runs_dir

    path = str(runs_dir())
    home = str(Path.home())
    return "~" + path[len(home) :] if path.startswith(home + "/") else path


SCREEN = HomeScreen
