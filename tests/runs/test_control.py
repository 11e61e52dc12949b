"""Requests in files: obeyed once, and only its owner's."""

import os
import stat
import time
from pathlib import Path

import pytest

from difftui.errors import DifftuiError
from difftui.runs import Run, ask, create_run, take_requests
from difftui.runs import control as control_module
from difftui.runs.control import drop_old_requests, open_for_requests

WRONG_NAMES = [
    "stop", "5-0123abcd.explode", "x-0123abcd.stop", "5-0123ABCD.stop", "5-0123abcd.stop.tmp", "9" * 240,
    "9" * 25 + "-0123abcd.stop", "5-0123abcd.stop\n", ".5-0123abcd.stop", "٣-0123abcd.stop",
]  # fmt: skip


@pytest.fixture
def run() -> Run:
    run = create_run("one", "{}\n")
    open_for_requests(run)
    return run


def names(run: Run) -> list[str]:
    return sorted(path.name for path in run.control_path.iterdir())


def test_what_was_asked_is_taken_once_in_its_order(run: Run) -> None:
    assert stat.S_IMODE(run.control_path.stat().st_mode) == 0o700
    assert take_requests(run) == []
    with run.lock():
        for verb in ("pause", "sample", "resume", "stop"):
            ask(run, verb)
        assert take_requests(run) == ["pause", "sample", "resume", "stop"]
        assert take_requests(run) == []
        assert names(run) == []
        with pytest.raises(ValueError, match="verb must be one of"):
            ask(run, "rm -rf")


def test_nobody_to_ask(run: Run) -> None:
    with pytest.raises(DifftuiError, match="nobody trains the run one now"):
        ask(run, "stop")
    assert names(run) == []


def test_a_run_that_is_not_ours(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with run.lock():
        ask(run, "stop")
        monkeypatch.setattr(os, "geteuid", lambda: 4242)
        with pytest.raises(DifftuiError, match="takes no requests from you"):
            ask(run, "stop")
        assert take_requests(run) == []
        assert len(names(run)) == 1


def good_name(verb: str = "stop", number: int = 5) -> str:
    return f"{number}-0123abcd.{verb}"


def test_only_plain_empty_files_of_our_own_with_the_right_name_are_obeyed(run: Run, tmp_path: Path) -> None:
    folder, empty = run.control_path, tmp_path / "empty"
    empty.touch()
    (folder / good_name(number=1)).symlink_to(empty)
    os.link(empty, folder / good_name(number=2))
    (folder / good_name(number=3)).mkdir()
    os.mkfifo(folder / good_name(number=4))
    (folder / good_name(number=5)).write_text("stop")
    for name in WRONG_NAMES:
        (folder / name).touch()
    before = names(run)
    assert take_requests(run) == []
    assert names(run) == before
    (folder / good_name("pause", 7)).touch()
    assert take_requests(run) == ["pause"]
    assert names(run) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to give files away")
def test_files_and_folders_of_others_are_not_obeyed(run: Run) -> None:
    path = run.control_path / good_name()
    path.touch()
    os.chown(path, 4242, 4242)
    assert take_requests(run) == []
    assert path.exists()
    path.unlink()
    path.touch()
    os.chown(run.control_path, 4242, 4242)
    assert take_requests(run) == []
    with run.lock(), pytest.raises(DifftuiError, match="takes no requests from you"):
        ask(run, "stop")


def test_a_folder_that_was_opened_to_all_is_closed(run: Run) -> None:
    run.control_path.chmod(0o777)
    (run.control_path / good_name()).touch()
    assert take_requests(run) == ["stop"]
    assert stat.S_IMODE(run.control_path.stat().st_mode) == 0o700


def test_a_link_a_file_or_nothing_in_its_place(run: Run, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / good_name()).touch()
    run.control_path.rmdir()
    assert take_requests(run) == []
    run.control_path.symlink_to(elsewhere)
    open_for_requests(run)
    assert take_requests(run) == []
    assert (elsewhere / good_name()).exists()
    with run.lock(), pytest.raises(DifftuiError, match="takes no requests from you"):
        ask(run, "stop")
    run.control_path.unlink()
    run.control_path.touch()
    assert take_requests(run) == []
    run.control_path.unlink()
    run.recipe_path.unlink()
    (run.path / "lock").unlink(missing_ok=True)
    run.path.rmdir()
    assert take_requests(run) == []
    with pytest.raises(FileNotFoundError):
        open_for_requests(run)
    assert not run.path.exists()


def test_a_request_that_cannot_be_removed_is_not_obeyed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (run.control_path / good_name()).touch()

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(control_module.os, "unlink", refuse)
    assert take_requests(run) == []  # else it would be obeyed twice a second


def test_old_requests_are_dropped_and_new_ones_kept(run: Run) -> None:
    now = time.time()
    for number, age in enumerate([0, 59, 61, 1e6, -50]):
        path = run.control_path / good_name(number=number)
        path.touch()
        os.utime(path, (now - age, now - age))
    drop_old_requests(run, now)
    assert names(run) == [good_name(number=n) for n in (0, 1, 4)]
