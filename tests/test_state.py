"""What is remembered from one start to the next: whole, or as if there were nothing."""

import json
import os
from pathlib import Path

import pytest

from difftui.state import Choices, State, load_state, save_state, state_path


def test_it_comes_back_as_it_was(own_home: Path) -> None:
    assert load_state() == State()
    state = State("forward", "light", {"forward": {"kind": "cosine", "seed": 3, "label": None}})
    save_state(state)
    assert state_path() == own_home / "state.json"
    assert load_state() == state


HUGE = b'{"format": 1, "screen": "' + b"x" * 200_000 + b'"}'


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b"[]", b'{"format": 2, "screen": "train"}', b"[" * 90_000, HUGE]
)
def test_damage_is_as_if_there_were_nothing(data: bytes) -> None:
    state_path().write_bytes(data)
    assert load_state() == State()


def test_wrong_kinds_are_left_out() -> None:
    state_path().write_text(
        json.dumps({"format": 1, "screen": 3, "theme": [], "choices": {"a": 1, "b": {"c": 2}}})
    )
    assert load_state() == State(choices={"b": {"c": 2}})
    state_path().write_text(json.dumps({"format": 1, "screen": "home", "choices": 5}))
    assert load_state() == State("home")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_costs_only_the_memory(own_home: Path) -> None:
    own_home.chmod(0o500)
    save_state(State("home"))
    own_home.chmod(0o700)


def test_a_file_where_the_folder_should_be_costs_only_the_memory(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_home / "file").touch()
    monkeypatch.setenv("DIFFTUI_STATE", str(own_home / "file" / "state.json"))
    save_state(State("home"))
    assert load_state() == State()


def test_each_choice_must_be_what_it_may_be() -> None:
    known = Choices({"kind": "cosine", "T": 1000, "yes": True, "one": 1, "x": 0.5, "none": None, "text": "a"})
    assert known.one_of("kind", ("linear", "cosine"), "linear") == "cosine"
    assert known.one_of("kind", ("linear",), "linear") == "linear"
    assert known.one_of("one", (True, False), False) is False
    assert known.one_of("none", (7, None), 7) is None
    assert known.one_of("missing", (7, None), 7) == 7
    assert known.whole("T", 1, 1000, 5) == 1000
    assert [known.whole(name, 0, 999, 5) for name in ("T", "yes", "x", "missing")] == [5, 5, 5, 5]
    assert known.number("x", 0, 1, 2.0) == 0.5
    assert [known.number(name, 0, 0.9, 2.0) for name in ("one", "yes", "text")] == [2.0, 2.0, 2.0]
    assert [known.text(name, "b") for name in ("text", "one", "missing")] == ["a", "b", "b"]


def test_what_is_no_file_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setenv("DIFFTUI_STATE", str(pipe))
    save_state(State("home"))
    assert load_state() == State()
    assert pipe.is_fifo()
