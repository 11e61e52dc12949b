"""The commands of ``difftui``, one module each.

A command's module has ``add_arguments(parser)`` and ``run(args) -> int`` (its exit status) and is imported
only when it is asked for, so that the others do not wait for what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from difftui.errors import DifftuiError

__all__ = ["COMMANDS", "UsageError"]

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "train": "train a network and keep it as a run",
        "sample": "draw pictures from a trained network",
        "generate": "open the app where pictures come out of noise",
        "networks": "compare the networks there are, measured now; fetch a pipeline",
        "export": "write a network of ours for diffusers",
        "denoise": "clean noisy digits in one look, or again and again",
        "sde": "follow stochastic differential equations against their theory",
        "runs": "list runs and shipped checkpoints, pause or stop a run",
        "watch": "look at a run that another process trains",
        "metrics": "print the curves of a run as a table",
        "compare": "draw pictures side by side in several ways, and measure them",
        "evaluate": "judge the digits that a network draws",
        "schedule": "print the table of a noise schedule",
        "noise": "draw a digit on its way into noise",
        "invert": "learn x from y = sin x: regression, its seeds, and diffusion",
        "labs": "put to the test what the labs claim, a page each",
        "questions": "ask the guided lab's questions, and keep what you predict and answer",
        "settings": "show the settings, or write a file to change them in",
        "doctor": "say what this terminal, line and machine can do",
        "bench": "measure this machine and print a table",
    }
)
"""The commands and one line of help each; the module is ``difftui.commands.NAME``."""


class UsageError(DifftuiError):
    """The command line asks for something that makes no sense. Exit status 2."""
