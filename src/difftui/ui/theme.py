"""Colours: one accent for what the user steers and for signal, a second for noise alone, greys else.

The two are orange and sky blue of Okabe and Ito's set, which people with any colour vision tell apart.
"""

from __future__ import annotations

from textual.theme import Theme

__all__ = ["ACCENT", "DARK", "LIGHT", "NOISE"]

ACCENT = "#e69f00"
NOISE = "#56b4e9"

DARK = Theme(
    name="difftui-dark",
    primary=ACCENT,
    secondary=NOISE,
    accent=ACCENT,
    foreground="#d0d0d0",
    background="#121212",
    surface="#1c1c1c",
    panel="#262626",
    warning="#f0e442",
    error="#d55e00",
    success="#009e73",
    dark=True,
    variables={"border": "#444444", "border-blurred": "#444444", "muted": "#8a8a8a"},
)

LIGHT = Theme(
    name="difftui-light",
    primary="#a86f00",
    secondary="#0072b2",
    accent="#a86f00",
    foreground="#303030",
    background="#fafafa",
    surface="#f0f0f0",
    panel="#e4e4e4",
    warning="#8a7400",
    error="#b34a00",
    success="#00755a",
    dark=False,
    variables={"border": "#b0b0b0", "border-blurred": "#b0b0b0", "muted": "#6c6c6c"},
)
