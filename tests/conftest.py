"""What every test shares."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from nursery import Nursery
from textual import app as textual_app
from textual import pilot as textual_pilot
from textual._wait import wait_for_idle

# The same examples on every run, and no complaint about the time of one: machines are shared.
settings.register_profile("difftui", derandomize=True, deadline=None)
settings.load_profile("difftui")

# One thread a test process: pytest-xdist already fills the cores, and two such processes with two threads
# each spend their time waiting for one another. Set before torch is imported; children inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
_DATA_OF_THIS_MACHINE = os.environ.get("DIFFTUI_DATA")
# What the environment tells of the terminal, of settings and of who started us is the same everywhere,
# also for what tests start. The servers that tests ask are on this machine.
os.environ |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "NO_PROXY": "*", "no_proxy": "*"}
_ELSEWHERE = {"NO_COLOR", "COLORTERM", "COLORFGBG", "FORCE_COLOR", "COLUMNS", "LINES", "TORCHELASTIC_RUN_ID"}
_ELSEWHERE |= {name for name in os.environ if name.startswith(("DIFFTUI_", "TEXTUAL"))}
for _name in _ELSEWHERE:
    os.environ.pop(_name, None)
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup children would ignore the hang-ups we test

_ROOT = Path(__file__).parents[1]


_ROUNDS = 20  # of the event loop: more than a key needs to get from the driver to what it does


async def _wait_until_all_is_done(min_sleep: float = 0.02, max_sleep: float = 1.0) -> None:
    """Textual's wait after a key and in a pause, which takes a process without a processor for an idle one.

    What was ready to be done meanwhile is done before the test looks, however busy the machine is.
    """
    await wait_for_idle(min_sleep, max_sleep)
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)


for _module in (textual_app, textual_pilot):
    vars(_module)["wait_for_idle"] = _wait_until_all_is_done


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees or touches the runs, data, settings and state of whoever starts the tests."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("DIFFTUI_HOME", str(home))
    monkeypatch.setenv("DIFFTUI_CONFIG", str(home / "settings.toml"))
    monkeypatch.setenv("DIFFTUI_STATE", str(home / "state.json"))
    return home


@pytest.fixture
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture comes to rest by itself: between two frames of a busy machine there may be half a second."""
    from difftui.ui.widgets import pixels

    monkeypatch.setattr(pixels, "REST_SECONDS", 1e6)


@pytest.fixture
def nobody() -> Iterator[str]:
    """The address of a port of this machine that is ours, and at which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


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
