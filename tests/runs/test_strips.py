"""Sample strips: what was written is read, and nothing else is."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from difftui.errors import DifftuiError
from difftui.runs import Run, create_run, read_strip, write_strip


@pytest.fixture
def run() -> Run:
    return create_run("one", "{}\n")


def digits(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (10, 28, 28), np.uint8)


def test_what_was_written_is_read(run: Run) -> None:
    assert run.sample_strips() == []
    paths = {step: write_strip(run, step, digits(step)) for step in (12000, 500, 10**12)}
    assert paths[500].name == "step-000000500.png"
    (run.samples_path / "grid.png").touch()
    (run.samples_path / ".step-000000501.tmp.png").touch()
    assert run.sample_strips() == [(500, paths[500]), (12000, paths[12000]), (10**12, paths[10**12])]
    for step, path in paths.items():
        np.testing.assert_array_equal(read_strip(path), digits(step))
    with Image.open(paths[500]) as image:  # the digits stand side by side
        assert (image.size, image.mode) == ((280, 28), "L")
        np.testing.assert_array_equal(np.asarray(image)[:, 28:56], digits(500)[1])


def test_colours_stay_colours(run: Run) -> None:
    coloured = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), np.uint8)
    path = write_strip(run, 7, coloured)
    np.testing.assert_array_equal(read_strip(path), coloured)
    with Image.open(path) as image:
        assert (image.size, image.mode) == ((320, 32), "RGB")


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((10, 28, 27), np.uint8),
        np.zeros((10, 28, 28, 4), np.uint8),
        np.zeros((28, 28), np.uint8),
        np.zeros((1, 28, 28), np.float32),
        np.zeros((0, 28, 28), np.uint8),
        np.zeros((1300, 28, 28), np.uint8),
    ],
)
def test_other_arrays_are_refused(run: Run, images: np.ndarray) -> None:
    with pytest.raises(ValueError):
        write_strip(run, 1, images)
    with pytest.raises(ValueError, match="step must be"):
        write_strip(run, -1, digits())


def test_a_run_that_was_removed_stays_removed(run: Run) -> None:
    run.recipe_path.unlink()
    run.path.rmdir()
    with pytest.raises(FileNotFoundError):
        write_strip(run, 1, digits())
    assert not run.path.exists()


def png(width: int, height: int, data: bytes = b"", depth: int = 8, colour: int = 0) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        png(60_000, 60_000, zlib.compress(bytes(10_000))),  # 3.6 GB, if one believes it
        png(2**31 - 1, 1),
        png(28, 280),
        png(0, 0),
        png(28, 28, zlib.compress(bytes(29 * 28 * 4)), colour=6),  # with transparency
        png(28, 28, b"no zlib"),
        png(28, 28, zlib.compress(b"short"))[:60],
        b"GIF89a" + bytes(100),
    ],
)
def test_what_is_no_strip_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "step-000000001.png"
    path.write_bytes(data)
    with pytest.raises(DifftuiError, match="damaged or not a strip"):
        read_strip(path)


def test_every_cut_and_every_flipped_bit_is_read_or_refused(run: Run) -> None:
    whole = write_strip(run, 1, digits()).read_bytes()
    draws = np.random.default_rng(0)
    path = run.samples_path / "step-000000002.png"
    for at in draws.integers(0, len(whole), 60).tolist():
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]):
            path.write_bytes(data)
            try:
                assert read_strip(path).shape == (10, 28, 28)
            except DifftuiError:
                continue


def test_a_folder_and_a_file_too_large_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DifftuiError):
        read_strip(tmp_path)
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(DifftuiError, match="too large"):
        read_strip(tmp_path / "large.png")
