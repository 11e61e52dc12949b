"""The device line, from readings written out by hand."""

from difftui.engine.nvml import Usage
from difftui.engine.telemetry import DeviceStats
from difftui.ui.panels.device_line import device_line

GIB = 2**30
GPU = DeviceStats(
    "gpu", "NVIDIA H200", 0.87, 70 * GIB, 140 * GIB, 3 * GIB, 512.4, 700.0, 61,
    (Usage("ann", 60 * GIB, 2), Usage("bob", None, 1), Usage("cem", GIB, 1)), 5 * GIB,
)  # fmt: skip


def test_everything_that_can_be_read_is_there() -> None:
    line = device_line(GPU, 200).plain
    assert line.split(" · ") == [
        " NVIDIA H200", " 87% busy", "memory 70 of 140 GiB", "ours 3.0 GiB",
        "others: ann 60 GiB, bob ?, 1 more, unknown 5.0 GiB", "512 of 700 W", "61 °C",
    ]  # fmt: skip


def test_what_cannot_be_read_is_left_out() -> None:
    assert device_line(DeviceStats("cpu", "CPU, 2 cores", 0.5), 80).plain == " CPU, 2 cores ·  50% busy"
    assert device_line(None, 80).plain == ""


def test_it_fits_its_width() -> None:
    for width in range(20, 160, 7):
        assert len(device_line(GPU, width).plain) <= max(width, len(" NVIDIA H200"))
    assert "others: ann" in device_line(GPU, 120).plain, "who else is there comes before watts"
