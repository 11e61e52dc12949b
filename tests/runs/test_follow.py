"""Following a run from outside: what is seen is what is there, however it is written, cut or replaced."""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import PATIENCE
from hypothesis import given, settings
from hypothesis import strategies as st

from difftui.runs import (
    Attendance,
    Follower,
    History,
    HistoryBuilder,
    Run,
    Status,
    create_run,
    look_back,
    read_metrics,
    write_strip,
)
from difftui.runs import attendance as attendance_module
from difftui.runs import follow as follow_module
from difftui.runs import reader as reader_module
from difftui.runs.metrics import encode_row
from difftui.runs.reader import MetricsReader


@pytest.fixture
def run() -> Run:
    return create_run("one", "{}\n")


def rows(first: int, last: int) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for number in range(first, last + 1):
        loss = math.exp(-number / 50) + 0.01 * math.sin(number)
        made.append({"step": 10 * number, "seconds": number / 10, "loss": loss, "low": loss / 2,
                     "high": 2 * loss, "grad": 3 * loss, "lr": 1e-3, "rate": 640.0})  # fmt: skip
        if number % 20 == 0:
            made.append(
                {"step": 10 * number, "seconds": number / 10, "validation": loss, "bins": [loss, None]}
            )
    return made


def encoded(made: list[dict[str, object]]) -> bytes:
    return b"".join(encode_row(row) for row in made)


def history_of(made: list[dict[str, object]]) -> History:
    builder = HistoryBuilder()
    for row in made:
        builder.add_row(row)
    return builder.view()


def assert_same(one: History, other: History) -> None:
    for name in ("loss", "validation", "gradient_norm", "learning_rate", "images_per_second"):
        for part in ("x", "y", "low", "high", "smooth"):
            np.testing.assert_array_equal(
                getattr(getattr(one, name), part), getattr(getattr(other, name), part)
            )
    assert str(one.by_timestep) == str(other.by_timestep)
    assert (one.by_timestep_step, one.seconds) == (other.by_timestep_step, other.seconds)


def read_whole(follower: Follower) -> None:
    deadline = time.monotonic() + 60
    while follower.thinned:
        follower.poll()
        assert time.monotonic() < deadline


def read_all(reader: MetricsReader) -> None:
    reader.read(time.monotonic() + 60)
    assert not reader.behind


@settings(max_examples=60)
@given(st.lists(st.integers(1, 2000), max_size=12), st.integers(250, 2000))
def test_however_it_is_written_the_curves_are_those_of_the_whole(sizes: list[int], block: int) -> None:
    """Chunks that end anywhere, also within a line; blocks that end anywhere; a deadline that is past."""
    whole = encoded(rows(1, 60))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as small:
        small.setattr(reader_module, "BLOCK", block)
        path = Path(folder) / "metrics.jsonl"
        reader = MetricsReader(path)
        reader.read(0.0)
        at = 0
        for size in [*sizes, len(whole)]:
            with path.open("ab") as file:
                file.write(whole[at : at + size])
            at += size
            before = reader.builder.view()
            assert reader.read(0.0) == (reader.builder.view() is not before)
        read_all(reader)
        assert not reader.read(0.0)
        assert_same(reader.builder.view(), history_of(rows(1, 60)))
        assert reader.last_row == rows(1, 60)[-2]


def test_a_torn_line_is_not_yet(run: Run) -> None:
    reader = MetricsReader(run.metrics.path)
    whole = encoded(rows(1, 3))
    for cut in range(len(whole)):
        run.metrics.path.write_bytes(whole[:cut])
        read_all(reader)
        assert len(reader.builder.view().loss) == whole[:cut].count(b"\n")


def test_a_line_without_end_and_lines_of_nonsense_are_passed_over(run: Run) -> None:
    reader = MetricsReader(run.metrics.path)
    with run.metrics.path.open("ab") as file:
        file.write(encoded(rows(1, 2)) + b"x" * 1_000_000)
        file.flush()
        read_all(reader)
        file.write(b"x" * 500_000)
        file.flush()
        read_all(reader)
        file.write(b"\n\xff\xfe\n[1]\n" + b"[" * 50_000 + b"\n\n" + encoded(rows(3, 4)))
        file.flush()
        read_all(reader)
    assert_same(reader.builder.view(), history_of(rows(1, 4)))


def test_a_resumed_run_is_read_again_from_its_beginning(run: Run) -> None:
    follower = Follower(run)
    run.metrics.path.write_bytes(encoded(rows(1, 50)))
    follower.poll()
    run.metrics.cut_after(300)
    for row in rows(31, 90):
        run.metrics.append(row)
    assert follower.poll()
    assert_same(follower.history, history_of(list(read_metrics(run.metrics.path))))
    assert len(follower.history.loss) == 90


