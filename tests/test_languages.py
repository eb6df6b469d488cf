"""Every text that is said in the code has words in every language."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

import stockpile
from stockpile.errors import UsageError
from stockpile.languages import LANGUAGES, _words, language

SOURCES = Path(stockpile.__file__).parent


def said():
    """Return all texts given to ``say`` in the sources."""
    texts = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"
                texts.add(node.args[0].value)
    return texts


def places(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_text_has_words_and_the_same_places_for_values(code):
    words = language(code)
    missing = sorted(text for text in said() if not words.knows(text))
    assert missing == []
    for text, translated in _words(code).items():
        assert places(text) == places(translated), text
        assert translated.strip()


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_no_words_for_what_nobody_says(code):
    assert sorted(set(_words(code)) - said()) == []


def test_unknown_languages_are_refused():
    with pytest.raises(UsageError, match="expected one of en, ja"):
        language("fr")


def test_english_is_said_as_it_stands():
    assert language("en")("{count} promises", count=3) == "3 promises"
