"""What Generate says of a pipeline that is not here: what is missing, and what would bring it."""

from __future__ import annotations

import importlib.util
from functools import cache

from textual.content import Content

from difftui.pipelines.folder import CARD, DEFAULT
from difftui.pipelines.hub import how_to_get
from difftui.ui.pipeline_sources import Network

__all__ = ["absent_text"]


def absent_text(source: Network) -> Content:
    """A pipeline that is not on this machine."""
    extra = _has_diffusers()
    needs = [
        (
            "diffusers",
            "installed" if extra else "missing: pip install 'diffusers>=0.30' in the environment of difftui",
            extra,
        ),
        ("its files", "not on this machine", False),
    ]
    card = f" ({CARD})" if source.name == DEFAULT else ""
    lines = [
        Content.assemble((source.name, "bold"), " is a diffusers pipeline", card, ". To draw with it here:"),
        Content(),
        *(Content.assemble(_mark(done), f"{what}: {told}") for what, told, done in needs),
        Content(),
        Content(how_to_get(source.name)),
        Content(),
        Content.assemble(
            "Or name a folder that holds a pipeline: ", ("o", "b $accent"), " and type it; ",
            ("m", "b $accent"), " goes on to the next network.",
        ),
    ]  # fmt: skip
    return Content("\n").join(lines)


def _mark(done: bool) -> tuple[str, str]:
    return ("  ✓ ", "$success") if done else ("  ✗ ", "$error")


@cache
def _has_diffusers() -> bool:
    return importlib.util.find_spec("diffusers") is not None
