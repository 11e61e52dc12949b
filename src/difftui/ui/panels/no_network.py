"""What a screen says where there is no network at all."""

from __future__ import annotations

from textual.content import Content

__all__ = ["no_network"]


def no_network(then: str) -> Content:
    """Why there is none, and what brings one.

    Args:
        then: what follows "Press 4 to train one".
    """
    return Content.from_markup(
        "No trained network is here: none came with this installation, and you have no run with weights.\n\n"
        f"Press [b $accent]4[/] to train one{then}"
    )
