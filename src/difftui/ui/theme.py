"""Colours: one accent for what the user steers and for signal, a second for noise alone, greys else.

The hues are those of Okabe and Ito's set (Color Universal Design, 2008). For each background they are made as
light or as dark as it takes that any text in them has a contrast of 4.5 (7 in "high-contrast") by WCAG 2, and
that any two stay apart for people with any colour vision; the tests compute both.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from textual.theme import Theme

__all__ = [
    "DARK",
    "GLOW",
    "HIGH_CONTRAST",
    "LIGHT",
    "MONOCHROME",
    "SERIES",
    "SHADE",
    "THEMES",
    "chosen_theme",
    "series",
]

SERIES = ("orange", "blue", "green", "red", "purple", "yellow", "muted")
"""Names of the colours that curves may have, in the order to take them."""

SHADE = 0.11
"""How much of the foreground a shaded part of a plot has in its ground."""

GLOW = 0.22
"""How much of the foreground the brightest part of a plot's glow has in its ground."""


def _theme(
    name: str,
    series: tuple[str, ...],
    *,
    ground: str,
    surface: str,
    panel: str,
    ink: str,
    border: str,
    dark: bool,
) -> Theme:
    orange, blue, green, red, _, yellow, muted = series
    return Theme(
        name=name,
        primary=orange,
        accent=orange,
        secondary=blue,
        success=green,
        error=red,
        warning=yellow,
        foreground=ink,
        background=ground,
        surface=surface,
        panel=panel,
        dark=dark,
        variables={
            "border": border,
            "border-blurred": border,
            "muted": muted,
            # What Textual would derive by blending, and so below the contrast that we promise.
            "text": ink,
            "text-muted": muted,
            "text-disabled": muted,
            "text-primary": orange,
            "text-accent": orange,
            "text-secondary": blue,
            "text-success": green,
            "text-warning": yellow,
            "text-error": red,
            "surface-lighten-1": panel,
            "panel-lighten-1": panel,
            "block-cursor-foreground": ground,
            "block-cursor-background": orange,
            "block-cursor-blurred-background": panel,
            "screen-selection-foreground": ground,
            "screen-selection-background": blue,
            "input-selection-foreground": ground,
            "input-selection-background": blue,
            **{f"series-{name}": colour for name, colour in zip(SERIES, series, strict=True)},
        },
    )


DARK = _theme(
    "difftui-dark",
    ("#e69f00", "#56b4e9", "#8cedad", "#f87450", "#ffcaff", "#f0e442", "#9e9e9e"),
    ground="#121212",
    surface="#1c1c1c",
    panel="#262626",
    ink="#d0d0d0",
    border="#444444",
    dark=True,
)

LIGHT = _theme(
    "difftui-light",
    ("#975400", "#005f9e", "#004528", "#a54328", "#823e75", "#593100", "#606060"),
    ground="#fafafa",
    surface="#f0f0f0",
    panel="#e4e4e4",
    ink="#202020",
    border="#b0b0b0",
    dark=False,
)

HIGH_CONTRAST = _theme(
    "difftui-high-contrast",
    ("#ffb000", "#68aeee", "#92f4b3", "#ff8763", "#fcbded", "#efe673", "#b0b0b0"),
    ground="#000000",
    surface="#000000",
    panel="#1a1a1a",
    ink="#ffffff",
    border="#b0b0b0",
    dark=True,
)

_PLAIN = "ansi_default"
MONOCHROME = Theme(
    name="difftui-monochrome",
    primary=_PLAIN,
    secondary=_PLAIN,
    accent=_PLAIN,
    success=_PLAIN,
    error=_PLAIN,
    warning=_PLAIN,
    foreground=_PLAIN,
    background=_PLAIN,
    surface=_PLAIN,
    panel=_PLAIN,
    boost=_PLAIN,
    ansi=True,
    variables={
        **dict.fromkeys(("border", "border-blurred", "muted", "ansi-background", "ansi-foreground"), _PLAIN),
        **dict.fromkeys(("text-muted", "text-disabled", "scrollbar-background"), _PLAIN),
        **dict.fromkeys(("block-cursor-background", "block-cursor-foreground"), _PLAIN),
        **dict.fromkeys(("screen-selection-background", "screen-selection-foreground"), _PLAIN),
        "block-cursor-text-style": "bold reverse",
        **{f"series-{name}": _PLAIN for name in SERIES},
    },
)
"""Without any colour: the terminal's own two, and bold, reverse and underline for what colours tell else."""

THEMES: Mapping[str, Theme] = MappingProxyType({"dark": DARK, "light": LIGHT, "high-contrast": HIGH_CONTRAST})
"""The themes to choose from, by the names that a user types."""


def chosen_theme(name: str, environment: Mapping[str, str]) -> Theme:
    """The theme for a user's choice and a terminal.

    Args:
        name: one of :data:`THEMES`, or "auto": light where the terminal says that it is, else dark.
        environment: NO_COLOR goes above everything; COLORFGBG, which some terminals set, names the colours
            of text and ground as in "15;0".
    """
    if environment.get("NO_COLOR"):
        return MONOCHROME
    ground = environment.get("COLORFGBG", "").rpartition(";")[2]
    return THEMES.get(name) or (LIGHT if ground in ("7", "15") else DARK)


def series(name: str, variables: Mapping[str, str], *, dark: bool) -> str | None:
    """A curve's colour by its name, in the theme with these variables; None if there is none of that name."""
    key = f"series-{name}"
    return variables.get(key) or (DARK if dark else LIGHT).variables.get(key)
