"""Ways to lay a training step out on a CPU, timed in turn: whether the rule that we follow holds here.

The rule is :func:`difftui.models.side_by_side.choose_split` and each network's own memory format. It is a
rule and not a measurement at every start, so that the same seed gives the same run: sums in another
arrangement end in other last bits.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from difftui.bench.contest import answer, take_turns

__all__ = ["ARRANGEMENTS", "OURS", "Arrangement", "arrangement_speed"]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a step uses the CPU.

    Attributes:
        parts: of a batch, computed side by side; 0 is as many as the rule says.
        threads: of PyTorch's own in each; 0 is what the rule says.
        other_format: whether weights lie in the memory format that the network did not choose.
    """

    parts: int = 0
    threads: int = 0
    other_format: bool = False

    @property
    def words(self) -> str:
        """For the table."""
        if self.parts == 0:
            return "the other memory format" if self.other_format else "parts by the rule"
        return f"{self.parts} part{'s' * (self.parts > 1)}, {self.threads} thread{'s' * (self.threads > 1)}"


OURS = Arrangement()
ARRANGEMENTS = (OURS, Arrangement(1, 2), Arrangement(1, 1), Arrangement(other_format=True))


def arrangement_speed(
    preset: str, arrangements: Sequence[Arrangement] = ARRANGEMENTS, turns: int = 6
) -> Mapping[Arrangement, float]:
    """Median seconds of a step of a preset on the CPU, by arrangement (some of those there are)."""
    module = "difftui.bench.arrangements"
    indices = [str(ARRANGEMENTS.index(arrangement)) for arrangement in arrangements]
    commands = {index: [sys.executable, "-m", module, preset, index] for index in indices}
    taken = take_turns(commands, turns)
    return {ARRANGEMENTS[int(index)]: median(seconds) for index, seconds in taken.items()}


def _child(name: str, arrangement: Arrangement) -> None:
    import torch

    from difftui.data import bundled
    from difftui.engine.device import configure_threads
    from difftui.models.side_by_side import Split
    from difftui.training import preset
    from difftui.training.trainer import Trainer

    threads = configure_threads()
    trainer = Trainer(preset(name).with_budget(steps=10**9), bundled(), torch.device("cpu"))
    if arrangement.parts:
        torch.set_num_threads(min(arrangement.threads, threads))
        trainer.split = Split(arrangement.parts, arrangement.threads)
    if arrangement.other_format:
        chosen = getattr(trainer.model, "memory_format", torch.channels_last)
        other = torch.contiguous_format if chosen == torch.channels_last else torch.channels_last
        trainer.model.to(memory_format=other)

    answer(iter(trainer.train_step, None), "cpu")


if __name__ == "__main__":
    _child(sys.argv[1], ARRANGEMENTS[int(sys.argv[2])])
