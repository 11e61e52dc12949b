"""``difftui doctor``: what it says of environments made up, of this machine, of a real terminal."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest
from helpers import PATIENCE, eventually
from nursery import Nursery, Pty, end_of

from difftui import __version__
from difftui.cli import main
from difftui.commands import findings
from difftui.commands.findings import Finding
from difftui.interview import Answers
from difftui.pixel_modes import terminal_facts


def facts_of(**environment: str) -> object:
    return terminal_facts({"TERM": "xterm-256color", "LANG": "en_GB.UTF-8", **environment})


def test_the_whole_of_it(
    capsys: pytest.CaptureFixture[str], own_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for told in [
        __version__,
        "imported in",
        "none wanted",
        str(own_home),
        "10 000 bundled",
        "GiB free",
        "->",
    ]:
        assert told in out
    (tmp_path / "file").touch()
    assert main(["doctor", "--quick", "--home", str(tmp_path / "file")]) == 1
    said = capsys.readouterr()
    assert "PROBLEM: " in said.out
    assert said.err == "difftui: something is wrong with home; see above.\n"


def test_quick_is_json_without_torch(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "a 1 b 2")
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("STY", raising=False)
    assert main(["doctor", "--quick", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "torch" not in told
    assert told["difftui"]["difftui"] == __version__
    assert told["connection"]["ssh"] is True
    assert "tmux" in told["connection"]["advice"]
    assert told["terminal"]["is_terminal"] is False
    assert {"size", "colours", "text", "braille", "whole_frames", "round_trip", "home", "driver"} <= set(told)
    assert all({"found", "advice", "problem"} <= set(finding) for finding in told.values())


@pytest.mark.parametrize(
    ("look", "found", "advice"),
    [
        (lambda: findings._colours(facts_of(TERM="xterm"), {}), "16; ", "TERM=xterm-256color"),
        (lambda: findings._colours(facts_of(TERM="screen"), {"TMUX": "x"}), "16; ", "default-terminal"),
        (lambda: findings._colours(facts_of(), {}), "256; ", "COLORTERM=truecolor"),
        (lambda: findings._colours(facts_of(COLORTERM="truecolor"), {}), "16 million; ", ""),
        (lambda: findings._colours(facts_of(NO_COLOR="1"), {}), "NO_COLOR", ""),
        (lambda: findings._text(facts_of()), "UTF-8", ""),
        (lambda: findings._text(facts_of(LANG="C")), "not UTF-8 (locale C)", "LC_ALL=C.UTF-8"),
        (lambda: findings._braille(facts_of(LANG="C"), Answers()), "not used", ""),
        (lambda: findings._braille(facts_of(), Answers(braille_cells=2)), "2 cells instead of 1", "font"),
        (lambda: findings._braille(facts_of(TERM="linux"), Answers()), "Linux console", "ssh"),
        (lambda: findings._frames(Answers(round_trip=0.1)), "no synchronized", "tmux"),
        (lambda: findings._frames(Answers(round_trip=0.1, synchronized=True)), "whole", ""),
        (lambda: findings._round_trip(Answers(round_trip=0.0123), {}), "12.3 ms", ""),
        (lambda: findings._round_trip(Answers(round_trip=0.3), {}), "300.0 ms", "--fps 5"),
        (lambda: findings._round_trip(Answers(round_trip=0.001), {"TMUX": "x"}), "to tmux", ""),
        (lambda: findings._round_trip(Answers(), {}), "did not answer", "--fps 5"),
        (lambda: findings._round_trip(Answers("in the dark"), {}), "not measured: in the dark", ""),
        (lambda: findings._connection({"SSH_TTY": "x"}), "if it drops", "press z on Train"),
        (lambda: findings._connection({"SSH_TTY": "x", "TMUX": "y"}), "leaves all running", ""),
    ],
)
def test_what_is_found_and_advised(look: Callable[[], Finding], found: str, advice: str) -> None:
    finding = look()
    assert found in finding.found
    assert advice in finding.advice if advice else finding.advice == ""
    assert not finding.problem


def asked(nursery: Nursery, own_home: Path) -> str:
    """What a terminal shows that has answered the questions of doctor."""
    terminal = Pty(100, 40)
    answers: list[str] = []

    class Screen(pyte.Screen):
        def write_process_input(self, data: str) -> None:
            answers.append(data)

    screen = Screen(100, 40)
    stream = pyte.ByteStream(screen)
    environment = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "NO_COLOR": "", "DIFFTUI_HOME": str(own_home)}
    pid = nursery.start(["doctor", "--quick"], (terminal.near,) * 3, environment)

    def serve() -> None:
        stream.feed(terminal.read_for(0.02))
        while answers:
            os.write(terminal.far, answers.pop(0).encode())

    assert end_of(nursery, pid, PATIENCE, serve) == 0
    os.write(terminal.near, b"THE END")

    def ended() -> bool:
        serve()
        return "THE END" in "".join(screen.display)

    eventually(ended)
    terminal.close()
    return "\n".join(screen.display)


def test_on_a_real_terminal_it_asks_and_leaves_no_trace(nursery: Nursery, own_home: Path) -> None:
    shown = [asked(nursery, own_home)]
    while "each sign takes" not in shown[-1] and len(shown) < 5:  # it waits a second, and we were too busy
        shown.append(asked(nursery, own_home))
    told = shown[-1]
    assert " ms" in told
    assert "100x40" in told
    assert "each sign takes one cell" in told
    assert "^[" not in told  # no answer was echoed
