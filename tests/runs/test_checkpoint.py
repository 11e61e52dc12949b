"""Tensor files: whole or refused."""

import random
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from difftui.errors import DifftuiError
from difftui.runs.checkpoint import load_tensors, read_metadata, save_tensors

TENSORS = {
    "a": torch.arange(12, dtype=torch.float32).reshape(3, 4),
    "step": torch.tensor(3.0),
    "half": torch.ones(5, dtype=torch.bfloat16),
    "none": torch.zeros(0, 2),
    "whole": torch.tensor([2**40]),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "newest.safetensors"
    save_tensors(path, TENSORS, {"position": "1"})
    return path


def test_what_was_saved_is_read(path: Path) -> None:
    loaded = load_tensors(path, TENSORS)
    assert loaded.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert torch.equal(loaded[name], tensor)
        assert loaded[name].dtype == tensor.dtype
    assert read_metadata(path) == {"position": "1"}


def test_any_reader_of_safetensors_reads_it(path: Path) -> None:
    with safe_open(path, framework="np") as file:
        assert set(file.keys()) == set(TENSORS)
        assert file.get_tensor("a").tolist() == TENSORS["a"].tolist()


def test_strides_do_not_matter(tmp_path: Path) -> None:
    image = torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    save_tensors(tmp_path / "x", {"image": image}, {})
    assert torch.equal(load_tensors(tmp_path / "x", {"image": image})["image"], image)


def test_no_flipped_bit_goes_into_a_training(path: Path) -> None:
    whole = path.read_bytes()
    draw = random.Random(0)
    harmless = 0
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        try:
            loaded = load_tensors(path, TENSORS)
        except DifftuiError as error:
            assert str(path) in str(error)  # noqa: PT017 (most raise, and all must be told by name)
        else:  # only where the name of the checksum itself was hit
            harmless += 1
            assert all(torch.equal(loaded[name], TENSORS[name]) for name in TENSORS)
            assert read_metadata(path)["position"] == "1"
    assert harmless <= len("checksum")


def test_every_cut_is_found(path: Path) -> None:
    whole = path.read_bytes()
    for length in [0, 1, 7, 8, 9, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(DifftuiError, match=r"newest.safetensors is damaged or not a checkpoint"):
            load_tensors(path, TENSORS)
        with pytest.raises(DifftuiError, match=r"newest.safetensors is damaged or not a checkpoint"):
            read_metadata(path)


def test_files_without_a_checksum_are_taken_as_they_are(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "plain", metadata={"position": "2"})
    assert torch.equal(load_tensors(tmp_path / "plain", TENSORS)["a"], TENSORS["a"])
    assert read_metadata(tmp_path / "plain") == {"position": "2"}


def test_missing_and_folders(tmp_path: Path) -> None:
    for read in (lambda path: load_tensors(path, TENSORS), read_metadata):
        with pytest.raises(DifftuiError, match="does not exist"):
            read(tmp_path / "nothing")
        with pytest.raises(DifftuiError, match="not a checkpoint"):
            read(tmp_path)


def test_other_names_and_shapes_are_told(path: Path) -> None:
    with pytest.raises(DifftuiError, match=r"another network .*'b'"):
        load_tensors(path, {**TENSORS, "b": torch.zeros(1)})
    with pytest.raises(DifftuiError, match=r"'a' has shape \[3, 4\], not \[4, 3\]"):
        load_tensors(path, {**TENSORS, "a": torch.zeros(4, 3)})


def test_a_failed_save_leaves_the_old_file(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(OSError, match=r"cannot write|exists|Not a directory"):
        save_tensors(path / "below", TENSORS, {})
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
