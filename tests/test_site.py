"""The documentation site: what is made of the code is complete, and the check finds what it should.

``.ci/run`` builds the site; here only its parts are looked at.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
from pathlib import Path

import pytest

import stockpile
from stockpile import cli

ROOT = Path(__file__).parents[1]


def part(name):
    """Import a file of the site."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "site" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


made_pages, check = part("made_pages"), part("check")

# --- What is made of the code ---------------------------------------------------------------------


def test_every_page_is_in_the_contents_once():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^[^:`\n].* <(\S+)>$", made_pages.contents(index), re.MULTILINE)
    pages = {file.resolve() for file in (ROOT / "docs").rglob("*.md")} - {ROOT / "docs/index.md"}
    pages |= {ROOT / "README.md", ROOT / "CHANGELOG.md"}
    pages |= {ROOT / folder / "README.md" for folder in ("benchmarks", "examples")}
    assert len(listed) == len(set(listed))
    assert {(ROOT / "docs" / f"{page}.md").resolve() for page in listed} == pages


def test_every_command_is_in_the_reference_with_all_that_it_takes():
    text = made_pages.command_reference()
    sections = re.split(r"^## stockpile ", text, flags=re.MULTILINE)
    assert [section.split("\n", 1)[0] for section in sections[1:]] == list(cli.COMMANDS)
    parser = cli._parser(list(cli.COMMANDS))
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    for section, command in zip(sections[1:], commands.choices.values(), strict=True):
        for action in command._actions:
            for way in action.option_strings or [action.metavar]:
                assert re.search(rf"^\| .*`{re.escape(way)}[ `]", section, re.MULTILINE), way


def test_the_width_of_a_terminal_makes_no_difference(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    narrow = made_pages.command_reference()
    monkeypatch.setenv("COLUMNS", "200")
    assert made_pages.command_reference() == narrow


def test_every_public_name_is_in_the_reference():
    text = made_pages.python_reference()
    named = re.findall(r"^\.\. auto(?:function|class):: stockpile\.(\w+)$", text, re.MULTILINE)
    assert sorted(named) == sorted(stockpile.__all__)


# --- Formulas -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mathml():
    pytest.importorskip("docutils.utils.math.latex2mathml")
    return part("mathematics").mathml


def test_formulas_become_mathml(mathml):
    assert "<mfrac>" in mathml(r"\frac{a}{b}", block=True)
    assert 'display="block"' in mathml("a", block=True)
    assert "display" not in mathml("a")
    assert mathml("`a_b`") == mathml(" a_b\n") == mathml("a_b")


def test_a_command_that_is_not_known_ends_the_build(mathml):
    with pytest.raises(Exception, match="nonsense"):
        mathml(r"\nonsense")


# --- The check ------------------------------------------------------------------------------------


def found(folder, text, name="page.html"):
    (folder / name).write_text(text, encoding="utf-8")
    return check.mistakes(folder)


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example/a.js"></script>',
        '<script src="//cdn.example/a.js"></script>',
        '<link rel="stylesheet" href="http://fonts.example/css">',
        '<img src="https://example.org/a.png">',
        '<img srcset="here.png 1x, https://example.org/a.png 2x" src="here.png">',
        '<p style="background: url(https://example.org/a.png)">',
        "<style>@import 'https://example.org/a.css';</style>",
        '<style>@font-face { src: url("https://example.org/a.woff2") }</style>',
        '<meta http-equiv="refresh" content="0; url=https://example.org/">',
        '<img src="/absolute.png">',
        '<img src="missing.png">',
        "<p>a $x$ that was not read</p>",
    ],
)
def test_what_is_loaded_from_elsewhere_is_found(tmp_path, text):
    (tmp_path / "here.png").touch()
    assert len(found(tmp_path, text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        '<a href="https://example.org/">a link</a>',
        '<img src="here.png"><img src="here.png?v=1"><img src="data:image/png;base64,AA">',
        '<use href="#symbol">',
        "<pre>$ stockpile solve</pre><code>$x$</code>",
        '<math xmlns="http://www.w3.org/1998/Math/MathML"></math>',
        "<style>/* @import 'https://example.org/a.css'; */</style>",
    ],
)
def test_what_is_here_or_followed_by_hand_is_fine(tmp_path, text):
    (tmp_path / "here.png").touch()
    assert found(tmp_path, text) == []


def test_style_sheets_are_looked_at(tmp_path):
    assert len(found(tmp_path, "p { background: url(//example.org/a.png) }", "a.css")) == 1


def test_the_check_says_how_it_went(tmp_path, capsys):
    assert check.main([str(tmp_path)]) == 1
    assert "no pages" in capsys.readouterr().err
    (tmp_path / "a.html").write_text("<p>fine</p>")
    assert check.main([str(tmp_path)]) == 0
    (tmp_path / "a.html").write_text('<img src="https://example.org/a.png">')
    assert check.main([str(tmp_path)]) == 1
    assert "a.html: loads https://example.org/a.png" in capsys.readouterr().err
