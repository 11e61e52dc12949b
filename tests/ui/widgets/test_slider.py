"""The slider: where the handle stands, and what the mouse does to it."""

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from difftui.ui.widgets.slider import Slider

WIDTH = 60


class Road(App[None]):
    """One slider on a line of 60 columns, and what it posted."""

    CSS = "Slider { padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.moves: list[int] = []

    def compose(self) -> ComposeResult:
        yield Slider("clean", "noise", last=999)

    def on_slider_moved(self, event: Slider.Moved) -> None:
        self.moves.append(event.value)

    @property
    def slider(self) -> Slider:
        return self.query_one(Slider)

    @property
    def line(self) -> str:
        return "".join(segment.text for segment in self.slider.render_line(0))


async def drag(pilot: Pilot[None], *columns: int) -> None:
    """Press at the first column, move over the others, let go at the last."""
    await pilot.mouse_down(Slider, offset=(columns[0], 0))
    for x in columns[1:]:
        await pilot.hover(Slider, offset=(x, 0))
    await pilot.mouse_up(Slider, offset=(columns[-1], 0))


@pytest.mark.parametrize(("value", "before", "after"), [(0, 0, 43), (999, 43, 0), (500, 22, 21)])
async def test_handle_stands_where_the_value_is(value: int, before: int, after: int) -> None:
    async with Road().run_test(size=(WIDTH, 1)) as pilot:
        app = pilot.app
        assert isinstance(app, Road)
        app.slider.move(value)
        await pilot.pause()
        assert app.line == "clean ├" + "─" * before + "●" + "─" * after + "┤ noise"
        assert not app.moves  # the program moved it, not the user


async def test_click_drag_and_the_names_of_the_ends() -> None:
    async with Road().run_test(size=(WIDTH, 1)) as pilot:
        app = pilot.app
        assert isinstance(app, Road)
        await pilot.click(Slider, offset=(2, 0))
        assert app.slider.value == 0
        await pilot.click(Slider, offset=(57, 0))  # on "noise"
        assert app.moves == [999]
        await drag(pilot, 8, 29, 51)
        assert app.moves == [999, 0, round(21 / 43 * 999), 999]
        await pilot.hover(Slider, offset=(20, 0))  # the button is up: nothing moves
        assert app.slider.value == 999


async def test_every_cell_of_the_rail_is_stable_under_its_own_click() -> None:
    """A click where the handle stands may not move the handle away."""
    async with Road().run_test(size=(WIDTH, 1)) as pilot:
        app = pilot.app
        assert isinstance(app, Road)
        for last in (1, 43, 9999):
            app.slider.move(0, last=last)
            for x in range(7, 51, 9):
                app.slider.move(app.slider.position_at(x))
                await pilot.pause()
                value, handle = app.slider.value, app.line.index("●")
                assert last < 43 or handle == x
                await pilot.click(Slider, offset=(1 + handle, 0))
                assert app.slider.value == value


async def test_mouse_stops_where_the_road_ends_so_far() -> None:
    async with Road().run_test(size=(WIDTH, 1)) as pilot:
        app = pilot.app
        assert isinstance(app, Road)
        app.slider.move(3, last=10, reached=5)
        await pilot.pause()
        assert app.line.count("╌") == 43 - round(5 / 10 * 43)
        await drag(pilot, 21, 50)
        assert app.moves[-1] == app.slider.value == 5
        assert app.slider.reached == 5


async def test_an_unmoved_slider_draws_nothing() -> None:
    async with Road().run_test(size=(WIDTH, 1)) as pilot:
        app = pilot.app
        assert isinstance(app, Road)
        app.slider.move(500)
        await pilot.pause()
        repaints = app.slider._repaint_required
        app.slider.move(501)  # the same cell
        assert app.slider._repaint_required == repaints is False
