"""The collector passes over what lives as long as the process only before the first trainer."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import gc, torch
from difftui.training.garbage import spare_what_is_loaded
before = len(gc.get_objects())
spare_what_is_loaded()
torch.optim.Adam([torch.zeros(1, requires_grad=True)])
print(before, len(gc.get_objects()), gc.get_freeze_count())
"""


@pytest.mark.slow
def test_a_full_collection_has_little_to_look_at_and_the_end_is_quiet() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    before, left, frozen = map(int, done.stdout.split())
    assert before > 100_000  # torch
    assert left < 0.1 * frozen
    assert done.stderr == ""
