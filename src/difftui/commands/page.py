"""A page of an experiment on the command line: what can be chosen for it, running it, and printing it."""

from __future__ import annotations

import argparse
import io
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace

from difftui.commands import UsageError
from difftui.commands.options import add_seed, number, whole_number
from difftui.experiments import NAMED, Findings, Page, Setup, Table

__all__ = [
    "CHOICES",
    "add_choices",
    "chosen",
    "last_findings",
    "print_findings",
    "take_any_letter",
    "wrapped",
]

COLUMNS = 79

CHOICES = ("digit", "seed", "at", "network", "schedules")
"""The options of :func:`add_choices`; what was left out is None."""


def add_choices(parser: argparse.ArgumentParser) -> None:
    """``--digit``, ``--seed``, ``--at``, ``--network`` and ``--schedules``."""
    parser.add_argument(
        "--digit", metavar="D", type=whole_number(0, 9), help="class of the digit (default: 7)"
    )
    add_seed(parser, "of the noise (default: 0)", None)
    parser.add_argument(
        "--at", metavar="X", type=number(0.0, 1.0), help="time from 0, clean, to 1, noise (default: 0.5)"
    )
    parser.add_argument("--network", metavar="NAME", help="a network that ships (default: the page's own)")
    parser.add_argument(
        "--schedules",
        metavar="N",
        nargs=2,
        type=whole_number(1, len(NAMED)),
        help="two schedules by number: "
        + "; ".join(f"{place} {name}" for place, name in enumerate(NAMED, 1)),
    )


def chosen(args: argparse.Namespace, page: Page, usual: Setup) -> Setup:
    """What was chosen for a page.

    Args:
        args: with the options of :func:`add_choices`.
        page: that is run.
        usual: where nothing was chosen.

    Raises:
        UsageError: the page does not offer it.
    """
    given: dict[str, object] = {}
    for option, choice, fields in (
        ("digit", "digit", {"label": args.digit}),
        ("seed", "seed", {"seed": args.seed}),
        ("at", "time", {"time": args.at}),
        ("network", "network", {"network": args.network}),
        ("schedules", "schedules", _named(args.schedules)),
    ):
        if getattr(args, option) is None:
            continue
        if choice not in page.offers:
            raise UsageError(f"the page {page.name!r} has no --{option} to choose")
        given |= fields
    if args.network is not None and args.network not in page.networks:
        raise UsageError(f"--network {args.network}: this page knows {', '.join(page.networks)}")
    return replace(usual, **given)  # type: ignore[arg-type]


def last_findings(
    page: Page, setup: Setup, device_request: str, check: Callable[[Findings], None] | None = None
) -> Findings:
    """Run the page to its end.

    Args:
        page, setup: what to run.
        device_request: where.
        check: is shown the first findings, whose blocks are of the kinds that the last ones have.
    """
    device = "cpu"
    if page.needs_torch:
        from difftui.engine.device import configure_threads, pick_device

        device = pick_device(device_request).torch_device_name
        configure_threads()
    computing = page.run(setup, device)
    first = next(computing)
    if check is not None:
        check(first)
    *_, last = first, *computing
    return last


def take_any_letter() -> None:
    """Formulas are Greek, and some terminals are not."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def print_findings(findings: Findings) -> None:
    """The table, what it comes to, and the further tables."""
    _print_table(findings.table)
    print("\n" + wrapped(findings.seen))
    for title, more in findings.more:
        print(f"\n{title}")
        _print_table(more)


def wrapped(text: str) -> str:
    """A paragraph."""
    return textwrap.fill(text, COLUMNS)


def _named(places: list[int] | None) -> dict[str, object]:
    if places is None:
        return {}
    names = list(NAMED)
    return {"left": names[places[0] - 1], "right": names[places[1] - 1]}


def _print_table(table: Table) -> None:
    for cells in table.aligned():
        print("  ".join(cells).rstrip())
