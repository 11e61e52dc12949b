"""The command line as a user meets it: real small work, every bad input, signals in real processes."""

import fcntl
import io
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyte
import pytest
from PIL import Image

from difftui import __version__
from difftui.cli import main
from difftui.commands import COMMANDS
from difftui.commands.greys import grey_text
from difftui.data import Digits, bundled
from difftui.runs import Run, create_run, find_run, list_runs
from difftui.training import Recipe, preset, train

DIFFTUI = [sys.executable, "-m", "difftui"]
SMALL = ["train", "--preset", "lab", "--data", "bundled", "--batch-size", "2", "--device", "cpu"]


class Outcome:
    """What a command said."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> "Cli":
    return Cli(capsys)


class Cli:
    """Runs a command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: object) -> Outcome:
        try:
            status = main([str(word) for word in words])
        except SystemExit as end:  # argparse: --help, --version, wrong usage
            status = end.code if isinstance(end.code, int) else 1
        said = self._capsys.readouterr()
        return Outcome(status, said.out, said.err)

    def refused(self, *words: object, status: int) -> str:
        """The one line in which a command was refused."""
        outcome = self(*words)
        assert outcome.status == status
        assert outcome.out == ""
        assert outcome.err.startswith("difftui: ")
        assert outcome.err.count("\n") == 1
        assert outcome.err.endswith("\n")
        assert "Traceback" not in outcome.err
        return outcome.err


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three steps, made by the command itself."""
    home = tmp_path_factory.mktemp("trained")
    before = os.environ.get("DIFFTUI_HOME")
    try:
        assert main([*SMALL, "--home", str(home), "--steps", "3", "--run", "small"]) == 0
    finally:
        os.environ.pop("DIFFTUI_HOME", None)
        if before is not None:
            os.environ["DIFFTUI_HOME"] = before
    return home / "runs" / "small"


@pytest.fixture
def small(trained: Path, own_home: Path) -> Run:
    """That run, copied into this test's own home."""
    shutil.copytree(trained, own_home / "runs" / "small")
    return find_run("small")


# Without torch


