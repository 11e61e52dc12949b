"""What ``difftui doctor`` looks at: a function a subject says what it found and what would be better."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from difftui import __version__
from difftui.interview import Answers, ask_terminal
from difftui.pixel_modes import MODES, PixelMode, TerminalFacts, own_environment, pixel_mode, terminal_facts
from difftui.settings import load_settings, settings_path

__all__ = ["Finding", "Subject", "subjects"]

PACKAGES = ("textual", "numpy", "torchvision")
COLUMNS, ROWS = 80, 24
COMFORTABLE = (120, 40)
SLOW_SECONDS = 0.15
LITTLE_BYTES = 2 * 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found on one subject.

    Attributes:
        found: in plain words.
        advice: what to change for the better; "" for nothing.
        problem: whether it keeps difftui from working.
        facts: the same for programs.
    """

    found: str
    advice: str = ""
    problem: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


Subject = tuple[str, Callable[[], Finding]]


def subjects(data: str | None, *, quick: bool) -> list[Subject]:
    """Names and questions in the order to ask them: what takes long comes last, or not at all."""
    environment = own_environment()
    facts = terminal_facts(environment)
    answers = ask_terminal(utf8=facts.utf8)
    found: list[Subject] = [
        ("difftui", _versions),
        ("terminal", lambda: _terminal(facts, environment)),
        ("size", _size),
        ("colours", lambda: _colours(facts, environment)),
        ("text", lambda: _text(facts)),
        ("braille", lambda: _braille(facts, answers)),
        ("whole frames", lambda: _frames(answers)),
        ("round trip", lambda: _round_trip(answers, environment)),
        ("connection", lambda: _connection(environment)),
        ("settings", _settings),
        ("home", _home),
        ("digits", lambda: _digits(data)),
        ("networks", _networks),
        ("your runs", _runs),
        ("driver", _driver),
    ]
    return found if quick else [*found, ("torch", _torch), ("device", _device)]


def _versions() -> Finding:
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    python, system = platform.python_version(), platform.platform(terse=True)
    told = ", ".join(f"{name} {version}" for name, version in packages.items())
    facts = {"difftui": __version__, "python": python, "system": system, **packages}
    return Finding(f"{__version__} on Python {python}, {system}; {told}", facts=facts)


# The terminal.


def _terminal(facts: TerminalFacts, environment: Mapping[str, str]) -> Finding:
    program = environment.get("TERM_PROGRAM", "")
    told = {"term": facts.term, "program": program, "is_terminal": sys.stdin.isatty() and sys.stdout.isatty()}
    if not told["is_terminal"]:
        return Finding(
            "none: the input or the output goes elsewhere",
            "Run this in the terminal that you will use; what follows goes by the environment alone.",
            facts=told,
        )
    if facts.term in ("", "dumb", "unknown"):
        return Finding(
            f"of the kind {facts.term or 'that no TERM names'}: the screens cannot be shown",
            "Use another terminal, or set TERM to its kind (xterm-256color suits most).",
            facts=told,
        )
    return Finding(f"{facts.term}{f' ({program})' if program else ''}", facts=told)


def _size() -> Finding:
    try:
        columns, rows = os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1)
    except (OSError, ValueError):
        return Finding("unknown: the output is no terminal")
    advice = ""
    if columns < COLUMNS or rows < ROWS:
        advice = f"Make it {COLUMNS}x{ROWS} at least, or its letters smaller."
    elif columns < COMFORTABLE[0] or rows < COMFORTABLE[1]:
        advice = "All is there; {}x{} shows larger plots and more pictures.".format(*COMFORTABLE)
    return Finding(f"{columns}x{rows}", advice, facts={"columns": columns, "rows": rows})


