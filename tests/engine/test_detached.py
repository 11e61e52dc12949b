"""Trainings in processes of their own: real ones, which this test ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from helpers import eventually

from difftui.engine import detached
from difftui.engine.detached import start_detached
from difftui.errors import DifftuiError
from difftui.runs import Run, ask, create_run
from difftui.training.recipe import preset

pytestmark = pytest.mark.slow


def new_run(name: str = "apart", steps: int = 10**6, **changes: object) -> Run:
    recipe = replace(preset("lab").with_budget(steps=steps), data="bundled", batch_size=2, **changes)
    return create_run(name, recipe.to_json())


def processes_of(session: int) -> list[psutil.Process]:
    """Those that live; a zombie is not alive, but it is told."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session:
                found.append(process)
        except OSError:
            continue
    return found


@pytest.fixture
def session() -> Iterator[list[int]]:
    """Process groups to end, whatever happens."""
    groups: list[int] = []
    yield groups
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue


def test_it_trains_on_its_own(session: list[int], capfd: pytest.CaptureFixture[str]) -> None:
    run = new_run()
    pid = start_detached(["--device", "cpu"], run)
    session.append(pid)
    process = psutil.Process(pid)
    assert run.holder() is not None
    assert run.liveness().state == "alive"
    assert os.getsid(pid) == os.getpgid(pid) == pid != os.getsid(0)
    assert process.terminal() is None
    assert process.nice() == min(os.getpriority(os.PRIO_PROCESS, 0) + detached.NICENESS, 19)
    opened = {Path(f"/proc/{pid}/fd/{fd}").readlink() for fd in (0, 1, 2)}
    assert opened == {Path("/dev/null"), run.log_path}
    eventually(lambda: "images/s" in run.log_path.read_text())
    os.killpg(pid, signal.SIGTERM)
    eventually(lambda: not psutil.pid_exists(pid))  # gone, and no zombie of ours
    assert run.status().state == "stopped"
    assert run.status().step > 0
    assert "stopped by SIGTERM, saved at step" in run.log_path.read_text()
    assert run.holder() is None
    assert capfd.readouterr() == ("", "")

    before = run.status().step
    again = start_detached(["--device", "cpu"], run)
    session.append(again)
    eventually(lambda: run.log_path.read_text().count("images/s") >= 2)
    os.killpg(again, signal.SIGTERM)
    eventually(lambda: not psutil.pid_exists(again))
    assert run.status().step > before


@pytest.mark.slow
def test_several_processes_train_together(session: list[int]) -> None:
    run = new_run("several")
    pid = start_detached(["--device", "cpu"], run, processes=2)
    session.append(pid)
    holder = run.holder()
    assert holder is not None
    assert holder.device.startswith("2 x CPU")
    family = psutil.Process(pid).children(recursive=True)
    assert holder.pid in {process.pid for process in family}
    assert {process.nice() for process in family} == {psutil.Process(pid).nice()}
    ask(run, "stop")
    eventually(lambda: processes_of(pid) == [])
    assert not any(process.is_running() for process in family)
    assert run.status().state == "stopped"


def test_it_outlives_whoever_started_it(session: list[int]) -> None:
    run = new_run()
    code = f"""
from pathlib import Path
from difftui.engine.detached import start_detached
from difftui.runs import Run
print(start_detached(["--device", "cpu"], Run(Path({str(run.path)!r}))), flush=True)
import os, signal
os.killpg(0, signal.SIGHUP)  # what a lost terminal does
"""
    starter = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    session.append(pid)
    assert starter.wait(60) == -signal.SIGHUP
    time.sleep(0.3)
    assert run.liveness().state == "alive"
    assert psutil.Process(pid).is_running()
    starter.stdout.close()


def test_what_ends_early_says_why(session: list[int]) -> None:
    run = new_run()
    with pytest.raises(DifftuiError, match=r"^there is no device 'cuda:77' here\. Use one of: auto, cpu"):
        start_detached(["--device", "cuda:77"], run)
    assert run.path.is_dir()
    with pytest.raises(DifftuiError, match="/nowhere"):
        start_detached(["--data", "/nowhere"], run, new=True)
    assert not run.path.exists()


def test_a_run_that_is_being_trained(session: list[int]) -> None:
    run = new_run()
    with run.lock(), pytest.raises(DifftuiError, match=f"process {os.getpid()} on "):
        start_detached(["--device", "cpu"], run)


def test_a_run_with_nothing_left_to_do() -> None:
    run = new_run(steps=1)
    start_detached(["--device", "cpu"], run)
    eventually(lambda: run.status().state == "finished")
    start_detached(["--device", "cpu"], run)
    eventually(lambda: not run.is_locked())
    eventually(lambda: run.status().state == "finished")


def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run()
    monkeypatch.setattr(detached, "PATIENCE_SECONDS", 0.2)
    spawned: list[subprocess.Popen[bytes]] = []
    spawn = detached._spawn

    def kept(*words: object) -> subprocess.Popen[bytes]:
        spawned.append(spawn(*words))
        return spawned[0]

    monkeypatch.setattr(detached, "_spawn", kept)
    with pytest.raises(DifftuiError, match=r"did not begin within 0 s\. See .*log\.txt"):
        start_detached(["--device", "cpu"], run, new=True)
    assert spawned[0].returncode is not None
    assert processes_of(spawned[0].pid) == []
    assert not run.path.exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DifftuiError, match="cannot be written"):
        start_detached([], Run(tmp_path / "nothing"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", ""),
        ("a warning\ndifftui: it is full. Make room.\nfrom a library\n", "it is full. Make room."),
        ("Traceback\n  File\nImportError: no torch\n\n", "ImportError: no torch"),
        ("\x1b[31mred\x07\n", "[31mred"),
    ],
)
def test_last_words(tmp_path: Path, said: str, told: str) -> None:
    log = tmp_path / "log.txt"
    log.write_text("difftui: of an earlier sitting\n")
    began = log.stat().st_size
    with log.open("a") as file:
        file.write(said)
    assert detached._last_words(log, began) == told
