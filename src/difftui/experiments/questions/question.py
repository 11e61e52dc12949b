"""What a question of the guided lab is: words, a place to look, and a page that measures what it asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from difftui.experiments.page import Page, Setup

__all__ = ["Question"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        number: from 1, as in the lab.
        module: the part of the lab that asks it, such as "M1 forward".
        topic: what it is about, in at most 40 characters, for lists.
        text: the question.
        look: what to do and to watch where it is looked at; keys stand between backquotes.
        screen: the name of the screen to look at.
        choices: what is chosen there beforehand, by name, as that screen remembers it.
        command: the same from the command line, without "difftui".
        weigh: what a good answer takes into account; told once there is an answer.
        page: measures what is asked about.
        predict: whether an answer is to be guessed before anything is looked at.
    """

    number: int
    module: str
    topic: str
    text: str
    look: str
    screen: str
    command: str
    weigh: str
    page: Page
    choices: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    predict: bool = False

    @property
    def setup(self) -> Setup:
        """What its page is measured with at first: as it is looked at, where that is on the Labs screen."""
        names = {each.name for each in fields(Setup)} if self.screen == "labs" else set()
        given = {name: value for name, value in self.choices.items() if name in names}
        return Setup(**given)  # type: ignore[arg-type]
