"""The recipe form's texts, there and back, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import pytest

from difftui.models import MODELS
from difftui.training.recipe import PRESETS, Recipe
from difftui.ui.panels.plan import FIELDS, HANG_UP, NETWORKS, Plan, plan_from, texts_of

LAB = PRESETS["lab"]


def changed(base: Recipe = LAB, **texts: str) -> tuple[Plan | None, dict[str, str]]:
    return plan_from({**texts_of(Plan(base)), **texts}, base)


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_form_that_nobody_touched_gives_the_recipe_back(name: str) -> None:
    for plan in (Plan(PRESETS[name]), Plan(PRESETS[name], "all", True)):
        assert plan_from(texts_of(plan), PRESETS[name]) == (plan, {})


def test_what_is_typed_arrives() -> None:
    plan, errors = changed(
        name="mine", model="patch-unet", schedule="cosine", timesteps="200", target="v",
        weighting="min-snr", batch_size="128", learning_rate="1e-3", decay="cosine", ema_decay="0.99",
        seed="7", data="bundled", length="5 000 steps", devices="all GPUs", keep="go on",
    )  # fmt: skip
    assert errors == {}
    assert plan is not None
    wanted = Recipe(
        name="mine", model="patch-unet", schedule="cosine", timesteps=200, target="v", weighting="min-snr",
        batch_size=128, learning_rate=1e-3, decay="cosine", ema_decay=0.99, seed=7, data="bundled",
        steps=5000,
    )  # fmt: skip
    assert plan == Plan(wanted, "all", True)


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("batch_size", "many", "batch must be a whole number from 1 to 65536, not 'many'"),
        ("batch_size", "0", "batch must be a whole number from 1 to 65536, not 0"),
        ("timesteps", "2.5", "T must be a whole number from 1 to 10000, not '2.5'"),
        ("learning_rate", "-1", "learn rate must be a number from 0 to 10, not -1.0"),
        ("learning_rate", "nan", "learn rate must be a number from 0 to 10, not nan"),
        ("ema_decay", "2", "average must be a number from 0 to 1, not 2.0"),
        ("seed", "x", "seed must be a whole number from 0"),
        ("name", "", "'' cannot name a run. Use letters"),
        ("name", "a/b", "'a/b' cannot name a run"),
        ("name", "x" * 62, "cannot name a run"),
        ("learning_rate", "0", "learn rate must be more than 0"),
        ("ema_decay", "1", "average must be less than 1"),
        ("length", "soon", "length must be like 20 epochs, 5000 steps or 2 min, not 'soon'"),
        ("length", "0 steps", "steps must be a whole number from 1"),
        ("length", "-3 min", "minutes must be a number from 0.001"),
        ("data", "/no/such/folder", "/no/such/folder"),
        ("classes", "two", "classes must be a whole number from 1 to 1000, not 'two'"),
        ("classes", "0", "classes must be a whole number from 1"),
        ("image_size", "16", "lab-unet draws 28x28 only"),
        ("image_size", "2", "size must be a whole number from 4 to 256, not 2"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(field: str, text: str, told: str) -> None:
    plan, errors = changed(**{field: text})
    assert plan is None
    assert list(errors) == [field]
    assert told in errors[field]


def test_every_wrong_field_has_its_own_line() -> None:
    plan, errors = changed(batch_size="x", seed="-1", length="")
    assert plan is None
    assert set(errors) == {"batch_size", "seed", "length"}


def test_a_schedule_that_such_a_T_does_not_allow_is_refused() -> None:
    steep = replace(LAB, schedule_options={"beta_end": 0.5}, timesteps=100)
    plan, errors = changed(steep, timesteps="10000")
    assert plan is None
    assert list(errors) == ["timesteps"]


def test_what_belongs_together_changes_together() -> None:
    plan, _ = changed(timesteps="300")
    assert plan is not None
    assert dict(plan.recipe.model_options) == {"timesteps": 300}
    quick, _ = changed(PRESETS["quick"], timesteps="10")
    assert quick is not None
    assert quick.recipe.sampler_steps == 10
    other, _ = changed(PRESETS["quick"], model="lab-unet")
    assert other is not None
    assert dict(other.recipe.model_options) == {"timesteps": 1000}


@pytest.mark.parametrize("classes", [2, 4, 6, 10])
def test_the_toy_with_chosen_classes_and_at_another_size(classes: int) -> None:
    plan, errors = changed(PRESETS["toy"], classes=str(classes), image_size="20")
    assert errors == {}
    assert plan is not None
    recipe = plan.recipe
    assert (recipe.classes, recipe.image_size, dict(recipe.model_options)) == (classes, 20, {"size": 20})
    back, _ = changed(recipe, classes="all", image_size="16", name="toy")
    assert back == Plan(PRESETS["toy"])
    assert changed(PRESETS["toy"], image_size="18")[1] == {"image_size": "must be a multiple of 4"}


def test_the_lecture_with_the_time_and_without() -> None:
    plan, errors = changed(PRESETS["lecture"], time="on")
    assert errors == {}
    assert plan is not None
    assert dict(plan.recipe.model_options) == {"time": True}
    assert plan.recipe.name == "my-lecture"
    back, _ = changed(plan.recipe, time="off", name="lecture")
    assert back == Plan(PRESETS["lecture"])
    other, _ = changed(PRESETS["lecture"], model="lab-unet", time="on")  # which is told anyway
    assert other is not None
    assert dict(other.recipe.model_options) == {"timesteps": 1000}


def test_a_changed_preset_is_not_called_as_it_was() -> None:
    plan, _ = changed(seed="3", length="2 min")
    assert plan is not None
    assert plan.recipe.name == "lab"
    plan, _ = changed(target="v")
    assert plan is not None
    assert plan.recipe.name == "my-lab"
    named, _ = changed(replace(LAB, name="other"), target="v")
    assert named is not None
    assert named.recipe.name == "other"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 epoch", (1, None, None)),
        ("20 steps", (None, 20, None)),
        ("46 900 steps", (None, 46_900, None)),
        ("0.5 min", (None, None, 0.5)),
        ("2 minutes", (None, None, 2.0)),
    ],
)
def test_lengths_are_read_as_people_write_them(text: str, wanted: tuple[object, ...]) -> None:
    plan, errors = changed(length=text)
    assert errors == {}
    assert plan is not None
    assert (plan.recipe.epochs, plan.recipe.steps, plan.recipe.minutes) == wanted


def test_a_folder_with_mnist_is_taken(full_mnist: Path) -> None:
    plan, errors = changed(data=str(full_mnist))
    assert errors == {}
    assert plan is not None
    assert plan.recipe.data == str(full_mnist)


def test_every_field_has_its_sentence_in_a_line_of_eighty_columns() -> None:
    for field in FIELDS:
        assert field.hint.endswith((".", "?"))
        assert len(field.hint) <= 44
        assert len(field.label) <= 10
    assert set(HANG_UP.values()) == {False, True}


def test_every_network_can_be_chosen() -> None:
    assert set(NETWORKS) == set(MODELS)
