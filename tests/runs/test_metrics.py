"""The metrics file while it is written, torn and cut."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from difftui.runs import Metrics, last_loss, last_metrics, read_metrics, row_interval
from difftui.runs.metrics import parse_rows


def rows(*steps: int) -> list[dict[str, float]]:
    return [{"step": step, "loss": 1 / step} for step in steps]


def test_what_was_appended_is_read(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.jsonl")
    assert list(read_metrics(metrics.path)) == []
    assert last_metrics(metrics.path) == {}
    for row in rows(1, 2, 3):
        metrics.append(row)
    assert list(read_metrics(metrics.path)) == rows(1, 2, 3)
    assert last_metrics(metrics.path) == {"step": 3, "loss": 1 / 3}


@given(st.integers(0, 200))
def test_a_torn_last_line_is_not_there_yet(cut: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.jsonl"
        whole = "".join(json.dumps(row) + "\n" for row in rows(1, 2, 3, 4)).encode()
        path.write_bytes(whole[: min(cut, len(whole))])
        lines = whole[:cut].count(b"\n")
        assert list(read_metrics(path)) == rows(1, 2, 3, 4)[:lines]
        assert last_metrics(path) == (rows(1, 2, 3, 4)[lines - 1] if lines else {})


def test_a_damaged_line_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n\xff\xfe{{\n[1, 2]\n\n{"step": 2}\n"text"\n')
    assert list(read_metrics(path)) == [{"step": 1}, {"step": 2}]
    assert last_metrics(path) == {"step": 2}


def test_cutting_after_a_step(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.cut_after(3)
    assert not metrics.path.exists()
    for row in rows(1, 2, 4, 5):
        metrics.append(row)
    with metrics.path.open("a") as file:
        file.write('{"step": "six"}\n{"step": 7, "lo')
    metrics.cut_after(4)
    assert list(read_metrics(metrics.path)) == rows(1, 2, 4)
    metrics.append({"step": 5})
    assert last_metrics(metrics.path) == {"step": 5}


def test_a_torn_line_alone_is_cut_too(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.append({"step": 1})
    with metrics.path.open("a") as file:
        file.write('{"st')
    metrics.cut_after(1)
    metrics.append({"step": 2})
    assert list(read_metrics(metrics.path)) == [{"step": 1}, {"step": 2}]


def test_the_newest_line_of_a_long_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps({"step": n, "note": "x" * 90}) + "\n" for n in range(5000)))
    assert last_metrics(path)["step"] == 4999


def test_a_row_for_which_there_is_no_room_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk takes a part of a line: it is taken back, so that the next line is whole."""
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.append({"step": 1})
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:5]))
        with pytest.raises(OSError, match="No space left"):
            metrics.append({"step": 2})
    metrics.append({"step": 2})
    assert metrics.path.read_bytes() == b'{"step":1}\n{"step":2}\n'


@pytest.mark.parametrize(
    "line", [b"[" * 60_000, b"9" * 10_000, b'{"step":' + b"9" * 5000 + b"}", b"x" * 300_000]
)
def test_lines_that_would_break_a_parser(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step":1}\n' + line + b'\n{"step":2}\n')
    assert list(read_metrics(path)) == [{"step": 1}, {"step": 2}]
    assert last_metrics(path) == {"step": 2}
    Metrics(path).cut_after(1)
    assert path.read_bytes() == b'{"step":1}\n'


LINES = st.sampled_from(
    [b'{"step":1}', b'{"step":2,"loss":NaN}', b"", b"[1]", b"3", b'"a"', b"{", b"}", b"1],[2", b"\xff",
     '{"a":"\u2028"}'.encode(), b'{"a":"\\n"}', b"null", b"{},{}"]
)  # fmt: skip


@given(st.lists(LINES, max_size=8))
def test_rows_parsed_together_are_those_parsed_alone(lines: list[bytes]) -> None:
    def one(line: bytes) -> list[object]:
        try:
            found = json.loads(line)
        except ValueError:
            return []
        return [found] if isinstance(found, dict) else []

    together = parse_rows(b"".join(line + b"\n" for line in lines))
    alone = [row for line in lines for row in one(line)]
    assert str(together) == str(alone)


def test_rows_become_sparse_as_a_run_becomes_long() -> None:
    assert row_interval(0) == row_interval(1999) == 0.1
    assert row_interval(86_400) == 4.32
    seconds, rows = 0.0, 0
    while seconds < 7 * 86_400:
        seconds += row_interval(seconds)
        rows += 1
    assert rows < 140_000  # a week: 20 MB


def test_the_last_row_is_about_steps(tmp_path: Path) -> None:
    """A training that ends looks at its network last; what is wanted of its last row is the loss."""
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.append({"step": 7, "loss": 0.5})
    metrics.append({"step": 7, "validation": 0.4, "bins": []})
    assert last_metrics(metrics.path) == {"step": 7, "loss": 0.5}


def test_the_last_loss_is_the_mean_of_a_hundred_steps(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.jsonl")
    assert last_loss(metrics.path) is None
    metrics.append({"step": 50, "loss": 9.0})
    assert last_loss(metrics.path) == 9.0
    for step, loss in ((100, 1.0), (130, 2.0), (190, 4.0)):
        metrics.append({"step": step, "loss": loss})
        metrics.append({"step": step, "validation": 7.0})
    assert last_loss(metrics.path) == pytest.approx((50 * 1.0 + 30 * 2.0 + 60 * 4.0) / 140)
    for step in range(1000, 3000):  # far more than is read
        metrics.append({"step": step, "loss": step / 1000})
    assert last_loss(metrics.path) == pytest.approx(np.mean(np.arange(2900, 3000) / 1000))
