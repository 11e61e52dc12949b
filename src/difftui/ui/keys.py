"""The one table of keys: dispatch, footer, help and the command palette all read it.

The same key means the same thing on every screen that has it: space plays and pauses, ``.`` and ``,`` take
one step forward and back, ``r`` draws new randomness, a letter walks through choices and its capital walks
back. ``h j k l`` are the arrows, as in vi, and ``y`` takes what is shown along. ``(`` and ``)`` read curves,
``{`` and ``}`` those of another plot; ``*`` shows the whole of something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from textual.binding import Binding

__all__ = ["GLOBAL", "PLACES", "READ", "SCREENS", "Action", "Place", "bindings", "plain_key", "shown_key"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the user can do.

    Attributes:
        keys: Textual's names of the keys, comma-separated.
        shown: how the footer writes them.
        name: the action, as Textual calls it ("step(1)" is ``action_step(1)``).
        label: a word or two for the footer; empty keeps it out of the footer.
        help: one sentence for the help page and the command palette.
    """

    keys: str
    shown: str
    name: str
    label: str
    help: str

    @property
    def verb(self) -> str:
        """The action without its argument: "step" of "step(1)"."""
        return self.name.partition("(")[0]


@dataclass(frozen=True, slots=True)
class Place:
    """One screen, as the header, Home, help and the command palette list it.

    Attributes:
        key: the digit that goes there.
        name: its module in ``ui/screens``.
        label: its name for people, and ``short``, at most four letters, where the header is narrow.
        brief: what it is for, in at most 25 characters, and ``text`` in at most 60.
    """

    key: str
    name: str
    label: str
    short: str
    brief: str
    text: str


PLACES: tuple[Place, ...] = (
    Place("1", "home", "Home", "Home", "what there is", "what there is, and what was found"),
    Place(
        "2", "inverse", "Inverse", "Inv", "a net learns arcsin",
        "a net learns arcsin; diffusion finds every branch",
    ),
    Place(
        "3", "forward", "Forward", "Fwd", "a digit turns into noise",
        "scrub a digit into noise: signal, noise and their ratio",
    ),
    Place(
        "4", "train", "Train", "Trn", "teach a net to denoise",
        "teach a network to remove noise; digits in a minute",
    ),
    Place(
        "5", "generate", "Generate", "Gen", "digits come out of noise",
        "ask for a digit and watch it come out of noise",
    ),
    Place(
        "6", "sde", "SDE", "SDE", "noise as an equation",
        "paths of an equation with noise, there and back again",
    ),
    Place(
        "7", "denoise", "Denoise", "Dns", "noise taken away",
        "one look at a noised digit, many, and what the time is worth",
    ),
    Place(
        "8", "compare", "Compare", "Cmp", "ways to draw, raced",
        "steps, samplers, labels and guidance, from one noise",
    ),
    Place(
        "9", "labs", "Labs", "Lab", "the labs put to the test",
        "what the labs claim, a page each, measured before your eyes",
    ),
    Place(
        "0", "questions", "Questions", "Qs", "predict, look, answer",
        "the guided lab: predict, look, answer, then measure",
    ),
)  # fmt: skip
"""The screens, in the order of their keys."""

GLOBAL: tuple[Action, ...] = (
    *(
        Action(place.key, place.key, f"app.go('{place.name}')", "", f"{place.label}: {place.brief}.")
        for place in PLACES
    ),
    Action("question_mark,f1", "?", "app.help", "help", "This page."),
    Action("y", "y", "app.copy", "", "Copy what is shown as text, and save it as a file."),
    Action("ctrl+p", "^P", "app.command_palette", "", "Search everything that can be done."),
    Action("q,ctrl+q", "q", "app.leave", "quit", "Leave difftui. A training that runs is saved first."),
)

