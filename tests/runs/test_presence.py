"""Who trains a run: the lock here, the heartbeat elsewhere, whatever the clocks say."""

import errno
import json
import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from difftui.errors import DifftuiError
from difftui.runs import Holder, Run, Status, create_run
from difftui.runs import presence as presence_module
from difftui.runs import run as run_module
from difftui.runs.presence import Pulse, judge, read_holder, this_machine, write_holder


@pytest.fixture
def run() -> Run:
    return create_run("one", "{}\n")


def holder(**changes: object) -> Holder:
    now = time.time()
    elsewhere = Holder(77, "node7", "ada", "cuda:1", "training", 5, now - 60, now, "another boot")
    return replace(elsewhere, **changes)


def test_a_record_is_read_as_it_was_written(run: Run) -> None:
    assert run.holder() is None
    write_holder(run.holder_path, holder())
    assert run.holder() == holder(began=run.holder().began, beat=run.holder().beat)
    assert not run.holder().here
    assert run.holder().who == "process 77 on node7"
    host, boot = this_machine()
    assert holder(host=host, boot=boot).here
    assert holder(host=host, boot="").here
    assert not holder(host=host).here  # another machine of the same name
    assert not [path for path in run.path.iterdir() if path.name.startswith(".")]


GARBAGE = [
    "", "{", "[]", "null", "3", '{"pid": 1}', "[" * 50_000, '{"a":' * 50_000, "\x00" * 100, "9" * 5000,
    json.dumps(asdict(holder())) + " " * 100_000,
]  # fmt: skip
WRONG: list[dict[str, object]] = [
    {"pid": "77"}, {"pid": -1}, {"pid": 0}, {"pid": True}, {"pid": 2**80}, {"counter": 1.5},
    {"counter": None}, {"state": "asleep"}, {"host": ""}, {"host": 5}, {"beat": "now"},
    {"beat": float("nan")}, {"began": float("inf")}, {"beat": 10**400},
]  # fmt: skip


SENSELESS = [*GARBAGE, *(json.dumps(asdict(holder()) | wrong) for wrong in WRONG)]


# numbered, for the records hold the time: names must be the same in every worker
@pytest.mark.parametrize("text", SENSELESS, ids=range(len(SENSELESS)))
def test_a_record_that_makes_no_sense_is_none(run: Run, text: str) -> None:
    run.holder_path.write_text(text)
    assert run.holder() is None
    assert run.liveness() == ("not running", None)
    assert run.status() == Status()


def test_what_is_no_file_is_none(run: Run) -> None:
    run.holder_path.mkdir()
    assert run.holder() is None
    run.holder_path.rmdir()
    os.mkfifo(run.holder_path)  # opening it would wait for ever
    assert run.holder() is None
    run.holder_path.unlink()
    run.holder_path.symlink_to("/dev/zero")
    assert run.holder() is None
    run.holder_path.unlink()
    run.holder_path.write_bytes(b"\xff\xfe{}")
    assert run.holder() is None
    os.mkfifo(run.path / "lock")
    assert run.is_locked() in (True, False)


def test_names_that_would_paint_the_terminal(run: Run) -> None:
    write_holder(run.holder_path, holder(host="no\x1b[31mde\n7", user="\u202eada" + "x" * 1000))
    found = run.holder()
    assert found.host == "no[31mde7"
    assert found.user.startswith("ada")
    assert len(found.user) <= 200
    run.write_about({"device": "\x1b]0;title\x07", "parameters": 3, "none": None, "yes": True})
    assert run.about() == {"device": "]0;title", "parameters": 3, "none": None, "yes": True}


def test_facts_that_make_no_sense_are_left_out(run: Run) -> None:
    assert run.about() == {}
    (run.path / "about.json").write_text(
        '{"a": [1], "b": {"c": 1}, "d": 1e999, "e": "f", "g": 1' + "0" * 30 + "}"
    )
    assert run.about() == {"e": "f"}
    (run.path / "about.json").write_text("[1]")
    assert run.about() == {}


def test_on_this_machine_the_lock_decides(run: Run) -> None:
    host, boot = this_machine()
    ours = holder(host=host, boot=boot, pid=os.getpid())
    write_holder(run.holder_path, ours)
    os.utime(run.holder_path, (0, 0))
    assert run.liveness().state == "not running"  # a fresh beat of a process that is gone
    with run.lock():
        assert run.liveness().state == "alive"
        run.holder_path.unlink()
        assert run.liveness() == ("alive", None)
    assert run.liveness() == ("not running", None)
    gone = replace(ours, pid=2**30)
    assert judge(ours, None, 1e9).state == "alive"  # the lock cannot be looked at, but the process is there
    assert judge(gone, None, 0.0).state == "not running"


