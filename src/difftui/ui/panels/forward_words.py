"""What Forward says of its scene: the timestep, the formula with its numbers, and what can be chosen."""

from __future__ import annotations

import math

from textual.content import Content

from difftui.ui.panels.forward_scene import TIMESTEPS, Scene
from difftui.ui.widgets.text import choice

__all__ = ["choices_text", "formula_text", "time_text"]


def time_text(scene: Scene, playing: bool) -> Content:
    width = len(str(TIMESTEPS[-1]))
    mark = "▶" if playing else " "
    return Content.from_markup(
        f"[$muted]t =[/] [b]{scene.t:>{width}}[/] [$muted]of[/] {scene.T:<{width}} [$accent]{mark}[/]"
    )


def formula_text(scene: Scene, tall: bool) -> Content:
    """The forward process with its numbers: signal in the colour of signal, noise in that of noise."""
    a = scene.schedule.alpha_bar(scene.t)
    signal, noise, snr = math.sqrt(a), math.sqrt(1 - a), a / (1 - a)
    words = "x_t = [$accent]√ᾱ[/] x_0 + [$secondary]√(1-ᾱ)[/] ε"
    numbers = f"= [b $accent]{signal:.3f}[/] x_0 + [b $secondary]{noise:.3f}[/] ε"
    decibels = f"{10 * math.log10(snr):+7.2f} dB"
    if tall:
        lines = [
            words,
            f"    {numbers}",
            "",
            f"[$muted]ᾱ             [/]{_figure(a)}",
            f"[$accent]√ᾱ[/] [$muted]signal     [/]{_figure(signal)}",
            f"[$secondary]√(1-ᾱ)[/] [$muted]noise  [/]{_figure(noise)}",
            f"[$muted]SNR = ᾱ/(1-ᾱ) [/]{_figure(snr)}",
            f"[$muted]           = [/]{decibels}",
            f"[$accent]√ᾱ[/] [$muted]left at T  [/]{_figure(math.sqrt(scene.schedule.alpha_bars[-1]))}",
            "",
        ]
    else:
        lines = [
            f"{words} {numbers}",
            f"[$muted]ᾱ[/] {_figure(a)}  [$muted]SNR = ᾱ/(1-ᾱ)[/] {_figure(snr)} [$muted]=[/] {decibels}",
        ]
    return Content.from_markup("\n".join(lines))


def _figure(value: float) -> str:
    """A positive number in 7 cells: four digits, with an exponent where there would be only zeros."""
    if value >= 1e5 or value < 1e-3:
        text = f"{value:.1e}"
    elif value >= 1000:
        text = f"{value:.0f}"
    else:
        text = f"{value:#.4g}"
    return f"{text:>7}"


def choices_text(scene: Scene, count: int, tall: bool) -> Content:
    """What can be chosen, by its key or by a click."""
    indent = 8 if tall else 0
    number = f"{scene.example + 1 if count else 0}/{count}"
    schedule = choice("c", f"{'schedule':<{indent}}", f"{scene.kind:<14}", "schedule(1)")
    steps = choice("t", f"{'T':<{indent}}", str(scene.T), "timesteps(1)")
    digit = choice("d", f"{'digit':<{indent}}", str(scene.label), "digit(1)")
    example = choice("n", f"{'example':<{indent}}", f"{number:<9}", "example(1)")
    noise = choice("r", f"{'seed':<{indent}}", str(scene.seed), "renoise(1)")
    if tall:
        return Content("\n").join([schedule, steps, digit, example, noise])
    gap = Content("   ")
    return Content("\n").join([gap.join([schedule, steps]), gap.join([digit, example, noise])])
