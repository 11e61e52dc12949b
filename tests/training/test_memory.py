"""Out of memory: really, on the CPU; for other devices what PyTorch says is quoted here as it says it."""

import os
import re
import subprocess
import sys

import pytest
import torch

from difftui.errors import DifftuiError
from difftui.training.memory import OutOfMemory, out_of_memory

CPU, GPU = torch.device("cpu"), torch.device("cuda:1")
GIB = 2**30


def test_the_cpu_really_has_not_enough() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(2**50, dtype=torch.uint8)
    told = out_of_memory(refused.value, CPU, 64)
    assert isinstance(told, DifftuiError)
    assert told.batch_size == 32
    found = re.fullmatch(
        rf"the CPU has not enough free memory: {2**20} GiB were asked for, ([\d.]+) GiB of ([\d.]+) GiB "
        r"are free\. Halve the batch \(--batch-size 32\)\.",
        str(told),
    )
    assert found is not None
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    assert 0 < float(found[1]) < float(found[2]) == pytest.approx(total, abs=0.51)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 79 GiB 1.1 are free, and this process has 0.9."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (int(1.1 * GIB), 79 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: int(0.9 * GIB))


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            "CUDA out of memory. Tried to allocate 3.20 GiB. GPU 1 has a total capacity of 79.10 GiB of "
            "which 1.10 GiB is free. Process 77 has 77.00 GiB memory in use. Of the allocated memory ...",
            "3.2 GiB were asked for, ",
        ),
        ("CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 10.76 GiB total capacity;", "20 MiB were"),
        ("HIP out of memory. Tried to allocate 512 bytes.", "0 MiB were asked for, "),
        ("CUDA error: out of memory\nCUDA kernel errors might be", "memory: 1.1 GiB of 79 GiB are free"),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", "1.1 GiB of 79"),
    ],
)
def test_what_cuda_says(gpu: None, text: str, asked: str) -> None:
    told = str(out_of_memory(RuntimeError(text), GPU, 64))
    assert told.startswith("cuda:1 has not enough free memory: ")
    assert asked in told
    assert "(others use 77 GiB). Halve the batch (--batch-size 32) or choose another device." in told
    assert "\n" not in told


def test_cudas_own_error_is_known_by_its_kind(gpu: None) -> None:
    assert isinstance(out_of_memory(torch.cuda.OutOfMemoryError("?"), GPU, 2), OutOfMemory)


def test_a_device_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(device: torch.device) -> None:
        raise RuntimeError("CUDA error: device lost")

    monkeypatch.setattr(torch.cuda, "mem_get_info", lost)
    told = out_of_memory(RuntimeError("CUDA error: out of memory"), GPU, 3)
    assert str(told) == (
        "cuda:1 has not enough free memory. Halve the batch (--batch-size 1) or choose another device."
    )


def test_metal_says_it_in_megabytes() -> None:
    text = (
        "MPS backend out of memory (MPS allocated: 5.1 GB, max allowed: 9.1 GB). "
        "Tried to allocate 256.00 MB on private pool."
    )
    told = str(out_of_memory(RuntimeError(text), torch.device("mps"), 8))
    assert told.startswith("mps has not enough free memory: 0.2 GiB were asked for. Halve")


def test_one_image_cannot_be_halved() -> None:
    told = out_of_memory(MemoryError(), CPU, 1)
    assert told is not None
    assert told.batch_size is None
    assert str(told).endswith(" are free. Train a smaller network.")


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes differ"), ValueError("out of memory"), OSError(12, "x")]
)
def test_other_errors_are_none_of_this(error: BaseException) -> None:
    assert out_of_memory(error, CPU, 1) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["conditional", "lecture"])  # the two that take most
def test_a_preset_trains_in_two_gigabytes(name: str) -> None:
    """Two steps at the preset's own batch in a process of its own, torch and all included."""
    code = (
        "import resource\n"
        "from difftui.training import Recipe, train\n"
        "from difftui.training.recipe import preset\n"
        "from dataclasses import replace\n"
        f"recipe = replace(preset({name!r}), data='bundled', epochs=None, minutes=None, steps=2)\n"
        "*_, last = train(recipe)\n"
        "print(last.step, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    step, kilobytes = map(int, answer.stdout.split())
    assert step == 2
    assert 200_000 < kilobytes < 2_000_000
