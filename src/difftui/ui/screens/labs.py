"""The labs put to the test: a page each, computed while one looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cached_property

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize

from difftui.errors import DifftuiError
from difftui.experiments import CLAIMS, NAMED, PAGES, Page, Pictures, Setup, sheet
from difftui.state import MOST_SEED, Choices
from difftui.ui.keys import shown_key
from difftui.ui.page_works import PageWork, PageWorks
from difftui.ui.panels.guess_game import GuessGame
from difftui.ui.panels.page_list import GAME, PageList, contents
from difftui.ui.panels.page_panel import PagePanel, state_mark
from difftui.ui.panels.page_text import PageText
from difftui.ui.screens.base import LabScreen
from difftui.ui.screens.paged import Paged
from difftui.ui.widgets.text import ActionText
from difftui.words import short_path

__all__ = ["SCREEN", "LabsScreen"]


class LabsScreen(Paged, LabScreen):
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
        self._drawn: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="labs"):
            yield ActionText(id="contents")
            with Vertical(id="page"):
                yield ActionText(id="title")
                yield ActionText(id="says")
                yield PagePanel()

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

    def visit(self, choices: Mapping[str, object]) -> None:
        super().visit(choices)
        self.held = False

    @property
    def page(self) -> Page:
        """The page shown."""
        return PAGES[self.place]

    @cached_property
    def works(self) -> PageWorks:
        return PageWorks(self.lab.engine)

    def idle_actions(self) -> frozenset[str]:
        return (
            super().idle_actions() | self.idle_choices() | (frozenset() if self._pictures() else {"export"})
        )

    def _pictures(self) -> list[Pictures]:
        """Those that the page has found so far."""
        findings = self.work.findings if self.work is not None else None
        return [b for b in findings.blocks if isinstance(b, Pictures)] if findings is not None else []

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
        self.app.push_screen(PageText(self.page, work.findings if work is not None else None))

    def action_begin(self) -> None:
        """The game."""
        self.app.push_screen(GuessGame(self.lab.engine))

    def action_export(self) -> None:
        """Save the pictures as PNG."""
        from difftui.media import save_png
        from difftui.paths import home_dir

        pictures = self._pictures()
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

    # Drawing.

    def on_resize(self, event: Resize) -> None:
        self._drawn = ()

    def tick(self, now: float) -> None:
        if isinstance(self.app.screen, GuessGame):
            self.app.screen.tick()
            return
        page = self.page
        work = self.works.see_to(self.work_key, page, page.chosen(self.setup), held=self.held)
        drawn = (page.name, work.job, work.job.version, work.job.state, self.held, self.setup)
        if drawn == self._drawn:
            return
        turned = not self._drawn or self._drawn[0] != page.name
        self._drawn = drawn
        self.say("title", self._title(work), layout=True)
        panel = self.query_one(PagePanel)
        if turned:
            self._turn(panel, blank=work.findings is None)
        panel.show(self.NAME, page, self.setup, work)

    def _turn(self, panel: PagePanel, *, blank: bool) -> None:
        """What is the same as long as a page is shown."""
        page = self.page
        panel.turn(page, blank=blank)
        self.say("contents", contents(self.place), layout=True)
        self.say(
            "says",
            Content.from_markup("[$muted]$source:[/] $says", source=page.source, says=page.says),
            layout=True,
        )

    def _title(self, work: PageWork) -> Content:
        number = f"{self.place + 1}" if self.place < CLAIMS else "·"
        has_torch = self.lab.engine.device is not None
        mark = state_mark(self.page, work, held=self.held, has_torch=has_torch)
        left = Content.from_markup(
            "[b $accent]$number[/]  [b]$title[/]", number=number, title=self.page.title
        )
        right = mark + Content.from_markup(f"  [$muted]{self.place + 1}/{len(PAGES)}[/]")
        room = self.query_one("#title").content_size.width
        return left + " " * max(2, room - left.cell_length - right.cell_length) + right


SCREEN: Callable[[], LabsScreen] = LabsScreen