def _colours(facts: TerminalFacts, environment: Mapping[str, str]) -> Finding:
    mode = pixel_mode(facts)
    told = {"colours": facts.colours, "no_color": facts.no_color, "pixels": mode.value}
    if facts.no_color:
        return Finding(f"none wanted (NO_COLOR is set); pictures: {MODES[mode]}", facts=told)
    count = "16 million" if facts.colours == 1 << 24 else "none" if facts.colours == 2 else str(facts.colours)
    advice = ""
    if facts.colours < 256 and environment.get("TMUX"):
        advice = 'In ~/.tmux.conf: set -g default-terminal "tmux-256color"'
    elif facts.colours < 256 and facts.term not in ("linux", "", "dumb", "unknown"):
        advice = "If your terminal has more, which almost all have: export TERM=xterm-256color"
    elif facts.colours == 256 and mode is PixelMode.PALETTE:
        advice = "Enough for everything here. If it has 16 million: export COLORTERM=truecolor"
    return Finding(f"{count}; pictures: {MODES[mode]}", advice, facts=told)


def _text(facts: TerminalFacts) -> Finding:
    told = {"locale": facts.locale, "utf8": facts.utf8}
    if facts.utf8:
        return Finding(f"UTF-8 (locale {facts.locale or 'not set, taken for UTF-8'})", facts=told)
    return Finding(
        f"not UTF-8 (locale {facts.locale}): pictures and curves in plain characters",
        "export LC_ALL=C.UTF-8 (or put it before the command); 'locale -a' lists what there is.",
        facts=told,
    )


def _braille(facts: TerminalFacts, answers: Answers) -> Finding:
    told = {"cells": answers.braille_cells}
    if not facts.utf8:
        return Finding("not used without UTF-8", facts=told)
    if facts.colours == 8:
        return Finding(
            "the font of a Linux console has none: pictures are shades, curves are ASCII",
            "Use a terminal emulator, or ssh from one.",
            facts=told,
        )
    if answers.braille_cells not in (None, 1):
        return Finding(
            f"a sign takes {answers.braille_cells} cells instead of 1: curves will look torn",
            "Choose another font or terminal, or see the figures as text: difftui --help.",
            facts=told,
        )
    known = "each sign takes one cell" if answers.braille_cells == 1 else "not asked"
    return Finding(
        f"{known}; this must look like a falling line: ⠉⠒⠤⣀", "If not, choose another font.", facts=told
    )


def _frames(answers: Answers) -> Finding:
    if answers.why_not:
        return Finding(f"not asked: {answers.why_not}")
    if answers.round_trip is None:
        return Finding("unknown: the terminal did not answer")
    told = {"synchronized_output": answers.synchronized}
    if answers.synchronized:
        return Finding("shown whole (synchronized output, mode 2026)", facts=told)
    return Finding(
        "shown as they come: no synchronized output (mode 2026), moving pictures may tear",
        "Newer terminals have it; so does tmux from 3.4 on.",
        facts=told,
    )


def _round_trip(answers: Answers, environment: Mapping[str, str]) -> Finding:
    if answers.why_not:
        return Finding(f"not measured: {answers.why_not}")
    if answers.round_trip is None:
        return Finding(
            "the terminal did not answer within a second",
            "If keys feel slow: --fps 5, or --pixels braille, which needs a tenth of the bytes.",
        )
    to = " to tmux or screen; your terminal is further" if _multiplexer(environment) else ""
    took = f"{answers.round_trip * 1000:.1f}" if answers.round_trip >= 1e-4 else "less than 0.1"
    slow = answers.round_trip > SLOW_SECONDS
    return Finding(
        f"{took} ms{to}",
        "A slow line: --fps 5 or --pixels braille send less." if slow else "",
        facts={"seconds": answers.round_trip},
    )


def _multiplexer(environment: Mapping[str, str]) -> str:
    return "tmux" if environment.get("TMUX") else "screen" if environment.get("STY") else ""


