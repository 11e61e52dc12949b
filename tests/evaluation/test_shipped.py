"""The shipped networks that can be asked draw what they are asked for, as their recipes advise."""

import pytest

from difftui.evaluation.report import report
from difftui.training import load_model


@pytest.mark.parametrize("name", ["conditional", "quick"])
def test_each_digit_is_drawn_when_it_is_asked_for(name: str) -> None:
    loaded = load_model(name)
    labels = [seed % 10 for seed in range(20)]
    *_, last = loaded.sample(range(20), labels)
    judged = report(last.x.numpy(), labels)
    assert judged.agreement is not None
    assert judged.agreement >= 0.9


def test_conditional_says_how_it_is_guided() -> None:
    recipe = load_model("conditional").recipe
    assert (recipe.sampler, recipe.sampler_steps, recipe.guidance) == ("dpm-solver++", 15, 0.3)
    assert recipe.label_drop > 0  # else it could not be guided
