"""Being the one who trains: the beat, the requests, and what happens when the disk or the process goes."""

import os
import queue
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import PATIENCE, eventually

from difftui.errors import DifftuiError
from difftui.runs import Activity, Attendance, Run, ask, create_run
from difftui.runs import attendance as attendance_module

CHILD = """
import sys, time
from pathlib import Path
from difftui.runs import Attendance, Run, attendance
attendance.LOOK_SECONDS = float(sys.argv[3])
told = lambda verb: print(verb, flush=True)
with Attendance(Run(Path(sys.argv[1])), told, lambda: "training", device="cpu of the child"):
    print("attends", flush=True)
    time.sleep(float(sys.argv[2]))
print("left", flush=True)
"""


@pytest.fixture
def run() -> Run:
    return create_run("one", "{}\n")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attendance_module, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(attendance_module, "LOOK_SECONDS", 0.01)


def attend(run: Run) -> Attendance:
    return Attendance(run, lambda _verb: None, lambda: "training")


class Child:
    """A process that attends to a run."""

    def __init__(self, run: Run, seconds: float = 600, look: float = 0.05) -> None:
        command = [sys.executable, "-c", CHILD, str(run.path), str(seconds), str(look)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.read() == "attends\n"

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture
def child(run: Run) -> Iterator[Child]:
    child = Child(run)
    yield child
    child.process.kill()
    child.process.wait()


def test_others_see_it_and_can_ask(run: Run, child: Child) -> None:
    holder = run.holder()
    assert (holder.pid, holder.device, holder.state, holder.here) == (
        child.process.pid, "cpu of the child", "training", True,
    )  # fmt: skip
    assert run.liveness().state == "alive"
    for verb in ("pause", "resume", "sample", "stop"):
        ask(run, verb)
        assert child.read() == f"{verb}\n"
    who = f"being trained by process {child.process.pid} on .*difftui watch one"
    with pytest.raises(DifftuiError, match=who), attend(run):
        pass


def test_a_process_that_is_killed_leaves_the_run_free(run: Run, child: Child) -> None:
    child.process.send_signal(signal.SIGKILL)
    child.process.wait()
    eventually(lambda: not run.is_locked())
    assert run.holder().pid == child.process.pid
    assert run.liveness().state == "not running"
    with pytest.raises(DifftuiError, match="nobody trains"):
        ask(run, "stop")
    with attend(run):
        assert run.holder().pid == os.getpid()
    assert run.holder() is None


def test_leaving_takes_no_time_and_leaves_no_record(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits neither for the next look nor for the last one."""
    monkeypatch.setattr(attendance_module, "LOOK_SECONDS", 2 * PATIENCE)
    monkeypatch.setattr(attendance_module, "LAST_WAIT_SECONDS", 2 * PATIENCE)
    with attend(run):
        assert run.is_locked()
        began = time.monotonic()
    assert time.monotonic() - began < PATIENCE
    assert run.holder() is None
    assert not run.is_locked()


def test_the_record_goes_also_when_the_block_raises(run: Run) -> None:
    with pytest.raises(ZeroDivisionError), attend(run):
        raise ZeroDivisionError
    assert run.holder() is None
    assert not run.is_locked()
    with attend(run):
        pass


@pytest.mark.usefixtures("quick")
def test_beats_go_on_and_a_pause_is_told_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    state: list[Activity] = ["training"]
    held = [""]
    with Attendance(run, lambda _verb: None, lambda: state[0], held=lambda: held[0]):
        first = run.holder()
        eventually(lambda: run.holder().counter > first.counter + 3)
        assert run.holder().began == first.began
        assert run.holder().beat > first.beat
        monkeypatch.setattr(attendance_module, "BEAT_SECONDS", 1000)
        state[0] = "paused"
        eventually(lambda: run.holder().state == "paused")
        held[0] = "the disk is full"
        eventually(lambda: run.holder().held == "the disk is full")


@pytest.mark.usefixtures("quick")
def test_requests_of_an_earlier_sitting_are_dropped_if_they_are_old(run: Run) -> None:
    with attend(run):
        pass
    for number, age in ((1, 100), (2, 5)):
        path = run.control_path / f"{number}-0123abcd.{'stop' if age == 100 else 'pause'}"
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    asked: queue.Queue[str] = queue.Queue()
    with Attendance(run, asked.put, lambda: "training"):
        assert asked.get(timeout=PATIENCE) == "pause"
        eventually(lambda: not list(run.control_path.iterdir()))
    assert asked.empty()


@pytest.mark.usefixtures("quick")
def test_a_disk_that_refuses_for_a_while(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: queue.Queue[str] = queue.Queue()
    refused = []

    def refuse(*_args: object) -> float:
        refused.append(1)
        raise OSError(28, "No space left on device")

    with Attendance(run, asked.put, lambda: "training"), monkeypatch.context() as broken:
        before = run.holder().counter
        broken.setattr(attendance_module, "write_holder", refuse)
        broken.setattr(attendance_module, "take_requests", refuse)
        eventually(lambda: len(refused) > 5)
        broken.undo()
        ask(run, "sample")
        assert asked.get(timeout=PATIENCE) == "sample"
        eventually(lambda: run.holder().counter > before + 2)


@pytest.mark.usefixtures("quick")
def test_a_disk_that_refuses_from_the_start_to_the_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may be trained although nobody can be told."""

    def refuse(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("write_holder", "take_requests", "open_for_requests", "drop_old_requests"):
        monkeypatch.setattr(attendance_module, name, refuse)
    with attend(run):
        time.sleep(0.2)
        assert run.is_locked()
    assert not run.is_locked()


@pytest.mark.usefixtures("quick")
def test_a_directory_that_is_removed_stays_removed(run: Run) -> None:
    with attend(run):
        eventually(lambda: run.holder() is not None)

        def removed() -> bool:
            shutil.rmtree(run.path, ignore_errors=True)  # a beat may write while it removes
            return not run.path.exists()

        eventually(removed)
        time.sleep(0.2)
        assert not run.path.exists()
    assert not run.path.exists()


def test_a_disk_that_hangs_does_not_hold_up_the_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look at the disk that hangs is left behind, in a thread that ends with the process."""
    hangs: queue.Queue[None] = queue.Queue()
    began_to_hang: queue.Queue[None] = queue.Queue()

    def hang(_run: Run) -> list[str]:
        began_to_hang.put(None)
        hangs.get(timeout=2 * PATIENCE)
        return []

    monkeypatch.setattr(attendance_module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(attendance_module, "LAST_WAIT_SECONDS", 0.2)
    monkeypatch.setattr(attendance_module, "take_requests", hang)
    with attend(run):
        began_to_hang.get(timeout=PATIENCE)
        began = time.monotonic()
    assert time.monotonic() - began < PATIENCE
    assert not run.is_locked()
    hangs.put(None)


def test_a_process_ends_at_once(run: Run) -> None:
    """It does not wait for the next look."""
    child = Child(run, seconds=0, look=2 * PATIENCE)
    assert child.read() == "left\n"
    assert child.process.wait(timeout=PATIENCE) == 0


def test_what_killed_processes_left_half_written_is_removed(run: Run) -> None:
    (run.path / "state").mkdir()
    left = [
        ".holder.0123abcd.tmp.json",
        "state/.newest.89abcdef.tmp.safetensors",
        ".status.00000000.tmp.json",
    ]
    kept = ["recipe.json", ".mine.tmp.json", "state/newest.safetensors", "metrics.jsonl", ".x.0123abcd.tmp"]
    for name in (*left, *kept):
        (run.path / name).touch()
    with attend(run):
        pass
    assert not [name for name in left if (run.path / name).exists()]
    assert not [name for name in kept if not (run.path / name).exists()]


def test_a_run_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DifftuiError, match="cannot be written"), attend(Run(tmp_path / "gone")):
        pass
