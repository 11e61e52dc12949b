"""A rail with a handle between two named ends: where on a road of whole steps we are, and how to drag it."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content
from textual.events import MouseDown, MouseMove, MouseUp
from textual.message import Message
from textual.widget import Widget

__all__ = ["Slider"]

HANDLE, RAIL, AHEAD, LEFT_END, RIGHT_END = "●", "─", "╌", "├", "┤"


class Slider(Widget):
    """One line: ``clean ├──────●────────┤ noise``.

    Positions are whole numbers 0 … `last`. A click or a drag on the rail moves the handle and posts
    :class:`Moved`; a click on the name of an end goes there. :meth:`move` is for the program and posts
    nothing.

    Attributes:
        value: where the handle is, 0 … `last`.
        last: the position at the right end.
        reached: the furthest position there is so far (of a trajectory in the making); the rail beyond it is
            broken, and the mouse cannot drag past it. None: all of it.
    """

    DEFAULT_CSS = """
    Slider { height: 1; width: 1fr; }
    Slider > .slider--rail { color: $foreground 50%; }
    Slider > .slider--handle { color: $accent; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"slider--rail", "slider--handle"}
    ALLOW_SELECT = False

    class Moved(Message):
        """The mouse moved the handle.

        Attributes:
            slider: the widget.
            value: the new position.
        """

        def __init__(self, slider: Slider, value: int) -> None:
            super().__init__()
            self.slider = slider
            self.value = value

        @property
        def control(self) -> Slider:
            return self.slider

    def __init__(
        self,
        left: str,
        right: str,
        *,
        last: int = 0,
        value: int = 0,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Make a slider.

        Args:
            left, right: what the ends are called, in Textual's markup.
            last, value: see the attributes.
        """
        super().__init__(id=id, classes=classes)
        self._left = Content.from_markup(left)
        self._right = Content.from_markup(right)
        self.value = 0
        self.last = 0
        self.reached: int | None = None
        self.move(value, last=last)

    def move(self, value: int, *, last: int | None = None, reached: int | None = None) -> None:
        """Put the handle at `value`, held within the ends; draws only when something changes.

        Args:
            value: the position.
            last: a new right end; None keeps it.
            reached: see the attributes.
        """
        stood = (self.value, self.last, self.reached)
        before = (self._cell(self.value), self._cell(self._furthest))
        self.last = self.last if last is None else max(0, last)
        self.reached = reached
        self.value = min(max(value, 0), self.last)
        moved = (self._cell(self.value), self._cell(self._furthest)) != before
        unseen = not self.size and (self.value, self.last, self.reached) != stood
        if moved or unseen:  # while it is hidden all cells are one, and it may be shown again as it was
            self.refresh()

    def name_ends(self, left: str, right: str) -> None:
        """Call the ends something else, in Textual's markup."""
        names = Content.from_markup(left), Content.from_markup(right)
        if names != (self._left, self._right):
            self._left, self._right = names
            self.refresh()

    def position_at(self, x: int) -> int:
        """The position under column `x` of the content, names of the ends included."""
        return min(self._furthest, round(self._share(x) * self.last))

    def render(self) -> Content:
        cells = self._cells
        handle, reach = self._cell(self.value), self._cell(self._furthest)
        rail = RAIL * (reach + 1) + AHEAD * (cells - reach - 1)
        style = self.get_visual_style("slider--rail")
        return Content.assemble(
            self._left,
            " ",
            (LEFT_END + rail[:handle], style),
            (HANDLE, self.get_visual_style("slider--handle")),
            (rail[handle + 1 :] + RIGHT_END, style),
            " ",
            self._right,
        )

    @property
    def _furthest(self) -> int:
        return self.last if self.reached is None else min(max(self.reached, 0), self.last)

    @property
    def _start(self) -> int:
        """Column of the first cell of the rail: after the name, a space and the end."""
        return self._left.cell_length + 2

    @property
    def _cells(self) -> int:
        """Cells between the two ends."""
        return max(1, self.size.width - self._start - self._right.cell_length - 2)

    def _cell(self, value: int) -> int:
        """Cell of the rail for a position; with fewer cells than positions, neighbours share one."""
        if self.last == 0:
            return 0
        return round(value / self.last * (self._cells - 1))

    def _share(self, x: int) -> float:
        """How far along the rail column `x` is, 0 to 1."""
        return min(max((x - self._start) / max(1, self._cells - 1), 0.0), 1.0)

    # The mouse.

    def on_mouse_down(self, event: MouseDown) -> None:
        if event.button == 1:
            self.capture_mouse()
            self._drag_to(event)

    def on_mouse_move(self, event: MouseMove) -> None:
        if self.app.mouse_captured is self:
            self._drag_to(event)

    def on_mouse_up(self, event: MouseUp) -> None:
        self.capture_mouse(False)

    def _drag_to(self, event: MouseDown | MouseMove) -> None:
        event.stop()
        value = self.position_at(event.x - self.gutter.left)
        if value != self.value:
            self.move(value, reached=self.reached)
            self.post_message(self.Moved(self, value))