@pytest.mark.parametrize("last", [20, 50, 90])
def test_a_file_that_is_another_in_place(run: Run, last: int) -> None:
    """The same inode, as where a disk uses a number again: shorter, as long, longer than what was read."""
    follower = Follower(run)
    run.metrics.path.write_bytes(encoded(rows(1, 50)))
    follower.poll()
    inode = run.metrics.path.stat().st_ino
    with run.metrics.path.open("r+b") as file:
        file.truncate()
        file.write(encoded(rows(5, last + 4)))
    assert run.metrics.path.stat().st_ino == inode
    follower.poll()
    assert_same(follower.history, history_of(rows(5, last + 4)))


def test_a_large_file_is_thinned_and_then_read_whole(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "MOST_AT_ONCE", 60_000)
    monkeypatch.setattr(reader_module, "TAIL", 10_000)
    monkeypatch.setattr(reader_module, "PART", 1_000)
    monkeypatch.setattr(follow_module, "REFINE_SECONDS", 0.0)
    made = rows(1, 4000)
    run.metrics.path.write_bytes(encoded(made))
    follower, truth = Follower(run), history_of(made)
    follower.poll()
    while follower.behind:
        follower.poll()
    assert follower.thinned
    thin = follower.history
    assert 100 < len(thin.loss) < 500
    assert thin.loss.x[-1] == 40_000
    assert (thin.loss.x[:5] == truth.loss.x[:5]).all()
    assert np.diff(thin.loss.x).max() < 40_000 / 40  # evenly spread
    where = np.searchsorted(truth.loss.x, thin.loss.x)
    np.testing.assert_array_equal(thin.loss.y, truth.loss.y[where])
    assert follower._reader.builder._loss.weight == 10 * len(
        thin.loss
    )  # what was left out counts for nothing
    run.metrics.append(rows(4001, 4001)[0])
    read_whole(follower)
    assert_same(follower.history, history_of([*made, *rows(4001, 4001)]))


