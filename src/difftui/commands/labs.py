"""``difftui labs``: what the labs claim, put to the test; a page as plain text."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from difftui.commands import UsageError
from difftui.commands.options import add_device
from difftui.commands.out import add_out, check_out, written
from difftui.commands.page import add_choices, chosen, last_findings, print_findings, take_any_letter, wrapped
from difftui.errors import DifftuiError
from difftui.experiments import PAGES, Findings, Page, Pictures, Setup, find_page, sheet

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui labs`` takes."""
    parser.add_argument(
        "page", metavar="PAGE", nargs="?", help="its number or name (default: list the pages)"
    )
    add_choices(parser)
    add_out(parser, ".png: the page's pictures")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Print the list or run a page, and return the exit status."""
    take_any_letter()
    if args.page is None:
        _list()
        return 0
    try:
        page = find_page(args.page)
    except DifftuiError as error:
        raise UsageError(str(error)) from None
    setup = chosen(args, page, Setup())
    if args.out is not None:
        check_out(args.out, {".png": "pictures"}, force=args.force)
    findings = last_findings(page, setup, args.device, None if args.out is None else _check_pictures)
    _print(page, findings)
    if args.out is not None:
        _write(args.out, findings, force=args.force)
    return 0


def _list() -> None:
    for place, page in enumerate(PAGES, 1):
        print(f"{place:>3}  {page.name:<9} {page.title}")
    print("\ndifftui labs PAGE runs one; on the screens they are on key 9, and a game with them.")


def _print(page: Page, findings: Findings) -> None:
    print(f"{PAGES.index(page) + 1}. {page.title}\n")
    print(wrapped(f"{page.source}: {page.says}"))
    print(wrapped(f"Computed: {page.how}") + "\n")
    print_findings(findings)


def _check_pictures(findings: Findings) -> None:
    """Before all is computed: whether there will be something to write."""
    if not any(isinstance(block, Pictures) for block in findings.blocks):
        raise DifftuiError("This page has no pictures, only curves: difftui --screen labs shows them.")


def _write(out: Path, findings: Findings, *, force: bool) -> None:
    from difftui.media import save_png

    pictures = [block for block in findings.blocks if isinstance(block, Pictures)]
    images, columns = sheet(pictures)
    path = written(out, partial(save_png, images=images, columns=columns, scale=3), force=force)
    print(f"\nwrote {path}, from top to bottom: {'; '.join(block.title for block in pictures)}")
