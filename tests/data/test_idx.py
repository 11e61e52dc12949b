"""The strict idx reader: what is right is read, what is wrong is refused by name."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from difftui.data.idx import read_idx, read_shape
from difftui.errors import DifftuiError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)


def idx(array: np.ndarray) -> bytes:
    """The file format, from its definition."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize("compressed", [False, True])
def test_plain_and_compressed_files_are_read_exactly(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / ("images.gz" if compressed else "images")
    path.write_bytes(gzip.compress(idx(IMAGES)) if compressed else idx(IMAGES))
    array = read_idx(path, 3)
    assert array.dtype == np.uint8
    assert array.shape == read_shape(path, 3) == (5, 28, 28)
    assert np.array_equal(array, IMAGES)
    assert not array.flags.writeable


HUGE = struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1)
WRONG = {
    "empty": (b"", "begins with nothing, not 00 00 08 03"),
    "labels in place of images": (idx(IMAGES[:, 0, 0]), "begins with 00 00 08 01, not 00 00 08 03"),
    "floats": (b"\x00\x00\x0d\x03" + idx(IMAGES)[4:], "begins with 00 00 0d 03"),
    "a web page": (b"<!doctype html><title>Sign in</title>", "begins with 3c 21 64 6f"),
    "cut in the header": (idx(IMAGES)[:9], "ends within its header"),
    "cut": (idx(IMAGES)[:-1], "has 3935 bytes and should have 3936"),
    "longer": (idx(IMAGES) + b"\x00", "has 3937 bytes and should have 3936"),
    "absurd": (HUGE, "far too many for MNIST"),
}


@pytest.mark.parametrize(("data", "said"), WRONG.values(), ids=WRONG)
def test_wrong_plain_files_are_named_and_refused(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(data)
    for read in (read_idx, read_shape):
        with pytest.raises(DifftuiError) as caught:
            read(path, 3)
        assert str(caught.value).startswith(str(path))
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


COMPRESSED = gzip.compress(idx(IMAGES))
WRONG_GZ = {
    "not gzip": (idx(IMAGES), "cannot be read"),
    "cut": (COMPRESSED[: len(COMPRESSED) // 2], "cannot be read"),
    "flipped bit": (COMPRESSED[:2000] + bytes([COMPRESSED[2000] ^ 16]) + COMPRESSED[2001:], "cannot be read"),
    "fewer": (gzip.compress(idx(IMAGES)[:-1]), "holds fewer than the 3920 values"),
    "more": (gzip.compress(idx(IMAGES) + b"\x00"), "holds more than the 3920 values"),
    "absurd": (gzip.compress(HUGE), "far too many for MNIST"),
}


@pytest.mark.parametrize(("data", "said"), WRONG_GZ.values(), ids=WRONG_GZ)
def test_wrong_compressed_files_are_named_and_refused(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(data)
    with pytest.raises(DifftuiError) as caught:
        read_idx(path, 3)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(DifftuiError, match="cannot be read"):
            read_idx(path, 1)


@given(data=st.binary(max_size=64), suffix=st.sampled_from(["", ".gz"]))
def test_no_bytes_whatever_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz{suffix}"
    path.write_bytes(data)
    try:
        array = read_idx(path, 1)
    except DifftuiError:
        return
    assert suffix == ".gz" or data == idx(array)
