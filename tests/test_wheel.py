"""The wheel, built, installed into an empty environment, and started from there as a user would."""

import fcntl
import importlib.util
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
import venv
import zipfile
from pathlib import Path

import pyte
import pytest

import difftui

ROOT = Path(__file__).parents[1]
BIG_DEPENDENCIES = ("torch", "torchvision", "numpy", "textual", "platformdirs")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that has the wheel; what difftui needs comes from outside.

    The folders of the dependencies are appended to its path. An editable difftui does not come along: the
    file that points to it lies in such a folder, and is only obeyed in an environment's own.
    """
    environment = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(environment, symlinks=True, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(environment)]
    subprocess.run([*pip, "install", "--no-index", "--no-deps", str(wheel)], check=True, capture_output=True)
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "outer.pth").write_text(
        "".join(f"{folder}\n" for folder in sorted(_folders_of_dependencies()))
    )
    return environment / "bin"


def _folders_of_dependencies() -> set[str]:
    found = set()
    for name in BIG_DEPENDENCIES:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        found.add(str(Path(spec.origin).parents[1]))
    return found


def outer_environment(home: Path) -> dict[str, str]:
    """The variables of this process, less those that could bring in the checkout."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "DIFFTUI"))}
    own = {"DIFFTUI_HOME": str(home), "DIFFTUI_STATE": str(home / "state"), "TERM": "xterm-256color"}
    return {**variables, **own}


def run(command: list[str | Path], home: Path) -> str:
    done = subprocess.run(
        command,
        cwd=home,
        env=outer_environment(home),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def files_below(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_the_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        pure = {name for name in names if not name.partition("/")[0].endswith(".dist-info")}
        [entry_points] = [name for name in names if name.endswith("entry_points.txt")]
        assert "difftui = difftui.cli:main" in archive.read(entry_points).decode()
    package = {f"difftui/{name}" for name in files_below(ROOT / "src" / "difftui")}
    for folder in ("assets", "checkpoints"):
        package |= {f"difftui/_data/{folder}/{name}" for name in files_below(ROOT / folder)}
    assert pure == package
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/assets/ATTRIBUTION.md") for name in names)


def test_the_commands_work_from_the_wheel(programs: Path, tmp_path: Path) -> None:
    assert run([programs / "difftui", "--version"], tmp_path) == f"difftui {difftui.__version__}\n"
    told = run([programs / "difftui", "doctor"], tmp_path)
    assert "10 000 bundled MNIST digits" in told
    assert "PROBLEM" not in told


def test_data_and_checkpoints_are_those_in_the_wheel(programs: Path, tmp_path: Path) -> None:
    code = (
        "import difftui.paths as paths\n"
        "from difftui.data import bundled\n"
        "from difftui.runs import shipped_runs\n"
        "print(paths.__file__, paths.assets_dir(), paths.checkpoints_dir(), sep='\\n')\n"
        "print(len(bundled()), *(run.name for run in shipped_runs()))"
    )
    *places, found = run([programs / "python", "-c", code], tmp_path).splitlines()
    assert all(Path(place).is_relative_to(programs.parent) for place in places)
    shipped = sorted(path.parent.name for path in (ROOT / "checkpoints").glob("*/weights.safetensors"))
    draw = [name for name in shipped if (ROOT / "checkpoints" / name / "metrics.jsonl").is_file()]
    assert found.split() == ["10000", *draw]
    assert {"conditional", "denoiser", "lab", "quick", "toy"} <= set(draw)


def test_the_app_opens_from_the_wheel_in_a_terminal_and_leaves_it(programs: Path, tmp_path: Path) -> None:
    screen = pyte.Screen(80, 24)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    app = subprocess.Popen(
        [programs / "difftui"],
        cwd=tmp_path,
        env=outer_environment(tmp_path),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)

    def shown_until(text: str) -> bool:
        deadline = time.monotonic() + 60
        while text not in "\n".join(screen.display):
            readable, _, _ = select.select([ours], [], [], 0.5)
            if readable:
                stream.feed(os.read(ours, 65536))
            if time.monotonic() > deadline or app.poll() is not None:
                return False
        return True

    try:
        assert shown_until("10 000 bundled MNIST digits"), "\n".join(screen.display)
        os.write(ours, b"q")
        deadline = time.monotonic() + 60
        while app.poll() is None and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    os.read(ours, 65536)
                except OSError:  # the other side is closed
                    break
        assert app.wait(timeout=60) == 0
    finally:
        app.kill()
        app.wait()
        os.close(ours)
