"""What every test shares."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from nursery import Nursery

# The same examples on every run, and no complaint about the time of one: machines are shared.
settings.register_profile("difftui", derandomize=True, deadline=None)
settings.load_profile("difftui")

# One thread a test process: pytest-xdist already fills the cores, and two such processes with two threads
# each spend their time waiting for one another. Set before torch is imported; children inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Pictures are drawn for the terminal that the environment tells of: the same one everywhere.
os.environ |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
for _name in ("NO_COLOR", "COLORTERM"):
    os.environ.pop(_name, None)
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup children would ignore the hang-ups we test

_ROOT = Path(__file__).parents[1]
_DATA_OF_THIS_MACHINE = os.environ.pop("DIFFTUI_DATA", None)  # also from what tests start


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees or touches the runs, data, settings and state of whoever starts the tests."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("DIFFTUI_HOME", str(home))
    monkeypatch.setenv("DIFFTUI_CONFIG", str(home / "settings.toml"))
    monkeypatch.setenv("DIFFTUI_STATE", str(home / "state.json"))
    return home


@pytest.fixture(scope="session")
def full_mnist() -> Path:
    """A data folder with all of MNIST: $DIFFTUI_DATA, or shared/data beside the checkout; else a skip."""
    named = [Path(_DATA_OF_THIS_MACHINE)] if _DATA_OF_THIS_MACHINE else []
    for folder in [*named, _ROOT.parent / "shared" / "data"]:
        if (folder / "MNIST" / "raw" / "train-images-idx3-ubyte").is_file():
            return folder
    pytest.skip("full MNIST is not on this machine; set DIFFTUI_DATA to test against it")


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where real difftui processes come from in a fraction of a second."""
    parent = Nursery()
    yield parent
    parent.close()
