"""Make assets/held_out.npz: the first 500 digits of MNIST's test set, which no training here sees.

python assets/make_held_out.py t10k-images-idx3-ubyte t10k-labels-idx1-ubyte
"""

import argparse
from pathlib import Path

from make_digits import write_npz

from difftui.data.idx import read_idx

COUNT = 500


def main() -> None:
    """Read MNIST's own files, write the array file, say what it holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path, help="MNIST's t10k-images-idx3-ubyte")
    parser.add_argument("labels", type=Path, help="MNIST's t10k-labels-idx1-ubyte")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("held_out.npz"))
    wanted = parser.parse_args()
    images, labels = read_idx(wanted.images, 3), read_idx(wanted.labels, 1)
    if images.shape != (10_000, 28, 28) or labels.shape != (10_000,):
        raise SystemExit(f"{wanted.images} and {wanted.labels} are not MNIST's test set")
    write_npz(wanted.out, images=images[:COUNT], labels=labels[:COUNT])
    print(f"{wanted.out}: {COUNT} digits, {wanted.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
