"""What the screens show, as plain text: the figures of the library and of the screens, and every refusal."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from difftui.cli import main
from difftui.commands.greys import RAMP, grey_text
from difftui.commands.tables import figure, table
from difftui.data import bundled
from difftui.diffusion import make_schedule
from difftui.inversion import InversionRecipe, baselines, fit_inverse
from difftui.media import to_uint8

LAB = Path(__file__).parents[2] / "checkpoints" / "lab"


def _json(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    assert main([str(word) for word in words]) == 0
    return json.loads(capsys.readouterr().out)


def test_columns_stand_in_line() -> None:
    assert (
        table(("name", "MSE"), [("line", "1"), ("a", "10.5")], left=1) == "name   MSE\nline     1\na     10.5"
    )
    assert [figure(v) for v in (None, math.nan, 0.00012345678)] == ["-", "-", "0.000123457"]


def test_the_schedule_is_the_papers_linear_one(capsys: pytest.CaptureFixture[str]) -> None:
    facts = _json(capsys, "schedule", "--at", 0, 258, 259, 999, "--json")
    beta = np.linspace(1e-4, 0.02, 1000)  # Ho et al. 2020
    kept = np.cumprod(1 - beta)
    for row in facts["table"]:
        t = row["t"]
        assert row["beta"] == pytest.approx(beta[t])
        assert row["alpha_bar"] == pytest.approx(kept[t])
        assert row["signal"] ** 2 + row["noise"] ** 2 == pytest.approx(1)
        assert row["SNR"] == pytest.approx(kept[t] / (1 - kept[t]))
        assert row["SNR_dB"] == pytest.approx(10 * math.log10(row["SNR"]))
    assert facts["table"][1]["SNR"] > 1 > facts["table"][2]["SNR"]
    assert facts["snr_crossing"] == 259
    assert facts["signal_left_at_T"] == pytest.approx(math.sqrt(kept[-1]))


def test_the_schedule_as_a_table_is_ascii_and_ends_at_T(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schedule", "--schedule", "cosine", "--timesteps", "50"]) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    lines = out.splitlines()
    assert lines[3].split() == ["t", "beta", "alpha_bar", "signal", "noise", "SNR", "SNR_dB"]
    assert [line.split()[0] for line in lines[4:15]] == [str(i * 49 // 10) for i in range(11)]
    assert f"{math.sqrt(make_schedule('cosine', 50).alpha_bars[-1]):.6g}" in lines[-2]


def test_noise_is_what_the_forward_screen_shows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from difftui.ui.screens.forward import THUMBNAILS, Scene

    out = tmp_path / "seven.png"
    words = [
        "noise",
        "--digit",
        "4",
        "--example",
        "2",
        "--seed",
        "3",
        "--schedule",
        "cosine",
        "--data",
        "bundled",
    ]
    assert main([*words, "--out", str(out)]) == 0
    scene = Scene(kind="cosine", label=4, example=1, seed=3)
    index = bundled().of_class(4)[1]
    expected = to_uint8(scene.noised(bundled().images[index] / 127.5 - 1, scene.strip_times))
    with Image.open(out) as picture:
        sheet = np.asarray(picture)
    assert sheet.shape == (4 * 32, 4 * (THUMBNAILS * 30 + 2))
    for i, picture in enumerate(expected):
        assert (sheet[8:120:4, 8 + 120 * i : 120 + 120 * i : 4] == picture).all()
    printed = capsys.readouterr().out
    assert f"digit 4, number {index} of " in printed
    assert all(f"t = {t} " in printed for t in scene.strip_times)
    assert set(printed.partition("\n\n")[2].splitlines()[1]) <= set(RAMP)


def test_the_maths_of_a_step_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["noise", "--data", "bundled", "--at", "259", "--maths"]) == 0
    out = capsys.readouterr().out
    kept = float(np.prod(1 - np.linspace(1e-4, 0.02, 1000)[:260]))
    assert f"= {math.sqrt(kept):.4f} x_0 + {math.sqrt(1 - kept):.4f} ε" in out
    assert f"Keep {100 * math.sqrt(kept):.1f}% of the digit" in out
    assert "range(260)" in out
    assert max(map(len, out.splitlines())) <= 78


def test_greys_are_means_of_two_rows() -> None:
    picture = np.array([[0, 255, 128], [0, 255, 0], [255, 0, 30]], np.uint8)
    assert grey_text(picture) == f" @{RAMP[2]}\n@ {RAMP[1]}"
    assert grey_text(np.full((3, 2, 4), 255, np.uint8), ["a", "long one", "c"], width=10) == (
        "a     long\n@@@@  @@@@\n\nc\n@@@@"
    )
    with pytest.raises(ValueError, match="1 captions for 2"):
        grey_text(np.zeros((2, 2, 2)), ["a"])


def test_invert_is_the_screens_fit(capsys: pytest.CaptureFixture[str]) -> None:
    facts = _json(
        capsys, "invert", "--hidden", "8-8", "--activation", "tanh", "--epochs", 20, "--seed", 5, "--json"
    )
    recipe = InversionRecipe(hidden_layers=(8, 8), activation="tanh", epochs=20, seed=5)
    *_, last = fit_inverse(recipe)
    assert facts["mse"] == last.mse
    assert len(facts["mse_by_epoch"]) == 21
    assert facts["mse_over_line"] == pytest.approx(last.mse / baselines().line.mse)
    by_y = {row["y"]: row for row in facts["curve"]}
    assert by_y[0.5]["best_x"] == pytest.approx(math.asin(0.5))
    assert by_y[0.5]["error"] == pytest.approx(by_y[0.5]["network"] - math.asin(0.5))
    assert by_y[1.25]["best_x"] is None


def test_invert_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["invert", "--hidden", "none", "--epochs", "2"]) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.startswith("1-1 relu, 2 weights")
    assert f"{baselines().line.mse:.6g}" in out


def test_invert_says_what_a_many_valued_range_costs(capsys: pytest.CaptureFixture[str]) -> None:
    wide = ["invert", "--range", "-3.14159265", "3.14159265", "--epochs", "3"]
    assert main(wide) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert "average of the branches" in out
    assert "no answer has a mean squared error below 0.822467; on these 200 points the average" in " ".join(
        out.split()
    )
    assert not re.search(r"e-1[5-9]", out), "what rounding leaves of 0 is 0"
    facts = _json(capsys, *wide, "--json")
    assert facts["baselines"]["floor"] == pytest.approx(math.pi**2 / 12, abs=1e-6)
    assert main(["invert", "--function", "square", "--epochs", "1"]) == 0
    assert "x from y = x^2, 200 points, x from -1 to 1" in capsys.readouterr().out


def test_invert_many_initialisations(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["invert", "--initialisations", "8", "--epochs", "30", "--seed", "4"]
    facts = _json(capsys, *words, "--json")
    assert [network["seed"] for network in facts["networks"]] == list(range(4, 12))
    *_, alone = fit_inverse(InversionRecipe(epochs=30, seed=6))
    assert facts["networks"][2]["mse"] == pytest.approx(alone.mse, rel=1e-9)
    assert main(words) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert f"median MSE {facts['median']:.6g}" in out
    counts = [int(line.split()[-5]) for line in out.split("\n\n")[1].splitlines()[1:]]
    assert sum(counts) == 8
    assert (counts[1] / 8, counts[-1] / 8) == (facts["near_line"], facts["dead"])


def test_invert_draws_from_the_diffusion_model(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["invert", "--function", "square", "--epochs", "5", "--diffusion", "--diffusion-steps", "300"]
    facts = _json(capsys, *words, "--at", "0.25", "-0.5", "--sampler", "ddim", "--json")
    known, nothing = facts["at"]
    assert [branch["x"] for branch in known["branches"]] == pytest.approx([-0.5, 0.5])
    assert sum(branch["drawn_share"] for branch in known["branches"]) == pytest.approx(1.0)
    assert [branch["exact_share"] for branch in known["branches"]] == pytest.approx([0.5, 0.5])
    assert (nothing["branches"], nothing["close"]) == ([], None)
    assert main(words) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert "9153 weights" in out
    plot = out.split("one answer to each y.")[1]
    assert plot.count("o") > 60
    assert "#" in plot


def test_metrics_of_a_shipped_network(capsys: pytest.CaptureFixture[str]) -> None:
    facts = _json(capsys, "metrics", "lab", "--rows", 5, "--json")
    rows = [json.loads(line) for line in (LAB / "metrics.jsonl").read_text().splitlines()]
    losses = {row["step"]: row["loss"] for row in rows if "loss" in row}
    assert facts["state"] == "shipped"
    assert len(facts["table"]) == 5
    for row in facts["table"]:
        assert row["loss"] == losses[row["step"]]
    assert facts["table"][-1]["step"] == facts["step"] == max(losses)
    assert facts["recipe"]["name"] == "lab"
    assert main(["metrics", "lab", "--rows", "5"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 8


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["schedule", "--timesteps", "10", "--at", "10"], 2, "with 10 timesteps --at is 0 to 9, not 10"),
        (["schedule", "--timesteps", "1"], 2, "expected a whole number from 2"),
        (["noise", "--digit", "10"], 2, "expected a whole number from 0 to 9"),
        (["noise", "--data", "bundled", "--example", "99999"], 1, "digits 7 here: --example is 1 to that"),
        (["noise", "--maths", "--at", "1", "2"], 2, "--maths tells of one timestep in words: give it one"),
        (["noise", "--out", "x.jpg"], 2, "the picture is written as .png"),
        (["invert", "--hidden", "3-x"], 2, "write the units of each layer, as 3-3, or none"),
        (["invert", "--hidden", "999"], 2, "must be a whole number from 1 to 256"),
        (["invert", "--range", "1", "0"], 2, "x_range must be two numbers"),
        (["invert", "--at", "0.5"], 2, "add --diffusion"),
        (["invert", "--diffusion", "--initialisations", "9"], 2, "not for both"),
        (["invert", "--function", "tan"], 2, "invalid choice: 'tan'"),
        (["invert", "--initialisations", "1"], 2, "expected a whole number from 2 to 1000"),
        (["metrics", "nothing"], 1, "no run called 'nothing'"),
    ],
)
def test_refusals(capsys: pytest.CaptureFixture[str], words: list[str], status: int, told: str) -> None:
    given: object
    try:
        given = main(words)
    except SystemExit as end:
        given = end.code
    said = capsys.readouterr()
    assert (given, said.out, said.err.count("\n")) == (status, "", 1)
    assert told in said.err
