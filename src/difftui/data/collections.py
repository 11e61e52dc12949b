"""Every kind of pictures by one name: MNIST, torchvision's other small sets, or any folder of images."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from difftui.data.datasets import data_root, holds_mnist, load, prepare
from difftui.data.digits import held_out
from difftui.data.download import Download, download_collection
from difftui.data.folder import has_images, read_folder
from difftui.data.pictures import Pictures
from difftui.errors import DifftuiError

__all__ = [
    "COLLECTIONS",
    "Collection",
    "held_out_pictures",
    "is_collection",
    "load_pictures",
    "ready_pictures",
]

HELD_OUT = 500  # of a test set, as many as the MNIST digits that ship for it


@dataclass(frozen=True, slots=True)
class Collection:
    """One of torchvision's data sets.

    Attributes:
        torchvision: the name of its class there.
        sentence: what it shows.
        url: of a small file of it, to ask whether there is a network.
        megabytes: of the download, about.
    """

    torchvision: str
    sentence: str
    url: str
    megabytes: int


COLLECTIONS: Mapping[str, Collection] = MappingProxyType(
    {
        "fashion-mnist": Collection(
            "FashionMNIST",
            "70 000 grey pictures of clothes, 28x28, ten kinds",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz",
            31,
        ),
        "kmnist": Collection(
            "KMNIST",
            "70 000 grey Japanese characters, 28x28, ten syllables",
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/t10k-labels-idx1-ubyte.gz",
            21,
        ),
        "cifar10": Collection(
            "CIFAR10",
            "60 000 coloured pictures of animals and vehicles, 32x32, ten kinds",
            "https://www.cs.toronto.edu/~kriz/cifar.html",
            170,
        ),
    }
)
"""torchvision's sets by the names that ``--data`` knows, beside "mnist" and "bundled"."""


def load_pictures(name_or_dir: str, split: str = "train", *, size: int | None = None) -> Pictures:
    """Pictures read from this machine; nothing is downloaded.

    Args:
        name_or_dir: "mnist" or "bundled", as :func:`difftui.data.load` knows them; one of
            :data:`COLLECTIONS`, in torchvision's layout; a folder that holds MNIST; or any folder of images.
        split: "train" or "test". A folder of images has no test set.
        size: of the pictures of a folder of images, which come in any size: they are cut square around the
            middle and brought to this; None is 32.

    Raises:
        DifftuiError: they are not on this machine, or damaged.
        ValueError: another ``split``.
    """
    if name_or_dir in COLLECTIONS:
        return _from_torchvision(name_or_dir, split)
    if is_collection(name_or_dir) or holds_mnist(Path(name_or_dir)):
        return Pictures.of(load(name_or_dir, split))
    folder = Path(name_or_dir).expanduser()
    if has_images(folder):
        if split != "train":
            raise DifftuiError(f"{folder} is a folder of images and has no {split} set.")
        return read_folder(folder, size or 32)
    return Pictures.of(load(name_or_dir, split))  # which tells best what is wrong with it


def held_out_pictures(name_or_dir: str) -> Pictures | None:
    """At most 500 pictures that no training by this name sees; None where there are none."""
    if name_or_dir in COLLECTIONS:
        try:
            test = _from_torchvision(name_or_dir, "test")
        except DifftuiError:
            return None
        assert test.labels is not None  # torchvision's sets have classes
        return Pictures(test.images[:HELD_OUT], test.labels[:HELD_OUT], test.classes, test.source)
    if is_collection(name_or_dir) or holds_mnist(Path(name_or_dir)):
        return Pictures.of(held_out())
    return None


def ready_pictures(
    wanted: str | None,
    *,
    progress: Callable[[Download], None] | None = None,
    notice: Callable[[str], None] | None = None,
) -> str:
    """Make ready what ``--data`` names, downloading it if need be; the name to give to :func:`load_pictures`.

    As :func:`difftui.data.prepare` for MNIST, which falls back to the bundled digits. Another set that cannot
    be had is an error: nothing can stand in for it.

    Raises:
        DifftuiError: no such set, or one that cannot be downloaded either, or a folder without pictures.
    """
    if wanted is not None and wanted in COLLECTIONS:
        try:
            _from_torchvision(wanted, "train")
        except DifftuiError as error:
            if "damaged" in str(error):
                raise
            for event in download_collection(wanted, COLLECTIONS[wanted], data_root()):
                if progress is not None:
                    progress(event)
        return wanted
    if wanted is not None and not is_collection(wanted) and _is_word(wanted):
        raise DifftuiError(
            f"there is no data set called {wanted!r}, and no folder. Choose mnist, {', '.join(COLLECTIONS)}, "
            "bundled, or a folder of images."
        )
    if wanted is None or is_collection(wanted) or not has_images(Path(wanted).expanduser()):
        return prepare(wanted, progress=progress, notice=notice)
    return str(Path(wanted).expanduser().absolute())


def is_collection(name: str | os.PathLike[str]) -> bool:
    """Whether this is a name, and not a folder."""
    return name in ("mnist", "bundled") or name in COLLECTIONS


def _is_word(wanted: str) -> bool:
    """Whether this was meant as a name: one word, and nothing on the disk is called so."""
    return len(Path(wanted).parts) == 1 and not wanted.startswith(("~", ".")) and not Path(wanted).exists()


def _from_torchvision(name: str, split: str) -> Pictures:
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', not {split!r}")
    collection, root = COLLECTIONS[name], data_root()
    from torchvision import datasets  # seconds to import, so only where it is used

    make: Callable[..., Any] = getattr(datasets, collection.torchvision)
    try:
        found = make(root, train=split == "train", download=False)
    except RuntimeError:
        raise DifftuiError(
            f"{name} is not in {root}. 'difftui train --data {name}' downloads it "
            f"(about {collection.megabytes} MB), or set DIFFTUI_DATA to a folder that has it."
        ) from None
    except Exception as error:  # torchvision checks sums, but unpacks whatever has them
        raise DifftuiError(f"{name} in {root} is damaged ({error}). Delete it and fetch it again.") from error
    images = np.asarray(found.data)
    images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return Pictures(
        np.ascontiguousarray(images),
        np.asarray(found.targets, np.int64),
        tuple(str(kind) for kind in found.classes),
        f"{name} {split} set in {root}",
    )
