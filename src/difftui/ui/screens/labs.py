"""The labs put to the test: a page each, computed while one looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize

from difftui.engine import JobState
from difftui.engine.experiments import run_page
from difftui.errors import DifftuiError
from difftui.experiments import CLAIMS, NAMED, PAGES, Findings, Page, Pictures, Setup, sheet
from difftui.state import MOST_SEED, Choices
from difftui.ui.keys import shown_key
from difftui.ui.panels.experiment_stage import ExperimentStage
from difftui.ui.panels.guess_game import GuessGame
from difftui.ui.panels.page_list import GAME, PageList, contents
from difftui.ui.panels.page_text import PageText, table_text
from difftui.ui.screens.base import LabScreen
from difftui.ui.widgets.slider import Slider
from difftui.ui.widgets.text import ActionText, choice
from difftui.words import short_path

if TYPE_CHECKING:
    from difftui.engine import Job

__all__ = ["SCREEN", "LabsScreen"]

ROWS_FOR_ALL = 28  # from which a table has all its rows
ROWS_FOR_HOW = 34  # from which there is room for how a page is computed
ROWS_FOR_MORE = 44  # and for its further tables


@dataclass(slots=True)
class _Work:
    """A page being computed, or computed.

    Attributes:
        setup: with what.
        job: by whom.
        held: whether it was told to pause.
    """

    setup: Setup
    job: Job[Findings]
    held: bool = False


class LabsScreen(LabScreen):
    """One page at a time; each keeps what it has found.

    Attributes:
        place: of the page shown among :data:`PAGES`.
        setup: what is chosen; a page uses what it offers.
        held: whether the user holds the computation.
    """

    NAME = "labs"

    def __init__(self) -> None:
        super().__init__()
        self.place = 0
        self.setup = Setup()
        self.held = False
        self._works: dict[str, _Work] = {}
        self._drawn: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="labs"):
            yield ActionText(id="contents")
            with Vertical(id="page"):
                yield ActionText(id="title")
                yield ActionText(id="says")
                yield ExperimentStage(id="stage")
                yield ActionText(id="table")
                yield ActionText(id="more")
                yield ActionText(id="seen")
                yield ActionText(id="how")
                with Horizontal(id="time"):
                    yield ActionText(id="t")
                    yield Slider("[$accent]clean[/] 0", "T [$secondary]noise[/]", id="slider")
                yield ActionText(id="choices")

    def remember(self) -> dict[str, object]:
        return {"page": self.page.name, **asdict(self.setup)}

    def recall(self, choices: Choices) -> None:
        usual, names = Setup(), [page.name for page in PAGES]
        self.place = names.index(choices.one_of("page", names, names[0]))
        self.setup = Setup(
            label=choices.whole("label", 0, 9, usual.label),
            seed=choices.whole("seed", 0, MOST_SEED, usual.seed),
            time=choices.number("time", 0.0, 1.0, usual.time),
            left=choices.one_of("left", tuple(NAMED), usual.left),
            right=choices.one_of("right", tuple(NAMED), usual.right),
            network=choices.text("network") or "",
        )

    @property
    def page(self) -> Page:
        """The page shown."""
        return PAGES[self.place]

    @property
    def work(self) -> _Work | None:
        """What is computed, or was, of this page."""
        return self._works.get(self.page.name)

    # What the user does.

    def action_pick(self, by: int) -> None:
        """The next or the previous page."""
        self.action_open((self.place + by) % len(PAGES))

    def action_view(self, by: int) -> None:
        """The same, by the key that turns views elsewhere."""
        self.action_pick(by)

    def action_open(self, place: int) -> None:
        """A page by its place, or the game, which comes after them."""
        if place == GAME:
            self.action_begin()
        else:
            self.place = place

    def action_grid(self) -> None:
        """All pages, to choose one."""
        self.app.push_screen(PageList(self.place), self._take_page)

    def _take_page(self, place: int | None) -> None:
        if place is not None:
            self.action_open(place)

    def action_all(self) -> None:
        """The whole page in words and figures."""
        work = self.work
        self.app.push_screen(PageText(self.page, work.job.snapshot if work is not None else None))

    def action_begin(self) -> None:
        """The game."""
        self.app.push_screen(GuessGame(self.lab.engine))

    def action_play(self) -> None:
        """Hold, or go on; at the end compute it again."""
        work = self.work
        if work is not None and work.job.state.final:
            self.held = False
            self.action_restart()
        else:
            self.held = not self.held

    def action_restart(self) -> None:
        """Compute this page anew."""
        work = self._works.pop(self.page.name, None)
        if work is not None:
            work.job.close()

    def action_step(self, hundredths: int) -> None:
        """Towards noise; negative: towards the clean digit."""
        self._choose("time", time=min(max(self.setup.time + hundredths / 100, 0.0), 1.0))

    def action_jump(self, end: int) -> None:
        """The first timestep (0) or the last (1)."""
        self._choose("time", time=float(end))

    def on_slider_moved(self, event: Slider.Moved) -> None:
        self._choose("time", time=event.value / max(1, event.slider.last))

    def action_digit(self, by: int) -> None:
        """The next or the previous class."""
        self._choose("digit", label=(self.setup.label + by) % 10)

    def action_reseed(self, by: int) -> None:
        """Other randomness."""
        self._choose("seed", seed=min(max(self.setup.seed + by, 0), MOST_SEED))

    def action_source(self, by: int) -> None:
        """The next or the previous network that ships."""
        from difftui.experiments.materials import network_names

        names = network_names(self.page.networks)
        if names:
            now = names.index(self.setup.network) if self.setup.network in names else 0
            self._choose("network", network=names[(now + by) % len(names)])

    def action_schedule(self, by: int) -> None:
        """The next or the previous schedule, on the left where there are two."""
        names = list(NAMED)
        self._choose("schedules", left=names[(names.index(self.setup.left) + by) % len(names)])

    def action_swap(self) -> None:
        """The two schedules the other way round."""
        self._choose("schedules", left=self.setup.right, right=self.setup.left)

    def action_export(self) -> None:
        """Save the pictures as PNG."""
        from difftui.media import save_png
        from difftui.paths import home_dir

        work = self.work
        findings = work.job.snapshot if work is not None else None
        pictures = [b for b in findings.blocks if isinstance(b, Pictures)] if findings is not None else []
        if not pictures:
            self.notify(f"No pictures on this page; {shown_key(self.NAME, 'app.copy')} saves it as text.")
            return
        images, columns = sheet(pictures)
        try:
            path = save_png(
                home_dir() / "exports" / f"labs-{self.page.name}.png", images, columns=columns, scale=3
            )
        except (DifftuiError, OSError) as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.notify(f"saved {short_path(path)}", markup=False)

    def _choose(self, choice: str, **changes: object) -> None:
        """Take a choice, if this page offers it."""
        if choice in self.page.offers:
            self.setup = replace(self.setup, **changes)  # type: ignore[arg-type]

    # The computation.

    def _see_to_work(self) -> None:
        """Let this page, and no other, be computed with what is chosen now."""
        page, setup = self.page, self.page.chosen(self.setup)
        work = self._works.get(page.name)
        if work is None or work.setup != setup:
            if work is not None:
                work.job.close()
            self._works[page.name] = _Work(setup, run_page(self.lab.engine, page, setup))
        for name, each in self._works.items():
            hold = self.held or name != page.name
            if hold != each.held and not each.job.state.final:
                each.held = hold
                each.job.pause() if hold else each.job.resume()

    # Drawing.

    def on_resize(self, event: Resize) -> None:
        self._drawn = ()

    def tick(self, now: float) -> None:
        if isinstance(self.app.screen, GuessGame):
            self.app.screen.tick()
            return
        self._see_to_work()
        work, page = self.work, self.page
        assert work is not None
        version = work.job.version
        drawn = (page.name, work.job, version, work.job.state, self.held, self.setup)
        if drawn == self._drawn:
            return
        turned = not self._drawn or self._drawn[0] != page.name
        self._drawn = drawn
        self.say("title", self._title(work), layout=True)
        if turned:
            self._turn(page)
        self.say("choices", self._choices(), layout=True)
        findings = work.job.snapshot
        if findings is not None:
            self._show(findings)
        elif turned:
            self.say("table", Content(), layout=True)
            self.say("more", Content(), layout=True)
        self.say("seen", self._seen(work), layout=True)

    def _turn(self, page: Page) -> None:
        """What is the same as long as a page is shown."""
        self.say("contents", contents(self.place), layout=True)
        self.say(
            "says",
            Content.from_markup("[$muted]$source:[/] $says", source=page.source, says=page.says),
            layout=True,
        )
        self.say("how", Content.from_markup("[$muted]Computed:[/] $how", how=page.how), layout=True)
        self.query_one("#how").display = self.size.height >= ROWS_FOR_HOW
        self.query_one("#time").display = "time" in page.offers
        # What moved while it was hidden is not drawn when it is shown again.
        self.call_after_refresh(self.query_one(Slider).refresh)
        self.query_one(ExperimentStage).visible = self.work is not None and self.work.job.snapshot is not None

    def _show(self, findings: Findings) -> None:
        stage = self.query_one(ExperimentStage)
        stage.visible = True
        stage.show(findings)
        self.say("table", table_text(findings.table, most=self._most_rows), layout=True)
        roomy = self.size.height >= ROWS_FOR_MORE
        self.say(
            "more",
            Content("\n").join(table_text(t) for _, t in findings.more) if roomy else Content(),
            layout=True,
        )
        self.query_one("#more").display = bool(findings.more) and roomy
        if findings.time is not None:
            t, last = findings.time
            self.query_one(Slider).move(t, last=last)
            self.say(
                "t",
                Content.from_markup(f"[$muted]t =[/] [b]{t:>4}[/] [$muted]of[/] {last + 1:<5}"),
                layout=True,
            )

    @property
    def _most_rows(self) -> int:
        """Of the table; what counts most is in the first."""
        if self.size.height >= ROWS_FOR_ALL:
            return 100
        return 4 if "time" in self.page.offers else 5

    def _title(self, work: _Work) -> Content:
        number = f"{self.place + 1}" if self.place < CLAIMS else "·"
        findings = work.job.snapshot
        done = findings.done if findings is not None else 0.0
        state = work.job.state
        if state is JobState.FAILED:
            mark = "[$error]✗ failed[/]"
        elif state.final:
            mark = "[$success]✓ measured now[/]"
        elif self.held:
            mark = f"⏸ held {done:.0%}"
        elif findings is None:
            waits = "waits for torch …" if self.page.needs_torch and self.lab.engine.device is None else "▶ …"
            mark = f"[$muted]{waits}[/]"
        else:
            mark = f"[$accent]▶ computing {done:>3.0%}[/]"
        left = Content.from_markup(
            "[b $accent]$number[/]  [b]$title[/]", number=number, title=self.page.title
        )
        right = Content.from_markup(f"{mark}  [$muted]{self.place + 1}/{len(PAGES)}[/]")
        room = self.query_one("#title").content_size.width
        return left + " " * max(2, room - left.cell_length - right.cell_length) + right

    def _seen(self, work: _Work) -> Content:
        if work.job.state is JobState.FAILED:
            return Content(work.job.error or "").stylize("$error")
        findings = work.job.snapshot
        if findings is None or not findings.seen:
            return Content(self.page.look).stylize("$muted")
        return Content(findings.seen).stylize("bold")

    def _choices(self) -> Content:
        page, setup = self.page, self.setup
        offered: list[Content] = []
        for offer, name, action, value in (
            ("digit", "digit", "digit(1)", str(setup.label)),
            ("seed", "seed", "reseed(1)", str(setup.seed)),
            ("network", "network", "source(1)", self._network()),
            ("schedules", "left" if page.name == "ab" else "schedule", "schedule(1)", setup.left),
        ):
            if offer in page.offers:
                offered.append(choice(shown_key(self.NAME, action), name, value, action))
        if "schedules" in page.offers and page.name == "ab":
            offered.append(choice(shown_key(self.NAME, "swap"), "right", setup.right, "swap"))
        return Content("  ").join(offered)

    def _network(self) -> str:
        from difftui.experiments.materials import network_names

        names = network_names(self.page.networks)
        return self.setup.network if self.setup.network in names else names[0] if names else "none"


SCREEN: Callable[[], LabsScreen] = LabsScreen
