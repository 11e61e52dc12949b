"""`difftui compare`: the figures of the library, a sheet with captions, and every refusal in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers import tiny, train_tiny
from PIL import Image

from difftui.cli import main
from difftui.evaluation.comparison import rms
from difftui.training import load_model

T = 12
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    train_tiny("one", tiny(T, label_drop=0.1))

    def run(*words: object) -> tuple[int, str, str]:
        status = main(["compare", "--device", "cpu", *(str(word) for word in words)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_the_figures_are_those_of_the_library(said: Said, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    status, text, told = said(
        "--from", "one", "--seed", 4, "--caption", "a three", "--json", "--measure", 6, "--out", out
    )
    assert status == 0, told
    facts = json.loads(text)
    assert (facts["label"], facts["seed"], facts["measured"], facts["floor"]) == (3, 4, 6, None)
    counts = [row["steps"] for row in facts["table"]]
    pictures = []
    for steps in counts:
        *_, last = load_model("one").sample([4], [3], sampler="ddim", steps=steps)
        pictures.append(last.x[0].numpy())
    for row, picture in zip(facts["table"], pictures, strict=True):
        assert row["rms"] == pytest.approx(rms(picture, pictures[-1]), abs=1e-6)
        assert row["calls"] == row["steps"]
        assert row["frechet"] > 0
    with Image.open(out) as sheet:
        grey = np.asarray(sheet.convert("L")).astype(float)
    first = np.kron((pictures[0][0].clip(-1, 1) + 1) * 127.5, np.ones((8, 8)))
    height, width = first.shape
    places = [
        (y, x)
        for y in range(40, 90)
        for x in range(30, 50)
        if np.abs(grey[y : y + height, x : x + width] - first).max() < 1
    ]
    assert len(places) == 1, "the first picture stands on the sheet, eight times as large"


def test_the_table_is_ascii_and_fits_a_terminal(said: Said) -> None:
    status, text, _ = said("--from", "one", "--view", "samplers", "--steps", 3)
    assert status == 0
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 100
    assert "looped x0" in text
    assert "Experiment" in text


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (("--caption", "a cat"), 1, "the mapping finds no digit in 'a cat'"),
        (("--label", 12), 1, "one knows the labels 0 to 9, not 12"),
        (("--steps", 13, "--view", "samplers"), 1, "was trained with 12 timesteps"),
        (("--steps", 5), 2, "chooses the steps itself: leave out --steps"),
        (("--view", "variety", "--sampler", "ddim"), 2, "chooses the sampler itself"),
        (("--view", "guidance"), 1, "guidance leads towards a label: ask for one (--label"),
        (("--view", "labels", "--measure", 4), 1, "asks about single pictures"),
        (("--out", "figures.txt"), 2, "name a .png file"),
    ],
)
def test_wrong_wishes_get_one_line(said: Said, words: tuple[object, ...], status: int, line: str) -> None:
    got, text, told = said("--from", "one", *words)
    assert (got, text) == (status, "")
    assert line in told
    assert len([one for one in told.splitlines() if one.startswith("difftui:")]) == 1


def test_networks_without_labels_or_steps_get_one_line(said: Said) -> None:
    train_tiny("unasked", tiny(T, "lab-unet"))
    assert "cannot be asked for one" in said("--from", "unasked", "--view", "labels")[2]
    assert "it draws what it likes" in said("--from", "unasked", "--label", 3)[2]
    assert "cleans a picture in one look" in said("--from", "denoiser")[2]
