"""A page of an experiment as a screen shows it: pictures, curves and figures, and what can be chosen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from difftui.engine import JobState
from difftui.experiments import Findings, Page, Setup
from difftui.ui.keys import shown_key
from difftui.ui.page_works import PageWork
from difftui.ui.panels.experiment_stage import ExperimentStage
from difftui.ui.panels.page_text import table_text
from difftui.ui.widgets.slider import Slider
from difftui.ui.widgets.text import ActionText, choice

__all__ = ["PagePanel", "network_of", "state_mark"]

ROWS_FOR_ALL = 28  # of the screen, from which a table has all its rows
ROWS_FOR_HOW = 34  # from which there is room for how a page is computed
ROWS_FOR_MORE = 44  # and for its further tables
FEW_ROWS = 5  # of a table where there is less room


class PagePanel(Vertical):
    """The panel. The texts are `ActionText` widgets whose ids say what they are."""

    DEFAULT_CSS = """
    PagePanel #choices { height: 1; padding: 0 1; }
    PagePanel #table, PagePanel #more, PagePanel #seen, PagePanel #how { height: auto; padding: 0 1; }
    PagePanel #seen { height: 2; }
    PagePanel #expected { height: auto; max-height: 2; padding: 0 1; display: none; }
    PagePanel #time { height: 1; padding: 0 1; }
    PagePanel #t { width: 17; }
    """

    def __init__(self, rows_besides: int = 0, id: str | None = None) -> None:
        """Nothing is shown yet.

        Args:
            rows_besides: that the screen gives to other things, more than the Labs screen does.
            id: of the widget.
        """
        super().__init__(id=id)
        self.rows_besides = rows_besides

    def compose(self) -> ComposeResult:
        yield ExperimentStage(id="stage")
        for name in ("table", "more", "expected", "seen", "how"):
            yield ActionText(id=name)
        with Horizontal(id="time"):
            yield ActionText(id="t")
            yield Slider("[$accent]clean[/] 0", "T [$secondary]noise[/]", id="slider")
        yield ActionText(id="choices")

    def turn(self, page: Page, *, blank: bool) -> None:
        """Show what is the same as long as a page is shown.

        Args:
            page: that is shown from now on.
            blank: nothing of it was found yet.
        """
        self.say("how", Content.from_markup("[$muted]Computed:[/] $how", how=page.how))
        self.query_one("#how").display = self._rows >= ROWS_FOR_HOW
        self.query_one("#time").display = "time" in page.offers
        # What moved while it was hidden is not drawn when it is shown again.
        self.call_after_refresh(self.query_one(Slider).refresh)
        self.query_one(ExperimentStage).visible = not blank
        if blank:
            self.say("table", Content())
            self.say("more", Content())

    def show(
        self, screen: str, page: Page, setup: Setup, work: PageWork, further: tuple[Content, ...] = ()
    ) -> None:
        """Show what was found so far, and what is chosen.

        Args:
            screen: whose keys choose.
            page, setup: the page, and what is chosen for it.
            work: of the page.
            further: choices of the screen's own.
        """
        self.say("choices", Content("  ").join([*_choices(screen, page, setup), *further]))
        if work.findings is not None:
            self._show(page, work.findings)
        self.say("seen", _seen(page, work))

    def expect(self, text: Content) -> None:
        """Show what somebody expected, above what it comes to; nothing where that is empty."""
        self.query_one("#expected").display = bool(text.plain)
        self.say("expected", text)

    def say(self, name: str, text: Content) -> None:
        """Show a text in the widget of this id."""
        self.query_one(f"#{name}", ActionText).say(text, layout=True)

    @property
    def _rows(self) -> int:
        return self.screen.size.height - self.rows_besides

    def _show(self, page: Page, findings: Findings) -> None:
        stage = self.query_one(ExperimentStage)
        stage.visible = True
        stage.show(findings)
        few = FEW_ROWS - ("time" in page.offers)
        self.say("table", table_text(findings.table, most=100 if self._rows >= ROWS_FOR_ALL else few))
        roomy = self._rows >= ROWS_FOR_MORE
        more = Content("\n").join(table_text(t) for _, t in findings.more) if roomy else Content()
        self.say("more", more)
        self.query_one("#more").display = bool(findings.more) and roomy
        if findings.time is not None:
            t, last = findings.time
            self.query_one(Slider).move(t, last=last)
            self.say("t", Content.from_markup(f"[$muted]t =[/] [b]{t:>4}[/] [$muted]of[/] {last + 1:<5}"))


def state_mark(page: Page, work: PageWork, *, held: bool, has_torch: bool) -> Content:
    """How far it is, in a word or two.

    Args:
        page: that is computed.
        work: its work.
        held: whether the user holds it.
        has_torch: whether torch is there.
    """
    state, findings = work.job.state, work.findings
    done = findings.done if findings is not None else 0.0
    if state is JobState.FAILED:
        return Content.from_markup("[$error]✗ failed[/]")
    if state.final:
        return Content.from_markup("[$success]✓ measured now[/]")
    if held:
        return Content(f"⏸ held {done:.0%}")
    if findings is None:
        waits = "waits for torch …" if page.needs_torch and not has_torch else "▶ …"
        return Content.from_markup(f"[$muted]{waits}[/]")
    return Content.from_markup(f"[$accent]▶ computing {done:>3.0%}[/]")


def network_of(page: Page, setup: Setup) -> str:
    """The network that a page is computed with."""
    from difftui.experiments.materials import network_names

    names = network_names(page.networks)
    return setup.network if setup.network in names else names[0] if names else "none"


def _seen(page: Page, work: PageWork) -> Content:
    """What it comes to; what to look at, until that is known."""
    if work.job.state is JobState.FAILED:
        return Content(work.job.error or "").stylize("$error")
    findings = work.findings
    if findings is None or not findings.seen:
        return Content(page.look).stylize("$muted")
    return Content(findings.seen).stylize("bold")


def _choices(screen: str, page: Page, setup: Setup) -> list[Content]:
    """What can be chosen on this page."""
    offered: list[Content] = []
    two = page.name == "ab"
    for offer, name, action, value in (
        ("digit", "digit", "digit(1)", str(setup.label)),
        ("seed", "seed", "reseed(1)", str(setup.seed)),
        ("network", "network", "source(1)", ""),
        ("schedules", "left" if two else "schedule", "schedule(1)", setup.left),
    ):
        if offer in page.offers:
            told = network_of(page, setup) if offer == "network" else value
            offered.append(choice(shown_key(screen, action), name, told, action))
    if "schedules" in page.offers and two:
        offered.append(choice(shown_key(screen, "swap"), "right", setup.right, "swap"))
    return offered
