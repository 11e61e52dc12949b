"""Numbers, times and places for people."""

from pathlib import Path

import pytest

from difftui.words import duration, gib, grouped, loss_text, short_path


def test_digits_stand_in_threes() -> None:
    assert [grouped(n) for n in (0, 999, 1000, 46_900, 1_000_000)] == [
        "0", "999", "1 000", "46 900", "1 000 000",
    ]  # fmt: skip


def test_durations() -> None:
    assert [duration(s) for s in (3.2, 89, 200, 5399, 7800)] == [
        "3 s", "89 s", "3 min", "1 h 30 min", "2 h 10 min",
    ]  # fmt: skip


def test_bytes() -> None:
    assert [gib(n) for n in (5 * 2**20, 2**29, 79.4 * 2**30)] == ["5 MiB", "0.5 GiB", "79 GiB"]


def test_the_users_own_folder_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert short_path(Path("/home/ada/runs/lab-1")) == "~/runs/lab-1"
    assert short_path(Path("/home/adam/runs")) == "/home/adam/runs"


def test_a_loss_that_ran_away_keeps_its_place() -> None:
    assert loss_text(0.03124) == "0.0312"
    assert loss_text(6.1214e35) == "6.1e+35"
