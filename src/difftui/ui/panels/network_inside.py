"""What a network is: its first layer as pictures, its parts and their parameters, what its lab says of it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from difftui.engine.network_facts import NetworkFacts
from difftui.ui.widgets.pixels import PixelView
from difftui.words import grouped

__all__ = ["NetworkInsidePanel"]

FACTS_COLUMNS = 23  # so that 32 filters of 3x3 pixels are twice their size beside it, in 80 columns
LEAST_PIXELS = 12  # across a filter that is a whole picture


class NetworkInsidePanel(Horizontal):
    """Shows :class:`NetworkFacts`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield PixelView(fit=True, id="inside-filters")
        yield Static(id="inside-facts")

    def on_resize(self, event: Resize) -> None:
        self._drawn = ()

    def clear(self) -> None:
        """Show nothing: what was there belongs to another choice."""
        self._drawn = ()
        self.query_one("#inside-filters", PixelView).clear()
        self.query_one("#inside-facts", Static).update("")

    def show(self, network: NetworkFacts) -> None:
        """Draw it, if it is another than before."""
        view = self.query_one("#inside-filters", PixelView)
        columns, rows = view.size
        if self._drawn == (network, columns, rows) or not columns or not rows:
            return
        self._drawn = (network, columns, rows)
        filters = network.filters
        fitting = max(1, (columns + 1) // (LEAST_PIXELS + 1)) * max(1, (rows + 1) // (LEAST_PIXELS // 2 + 1))
        shown = len(filters) if filters.shape[1] < LEAST_PIXELS else min(fitting, len(filters))
        view.show(filters[:shown])
        self.query_one("#inside-facts", Static).update(_facts(network, shown, rows), layout=False)


def _facts(network: NetworkFacts, shown: int, rows: int) -> Content:
    total, height = len(network.filters), network.filters.shape[1]
    which = f"{total} filters" if shown == total else f"first {shown} of {total}"
    lines = [
        Content(network.name).stylize("b"),
        Content(network.model).stylize("$muted"),
        Content(),
        _line("parameters", f"[b $accent]{grouped(network.parameters)}[/]"),
        _line("float32", f"{network.kibibytes:.2f} KiB"),
    ]
    if network.claimed is not None:
        lines += [
            _line("its lab: about", grouped(network.claimed)),
            _line("in 3×3 conv.", grouped(network.kernels)),
        ]
    loss = [] if network.loss is None else [_line("loss, 100 steps", f"[b]{network.loss:.4f}[/]")]
    if network.goal is not None:
        loss.append(_line("its target, about", f"{network.goal:g}"))
    legend = [
        Content(),
        Content(f"left: {which}").stylize("$muted"),
        Content(f"{height}×{height}: white +, black -").stylize("$muted"),
    ]
    room = rows - len(lines) - len(loss) - len(legend) - 1
    return Content("\n").join([*lines, *loss, Content(), *_parts(network, room), *legend])


def _parts(network: NetworkFacts, room: int) -> list[Content]:
    """The parts, a line each; where there is no room for all, the last line says what the rest has."""
    parts = network.parts
    if len(parts) <= room:
        return [_line(name, grouped(count)) for name, count in parts]
    kept = parts[: max(room - 1, 0)]
    rest = sum(count for _, count in parts[len(kept) :])
    return [
        *(_line(name, grouped(count)) for name, count in kept),
        _line(f"{len(parts) - len(kept)} more", grouped(rest)),
    ]


def _line(name: str, value: str) -> Content:
    """Name on the left, value (in markup) on the right."""
    told = Content.from_markup(value)
    return Content.assemble((name.ljust(FACTS_COLUMNS - told.cell_length), "$muted"), told)
