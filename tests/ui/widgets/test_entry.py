"""What is typed fast arrives."""

from __future__ import annotations

from helpers import until
from textual.app import App, ComposeResult
from textual.events import Key

from difftui.ui.widgets.entry import Entry, TextBox


class Form(App[None]):
    def compose(self) -> ComposeResult:
        yield Entry()


async def test_keys_take_effect_in_the_order_in_which_they_were_typed() -> None:
    app = Form()
    async with app.run_test() as pilot:
        assert app._driver is not None
        for key, character in (("8", "8"), ("9", "9"), ("backspace", "\x7f"), ("7", "7")):
            app._driver.send_message(Key(key, character))
        await until(pilot, lambda: app.query_one(Entry).value == "87")


class Page(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.left: list[tuple[str, bool]] = []

    def compose(self) -> ComposeResult:
        yield TextBox()

    def on_text_box_left(self, event: TextBox.Left) -> None:
        self.left.append((event.text, event.entered))


async def test_a_box_takes_keys_in_their_order_and_tells_how_it_was_left() -> None:
    app = Page()
    async with app.run_test() as pilot:
        assert app._driver is not None
        app.query_one(TextBox).focus()
        keys = (("8", "8"), ("9", "9"), ("backspace", "\x7f"), ("7", "7"), ("ctrl+j", "\n"), ("6", "6"))
        for key, character in (*keys, ("escape", "\x1b"), ("enter", "\r")):
            app._driver.send_message(Key(key, character))
        await until(pilot, lambda: app.left == [("87\n6", False), ("87\n6", True)])
