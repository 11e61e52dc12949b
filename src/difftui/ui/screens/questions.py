"""The questions of the guided lab: predict, go and look, answer, and measure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Literal

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize

from difftui import atomic, worksheet
from difftui.engine import JobState
from difftui.errors import DifftuiError
from difftui.experiments import Page
from difftui.experiments.questions import QUESTIONS, Question
from difftui.experiments.questions.sheet import mark_of, sheet_text
from difftui.state import Choices
from difftui.ui.keys import shown_key
from difftui.ui.page_works import PageWork, PageWorks
from difftui.ui.panels.page_panel import PagePanel, state_mark
from difftui.ui.panels.question_list import QuestionList, contents
from difftui.ui.panels.question_notes import NoteBox, QuestionNotes
from difftui.ui.panels.question_text import QuestionText, note_rows, with_keys
from difftui.ui.pixels.display import has_all_characters
from difftui.ui.screens.base import LabScreen
from difftui.ui.screens.paged import Paged
from difftui.ui.widgets.entry import TextBox
from difftui.ui.widgets.text import ActionText, choice
from difftui.words import short_path
from difftui.worksheet import Notes, load_worksheet

__all__ = ["SCREEN", "QuestionsScreen"]

Kind = Literal["prediction", "answer"]

ROWS_FOR_BOTH = 32  # from which notes and measurement stand together
ROWS_FOR_TEXT = 28  # from which the question stands above its measurement, too; its topic always does
COLUMNS_FOR_LIST, COLUMNS_FOR_ALL = 100, 116  # from which the list stands beside notes, and measurements
LIST_COLUMNS, HUGE = (36, 56), 150  # its width, and that from so many columns on
ROWS_OF_NOTES = 12  # that the notes then take, about
KEEP_SECONDS = 1.0  # between two measurements that are written down
LOOK_SECONDS = 8.0  # that the reminder of what to look at stays over the other screen


class QuestionsScreen(Paged, LabScreen):
    """One question at a time. Nothing is computed before it is asked for.

    Attributes:
        place: of the question shown among :data:`QUESTIONS`.
        setup: what is chosen for its page.
        held: whether the user holds the measuring.
        known: the worksheet, by number, as it was read last.
        typing: the number of the question for which something is typed, and what; or None.
        measuring: whether the measurement is shown, where notes and measurement have no room together.
    """

    NAME = "questions"

    def __init__(self) -> None:
        super().__init__()
        self.place = 0
        self.setup = self.question.setup
        self.held = False
        self.known: dict[int, Notes] = {}
        self.typing: tuple[int, Kind] | None = None
        self.measuring = False
        self.box = NoteBox()
        self._asked: dict[int, object] = {}  # the questions to be measured, and what was written down last
        self._setups = {question.number: question.setup for question in QUESTIONS}
        self._drafts: dict[tuple[int, Kind], str] = {}  # what could not be saved
        self._warned: tuple[int, str] = (0, "")
        self._message = Content()
        self._kept_at = 0.0
        self._drawn: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="questions"):
            yield ActionText(id="contents")
            with Vertical(id="question"):
                yield ActionText(id="title")
                yield ActionText(id="text")
                yield QuestionNotes()
                yield PagePanel()
                yield self.box
                yield ActionText(id="message")

    def remember(self) -> dict[str, object]:
        return {"question": self.question.number}

    def recall(self, choices: Choices) -> None:
        numbers = [question.number for question in QUESTIONS]
        self.place = numbers.index(choices.one_of("question", numbers, numbers[0]))
        self.setup = self._setups[self.question.number]

    @property
    def question(self) -> Question:
        """The question shown."""
        return QUESTIONS[self.place]

    @property
    def notes(self) -> Notes:
        """What is written beside it."""
        return self.known.get(self.question.number, Notes())

    @property
    def page(self) -> Page:
        return self.question.page

    @cached_property
    def works(self) -> PageWorks:
        return PageWorks(self.lab.engine)

    @property
    def work_key(self) -> int:
        return self.question.number

    @property
    def asked(self) -> bool:
        """Whether this question is to be measured."""
        return self.question.number in self._asked

    @property
    def roomy(self) -> bool:
        """Whether notes and measurement stand together."""
        return self.size.height >= ROWS_FOR_BOTH

    @property
    def panel_is_shown(self) -> bool:
        """Whether the measurement is."""
        return self.asked and (self.roomy or self.measuring)

    def on_screen_resume(self) -> None:
        if self.lab.errand:
            self.lab.errand = ()
            self.lab.clear_notifications()  # what there was to look at
        self._read()

    def on_screen_suspend(self) -> None:
        """Another screen is shown: what was typed is saved, and the device left to that one."""
        if self.lab.current_mode != self.NAME:
            self._leave_box()
            self.works.rest()

    # What the user does: going about.

    def action_pick(self, by: int) -> None:
        """The next or the previous question."""
        self.action_open((self.place + by) % len(QUESTIONS))

    def action_open(self, place: int) -> None:
        """A question by its place."""
        self._leave_box()
        self._setups[self.question.number] = self.setup
        self.place, self.held, self._message = place, False, Content()
        self.setup = self._setups[self.question.number]
        self.measuring = self.asked
        self._read()

    def action_grid(self) -> None:
        """All questions, to choose one."""
        self._leave_box()
        self.app.push_screen(QuestionList(self.place, self.known), self._take_question)

    def _take_question(self, place: int | None) -> None:
        if place is not None:
            self.action_open(place)

    def action_view(self, by: int) -> None:
        """Notes or measurement, where they have no room together."""
        self._leave_box()
        self.measuring = self.asked and not self.measuring

    def action_all(self) -> None:
        """The question and its page in words and figures."""
        work, plain = self.work, not has_all_characters(self.app)
        findings = work.findings if work is not None else None
        self.app.push_screen(QuestionText(self.question, self.notes, findings, plain=plain))

    def action_look(self) -> None:
        """Go to where it can be seen, with what the question is about chosen there."""
        question = self.question
        if self._warns("enter", "goes and looks"):
            return
        self._leave_box()
        self.lab.errand = (self.NAME, f"question {question.number}")
        self.lab.clear_notifications()
        self.lab.visit(question.screen, question.choices)
        told = with_keys(question.look, plain=not has_all_characters(self.app)).markup
        self.app.notify(told, title=f"question {question.number}: look", timeout=LOOK_SECONDS)

    # What the user does: writing.

    def action_edit(self, way: int) -> None:
        """Write the prediction, if it is due, or the answer; negative: the prediction anew."""
        question, notes = self.question, self.notes
        over = self.asked or bool(notes.measured_at)
        if way < 0 and (over or not question.predict):
            why = "It was measured: a prediction comes before that." if question.predict else ""
            self._say_message(why or "This question asks for no prediction; `i` writes the answer.")
            return
        due = question.predict and not over and (way < 0 or not notes.predicted)
        kind: Kind = "prediction" if due else "answer"
        written = notes.predicted if due else notes.answered
        self.typing = (question.number, kind)
        self.measuring, self._message = False, Content()
        self.box.open(kind, self._drafts.get(self.typing, written))

    def on_text_box_left(self, event: TextBox.Left) -> None:
        event.stop()
        self._take_text(event.text, entered=event.entered)

    def _leave_box(self) -> None:
        """Save what is being typed."""
        self._take_text(self.box.text, entered=False)

    def _take_text(self, text: str, *, entered: bool) -> None:
        """Save what was typed and put the box away; left by Enter it stays where that was refused."""
        typing = self.typing
        if typing is None:
            return
        try:
            self._message = with_keys(self._save(typing, text.strip(), entered=entered))
            self._drafts.pop(typing, None)
        except DifftuiError as error:
            self._drafts[typing] = text
            self._say_message(str(error), wrong=True)
            if entered:
                return
        self.typing = None
        self.box.close()

    def _save(self, typing: tuple[int, Kind], text: str, *, entered: bool) -> str:
        """Write it down if it is new; an empty box takes away what was there, but by Enter alone.

        Returns:
            What was done, in a few words.
        """
        number, kind = typing
        notes = self.known.get(number, Notes())
        if text == (notes.predicted if kind == "prediction" else notes.answered) or not (text or entered):
            return ""
        keep = worksheet.predict if kind == "prediction" else worksheet.answer
        self.known[number] = keep(number, text)
        return f"{kind.capitalize()} {'saved' if text else 'taken away'}."

    def keep(self) -> None:
        if self.typing is not None:
            self._save(self.typing, self.box.text.strip(), entered=False)

    def action_export(self) -> None:
        """Save the worksheet as Markdown."""
        from difftui.media import unused_path
        from difftui.paths import home_dir

        path = unused_path(home_dir() / "exports" / "worksheet.md")
        try:
            atomic.write_text(path, sheet_text(load_worksheet(), datetime.now()))
        except DifftuiError as error:
            self._say_message(str(error), wrong=True)
        except OSError as error:
            self._say_message(f"{path} cannot be written ({error.strerror}).", wrong=True)
        else:
            self._say_message(f"saved {short_path(path)}")

    # What the user does: measuring.

    def action_measure(self) -> None:
        """Compute the page of this question, or show what it came to."""
        if not self.asked and not self._warns("s", "measures"):
            self._asked[self.question.number] = None
            self._message = Content()
        self.measuring = self.asked

    def action_play(self) -> None:
        """Hold the measuring, or go on; at its end measure again."""
        if self.asked:
            super().action_play()
        else:
            self._say_message("`s` measures it.")

    def choose(self, choice: str, **changes: object) -> None:
        """Take a choice that this page offers, where it can be seen."""
        if self.panel_is_shown:
            super().choose(choice, **changes)

    def _warns(self, key: str, does: str) -> bool:
        """Before anything is looked at: ask once for the prediction that is due."""
        question, notes = self.question, self.notes
        due = question.predict and not (notes.predicted or notes.measured_at or self.asked)
        if not due or self._warned == (question.number, key):
            return False
        self._warned = (question.number, key)
        self._say_message(f"Predict first: `i` writes what you expect. `{key}` again {does} without.")
        return True

    # The worksheet.

    def _read(self) -> None:
        try:
            self.known = load_worksheet()
        except DifftuiError as error:
            self._say_message(str(error), wrong=True)

    def _keep(self, work: PageWork, now: float) -> None:
        """Write down what the measuring came to, once it has."""
        number, findings = self.question.number, work.findings
        done = work.job.state is JobState.DONE and findings is not None and bool(findings.seen)
        if not done or self._asked[number] is work.job or now - self._kept_at < KEEP_SECONDS:
            return
        assert findings is not None
        self._asked[number], self._kept_at = work.job, now
        try:
            self.known[number] = worksheet.measured(number, findings.seen)
        except DifftuiError as error:
            self._say_message(str(error), wrong=True)

    # Drawing.

    def on_resize(self, event: Resize) -> None:
        self._drawn = ()

    def tick(self, now: float) -> None:
        work = None
        if self.asked:
            page = self.page
            work = self.works.see_to(self.work_key, page, page.chosen(self.setup), held=self.held)
            self._keep(work, now)
        else:
            self.works.rest()
        shown = (self.place, self.panel_is_shown)
        news = (work.job, work.job.version, work.job.state) if work is not None else ()
        drawn = (shown, news, self.held, self.setup, tuple(self.known.items()), self._message)
        if drawn == self._drawn:
            return
        turned = not self._drawn or self._drawn[0] != shown
        self._drawn = drawn
        self._draw_words(work)
        if work is not None and self.panel_is_shown:
            self._draw_panel(work, turned=turned)

    def _draw_words(self, work: PageWork | None) -> None:
        shown, both = self.panel_is_shown, self.roomy
        panel, notes = self.query_one(PagePanel), self.query_one(QuestionNotes)
        panel.display, notes.display = shown, both or not shown
        self.set_class(shown and both, "-both")
        self.query_one("#text").display = not shown or self.size.height >= ROWS_FOR_TEXT
        self.say("title", self._title(work), layout=True)
        self.say("text", Content(self.question.text).stylize("bold"), layout=True)
        rows = note_rows(self.question, self.notes, plain=not has_all_characters(self.app), begun=self.asked)
        notes.show([row for row in rows if not shown or row[0] not in ("Predicted", "Measured")])
        self.query_one("#message").display = bool(self._message.plain)
        self.say("message", self._message, layout=True)
        self._draw_list(shown=shown)

    def _draw_list(self, *, shown: bool) -> None:
        """All questions beside the one, where there is room: a table needs a line of 78."""
        columns, rows = self.size
        beside = self.query_one("#contents")
        beside.display = columns >= (COLUMNS_FOR_ALL if shown else COLUMNS_FOR_LIST)
        if beside.display:
            width = LIST_COLUMNS[columns >= HUGE]
            beside.styles.width = width
            room = contents(self.place, self.known, columns=width - 3, rows=rows - 3)
            self.say("contents", room, layout=True)

    def _draw_panel(self, work: PageWork, *, turned: bool) -> None:
        panel = self.query_one(PagePanel)
        panel.rows_besides = ROWS_OF_NOTES if self.roomy else 2
        if turned:
            panel.turn(self.page, blank=work.findings is None)
        notes = choice(shown_key(self.NAME, "view(1)"), "", "notes", "view(1)")
        panel.show(self.NAME, self.page, self.setup, work, () if self.roomy else (notes,))
        panel.expect(self._expected())

    def _expected(self) -> Content:
        """The prediction, to stand above what was measured."""
        if not self.question.predict:
            return Content()
        told = self.notes.predicted or "nothing: measured without a prediction"
        return Content.assemble(("Predicted: ", "$muted"), " ".join(told.split()))

    def _title(self, work: PageWork | None) -> Content:
        question = self.question
        number = Content(f"{question.number}  ").stylize("b $accent")
        module = Content(f"{question.module} · ").stylize("$muted")
        topic = Content.assemble((question.topic, "b"), ("  P" if question.predict else "", "b $secondary"))
        if work is not None:
            has_torch = self.lab.engine.device is not None
            mark = state_mark(self.page, work, held=self.held, has_torch=has_torch)
        else:
            mark = Content(mark_of(self.notes)).stylize("$success")
        right = mark + Content(f"  {self.place + 1}/{len(QUESTIONS)}").stylize("$muted")
        room = self.query_one("#title").content_size.width
        left = number + module + topic
        if left.cell_length + right.cell_length + 2 > room:
            left = number + topic
        return left + " " * max(2, room - left.cell_length - right.cell_length) + right

    def _say_message(self, text: str, *, wrong: bool = False) -> None:
        self._message = Content(text).stylize("$error") if wrong else with_keys(text)


SCREEN: Callable[[], QuestionsScreen] = QuestionsScreen
