"""The guided lab's table of scale: what its sheet says, not what was measured here."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["QUOTED", "Quoted"]


@dataclass(frozen=True, slots=True)
class Quoted:
    """A row of the lab sheet's scale table: what it says, not what was measured here.

    Attributes:
        name: of the model.
        parameters: as the sheet has them.
    """

    name: str
    parameters: str


QUOTED = (
    Quoted("its toy denoiser", "~100 K"),
    Quoted("a CIFAR-10 DDPM", "~30 M"),
    Quoted("a text-to-image model", "890 M"),
    Quoted("the largest of them", "~10 B"),
)
"""The scale table of the lab's fourth module."""