@pytest.mark.slow
def test_a_foreign_file_of_a_million_lines_opens_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine: no more of it is read than takes a moment."""
    took: list[int] = []
    pread = os.pread

    def counted(descriptor: int, length: int, place: int) -> bytes:
        data = pread(descriptor, length, place)
        took.append(len(data))
        return data

    monkeypatch.setattr(os, "pread", counted)
    with run.metrics.path.open("wb") as file:
        for first in range(1, 1_000_001, 100_000):
            lines = [
                f'{{"step": {step}, "seconds": {step / 100:.3f}, "loss": 0.0312345, "low": 0.0212345, '
                f'"high": 0.0412345, "lr": 0.0002}}\n'
                for step in range(first, first + 100_000)
            ]
            file.write("".join(lines).encode())
    assert run.metrics.path.stat().st_size > 100_000_000
    follower = Follower(run)
    follower.poll()
    while follower.behind:
        follower.poll()
    assert follower.thinned
    assert follower.history.loss.x[-1] == 1_000_000
    assert np.diff(follower.history.loss.x).max() < 1_000_000 / 200
    np.testing.assert_allclose(follower.history.loss.y, 0.0312345)
    assert sum(took) < 1.1 * reader_module.MOST_AT_ONCE
    follower.poll()
    assert follower.thinned  # too large to be read whole


def test_what_others_see_of_a_training(run: Run) -> None:
    follower = Follower(run)
    assert not follower.poll()
    assert (follower.status, follower.life.state, follower.strips) == (Status(), "not running", ())
    with Attendance(run, lambda _verb: None, lambda: "training", "cpu"):
        run.write_status(Status("training", 10, 0.1, 2.0))
        run.write_about({"parameters": 123})
        write_strip(run, 10, np.full((10, 28, 28), 7, np.uint8))
        run.metrics.append({"step": 10, "loss": 0.5, "note": "x", "rate": None, "fraction": 0.1})
        assert follower.poll()
        assert (follower.status.state, follower.status.step) == ("training", 10)
        assert follower.life.state == "alive"
        assert follower.holder.pid == os.getpid()
        assert follower.about == {"parameters": 123}
        assert follower.last_row == {"step": 10, "loss": 0.5, "fraction": 0.1}
        assert [strip.step for strip in follower.strips] == [10]
        assert (follower.strips[0].images == 7).all()
        assert not follower.strips[0].images.flags.writeable
        history = follower.history
        assert not follower.poll()
        assert follower.history is history
    assert follower.poll()
    assert follower.holder is None
    assert follower.status == Status("stopped", 10, 0.1, 2.0, "its process ended early")


def test_strips_are_kept_evenly_and_no_more_than_fit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_module, "MOST_STRIPS", 8)
    follower = Follower(run)
    most, seen = 0, []
    for number in range(1, 40):
        write_strip(run, number * 100, np.full((1, 4, 4), number, np.uint8))
        os.utime(run.samples_path, (number, number))  # on a quick machine two strips would have one time
        follower.poll()
        follower.poll()  # the time of a folder is coarse
        seen = [strip.step for strip in follower.strips]
        most = max(most, len(seen))
        assert seen[-1] == number * 100
        assert seen[0] == 100
        gaps = set(np.diff(seen)[:-1].tolist())
        assert len(gaps) <= 1
    assert most == 8
    assert all((strip.images == strip.step // 100).all() for strip in follower.strips)


def test_a_strip_of_the_same_tick_of_the_disks_clock_is_seen(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower, listed = Follower(run), []
    monkeypatch.setattr(follow_module, "COARSE_SECONDS", PATIENCE)
    for step in (100, 200, 300):
        write_strip(run, step, np.zeros((1, 4, 4), np.uint8))
        os.utime(run.samples_path, (1, 1))
        assert follower.poll()
        assert not follower.poll()
        listed.append([strip.step for strip in follower.strips])
    assert listed == [[100], [100, 200], [100, 200, 300]]
    monkeypatch.setattr(follow_module, "COARSE_SECONDS", 0.0)
    monkeypatch.setattr(Run, "sample_strips", lambda _: pytest.fail("a folder at rest is not listed"))
    assert not follower.poll()


def test_looking_back_up_to_a_step(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    builder, strips = look_back(run, 100)
    assert (len(builder.view().loss), strips) == (0, ())
    run.metrics.path.write_bytes(encoded(rows(1, 90)))
    for step in (100, 500, 600):
        write_strip(run, step, np.full((1, 4, 4), 9, np.uint8))
    monkeypatch.setattr(reader_module, "MOST_AT_ONCE", 1)  # it is small enough to be read whole
    builder, strips = look_back(run, 500)
    assert_same(builder.view(), history_of([row for row in rows(1, 90) if int(str(row["step"])) <= 500]))
    assert [strip.step for strip in strips] == [100, 500]
    builder.add_losses(501, [0.5])
    assert builder.view().loss.x[-1] == 501


def test_a_strip_that_is_none_hides_no_other(run: Run) -> None:
    run.samples_path.mkdir()
    (run.samples_path / "step-000000100.png").write_bytes(b"\x89PNG")
    (run.samples_path / "step-000000150.png").mkdir()
    write_strip(run, 200, np.zeros((1, 4, 4), np.uint8))
    follower = Follower(run)
    follower.poll()
    assert [strip.step for strip in follower.strips] == [200]
    follower.poll()
    assert not follower.behind


def test_a_directory_that_vanishes_stays_on_the_screen(run: Run) -> None:
    run.metrics.path.write_bytes(encoded(rows(1, 30)))
    run.write_status(Status("training", 300, 0.3, 3.0))
    run.write_about({"parameters": 5})
    write_strip(run, 200, np.zeros((1, 4, 4), np.uint8))
    follower = Follower(run)
    with run.lock():
        follower.poll()
    shutil.rmtree(run.path)
    for _ in range(3):
        follower.poll()
    assert follower.status.step == 300
    assert follower.status.state == "stopped"
    assert follower.about == {"parameters": 5}
    assert len(follower.history.loss) == 30
    assert [strip.step for strip in follower.strips] == [200]
    assert not run.path.exists()


STRANGER = """
import json, os, sys
from pathlib import Path
from difftui.errors import DifftuiError
from difftui.runs import Follower, Run, ask, take_requests
run = Run(Path(sys.argv[1]))
Follower(run).poll()  # Python itself may lie where the other user cannot read: now all is imported
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
follower = Follower(run)
follower.poll()
try:
    ask(run, "stop")
    refused = ""
except DifftuiError as error:
    refused = str(error)
state = [follower.life.state, follower.status.state, follower.holder.pid]
counts = [len(follower.history.loss), len(follower.strips)]
print(json.dumps([*counts, *state, refused, take_requests(run)]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user to be")
def test_another_user_may_watch_but_not_control(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may read the directory sees everything, and changes nothing."""
    monkeypatch.setattr(attendance_module, "BEAT_SECONDS", 1e6)  # a beat is a file for a moment
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        run = Run(Path(folder) / "run")
        run.path.mkdir()
        run.recipe_path.write_text("{}")
        run.metrics.path.write_bytes(encoded(rows(1, 30)))
        asked: list[str] = []
        with Attendance(run, asked.append, lambda: "training"):
            run.write_status(Status("training", 300, 0.3, 3.0))
            write_strip(run, 200, np.zeros((1, 4, 4), np.uint8))
            before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.is_file()}
            told = json.loads(
                subprocess.check_output([sys.executable, "-c", STRANGER, str(run.path)], text=True)
            )
            assert told[:5] == [30, 1, "alive", "training", os.getpid()]
            assert "takes no requests from you" in told[5]
            assert told[6] == []
            time.sleep(0.6)
            after = {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.is_file()}
            assert before.keys() == after.keys()
        assert asked == []
