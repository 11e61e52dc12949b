"""Finding and reading MNIST, against torchvision's own reader."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import MNIST

from difftui.data import bundled, find_mnist, found_digits, load, prepare, settled
from difftui.errors import DifftuiError

NAMES = {"train": "train", "test": "t10k"}
COUNTS = {"train": 7, "test": 4}


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_mnist(root: Path, *, compressed: bool = False) -> Path:
    """A small data set in torchvision's layout, made from random bytes; returns the folder of the files."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    random = np.random.default_rng(3)
    for split, prefix in NAMES.items():
        images = random.integers(0, 256, (COUNTS[split], 28, 28), dtype=np.uint8)
        labels = random.integers(0, 10, COUNTS[split], dtype=np.uint8)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            data = idx(array)
            name = f"{prefix}-{kind}-ubyte"
            if compressed:
                (raw / f"{name}.gz").write_bytes(gzip.compress(data))
            else:
                (raw / name).write_bytes(data)
    return raw


@pytest.mark.parametrize("split", ["train", "test"])
def test_full_mnist_is_read_as_torchvision_reads_it(full_mnist: Path, split: str) -> None:
    theirs = MNIST(full_mnist, train=split == "train")
    ours = load(full_mnist, split)
    assert np.array_equal(ours.images, theirs.data.numpy())
    assert np.array_equal(ours.labels, theirs.targets.numpy())
    assert len(ours) == {"train": 60_000, "test": 10_000}[split]


@pytest.mark.parametrize("split", ["train", "test"])
def test_small_files_are_read_as_torchvision_reads_them(tmp_path: Path, split: str) -> None:
    raw = write_mnist(tmp_path)
    theirs = MNIST(tmp_path, train=split == "train")
    ours = load(tmp_path, split)
    assert np.array_equal(ours.images, theirs.data.numpy())
    assert np.array_equal(ours.labels, theirs.targets.numpy())
    assert ours.source == f"MNIST {split} set in {raw}"
    assert not ours.images.flags.writeable


def test_compressed_files_hold_the_same(tmp_path: Path) -> None:
    write_mnist(tmp_path / "plain")
    write_mnist(tmp_path / "packed", compressed=True)
    for split in NAMES:
        plain, packed = load(tmp_path / "plain", split), load(tmp_path / "packed", split)
        assert np.array_equal(plain.images, packed.images)
        assert np.array_equal(plain.labels, packed.labels)


def test_the_folder_may_be_named_at_any_of_its_levels(tmp_path: Path) -> None:
    raw = write_mnist(tmp_path)
    for folder in (tmp_path, tmp_path / "MNIST", raw):
        assert find_mnist(folder) == raw
        assert len(load(str(folder))) == 7


def test_the_order_in_which_mnist_is_looked_for(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_mnist() is None
    assert load("mnist") is bundled()
    at_home = write_mnist(own_home / "data")
    assert find_mnist() == at_home
    chosen = write_mnist(tmp_path / "chosen")
    monkeypatch.setenv("DIFFTUI_DATA", str(tmp_path / "chosen"))
    assert find_mnist() == chosen
    given = write_mnist(tmp_path / "given")
    assert find_mnist(tmp_path / "given") == given
    assert load("mnist", data_dir=tmp_path / "given").source.endswith(str(given))
    assert load("bundled") is bundled()


def test_a_named_folder_without_data_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty, absent = tmp_path / "empty", tmp_path / "absent"
    empty.mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(DifftuiError, match=f"There is no MNIST in {empty} "):
        load(empty)
    for nowhere in (absent, tmp_path / "file"):
        with pytest.raises(DifftuiError, match=rf"{nowhere} \(--data\) is not a folder"):
            prepare(str(nowhere))
    monkeypatch.setenv("DIFFTUI_DATA", str(absent))
    with pytest.raises(DifftuiError, match=rf"{absent} \(DIFFTUI_DATA\) is not a folder"):
        load("mnist")
    with pytest.raises(DifftuiError, match="DIFFTUI_DATA"):
        prepare(None)
    assert str(absent) in found_digits()


def test_a_test_set_that_is_not_there_is_one_clear_line() -> None:
    for name in ("mnist", "bundled"):
        with pytest.raises(DifftuiError, match="test set is not on this machine"):
            load(name, "test")


def test_an_unknown_split_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="'train' or 'test', not 'validation'"):
        load("bundled", "validation")


def test_each_missing_file_is_named(tmp_path: Path) -> None:
    raw = write_mnist(tmp_path)
    (raw / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(
        DifftuiError, match=r"has no train-labels-idx1-ubyte \(or train-labels-idx1-ubyte\.gz\)"
    ):
        load(tmp_path)
    assert len(load(tmp_path, "test")) == 4


WRONG = {
    "truncated": ("train-images-idx3-ubyte", idx(np.zeros((7, 28, 28), np.uint8))[:-9], "should have"),
    "foreign": ("train-images-idx3-ubyte", b"PK\x03\x04" + bytes(100), "begins with 50 4b 03 04"),
    "other size": ("train-images-idx3-ubyte", idx(np.zeros((7, 32, 32), np.uint8)), "(7, 32, 32)"),
    "no images": ("train-images-idx3-ubyte", idx(np.zeros((0, 28, 28), np.uint8)), "(0, 28, 28)"),
    "too few labels": ("train-labels-idx1-ubyte", idx(np.zeros(6, np.uint8)), "6 labels for the 7 images"),
    "label 10": ("train-labels-idx1-ubyte", idx(np.full(7, 10, np.uint8)), "the label 10"),
}


@pytest.mark.parametrize(("name", "data", "said"), WRONG.values(), ids=WRONG)
def test_wrong_files_are_named_and_refused_and_left_alone(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    raw = write_mnist(tmp_path)
    (raw / name).write_bytes(data)
    with pytest.raises(DifftuiError) as caught:
        load(tmp_path)
    assert str(raw / name) in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (raw / name).read_bytes() == data


def test_what_is_found_is_told_in_words(tmp_path: Path) -> None:
    raw = write_mnist(tmp_path, compressed=True)
    assert found_digits(str(tmp_path)) == f"7 MNIST digits in {raw}"
    assert found_digits("bundled").startswith("10 000 bundled MNIST digits")
    assert found_digits() == found_digits("mnist") == found_digits("bundled")
    (raw / "train-images-idx3-ubyte.gz").write_bytes(b"")
    assert "train-images-idx3-ubyte.gz is not the MNIST file" in found_digits(str(tmp_path))


def test_a_record_names_the_digits_that_are_really_used(tmp_path: Path, own_home: Path) -> None:
    assert settled("mnist") == "bundled"
    assert settled("bundled") == "bundled"
    assert settled(str(tmp_path)) == str(tmp_path)
    write_mnist(own_home / "data")
    assert settled("mnist") == "mnist"


def test_a_folder_that_may_not_be_looked_into_is_one_without_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mnist(tmp_path)

    def refuse(path: Path) -> bool:
        raise PermissionError("Permission denied")

    monkeypatch.setattr(Path, "is_file", refuse)
    monkeypatch.setenv("DIFFTUI_DATA", str(tmp_path))
    with pytest.raises(DifftuiError, match=r"There is no MNIST in .*DIFFTUI_DATA"):
        find_mnist()


def test_prepare_gives_the_name_to_load(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prepare(None) == "mnist"
    assert prepare("bundled") == "bundled"
    write_mnist(tmp_path / "given")
    monkeypatch.chdir(tmp_path)
    assert prepare("given") == str(tmp_path / "given")
    write_mnist(own_home / "data")
    assert prepare("mnist") == "mnist"  # complete already: nothing to download
