"""What the user wants drawn, and what that comes to with a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from difftui.diffusion import EXPERIMENTS, SAMPLERS
from difftui.engine.sampling import SamplingRequest, SamplingView
from difftui.state import MOST_SEED, Choices
from difftui.ui.pipeline_sources import PIPELINE_PICTURES, Network

__all__ = ["GUIDANCES", "STEPS", "Label", "Wish", "more_or_fewer"]

Label = int | Literal["each"] | None

STEPS = (5, 10, 25, 50, 100, 200, 500, 1000)
GUIDANCES = (-1.0, -0.5, 0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
MOST_CLASSES = 1000


def more_or_fewer(steps: int, most: int | None, by: int) -> int | None:
    """The next number of sampler steps.

    Args:
        steps: that are taken now.
        most: timesteps of the network's schedule, where that is known.
        by: positive for more.

    Returns:
        One of :data:`STEPS`, or all that there are; None at the end.
    """
    counts = STEPS if most is None else (*(n for n in STEPS if n < most), most)
    further = [n for n in counts if (n > steps if by > 0 else n < steps)]
    return None if not further else min(further) if by > 0 else max(further)


@dataclass(slots=True)
class Wish:
    """The choices of the Generate screen.

    Attributes:
        sampler, steps, guidance: as the user chose them, None while the network's recipe decides.
        seed, label: what is asked for.
        grid: several seeds together; ``picture`` is the highlighted one, and the one shown alone.
    """

    sampler: str | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int = 0
    label: Label = 7
    grid: bool = False
    picture: int = 0

    def remember(self) -> dict[str, object]:
        """As values of JSON, for :meth:`recall`."""
        return {
            "sampler": self.sampler,
            "steps": self.steps,
            "guidance": self.guidance,
            "seed": self.seed,
            "label": self.label,
            "grid": self.grid,
            "picture": self.picture,
        }

    @classmethod
    def recall(cls, choices: Choices) -> Wish:
        """What was remembered, as far as it still makes sense."""
        grid = choices.one_of("grid", (True, False), False)
        labels: tuple[Label, ...] = (*range(MOST_CLASSES), None, *(("each",) if grid else ()))
        return cls(
            sampler=choices.one_of("sampler", (*SAMPLERS, *EXPERIMENTS, None), None),
            steps=choices.whole("steps", 1, 10_000, 0) or None,
            guidance=choices.one_of("guidance", (*GUIDANCES, None), None),
            seed=choices.whole("seed", 0, MOST_SEED, 0),
            label=choices.one_of("label", labels, 7),
            grid=grid,
            picture=choices.whole("picture", 0, PIPELINE_PICTURES - 1, 0) if grid else 0,
        )

    def taken(self, source: Network | None) -> tuple[str, int]:
        """Sampler and steps: the user's choice, else what the network's recipe advises."""
        if source is None:
            return self.sampler or "ddim", self.steps or 50
        return source.drawing(self.sampler, self.steps)

    def count(self, source: Network | None) -> int:
        """How many pictures are drawn."""
        return source.together if self.grid and source is not None else 1

    def asked(self, source: Network) -> Label:
        """The label, one that the network may know."""
        return self.label % source.classes if isinstance(self.label, int) else self.label

    def request(self, source: Network) -> SamplingRequest:
        """What the engine is asked to draw."""
        sampler, steps = self.taken(source)
        return SamplingRequest(
            source=source.wanted,
            sampler=sampler,
            steps=steps,
            seeds=tuple(range(self.seed, self.seed + self.count(source))),
            label=self.asked(source),
            guidance=self.guidance if source.guidable else None,
        )

    # One choice on, or back.

    def next_label(self, by: int, classes: int) -> None:
        """Another class to ask for, or any; in a grid also each in turn."""
        labels: list[Label] = [*range(classes), None, *(["each"] if self.grid else [])]  # type: ignore[list-item]
        at = labels.index(self.label) if self.label in labels else 0
        self.label = labels[(at + by) % len(labels)]

    def next_sampler(self, source: Network, by: int) -> bool:
        """The next of the samplers that can draw with this network; whether there is another."""
        known, (taken, _) = source.samplers, self.taken(source)
        at = known.index(taken) if taken in known else -1
        chosen = known[(at + by) % len(known)]
        if chosen == taken:  # nothing was chosen that a network after this one should be drawn with
            return False
        self.sampler = chosen
        return True

    def other_steps(self, source: Network | None, by: int) -> bool:
        """More or fewer sampler steps, never more than the schedule has; whether there are."""
        _, taken = self.taken(source)
        most = source.timesteps if source is not None else None
        further = more_or_fewer(taken, most, by)
        self.steps = further or self.steps
        return further is not None

    def other_guidance(self, taken: float, by: int) -> bool:
        """Stronger or weaker guidance than is taken now; whether there is any."""
        further = [w for w in GUIDANCES if (w > taken + 1e-9 if by > 0 else w < taken - 1e-9)]
        if further:
            self.guidance = min(further) if by > 0 else max(further)
        return bool(further)

    def leave_grid(self, view: SamplingView | None) -> None:
        """The highlighted picture alone."""
        self.grid = False
        if view is not None:
            self.seed = view.request.seeds[min(self.picture, len(view.request.seeds) - 1)]
        if self.label == "each":
            self.label = view.labels[self.picture] if view is not None and view.labels else None

    def enter_grid(self, view: SamplingView | None) -> bool:
        """Several seeds together; whether those that are wanted must still be drawn."""
        self.grid = True
        if view is None or len(view.request.seeds) == 1:
            self.picture = 0
            return True
        self.seed, self.label = view.request.seeds[0], view.request.label
        return False
