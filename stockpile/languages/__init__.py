"""Words of reports and tables in the reader's language.

Texts stand in the code in English, as ``say("Holdings")``. Other languages have a file of this
folder with the English text and theirs; a text may have places for values, ``{count} promises``.
"""

from __future__ import annotations

import functools
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

from stockpile.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = {"en": "English", "ja": "日本語"}
"""Languages by their code (ISO 639-1), and their names in themselves."""


class Language:
    """Says texts in one language.

    Attributes
    ----------
    code
        Such as ``ja``.
    """

    def __init__(self, code: str, words: Mapping[str, str]) -> None:
        self.code = code
        self._words = words

    def __call__(self, text: str, **values: object) -> str:
        """Return a text with its values; in English where the language has no words for it."""
        said = self._words.get(text, text)
        return said.format(**values) if values else said

    def knows(self, text: str) -> bool:
        """Return whether the language has words for a text."""
        return self.code == "en" or text in self._words


def language(code: str) -> Language:
    """Return a language by its code.

    Raises
    ------
    UsageError
        If there is none.
    """
    if code not in LANGUAGES:
        raise UsageError(f"lang is {code!r}; expected one of {', '.join(LANGUAGES)}")
    return Language(code, _words(code))


@functools.cache
def _words(code: str) -> dict[str, str]:
    if code == "en":
        return {}
    text = files("stockpile.languages").joinpath(f"{code}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
