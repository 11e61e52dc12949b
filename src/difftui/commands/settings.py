"""``difftui settings``: what counts now, where it comes from, and a file to change it in."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from difftui.commands.display import tell
from difftui.commands.screens import add_look, look_of
from difftui.commands.tables import table
from difftui.settings import load_settings, settings_path, write_template
from difftui.state import state_path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui settings`` takes."""
    add_look(parser)
    parser.add_argument(
        "--write", action="store_true", help="write a settings file to edit, where there is none"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the settings, and return the exit status."""
    if args.write:
        tell(f"wrote {write_template()}")
    loaded = load_settings(look_of(args))
    path = settings_path()
    if args.json:
        facts = {
            "file": str(path), "file_exists": path.exists(), "state_file": str(state_path()),
            "settings": asdict(loaded.settings), "notices": loaded.notices,
        }  # fmt: skip
        print(json.dumps(facts, indent=2))
        return 0
    rows = [(name, str(value).lower()) for name, value in asdict(loaded.settings).items()]
    rows += [("file", str(path) if path.exists() else f"{path} (not there; --write makes it)")]
    rows += [("last choices", str(state_path()))]
    print(table(("setting", "value"), rows, left=2))
    for notice in loaded.notices:
        print(notice)
    return 0
