"""A student's worksheet: what was predicted, answered and measured for each question, in one small JSON file.

It is read anew before each change, so that two terminals lose nothing of one another's, and replaced whole.
A file that cannot be read is never written over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path

from difftui import atomic
from difftui.errors import DifftuiError
from difftui.paths import home_dir

__all__ = ["MOST_LETTERS", "Notes", "answer", "load_worksheet", "measured", "predict", "worksheet_path"]

FORMAT = 1
MOST_LETTERS = 2000
"""Of an answer or a prediction."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What is written beside one question; "" where nothing is.

    Attributes:
        predicted: before anything was measured.
        predicted_at: when, in ISO 8601 with the time zone, as are the others.
        answered: the answer.
        answered_at: when.
        measured: the sentence that the measuring came to.
        measured_at: when it was measured first: from then on nothing can be predicted.
    """

    predicted: str = ""
    predicted_at: str = ""
    answered: str = ""
    answered_at: str = ""
    measured: str = ""
    measured_at: str = ""


def worksheet_path() -> Path:
    """The file: ``answers.json`` in the user's difftui folder."""
    return home_dir() / "answers.json"


def load_worksheet() -> dict[int, Notes]:
    """All notes, by the number of their question; questions without any are left out.

    Raises:
        DifftuiError: the file is there and cannot be read, or is not a worksheet.
    """
    path = worksheet_path()
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise DifftuiError(f"{path} cannot be read ({why}).") from error
    try:
        raw = json.loads(text)
        if raw["format"] != FORMAT:
            raise ValueError
        return {int(number): _notes(known) for number, known in raw["questions"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DifftuiError(
            f"{path} is damaged, or of another version. Move it away to begin a new worksheet."
        ) from error


def predict(number: int, text: str) -> Notes:
    """Write down a prediction.

    Raises:
        DifftuiError: it was measured already, the text is too long, or the file cannot be read or written.
    """
    notes = load_worksheet().get(number, Notes())
    if notes.measured_at:
        raise DifftuiError(
            f"Question {number} was measured at {notes.measured_at}: a prediction comes before that."
        )
    return _keep(number, predicted=_checked(text), predicted_at=_now() if text.strip() else "")


def answer(number: int, text: str) -> Notes:
    """Write down an answer; an empty one takes it away.

    Raises:
        DifftuiError: the text is too long, or the file cannot be read or written.
    """
    return _keep(number, answered=_checked(text), answered_at=_now() if text.strip() else "")


def measured(number: int, told: str) -> Notes:
    """Write down what the measuring came to.

    Raises:
        DifftuiError: the file cannot be read or written.
    """
    first = load_worksheet().get(number, Notes()).measured_at
    return _keep(number, measured=told, measured_at=first or _now())


def _keep(number: int, **changes: str) -> Notes:
    known = load_worksheet()
    known[number] = notes = replace(known.get(number, Notes()), **changes)
    questions = {str(n): asdict(known[n]) for n in sorted(known) if known[n] != Notes()}
    path = worksheet_path()
    try:
        atomic.write_text(
            path, json.dumps({"format": FORMAT, "questions": questions}, indent=1, ensure_ascii=False) + "\n"
        )
    except OSError as error:
        raise DifftuiError(
            f"{path} cannot be written ({error.strerror}): set DIFFTUI_HOME to a folder that can."
        ) from error
    return notes


def _notes(known: Mapping[str, object]) -> Notes:
    values = {each.name: known.get(each.name, "") for each in fields(Notes)}
    if not all(isinstance(value, str) for value in values.values()):
        raise ValueError
    return Notes(**values)  # type: ignore[arg-type]


def _checked(text: str) -> str:
    text = text.strip()
    if len(text) > MOST_LETTERS:
        raise DifftuiError(f"That is {len(text)} letters; a worksheet takes {MOST_LETTERS} for each answer.")
    return text


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="minutes")
