"""Other pictures than MNIST: torchvision's sets against torchvision, folders of images, size and classes."""

import gzip
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets

from difftui.data import (
    COLLECTIONS,
    Pictures,
    bundled,
    held_out_pictures,
    load_pictures,
    ready_pictures,
)
from difftui.data.pictures import resized
from difftui.errors import DifftuiError

RNG = np.random.default_rng(0)


def idx(array: np.ndarray) -> bytes:
    head = bytes((0, 0, 8, array.ndim)) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.tobytes()


def write_like_mnist(root: Path, folder: str, count: int = 6) -> None:
    raw = root / folder / "raw"
    raw.mkdir(parents=True)
    for prefix, n in (("train", count), ("t10k", 3)):
        images = RNG.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = np.arange(n, dtype=np.uint8) % 10
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(idx(images))
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(labels))


def write_cifar(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five pictures a file in CIFAR-10's own format; torchvision is told not to expect the real sums."""
    folder = root / datasets.CIFAR10.base_folder
    folder.mkdir(parents=True)
    for attribute in ("train_list", "test_list"):
        names = [name for name, _ in getattr(datasets.CIFAR10, attribute)]
        monkeypatch.setattr(datasets.CIFAR10, attribute, [[name, None] for name in names])
        for name in names:
            batch: dict[str, Any] = {
                "data": RNG.integers(0, 256, (5, 3 * 32 * 32), dtype=np.uint8),
                "labels": [0, 9, 3, 3, 1],
            }
            (folder / name).write_bytes(pickle.dumps(batch))
    meta = {**datasets.CIFAR10.meta, "md5": None}
    monkeypatch.setattr(datasets.CIFAR10, "meta", meta)
    kinds = [f"kind {i}" for i in range(10)]
    (folder / str(meta["filename"])).write_bytes(pickle.dumps({"label_names": kinds}))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIFFTUI_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", ["fashion-mnist", "kmnist"])
def test_torchvisions_grey_sets(data: Path, name: str) -> None:
    kind = COLLECTIONS[name].torchvision
    write_like_mnist(data, kind)
    theirs = getattr(datasets, kind)(data, train=True)
    ours = load_pictures(ready_pictures(name))
    assert np.array_equal(ours.images[:, 0], theirs.data.numpy())
    assert ours.labels is not None
    assert ours.labels.tolist() == theirs.targets.tolist()
    assert ours.classes == tuple(theirs.classes)
    assert ours.shape == (1, 28, 28)
    assert len(load_pictures(name, "test")) == 3
    held = held_out_pictures(name)
    assert held is not None
    assert len(held) == 3


def test_cifar_in_colour(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar(data, monkeypatch)
    ours, theirs = load_pictures("cifar10"), datasets.CIFAR10(data)
    assert ours.shape == (3, 32, 32)
    assert np.array_equal(ours.images.transpose(0, 2, 3, 1), theirs.data)
    assert ours.classes == tuple(f"kind {i}" for i in range(10))
    assert len(ours) == 25


def test_a_set_that_is_not_here_says_how_to_get_it(data: Path) -> None:
    with pytest.raises(DifftuiError, match=r"kmnist is not in .* 'difftui train --data kmnist' downloads it"):
        load_pictures("kmnist")
    assert held_out_pictures("kmnist") is None


def test_a_set_whose_server_does_not_answer_is_one_line(
    data: Path, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = replace(COLLECTIONS["kmnist"], url=f"{nobody}labels.gz")
    monkeypatch.setattr("difftui.data.collections.COLLECTIONS", {"kmnist": lost})
    with pytest.raises(DifftuiError, match=r"^kmnist could not be downloaded: none of its mirrors"):
        ready_pictures("kmnist")
    assert list(data.iterdir()) == []


def test_digits_are_the_case_of_one_colour() -> None:
    digits = load_pictures("bundled")
    assert np.array_equal(digits.images[:, 0], bundled().images)
    assert digits.classes == tuple("0123456789")
    held = held_out_pictures("mnist")
    assert held is not None
    assert len(held) == 500


# Folders of images.


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_a_folder_with_classes_as_torchvision_reads_it(tmp_path: Path) -> None:
    for kind in ("cat", "ant"):
        for i in range(3):
            save(tmp_path / kind / f"{i}.png", RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    ours, theirs = load_pictures(str(tmp_path), size=16), datasets.ImageFolder(tmp_path)
    assert ours.classes == tuple(theirs.classes) == ("ant", "cat")
    assert ours.labels is not None
    assert ours.labels.tolist() == theirs.targets
    assert ours.shape == (3, 16, 16)
    for i in range(6):
        assert np.array_equal(ours.images[i].transpose(1, 2, 0), np.asarray(theirs[i][0]))
    assert held_out_pictures(str(tmp_path)) is None
    assert ready_pictures(str(tmp_path)) == str(tmp_path)


def test_any_size_shape_and_kind_becomes_square(tmp_path: Path) -> None:
    save(tmp_path / "wide.png", np.full((20, 60), 200, np.uint8))
    save(tmp_path / "deep" / "tall.JPEG", np.full((90, 30), 40, np.uint8))
    save(tmp_path / "tiny.bmp", np.full((3, 3), 0, np.uint8))
    (tmp_path / "notes.txt").write_text("not an image")
    found = load_pictures(str(tmp_path), size=24)
    assert found.shape == (1, 24, 24)  # all are grey
    assert found.labels is None  # not all of them lie in folders
    assert found.num_classes is None
    assert sorted(int(image.mean()) for image in found.images) == [0, 40, 200]


def test_a_damaged_image_is_named(tmp_path: Path) -> None:
    save(tmp_path / "good.png", np.zeros((8, 8), np.uint8))
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"nonsense")
    with pytest.raises(DifftuiError, match=r"bad\.png cannot be read as an image .* Take it out"):
        load_pictures(str(tmp_path))


def test_a_folder_without_images_is_told_as_before(tmp_path: Path) -> None:
    with pytest.raises(DifftuiError, match="There is no MNIST in"):
        load_pictures(str(tmp_path))
    save(tmp_path / "a.png", np.zeros((8, 8), np.uint8))
    with pytest.raises(DifftuiError, match="has no test set"):
        load_pictures(str(tmp_path), "test")


def test_a_folder_with_mnist_is_mnist(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    images = RNG.integers(0, 256, (4, 28, 28), dtype=np.uint8)
    (raw / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (raw / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.arange(4, dtype=np.uint8))))
    assert np.array_equal(load_pictures(str(tmp_path)).images[:, 0], images)


# Size and classes.


@pytest.mark.parametrize("size", [16, 7, 14, 28, 20, 32])
def test_resizing_takes_the_mean_over_the_area(size: int) -> None:
    """Every pixel repeated ``size`` times each way, then the mean of blocks of 28: the same areas."""
    images = bundled().images[:20]
    ours = resized(images, size)
    fine = images.astype(np.float64).repeat(size, 1).repeat(size, 2)
    wanted = fine.reshape(20, size, 28, size, 28).mean(axis=(2, 4))
    assert np.abs(ours - wanted).max() <= 0.51
    if 28 % size == 0:  # where whole pixels are merged, Pillow's box filter does the same
        theirs = Image.fromarray(images[0]).resize((size, size), Image.Resampling.BOX)
        assert np.abs(ours[0].astype(int) - np.asarray(theirs)).max() <= 1
    assert abs(float(ours.mean()) - float(images.mean())) < 0.5  # areas keep the mean


def test_the_first_classes_at_another_size() -> None:
    few = Pictures.of(bundled()).prepared(16, 4)
    assert few.shape == (1, 16, 16)
    assert few.classes == ("0", "1", "2", "3")
    assert few.labels is not None
    assert len(few) == int((bundled().labels < 4).sum())
    assert Pictures.of(bundled()).prepared().images.base is not None  # nothing is copied
    with pytest.raises(ValueError, match="has 10 classes, not 11"):
        Pictures.of(bundled()).prepared(classes=11)


@pytest.mark.parametrize(
    ("images", "labels", "told"),
    [
        (np.zeros((2, 2, 4, 4), np.uint8), None, "1 or 3"),
        (np.zeros((2, 1, 4, 5), np.uint8), None, "square"),
        (np.zeros((0, 1, 4, 4), np.uint8), None, "at least one"),
        (np.zeros((2, 1, 4, 4), np.float32), None, "uint8"),
        (np.zeros((2, 1, 4, 4), np.uint8), np.zeros(3, np.int64), r"labels must be \(2,\)"),
        (np.zeros((2, 1, 4, 4), np.uint8), np.array([0, 1]), "0 to 0, found 1"),
    ],
)
def test_wrong_pictures(images: np.ndarray, labels: np.ndarray | None, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Pictures(images, labels, ("only",), "test")
