"""Commands about networks of other people, and ours for them: sample, generate, networks, export."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from difftui.cli import main
from difftui.experiments.quoted import QUOTED
from difftui.pipelines import hub


@pytest.fixture(autouse=True)
def nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


def test_a_pipeline_is_sampled_into_files_and_figures(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sample", "--pipeline", str(tiny), "-n", "16", "--steps", "5", "--device", "cpu"]
    for suffix in ("png", "npz", "gif", "txt"):
        assert main([*words, "--out", str(tmp_path / f"out.{suffix}")]) == 0
    with np.load(tmp_path / "out.npz") as arrays:
        assert arrays["samples"].shape == (16, 3, 8, 8)
        assert set(arrays) == {"samples"}
    with Image.open(tmp_path / "out.png") as png:
        assert png.mode == "RGB"
    assert len((tmp_path / "out.txt").read_text().splitlines()) > 8
    capsys.readouterr()
    assert main([*words, "--plain"]) == 0
    told = capsys.readouterr()
    assert "tiny: ddpm, 5 steps, temperature 1, CPU" in told.err
    rows = [line.split() for line in told.out.splitlines()]
    assert rows[0][:4] == ["STEP", "T", "S", "NOISE"]
    assert [row[:3] for row in rows[1:]] == [
        ["1", "19", "14"], ["2", "14", "10"], ["3", "10", "5"], ["4", "5", "0"], ["5", "0", "-1"],
    ]  # fmt: skip
    with np.load(tmp_path / "out.npz") as arrays:
        mean, spread = arrays["samples"].mean(), arrays["samples"].std()
    assert float(rows[5][7]) == pytest.approx(mean, abs=1e-3)
    assert float(rows[5][8]) == pytest.approx(spread, abs=1e-2)


def refused(words: list[str], capsys: pytest.CaptureFixture[str], status: int = 1) -> str:
    capsys.readouterr()
    assert main(words) == status
    told = capsys.readouterr()
    assert told.out == ""
    lines = [line for line in told.err.splitlines() if line]
    assert len(lines) == 1, lines
    return lines[0]


def test_what_a_pipeline_cannot_do_is_one_line(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = ["sample", "--device", "cpu", "--out", str(tmp_path / "x.png"), "--pipeline"]
    assert "it draws what it likes" in refused([*sample, str(tiny), "--label", "3"], capsys)
    assert "nothing to guide it towards" in refused([*sample, str(tiny), "--guidance", "1"], capsys)
    assert "--steps is 1 to 20" in refused([*sample, str(tiny), "--steps", "21"], capsys)
    assert "neither a folder nor a name" in refused([*sample, "nowhere"], capsys)
    with pytest.raises(SystemExit) as ended:
        main([*sample, str(tiny), "--from", "quick"])
    assert ended.value.code == 2
    capsys.readouterr()
    monkeypatch.setattr(hub, "_ANSWER_SECONDS", 1.0)
    told = refused([*sample[:-1], "--pipeline"], capsys)
    assert told.startswith("difftui: google/ddpm-cifar10-32 cannot be fetched: ")
    assert "about 143 MB" in told
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'diffusers>=0.30'" in refused([*sample, str(tiny)], capsys)
    assert list(tmp_path.glob("x.png")) == []


def test_the_table_of_networks_is_measured_and_marks_what_is_quoted(
    tiny: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny, own_home / "pipelines" / "mine")
    (own_home / "pipelines" / "broken").mkdir()
    (own_home / "pipelines" / "broken" / "model_index.json").write_text("{")
    assert main(["networks", "--seconds", "0.01", "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "lab" in out
    assert "257 265" in out
    assert "mine" in out
    assert "UNet2DModel" in out
    assert "broken cannot be used as a pipeline" in out
    assert "google/ddpm-cifar10-32 (35.7 million" in out
    quoted = out.partition("(quoted, not measured)")[2]
    assert all(row.parameters in quoted for row in QUOTED)
    assert "238 689 parameters" in quoted
    assert main(["networks", "--json", "--seconds", "0.01", "--device", "cpu"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in found["networks"]}
    assert rows["mine"]["shape"] == [3, 8, 8]
    assert rows["lab"]["parameters"] == 257_265
    assert rows["lab"]["steps"] == 1000
    assert not rows["lab"]["whole"], "a thousand steps are not waited for"
    assert rows["mine"]["seconds"] > 0


def test_a_shipped_network_is_exported_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "exported"
    assert main(["export", "lab", "--diffusers", str(folder)]) == 0
    assert "trust_remote_code=True" in capsys.readouterr().err
    assert {path.name for path in folder.iterdir()} == {
        "README.md", "model_index.json", "pipeline.py", "scheduler", "unet",
    }  # fmt: skip
    assert "not empty" in refused(["export", "lab", "--diffusers", str(folder)], capsys)
    told = refused(["export", "denoiser", "--diffusers", str(tmp_path / "other")], capsys)
    assert "cleans a picture in one look" in told


def test_generate_wants_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert "the screens cannot be opened" in refused(["generate"], capsys, status=2)
