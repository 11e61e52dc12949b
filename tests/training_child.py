"""A process that trains for the tests of faults: ``python training_child.py MODE``, orders on stdin.

``forks``: for every path on a line, a forked child trains that run until it is killed; its pid is answered.
torch is loaded once, so that hundreds of trainings can be started and killed in seconds.

``full``: trains the path on the first line; after three steps no file may grow beyond 2 kB, until a line says
that there is room again. Answers with what the training yields.

``greedy``: trains the path on the first line with more images a step than its memory can hold, and
answers with the error and the batch that it advises.

``hold``: trains the run on the first line for one step, answers, and keeps the run.
"""

import os
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import torch

from difftui.data import Digits, bundled
from difftui.runs import Run
from difftui.training import Recipe, session
from difftui.training.memory import OutOfMemory
from difftui.training.progress import Hold
from difftui.training.session import Session, train

SAVE_SECONDS = 0.02
ROOM = 2000  # bytes


def tiny(steps: int = 10**6) -> Recipe:
    """A real training whose steps take a few milliseconds."""
    return Recipe(
        name="tiny",
        model="patch-unet",
        model_options={"width": 8, "middle_width": 8, "middle_blocks": 1},
        data="bundled",
        batch_size=4,
        ema_decay=0.9,
        precision="fp32",
        steps=steps,
    )


def digits() -> Digits:
    """Five batches."""
    return Digits(bundled().images[:20], bundled().labels[:20], "20 bundled digits")


def next_line() -> str:
    """The next order; the process ends where there is none."""
    line = sys.stdin.readline()
    if not line:
        raise SystemExit
    return line.strip()


def forks() -> None:
    """Fork a training for every path."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps
    session.SAVE_SECONDS = SAVE_SECONDS
    session.REPORT_SECONDS = 0.0
    shown = digits()
    next(train(tiny(), digits=shown))  # what a process does once and slowly, done before the forks
    while True:
        path = Path(next_line())
        pid = os.fork()
        if pid == 0:
            for _ in train(tiny(), Run(path), digits=shown, resume=True):
                pass
            os._exit(0)
        print(pid, flush=True)


def full() -> None:
    """Train on a disk that is full for a while."""
    session.SAVE_SECONDS = session.REPORT_SECONDS = 0.0
    events = Session(tiny(), Run(Path(next_line())), digits=digits()).events()

    def tell() -> None:
        event = next(event for event in events if event is not None)
        print(event.message if isinstance(event, Hold) else f"step {event.step}", flush=True)

    for _ in range(3):
        tell()
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, most))
    for _ in range(2):
        tell()
    next_line()
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    for _ in range(2):
        tell()
    events.close()


def greedy() -> None:
    """Train with too little memory."""
    path = Path(next_line())
    images = np.zeros((16_384, 28, 28), np.uint8)
    many = Digits(images, np.zeros(len(images), np.uint8), "empty pictures")
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, resource.RLIM_INFINITY))
    try:
        next(train(replace(tiny(), batch_size=len(images)), Run(path), digits=many))
    except OutOfMemory as error:
        print(error, error.batch_size, flush=True)


def hold() -> None:
    """Have a run and do nothing with it."""
    events = train(tiny(), Run(Path(next_line())), digits=digits())
    next(events)
    print("holding", flush=True)
    next_line()


if __name__ == "__main__":
    torch.set_num_threads(1)
    {"forks": forks, "full": full, "greedy": greedy, "hold": hold}[sys.argv[1]]()
