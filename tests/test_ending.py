"""Signals in small real processes: heard wherever they find the process, and the end is bounded."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import PATIENCE, eventually

TERM = 128 + signal.SIGTERM


def child(script: str) -> subprocess.Popen[str]:
    """A Python process with this script, once it has said that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert said(process) == "ready"
    return process


def said(process: subprocess.Popen[str]) -> str:
    """Its next line."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def status_of(process: subprocess.Popen[str]) -> int:
    """How it ended; what hangs in it would hang for ten minutes."""
    try:
        return process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        assert process.stdin is not None
        process.stdin.close()


HOLDS_THE_LOCK = """
import os, signal, time
from difftui.ending import EndListener
from difftui.engine import Engine
engine = Engine("cpu")
EndListener(heard=lambda n: (engine.shutdown(5), os._exit(128 + n)))
print("ready", flush=True)
with engine._wake:
    os.kill(os.getpid(), signal.SIGTERM)
    sum(range(100_000))  # its handlers, if there were any, would be called here
while True:
    time.sleep(600)
"""
STUCK_IN_A_CALL = """
import hashlib, os
from difftui.ending import EndListener
EndListener(heard=lambda n: os._exit(128 + n))
print("ready", flush=True)
hashlib.pbkdf2_hmac("sha256", b"", b"", 200_000_000)  # minutes in C, where no Python handler can run
"""
SAVE_HANGS = """
import threading, time
from difftui.ending import EndListener
EndListener(heard=lambda n: threading.Event().wait(), seconds=0.3)
print("ready", flush=True)
while True:
    time.sleep(600)
"""
BLOCK_HANGS = """
import threading, time
from difftui.commands.stopping import stop_signals
with stop_signals(seconds=0.3) as request:
    request.at_once = False
    print("ready", flush=True)
    while True:
        time.sleep(600)
"""
EXIT_HANGS = """
import atexit, sys, threading, time
from difftui.ending import end_within
atexit.register(time.sleep, 600)
end_within(0.3, 143)
print("ready", flush=True)
sys.exit(143)
"""


@pytest.mark.parametrize(
    "script",
    [HOLDS_THE_LOCK, STUCK_IN_A_CALL, SAVE_HANGS, BLOCK_HANGS, EXIT_HANGS],
    ids=["holds the engine's lock", "stuck in a call", "save hangs", "block hangs", "exit hangs"],
)
def test_the_end_comes(script: str) -> None:
    process = child(script)
    time.sleep(0.05)
    if "end_within" not in script:
        process.send_signal(signal.SIGTERM)
    assert status_of(process) == TERM


def test_the_first_signal_counts(tmp_path: Path) -> None:
    process = child(
        f"""
import os, sys, time
from difftui.ending import EndListener
def heard(number):
    print("heard", flush=True)
    sys.stdin.readline()  # a save, which the other signals find under way
    open({str(tmp_path / "heard")!r}, "a").write(f"{{number}} ")
    time.sleep(0.2)
    os._exit(128 + number)
EndListener(heard=heard)
print("ready", flush=True)
while True:
    time.sleep(600)
"""
    )
    process.send_signal(signal.SIGUSR1)
    assert said(process) == "heard"
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1):
        process.send_signal(number)
    print(file=process.stdin, flush=True)
    assert status_of(process) == 128 + signal.SIGUSR1
    assert (tmp_path / "heard").read_text() == f"{signal.SIGUSR1.value} "


def test_a_forked_child_ends_alone() -> None:
    process = child(
        """
import os, signal, sys, time
from difftui.ending import EndListener
listener = EndListener(heard=lambda n: os._exit(128 + n))
read, write = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(write, b"forked")
    time.sleep(600)
os.read(read, 6)
os.kill(pid, signal.SIGTERM)
_, status = os.waitpid(pid, 0)
assert os.WTERMSIG(status) == signal.SIGTERM
print("ready", flush=True)
time.sleep(0.2)
assert listener.number is None
sys.exit(7)
"""
    )
    assert status_of(process) == 7


def test_closing_puts_everything_back() -> None:
    from difftui.ending import EndListener

    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)}
    open_files = len(list(Path("/dev/fd").iterdir()))
    for _ in range(3):
        EndListener().close()
    assert {n: signal.getsignal(n) for n in before} == before
    assert signal.set_wakeup_fd(-1) == -1
    eventually(lambda: len(list(Path("/dev/fd").iterdir())) <= open_files)
