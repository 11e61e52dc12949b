"""What is typed fast arrives."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.events import Key

from difftui.ui.widgets.entry import Entry


class Form(App[None]):
    def compose(self) -> ComposeResult:
        yield Entry()


async def test_a_letter_right_behind_a_backspace_at_the_beginning_is_not_lost() -> None:
    app = Form()
    async with app.run_test() as pilot:
        assert app._driver is not None
        for key, character in (("backspace", "\x7f"), ("8", "8"), ("9", "9"), ("backspace", "\x7f")):
            app._driver.send_message(Key(key, character))
        await pilot.pause(0.1)
        assert app.query_one(Entry).value == "8"
