"""Bringing a training into a process of its own: it takes as long as importing torch, so in a thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from difftui.engine.detached import start_detached
from difftui.engine.job import Job
from difftui.engine.training import TrainingView
from difftui.errors import DifftuiError
from difftui.runs import Run, create_run
from difftui.training.recipe import Recipe

__all__ = ["Handover", "begin_apart", "move_apart", "resume_apart"]

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.05


class Handover:
    """A handover under way.

    Attributes:
        name: of the run.
        run: the run, once a process of its own trains it; None before.
        error: one line when that did not come about; the run is kept as it was.
    """

    def __init__(self, name: str, work: Callable[[], Run]) -> None:
        """Begin it.

        Args:
            name: of the run.
            work: one of this module's.
        """
        self.name = name
        self.run: Run | None = None
        self.error: str | None = None
        self._work = work
        threading.Thread(target=self._do, name=f"hands over {name}", daemon=True).start()

    def _do(self) -> None:
        try:
            self.run = self._work()
        except DifftuiError as error:
            self.error = str(error)
        except Exception as error:
            log.exception("the handover of %s failed", self.name)
            self.error = f"{type(error).__name__}: {error}".partition("\n")[0]


def begin_apart(recipe: Recipe, name: str, device: str | None) -> Callable[[], Run]:
    """A new run called ``name``, trained in a process of its own.

    Args:
        recipe: what to train.
        name: of the run to make.
        device: where, as ``--device`` takes it; None is every GPU of this machine.
    """

    def work() -> Run:
        from difftui.training.preparing import made_ready

        ready, _ = made_ready(recipe)  # before the run: without digits there is nothing to keep
        run = create_run(name, ready.to_json())
        _start(run, device, None, new=True)
        return run

    return work


def resume_apart(run: Run, device: str | None, data: str | None) -> Callable[[], Run]:
    """Go on with a run that nobody trains; arguments as above, and where its digits are now."""

    def work() -> Run:
        _start(run, device, data)
        return run

    return work


def move_apart(job: Job[TrainingView], device: str | None, data: str | None) -> Callable[[], Run]:
    """Close a training of this process, which saves it, and go on with it in a process of its own."""

    def work() -> Run:
        job.close()
        while not job.state.final:
            time.sleep(LOOK_SECONDS)
        if job.error or job.snapshot is None:
            raise DifftuiError(job.error or f"{job.name} had not begun. Start it again.")
        _start(job.snapshot.run, device, data)
        return job.snapshot.run

    return work


def _start(run: Run, device: str | None, data: str | None, *, new: bool = False) -> None:
    arguments: Sequence[str] = ["--data", data] if data else []
    if device is not None:
        start_detached([*arguments, "--device", device], run, new=new)
    else:
        start_detached(arguments, run, _gpu_count(), new=new)


def _gpu_count() -> int:
    import torch

    count = torch.cuda.device_count()
    if not count:
        raise DifftuiError("there is no CUDA device here. Train on this one instead.")
    return count
