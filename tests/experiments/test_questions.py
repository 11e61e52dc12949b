"""The questions: their words fit the screens, and what they name is there."""

from __future__ import annotations

import re
import shlex
import textwrap
from datetime import datetime
from itertools import groupby

import pytest

from difftui.cli import _parser
from difftui.errors import DifftuiError
from difftui.experiments import find_page
from difftui.experiments.questions import QUESTIONS, Question, find_question
from difftui.experiments.questions.sheet import mark_of, sheet_text
from difftui.ui.keys import GLOBAL, PLACES, SCREENS
from difftui.worksheet import Notes

SIGNS = {
    "plus": "+", "minus": "-", "full_stop": ".", "comma": ",", "semicolon": ";", "slash": "/",
    "less_than_sign": "<", "greater_than_sign": ">", "left_parenthesis": "(", "right_parenthesis": ")",
    "left_curly_bracket": "{", "right_curly_bracket": "}", "vertical_line": "|", "asterisk": "*",
    "left_square_bracket": "[", "right_square_bracket": "]", "left": "←", "right": "→", "up": "↑",
    "down": "↓",
    "shift+left": "⇧←", "shift+right": "⇧→", "home": "Home", "end": "End", "backspace": "⌫",
    "shift+tab": "⇧tab", "question_mark": "?",
}  # fmt: skip

every_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: str(question.number))


def bound_on(screen: str) -> set[str]:
    """How people write the keys that work there."""
    actions = (*SCREENS[screen], *GLOBAL)
    keys = {key for action in actions for key in action.keys.split(",")}
    return {SIGNS.get(key, key) for key in keys} | {action.shown for action in actions}


def test_they_are_numbered_in_order_and_modules_stand_together() -> None:
    numbers = [question.number for question in QUESTIONS]
    assert numbers == sorted(set(numbers))
    modules = [module for module, _ in groupby(question.module for question in QUESTIONS)]
    assert len(modules) == len(set(modules))
    guided = [question.number for question in QUESTIONS if question.module.startswith("M")]
    assert guided == list(range(1, 26))
    assert all(find_question(str(number)).number == number for number in numbers)
    for asked in ("0", "x", "", "999", "04"):
        with pytest.raises(DifftuiError, match="there is no question"):
            find_question(asked)


@every_question
def test_its_words_fit(question: Question) -> None:
    assert len(question.topic) <= 40
    assert len(question.module) <= 20
    assert len(textwrap.wrap(question.text, 78)) <= 3
    assert len(textwrap.wrap(question.look, 55)) <= 4
    assert len(textwrap.wrap(question.weigh, 66)) <= 4
    for text in (question.text, question.look, question.weigh):
        assert text == " ".join(text.split())
        assert text[-1] in ".?!"
    assert question.look.count("`") % 2 == 0


@every_question
def test_its_keys_are_bound_where_it_is_looked_at(question: Question) -> None:
    assert question.screen in {place.name for place in PLACES} - {"home", "questions"}
    bound = bound_on(question.screen)
    named = {key for part in re.findall(r"`([^`]+)`", question.look) for key in [part]}
    for key in named:
        assert key in bound or {*key.split("/")} <= bound or {*key.split()} <= bound, key


@every_question
def test_its_command_is_one(question: Question) -> None:
    args = _parser().parse_args(shlex.split(question.command))
    assert args.command
    if args.command == "labs" and args.page is not None:
        assert find_page(args.page) is not None


@every_question
def test_its_page_can_be_measured_with_what_it_begins_with(question: Question) -> None:
    setup = question.page.chosen(question.setup)
    if question.screen == "labs":
        assert {*question.choices} - {"page"} <= set(dir(setup))


def test_the_sheet_has_all_of_it() -> None:
    first, predicted = QUESTIONS[0], next(question for question in QUESTIONS if question.predict)
    known = {first.number: Notes(answered="one\n\n# two", answered_at="2026-11-22T03:44+00:00")}
    known[predicted.number] = Notes(
        predicted="three", predicted_at="2026-11-22T03:45+00:00", answered="one\n\n# two", answered_at="2026"
    )
    text = sheet_text(known, datetime(2026, 11, 22, 4, 5))
    head, _, rest = text.partition("\n")
    answered = len({first.number, predicted.number})
    assert head == f"# Worksheet of 2026-11-22 04:05: {answered} of {len(QUESTIONS)} questions answered"
    for question in QUESTIONS:
        assert f"### {question.number}. {question.text}" in rest
    assert "> one\n>\n> # two" in text
    assert "**Prediction** (2026-11-22 03:45)\n\n> three" in text
    assert rest.count("not answered yet") == len(QUESTIONS) - answered
    late = sheet_text({predicted.number: Notes(measured="m", measured_at="2026")}, datetime.now())
    assert "**Prediction**: none, measured without one" in late


def test_marks_tell_how_far_it_is() -> None:
    told = [Notes(), Notes(predicted="x"), Notes(predicted="x", measured_at="t"), Notes(answered="a")]
    assert [mark_of(notes) for notes in told] == ["· ", "p ", "m ", "✓ "]
    assert mark_of(Notes(answered="a", measured_at="t")) == "✓m"
