"""MNIST on this machine: where it is looked for, and how it is read.

The files are those of torchvision's layout, FOLDER/MNIST/raw/train-images-idx3-ubyte and its three
neighbours, plain or with .gz, so that one copy serves difftui and any other program.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from difftui.data.digits import SIZE, Digits, bundled
from difftui.data.download import FILES, Download, download_mnist
from difftui.data.idx import read_idx, read_shape
from difftui.errors import DifftuiError
from difftui.paths import home_dir
from difftui.words import grouped

__all__ = ["data_root", "find_mnist", "found_digits", "holds_mnist", "load", "prepare", "settled"]

_PREFIX = {"train": "train", "test": "t10k"}


def load(
    name_or_dir: str | os.PathLike[str] = "mnist",
    split: str = "train",
    data_dir: str | os.PathLike[str] | None = None,
) -> Digits:
    """Labelled digits, read from this machine; nothing is downloaded (see `prepare`).

    Args:
        name_or_dir: "mnist" for full MNIST where `find_mnist` finds it, else the bundled digits; "bundled";
            or a folder that must hold MNIST.
        split: "train" or "test". The bundled digits have no test set.
        data_dir: where "mnist" is looked for, instead of ``$DIFFTUI_DATA`` and the user's data folder.

    Raises:
        DifftuiError: a folder without MNIST, a file that is missing, damaged or foreign (it is named), or a
            test set that is not on this machine.
        ValueError: another `split`.
    """
    if split not in _PREFIX:
        raise ValueError(f"split must be 'train' or 'test', not {split!r}")
    folder: Path | None
    if name_or_dir == "bundled":
        folder = None
    elif name_or_dir == "mnist":
        folder = find_mnist(data_dir)
    else:
        folder = _folder_with_mnist(Path(name_or_dir), "--data")
    if folder is not None:
        return _read(folder, split)
    if split == "train":
        return bundled()
    raise DifftuiError(
        "The MNIST test set is not on this machine. Use --data mnist to download it, "
        "or --data DIR where DIR/MNIST/raw has the files."
    )


def find_mnist(data_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """The folder with the MNIST files, or None when nothing was named and there is none.

    Looked for in `data_dir`, else in ``$DIFFTUI_DATA``, else in ``data`` of the user's difftui folder. The
    first two were named by somebody, so they must hold MNIST.

    Raises:
        DifftuiError: `data_dir` or ``$DIFFTUI_DATA`` does not hold MNIST.
    """
    if data_dir is not None:
        return _folder_with_mnist(Path(data_dir), "the data folder")
    if os.environ.get("DIFFTUI_DATA"):
        return _folder_with_mnist(data_root(), "DIFFTUI_DATA")
    return _raw_folder(data_root())


def settled(name_or_dir: str) -> str:
    """What a record should call the digits that :func:`load` gives now under this name.

    "mnist" stays so only where full MNIST is found, else it is "bundled": once somebody downloads the rest,
    a record that says "mnist" would mean other digits than were used.

    Raises:
        DifftuiError: ``$DIFFTUI_DATA`` does not hold MNIST.
    """
    return "bundled" if name_or_dir == "mnist" and find_mnist() is None else name_or_dir


def found_digits(data: str | None = None) -> str:
    """What training would use, in words for the screen; for a problem, the line that tells it.

    Reads headers only, so it is quick.

    Args:
        data: the value of ``--data``, or None.
    """
    try:
        if data == "bundled":
            folder = None
        elif data is None or data == "mnist":
            folder = find_mnist()
        else:
            folder = _folder_with_mnist(Path(data), "--data")
        if folder is None:
            return f"{grouped(len(bundled()))} bundled MNIST digits (--data mnist gets all 60 000)"
        images, _ = _files(folder, "train")
        return f"{grouped(read_shape(images, 3)[0])} MNIST digits in {folder}"
    except DifftuiError as error:
        return str(error)


def prepare(
    data: str | None,
    *,
    progress: Callable[[Download], None] | None = None,
    notice: Callable[[str], None] | None = None,
) -> str:
    """Make ready what ``--data`` names, and return the name to give to `load` from then on.

    Only "mnist" may take long: where MNIST is not complete on this machine it is downloaded. When that
    fails, one line goes to `notice`, within 10 s on a machine without network, and the answer is "bundled".

    Args:
        data: the value of ``--data``: None, "mnist", "bundled" or a folder.
        progress: called a few times a second while a download runs; what it raises ends the download cleanly.
        notice: called with a line for the user.

    Raises:
        DifftuiError: a named folder that does not hold MNIST.
    """
    if data is None:
        find_mnist()
        return "mnist"
    if data == "bundled":
        return data
    if data != "mnist":
        _folder_with_mnist(Path(data), "--data")
        return str(Path(data).expanduser().absolute())
    root = data_root()
    if _is_complete(_raw_folder(root)):
        return data
    try:
        for event in download_mnist(root):
            if progress is not None:
                progress(event)
    except DifftuiError as error:
        if notice is not None:
            notice(f"{error} Until then the {grouped(len(bundled()))} bundled digits are used.")
        return "bundled"
    return data


def holds_mnist(root: Path) -> bool:
    """Whether any file of MNIST lies where :func:`load` would look for it in this folder."""
    return _raw_folder(root.expanduser().absolute()) is not None


def data_root() -> Path:
    """The folder of data sets: the one that was chosen for this user, else difftui's own."""
    chosen = os.environ.get("DIFFTUI_DATA")
    return Path(chosen).expanduser().absolute() if chosen else home_dir() / "data"


