"""What is typed fast arrives."""

from __future__ import annotations

from helpers import until
from textual.app import App, ComposeResult
from textual.events import Key

from difftui.ui.widgets.entry import Entry


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