READ: tuple[Action, ...] = (
    Action(
        "left_parenthesis",
        "( )",
        "read(-1)",
        "read",
        "Read the curves: a place to the left, as the mouse does.",
    ),
    Action("right_parenthesis", "( )", "read(1)", "", "Read the curves: a place to the right."),
    Action("left_curly_bracket", "{ }", "read_plot(-1)", "", "Read the plot before, where there are many."),
    Action("right_curly_bracket", "{ }", "read_plot(1)", "", "Read the next plot."),
    Action("vertical_line", "|", "read_off", "", "Put the cursor of the curves away."),
)
"""Of every screen with plots: they read the curves at a cursor."""

_PLAY = ("space", "space", "play")


def _page_choices(step: str = "", reseed: str = "") -> tuple[Action, ...]:
    """What a page that computes lets choose; the two labels are the footer's, where there are any."""
    return (
        Action("left,comma,h", "←/→", "step(-1)", step, "A hundredth of the way towards the clean digit."),
        Action("right,full_stop,l", "←/→", "step(1)", "", "A hundredth of the way towards noise."),
        Action("shift+left,H", "⇧", "step(-10)", "", "A tenth of the way towards the clean digit."),
        Action("shift+right,L", "⇧", "step(10)", "", "A tenth of the way towards noise."),
        Action("home", "Home", "jump(0)", "", "The first timestep."),
        Action("end", "End", "jump(1)", "", "The last timestep."),
        Action("d", "d", "digit(1)", "", "Next class of digit."),
        Action("D", "D", "digit(-1)", "", "Previous class of digit."),
        Action("r", "r", "reseed(1)", reseed, "Other noise, or other starting weights."),
        Action("R", "R", "reseed(-1)", "", "The seed before."),
        Action("m", "m", "source(1)", "", "Next network that can do this."),
        Action("M", "M", "source(-1)", "", "Previous network that can do this."),
        Action("c", "c", "schedule(1)", "", "Next schedule, on the left where there are two."),
        Action("C", "C", "schedule(-1)", "", "Previous schedule, on the left where there are two."),
        Action("semicolon", ";", "swap", "", "Swap the two schedules."),
    )


