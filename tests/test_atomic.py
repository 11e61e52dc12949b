"""Atomic writing: whole or not at all, with real files and a real killed process."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from difftui import atomic


def test_text_and_bytes_arrive_exactly(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "ᾱ.json", "β̃\r\nline\n")
    assert (tmp_path / "ᾱ.json").read_bytes() == "β̃\r\nline\n".encode()
    atomic.write_bytes(tmp_path / "deep" / "er" / "x.bin", bytes(range(256)))
    assert (tmp_path / "deep" / "er" / "x.bin").read_bytes() == bytes(range(256))


def test_a_failing_block_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"old")

    def write_half() -> None:
        with atomic.replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text("old")
    code = (
        "import os, signal, sys\nfrom difftui import atomic\n"
        "with atomic.replacing(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    left = [entry.name for entry in tmp_path.iterdir() if entry != path]
    assert all(name.startswith(".") for name in left)


def test_temporary_name_is_a_hidden_neighbour_with_the_same_suffix(tmp_path: Path) -> None:
    with atomic.replacing(tmp_path / "grid.png") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".png"
        assert temporary.name.startswith(".")


@pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX")
def test_mode_follows_the_umask_and_links_are_followed(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        atomic.write_text(tmp_path / "real.txt", "1")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "real.txt").stat().st_mode) == 0o644

    (tmp_path / "link.txt").symlink_to("real.txt")
    atomic.write_text(tmp_path / "link.txt", "2")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "2"


def test_a_folder_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError):
        atomic.write_text(tmp_path / "file" / "x.txt", "")
    assert (tmp_path / "file").read_text() == "in the way"
