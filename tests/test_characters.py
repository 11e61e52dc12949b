"""What stands in for characters that a terminal lacks: of the same width, and of those that it has."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from helpers import CODE_PAGE_437
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import difftui
from difftui.characters import CONSOLE, Repertoire, repertoire_of, spell_in_ascii, spelled
from difftui.pixel_modes import PixelMode

NOT_IN_DEBIANS_FONTS = set("▀▄▌▐▓")  # of code page 437: Lat15-Fixed16 has only █░▒ of the blocks


def ours() -> set[str]:
    """Every character in a string of the program that is no docstring."""
    found: set[str] = set()
    for path in Path(difftui.__file__).parent.rglob("*.py"):
        if path.name == "characters.py":
            continue
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        docs = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                found |= set(node.value)
    return found | {chr(code) for code in range(0x2800, 0x2900)} | set("╭╮╰╯▁▂▃▔▎🔎")


@given(st.text())
def test_no_layout_changes(text: str) -> None:
    for repertoire in Repertoire:
        assert cell_len(spelled(text, repertoire)) == sum(map(cell_len, text))


def test_what_the_program_shows_is_shown_on_every_terminal() -> None:
    for character in ours():
        plain = spelled(character, Repertoire.ASCII)
        assert plain.isascii()
        assert "?" not in plain or character == "?", f"{character} deserves better"
        shown = spelled(character, Repertoire.CONSOLE)
        assert shown == spelled(shown, Repertoire.CONSOLE)
        assert shown.isascii() or set(shown) <= CODE_PAGE_437
        assert not set(shown) & NOT_IN_DEBIANS_FONTS


def test_escape_sequences_and_ascii_stay() -> None:
    text = "\x1b[38;5;214m─ x̂₀\x1b[0m\x1b]52;c;YWJj\x07"
    assert spelled(text, Repertoire.UNICODE) == text
    assert spelled(text, Repertoire.ASCII) == "\x1b[38;5;214m- x0\x1b[0m\x1b]52;c;YWJj\x07"


@pytest.mark.parametrize("mode", PixelMode)
def test_characters_go_with_the_way_of_drawing(mode: PixelMode) -> None:
    plain = {PixelMode.ASCII: Repertoire.ASCII, PixelMode.EIGHT: Repertoire.CONSOLE}
    assert repertoire_of(mode) is plain.get(mode, Repertoire.UNICODE)


def test_the_consoles_characters_are_in_code_page_437_and_one_cell_wide() -> None:
    assert CONSOLE <= CODE_PAGE_437
    assert all(cell_len(character) == 1 for character in CONSOLE)


def test_a_stream_in_ascii_spells_what_it_is_given() -> None:
    sink = io.BytesIO()
    stream = io.TextIOWrapper(sink, encoding="utf-8")
    spell_in_ascii(stream)
    stream.write("√ᾱ – 0.5 … ⣿ naïve 漢\n")
    stream.flush()
    assert sink.getvalue() == b"VA - 0.5 . # naive ??\n"


@pytest.mark.parametrize(("locale", "ascii_only"), [("C", True), ("C.UTF-8", False)])
def test_commands_suit_the_locale_of_their_terminal(locale: str, ascii_only: bool, own_home: Path) -> None:
    far, near = os.openpty()
    environment = {**os.environ, "LC_ALL": "", "LC_CTYPE": "", "LANG": locale}
    command = [sys.executable, "-m", "difftui", "doctor", "--quick"]
    done = subprocess.run(command, stdin=near, stdout=near, stderr=near, env=environment, check=False)
    os.close(near)
    said = b""
    with suppress(OSError):  # at the end of what it said
        while part := os.read(far, 65536):
            said += part
    os.close(far)
    assert done.returncode == 0, said
    assert b"UTF-8" in said
    assert said.isascii() is ascii_only
