"""What torchrun starts for tests/training/test_distributed.py, twice: a training by both processes together.

``python -m torch.distributed.run ... tests/distributed_child.py OUT``; the leader writes what it saw to OUT.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch

from difftui.data import Digits, bundled
from difftui.runs import Run
from difftui.training import Progress, Recipe, Session, Trainer, preset
from difftui.training.distributed import World, follow, joined

STEPS = 21
CPU = torch.device("cpu")


def digits() -> Digits:
    """Fifteen of them: at seven a step the third step of every epoch has one image for both processes."""
    return Digits(bundled().images[:15], bundled().labels[:15], "15 bundled digits")


def recipe(name: str) -> Recipe:
    """A preset's own rates and draws."""
    return replace(preset(name).with_budget(steps=STEPS), data="bundled", batch_size=7, precision="fp32")


def together(name: str, folder: Path, world: World, stop_at: int = STEPS) -> list[float]:
    """Losses of a run that both train, up to a step at which it is stopped."""
    if not world.leads:
        follow(Trainer(recipe(name), digits(), CPU, world))
        return []
    folder.mkdir()
    (folder / "recipe.json").write_text(recipe(name).to_json())
    session = Session(recipe(name), Run(folder), digits=digits(), device=CPU, world=world)
    losses: list[float] = []
    events = session.events()
    for event in events:
        if isinstance(event, Progress):
            losses += event.losses
            if event.step == stop_at < STEPS:
                break
    waiting = [float(loss) for loss in session.ledger._unread]
    events.close()
    return losses + waiting


def main(out: Path) -> None:
    """Train three times in one go, for starting processes costs more than training."""
    torch.set_num_threads(1)
    with joined(CPU) as world:
        seen = {name: together(name, out.parent / name, world) for name in ("lab", "quick")}
        seen["stopped"] = together("quick", out.parent / "stopped", world, stop_at=10)
        if world.leads:
            out.write_text(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
