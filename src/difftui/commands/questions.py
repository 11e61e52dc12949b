"""``difftui questions``: the guided lab's questions and the worksheet, as plain text."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from pathlib import Path

from difftui import atomic, worksheet
from difftui.commands import UsageError
from difftui.commands.options import add_device
from difftui.commands.out import add_out, check_out, written
from difftui.commands.page import (
    CHOICES,
    add_choices,
    chosen,
    last_findings,
    print_findings,
    take_any_letter,
    wrapped,
)
from difftui.errors import DifftuiError
from difftui.experiments.questions import QUESTIONS, Question, find_question
from difftui.experiments.questions.sheet import count_text, mark_of, moment_text, sheet_text
from difftui.worksheet import Notes, load_worksheet

__all__ = ["add_arguments", "run"]

ALONE = ("predict", "answer", "measure", "unpredicted", *CHOICES)  # options that are for one question


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui questions`` takes."""
    parser.add_argument("question", metavar="N", nargs="?", help="its number (default: list them all)")
    parser.add_argument("--predict", metavar="TEXT", help="write down what you expect, before you measure")
    parser.add_argument("--answer", metavar="TEXT", help='write down your answer ("" takes it away)')
    parser.add_argument("--measure", action="store_true", help="measure what is asked about, and keep it")
    parser.add_argument("--unpredicted", action="store_true", help="measure without a prediction")
    add_choices(parser)
    add_out(parser, ".md: all questions with what you wrote")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Print the list or a question, write down what is given, and return the exit status."""
    take_any_letter()
    if args.out is not None:
        check_out(args.out, {".md": "the worksheet as Markdown"}, force=args.force)
    if args.question is None:
        _require_none(args, ALONE, "is for one question: name its number")
        if args.out is None:
            _list(load_worksheet())
    else:
        _one(args)
    if args.out is not None:
        _write(args.out, force=args.force)
    return 0


def _one(args: argparse.Namespace) -> None:
    """Write, measure or tell: what is asked of one question."""
    try:
        question = find_question(args.question)
    except DifftuiError as error:
        raise UsageError(str(error)) from None
    number = question.number
    if not args.measure:
        _require_none(args, ("unpredicted", *CHOICES), "goes with --measure")
    setup = chosen(args, question.page, question.setup)
    if args.predict is not None:
        if not question.predict:
            raise UsageError(f"question {number} asks for no prediction: --answer writes the answer")
        worksheet.predict(number, args.predict)
    if args.answer is not None:
        worksheet.answer(number, args.answer)
    notes = load_worksheet().get(number, Notes())
    if not args.measure:
        _tell(question, notes)
        return
    if question.predict and not (notes.predicted or notes.measured_at or args.unpredicted):
        raise UsageError(
            f"question {number} is to be predicted first, with --predict TEXT; or add --unpredicted"
        )
    findings = last_findings(question.page, setup, args.device)
    _head(question)
    print_findings(findings)
    print()
    _tell_notes(question, worksheet.measured(number, findings.seen), just_measured=True)


def _require_none(args: argparse.Namespace, options: tuple[str, ...], why: str) -> None:
    given = [option for option in options if getattr(args, option) not in (None, False)]
    if given:
        raise UsageError(f"--{given[0]} {why}")


def _list(known: Mapping[int, Notes]) -> None:
    for module, questions in groupby(QUESTIONS, key=lambda question: question.module):
        print(module)
        for question in questions:
            mark = mark_of(known.get(question.number, Notes()))
            print(f"{question.number:>4} {mark} {'P' if question.predict else ' '}  {question.topic}")
    print(f"\n{count_text(known)}: P predict first, p predicted, m measured, ✓ done.")
    print("difftui questions N shows one; on the screens they are on key 0.")


def _tell(question: Question, notes: Notes) -> None:
    _head(question)
    print(wrapped(f"Look: difftui --screen {question.screen}. {question.look}"))
    print(f"Or:   difftui {question.command}\n")
    _tell_notes(question, notes)


def _head(question: Question) -> None:
    print(f"{question.number}. {question.module}: {question.topic}\n")
    print(wrapped(question.text) + "\n")


def _tell_notes(question: Question, notes: Notes, *, just_measured: bool = False) -> None:
    """What was written down; what was measured just now stands above already."""
    command = f"difftui questions {question.number}"
    if question.predict:
        late = "none: it was measured without"
        none = late if notes.measured_at else f"not yet ({command} --predict TEXT)"
        _note("Predicted", notes.predicted, notes.predicted_at, none)
    if just_measured:
        print("Measured: just now, as above; it is kept.")
    else:
        _note("Measured", notes.measured, notes.measured_at, f"not yet ({command} --measure)")
    _note("Answer", notes.answered, notes.answered_at, f"not yet ({command} --answer TEXT)")
    if notes.answered or notes.measured_at:
        print("\n" + wrapped(f"A good answer weighs: {question.weigh}"))


def _note(name: str, text: str, when: str, none: str) -> None:
    if not text:
        print(f"{name}: {none}")
        return
    first, *rest = text.splitlines()
    print(wrapped(f"{name} ({moment_text(when)}): {first}"))
    for line in rest:
        print(wrapped(line))


def _write(out: Path, *, force: bool) -> None:
    text = sheet_text(load_worksheet(), datetime.now())

    def write(path: Path) -> Path:
        try:
            atomic.write_text(path, text)
        except OSError as error:
            raise DifftuiError(f"{path} cannot be written ({error.strerror}). Name another file.") from None
        return path

    print(f"wrote {written(out, write, force=force)}")