def test_help_version_and_lists_need_no_torch(own_home: Path) -> None:
    code = f"""
import sys
from difftui.cli import main
helps = [[name, "--help"] for name in {list(COMMANDS)}]
for words in (["--help"], ["--version"], ["runs"], ["train"], *helps):
    try:
        main(words)
    except SystemExit:
        pass
assert not {{"torch", "textual", "diffusers"}} & set(sys.modules), "something heavy was imported"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for words in [*COMMANDS, "--screen", "--run", "--device", "--data", "--home", "--resume", "--out"]:
        assert words in done.stdout


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"difftui {__version__}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["trian"], "invalid choice: 'trian'"),
        (["--fast"], "unrecognized arguments: --fast"),
        (["runs", "--fast"], "unrecognized arguments: --fast"),
        (["--device", "cpu", "train"], "--device goes after 'train'"),
        (["train"], "name a recipe: --preset "),
        (["train", "--preset", "labb"], "invalid choice: 'labb'"),
        (["train", "--pre", "lab"], "unrecognized arguments: --pre lab"),
        (["train", "--preset", "lab", "--epochs", "0"], "--epochs: expected a whole number from 1"),
        (["train", "--preset", "lab", "--steps", "1.5"], "--steps: expected a whole number"),
        (["train", "--preset", "lab", "--minutes", "nan"], "--minutes: expected a number"),
        (["train", "--preset", "lab", "--minutes", "-1"], "--minutes: expected a number"),
        (["train", "--preset", "lab", "--epochs", "1", "--steps", "1"], "not allowed with"),
        (["train", "--preset", "lab", "--batch-size", "0"], "--batch-size: expected a whole number"),
        (["train", "--preset", "lab", "--schedule", "sine"], "invalid choice: 'sine'"),
        (["train", "--preset", "lab", "--timesteps", "0"], "--timesteps: expected a whole number"),
        (["train", "--preset", "lab", "--timesteps", "10001"], "--timesteps: expected a whole number"),
        (["train", "--preset", "lab", "--seed", "-1"], "--seed: expected a whole number"),
        (["train", "--preset", "lab", "--target", "x"], "invalid choice: 'x'"),
        (["train", "--preset", "lab", "--ema-decay", "2"], "--ema-decay: expected a number from 0 to 1"),
        (["train", "--resume"], "name the run to resume"),
        (["runs", "--stop"], "--stop: expected one argument"),
        (["runs", "--stop", "a", "--pause", "b"], "not allowed with"),
        (["watch"], "required: RUN_OR_DIR"),
        (["sample", "--from", "x"], "name a file with --out, or ask for the figures with --plain"),
        (["sample", "--out", "x.png"], "one of the arguments --from --pipeline is required"),
        (["sample", "--from", "x", "--out", "x.png", "-n", "0"], "expected a whole number from 1"),
        (["sample", "--from", "x", "--out", "x.png", "--sampler", "euler"], "invalid choice: 'euler'"),
        (["sample", "--from", "x", "--out", "x.png", "--label", "seven"], "--label: expected a whole"),
        (["sample", "--from", "x", "--out", "x.jpg"], "known are .png (a grid), .gif (the trajectory)"),
        (["sample", "--from", "x", "--out", "digits"], "its end says what to write"),
        (["sample", "--from", "x", "--out", "x.gif", "-n", "101"], "100 pictures at most"),
    ],
)
def test_wrong_usage_is_told_in_one_line(cli: Cli, words: list[str], told: str) -> None:
    assert told in cli.refused(*words, status=2)
    assert list_runs() == []


def test_the_app_needs_a_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: PTH123, SIM115 (closed with the process)
    told = cli.refused(status=2)
    assert "the standard input is no terminal. As plain text: difftui labs, questions, invert, sde" in told


def test_a_dumb_terminal_is_told_what_gives_the_same_as_text(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(
        "difftui.commands.screens.sys", type("", (), {"stdin": Terminal(), "stdout": Terminal()})
    )
    monkeypatch.setenv("TERM", "dumb")
    told = cli.refused(status=2)
    assert "TERM=dumb cannot show them. As plain text: " in told
    named = "labs" + told.partition("difftui labs")[2].partition(" ('difftui")[0]
    assert {"noise", *named.strip(", ").split(", ")} <= set(COMMANDS)


# train


def test_train_makes_a_run(trained: Path) -> None:
    run = Run(trained)
    assert (run.status().state, run.status().step) == ("finished", 3)
    recipe = Recipe.from_json(run.recipe_text())
    assert (recipe.name, recipe.data, recipe.batch_size, recipe.steps) == ("lab", "bundled", 2, 3)
    assert (recipe.epochs, recipe.minutes) == (None, None)
    assert run.weights_path.is_file()


def test_train_without_a_name_takes_an_unused_one(cli: Cli) -> None:
    for number in (1, 2):
        outcome = cli(*SMALL, "--steps", 1)
        assert outcome.status == 0
        assert outcome.out == ""
        assert f"lab-{number}: lab-unet on 10000 images (bundled MNIST digits), CPU" in outcome.err
        assert f"lab-{number}: finished after 1 steps" in outcome.err
        assert re.search(r"100%  epoch 0\.00  loss \d\.\d{4}  \d+ images/s\n", outcome.err)
    assert {run.name for run in list_runs()} == {"lab-1", "lab-2"}


def test_options_change_the_recipe(cli: Cli) -> None:
    options = ["--schedule", "cosine", "--timesteps", 200, "--seed", 7, "--learning-rate", 1e-3]
    options += ["--target", "v", "--weighting", "min-snr", "--decay", "cosine", "--ema-decay", 0.9]
    options += ["--precision", "fp32"]
    assert cli(*SMALL, *options, "--minutes", 0.001, "--run", "mine").status == 0
    recipe = Recipe.from_json(find_run("mine").recipe_text())
    assert (recipe.schedule, recipe.timesteps, recipe.seed, recipe.minutes) == ("cosine", 200, 7, 0.001)
    assert recipe.learning_rate == 1e-3
    assert (recipe.target, recipe.weighting, recipe.decay) == ("v", "min-snr", "cosine")
    assert (recipe.ema_decay, recipe.precision) == (0.9, "fp32")
    assert recipe.model_options["timesteps"] == 200  # the net's time is t / T
    assert recipe.epochs is None


def test_missing_mnist_is_recorded_as_what_was_used(cli: Cli) -> None:
    words = ["train", "--preset", "lab", "--batch-size", "2", "--steps", "1", "--device", "cpu"]
    assert cli(*words, "--run", "found").status == 0
    assert Recipe.from_json(find_run("found").recipe_text()).data == "bundled"


def test_resume_keeps_the_runs_own_recipe(cli: Cli, small: Run) -> None:
    assert cli("train", "--run", "small", "--resume").status == 0
    same = cli(*SMALL, "--steps", 3, "--run", "small", "--resume")  # the first command again, and --resume
    assert same.status == 0
    assert "finished after 3 steps" in same.err
    for words, told in [
        (["--steps", "5"], "the run small began with --steps 3. Leave --steps out"),
        (["--epochs", "5"], "the run small began without --epochs"),
        (["--batch-size", "64"], "began with --batch-size 2"),
        (["--schedule", "cosine"], "began with --schedule linear"),
        (["--timesteps", "200"], "began with --timesteps 1000"),
        (["--seed", "1"], "began with --seed 0"),
        (["--target", "v"], "began with --target eps"),
        (["--ema-decay", "0.9"], "began without --ema-decay"),
    ]:
        assert told in cli.refused("train", "--run", "small", "--resume", *words, status=2)
    assert small.status().step == 3


def test_nothing_to_resume(cli: Cli) -> None:
    """Without a preset it is a mistake; with one it is the first time that a job's one command is given."""
    told = cli.refused("train", "--run", "mine", "--resume", status=1)
    assert "there is no run called 'mine'. Known: " in told
    for begins in (True, False):
        outcome = cli(*SMALL, "--steps", 1, "--run", "mine", "--resume")
        assert outcome.status == 0
        assert ("mine: there is no such run yet, so it begins." in outcome.err) == begins
    assert find_run("mine").status().state == "finished"


