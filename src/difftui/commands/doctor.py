"""``difftui doctor``: what this terminal, line and machine offer, looked at now, and what would be better."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from typing import Any

from difftui.commands.findings import Finding, Subject, subjects
from difftui.errors import DifftuiError

__all__ = ["add_arguments", "run"]

INDENT = 13


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui doctor`` takes."""
    parser.add_argument("--data", metavar="NAME_OR_DIR", help="where to look for the full MNIST")
    parser.add_argument(
        "--quick", action="store_true", help="leave out torch and the device, which take seconds"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print what is found, subject by subject, and fail if something stands in the way."""
    failed: list[str] = []
    facts: dict[str, Any] = {}
    for name, look in subjects(args.data, quick=args.quick):
        finding = _look((name, look))
        if finding.problem:
            failed.append(name)
        facts[name.replace(" ", "_")] = {
            "found": finding.found,
            "advice": finding.advice,
            "problem": finding.problem,
            **finding.facts,
        }
        if not args.json:
            problem = "PROBLEM: " if finding.problem else ""
            _print(f"{name:>{INDENT - 1}}  ", f"{problem}{finding.found}")
            if finding.advice:
                _print(" " * (INDENT + 1) + "-> ", finding.advice)
    if args.json:
        print(json.dumps(facts, indent=2))
    if failed:
        raise DifftuiError(f"something is wrong with {' and '.join(failed)}; see above.")
    return 0


def _print(before: str, text: str) -> None:
    """A paragraph behind its name; in one line where a program may read it."""
    lines = [text]
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns - len(before), 20)
        lines = textwrap.wrap(text, width, break_long_words=False)
    print(before + f"\n{'':{len(before)}}".join(lines), flush=True)


def _look(subject: Subject) -> Finding:
    try:
        return subject[1]()
    except DifftuiError as error:
        return Finding(str(error), problem=True)
