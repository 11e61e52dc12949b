"""Run directories: names, states, and the lock between processes."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import eventually

from difftui import paths
from difftui.errors import DifftuiError
from difftui.runs import (
    Run,
    Status,
    create_run,
    find_own_run,
    find_run,
    list_runs,
    runs_dir,
    shipped_runs,
    unused_name,
)

HOLDER = """
import sys, time
from pathlib import Path
from difftui.runs import Run
with Run(Path(sys.argv[1])).lock():
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def run() -> Run:
    return create_run("one", "{}\n")


def test_a_new_run(run: Run, own_home: Path) -> None:
    assert run.path == own_home / "runs" / "one"
    assert run.recipe_text() == "{}\n"
    assert run.status() == Status("new")
    assert not run.is_locked()
    assert find_run("one") == run == find_run(str(run.path))


def test_names(own_home: Path) -> None:
    for name in ["", ".", "..", "a/b", "-x", "ä", "a b", "x" * 65, "\n"]:
        with pytest.raises(DifftuiError, match="cannot name a run"):
            create_run(name, "{}")
    assert list_runs() == []
    create_run("quick-1", "{}")
    with pytest.raises(DifftuiError, match=r"'quick-1' exists\. Add --resume"):
        create_run("quick-1", "{}")
    assert unused_name("quick") == "quick-2"


def test_unknown_names_list_what_there_is(run: Run) -> None:
    for name in ["two", "", "../one", "/", "on"]:
        with pytest.raises(DifftuiError, match=r"no run called .*Known: .*one"):
            find_run(name)


def test_the_most_recently_written_comes_first() -> None:
    for index, name in enumerate(["a", "b", "c"]):
        made = create_run(name, "{}")
        os.utime(made.recipe_path, (index * 100, index * 100))
    find_run("a").metrics.append({"step": 1})
    (runs_dir() / "no run").mkdir()
    (runs_dir() / "stray.txt").touch()
    assert [run.name for run in list_runs()] == ["a", "c", "b"]


def test_status_round_trip(run: Run) -> None:
    status = Status("stopped", 12, 0.5, 3.25, "why")
    run.write_status(status)
    assert run.status() == status


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"state": "asleep"}', '{"state": "stopped", "step": "1"}', '{"x": 1}']
)
def test_a_foreign_status_reads_as_new(run: Run, text: str) -> None:
    (run.path / "status.json").write_text(text)
    assert run.status() == Status()


def test_a_home_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", Path("/proc/difftui")):
        monkeypatch.setenv("DIFFTUI_HOME", str(home))
        with pytest.raises(DifftuiError, match=r"runs cannot be written .*Set DIFFTUI_HOME or --home"):
            create_run("one", "{}")
        assert list_runs() == []


def test_a_recipe_that_cannot_be_read_is_told(run: Run) -> None:
    run.recipe_path.write_bytes(b"\xff\xfe")
    with pytest.raises(DifftuiError, match=r"recipe\.json cannot be read"):
        run.recipe_text()


def test_the_lock_within_a_process(run: Run) -> None:
    with run.lock():
        assert run.is_locked()
        with pytest.raises(DifftuiError, match=f"being trained by process {os.getpid()} on "), run.lock():
            pass
        assert run.is_locked()
    assert not run.is_locked()
    with run.lock():
        pass


def test_the_lock_between_processes(run: Run) -> None:
    run.write_status(Status("training", 5, 0.5, 1.0))
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(run.path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert run.is_locked()
        assert run.status().state == "training"
        with pytest.raises(DifftuiError, match=f"being trained by process {holder.pid} on "), run.lock():
            pass
    finally:
        holder.kill()
        holder.wait()
    eventually(lambda: not run.is_locked())
    assert run.status() == Status("stopped", 5, 0.5, 1.0, "its process ended early")
    with run.lock():
        pass


def test_a_file_system_without_locks_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, kind: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    assert not run.is_locked()
    with pytest.raises(DifftuiError, match=r"cannot be locked \(No locks available\)"), run.lock():
        pass


def test_what_ships_is_not_trained_further(run: Run, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = create_run("shipped", "{}")
    monkeypatch.setattr("difftui.paths.checkpoints_dir", lambda: own_home / "checkpoints")
    (own_home / "checkpoints").mkdir()
    shipped.path.rename(own_home / "checkpoints" / "shipped")
    assert find_run("shipped").path == own_home / "checkpoints" / "shipped"
    with pytest.raises(DifftuiError, match="shipped came with difftui and is finished"):
        find_own_run("shipped")
    assert find_own_run(run.name) == run
    assert find_own_run(str(run.path)) == run


def test_folders_that_may_not_be_looked_into_hold_no_runs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "is_file", refuse)
    assert list_runs() == []
    with pytest.raises(DifftuiError, match="there is no run called"):
        find_run(run.name)


def test_a_run_that_is_gone_cannot_be_locked(tmp_path: Path) -> None:
    gone = Run(tmp_path / "gone")
    assert not gone.is_locked()
    assert gone.last_written() == 0
    with pytest.raises(DifftuiError, match="gone cannot be written"), gone.lock():
        pass


def test_importing_runs_loads_no_torch() -> None:
    code = (
        "import difftui.runs, difftui.training, difftui.engine.device, sys; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_installation_without_checkpoints_has_none_and_trains_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "src" / "difftui")
    assert shipped_runs() == []
    run = create_run("mine", "{}\n")
    assert find_own_run("mine") == run
    with pytest.raises(DifftuiError, match=r"no run called 'lab'. Known: mine"):
        find_run("lab")


def test_a_run_has_reached_what_its_newest_row_says(tmp_path: Path) -> None:
    run = create_run("far", "{}\n")
    assert run.reached() == (0, 0.0)
    run.write_status(Status("training", 100, 0.1, 5.0))
    run.metrics.append({"step": 170, "loss": 0.5, "fraction": 0.17})
    assert run.reached() == (170, 0.17)
    run.metrics.append({"step": 180, "loss": 0.5, "fraction": float("nan")})
    assert run.reached() == (100, 0.1)
