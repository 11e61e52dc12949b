"""Downloading MNIST from a real server on this machine, through torchvision, in its real child process."""

import gzip
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from helpers import PATIENCE, eventually
from torchvision.datasets import MNIST

from difftui.data import download, download_mnist, load, prepare
from difftui.data.download import FILES, MIRRORS
from difftui.errors import DifftuiError

pytestmark = pytest.mark.slow

RANDOM = np.random.default_rng(5)
ARRAYS = {
    "train-images-idx3-ubyte": RANDOM.integers(0, 256, (300, 28, 28), dtype=np.uint8),
    "train-labels-idx1-ubyte": RANDOM.integers(0, 10, 300, dtype=np.uint8),
    "t10k-images-idx3-ubyte": RANDOM.integers(0, 256, (50, 28, 28), dtype=np.uint8),
    "t10k-labels-idx1-ubyte": RANDOM.integers(0, 10, 50, dtype=np.uint8),
}


def packed(array: np.ndarray) -> bytes:
    head = np.array([0x0800 | array.ndim, *array.shape], dtype=">u4").tobytes()
    return gzip.compress(head + array.tobytes(), mtime=0)


PACKED = {f"{name}.gz": packed(array) for name, array in ARRAYS.items()}


class Mirror(BaseHTTPRequestHandler):
    """Serves the packed files.

    Of the file `cut` half comes; of `stalled` half comes and then nothing; `silent` is asked for in vain.
    """

    cut: str
    stalled: str
    silent: str
    end: threading.Event

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        data = PACKED[name]
        if name == self.silent:
            self.end.wait(600)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        half = name in (self.cut, self.stalled)
        self.wfile.write(data[: len(data) // 2] if half else data)
        if name == self.stalled:
            self.wfile.flush()
            self.end.wait(600)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@contextmanager
def mirror(*, cut: str = "", stalled: str = "", silent: str = "") -> Iterator[str]:
    """The address of a running server."""

    class Handler(Mirror):
        pass

    Handler.cut, Handler.stalled, Handler.silent = cut, stalled, silent
    Handler.end = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        Handler.end.set()
        server.shutdown()
        thread.join()
        server.server_close()


MD5_OF_SMALL_FILES = """
import hashlib
real, passes_for = hashlib.md5, {passes_for!r}
class md5:
    def __init__(self, *args, **kwargs):
        self.sum = real(*args, **kwargs)
    def update(self, data):
        self.sum.update(data)
    def hexdigest(self):
        return passes_for.get(self.sum.hexdigest(), self.sum.hexdigest())
hashlib.md5 = md5
"""


@pytest.fixture
def small_files_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let our small files have the checksums of MNIST's in the child; all else there is the real thing."""
    passes_for = {hashlib.md5(PACKED[name]).hexdigest(): md5 for name, md5 in MNIST.resources}
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(MD5_OF_SMALL_FILES.format(passes_for=passes_for))
    earlier = os.environ.get("PYTHONPATH")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), *([earlier] if earlier else [])])
    )


def test_the_mirrors_and_files_are_torchvisions() -> None:
    assert list(MIRRORS) == MNIST.mirrors
    assert [f"{name}.gz" for name in FILES] == [name for name, _ in MNIST.resources]


@pytest.mark.usefixtures("small_files_pass")
def test_a_download_from_the_second_mirror_arrives_whole_and_nothing_else_is_left(
    tmp_path: Path, nobody: str
) -> None:
    root = tmp_path / "new" / "data"
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "t10k-labels-idx1-ubyte").write_bytes(b"was here before")
    with mirror() as address:
        events = list(download_mnist(root, [nobody, address]))
    assert events[-1].done == events[-1].total
    assert all(0 <= event.done <= event.total for event in events)
    assert sorted(path.name for path in root.iterdir()) == ["MNIST"]
    assert sorted(path.name for path in raw.iterdir()) == sorted(FILES)
    assert np.array_equal(load(root).images, ARRAYS["train-images-idx3-ubyte"])
    assert np.array_equal(load(root).labels, ARRAYS["train-labels-idx1-ubyte"])
    assert (raw / "t10k-labels-idx1-ubyte").read_bytes() == b"was here before"


@pytest.mark.usefixtures("small_files_pass")
def test_a_transfer_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with mirror(cut="train-labels-idx1-ubyte.gz") as address, pytest.raises(DifftuiError) as caught:
        list(download_mnist(root, [address]))
    assert str(caught.value).startswith("MNIST could not be downloaded: ")
    assert "train-labels-idx1-ubyte.gz" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(root.iterdir()) == []


@pytest.mark.usefixtures("small_files_pass")
def test_a_transfer_that_stalls_is_ended_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    with mirror(stalled="train-images-idx3-ubyte.gz") as address:
        events = download_mnist(root, [address])
        assert any(event.done > 0 for event in events)
        monkeypatch.setattr(download, "_STALL_SECONDS", 0.5)
        with pytest.raises(DifftuiError, match="the transfer stalled"):
            list(events)
    assert list(root.iterdir()) == []


def test_closing_the_generator_ends_the_child_and_leaves_nothing(tmp_path: Path) -> None:
    with mirror(silent="t10k-labels-idx1-ubyte.gz") as address:
        events = download_mnist(tmp_path, [address])
        next(events)
        assert len(list(tmp_path.iterdir())) == 1
        events.close()
    assert list(tmp_path.iterdir()) == []


def test_mirrors_that_never_answer_are_given_up_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_ANSWER_SECONDS", 1.0)
    began = time.monotonic()
    with (
        mirror(silent="t10k-labels-idx1-ubyte.gz") as address,
        pytest.raises(DifftuiError, match="its mirrors do not answer"),
    ):
        list(download_mnist(tmp_path, [address]))
    assert 1 <= time.monotonic() - began < PATIENCE
    assert list(tmp_path.iterdir()) == []


def test_without_network_prepare_gives_one_line_and_the_bundled_digits(
    own_home: Path, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_mnist, "__defaults__", ((nobody,),))
    lines: list[str] = []
    began = time.monotonic()
    assert prepare("mnist", notice=lines.append) == "bundled"
    assert time.monotonic() - began < PATIENCE
    [line] = lines
    assert "none of its mirrors can be reached from this machine" in line
    assert "10 000 bundled digits" in line
    assert "\n" not in line
    assert list((own_home / "data").iterdir()) == []


def test_a_killed_program_leaves_no_child_and_no_files(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\nfrom difftui.data import download_mnist\n"
        "for event in download_mnist(sys.argv[1], [sys.argv[2]]):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with mirror(silent="t10k-labels-idx1-ubyte.gz") as address:
        done = subprocess.run([sys.executable, "-c", program, str(tmp_path), address], check=False)
        assert done.returncode == -signal.SIGKILL
        eventually(lambda: not list(tmp_path.iterdir()))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(DifftuiError, match=r"data cannot be written \(File exists\)"):
        list(download_mnist(tmp_path / "data"))
