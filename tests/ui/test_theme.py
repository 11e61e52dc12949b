"""Colours, held against WCAG 2's contrast and against simulated colour vision (Machado and others, 2009)."""

from itertools import combinations, product

import numpy as np
import pytest
from numpy.typing import NDArray
from textual.color import Color
from textual.theme import Theme

from difftui.settings import THEMES as NAMES
from difftui.ui.theme import DARK, GLOW, HIGH_CONTRAST, LIGHT, MONOCHROME, SERIES, SHADE, THEMES, chosen_theme

TEXTS: tuple[str, ...] = (
    "foreground",
    "muted",
    "primary",
    "accent",
    "secondary",
    "success",
    "warning",
    "error",
    "text",
)
TEXTS += ("text-muted", "text-disabled", "text-success", "text-warning", "text-error")
TEXTS += tuple(f"series-{name}" for name in SERIES)
GROUNDS = ("background", "surface", "panel", "surface-lighten-1", "panel-lighten-1")
REVERSED = [("background", ground) for ground in ("foreground", "warning", "error", "success", "accent")]
REVERSED += [("block-cursor-foreground", "block-cursor-background")]
REVERSED += [("block-cursor-blurred-foreground", "block-cursor-blurred-background")]
REVERSED += [("screen-selection-foreground", "screen-selection-background")]
REVERSED += [("input-selection-foreground", "input-selection-background")]

# Severity 1 of Machado, Oliveira and Fernandes (2009), for linear RGB, row by row.
VISION = {
    "all cones": np.eye(3),
    "no long": np.array(
        [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998]
    ).reshape(3, 3),
    "no middle": np.array(
        [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881]
    ).reshape(3, 3),
    "no short": np.array(
        [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900]
    ).reshape(3, 3),
}


def linear(colour: Color) -> NDArray[np.float64]:
    rgb = np.array(colour.rgb) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: Color, other: Color) -> float:
    """WCAG 2.2's contrast ratio, 1 to 21."""
    low, high = sorted(float(linear(colour) @ (0.2126, 0.7152, 0.0722)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def seen(colour: Color, vision: str) -> NDArray[np.float64]:
    """CIELAB (D65) of what is left of a colour."""
    rgb = np.clip(VISION[vision] @ linear(colour), 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    f = xyz / (0.9505, 1.0, 1.089)
    f = np.where(f > 0.008856, np.cbrt(f), 7.787 * f + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def colours(theme: Theme) -> dict[str, Color]:
    """Those of its variables that are a colour as they stand."""
    found = theme.to_color_system().generate() | theme.variables
    return {name: Color.parse(value) for name, value in found.items() if value.startswith("#")}


def test_contrast_is_wcags() -> None:
    assert contrast(Color.parse("#ffffff"), Color.parse("#000000")) == pytest.approx(21)
    assert contrast(Color.parse("#777777"), Color.parse("#ffffff")) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize(("theme", "least"), [(DARK, 4.5), (LIGHT, 4.5), (HIGH_CONTRAST, 7.0)])
def test_every_text_can_be_read_on_every_ground(theme: Theme, least: float) -> None:
    known = colours(theme)
    shade = known["background"].blend(known["foreground"], SHADE)
    wrong = [
        f"{text} on {ground}: {ratio:.2f}"
        for text, ground in (*product(TEXTS, GROUNDS), *REVERSED)
        if (ratio := contrast(known[text], known[ground])) < least
    ]
    wrong += [
        f"{text} on a shade: {r:.2f}"
        for text in TEXTS
        if (r := contrast(known[text], shade)) < min(least, 4.5)
    ]
    assert not wrong
    picked = known["surface"].blend(known["accent"], 0.25)  # the highlighted run in the list of runs
    assert contrast(known["foreground"], picked) >= least
    rail = known["background"].blend(known["foreground"], 0.5)
    assert contrast(rail, known["background"]) >= 3  # a line, not a text


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_curves_stay_apart_for_any_colour_vision(theme: Theme) -> None:
    known = colours(theme)
    names = [*(f"series-{name}" for name in SERIES), "foreground"]
    for vision, (one, other) in product(VISION, combinations(names, 2)):
        distance = float(np.linalg.norm(seen(known[one], vision) - seen(known[other], vision)))
        assert distance > 12, f"{theme.name}: {one} and {other} with {vision}: {distance:.1f}"


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_curves_can_be_seen_on_the_brightest_glow(theme: Theme) -> None:
    """WCAG 2.2, 1.4.11: graphics have a contrast of 3."""
    known = colours(theme)
    glow = known["background"].blend(known["foreground"], GLOW)
    ratios = {name: contrast(known[f"series-{name}"], glow) for name in SERIES}
    assert min(ratios.values()) >= 3.0, ratios


def test_signal_and_noise_are_orange_and_blue_in_every_theme() -> None:
    for theme in THEMES.values():
        known = colours(theme)
        for role, name in (("accent", "orange"), ("secondary", "blue")):  # Textual rounds some by one
            assert np.abs(np.subtract(known[role].rgb, known[f"series-{name}"].rgb)).max() <= 1


def test_the_names_are_those_of_the_settings() -> None:
    assert ("auto", *THEMES) == NAMES


@pytest.mark.parametrize(
    ("name", "environment", "theme"),
    [
        ("auto", {}, DARK),
        ("auto", {"COLORFGBG": "15;0"}, DARK),
        ("auto", {"COLORFGBG": "0;15"}, LIGHT),
        ("auto", {"COLORFGBG": "0;default;7"}, LIGHT),
        ("dark", {"COLORFGBG": "0;15"}, DARK),
        ("light", {}, LIGHT),
        ("high-contrast", {}, HIGH_CONTRAST),
        ("light", {"NO_COLOR": "1"}, MONOCHROME),
        ("light", {"NO_COLOR": ""}, LIGHT),
    ],
)
def test_what_is_chosen(name: str, environment: dict[str, str], theme: Theme) -> None:
    assert chosen_theme(name, environment) is theme
