"""``difftui labs``: what the labs claim, put to the test; a page as plain text."""

from __future__ import annotations

import argparse
import io
import sys
import textwrap
from dataclasses import replace
from functools import partial
from pathlib import Path

from difftui.commands import UsageError
from difftui.commands.options import add_device, add_seed, number, whole_number
from difftui.commands.out import add_out, check_out, written
from difftui.errors import DifftuiError
from difftui.experiments import NAMED, PAGES, Findings, Page, Pictures, Setup, Table, find_page, sheet

__all__ = ["add_arguments", "run"]

COLUMNS = 79


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui labs`` takes."""
    parser.add_argument(
        "page", metavar="PAGE", nargs="?", help="its number or name (default: list the pages)"
    )
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
    add_out(parser, ".png: the page's pictures")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Print the list or run a page, and return the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # formulas are Greek, and some terminals are not
    if args.page is None:
        _list()
        return 0
    try:
        page = find_page(args.page)
    except DifftuiError as error:
        raise UsageError(str(error)) from None
    setup = _setup(args, page)
    if args.out is not None:
        check_out(args.out, {".png": "pictures"}, force=args.force)
    findings = _last(page, setup, args.device)
    _print(page, findings)
    if args.out is not None:
        _write(args.out, findings, force=args.force)
    return 0


def _list() -> None:
    for place, page in enumerate(PAGES, 1):
        print(f"{place:>3}  {page.name:<9} {page.title}")
    print("\ndifftui labs PAGE runs one; on the screens they are on key 9, and a game with them.")


def _setup(args: argparse.Namespace, page: Page) -> Setup:
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
    return replace(Setup(), **given)  # type: ignore[arg-type]


def _named(places: list[int] | None) -> dict[str, object]:
    if places is None:
        return {}
    names = list(NAMED)
    return {"left": names[places[0] - 1], "right": names[places[1] - 1]}


def _last(page: Page, setup: Setup, device_request: str) -> Findings:
    """Run the page to its end."""
    device = "cpu"
    if page.needs_torch:
        from difftui.engine.device import configure_threads, pick_device

        device = pick_device(device_request).torch_device_name
        configure_threads()
    *_, findings = page.run(setup, device)
    return findings


def _print(page: Page, findings: Findings) -> None:
    print(f"{PAGES.index(page) + 1}. {page.title}\n")
    print(_wrapped(f"{page.source}: {page.says}"))
    print(_wrapped(f"Computed: {page.how}") + "\n")
    _print_table(findings.table)
    print("\n" + _wrapped(findings.seen))
    for title, more in findings.more:
        print(f"\n{title}")
        _print_table(more)


def _print_table(table: Table) -> None:
    for cells in table.aligned():
        print("  ".join(cells).rstrip())


def _wrapped(text: str) -> str:
    return textwrap.fill(text, COLUMNS)


def _write(out: Path, findings: Findings, *, force: bool) -> None:
    from difftui.media import save_png

    pictures = [block for block in findings.blocks if isinstance(block, Pictures)]
    if not pictures:
        raise DifftuiError("This page has no pictures, only curves: difftui --screen labs shows them.")
    images, columns = sheet(pictures)
    path = written(out, partial(save_png, images=images, columns=columns, scale=3), force=force)
    print(f"\nwrote {path}, from top to bottom: {'; '.join(block.title for block in pictures)}")
