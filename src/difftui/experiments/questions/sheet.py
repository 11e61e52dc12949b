"""The worksheet as Markdown, for a teacher or a folder: every question with what was written beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import groupby

from difftui.experiments.questions.catalogue import QUESTIONS
from difftui.experiments.questions.question import Question
from difftui.worksheet import Notes

__all__ = ["count_text", "mark_of", "moment_text", "sheet_text"]

NOTHING = Notes()


def sheet_text(known: Mapping[int, Notes], now: datetime) -> str:
    """All questions by module: prediction, answer and what was measured, or that there is none.

    Args:
        known: the notes, by number of their question.
        now: for the first line.
    """
    parts = [f"# Worksheet of {now:%Y-%m-%d %H:%M}: {count_text(known)}"]
    for module, questions in groupby(QUESTIONS, key=lambda question: question.module):
        parts.append(f"## {module}")
        for question in questions:
            parts += _told(question, known.get(question.number, NOTHING))
    return "\n\n".join(parts) + "\n"


def count_text(known: Mapping[int, Notes]) -> str:
    """How many questions are answered."""
    answered = sum(bool(known.get(question.number, NOTHING).answered) for question in QUESTIONS)
    return f"{answered} of {len(QUESTIONS)} questions answered"


def mark_of(notes: Notes) -> str:
    """How far a question is, in two characters: "· " nothing, "p " predicted, "m " measured, "✓ " answered,
    "✓m" answered and measured.
    """
    if notes.answered:
        return "✓m" if notes.measured_at else "✓ "
    return "m " if notes.measured_at else "p " if notes.predicted else "· "


def moment_text(written: str) -> str:
    """A time of the worksheet, "2026-11-22T03:44+00:00", as people write it: "2026-11-22 03:44"."""
    return written[:16].replace("T", " ")


def _told(question: Question, notes: Notes) -> list[str]:
    parts = [f"### {question.number}. {question.text}"]
    if question.predict:
        late = ", measured without one" if notes.measured_at else ""
        parts.append(_entry("Prediction", notes.predicted, notes.predicted_at, f"none{late}"))
    parts.append(_entry("Answer", notes.answered, notes.answered_at, "not answered yet"))
    parts.append(_entry("Measured", notes.measured, notes.measured_at, "not measured yet"))
    return parts


def _entry(name: str, text: str, written: str, none: str) -> str:
    if not text:
        return f"**{name}**: {none}"
    quoted = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
    return f"**{name}** ({moment_text(written)})\n\n{quoted}"
