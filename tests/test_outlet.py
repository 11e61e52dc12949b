"""Writing to real terminals and pipes that are slow, stuck or gone."""

import fcntl
import os
import select
import threading
import time
from collections.abc import Iterator

import pytest
from helpers import PATIENCE, eventually
from nursery import Pty

from difftui.outlet import Outlet


@pytest.fixture
def terminal() -> Iterator[Pty]:
    pty = Pty()
    yield pty
    pty.close()


def fills(terminal: Pty) -> None:
    """Wait until the terminal takes no more."""
    eventually(lambda: not select.select([], [terminal.near], [], 0)[1])


def test_everything_arrives_in_order(terminal: Pty) -> None:
    outlet = Outlet(terminal.near)
    texts = [f"{number} ".encode() * 50 for number in range(300)]
    for text in texts:
        outlet.put(text)
    said = b""
    while not outlet.settle(0) or not said.endswith(texts[-1]):
        said += terminal.read_for(0.01)
    assert said == b"".join(texts)
    link = outlet.link
    assert (link.written, link.backlog, link.waiting, link.dead) == (len(said), 0, 0.0, False)
    assert 0 < link.latency < 60
    assert outlet.finish(PATIENCE)


@pytest.mark.parametrize("kind", ["terminal", "pipe"])
def test_one_that_nobody_reads_makes_nobody_wait(terminal: Pty, kind: str) -> None:
    read, write = os.pipe()
    outlet = Outlet(terminal.near if kind == "terminal" else write)
    waits = []
    for _ in range(1000):
        began = time.monotonic()
        outlet.put(b"x" * 1000)
        waits.append(time.monotonic() - began)
    assert sorted(waits)[500] < 0.01, "a busy machine may hold up some"
    eventually(lambda: outlet.link.written and outlet.link.waiting >= 0.2)
    link = outlet.link
    assert 0 < link.written < 200_000
    assert link.written + link.backlog == 1_000_000
    began = time.monotonic()
    assert not outlet.finish(0.3)
    assert time.monotonic() - began < PATIENCE
    outlet.put(b"too late")
    assert outlet.link.backlog == 0
    os.close(read)
    os.close(write)


def test_the_shell_keeps_a_terminal_that_blocks(terminal: Pty) -> None:
    outlet = Outlet(terminal.near)
    outlet.put(b"x" * 200_000)
    eventually(lambda: outlet.link.written)
    assert not fcntl.fcntl(terminal.near, fcntl.F_GETFL) & os.O_NONBLOCK
    outlet.finish(0)


@pytest.mark.parametrize("how", ["hung up", "hung up while stuck", "closed"])
def test_one_that_is_gone_takes_everything(terminal: Pty, how: str) -> None:
    read, write = os.pipe()
    outlet = Outlet(write if how == "closed" else terminal.near)
    if how == "hung up while stuck":
        outlet.put(b"x" * 200_000)
        fills(terminal)
    if how == "closed":
        os.close(write)
    else:
        terminal.hang_up()
    outlet.put(b"for nobody")
    eventually(lambda: outlet.link.dead)
    outlet.put(b"for nobody")
    assert outlet.link.backlog == 0
    assert outlet.settle(0)
    assert not outlet.finish(5)
    os.close(read)


def test_what_waits_is_forgotten_between_two_sequences(terminal: Pty) -> None:
    outlet = Outlet(terminal.near)
    frame = "".join(f"\x1b[{row};1H\x1b[48;5;{row % 256}mé{row}" for row in range(1, 20_001)).encode()
    outlet.put(frame)
    outlet.put(b"never seen")
    fills(terminal)
    outlet.forget()
    outlet.put(b"\x1b[?1049l")
    said = b""
    while not said.endswith(b"\x1b[?1049l"):
        said += terminal.read_for(0.01)
    kept = said.removesuffix(b"\x1b[?1049l")
    assert frame.startswith(kept)
    assert frame[len(kept) :].startswith(b"\x1b")  # nothing is cut in two
    assert 0 < len(kept) < len(frame)
    outlet.finish(1)


def test_the_last_words_come_before_what_waits(terminal: Pty) -> None:
    outlet = Outlet(terminal.near)
    for number in range(400):
        outlet.put(b"\x1b[0m%05d" % number * 100)
    fills(terminal)
    said, last = bytearray(), b"\x1b[?1049lgoodbye"

    def ended() -> bool:
        said.extend(terminal.read())
        return said.endswith(last)

    reader = threading.Thread(target=eventually, args=(ended,))
    reader.start()
    assert outlet.finish(PATIENCE, last)
    reader.join()
    assert said.endswith(last)
    assert terminal.read() == b""
    assert len(said) < 200_000  # of 360 000
