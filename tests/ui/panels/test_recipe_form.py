"""The recipe form, with the keys that people press."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers import text_of, until
from textual.app import App
from textual.widgets import Input

from difftui.runs import create_run
from difftui.training.recipe import PRESETS
from difftui.ui.panels.plan import FIELDS, Plan, hint_of
from difftui.ui.panels.recipe_form import Choice, RecipeForm
from difftui.ui.theme import DARK

LAB = Plan(PRESETS["lab"])
NOTHING = object()


class Stage(App[None]):
    def __init__(self, plan: Plan = LAB) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.form = RecipeForm(plan, lambda plan: f"about {plan.recipe.batch_size} s")
        self.answer: object = NOTHING

    def on_mount(self) -> None:
        self.push_screen(self.form, self._keep)

    def _keep(self, answer: Plan | None) -> None:
        self.answer = answer


def detail(app: Stage) -> str:
    return text_of(app.form.query_one("#detail"))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_field_is_there_with_its_sentence(size: tuple[int, int]) -> None:
    app = Stage()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for field in FIELDS:
            row = app.form.query_one(f"#hint-{field.name}")
            assert row.region.bottom < size[1]
            assert hint_of(field, LAB) in text_of(row)
            assert app.form.query_one(f"#{field.name}").region.width > 10
        assert "about 64 s" in detail(app)
        assert not app.form.query_one("VerticalScroll").show_vertical_scrollbar


async def test_the_name_that_it_tells_is_the_one_that_the_run_will_have() -> None:
    create_run("lab-1", LAB.recipe.to_json())
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        hint = app.form.query_one("#hint-name")
        await until(pilot, lambda: "This run is called lab-2." in text_of(hint))
        await pilot.press("right")  # another network: no longer the preset
        await until(pilot, lambda: "This run is called my-lab-1." in text_of(hint))
        await pilot.press("up", "end", "/")
        await until(pilot, lambda: "is called" not in text_of(hint))
        await pilot.press("backspace", *"-a")
        await until(pilot, lambda: "This run is called lab-a-1." in text_of(hint))


async def test_keys_walk_choose_and_type() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.form.focused is not None)
        await pilot.press("right")  # the network
        await pilot.press("down", "down", "right")  # past the time to the schedule
        await pilot.press("down", "end", "0")  # T: 10000
        await pilot.press("down", "left", "left")  # the target: x_prev lies to the left of eps, v beyond it
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: app.answer is not NOTHING)
        assert app.answer == Plan(
            replace(
                PRESETS["lab"], name="my-lab", model="patch-unet", model_options={}, schedule="scaled-linear",
                timesteps=10_000, target="v",
            )
        )  # fmt: skip


async def test_what_is_wrong_says_so_at_once_and_cannot_be_kept() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.form.focused is not None)
        app.form.query_one("#batch_size", Input).focus()
        await pilot.press("end", "x")
        await pilot.pause()
        why = "batch must be a whole number from 1 to 65536, not '64x'"
        assert why[:35] in text_of(app.form.query_one("#hint-batch_size"))
        assert why in detail(app)
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert app.answer is NOTHING
        assert app.form.focused is app.form.query_one("#batch_size")
        await pilot.press("backspace", "backspace")
        await pilot.pause()
        assert "about 6 s" in detail(app)
        assert "Images a step: more" in text_of(app.form.query_one("#hint-batch_size"))
        await pilot.press("enter")
        await until(pilot, lambda: app.answer is not NOTHING)
        assert app.answer.recipe.batch_size == 6


async def test_escape_changes_nothing() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.form.focused is not None)
        await pilot.press("right", "escape")
        await until(pilot, lambda: app.answer is not NOTHING)
        assert app.answer is None


async def test_the_mouse_chooses_too() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.form.focused is not None)
        await pilot.click("#keep")
        await pilot.pause()
        assert app.form.query_one("#keep", Choice).value == "go on"
        assert app.form.plan == replace(LAB, keep=True)
