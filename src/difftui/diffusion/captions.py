"""From a caption such as "a seven" to a class label: a mapping, and nothing more.

Text-to-image models have a network that reads text. A class-conditional one has a table with a row for each
class; what stands here is all the "understanding" there is before that table.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from difftui.errors import DifftuiError

__all__ = ["NUMBER_WORDS", "caption_of", "label_of"]

NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LABELS = MappingProxyType(
    {word: digit for digit, word in enumerate(NUMBER_WORDS)}
    | {word + ("es" if word.endswith("x") else "s"): digit for digit, word in enumerate(NUMBER_WORDS)}
    | {"nought": 0, "oh": 0}
)
_WORD = re.compile(r"[a-z]+|[0-9]+")


def caption_of(label: int) -> str:
    """A caption that means this label: "a seven", "an eight"; "class 12" for what is no digit."""
    if not 0 <= label < len(NUMBER_WORDS):
        return f"class {label}"
    word = NUMBER_WORDS[label]
    return f"{'an' if word[0] in 'aeiou' and word != 'one' else 'a'} {word}"


def label_of(caption: str) -> int:
    """The label that a caption names, by the one number word or number in it.

    Raises:
        DifftuiError: it names none, or several; one line that says what is known.
    """
    words = _WORD.findall(caption.lower())
    named = {_LABELS[word] for word in words if word in _LABELS} | {
        int(word) for word in words if word.isdecimal()
    }
    if len(named) != 1:
        found = "no digit" if not named else f"{len(named)} digits"
        raise DifftuiError(
            f"the mapping finds {found} in {caption!r}. Name one, as zero to nine or as a number."
        )
    return named.pop()
