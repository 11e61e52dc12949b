"""Where to compute: what is asked for, what is there, how many cores."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from difftui.engine import device as device_module
from difftui.engine.device import Device, configure_threads, pick_device, pick_device_among, usable_cores
from difftui.engine.nvml import Gpu, Usage
from difftui.errors import DifftuiError

GIB = 2**30


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def three_gpus(monkeypatch: pytest.MonkeyPatch) -> dict[str, Gpu]:
    """Three CUDA devices that CUDA counts in another order than the driver; what the driver tells of them."""
    told = {
        name: Gpu(f"GPU-{name}", "H200", memory_used=(80 - free) * GIB, memory_free=free * GIB)
        for name, free in (("bbb", 10), ("ccc", 79), ("aaa", 70), ("zzz", 80))
    }
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    seen = [SimpleNamespace(name=f"GPU {i}", uuid=uuid) for i, uuid in enumerate(("aaa", "bbb", "ccc"))]
    monkeypatch.setattr(torch.cuda, "get_device_properties", seen.__getitem__)
    monkeypatch.setattr("difftui.engine.nvml.gpus", lambda: tuple(told.values()))
    for opens_a_context in (
        "mem_get_info",
        "set_device",
        "current_device",
        "memory_allocated",
        "synchronize",
    ):
        monkeypatch.setattr(torch.cuda, opens_a_context, None)
    return told


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


def test_the_gpu_with_most_free_memory(three_gpus: dict[str, Gpu]) -> None:
    why = "the most free memory of 3 CUDA devices (79 GiB); others use 1.0 GiB"
    best = Device("cuda:2", "GPU 2", why, "GPU-ccc")
    assert pick_device() == pick_device("cuda") == best
    assert pick_device("cuda:0") == Device("cuda:0", "GPU 0", "asked for; others use 10 GiB", "GPU-aaa")
    assert pick_device("cpu").torch_device_name == "cpu"
    with pytest.raises(DifftuiError, match=r"Use one of: auto, cpu, cuda:0, cuda:1, cuda:2"):
        pick_device("cuda:3")


def test_who_uses_the_gpu(three_gpus: dict[str, Gpu]) -> None:
    users = tuple(
        Usage(name, gib * GIB, 1) for name, gib in (("ada", 40), ("bob", 20), ("cyd", 5), ("dan", 1))
    )
    three_gpus["bbb"] = replace(three_gpus["bbb"], own_memory=3 * GIB, others=users)
    assert pick_device("cuda:1").why == (
        "asked for; others use 67 GiB (ada 40 GiB, bob 20 GiB, cyd 5.0 GiB, ...)"
    )


def test_as_much_memory_everywhere_takes_the_first(three_gpus: dict[str, Gpu]) -> None:
    for name, gpu in three_gpus.items():
        three_gpus[name] = replace(gpu, memory_used=0, memory_free=80 * GIB)
    assert pick_device().torch_device_name == "cuda:0"
    assert pick_device().why == "the most free memory of 3 CUDA devices (80 GiB)"


def test_one_visible_gpu(three_gpus: dict[str, Gpu], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert pick_device() == Device(
        "cuda:0", "GPU 0", "the one CUDA device here; others use 10 GiB", "GPU-aaa"
    )


@pytest.mark.parametrize("lost", ["unknown", "unread"])
def test_free_memory_that_cannot_be_read(three_gpus: dict[str, Gpu], lost: str) -> None:
    if lost == "unknown":
        del three_gpus["bbb"]
    else:
        three_gpus["bbb"] = Gpu("GPU-bbb", "H200")
    device = pick_device()
    assert device.torch_device_name == "cuda:0"
    assert device.why.startswith("the first of 3 CUDA devices; how full they are could not be read")


def test_no_driver(three_gpus: dict[str, Gpu]) -> None:
    three_gpus.clear()
    assert pick_device() == Device(
        "cuda:0", "GPU 0", "the first of 3 CUDA devices; how full they are could not be read", None
    )


@pytest.mark.parametrize("visible", ["", "-1", "GPU-nothing"])
def test_gpus_that_are_hidden(no_gpu: None, monkeypatch: pytest.MonkeyPatch, visible: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert pick_device().why == "PyTorch finds no GPU here"
    monkeypatch.setattr("difftui.engine.nvml.gpus", lambda: (Gpu("GPU-aaa", "H200"),))
    assert pick_device().why == f"CUDA_VISIBLE_DEVICES={visible!r} shows no GPU of this machine"


def test_each_process_has_its_gpu(three_gpus: dict[str, Gpu]) -> None:
    assert [pick_device_among(number).torch_device_name for number in range(3)] == [
        "cuda:0",
        "cuda:1",
        "cuda:2",
    ]
    assert pick_device_among(7, "cpu").torch_device_name == "cpu"
    with pytest.raises(DifftuiError, match="process 4 finds only 3 CUDA devices"):
        pick_device_among(3, "cuda")
    with pytest.raises(DifftuiError, match="several processes cannot share 'cuda:1'"):
        pick_device_among(0, "cuda:1")


def test_processes_share_the_cpu(no_gpu: None) -> None:
    assert pick_device_among(5).torch_device_name == "cpu"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_looking_at_gpus_opens_no_context() -> None:
    """In a process of its own: after the choice, the driver knows no process of that id on any GPU."""
    code = """
import os, pynvml
from difftui.engine.device import pick_device
assert pick_device().uuid
pynvml.nvmlInit()
for index in range(pynvml.nvmlDeviceGetCount()):
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    pids = [one.pid for one in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)]
    assert os.getpid() not in pids
"""
    subprocess.run([sys.executable, "-c", code], check=True)


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
