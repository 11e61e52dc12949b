"""The first screen: what this is, what was found, what to do first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.events import Resize

from difftui.ui.keys import PLACES, Place
from difftui.ui.screens.base import LabScreen
from difftui.ui.widgets.text import ActionText
from difftui.words import short_path

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from difftui.ui.panels.run_list import RunEntry

__all__ = ["SCREEN", "HomeScreen"]

_INTRODUCTION = (
    "A laboratory for diffusion models. See noise being added to digits, a\n"
    "network learning to take it away, and digits being born from nothing."
)
BANNER_DIGIT = 4  # position among the bundled digits of the one that turns into noise on this screen
BANNER_SIDES = ((150, 44, 28), (112, 36, 21), (0, 0, 14))
"""From so many columns and rows on the banner's pictures have sides of so many pixels."""
BANNER_TIMES = (0, 99, 199, 349, 999)
_CAPTIONS = ("clean  t = 0", *(f"t = {t}" for t in BANNER_TIMES[1:-1]), "t = 999  noise")
BRIEF_COLUMNS = 26
ROWS_FOR_TEXTS = 30  # below, the screens are listed in two columns
TOLD = 2  # runs by name on a line of 66 characters


@dataclass(frozen=True, slots=True)
class Found:
    """What Home found on this machine, read once each time it is shown."""

    digits: str
    checkpoints: tuple[str, ...]
    runs: int
    open: tuple[RunEntry, ...]  # those that run or can go on, the one to offer first


class HomeScreen(LabScreen):
    """Introduction, the list of screens, and the state of the laboratory."""

    NAME = "home"

    def __init__(self) -> None:
        super().__init__()
        self.found: Found | None = None
        self._banner_side = 0

    def compose_body(self) -> ComposeResult:
        with Vertical(id="home"):
            yield Vertical(id="banner")  # filled after the first paint, which need not wait for NumPy
            with Container(id="words"):
                yield ActionText(id="introduction")
                yield ActionText(id="found")

    def on_resize(self, event: Resize) -> None:
        self.say("introduction", _introduction(short=event.size.height < ROWS_FOR_TEXTS), layout=True)
        if self.found is not None:
            self._show_banner()

    def on_screen_resume(self) -> None:
        self.found = None  # runs may have come since

    def tick(self, now: float) -> None:
        if self.found is None and self.lab.painted:
            self._look_around()
        self.say("found", self._found_text(), layout=True)

    def action_begin(self) -> None:
        """Resume what was interrupted or attach to what runs, else go and see a digit being born."""
        if self.found is not None and self.found.open:
            self.lab.wanted_run, self.lab.go_on = str(self.found.open[0].run.path), True
            self.lab.action_go("train")
        else:
            self.lab.action_go("generate")

    def _look_around(self) -> None:
        from difftui.data import found_digits
        from difftui.runs import list_runs, shipped_runs
        from difftui.ui.panels.run_list import OPEN, find_entries

        self._show_banner()
        self.found = Found(
            digits=found_digits(self.lab.data),
            checkpoints=tuple(run.name for run in shipped_runs()),
            runs=len(list_runs()),
            open=tuple(entry for entry in find_entries() if entry.kind in OPEN),
        )

    def _show_banner(self) -> None:
        from difftui.ui.widgets.pixels import PixelView

        columns, rows = self.size
        side = next(s for wide, high, s in BANNER_SIDES if columns >= wide and rows >= high)
        if side == self._banner_side:
            return
        self._banner_side = side
        pictures = _banner(side)
        banner = self.query_one("#banner")
        if not banner.children:
            banner.mount(PixelView(shape=pictures.shape, columns=len(pictures), captions=_CAPTIONS))
        banner.query_one(PixelView).show(pictures)

    def _found_text(self) -> Content:
        engine, found = self.lab.engine, self.found
        device = engine.problem or (
            f"{engine.device.label}: {engine.device.why}" if engine.device else "loading torch …"
        )
        rows = [("device", device)]
        if found is not None:
            rows.append(("digits", found.digits))
            rows.append(("networks", ", ".join(found.checkpoints) or "none shipped: train one on screen 4"))
            rows.append(("your runs", _runs_text(found)))
        lines = [Content.from_markup(f"[$muted]{name:<10}[/] ") + Content(value) for name, value in rows]
        first = Content.from_markup(
            "Press [@click=screen.begin()][b $accent]enter[/] to $what[/], or a number to begin anywhere.",
            what=found.open[0].offer if found is not None and found.open else "watch a digit being born",
        )
        return Content("\n").join([*lines, Content(), first])


def _banner(side: int) -> NDArray[np.float64]:
    """A bundled digit at five timesteps of the linear schedule, always with the same noise, in this size."""
    import numpy as np

    from difftui.data import bundled
    from difftui.diffusion import add_noise, make_schedule
    from difftui.ui.widgets.pixels import resample

    x0 = bundled().images[BANNER_DIGIT] / 127.5 - 1
    eps = np.random.default_rng(0).standard_normal(x0.shape)
    schedule = make_schedule("linear", 1000)
    frames = np.stack([add_noise(x0, eps, schedule.alpha_bar(t)) for t in BANNER_TIMES])
    return resample(frames, side, side)


def _introduction(*, short: bool) -> Content:
    """What this is, and the screens: one a line with its text, or two with few words each."""
    places = PLACES[1:]
    if short:
        half = (len(places) + 1) // 2
        right = [_entry(place, place.brief) for place in places[half:]] + [Content()] * (len(places) % 2)
        left = (_entry(place, f"{place.brief:<{BRIEF_COLUMNS}}") for place in places[:half])
        lines = [one + other for one, other in zip(left, right, strict=True)]
    else:
        lines = [_entry(place, place.text) for place in places]
    above = [] if short else [Content()]
    return Content("\n").join([Content(_INTRODUCTION), *above, *lines, Content()])


def _entry(place: Place, text: str) -> Content:
    return Content.from_markup(
        f"[@click=app.go('{place.name}')][b $accent]{place.key}[/]  [b]{place.label:<9}[/] {text}[/]"
    )


def _runs_text(found: Found) -> str:
    if found.open:
        more = f", {len(found.open) - TOLD} more" if len(found.open) > TOLD else ""
        return f"{found.runs}: {', '.join(entry.words for entry in found.open[:TOLD])}{more}"
    return f"{found.runs} in {_home()}" if found.runs else f"none yet; they will be kept in {_home()}"


def _home() -> str:
    from difftui.runs import runs_dir

    return short_path(runs_dir())


SCREEN = HomeScreen
