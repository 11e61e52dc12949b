"""The recipe as a form over the Train screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from difftui.diffusion import SCHEDULES
from difftui.ui.panels.plan import FIELDS, Field, Plan, hint_of, plan_from, texts_of
from difftui.ui.widgets.entry import Entry
from difftui.ui.widgets.text import ActionText
from difftui.ui.window import Window, hints

__all__ = ["Choice", "RecipeForm"]

ASK_SECONDS = 0.3  # how often the estimate, which may be being measured, is looked at


class Choice(Widget, can_focus=True):
    """One of a few values: ← and → walk through them, and so does a click.

    Attributes:
        value: the chosen one.
    """

    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; }
    Choice:focus { text-style: bold; background: $surface-lighten-1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "walk(-1)", show=False),
        Binding("right,l,space", "walk(1)", show=False),
        Binding("k", "app.focus_previous", show=False),
        Binding("j", "app.focus_next", show=False),
    ]

    class Changed(Message):
        """Another value was chosen."""

    def __init__(self, choices: tuple[str, ...], value: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.choices, self.value = choices, value

    def render(self) -> Content:
        return Content.assemble(self.value, (" ◂▸" if self.has_focus else "", "$accent"))

    def action_walk(self, by: int) -> None:
        """The next value, or the one before."""
        at = self.choices.index(self.value) if self.value in self.choices else -by
        self.value = self.choices[(at + by) % len(self.choices)]
        self.refresh()
        self.post_message(self.Changed())

    def on_click(self, event: Click) -> None:
        event.stop()
        self.action_walk(1)


class RecipeForm(Window[Plan]):
    """Change a plan. It closes with the new one, or None where nothing is to change.

    What is typed is read at every key; a line that is wrong says why in the words of whoever refused it.
    """

    AUTO_FOCUS = "#model"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g", "cancel", "Close and change nothing", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("enter", "done", show=False),
    ]
    DEFAULT_CSS = """
    RecipeForm .field { height: 1; }
    RecipeForm .label { width: 11; color: $muted; }
    RecipeForm .value { width: 20; height: 1; }
    RecipeForm Input { width: 1fr; background: $surface; padding: 0 2; }
    RecipeForm Input:focus { background: $surface-lighten-1; text-style: bold; }
    RecipeForm .hint { width: 1fr; height: 1; padding: 0 0 0 1; color: $muted; }
    RecipeForm .-wrong { color: $error; }
    RecipeForm #detail { height: 2; margin-top: 1; }
    """

    def __init__(self, plan: Plan, estimate: Callable[[Plan], str]) -> None:
        """Make the form.

        Args:
            plan: what to start from.
            estimate: how long a plan will take, in words.
        """
        super().__init__()
        self.base = plan.recipe
        self.texts = texts_of(plan)
        self.plan: Plan | None = plan
        self.errors: dict[str, str] = {}
        self._estimate = estimate

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False) as box:
            for field in FIELDS:
                with Horizontal(classes="field"):
                    yield Static(field.label, classes="label")
                    with Horizontal(classes="value"):
                        yield self._editor(field)
                    yield ActionText(classes="hint", id=f"hint-{field.name}")
            yield ActionText(id="detail")
        box.border_title = "recipe"
        box.border_subtitle = hints(
            ("↑ ↓", "field", "next()"),
            ("← →", "choose", "walk()"),
            ("enter", "keep", "done()"),
            ("esc", "cancel", "cancel()"),
        )

    def on_mount(self) -> None:
        self._read()
        self.set_interval(ASK_SECONDS, self._tell)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._read()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_done()

    def on_choice_changed(self, event: Choice.Changed) -> None:
        event.stop()
        self._read()

    def on_descendant_focus(self) -> None:
        self._tell()

    def action_cancel(self) -> None:
        """Close; what was before stays."""
        self.dismiss(None)

    def action_next(self) -> None:
        """To the next field."""
        self.focus_next()

    def action_walk(self) -> None:
        """The next value of the field, where it has a few to choose from."""
        if isinstance(self.focused, Choice):
            self.focused.action_walk(1)
            self._read()  # a message does not bubble up to the one that caused it

    def action_done(self) -> None:
        """Close with the plan, if it is one; else go to the first line that is wrong."""
        if self.plan is not None:
            self.dismiss(self.plan)
        else:
            self.query_one(f"#{next(iter(self.errors))}").focus()

    def _editor(self, field: Field) -> Widget:
        value = self.texts[field.name]
        if field.choices:
            return Choice(field.choices, value, id=field.name)
        return Entry(value, compact=True, select_on_focus=False, id=field.name)

    def _read(self) -> None:
        for field in FIELDS:
            editor = self.query_one(f"#{field.name}")
            if isinstance(editor, Choice | Input):
                self.texts[field.name] = editor.value
        self.plan, self.errors = plan_from(self.texts, self.base)
        for field in FIELDS:
            hint = self.query_one(f"#hint-{field.name}", ActionText)
            hint.set_class(field.name in self.errors, "-wrong")
            hint.say(Content(self.errors.get(field.name) or hint_of(field, self.plan)))
        self._tell()

    def _tell(self) -> None:
        """Below the fields: why the focused one is refused, else how long this will take."""
        name = (self.focused.id if self.focused is not None else "") or ""
        if name in self.errors or self.plan is None:
            line = self.errors.get(name) or next(iter(self.errors.values()), "")
            text = Content(line).stylize("$error")
        else:
            first = SCHEDULES.get(self.texts["schedule"], "") if name == "schedule" else ""
            estimate = Content(self._estimate(self.plan))
            text = Content("\n").join([estimate, Content(first).stylize("$muted")]) if first else estimate
        self.query_one("#detail", ActionText).say(text)
