"""What every test shares."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="session")
def make_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Saves a pipeline of a scheduler's class and settings around one small network, and returns its folder.

    Skipped, with a reason, where the extra "diffusers" is not installed.
    """
    pytest.importorskip("diffusers", reason="needs the extra: pip install '.[diffusers]'")
    import torch
    from diffusers import DDIMPipeline, DDPMPipeline, UNet2DModel

    torch.manual_seed(0)
    unet = UNet2DModel(
        sample_size=8,
        in_channels=3,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=(8, 8),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
        attention_head_dim=4,
    ).eval()

    def make(scheduler: Any, *, safe_serialization: bool = True) -> Path:
        ddim = type(scheduler).__name__ == "DDIMScheduler"
        folder = tmp_path_factory.mktemp("pipeline") / "tiny"
        kind = DDIMPipeline if ddim else DDPMPipeline
        kind(unet=unet, scheduler=scheduler).save_pretrained(folder, safe_serialization=safe_serialization)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny(make_pipeline: Callable[..., Path]) -> Path:
    """A DDPM pipeline as diffusers saves it: 8x8, three colours, twenty timesteps."""
    from diffusers import DDPMScheduler

    return make_pipeline(DDPMScheduler(num_train_timesteps=20, beta_end=0.4, variance_type="fixed_large"))
