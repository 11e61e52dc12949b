"""The networks as a table over the Generate screen: measured now, beside the scale that the lab quotes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from difftui.engine import Engine, Job
from difftui.engine.networks import Comparison, Measured, start_comparing
from difftui.experiments.quoted import QUOTED
from difftui.ui.list_window import ListWindow
from difftui.ui.pipeline_sources import Network
from difftui.ui.widgets.entry import Entry
from difftui.ui.window import hints
from difftui.words import grouped

__all__ = ["NetworkPicker", "names_of"]

LOOK_SECONDS = 0.2


class NetworkPicker(ListWindow["Network | str"]):
    """The list. It closes with a network, with what was typed, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,o,q", "dismiss(None)", "Close", show=False),
    ]
    DEFAULT_CSS = """
    NetworkPicker #header { color: $muted; height: 1; }
    NetworkPicker OptionList { max-height: 9; }
    NetworkPicker #scale { height: auto; margin-top: 1; color: $muted; }
    NetworkPicker Input { margin-top: 1; background: $surface; padding: 0; }
    NetworkPicker Input:focus { background: $surface-lighten-1; }
    """

    def __init__(self, sources: Sequence[Network], chosen: Network | None, engine: Engine) -> None:
        super().__init__()
        self.listed = tuple(sources)
        self._names = names_of(self.listed)
        self._chosen = chosen
        self._engine = engine
        self._job: Job[Comparison] | None = None
        self._seen = 0

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            yield Static(_line("", "network", "parameters", "pixels", "drawn by", "one picture"), id="header")
            yield OptionList(*(Option(self._row(source, None)) for source in self.listed))
            yield Static(_scale(None), id="scale")
            yield Entry(placeholder="or type the folder of a diffusers pipeline, or owner/name", compact=True)
        box.border_title = "networks"
        box.border_subtitle = hints(
            ("enter", "draw with it", "open()"),
            ("tab", "type a pipeline", "type()"),
            ("esc", "close", "dismiss(None)"),
        )

    def on_mount(self) -> None:
        options = self.options
        options.focus()
        places = [source.wanted for source in self.listed]
        if self._chosen is not None and self._chosen.wanted in places:
            options.highlighted = places.index(self._chosen.wanted)
        here = [(source.name, source.wanted) for source in self.listed if not source.absent]
        self._job = self._engine.submit("measuring networks", start_comparing(here))
        self.set_interval(LOOK_SECONDS, self._look)

    def on_unmount(self) -> None:
        if self._job is not None:
            self._job.close()

    def _look(self) -> None:
        """Show what was measured since."""
        job = self._job
        if job is None or job.version == self._seen or job.snapshot is None:
            return
        self._seen, found = job.version, job.snapshot
        here = [source for source in self.listed if not source.absent]
        options = self.options
        for source, row in zip(here, found.rows, strict=False):
            options.replace_option_prompt_at_index(self.listed.index(source), self._row(source, row))
        self.query_one("#scale", Static).update(_scale(found.toy))

    def answer(self, place: int) -> Network:
        return self.listed[place]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.dismiss(event.value.strip())

    def action_type(self) -> None:
        """Go to the line for a pipeline."""
        self.query_one(Input).focus()

    def _row(self, source: Network, row: Measured | None) -> Content:
        chosen = self._chosen is not None and source.wanted == self._chosen.wanted
        mark, name = "▸" if chosen else " ", self._names[self.listed.index(source)]
        if source.absent:
            return Content.assemble(
                f"{mark} {name:<22.22} ", ("not here: enter tells what it needs", "$muted")
            )
        if row is None:
            return Content.assemble(f"{mark} {name:<22.22} ", ("to be measured", "$muted"))
        if row.problem:
            return Content.assemble(f"{mark} {name:<22.22} ", (f"{row.problem:.60}", "$error"))
        channels, height, width = row.shape
        pixels = f"{height}×{width}{' RGB' if channels == 3 else ''}"
        by = f"{row.sampler} {row.steps}"
        return Content(_line(mark, name, grouped(row.parameters), pixels, by, row.told))


def names_of(sources: Sequence[Network]) -> list[str]:
    """What each is called; where one name is there twice, whose it is as well."""
    times = Counter(source.name for source in sources)
    return [
        source.name
        if times[source.name] == 1
        else f"{source.name:.10} ({'ships' if getattr(source, 'shipped', False) else 'yours'})"
        for source in sources
    ]


def _line(mark: str, name: str, parameters: str, pixels: str, by: str, seconds: str) -> str:
    return f"{mark:<1} {name:<19.19} {parameters:>11}  {pixels:<9} {by:<15.15} {seconds:>11}"


def _scale(toy: int | None) -> Content:
    told = " · ".join(f"{quoted.name} {quoted.parameters}" for quoted in QUOTED)
    true = f"\nThe toy denoiser, built as it says, has {grouped(toy)} (counted)." if toy is not None else "\n"
    return Content(f"Quoted from the lab, not measured: {told}.{true}")
