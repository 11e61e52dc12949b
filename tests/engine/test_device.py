"""Where to compute: what is asked for, what is there, how many cores."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from difftui.engine import device as device_module
from difftui.engine.device import Device, configure_threads, pick_device, usable_cores
from difftui.errors import DifftuiError


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def three_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Three CUDA devices in another order than the driver's tool lists them; returns the tool's answer."""
    answer = tmp_path / "answer"
    answer.write_text("GPU-bbb, 100\nGPU-ccc, 81000\nGPU-aaa, 70000\nGPU-zzz, 99000\n")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"GPU {index}")
    uuids = [SimpleNamespace(uuid=uuid) for uuid in ("aaa", "bbb", "ccc")]
    monkeypatch.setattr(torch.cuda, "get_device_properties", uuids.__getitem__)
    code = "import sys; sys.stdout.write(open(sys.argv[1]).read())"
    monkeypatch.setattr(device_module, "NVIDIA_SMI", (sys.executable, "-c", code, str(answer)))
    return answer


def test_the_cpu_says_why(no_gpu: None) -> None:
    device = pick_device()
    assert device.torch_device_name == "cpu"
    assert device.label.startswith("CPU, ")
    assert device.why == "PyTorch finds no GPU here"
    assert pick_device("cpu").why == "asked for"


@pytest.mark.parametrize("request_", ["cuda", "cuda:0", "cuda:99999", "mps", "tpu", "", "CPU", "cuda:-1"])
def test_a_device_that_is_not_there(no_gpu: None, request_: str) -> None:
    with pytest.raises(DifftuiError, match=r"Use one of: auto, cpu\."):
        pick_device(request_)


def test_the_gpu_with_most_free_memory(three_gpus: Path) -> None:
    best = Device("cuda:2", "GPU 2", "the most free memory of 3 CUDA devices (79 GiB)")
    assert pick_device() == pick_device("cuda") == best
    assert pick_device("cuda:1") == Device("cuda:1", "GPU 1", "asked for")
    assert pick_device("cpu").torch_device_name == "cpu"
    with pytest.raises(DifftuiError, match=r"Use one of: auto, cpu, cuda:0, cuda:1, cuda:2"):
        pick_device("cuda:3")


@pytest.mark.parametrize("answer", ["", "GPU-aaa, 100\n", "no devices\n", "GPU-aaa, [N/A]\n"])
def test_free_memory_that_cannot_be_read(three_gpus: Path, answer: str) -> None:
    three_gpus.write_text(answer)
    assert pick_device() == Device(
        "cuda:0", "GPU 0", "the first of 3 CUDA devices; how full they are could not be read"
    )


def test_a_machine_without_the_tool(three_gpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "NVIDIA_SMI", ("difftui-no-such-tool",))
    assert pick_device().torch_device_name == "cuda:0"


def test_threads_are_the_cores_we_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    try:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        assert configure_threads() == min(usable_cores(), device_module.MOST_THREADS)
        torch.set_num_threads(1)
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        assert configure_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be taken away here")
def test_cores_taken_away_are_not_counted() -> None:
    mine = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(mine)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, mine)


@pytest.mark.parametrize(
    ("text", "cores"),
    [("200000 100000\n", 2), ("50000 100000\n", 0), ("max 100000\n", 64), ("", 64), ("1 0\n", 64)],
)
def test_a_containers_quota(tmp_path: Path, text: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert device_module._quota(tmp_path / "cpu.max", 64) == cores


def test_no_quota(tmp_path: Path) -> None:
    assert device_module._quota(tmp_path / "cpu.max", 64) == 64
