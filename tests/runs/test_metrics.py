"""The metrics file while it is written, torn and cut."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from difftui.runs import Metrics, last_metrics, read_metrics


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
