"""One sitting of a training: the loop as a generator, its clock, and what it leaves on disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import NoReturn

import torch

from difftui import atomic
from difftui.data import Digits, Pictures, load_pictures
from difftui.errors import DifftuiError
from difftui.runs import Activity, Attendance, Run, State, Status, Verb, write_strip
from difftui.training import storage
from difftui.training.distributed import ALONE, PeerLost, World
from difftui.training.ledger import Ledger, NotFinite
from difftui.training.memory import out_of_memory
from difftui.training.onlooker import Onlooker
from difftui.training.progress import Hold, Progress, SampleStrip
from difftui.training.recipe import Recipe
from difftui.training.trainer import Trainer

__all__ = ["Session", "train"]

REPORT_SECONDS = 0.1  # losses leave the device this often: one synchronisation, not one a step
SAVE_SECONDS = 30.0


def train(
    recipe: Recipe,
    run: Run | None = None,
    *,
    digits: Digits | Pictures | None = None,
    device: torch.device | str = "cpu",
    resume: bool = False,
) -> Generator[Progress, None, None]:
    """Train by ``recipe``, one optimiser step a ``next()``.

    With a ``run``, the state is saved every 30 s, at the end, and when the generator is closed; metrics are
    appended as they leave the device; now and then the network is measured on held-out digits and draws ten
    pictures. Not pulling is pausing: it costs nothing and counts as no time.

    Args:
        recipe: what to train.
        run: directory to keep it in; None keeps nothing.
        digits: training images; None loads what ``recipe.data`` names.
        device: where to compute.
        resume: go on from the run's newest whole state.

    Raises:
        DifftuiError: the run is being trained elsewhere, cannot be written, has no usable state to resume or
            began with other data; the device has not enough memory; or the loss is no finite number any more.
    """
    events = Session(recipe, run, digits=digits, device=device).events(resume=resume)
    try:
        for event in events:
            if isinstance(event, Hold):
                raise DifftuiError(event.message)
            if event is not None:
                yield event
    finally:
        events.close()


class Session:
    """A trainer, its run on disk, and the clock between them.

    Args:
        recipe, run, digits, device: as for :func:`train`.
        on_request: called, in another thread, with what somebody asks of the run from outside ("pause",
            "resume", "stop"); a wish for samples is fulfilled here.
        state: tells those who watch whether the training is "paused"; called in another thread.
        device_label: what people call the device.
        world: the processes that train together; this one leads them.

    Attributes:
        trainer: open to whoever holds the session and works in the same thread (the engine samples from the
            weights between two steps).
        farewell: where it stood when it was closed in the middle and saved; None before. A step that was
            followed by a look has not been told by then.
    """

    def __init__(
        self,
        recipe: Recipe,
        run: Run | None = None,
        *,
        digits: Digits | Pictures | None = None,
        device: torch.device | str = "cpu",
        on_request: Callable[[Verb], None] | None = None,
        state: Callable[[], Activity] | None = None,
        device_label: str = "",
        world: World = ALONE,
    ) -> None:
        if digits is None:
            digits = load_pictures(recipe.data, size=recipe.image_size)
        self.run = run
        self._recipe, self._device = recipe, torch.device(device)
        with self._memory_explained():
            self.trainer = Trainer(recipe, digits, self._device, world)
        self.onlooker = Onlooker(self.trainer) if run is not None else None
        self.ledger = Ledger(self.trainer, run.metrics if run is not None else None)
        self.saved_step: int | None = None
        self.farewell: Progress | None = None
        self._strip: SampleStrip | None = None  # the newest that the run has
        self._source = digits.source
        self._held = ""  # why the disk refuses, for those who watch
        self._on_request = on_request
        self._state: Callable[[], Activity] = state or (lambda: "training")
        self._device_label = device_label or str(device)

    def events(self, *, resume: bool = False) -> Generator[Progress | Hold | None]:
        """The training as a generator: a :class:`Progress` after every optimiser step.

        None only gives way, in the middle of work that is no step. A :class:`Hold` says that the disk
        refuses; the training is whole in memory, and the next pull tries again.
        """
        with ExitStack() as held:
            if self.run is not None:
                held.enter_context(
                    Attendance(
                        self.run,
                        self._obey,
                        state=self._state,
                        device=self._device_label,
                        held=lambda: self._held,
                    )
                )
            held.callback(self.trainer.world.dismiss)
            held.enter_context(self._memory_explained())
            try:
                yield from self._sitting(resume)
            except OSError as error:
                raise DifftuiError(self._refusal(error)) from error

    def ask_for_samples(self) -> None:
        """Draw samples as soon as the step under way is done. From any thread."""
        if self.onlooker is not None:
            self.onlooker.wanted = True

    @contextmanager
    def _memory_explained(self) -> Iterator[None]:
        """Whatever PyTorch says when memory is short becomes one line with figures."""
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            told = out_of_memory(error, self._device, self._recipe.batch_size)
            if told is None:
                raise
            raise told from error

    def _obey(self, verb: Verb) -> None:
        if verb == "sample":
            self.ask_for_samples()
        elif self._on_request is not None:
            self._on_request(verb)

    def _sitting(self, resume: bool) -> Generator[Progress | Hold | None]:
        trainer = self.trainer
        if self.run is not None:
            atomic.sweep(self.run.path)
            atomic.sweep(self.run.state_paths[0].parent)
        if resume:
            self._restore()
        trainer.world.share_state(trainer)
        self._write_about()
        self._write_status("finished" if self._at_end() else "training")
        last_report = last_save = time.monotonic()
        try:
            while trainer.fraction < 1:
                began = time.perf_counter()
                self.ledger.add(trainer.world.step(trainer))
                trainer.seconds += time.perf_counter() - began
                now = time.monotonic()
                save_due = now - last_save >= SAVE_SECONDS
                losses: tuple[float, ...] = ()
                if save_due or now - last_report >= REPORT_SECONDS or self._at_end():
                    losses, last_report = self.ledger.read(), now
                    yield from self._insist(self._write_row)
                if save_due or self._at_end():  # after its losses were seen to be numbers
                    yield from self._insist(self._save_going_on)
                    last_save = time.monotonic()
                if self.onlooker is not None and (self._at_end() or self.onlooker.due()):
                    yield from self._look(self.onlooker)
                yield self._progress(losses)
        except NotFinite as error:
            self._diverged(str(error), error.step)
        except PeerLost as error:
            self._stop()
            raise PeerLost(f"{error} Step {trainer.step} is saved: resume the run.") from error
        except GeneratorExit:
            if not (self._at_end() and self.saved_step == trainer.step):
                self._stop()
            raise

    def save(self, state: State) -> None:
        """Write state, weights and status; each file is whole at every moment.

        Raises:
            DifftuiError: the weights are no numbers any more; what was saved before is kept.
            OSError: the disk is full or cannot be written; what was saved before is kept.
        """
        if self.run is None:
            return
        trainer = self.trainer
        if trainer.step != self.saved_step:
            if not bool(torch.stack([w.isfinite().all() for w in trainer.weights]).all()):
                self._diverged("a weight is not a finite number", trainer.step)
            storage.save(self.run, trainer, {"threads": torch.get_num_threads()})
            self.saved_step = trainer.step
        self._write_status(state)

    def _save_going_on(self) -> None:
        self.save("finished" if self._at_end() else "training")

    def _stop(self) -> None:
        """Save in the middle, so that another sitting can go on."""
        try:
            losses = self.ledger.read()
        except NotFinite as error:
            self._diverged(str(error), error.step)
        self.ledger.write(at_once=True)
        with suppress(OSError):  # save says what the disk refuses
            self._write_strip()
        self.save("stopped")
        self.farewell = self._progress(losses)

    def _write_row(self) -> None:
        self.ledger.write(at_once=self._at_end())

    def _insist(self, write: Callable[[], None]) -> Iterator[Hold]:
        """Do it; while the disk refuses, hold, and try again when pulled again."""
        while True:
            try:
                write()
            except OSError as error:
                assert self.run is not None  # else nothing is written
                if not self.run.path.is_dir():
                    raise
                self._held = self._refusal(error)
                yield Hold(self._held)
            else:
                self._held = ""
                return

    def _refusal(self, error: OSError) -> str:
        """What the user reads when the run's directory refuses."""
        if self.run is None:
            return f"the training stopped: {error.strerror or error}."
        if not self.run.path.is_dir():
            return f"{self.run.path} was removed while it trained. Train a new run."
        kept = f"Step {self.saved_step} is kept" if self.saved_step else "Nothing was saved yet"
        return (
            f"{self.run.path} cannot be written ({error.strerror or error}). {kept}: make room, then go on."
        )

    def _restore(self) -> None:
        """Take up the run's newest whole state, and drop the metrics of steps that come again."""
        if self.run is None:
            raise ValueError("there is nothing to resume without a run")
        position = storage.restore(self.run, self.trainer)
        if position is not None:
            self.saved_step = self.trainer.step
            threads = position.get("threads")
            if self.trainer.device.type == "cpu" and isinstance(threads, int) and threads > 0:
                torch.set_num_threads(threads)  # sums are split among them: as many, or other bits
        self.run.metrics.cut_after(self.trainer.step)

    def _write_about(self) -> None:
        if self.run is not None:
            trainer = self.trainer
            self.run.write_about(
                {
                    "parameters": sum(w.numel() for w in trainer.weights),
                    "precision": trainer.precision,
                    "images": len(trainer.images),
                    "source": self._source,
                    "device": self._device_label,
                    "threads": torch.get_num_threads(),
                    "torch": torch.__version__,
                }
            )

    def _write_status(self, state: State, message: str = "") -> None:
        if self.run is None:
            return
        step = self.saved_step or 0 if state == "failed" else self.trainer.step
        self.run.write_status(Status(state, step, self.trainer.fraction, self.trainer.seconds, message))

    def _at_end(self) -> bool:
        return self.trainer.fraction >= 1

    def _look(self, onlooker: Onlooker) -> Iterator[Hold | None]:
        """Measure and draw with the weights as they are, and keep both."""
        yield from onlooker.look()
        yield from self._insist(self._write_look)

    def _write_look(self) -> None:
        assert self.onlooker is not None
        self._write_strip()
        measured = self.onlooker.validation
        if measured is not None:
            self.ledger.write_validation(measured)

    def _write_strip(self) -> None:
        """Keep the newest strip. It may be of a look that was not brought to its end."""
        strip = self.onlooker.strip if self.onlooker is not None else None
        if strip is not None and strip is not self._strip:
            assert self.run is not None  # who looks has a run
            write_strip(self.run, strip.step, strip.images)
            self._strip = strip

    def _diverged(self, what: str, step: int) -> NoReturn:
        message = f"{what} at step {step} (learning rate {self.ledger.learning_rate:.2g}). "
        message += "Train a new run with a smaller one."
        if self.saved_step:
            message += f" The last good state, step {self.saved_step}, is kept."
        self._write_status("failed", message)
        raise DifftuiError(message)

    def _progress(self, losses: tuple[float, ...]) -> Progress:
        trainer = self.trainer
        return Progress(
            step=trainer.step,
            total_steps=trainer.total_steps,
            epoch=trainer.step / trainer.steps_per_epoch,
            fraction=trainer.fraction,
            images=trainer.images_seen,
            seconds=trainer.seconds,
            losses=losses,
            images_per_second=self.ledger.images_per_second,
            seconds_left=self.ledger.seconds_left,
            learning_rate=self.ledger.learning_rate,
            gradient_norm=self.ledger.gradient_norm,
            saved_step=self.saved_step,
            validation=self.onlooker.validation if self.onlooker is not None else None,
            strip=self._strip,
        )
