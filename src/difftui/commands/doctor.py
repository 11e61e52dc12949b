"""``difftui doctor``: what this machine offers, looked at now."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable

from difftui import __version__
from difftui.errors import DifftuiError

__all__ = ["add_arguments", "run"]

PACKAGES = ("textual", "numpy", "torchvision")
MIN_COLUMNS, MIN_ROWS = 80, 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui doctor`` takes."""
    parser.add_argument("--data", metavar="NAME_OR_DIR", help="where to look for the full MNIST")


def run(args: argparse.Namespace) -> int:
    """Print what is found, line by line, and fail if something stands in the way."""
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("difftui", _versions),
        ("torch", _torch),
        ("device", _device),
        ("terminal", _terminal),
        ("colours", _colours),
        ("home", _home),
        ("digits", lambda: _digits(args.data)),
        ("networks", _networks),
        ("your runs", _runs),
    )
    failed = []
    for name, look in checks:
        try:
            found = look()
        except DifftuiError as error:
            found = f"PROBLEM: {error}"
            failed.append(name)
        print(f"{name:>10}  {found}", flush=True)
    if failed:
        raise DifftuiError(f"something is wrong with {' and '.join(failed)}; see above.")
    return 0


def _versions() -> str:
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return f"{__version__} on Python {platform.python_version()}, {platform.platform(terse=True)}; {packages}"


def _torch() -> str:
    began = time.perf_counter()
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: a library it needs is not there
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise DifftuiError(f"torch cannot be imported ({reason}). Install it again.") from error
    seconds = time.perf_counter() - began
    built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
    return f"{torch.__version__}, {built}; imported in {seconds:.1f} s"


def _device() -> str:
    from difftui.engine.device import configure_threads, pick_device

    device = pick_device("auto")
    count = configure_threads()
    threads = f"{count} thread{'s' if count > 1 else ''}"
    return f"{device.torch_device_name}: {device.label} ({device.why}); torch uses {threads}"


def _terminal() -> str:
    if not sys.stdout.isatty():
        return "none: the output goes elsewhere"
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    small = "" if columns >= MIN_COLUMNS and rows >= MIN_ROWS else f", less than {MIN_COLUMNS}x{MIN_ROWS}"
    within = " in tmux" if os.environ.get("TMUX") else ""
    return (
        f"{os.environ.get('TERM', 'of unknown kind')}{within}, {columns}x{rows}{small}, {sys.stdout.encoding}"
    )


def _colours() -> str:
    if os.environ.get("NO_COLOR"):
        return "none wanted (NO_COLOR is set)"
    from rich.console import Console

    system = Console(force_terminal=True).color_system
    known = {"truecolor": "16 million", "256": "256", "standard": "16", "windows": "16"}
    return known.get(system or "", "none")


def _home() -> str:
    from difftui.paths import home_dir

    home = home_dir()
    try:
        there = next(folder for folder in (home, *home.parents) if folder.exists())
        with tempfile.TemporaryFile(dir=there):
            free = shutil.disk_usage(there).free
    except OSError as error:
        raise DifftuiError(
            f"{home} cannot be written ({error.strerror}). Set DIFFTUI_HOME or --home to a folder that can."
        ) from None
    return f"{home} ({'' if there == home else 'will be made; '}{free / 2**30:.1f} GiB free)"


def _digits(data: str | None) -> str:
    from difftui.data import bundled, found_digits

    bundled()
    return found_digits(data)


def _networks() -> str:
    from difftui.runs import shipped_runs

    return ", ".join(run.name for run in shipped_runs()) or "none shipped"


def _runs() -> str:
    from difftui.runs import list_runs, runs_dir

    return f"{len(list_runs())} in {runs_dir()}"