def _connection(environment: Mapping[str, str]) -> Finding:
    ssh = bool(environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"))
    inside = _multiplexer(environment)
    told = {"ssh": ssh, "multiplexer": inside or None}
    where = "over SSH" if ssh else "on this machine, as far as can be seen"
    if inside:
        return Finding(f"{where}, in {inside}: a dropped line leaves all running", facts=told)
    if ssh:
        return Finding(
            f"{where}: if it drops, a training of the app is saved and ends",
            "Start the app in tmux, or press z on Train: then it goes on without you.",
            facts=told,
        )
    return Finding(where, facts=told)


# What belongs to the user.


def _settings() -> Finding:
    loaded = load_settings()
    path = settings_path()
    chosen = loaded.settings
    motion = ", reduced motion" if chosen.reduced_motion else ""
    what = f"{chosen.theme} colours, {chosen.pixels} pictures, {chosen.fps} frames a second{motion}"
    where = str(path) if path.exists() else "no file yet: difftui settings --write"
    return Finding(f"{what} ({where})", " ".join(loaded.notices), facts={"file": str(path)})


def _home() -> Finding:
    from difftui.paths import home_dir
    from difftui.words import gib

    home = home_dir()
    told: dict[str, Any] = {"path": str(home), "writable": False}
    try:
        there = next(folder for folder in (home, *home.parents) if folder.exists())
        with tempfile.TemporaryFile(dir=there):
            free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding(
            f"{home} cannot be written ({error.strerror})",
            "Set DIFFTUI_HOME or --home to a folder that can.",
            problem=True,
            facts=told,
        )
    told |= {"writable": True, "free_bytes": free, "exists": there == home}
    advice = "Little room: runs of an hour take some hundred MB." if free < LITTLE_BYTES else ""
    return Finding(
        f"{home} ({'' if there == home else 'will be made; '}{gib(free)} free)", advice, facts=told
    )


def _digits(data: str | None) -> Finding:
    from difftui.data import bundled, found_digits

    bundled()
    return Finding(found_digits(data))


def _networks() -> Finding:
    from difftui.runs import shipped_runs

    names = [run.name for run in shipped_runs()]
    return Finding(", ".join(names) or "none shipped", facts={"names": names})


def _runs() -> Finding:
    from difftui.runs import list_runs, runs_dir

    count = len(list_runs())
    return Finding(f"{count} in {runs_dir()}", facts={"count": count})


# The machine.


def _driver() -> Finding:
    from difftui.engine.nvml import gpus, nvml_session

    with nvml_session() as there:
        if not there:
            return Finding("no NVIDIA driver answers", facts={"gpus": []})
        version = _driver_version()
        names = [gpu.name for gpu in gpus()]
    told = {"version": version, "gpus": names}
    if not names:
        return Finding(
            f"NVIDIA {version}, but no GPU is to be seen",
            "In a container or a Slurm job: ask for a GPU (--gpus all, --gres=gpu:1).",
            facts=told,
        )
    return Finding(f"NVIDIA {version}: {', '.join(names)}", facts=told)


def _driver_version() -> str:
    import pynvml

    try:
        version = pynvml.nvmlSystemGetDriverVersion()
    except pynvml.NVMLError:
        return "of unknown version"
    return version.decode() if isinstance(version, bytes) else str(version)


def _torch() -> Finding:
    began = time.perf_counter()
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: a library it needs is not there
        reason = (str(error).splitlines() or ["no reason given"])[0]
        return Finding(f"cannot be imported ({reason})", "Install it again.", problem=True)
    seconds = time.perf_counter() - began
    built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
    told = {"version": torch.__version__, "cuda": torch.version.cuda, "import_seconds": seconds}
    advice = "A slow disk: the screens show before torch is there." if seconds > 10 else ""
    return Finding(f"{torch.__version__}, {built}; imported in {seconds:.1f} s", advice, facts=told)


def _device() -> Finding:
    from difftui.engine.device import configure_threads, pick_device

    device = pick_device("auto")
    count = configure_threads()
    threads = f"{count} thread{'s' if count > 1 else ''}"
    told = {"name": device.torch_device_name, "label": device.label, "threads": count}
    return Finding(
        f"{device.torch_device_name}: {device.label} ({device.why}); torch uses {threads}", facts=told
    )
