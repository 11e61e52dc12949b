"""Files that a student keeps, read back with Pillow and NumPy."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from difftui import media
from difftui.errors import DifftuiError

RNG = np.random.default_rng(0)


def test_bytes_of_floats_are_rounded_and_clipped() -> None:
    x = np.array([-1.0, 1.0, 0.0, -7.0, 7.0, np.nan, np.inf, -np.inf, 2 * 200 / 255 - 1], np.float32)
    assert media.to_uint8(x).tolist() == [0, 255, 128, 0, 255, 0, 255, 0, 200]
    every = np.arange(256, dtype=np.uint8)
    assert np.array_equal(media.to_uint8(every / 127.5 - 1), every), "the way back is exact for every byte"
    assert media.to_uint8(every) is every
    with pytest.raises(ValueError, match="int64"):
        media.to_uint8(np.arange(3))


def test_grid_places_every_image_and_fills_the_rest() -> None:
    images = RNG.integers(0, 256, (5, 4, 3), dtype=np.uint8)
    sheet = media.grid(images, columns=2, gap=1, scale=3, background=77)
    assert sheet.shape == (3 * (3 * 5 + 1), 3 * (2 * 4 + 1))
    small = sheet[1::3, 1::3]
    assert np.array_equal(small.repeat(3, 0).repeat(3, 1), sheet), "upscaling is by whole pixels"
    for i, image in enumerate(images):
        y, x = 1 + (i // 2) * 5, 1 + (i % 2) * 4
        assert np.array_equal(small[y : y + 4, x : x + 3], image)
        small[y : y + 4, x : x + 3] = 77
    assert (small == 77).all()


def test_grid_of_one_is_the_image() -> None:
    image = RNG.uniform(-1, 1, (1, 1, 28, 28)).astype(np.float32)
    assert np.array_equal(media.grid(image), media.to_uint8(image[0, 0]))


@pytest.mark.parametrize(
    ("images", "options", "match"),
    [
        (np.zeros((2, 2, 4, 4)), {}, "shape"),
        (np.zeros((0, 4, 4)), {}, "shape"),
        (np.zeros((2, 4, 4)), {"columns": 0}, "columns"),
        (np.zeros((2, 4, 4)), {"scale": 0}, "scale"),
        (np.zeros((2, 4, 4)), {"gap": -1}, "gap"),
    ],
)
def test_grid_refuses_nonsense(images: np.ndarray, options: dict[str, int], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        media.grid(images, **options)


def test_png_is_exactly_the_grid_and_never_overwrites(tmp_path: Path) -> None:
    images = RNG.uniform(-1, 1, (4, 28, 28))
    first = media.save_png(tmp_path / "new" / "digits.png", images, scale=2)
    again = media.save_png(tmp_path / "new" / "digits.png", -images, scale=2)
    third = media.save_png(tmp_path / "new" / "digits.png", images, scale=2)
    assert [path.name for path in (first, again, third)] == ["digits.png", "digits-2.png", "digits-3.png"]
    assert np.array_equal(np.asarray(Image.open(first)), media.grid(images, scale=2))
    assert np.array_equal(np.asarray(Image.open(again)), media.grid(-images, scale=2))
    assert sorted(path.name for path in first.parent.iterdir()) == [
        "digits-2.png",
        "digits-3.png",
        "digits.png",
    ]


def test_gif_frames_are_exact_and_keep_time(tmp_path: Path) -> None:
    frames = RNG.uniform(-1, 1, (30, 12, 8, 8))
    path = media.save_gif(tmp_path / "walk.gif", frames, fps=15, scale=2, hold=1.0)
    with Image.open(path) as gif:
        assert gif.n_frames == 30
        assert gif.info["loop"] == 0, "for ever"
        durations = []
        for index, frame in enumerate(frames):
            gif.seek(index)
            durations.append(gif.info["duration"])
            assert np.array_equal(np.asarray(gif.convert("L")), media.grid(frame, scale=2))
    assert sum(durations) == 2000 + 1000, "30 frames at 15 a second, the last held a second longer"
    assert max(durations[:-1]) - min(durations[:-1]) <= 10


@pytest.mark.parametrize("fps", [0, -1, 51])
def test_gif_refuses_a_speed_it_cannot_show(tmp_path: Path, fps: float) -> None:
    with pytest.raises(ValueError, match="fps"):
        media.save_gif(tmp_path / "x.gif", np.zeros((2, 4, 4)), fps)
    assert list(tmp_path.iterdir()) == []


def test_gif_refuses_no_frames_and_mixed_shapes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        media.save_gif(tmp_path / "x.gif", [])
    with pytest.raises(ValueError, match="one shape"):
        media.save_gif(tmp_path / "x.gif", [np.zeros((4, 4)), np.zeros((5, 4))])
    assert list(tmp_path.iterdir()) == []


def test_npz_holds_samples_and_labels_without_pickle(tmp_path: Path) -> None:
    samples = RNG.uniform(-1, 1, (3, 1, 4, 4))
    labels = np.array([7, 0, 9])
    with np.load(media.save_npz(tmp_path / "s.npz", samples, labels), allow_pickle=False) as stored:
        assert stored["samples"].dtype == np.float32
        assert np.array_equal(stored["samples"], samples.astype(np.float32))
        assert np.array_equal(stored["labels"], labels)
    with np.load(media.save_npz(tmp_path / "s.npz", samples)) as stored:
        assert set(stored.files) == {"samples"}
    with pytest.raises(ValueError, match="labels"):
        media.save_npz(tmp_path / "s.npz", samples, labels[:2])
    with pytest.raises(ValueError, match="shape"):
        media.save_npz(tmp_path / "s.npz", samples[0])


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DifftuiError, match="Cannot write") as raised:
        media.save_png(tmp_path / "file" / "x.png", np.zeros((4, 4)))
    assert "\n" not in str(raised.value)
    if os.geteuid() != 0:  # root writes everywhere
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(DifftuiError, match="Permission denied"):
            media.save_npz(tmp_path / "closed" / "x.npz", np.zeros((1, 1, 4, 4)))


def test_unused_path_counts_past_dangling_links(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "nowhere")
    assert media.unused_path(tmp_path / "a.png") == tmp_path / "a-2.png"
    assert media.unused_path(tmp_path / "b.png") == tmp_path / "b.png"


def test_colours_come_back_from_a_png_exactly_and_from_a_gif_nearly(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (4, 3, 5, 6), dtype=np.uint8)
    sheet = media.grid(images, columns=2, gap=1)
    assert sheet.shape == (2 * 6 + 1, 2 * 7 + 1, 3)
    assert np.array_equal(sheet[1:6, 8:14], images[1].transpose(1, 2, 0))
    with Image.open(media.save_png(tmp_path / "a.png", images, columns=2, scale=1)) as png:
        assert png.mode == "RGB"
        wanted = media.grid(images, columns=2)
        assert np.array_equal(np.asarray(png), wanted)
    frames = [np.full((1, 3, 8, 8), level, np.float32) * [[[[1]], [[0]], [[-1]]]] for level in (-1, 1)]
    with Image.open(media.save_gif(tmp_path / "a.gif", frames, scale=1)) as gif:
        assert gif.n_frames == 2
        for index, frame in enumerate(frames):
            gif.seek(index)
            shown = np.asarray(gif.convert("RGB")).astype(int)
            assert np.abs(shown - media.grid(frame)).max() <= 8


def test_captions_stand_under_their_pictures(tmp_path: Path) -> None:
    images = np.stack([np.full((4, 4), level) for level in (-1.0, 0.0, 1.0)])
    captions = [("one",), ("two", "with a second line"), ("three",)]
    path = media.save_captioned(
        tmp_path / "sheet.png", images, captions, title="a title", columns=2, scale=20
    )
    with Image.open(path) as sheet:
        grey = np.asarray(sheet.convert("L"))
    places = []
    for level in (0, 128):
        same = np.lib.stride_tricks.sliding_window_view(grey == level, (80, 80)).all(axis=(2, 3))
        ((top, left),) = np.argwhere(same)
        places.append((top, left))
        assert grey[top + 80 : top + 104, left : left + 80].min() < 100, "words below it"
    assert places[0][0] == places[1][0]
    assert places[0][1] + 80 < places[1][1]
    assert grey[: places[0][0]].min() < 100, "the title"
    with pytest.raises(ValueError, match="2 captions for 3 images"):
        media.save_captioned(tmp_path / "no.png", images, captions[:2])
