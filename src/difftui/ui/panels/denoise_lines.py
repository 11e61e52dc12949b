"""The lines around the views of Denoise: which view, what can be chosen, what is to be seen."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from difftui.engine.denoising import REPEATS, DenoisingView
from difftui.ui.panels.no_network import no_network
from difftui.ui.widgets.text import choice
from difftui.words import grouped

__all__ = [
    "NOTHING",
    "errors_hint",
    "inside_hint",
    "joined",
    "look_hint",
    "looking_choices",
    "measuring_choices",
    "network_choice",
    "repeat_hint",
    "view_names",
]

NOTHING = no_network(": the recipe toy takes three minutes.")

_ROWS = "[$muted]above[/] x_t [$muted]· below[/] x̂0 ="
_LOOK_HINTS = {
    "eps": f"{_ROWS} (x_t - [$secondary]√(1-ᾱ)[/] ε̂) / [$accent]√ᾱ[/] [$muted]· errors of ε̂ count ×[/] SIGMA",
    "v": f"{_ROWS} [$accent]√ᾱ[/] x_t - [$secondary]√(1-ᾱ)[/] v̂",
    "x0": f"{_ROWS} [$muted]what the network answers[/]",
    "x_prev": f"{_ROWS} [$muted]its x_{{t-1}}, carried on to t = 0 (equation 7 of DDPM)[/]",
    "": "[$muted]above[/] x_0 + noise [$muted]· below what the network answers, in one look[/]",
}


def view_names(names: Sequence[str], showing: int) -> Content:
    """The views, the one that is shown in the accent's colour; a click opens one."""
    line = Content.from_markup(" [@click=screen.view(1)][b $accent]tab[/][/] ")
    for number, name in enumerate(names):
        style = "b $accent" if number == showing else "$muted"
        line += Content.from_markup(f"  [{style} @click=screen.open({number})]{name}[/]")
    return line


def joined(choices: Sequence[Content]) -> Content:
    """Choices in a line."""
    return Content(" ") + Content("   ").join(choices)


def network_choice(name: str, *, live: bool) -> Content:
    """Which network; a mark says that it is being trained."""
    return choice("m", "network", f"{name}{' ▶' if live else ''}", "source(1)")


def looking_choices(view: DenoisingView | None, rung: int, seed: int) -> list[Content]:
    """The digit, its noise and how much of it."""
    label, of, noise = "…", "…", "…"
    if view is not None:
        label = view.network.classes[view.wish.label] or "any"
        of = f"{view.wish.example + 1}/{view.count}"
        noise = view.network.ladder.label(rung)
    return [
        choice("d", "digit", label, "digit(1)"),
        choice("n", "example", of, "example(1)"),
        choice("r", "seed", str(seed), "renoise(1)"),
        choice("+/-", "", noise, "count(1)"),
    ]


def measuring_choices(told: int | None, *, log_axis: bool) -> list[Content]:
    """The time told everywhere (None: the network is told none), and the axis."""
    axis = choice("v", "axis", "log" if log_axis else "linear", "log()")
    return [axis] if told is None else [choice("←/→", "t told everywhere", str(told), "step(1)"), axis]


def look_hint(view: DenoisingView) -> Content:
    """What the two rows are."""
    sigma = view.network.ladder.sigma(view.wish.rungs[view.wish.chosen])
    hint = _LOOK_HINTS["" if view.network.one_shot else view.network.target]
    return Content.from_markup(hint.replace("SIGMA", f"{sigma:.3g}"))


def repeat_hint(look: int, *, playing: bool) -> Content:
    """How far the looks are shown."""
    state = "▶" if playing else "❚❚" if look < REPEATS else "■"
    return Content.from_markup(
        f"{state} [$muted]look[/] {look} [$muted]of {REPEATS}; its answer is what it is shown next[/]"
    )


def errors_hint(view: DenoisingView) -> Content:
    """On what the errors are measured."""
    seen = "that training never saw" if view.unseen else "of its own training set: it has none held out"
    return Content(f"Digits {seen}; the same noise for every curve.").stylize("$muted")


def inside_hint(view: DenoisingView) -> Content:
    """How long it was trained."""
    return Content.from_markup(
        f"[$muted]weights after[/] {grouped(view.network.step)} [$muted]steps of training[/]"
    )
