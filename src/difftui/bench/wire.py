"""A terminal that only listens: the real app runs on it, and every byte for the wire is kept."""

from __future__ import annotations

from textual.drivers.headless_driver import HeadlessDriver


def recording_driver(sink: list[str]) -> type[HeadlessDriver]:
    """A driver class for `App(driver_class=…)` that appends what the app writes to `sink`.

    Unlike Textual's headless driver it makes the app render for a terminal. Run the app with
    `run_async(headless=False, size=…)`.
    """

    class RecordingDriver(HeadlessDriver):
        @property
        def is_headless(self) -> bool:
            return False

        def write(self, data: str) -> None:
            sink.append(data)

    return RecordingDriver


def wire_bytes(sink: list[str]) -> int:
    """Bytes in `sink`, as they would go through the link."""
    return sum(len(data.encode()) for data in sink)
