"""What Train offers before a training."""

from __future__ import annotations

from pathlib import Path

import pytest

from difftui.runs import Run
from difftui.training.recipe import PRESETS
from difftui.ui.panels.invitation import Invitation
from difftui.ui.panels.plan import length_text
from difftui.ui.panels.run_list import Kind, RunEntry


@pytest.mark.parametrize(
    ("kind", "verb"),
    [("running", "attach to"), ("interrupted", "go on with"), ("presumed dead", "look at")],
)
def test_what_enter_does_with_a_run_is_what_it_says(kind: Kind, verb: str) -> None:
    entry = RunEntry(Run(Path("lab-2")), kind, 0.61, 50, "silent for 3 min on node7")
    text = Invitation(PRESETS["lab"], True, "takes about 3 min", entry, "", 1, False).text().plain
    assert f"Press enter to {verb} lab-2: {kind} at 61%, silent for 3 min on node7." in text
    assert entry.offer == f"{verb} lab-2"
    assert f"Press space to train lab for {length_text(PRESETS['lab'])}." in text
    assert "all your runs (1)" in text
    assert "torch" not in text
