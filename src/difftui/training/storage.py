"""The state of a training on disk: the newest and the one before it, each whole at every moment."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from difftui.errors import DifftuiError
from difftui.runs import Run
from difftui.runs.checkpoint import load_tensors, read_metadata, save_tensors

if TYPE_CHECKING:
    from difftui.training.trainer import Trainer

__all__ = ["restore", "save"]


def save(run: Run, trainer: Trainer, extra: dict[str, Any]) -> None:
    """Write the state that resuming needs and the weights that sampling needs.

    The new state is complete before anything happens to the old ones, and at no moment is there none.

    Args:
        run: where to.
        trainer: what to save.
        extra: numbers that go with the trainer's position.

    Raises:
        OSError: the disk is full or cannot be written; what was saved before is whole.
    """
    newest, previous = run.state_paths
    incoming = newest.with_name("incoming.safetensors")
    position = {**trainer.position(), **extra}
    try:
        save_tensors(incoming, trainer.tensors(), {"position": json.dumps(position)})
        if newest.exists():
            _second_name(newest, previous)
        incoming.replace(newest)
    finally:
        incoming.unlink(missing_ok=True)
    header = {"recipe": trainer.recipe.to_json(), "step": str(trainer.step)}
    save_tensors(run.weights_path, trainer.sampling_weights(), header)


def restore(run: Run, trainer: Trainer) -> dict[str, Any] | None:
    """Give the trainer the newest whole state; a damaged one is set aside for the one before it.

    Returns:
        What :func:`save` wrote beside the tensors; None where the run ended before its first save, so that it
        begins at its beginning.

    Raises:
        DifftuiError: there is no state that this trainer can go on from; the line names the file.
    """
    newest, previous = run.state_paths
    if not (newest.exists() or previous.exists() or run.weights_path.exists()):
        return None
    problems = []
    for path in (newest, previous):
        try:
            position = _restore_from(path, trainer)
        except DifftuiError as error:
            problems.append(str(error))
            continue
        except (KeyError, ValueError, TypeError):
            problems.append(f"{path} is not the state of a training.")
            continue
        if path is previous and newest.exists():  # else the next save would push out the good one
            newest.replace(newest.with_name("damaged.safetensors"))
        return position
    raise DifftuiError(f"the run {run.name} cannot be resumed: {problems[0]}")


def _restore_from(path: Path, trainer: Trainer) -> dict[str, Any]:
    tensors = load_tensors(path, trainer.tensors())
    position = json.loads(read_metadata(path)["position"])
    if not isinstance(position, dict):
        raise ValueError("not a position")
    _check_data(position, trainer)
    trainer.restore(tensors, position)
    return position


def _check_data(position: dict[str, Any], trainer: Trainer) -> None:
    """Other data would silently be another training: the order of the images hangs on their number."""
    here = len(trainer.images)
    began = position.get("images", here)  # the earliest states lack it
    if began != here:
        raise DifftuiError(
            f"it began with {began} images, and there are {here} now. Give it the data it began with "
            f"by --data (its recipe says {trainer.recipe.data!r})."
        )


def _second_name(newest: Path, previous: Path) -> None:
    """Let ``previous`` be what ``newest`` is, without a moment in which ``newest`` is not there."""
    linked = newest.with_name("linked.safetensors")
    linked.unlink(missing_ok=True)
    try:
        os.link(newest, linked)
    except OSError:  # a file system without hard links: a moment it is, then
        newest.replace(previous)
        return
    linked.replace(previous)
    with suppress(OSError):  # renaming between two names of one file does nothing, and leaves both
        linked.unlink()
