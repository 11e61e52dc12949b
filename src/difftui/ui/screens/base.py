"""What all screens share: the two bars, the keys of the table, the clock, and how wide they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from difftui.state import Choices
from difftui.ui.keys import SCREENS, bindings
from difftui.ui.steady import SteadyScreen
from difftui.ui.widgets.bars import KeyBar, TopBar
from difftui.ui.widgets.text import ActionText

if TYPE_CHECKING:
    from difftui.ui.app import DifftuiApp
    from difftui.ui.widgets.plot import CurvePlot

__all__ = ["LabScreen"]

MINIMUM_COLUMNS, MINIMUM_ROWS = 76, 22


class LabScreen(SteadyScreen[None]):
    """A screen of the laboratory. Subclasses set ``NAME``, compose their body, and draw in :meth:`tick`.

    A screen shows what jobs publish; work goes to ``self.lab.engine``.
    """

    NAME: ClassVar[str] = ""
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (150, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall"), (48, "-towering")]  # noqa: RUF012

    def __init_subclass__(cls) -> None:
        cls.BINDINGS = bindings(SCREENS[cls.NAME])
        super().__init_subclass__()

    @property
    def lab(self) -> DifftuiApp:
        """The app, with its engine and what the screens share."""
        return cast("DifftuiApp", self.app)

    def __init__(self) -> None:
        super().__init__()
        self.top_bar = TopBar(self.NAME)
        self.key_bar = KeyBar(self.NAME)
        self._read_first: CurvePlot | None = None  # of the plots that are read

    def compose(self) -> ComposeResult:
        yield self.top_bar
        yield from self.compose_body()
        yield self.key_bar
        yield Static(id="too-small")

    def on_resize(self, event: Resize) -> None:
        """Below the size that the screens are made for, say so instead of drawing half of them."""
        columns, rows = event.size
        small = columns < MINIMUM_COLUMNS or rows < MINIMUM_ROWS
        self.set_class(small, "-too-small")
        if small:
            self.query_one("#too-small", Static).update(
                f"difftui needs {MINIMUM_COLUMNS}×{MINIMUM_ROWS} characters.\n"
                f"This terminal has {columns}×{rows}.\n\nMake it larger, or its letters smaller; q quits."
            )

    def compose_body(self) -> ComposeResult:
        """The widgets between the bars."""
        raise NotImplementedError

    def idle_actions(self) -> frozenset[str]:
        """What does nothing here now, and so is not told in the last line; asked after keys and now and then.

        Returns:
            Names of actions without their arguments, such as "step".
        """
        reads = any(action.verb == "read" for action in SCREENS[self.NAME])
        return frozenset({"read"}) if reads and not self._readable() else frozenset()

    # Reading values off the plots.

    def action_read(self, steps: int) -> None:
        """Move the cursor of the plots, or bring it to their middle."""
        groups = self._readable()
        if groups:
            plots = groups[self._read_group(groups)]
            plots[0].read_on(steps)
            for plot in plots[1:]:
                plot.read_at(plots[0].cursor)

    def action_read_plot(self, by: int) -> None:
        """Read the next plots, or those before; at first, the first or the last."""
        groups = self._readable()
        if groups:
            read = any(plot.cursor is not None for plots in groups for plot in plots)
            at = self._read_group(groups) + by if read else min(by, 0)
            self.action_read_off()
            self._read_first = groups[at % len(groups)][0]
            self.action_read(1)

    def action_read_off(self) -> None:
        """Put the cursor away."""
        for plot in self._plots():
            plot.read_at(None)
        self._read_first = None

    def on_curve_plot_pointed(self, event: CurvePlot.Pointed) -> None:
        """The mouse reads one plot: those that share its x follow."""
        if event.plot.x_name:
            for plot in self._plots():
                if plot is not event.plot and plot.x_name == event.plot.x_name:
                    plot.read_at(event.x)
        self._read_first = event.plot

    def _plots(self) -> list[CurvePlot]:
        from difftui.ui.widgets.plot import CurvePlot  # a screen without plots need not load them

        return list(self.query(CurvePlot))

    def _read_group(self, groups: list[list[CurvePlot]]) -> int:
        """Which plots are read: those that were last."""
        return next((at for at, plots in enumerate(groups) if self._read_first in plots), 0)

    def _readable(self) -> list[list[CurvePlot]]:
        """The plots that show something, those that share their x together."""
        groups: dict[str, list[CurvePlot]] = {}
        for number, plot in enumerate(self._plots()):
            if plot.region and plot.has_curves:
                groups.setdefault(plot.x_name or str(number), []).append(plot)
        return list(groups.values())

    def remember(self) -> dict[str, object]:
        """What was chosen here, as values of JSON, for :meth:`recall` at the next start; asked often."""
        return {}

    def recall(self, choices: Choices) -> None:
        """Choose again what was remembered, as far as it still makes sense; called before composition."""

    def visit(self, choices: Mapping[str, object]) -> None:
        """Choose what is asked for on a screen that is in use, and begin that anew; the rest stays.

        Args:
            choices: by name, as :meth:`remember` has them.
        """
        self.recall(Choices({**self.remember(), **choices}))

    def keep(self) -> None:
        """Write down what must outlast the app. Called when it ends, by whatever thread ends it."""

    def say(self, name: str, text: Content, *, layout: bool = False) -> None:
        """Show a text in the widget of this id; draws only where its letters or its colours are new.

        Args:
            name: of an `ActionText`.
            text: what it shows.
            layout: whether its size may change with it.
        """
        self.query_one(f"#{name}", ActionText).say(text, layout=layout)

    def tick(self, now: float) -> None:
        """Draw what is new. Called by the app's clock while this screen is shown.

        Args:
            now: ``time.monotonic()``, the only time that animation goes by.
        """
