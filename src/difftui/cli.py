"""The command line: finds the command, runs it, and tells failures in one line."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from difftui import __version__
from difftui.characters import spell_in_ascii
from difftui.commands import COMMANDS, UsageError
from difftui.commands.screens import LOOK, add_look, look_of, open_screens, require_screens
from difftui.ending import end_within
from difftui.errors import DifftuiError
from difftui.outlet import occupy_standard_streams
from difftui.pixel_modes import own_environment, terminal_facts

__all__ = ["main"]

EXIT_SECONDS = 3.0  # for the interpreter, after a signal's orderly end
APP_OPTIONS = ("screen", "run", "device", "data", *LOOK)


class _Parser(argparse.ArgumentParser):
    """Tells wrong usage in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"difftui: {message}. See '{self.prog} --help'.\n")


class _CommandParser(_Parser):
    """Imports its command's module when it is asked to parse, not before."""

    command = ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        module = importlib.import_module(f"difftui.commands.{self.command}")
        if self.get_default("run_command") is None:
            module.add_arguments(self)
            self.set_defaults(run_command=module.run)
            _add_common(self, default=argparse.SUPPRESS)
        return super().parse_known_args(args, namespace)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``difftui`` with these arguments (the process's own by default) and return its exit status.

    0 done, 1 a failure told in one line on stderr, 2 wrong usage, 128 + n when signal n ended it.
    """
    occupy_standard_streams()
    parser = _parser()
    try:
        args = parser.parse_args(argv)
    except KeyboardInterrupt:
        return 130
    given = [name for name in APP_OPTIONS if getattr(args, f"app_{name}") is not None]
    if args.command and given:
        parser.error(f"--{given[0].replace('_', '-')} goes after {args.command!r}, not before it")
    if args.home is not None:
        os.environ["DIFFTUI_HOME"] = str(Path(args.home).expanduser().absolute())
    if args.command:
        _suit_the_terminal()
    try:
        status = int(args.run_command(args)) if args.command else _open_app(args)
        sys.stdout.flush()  # here, where a reader that is gone can still be told from a failure
        if argv is None and status > 128:  # everything is saved: nothing may keep the process now
            end_within(EXIT_SECONDS, status)
        return status
    except DifftuiError as error:
        return _tell(str(error), args, status=2 if isinstance(error, UsageError) else 1)
    except KeyboardInterrupt:
        return _tell("stopped", args, status=130)
    except BrokenPipeError:  # whoever read our output has seen enough: "difftui runs | head -1"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        reason = " ".join(str(error).split()) or "no reason given"
        what = f"unexpected {type(error).__name__}: {reason}"
        return _tell(what if args.debug else f"{what} (--debug shows where)", args, status=1)


def _parser() -> _Parser:
    parser = _Parser(
        prog="difftui",
        description="A terminal laboratory for diffusion models. Without a command it opens the app.",
        epilog="'difftui COMMAND --help' tells what a command takes.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"difftui {__version__}")
    parser.add_argument("--screen", dest="app_screen", metavar="NAME", help="open the app on this screen")
    parser.add_argument("--run", dest="app_run", metavar="NAME", help="open the app with this run")
    parser.add_argument(
        "--device", dest="app_device", metavar="D", help="where to compute: auto (default), cpu, cuda:0, mps"
    )
    parser.add_argument(
        "--data",
        dest="app_data",
        metavar="NAME_OR_DIR",
        help="what Train learns from: mnist (fetched if need be), another of train's --data, or a folder",
    )
    add_look(parser, prefix="app_")
    _add_common(parser, default=None)
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", parser_class=_CommandParser
    )
    for name, sentence in COMMANDS.items():
        description = f"{sentence[0].upper()}{sentence[1:]}."
        command = commands.add_parser(name, help=sentence, description=description, allow_abbrev=False)
        command.command = name
    return parser


def _add_common(parser: argparse.ArgumentParser, default: Any) -> None:
    """Options that may stand before or after the command; a default of SUPPRESS leaves the one before."""
    parser.add_argument(
        "--home",
        metavar="DIR",
        default=default,
        help="where runs are kept, instead of DIFFTUI_HOME",
    )
    parser.add_argument(
        "--debug", action="store_true", default=default or False, help="show the traceback of a failure"
    )


def _open_app(args: argparse.Namespace) -> int:
    require_screens()
    data = args.app_data
    notices: list[str] = []
    if data is not None:
        from difftui.commands.digits import ready_data

        data = ready_data(data, notice=notices.append)
    return open_screens(
        look_of(args, prefix="app_"),
        screen=args.app_screen,
        run=args.app_run,
        device=args.app_device or "auto",
        data=data,
        notices=tuple(notices),
    )


def _suit_the_terminal() -> None:
    """In a locale without UTF-8 Python writes it all the same (PEP 540): such a terminal shows garbage."""
    if not terminal_facts(own_environment()).utf8:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper) and stream.isatty():
                spell_in_ascii(stream)


def _tell(what: str, args: argparse.Namespace, status: int) -> int:
    if args.debug:
        traceback.print_exc()
    print(f"difftui: {what}", file=sys.stderr)
    return status
