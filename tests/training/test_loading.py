"""Networks from what a training left on disk, and from files that are something else."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from difftui.data import Digits
from difftui.errors import DifftuiError
from difftui.runs import Run, create_run
from difftui.training import load_model, train
from difftui.training.recipe import Recipe


@pytest.fixture
def run(small: Recipe, few: Digits) -> Run:
    made = create_run("small-1", small.to_json())
    events = train(small, made, digits=few)
    list(islice(events, 2))
    events.close()
    return made


def test_by_name_by_folder_and_by_file(run: Run, small: Recipe, tmp_path: Path) -> None:
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes(run.weights_path.read_bytes())
    x, t = torch.randn(2, 1, 28, 28), torch.tensor([3, 900])
    answers = []
    for source, name in [
        ("small-1", "small-1"),
        (run.path, "small-1"),
        (str(run.path), "small-1"),
        (run.weights_path, "small-1"),
        (str(alone), "alone"),
    ]:
        loaded = load_model(source)
        assert (loaded.name, loaded.step, loaded.recipe) == (name, 2, small)
        assert (loaded.schedule.kind, loaded.schedule.T) == ("linear", 1000)
        assert not loaded.model.training
        assert not any(p.requires_grad for p in loaded.model.parameters())
        answers.append(loaded.model(x, t))
    assert all(torch.equal(answer, answers[0]) for answer in answers)
    stored = load_file(run.weights_path)
    assert all(torch.equal(value, stored[name]) for name, value in loaded.model.state_dict().items())


def test_a_name_that_is_nothing_lists_what_there_is(run: Run, tmp_path: Path) -> None:
    with pytest.raises(DifftuiError, match=r"no run called 'small-2'. Known: .*small-1"):
        load_model("small-2")
    with pytest.raises(DifftuiError, match="neither a run nor a weights file"):
        load_model(tmp_path)
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(DifftuiError, match="is a diffusers pipeline and no run: difftui sample --pipeline"):
        load_model(str(tmp_path))


def test_a_run_without_weights(small: Recipe) -> None:
    create_run("fresh", small.to_json())
    with pytest.raises(DifftuiError, match="fresh has no weights yet"):
        load_model("fresh")


class Trap:
    """Would leave a file behind if anybody unpickled it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (self.path,))  # type: ignore[return-value]


def test_files_that_are_no_checkpoint(run: Run, tmp_path: Path) -> None:
    whole = run.weights_path.read_bytes()
    flipped = bytearray(whole)
    flipped[-100] ^= 0x10
    header_length = int.from_bytes(whole[:8], "little")
    relabelled = whole[: 8 + header_length].replace(b'"step":"2"', b'"step":"3"') + whole[8 + header_length :]
    assert relabelled != whole
    wrong = {
        "empty": b"",
        "short": whole[:-1],
        "header-only": whole[:100],
        "huge-header": b"\xff" * 8 + whole[8:],
        "flipped": bytes(flipped),
        "relabelled": relabelled,
        "text": b"hello " * 100,
    }
    for name, content in wrong.items():
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(content)
        with pytest.raises(DifftuiError, match=f"{name}.safetensors is damaged or not a checkpoint"):
            load_model(path)
    trap = tmp_path / "sprung"
    torch.save({"weights": Trap(trap)}, tmp_path / "pickle.pt")
    with pytest.raises(DifftuiError, match=r"pickle.pt is damaged or not a checkpoint"):
        load_model(tmp_path / "pickle.pt")
    assert not trap.exists()


def rewritten(run: Run, to: Path, recipe: str | None, **tensors: torch.Tensor) -> Path:
    """The run's weights under another recipe, by another program (no checksum)."""
    header = {"step": "2"} if recipe is None else {"step": "2", "recipe": recipe}
    save_file({**load_file(run.weights_path), **tensors}, to, metadata=header)
    return to


def test_foreign_safetensors(run: Run, small: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    text = small.to_json()
    assert load_model(rewritten(run, path, text)).step == 2
    with pytest.raises(DifftuiError, match="its header names no recipe"):
        load_model(rewritten(run, path, None))
    with pytest.raises(DifftuiError, match="not a recipe"):
        load_model(rewritten(run, path, "no JSON"))
    with pytest.raises(DifftuiError, match="unknown model 'resnet'"):
        load_model(rewritten(run, path, json.dumps({**json.loads(text), "model": "resnet"})))
    with pytest.raises(DifftuiError, match="unknown schedule 'sine'"):
        load_model(rewritten(run, path, json.dumps({**json.loads(text), "schedule": "sine"})))
    with pytest.raises(DifftuiError, match=r"another network.*'extra'"):
        load_model(rewritten(run, path, text, extra=torch.zeros(3)))
    with pytest.raises(DifftuiError, match=r"another network: 'out.bias' has shape \[2\], not \[1\]"):
        load_model(rewritten(run, path, text, **{"out.bias": torch.zeros(2)}))


def test_the_average_is_what_samples(small: Recipe, few: Digits) -> None:
    raw = replace(small, ema_decay=None)
    weights = {}
    for name, recipe in (("averaged", small), ("raw", raw)):
        run = create_run(name, recipe.to_json())
        events = train(recipe, run, digits=few)
        list(islice(events, 3))
        events.close()
        weights[name] = load_model(name).model.state_dict()["middle.weight"].numpy()
    state = load_file(Run(run.path.with_name("averaged")).state_paths[0])
    assert np.array_equal(state["model.middle.weight"].numpy(), weights["raw"])
    assert np.abs(weights["averaged"] - weights["raw"]).max() > 1e-5
