"""The labs' systems from the command line: small real trainings, colour end to end, what does not go
together."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from difftui.cli import main
from difftui.runs import find_run
from difftui.training import Recipe

SHORT = ["--steps", "2", "--batch-size", "4", "--device", "cpu"]
Said = Callable[[], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    def words() -> str:
        captured = capsys.readouterr()
        return captured.out + captured.err

    return words


def run(*words: object) -> int:
    return main([str(word) for word in words])


def recipe_of(name: str) -> Recipe:
    return Recipe.from_json(find_run(name).recipe_text())


def test_the_toy_learns_chosen_classes_at_its_size(tmp_path: Path, said: Said) -> None:
    assert run("train", "--preset", "toy", "--data", "bundled", "--classes", 2, *SHORT, "--run", "toy") == 0
    assert "toy: a network that ships has this name too" in said()
    recipe = recipe_of("toy")
    assert (recipe.classes, recipe.image_size, dict(recipe.model_options)) == (2, 16, {"size": 16})
    out = tmp_path / "cleaned.png"
    words = [word for t in (25, 50, 100, 150) for word in ("--at", t)]
    assert run("denoise", "--from", "toy", *words, "-n", 5, "--out", out) == 0
    assert "t = 150" in said()
    with Image.open(out) as sheet:
        assert sheet.size == (3 * (5 * 18 + 2), 3 * (9 * 18 + 2))  # clean, and two rows for each t
    assert run("evaluate", "toy") == 1
    assert "judges grey digits of 28x28, and toy draws 16x16" in said()


def test_the_one_shot_denoiser(tmp_path: Path, said: Said) -> None:
    assert run("train", "--preset", "denoiser", "--data", "bundled", *SHORT, "--run", "d") == 0
    told = said()
    assert "Clean noisy digits with: difftui denoise --from d" in told
    assert "a network that ships" not in told
    out = tmp_path / "d.png"
    assert run("denoise", "--from", "d", "--noise", 0.2, "-n", 3, "--out", out) == 0
    assert "\nnoise 0.2    0.2     1" in said()
    assert run("denoise", "--from", "d", "--pure", "--times", 5, "-n", 3, "--out", out, "--force") == 0
    assert said().count("\ntaught    0.5") == 5
    with Image.open(out) as sheet:
        assert sheet.size[1] == 3 * (7 * 30 + 2)  # clean, shown, five looks
    assert run("sample", "--from", "d", "--sampler", "ddim", "--out", tmp_path / "no.png") == 1
    told = said()
    assert "cannot tell the noise that ddim needs" in told
    assert told.count("\n") == 1
    assert run("sample", "--from", "d", "--steps", 5, "--out", tmp_path / "no.png") == 1
    assert "cleans in one look: leave out --steps" in said()
    assert run("sample", "--from", "d", "-n", 2, "--out", tmp_path / "noise.png") == 0
    assert "looped-x0 (an experiment), 1 step, temperature" in said()


def test_the_denoise_screen_as_text(said: Said) -> None:
    assert run("denoise", "--from", "toy", "--digit", 7, "--example", 2, "--json") == 0
    looks = json.loads(said())
    assert [look["t"] for look in looks["looks"]] == [25, 50, 100, 150]
    assert all(look["mse"] < look["before"] / 3 for look in looks["looks"])
    assert run("denoise", "--from", "toy", "--digit", 7, "--example", 2, "--at", 25) == 0
    told = said()
    assert "t = 25            look 1" in told  # in characters
    assert f"{looks['looks'][0]['mse']:.6g}" in told
    assert run("denoise", "--from", "toy", "--filters") == 0
    told = said()
    for part in ("238 689", "100 000", "231 297", "0.0444", "32 filters of 3x3"):
        assert part in told
    assert run("denoise", "--from", "toy", "--errors", "--told", 100, "-n", 8, "--json") == 0
    errors = json.loads(said())
    assert np.mean(errors["loss, told 100"]) > 3 * np.mean(errors["loss"])
    assert run("denoise", "--from", "denoiser", "--errors", "-n", 8) == 0
    assert "noise 0.50" in said()
    for words, why in (
        (["--told", 3], "--told goes with --errors"),
        (["--errors", "--out", "a.png"], "--errors prints figures"),
    ):
        assert run("denoise", "--from", "toy", *words) == 2
        assert why in said()


def test_the_size_of_the_labs_network_is_what_keras_prints(said: Said) -> None:
    assert run("denoise", "--from", "lab", "--filters", "--json") == 0
    facts = json.loads(said())
    assert facts["parameters"] == 257_265
    assert round(facts["kibibytes"], 2) == 1004.94


def test_filters_are_a_picture(tmp_path: Path, said: Said) -> None:
    out = tmp_path / "filters.png"
    assert run("denoise", "--from", "toy", "--filters", "--out", out) == 0
    with Image.open(out) as sheet:
        assert sheet.size == (12 * (8 * 5 + 2), 12 * (4 * 5 + 2))
    assert "black" in said()


def test_the_lecture_with_the_time(said: Said) -> None:
    options = ["--model-option", "time=yes", "--image-size", "8"]
    assert run("train", "--preset", "lecture", "--data", "bundled", *SHORT, *options, "--run", "told") == 0
    assert dict(recipe_of("told").model_options) == {"time": True, "size": 8}
    assert run("train", "--preset", "lecture", "--model-option", "clock=yes") == 2
    assert "residual-unet has no option 'clock'" in said()
    for wrong in ("time=maybe", "time=1"):
        assert run("train", "--preset", "lecture", "--model-option", wrong) == 2
        assert "--model-option time is yes or no, not" in said()


def test_every_target_on_the_same_net(said: Said) -> None:
    for target in ("eps", "x0", "v", "x_prev"):
        words = ["--preset", "toy", "--data", "bundled", "--target", target, *SHORT, "--run", target]
        assert run("train", *words) == 0
        assert (
            run("sample", "--from", target, "--steps", 3, "-n", 2, "--out", f"{find_run(target).path}/a.png")
            == 0
        )


def test_colour_from_a_folder_through_training_to_files(tmp_path: Path, said: Said) -> None:
    draws = np.random.default_rng(0)
    for kind in ("blue", "red"):
        for i in range(4):
            pixels = draws.integers(0, 60, (20, 24, 3), dtype=np.uint8)
            pixels[..., 2 if kind == "blue" else 0] += 180
            path = tmp_path / "images" / kind / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    folder = tmp_path / "images"
    words = ["--preset", "conditional", "--data", folder, "--image-size", 16, *SHORT, "--run", "colour"]
    assert run("train", *words) == 0
    recipe = recipe_of("colour")
    assert dict(recipe.model_options) == {"channels": 3, "size": 16, "num_classes": 2}
    for name in ("a.png", "a.gif", "a.npz"):
        out = tmp_path / name
        assert run("sample", "--from", "colour", "--steps", 3, "-n", 2, "--guidance", 1, "--out", out) == 0
    assert "guidance 1" in said()
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.mode == "RGB"
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["samples"].shape == (2, 3, 16, 16)
        assert arrays["labels"].tolist() == [0, 1]
    assert run("sample", "--from", "colour", "--label", 2, "--out", tmp_path / "no.png") == 1
    assert "knows the labels 0 to 1, not 2" in said()
    assert run("evaluate", "colour") == 1
    assert "draws 16x16 in colour" in said()
    assert run("train", "--preset", "lab", "--data", folder, *SHORT) == 1
    told = said()
    assert "lab-unet draws pictures of 28x28, and these are 32x32 in 3 colours" in told
    assert "another preset (conditional, toy, lecture, denoiser)" in told, "the presets that adapt are named"
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sample", "--from", "lab", "--label", "3"], "lab was trained without labels"),
        (["sample", "--from", "lab", "--guidance", "2"], "nothing to guide it towards"),
        (["train", "--preset", "toy", "--data", "bundled", "--image-size", "30"], "multiple of 4, not 30"),
        (["train", "--preset", "quick", "--data", "bundled", "--image-size", "16"], "these are 16x16"),
        (["train", "--preset", "toy", "--data", "fashion"], "no data set called 'fashion', and no folder"),
        (["train", "--preset", "toy", "--data", "bundled", "--classes", "11"], "has 10 classes, not 11"),
        (["denoise", "--from", "denoiser", "--at", "10"], "denoiser is told no time: --noise, not --at"),
        (["denoise", "--from", "lab", "--at", "1000"], "--at is 0 to 999, not 1000"),
        (["denoise", "--from", "toy", "--digit", "10"], "has the classes 0 to 9: choose another --digit"),
        (["denoise", "--from", "toy", "--digit", "1", "--example", "99"], "--example is 1 to that"),
    ],
)
def test_what_does_not_go_together_is_one_line(
    words: list[str], told: str, tmp_path: Path, said: Said
) -> None:
    out = [] if words[0] == "train" else ["--out", tmp_path / "a.png"]
    assert run(*words, *out) == 1
    line = said()
    assert told in line
    assert line.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_weights_of_one_size_do_not_go_on_with_pictures_of_another(said: Said) -> None:
    assert run("train", "--preset", "toy", "--data", "bundled", *SHORT, "--run", "small") == 0
    said()
    recipe = find_run("small").recipe_path
    recipe.write_text(recipe.read_text().replace('"image_size": 16', '"image_size": 28'))
    assert run("train", "--run", "small", "--resume", "--data", "bundled") == 1
    assert "the network draws pictures of shape (1, 16, 16)" in said()


def test_equations_from_the_command_line(tmp_path: Path, said: Said) -> None:
    out = tmp_path / "paths.npz"
    assert (
        run("sde", "ornstein-uhlenbeck", "--set", "theta=2", "--paths", 5, "--steps", 40, "--out", out) == 0
    )
    assert "theory" in said()
    with np.load(out) as arrays:
        assert arrays["paths"].shape == (41, 5)
        assert arrays["times"][-1] == 5.0
    assert run("sde", "brownian", "--paths", 2, "--out", out) == 1
    assert "paths.npz exists. Add --force" in said()
    assert run("sde", "brownian", "--paths", 2, "--steps", 3, "--out", out, "--force") == 0
    with np.load(out) as arrays:
        assert arrays["paths"].shape == (4, 2)
    assert run("sde", "geometric", "--errors", "--paths", 1000) == 0
    assert "order: strong 0." in said()
    assert run("sde", "brownian", "--errors", "--paths", 10) == 0
    assert "exact here" in said()
    for words, told in (
        (["brownian", "--set", "mu=1"], "brownian has no parameter mu; it has sigma, x0, time\n"),
        (["flow", "--set", "data=1"], "flow has no parameter data; it has beta_start, beta_end, time\n"),
        (["reverse", "--errors"], "no exact solution"),
        (["brownian", "--out", tmp_path / "a.png"], "name a .npz file"),
    ):
        assert run("sde", *words) == 2
        assert told in said()


def test_evaluate_tells_agreement_distance_and_copies(tmp_path: Path, said: Said) -> None:
    out = tmp_path / "judged.json"
    words = ["evaluate", "quick", "-n", 20, "--sampler", "dpm-solver++", "--steps", 4, "--guidance", 0.5]
    assert run(*words, "--out", out) == 0
    told = said()
    assert "dpm-solver++, 4 steps, temperature 0.85, guidance 0.5, seeds 0-19" in told
    assert "copies      0 of 20" in told
    assert "10000 training digits" in told  # all there are in a test's own home
    figures = json.loads(out.read_text())
    assert figures["neighbours"]["training_count"] == 10_000
    assert figures["agreement"] > 0.5
    assert run("evaluate", "lab", "-n", 4, "--guidance", 1) == 1
    assert "nothing to guide it towards" in said()


@pytest.mark.parametrize("command", [("bench", "--only", "frames"), ("evaluate", "quick", "-n", 2)])
def test_figures_replace_no_file_unasked(
    command: tuple[object, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "figures.json"
    kept.write_text("mine")
    assert run(*command, "--out", kept) == 1
    assert f"{kept} exists. Add --force to replace it" in capsys.readouterr().err
    assert kept.read_text() == "mine"
    assert run(*command, "--out", tmp_path / "figures.txt") == 2
    assert "name a .json file" in capsys.readouterr().err