def test_elsewhere_the_age_of_the_beat_decides_at_the_first_look(run: Run) -> None:
    run.write_status(Status("training", 9, 0.5, 3.0))
    write_holder(run.holder_path, holder())
    assert run.liveness().state == "alive"
    assert run.status().state == "training"
    long_ago = time.time() - 300
    write_holder(run.holder_path, holder(beat=long_ago))
    os.utime(run.holder_path, (long_ago, long_ago))
    sign = run.liveness()
    assert sign.state == "presumed dead"
    assert sign.seconds is not None
    assert 300 <= sign.seconds < 330
    assert run.status() == Status("stopped", 9, 0.5, 3.0, "no sign of life for 5 min")
    write_holder(
        run.holder_path, holder(beat=time.time() - 3600)
    )  # its clock is slow, that of the disk is not
    assert run.liveness().state == "alive"
    write_holder(run.holder_path, holder(beat=time.time() + 3600))
    os.utime(run.holder_path, (time.time() + 3600,) * 2)  # both are fast: a single look is mistaken
    assert run.liveness().state == "presumed dead"


class Clock:
    """Stands in for the module time; who sleeps moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.mark.parametrize("wrong_by", [0.0, -3600.0, 3600.0])
def test_whoever_looks_again_trusts_the_counter_alone(
    monkeypatch: pytest.MonkeyPatch, wrong_by: float
) -> None:
    """A holder whose clock, and whose disk's clock, is an hour off: seen alive, dead, and alive again."""
    clock, pulse = Clock(), Pulse()
    monkeypatch.setattr(presence_module, "time", clock)
    beats = 0

    def look(after: float) -> str:
        clock.now += after
        return pulse.look(
            (holder(counter=beats, beat=clock.now - wrong_by, began=0.0), abs(wrong_by)), False
        ).state

    assert look(0) == ("alive" if not wrong_by else "presumed dead")
    for _ in range(10):
        beats += 1
        assert look(5) == "alive"
    assert look(19) == "alive"
    assert look(2) == "presumed dead"
    assert look(500) == "presumed dead"
    beats += 1
    assert look(1) == "alive"
    assert pulse.look(None, False).state == "not running"


def test_a_fresh_beat_that_does_not_go_on_is_not_believed_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, pulse = Clock(), Pulse()
    monkeypatch.setattr(presence_module, "time", clock)
    fixed = holder(began=0.0, beat=0.0)
    assert pulse.look((fixed, 0.0), False).state == "alive"
    clock.now += 21
    assert pulse.look((fixed, 0.0), False).state == "presumed dead"


def test_the_lock_is_refused_while_the_heart_beats_on_another_machine(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a network disk that does not pass locks on."""
    beats = iter(range(100))

    def beat_while_it_waits(_seconds: float) -> None:
        write_holder(run.holder_path, holder(counter=next(beats) // 4))

    monkeypatch.setattr(run_module.time, "sleep", beat_while_it_waits)
    write_holder(run.holder_path, holder(counter=0))
    with pytest.raises(DifftuiError, match="being trained by process 77 on node7"), run.lock():
        pass
    assert not run.is_locked()


def test_the_lock_is_taken_once_the_heart_on_another_machine_has_stopped(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(run_module, "time", clock)
    write_holder(run.holder_path, holder())
    began = clock.now
    with run.lock():
        assert run.is_locked()
    waited = clock.now - began
    assert 0.5 * presence_module.STALE_SECONDS < waited <= presence_module.STALE_SECONDS + 1
    long_ago = time.time() - presence_module.STALE_SECONDS - 1.0  # files are dated by a clock that ticks
    os.utime(run.holder_path, (long_ago, long_ago))
    began = clock.now
    with run.lock():  # it is old by now
        assert clock.now == began


def test_a_record_is_replaced_in_one_move_and_never_makes_a_folder(run: Run, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        write_holder(tmp_path / "gone" / "holder.json", holder())
    assert not (tmp_path / "gone").exists()
    run.holder_path.mkdir()
    with pytest.raises(OSError):
        write_holder(run.holder_path, holder())
    assert sorted(path.name for path in run.path.iterdir()) == ["holder.json", "recipe.json"]
    assert read_holder(run.path / "nothing") is None


def test_on_a_full_disk_the_record_is_written_in_place(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = holder(held="no room on the disk, so the training waits: make some, then go on")
    write_holder(run.holder_path, first)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    for record in (holder(counter=2), holder(counter=3, held="again" * 30), holder(counter=4)):
        write_holder(run.holder_path, record)
        found = read_holder(run.holder_path)
        assert found is not None
        assert found[0] == record
    assert [path.name for path in run.path.iterdir() if ".tmp" in path.name] == []
