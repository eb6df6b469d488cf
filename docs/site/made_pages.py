"""What is added to pages when the site is built: contents, and the references from the code."""

from __future__ import annotations

import argparse
import inspect
import re
from typing import TYPE_CHECKING, Any

import stockpile
from stockpile import cli

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx

WIDTH = 96
"""Characters of a line of usage."""
NAMED = ("stockpile.export.SolverAnswer", "stockpile.progress.Progress")
"""Classes that public names refer to besides."""
LANGUAGES = ("stockpile.overlay", "stockpile.overrides")
"""Modules that say how something is written that public names take."""


def contents(index: str) -> str:
    """Return the contents of the sidebar: the links of every section of the index, in order."""
    parts = []
    for section in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        caption, text = section.split("\n", 1)
        pages = re.findall(r"^\| \[([^]]+)\]\(([^)#]+)\.md\)", text, re.MULTILINE)
        if pages:
            entries = [f"{title} <{page}>" for title, page in pages]
            lines = ["```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```"]
            parts.append("\n".join(lines))
    return "\n\n".join(parts)


def command_reference() -> str:
    """Return every command with all that it takes, as the parsers have it."""
    parser = cli._parser(list(cli.COMMANDS))
    (commands,) = (
        action for action in parser._actions if isinstance(action, argparse._SubParsersAction)
    )
    parts = [parser.description, parser.epilog]
    for name, command in commands.choices.items():
        parts += [
            f"## stockpile {name}",
            f"{_sentence(cli.COMMANDS[name])}",
            f"```text\n{_usage(command)}\n```",
            _table(action for action in command._actions if action.help != argparse.SUPPRESS),
        ]
    return "\n\n".join(str(part) for part in parts)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def _usage(command: argparse.ArgumentParser) -> str:
    command.formatter_class = _Formatter
    return command.format_usage().removeprefix("usage: ").rstrip()


class _Formatter(argparse.HelpFormatter):
    """Lines of one length, however wide the terminal is."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=WIDTH)


def _table(actions: Iterable[argparse.Action]) -> str:
    rows = ["| argument | meaning |", "|---|---|"]
    for action in actions:
        # Stars and brackets stand for themselves, dollars begin no formula.
        meaning = re.sub(r"([|*_`$<>\[\]\\])", r"\\\1", str(action.help or ""))
        meaning = re.sub(r"(?<![\w-])(--\w[\w-]*)", r"`\1`", meaning)
        rows.append(f"| {' or '.join(f'`{way}`' for way in _ways(action))} | {meaning} |")
    return "\n".join(rows)


def _ways(action: argparse.Action) -> list[str]:
    """Return how an argument is written: an option in each of its forms."""
    value = action.metavar or (action.choices and f"{{{','.join(map(str, action.choices))}}}")
    if not action.option_strings:
        return [str(value or action.dest)]
    takes = action.nargs != 0
    return [
        f"{option} {value or action.dest}" if takes else option for option in action.option_strings
    ]


def python_reference() -> str:
    """Return what has every public name documented from its docstring."""
    named = {name: getattr(stockpile, name) for name in stockpile.__all__}
    kinds = {
        "Functions": [name for name, what in named.items() if inspect.isfunction(what)],
        "Results and input": [
            name
            for name, what in named.items()
            if inspect.isclass(what) and not issubclass(what, BaseException)
        ],
        "Errors and warnings": [
            name
            for name, what in named.items()
            if inspect.isclass(what) and issubclass(what, BaseException)
        ],
    }
    parts = []
    for kind, names in kinds.items():
        directives = [_directive(f"stockpile.{name}", named[name]) for name in names]
        if kind == "Results and input":
            directives += [_directive(name, type) for name in NAMED]
        parts += [f"## {kind}", "```{eval-rst}\n" + "\n\n".join(directives) + "\n```"]
    modules = "\n\n".join(f".. automodule:: {name}" for name in LANGUAGES)
    parts += ["## Overlays and changes", "```{eval-rst}\n" + modules + "\n```"]
    return "\n\n".join(parts)


def _directive(name: str, what: object) -> str:
    if inspect.isfunction(what):
        return f".. autofunction:: {name}"
    return f".. autoclass:: {name}\n   :members:"


MADE = {
    "docs/index": contents,
    "docs/reference/commands": lambda _: command_reference(),
    "docs/reference/python": lambda _: python_reference(),
}


def _add(_app: Sphinx, page: str, source: list[str]) -> None:
    if page in MADE:
        source[0] = f"{source[0]}\n\n{MADE[page](source[0])}\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx to have pages completed."""
    from pygments.lexers.special import TextLexer

    app.add_lexer("csv", TextLexer)
    app.connect("source-read", _add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