def test_a_name_that_is_taken(cli: Cli, small: Run) -> None:
    told = cli.refused(*SMALL, "--steps", 1, "--run", "small", status=1)
    assert "a run called 'small' exists. Add --resume" in told
    assert small.status().step == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--run", "a b"], "'a b' cannot name a run"),
        (["--device", "cuda:77"], "there is no device 'cuda:77' here"),
        (["--device", "abacus"], "'abacus' is not a device"),
        (["--data", "/nowhere"], "/nowhere (--data) is not a folder"),
    ],
)
def test_what_train_cannot_do(cli: Cli, words: list[str], told: str) -> None:
    assert told in cli.refused(*SMALL, "--steps", 1, *words, status=1)
    assert list_runs() == []


def test_a_data_folder_without_data(cli: Cli, tmp_path: Path) -> None:
    told = cli.refused("train", "--preset", "lab", "--data", tmp_path, status=1)
    assert f"There is no MNIST in {tmp_path}" in told


def test_a_home_that_cannot_be_written(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = cli(*SMALL, "--steps", 1, "--home", tmp_path / "file")
    assert told.status == 1
    assert f"difftui: {tmp_path}/file/runs cannot be written" in told.err
    assert "Set DIFFTUI_HOME or --home" in told.err


def test_damage_is_told_by_name(cli: Cli, small: Run, tmp_path: Path) -> None:
    small.recipe_path.write_text('{"name": "small"}')
    assert "recipe.json cannot be used" in cli.refused("train", "--run", "small", "--resume", status=1)
    small.recipe_path.write_text(preset("lab").with_budget(steps=9).to_json())
    for path in small.state_paths:
        path.write_bytes(b"")
    told = cli("train", "--run", "small", "--resume", "--data", "bundled")
    assert told.status == 1
    assert "difftui: the run small cannot be resumed: " in told.err
    assert "newest.safetensors is damaged or not a checkpoint" in told.err


def test_a_failure_shows_its_traceback_only_to_debug(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Run]:
        raise ZeroDivisionError("first\nsecond")

    monkeypatch.setattr("difftui.commands.runs.list_runs", broken)
    told = cli.refused("runs", status=1)
    assert told == "difftui: unexpected ZeroDivisionError: first second (--debug shows where)\n"
    for words in (["--debug", "runs"], ["runs", "--debug"]):
        outcome = cli(*words)
        assert outcome.status == 1
        assert "Traceback" in outcome.err
        assert "in broken" in outcome.err


# sample


def test_a_grid(cli: Cli, small: Run, tmp_path: Path) -> None:
    out = tmp_path / "grid.png"
    outcome = cli("sample", "--from", "small", "--steps", 2, "-n", 10, "--out", out)
    assert outcome.status == 0
    assert outcome.err.endswith(f"wrote {out}\n")
    with Image.open(out) as picture:
        assert picture.size == (4 * (10 * 30 + 2), 4 * (30 + 2))


def test_a_trajectory(cli: Cli, small: Run, tmp_path: Path) -> None:
    out = tmp_path / "way.gif"
    assert cli("sample", "--from", small.path, "--steps", 3, "-n", 2, "--out", out).status == 0
    with Image.open(out) as picture:
        assert picture.n_frames == 4


def test_plain_characters(cli: Cli, small: Run, tmp_path: Path) -> None:
    words = ["sample", "--from", "small", "--steps", "3", "-n", "3", "--device", "cpu"]
    assert cli(*words, "--out", tmp_path / "three.txt").status == 0
    assert cli(*words, "--out", tmp_path / "three.npz").status == 0
    with np.load(tmp_path / "three.npz") as archive:
        assert (tmp_path / "three.txt").read_text() == grey_text(archive["samples"]) + "\n"


def test_arrays_are_those_of_the_library(cli: Cli, small: Run, tmp_path: Path) -> None:
    from difftui.diffusion import sample
    from difftui.training import load_model

    out = tmp_path / "arrays.npz"
    words = ["sample", "--from", small.weights_path, "--sampler", "ddpm", "--steps", 4, "-n", 3, "--seed", 5]
    assert cli(*words, "--out", out).status == 0
    loaded = load_model("small")
    *_, last = sample(
        loaded.model, loaded.schedule, sampler="ddpm", steps=4, seeds=(5, 6, 7), target="eps", clip_x0=True
    )
    with np.load(out) as arrays:
        assert set(arrays) == {"samples"}
        assert arrays["samples"].dtype == np.float32
        assert arrays["samples"].shape == (3, 1, 28, 28)
        assert np.abs(arrays["samples"]).max() <= 1
        assert np.abs(arrays["samples"] - last.x.numpy()).max() == 0


@pytest.fixture(scope="session")
def conditional(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a network that can be asked for a digit, after two steps."""
    run = Run(tmp_path_factory.mktemp("conditional"))
    recipe = replace(preset("quick").with_budget(steps=2), batch_size=2)
    for _ in train(recipe, run, digits=Digits(bundled().images[:8], bundled().labels[:8], "8 digits")):
        pass
    return run.weights_path


@pytest.mark.parametrize(("words", "labels"), [(["--label", 3], [3] * 12), ([], [*range(10), 0, 1])])
def test_digits_asked_for(
    cli: Cli, conditional: Path, tmp_path: Path, words: list[object], labels: list[int]
) -> None:
    out = tmp_path / "asked.npz"
    outcome = cli("sample", "--from", conditional, "--steps", 1, "-n", 12, *words, "--out", out)
    assert outcome.status == 0
    with np.load(out) as arrays:
        assert arrays["labels"].tolist() == labels
        assert arrays["samples"].shape == (12, 1, 28, 28)


def test_a_digit_that_is_none(cli: Cli, conditional: Path, tmp_path: Path) -> None:
    words = ["sample", "--from", conditional, "--label", 10, "--out", tmp_path / "x.png"]
    assert "knows the labels 0 to 9, not 10" in cli.refused(*words, status=1)


def test_batches_change_nothing(
    cli: Cli, small: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, apart = tmp_path / "a.npz", tmp_path / "b.npz"
    words = ["sample", "--from", "small", "--steps", 2, "-n", 5, "--out"]
    assert cli(*words, together).status == 0
    monkeypatch.setattr("difftui.commands.sample.BATCH", 2)
    assert cli(*words, apart).status == 0
    with np.load(together) as a, np.load(apart) as b:
        assert np.abs(a["samples"] - b["samples"]).max() < 1e-4


def test_no_file_is_replaced_unless_told(cli: Cli, small: Run, tmp_path: Path) -> None:
    out = tmp_path / "mine.png"
    out.write_text("mine")
    words = ["sample", "--from", "small", "--steps", 1, "-n", 1, "--out", out]
    assert f"{out} exists. Add --force" in cli.refused(*words, status=1)
    assert out.read_text() == "mine"
    assert cli(*words, "--force").status == 0
    with Image.open(out) as picture:
        assert picture.format == "PNG"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.png"]


def test_what_sample_cannot_do(cli: Cli, small: Run, tmp_path: Path) -> None:
    out = tmp_path / "x.png"
    foreign = tmp_path / "foreign.pt"
    foreign.write_bytes(b"\x80\x04N.")
    short = tmp_path / "short.safetensors"
    short.write_bytes(small.weights_path.read_bytes()[:-1])
    create_run("fresh", preset("lab").to_json())
    (tmp_path / "folder.png").mkdir()
    for words, told in [
        (["--from", "nothing", "--out", out], "there is no run called 'nothing'. Known: "),
        (["--from", "fresh", "--out", out], "fresh has no weights yet"),
        (["--from", foreign, "--out", out], "foreign.pt is damaged or not a checkpoint"),
        (["--from", short, "--out", out], "short.safetensors is damaged or not a checkpoint"),
        (["--from", "small", "--out", out, "--label", 3], "was trained without labels"),
        (["--from", "small", "--out", out, "--steps", 1001], "trained with 1000 timesteps: --steps is 1 to"),
        (["--from", "small", "--out", out, "--device", "cuda:77"], "there is no device 'cuda:77'"),
        (["--from", "small", "--out", tmp_path / "folder.png"], "is a folder"),
        (["--from", "small", "--out", tmp_path / "no" / "x.png"], "is not a folder"),
    ]:
        assert told in cli.refused("sample", *words, status=1)
    assert not out.exists()


# runs


def test_runs_is_a_table(cli: Cli, small: Run) -> None:
    fresh = create_run("fresh", preset("lab").to_json())
    (create_run("broken", "no JSON")).metrics.append({"step": 3})
    os.utime(fresh.recipe_path, (0, 0))
    lines = [line.split() for line in cli("runs").out.splitlines()]
    rows = {line[0]: line[1:] for line in lines[1:-1]}
    assert lines[-1][:7] == ["Losses", "under", "other", "schedules,", "targets", "or", "sizes"], (
        "toy and lab are no contest"
    )
    assert lines[0] == ["NAME", "PRESET", "STATE", "STEP", "LOSS", "WHEN"]
    assert rows["toy"][3] == "0.0444", "as denoise --filters has it"
    assert rows["small"][:3] == ["lab", "finished", "3"]
    assert float(rows["small"][3]) == pytest.approx(1, abs=0.5)
    assert rows["small"][-1] == "ago"
    assert rows["fresh"] == ["lab", "new", "0", "-", "1970-01-01"]
    assert rows["broken"][:3] == ["?", "damaged", "3"]
    assert [name for name in rows if name in {"small", "fresh", "broken"}] == ["broken", "small", "fresh"]


def test_no_runs_yet(cli: Cli) -> None:
    assert "No runs yet in " in cli("runs").out


# Signals


@pytest.fixture
def training(own_home: Path) -> Iterator[subprocess.Popen[str]]:
    """A training in a process of its own, that would last for hours."""
    process = subprocess.Popen(
        [*DIFFTUI, *SMALL, "--steps", "1000000", "--run", "long"], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "images/s" in line:
            break
    yield process
    process.kill()
    process.wait()


def went_on(name: str) -> None:
    """The stopped run is whole: it resumes, a step further."""
    run = find_run(name)
    status = run.status()
    assert (status.state, status.message) == ("stopped", "")
    assert status.step > 0
    events = train(Recipe.from_json(run.recipe_text()), run, resume=True)
    assert next(events).step == status.step + 1
    events.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_training_after_saving(
    training: subprocess.Popen[str], number: signal.Signals, own_home: Path
) -> None:
    training.send_signal(number)
    training.send_signal(signal.SIGINT)  # an impatient second one breaks nothing
    _, err = training.communicate(timeout=120)
    assert training.returncode in (128 + number, 128 + signal.SIGINT)
    assert re.fullmatch(
        r"difftui: stopped by SIG\w+, saved at step \d+\. "
        r"Go on with: difftui train --run long --resume --device cpu --data bundled",
        err.splitlines()[-1],
    )
    assert "Traceback" not in err
    went_on("long")


@pytest.mark.slow
def test_a_lost_terminal_ends_training_after_saving(own_home: Path) -> None:
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover
        os.execv(sys.executable, [*DIFFTUI, *SMALL, "--steps", "1000000", "--run", "long"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    screen = pyte.Screen(80, 24)
    stream = pyte.ByteStream(screen)
    deadline = time.monotonic() + 120
    while "left" not in "".join(screen.display) and time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            stream.feed(os.read(terminal, 4096))
    bars = [line for line in screen.display if "images/s" in line]
    assert len(bars) == 1
    assert re.search(r"long .* epoch 0\.00 +loss \d\.\d{4} +\d+ images/s +about .* left", bars[0])
    os.close(terminal)  # what a dropped connection does
    _, ended = os.waitpid(child, 0)
    assert os.WIFEXITED(ended)
    assert os.WEXITSTATUS(ended) == 128 + signal.SIGHUP
    went_on("long")


def test_an_ignored_hangup_stays_ignored() -> None:
    from difftui.commands.stopping import stop_signals

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signals() as request:
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGCONT)
            assert request.number is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_before_training_loses_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("difftui.data.ready_pictures", lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM))
    outcome = cli(*SMALL, "--steps", 1)
    assert outcome.status == 143
    assert outcome.err == "difftui: stopped by SIGTERM before training began; nothing was lost.\n"
    assert list_runs() == []
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