def _raw_folder(root: Path) -> Path | None:
    """The first of root/MNIST/raw, root/raw and root itself that holds any file of MNIST."""
    for folder in (root / "MNIST" / "raw", root / "raw", root):
        if any(_existing(folder, name) is not None for name in FILES):
            return folder
    return None


def _folder_with_mnist(root: Path, named_by: str) -> Path:
    root = root.expanduser().absolute()
    folder = _raw_folder(root)
    if folder is not None:
        return folder
    if not root.is_dir():
        raise DifftuiError(f"{root} ({named_by}) is not a folder. Give one that holds MNIST/raw/{FILES[0]}.")
    raise DifftuiError(f"There is no MNIST in {root} ({named_by}). It should hold MNIST/raw/{FILES[0]}.")


def _existing(folder: Path, name: str) -> Path | None:
    """The file of that name, plain rather than compressed, or None."""
    for path in (folder / name, folder / f"{name}.gz"):
        with suppress(OSError):  # a folder that we may not look into
            if path.is_file():
                return path
    return None


def _is_complete(folder: Path | None) -> bool:
    return folder is not None and all(_existing(folder, name) is not None for name in FILES)


def _files(folder: Path, split: str) -> tuple[Path, Path]:
    """The file of images and the file of labels of one split."""
    found = []
    for name in FILES:
        if name.startswith(_PREFIX[split]):
            path = _existing(folder, name)
            if path is None:
                raise DifftuiError(
                    f"{folder} has no {name} (or {name}.gz). Put it there, or use --data mnist."
                )
            found.append(path)
    images, labels = found
    return images, labels


def _read(folder: Path, split: str) -> Digits:
    images_path, labels_path = _files(folder, split)
    images = read_idx(images_path, 3)
    labels = read_idx(labels_path, 1)
    if images.shape[1:] != (SIZE, SIZE) or len(images) == 0:
        raise DifftuiError(
            f"{images_path} holds images of {images.shape}, and MNIST's are (N, {SIZE}, {SIZE})."
        )
    if len(labels) != len(images):
        raise DifftuiError(f"{labels_path} has {len(labels)} labels for the {len(images)} images beside it.")
    if labels.max() > 9:
        raise DifftuiError(f"{labels_path} has the label {labels.max()}, and MNIST's are 0 to 9.")
    return Digits(images, labels, f"MNIST {split} set in {folder}")