SCREENS: Mapping[str, tuple[Action, ...]] = MappingProxyType(
    {
        "home": (Action("enter", "enter", "begin", "begin", "Do what Home suggests doing first."),),
        "inverse": (
            Action("tab", "tab", "view(1)", "next view", "On: one regression, 100 seeds of it, diffusion."),
            Action("shift+tab", "⇧tab", "view(-1)", "", "Back to the view before."),
            Action("p", "p", "problem(1)", "problem", "Next function and range to invert."),
            Action("P", "P", "problem(-1)", "", "Previous function and range."),
            Action(*_PLAY, "play", "Learn, play or hold; at the end: more epochs, or play again."),
            Action("left,comma,h", "←/→", "step(-1)", "step", "One net, or one frame towards noise, back."),
            Action(
                "right,full_stop,l", "←/→", "step(1)", "", "One epoch, one net or one frame on, then hold."
            ),
            Action("r", "r", "reseed(1)", "re-seed", "Other random weights; in diffusion: other noise."),
            Action("R", "R", "reseed(-1)", "", "Back to the seed before."),
            Action("n,down,j", "n", "pick(1)", "", "100 seeds: next net. Diffusion: the next y."),
            Action("N,up,k", "N", "pick(-1)", "", "100 seeds: the net before. Diffusion: the y before."),
            Action("enter", "enter", "open", "", "100 seeds: open the chosen net alone."),
            Action("g", "g", "grid", "", "Diffusion: draws over all y, or the paths of those at one y."),
            Action("shift+left,H", "⇧", "step(-10)", "", "Ten back."),
            Action("shift+right,L", "⇧", "step(10)", "", "Ten on."),
            Action("home", "Home", "jump(0)", "", "The best net, or the noise that diffusion starts from."),
            Action("end", "End", "jump(1)", "", "The worst net, or the finished draws."),
            Action("backspace", "⌫", "restart", "restart", "Learn again from the same random weights."),
            Action("v", "v", "log", "log axis", "Logarithmic or linear axis of the error."),
            Action("w", "w", "hidden(1)", "width", "Next choice of hidden layers."),
            Action("W", "W", "hidden(-1)", "", "Previous choice of hidden layers."),
            Action("a", "a", "activation(1)", "activation", "Next activation; in diffusion: sampler."),
            Action("A", "A", "activation(-1)", "", "Previous activation; in diffusion: sampler."),
            Action("f", "f", "speed(1)", "speed", "Faster: epochs, or frames, a second."),
            Action("F", "F", "speed(-1)", "", "Slower."),
            *READ,
        ),
        "forward": (
            Action("left,comma,h", "←/→", "step(-1)", "step", "One timestep towards the clean digit."),
            Action("right,full_stop,l", "←/→", "step(1)", "", "One timestep towards noise."),
            Action("shift+left,H", "⇧", "step(-10)", "×10", "Ten timesteps towards the clean digit."),
            Action("shift+right,L", "⇧", "step(10)", "", "Ten timesteps towards noise."),
            Action("home", "Home", "jump(0)", "", "The first timestep, t = 0."),
            Action("end", "End", "jump(1)", "", "The last timestep, t = T - 1."),
            Action(*_PLAY, "play", "Let time run, or hold."),
            Action("r", "r", "renoise(1)", "new noise", "Draw another noise ε."),
            Action("R", "R", "renoise(-1)", "", "Back to the noise before."),
            Action("asterisk", "*", "all", "maths", "This step in symbols, in plain words, as pseudocode."),
            Action("e", "e", "export", "export", "Save this strip of timesteps as PNG."),
            Action("d", "d", "digit(1)", "digit", "Next class of digit."),
            Action("D", "D", "digit(-1)", "", "Previous class of digit."),
            Action("n", "n", "example(1)", "next", "Next example of this class."),
            Action("N", "N", "example(-1)", "", "Previous example of this class."),
            Action("c", "c", "schedule(1)", "schedule", "Next noise schedule."),
            Action("C", "C", "schedule(-1)", "", "Previous noise schedule."),
            Action("t", "t", "timesteps(1)", "T", "More timesteps T."),
            Action("T", "T", "timesteps(-1)", "", "Fewer timesteps T."),
            *READ,
        ),
        "train": (
            Action(*_PLAY, "start/pause", "Start the recipe shown; then pause and go on."),
            Action("x", "x", "stop", "stop", "Stop and save. The run can be resumed."),
            Action("z", "z", "keep", "keep", "Go on without this terminal: before the start, or now."),
            Action("enter", "enter", "go_on", "", "Go on with what was interrupted; attach to what runs."),
            Action("o", "o", "runs", "runs", "All runs: attach, go on, look at, or pin one as a ghost."),
            Action("i", "i", "edit", "edit", "The whole recipe as a form."),
            Action("left_square_bracket", "[ ]", "scrub(-1)", "samples", "Samples of the checkpoint before."),
            Action("right_square_bracket", "[ ]", "scrub(1)", "", "Samples of the next checkpoint."),
            Action(
                "plus,equals_sign", "+/-", "zoom(1)", "zoom", "Look closer at the curve; so does the wheel."
            ),
            Action("minus", "-", "zoom(-1)", "", "See more of the curve."),
            Action("left,h", "←/→", "pan(-1)", "", "Move back along the curve; so does dragging it."),
            Action("right,l", "←/→", "pan(1)", "", "Move on along the curve; its end follows new steps."),
            Action("asterisk", "*", "all", "", "The whole curve, live; so does a double click."),
            Action("m", "m", "generate", "generate", "See digits born from these weights."),
            Action("s", "s", "sample", "", "Draw samples, and measure on held-out digits, now."),
            Action("full_stop", ".", "step(1)", "", "One optimiser step, then hold."),
            Action("p", "p", "preset(1)", "", "Next recipe."),
            Action("P", "P", "preset(-1)", "", "Previous recipe."),
            Action("b", "b", "budget(1)", "", "Train for longer."),
            Action("B", "B", "budget(-1)", "", "Train for less long."),
            Action("v", "v", "log", "", "Logarithmic or linear loss axis."),
            Action("backspace", "bksp", "aside", "", "Leave what is shown. What trains elsewhere goes on."),
            Action("u", "u", "unpin", "", "Take the pinned ghost away."),
            Action("slash", "/", "halve", "", "Out of memory: half the batch. Diverged: half the rate."),
            *READ,
        ),
        "generate": (
            Action(*_PLAY, "play", "Play or hold; at the end play it again."),
            Action("left,comma,h", "←/→", "step(-1)", "frame", "One frame back, towards noise."),
            Action("right,full_stop,l", "←/→", "step(1)", "", "One frame on, towards the clean digit."),
            Action("shift+left,H", "⇧", "step(-10)", "×10", "Ten frames back."),
            Action("shift+right,L", "⇧", "step(10)", "", "Ten frames on."),
            Action("home", "Home", "jump(0)", "", "The pure noise at the start."),
            Action("end", "End", "jump(1)", "", "The newest frame."),
            Action("m", "m", "source(1)", "", "Next network to draw with."),
            Action("M", "M", "source(-1)", "", "Previous network to draw with."),
            Action("d", "d", "digit(1)", "", "Next digit, or class, to ask for."),
            Action("D", "D", "digit(-1)", "", "Previous digit, or class, to ask for."),
            Action("o", "o", "runs", "networks", "All networks, measured; or name a pipeline to draw with."),
            Action("a", "a", "sampler(1)", "", "Next sampler, or experiment that breaks."),
            Action("A", "A", "sampler(-1)", "", "Previous sampler."),
            Action("plus,equals_sign", "+", "count(1)", "", "More sampler steps."),
            Action("minus", "-", "count(-1)", "", "Fewer sampler steps."),
            Action("greater_than_sign", "< >", "guide(1)", "", "Stronger guidance to what is asked for."),
            Action("less_than_sign", "< >", "guide(-1)", "", "Weaker guidance."),
            Action("r", "r", "reseed(1)", "", "Another seed: other noise to start from."),
            Action("R", "R", "reseed(-1)", "", "The seed before."),
            Action("g", "g", "grid", "grid", "Several seeds together, or the chosen one alone."),
            Action("n,down,j", "n", "pick(1)", "", "Next picture of the grid."),
            Action("N,up,k", "N", "pick(-1)", "", "Previous picture of the grid."),
            Action("f", "f", "speed(1)", "", "Twice as fast."),
            Action("F", "F", "speed(-1)", "", "Half as fast."),
            Action("e", "e", "export", "save", "Save this picture as PNG, and the way to it as GIF."),
        ),
        "sde": (
            Action(*_PLAY, "play", "Let time run, or hold; at the end: from the start."),
            Action("left,comma,h", "←/→", "step(-1)", "step", "One step back in time."),
            Action("right,full_stop,l", "←/→", "step(1)", "", "One step on in time."),
            Action("shift+left,H", "⇧", "step(-10)", "", "Ten steps back."),
            Action("shift+right,L", "⇧", "step(10)", "", "Ten steps on."),
            Action("home", "Home", "jump(0)", "", "The start."),
            Action("end", "End", "jump(1)", "", "The end."),
            Action("p", "p", "preset(1)", "equation", "Next equation, with its usual numbers."),
            Action("P", "P", "preset(-1)", "", "Previous equation."),
            Action("enter", "enter", "demo", "lab", "This equation as the lab shows it: five paths."),
            Action("n,down,j", "n", "pick(1)", "pick", "Pick the next number, for + and -."),
            Action("N,up,k", "N", "pick(-1)", "", "Pick the previous number."),
            Action("plus,equals_sign", "+/-", "count(1)", "change", "More of the number that is picked."),
            Action("minus", "-", "count(-1)", "", "Less of the number that is picked."),
            Action("r", "r", "reseed(1)", "re-seed", "Other noise."),
            Action("R", "R", "reseed(-1)", "", "The noise before."),
            Action("s", "s", "measure", "errors", "The error by step (or the signal), or mean and variance."),
            Action("t", "t", "timesteps(1)", "", "More and finer steps."),
            Action("T", "T", "timesteps(-1)", "", "Fewer and coarser steps."),
            Action("f", "f", "speed(1)", "", "Twice as fast."),
            Action("F", "F", "speed(-1)", "", "Half as fast."),
            Action("backspace", "⌫", "restart", "", "From the start again, the same paths."),
            *READ,
        ),
        "denoise": (
            Action("tab", "tab", "view(1)", "view", "One look, again and again, worth of time, inside."),
            Action("shift+tab", "⇧tab", "view(-1)", "", "The view before."),
            Action("left,comma,h", "←/→", "step(-1)", "step", "Less noise for the chosen look; a look back."),
            Action("right,full_stop,l", "←/→", "step(1)", "", "More noise for the chosen look; a look on."),
            Action("shift+left,H", "⇧", "step(-10)", "", "Ten steps back."),
            Action("shift+right,L", "⇧", "step(10)", "", "Ten steps on."),
            Action("home", "Home", "jump(0)", "", "The clean end."),
            Action("end", "End", "jump(1)", "", "The noisy end, or the last look."),
            Action(*_PLAY, "play", "Let the noise grow, or look follow look; or hold."),
            Action("n", "n", "example(1)", "next", "Next example of this class."),
            Action("N", "N", "example(-1)", "", "Previous example of this class."),
            Action("down,j", "↑/↓", "pick(1)", "which look", "Choose the next of the four looks."),
            Action("up,k", "↑/↓", "pick(-1)", "", "Choose the look before."),
            Action("d", "d", "digit(1)", "", "Next class of digit."),
            Action("D", "D", "digit(-1)", "", "Previous class of digit."),
            Action("r", "r", "renoise(1)", "new noise", "Draw another noise ε."),
            Action("R", "R", "renoise(-1)", "", "Back to the noise before."),
            Action("plus,equals_sign", "+", "count(1)", "", "More noise, by a twentieth of it all."),
            Action("minus", "-", "count(-1)", "", "Less noise, by a twentieth of it all."),
            Action("m", "m", "source(1)", "network", "Next network to look with."),
            Action("M", "M", "source(-1)", "", "Previous network to look with."),
            Action("v", "v", "log", "", "Logarithmic or linear axis of the error."),
            Action("backspace", "⌫", "restart", "", "The usual noise again; its weights of now."),
            Action("e", "e", "export", "save", "Save the pictures shown as PNG."),
            *READ,
        ),
        "compare": (
            Action("tab", "tab", "view(1)", "view", "Next comparison."),
            Action("shift+tab", "⇧tab", "view(-1)", "", "Previous comparison."),
            Action(*_PLAY, "play", "Play or hold; at the end play it again."),
            Action("left,comma,h", "←/→", "step(-1)", "call", "One call of the network back, towards noise."),
            Action("right,full_stop,l", "←/→", "step(1)", "", "One call on, towards the finished pictures."),
            Action("shift+left,H", "⇧", "step(-10)", "", "Ten calls back."),
            Action("shift+right,L", "⇧", "step(10)", "", "Ten calls on."),
            Action("home", "Home/End", "jump(0)", "", "The pure noise at the start."),
            Action("end", "End", "jump(1)", "", "The newest pictures."),
            Action(
                "s", "s", "sample", "measure", "Draw many pictures each way and measure them; again: stop."
            ),
            Action("b", "b", "budget(1)", "", "More pictures to measure."),
            Action("B", "B", "budget(-1)", "", "Fewer pictures to measure."),
            Action("m", "m", "source(1)", "", "Next network to draw with."),
            Action("M", "M", "source(-1)", "", "Previous network to draw with."),
            Action("d", "d", "digit(1)", "", "Next digit to ask for."),
            Action("D", "D", "digit(-1)", "", "Previous digit to ask for."),
            Action("i", "i", "edit", "", 'Ask in words: type a caption, such as "a seven".'),
            Action("a", "a", "sampler", "", "The next sampler, where one is compared with itself."),
            Action("plus,equals_sign", "+", "count(1)", "", "More sampler steps."),
            Action("minus", "-", "count(-1)", "", "Fewer sampler steps."),
            Action("r", "r", "reseed(1)", "", "Another seed: other noise to start from."),
            Action("R", "R", "reseed(-1)", "", "The seed before."),
            Action("f", "f", "speed(1)", "", "Twice as fast."),
            Action("F", "F", "speed(-1)", "", "Half as fast."),
            Action("e", "e", "export", "save", "Save these pictures with their figures as PNG and CSV."),
            *READ,
        ),
        "labs": (
            Action("n,pagedown,down,j", "n", "pick(1)", "next page", "Next page."),
            Action("N,pageup,up,k", "N", "pick(-1)", "", "Previous page."),
            Action("tab", "tab", "view(1)", "", "Next page, too."),
            Action("shift+tab", "⇧tab", "view(-1)", "", "Previous page, too."),
            Action("g", "g", "grid", "pages", "All pages as a list, to choose one."),
            Action(
                "asterisk",
                "*",
                "all",
                "in full",
                "The whole page in words: how it is computed, every figure.",
            ),
            Action("enter", "enter", "begin", "game", "Play: guess the digit at t = T."),
            Action(*_PLAY, "hold", "Hold the computation, or go on; at its end: compute it again."),
            *_page_choices(step="t", reseed="re-seed"),
            Action("e", "e", "export", "save", "Save the pictures of this page as PNG."),
            Action("backspace", "⌫", "restart", "", "Compute this page again."),
            *READ,
        ),
        "questions": (
            Action("i", "i", "edit(1)", "write", "Write what you expect, or your answer; enter saves it."),
            Action("I", "I", "edit(-1)", "", "Write the prediction anew, as long as nothing is measured."),
            Action("enter", "enter", "look", "go and look", "Go where it can be seen; 0 leads back."),
            Action("s", "s", "measure", "measure", "Measure what is asked about, with what is chosen."),
            Action("n,pagedown,down,j", "n", "pick(1)", "next", "Next question."),
            Action("N,pageup,up,k", "N", "pick(-1)", "", "Previous question."),
            Action("g", "g", "grid", "all", "All questions as a list, to choose one."),
            Action("tab", "tab", "view(1)", "", "Your notes, or what was measured, where both have no room."),
            Action("shift+tab", "⇧tab", "view(-1)", "", "The other of the two."),
            Action("asterisk", "*", "all", "in full", "Question, notes and every figure in words."),
            Action("e", "e", "export", "save", "Save all questions with your notes as Markdown."),
            Action(*_PLAY, "", "Hold the measuring, or go on; at its end: measure again."),
            *_page_choices(),
            Action("backspace", "⌫", "restart", "", "Measure again."),
            *READ,
        ),
    }
)


_PLAIN = {"←/→": "h/l", "⇧": "H/L", "⌫": "bksp", "←": "h", "→": "l", "↑": "k", "↓": "j"}


def plain_key(shown: str) -> str:
    """How to write a key where there are no arrows: another that does the same, or its name."""
    return _PLAIN.get(shown, shown)


def shown_key(screen: str, name: str) -> str:
    """How to write the key of an action, for texts that mention it.

    Args:
        screen: one of :data:`SCREENS`.
        name: the action as the table has it, such as "step(1)".
    """
    return next(action.shown for action in (*SCREENS[screen], *GLOBAL) if action.name == name)


def bindings(actions: tuple[Action, ...]) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Textual's form of the table."""
    return [Binding(a.keys, a.name, a.help, show=False) for a in actions]
