"""``difftui doctor``: what this terminal, line and machine offer, looked at now, and what would be better."""

from __future__ import annotations

import argparse
import json
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
            print(
                f"{name:>{INDENT - 1}}  {'PROBLEM: ' if finding.problem else ''}{finding.found}", flush=True
            )
            if finding.advice:
                print(f"{'':>{INDENT + 1}}-> {finding.advice}", flush=True)
    if args.json:
        print(json.dumps(facts, indent=2))
    if failed:
        raise DifftuiError(f"something is wrong with {' and '.join(failed)}; see above.")
    return 0


def _look(subject: Subject) -> Finding:
    try:
        return subject[1]()
    except DifftuiError as error:
        return Finding(str(error), problem=True)
