"""The command line: a thin layer over the Python interface.

Results go to stdout or files, messages to stderr. Exit status: 0 solved, 2 wrong input or usage,
3 infeasible, 4 time limit without any plan, 1 anything else.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from stockpile.commands.exits import EXIT_OK, EXIT_OTHER, EXIT_WRONG_INPUT

TYPE_CHECKING = False  # As in typing, which takes longer to import than all the rest of this.
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

COMMANDS = {
    "solve": "find the cheapest plan and prove how good it is",
    "batch": "solve many variants of instances and compare them",
    "validate": "check instance folders and name every mistake",
    "evaluate": "judge a plan on fresh scenarios",
    "compare": "say what acting together saves, and who pays",
    "projects": "say what allowing projects changes: stocks, money, dependence",
    "frontier": "show what more coverage or less budget costs",
    "counter-moves": "judge a plan where others answer it",
    "state": "begin a folder with what is known on the day of a crisis",
    "redact": "write a plan for a partner, with one nation's stocks as bands",
    "respond": "say what to release this month or week, and what is to be expected",
    "replay": "walk through a case step by step: what the desk would have done",
    "schedule": "say what to buy when, from the stocks of today to those of a plan",
    "foresight": "bound what any release policy could achieve",
    "export": "write a model to a file for other solvers",
    "report": "write pages, spreadsheets and text that decision makers read",
    "show": "print a plan as tables",
    "tables": "write a plan for offices and programs: spreadsheet, CSV, LaTeX, Parquet",
    "schema": "print the JSON Schema of a plan or a table",
    "generate": "write an invented instance of any size",
}
"""Modules of :mod:`stockpile.commands`, with hyphens for underscores, and what they do.

Only the one asked for is imported.
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line and points to the help."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"stockpile: {message}\nTry '{self.prog} --help'.\n")
        raise SystemExit(EXIT_WRONG_INPUT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    try:  # Ctrl-C may come while packages are still being loaded.
        return _run(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("\nstockpile: interrupted; nothing was written\n")
        return EXIT_OTHER


def _run(arguments: Sequence[str] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # A terminal that lacks a letter shows another.
            stream.reconfigure(errors="replace")
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser(arguments).parse_args(arguments)
    import warnings

    from stockpile.errors import CheckError, InstanceWarning, StockpileError

    command: Callable[[argparse.Namespace], int] = options.command
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", InstanceWarning)
            warnings.showwarning = _show_note  # type: ignore[assignment]
            return command(options)
    except CheckError as error:
        sys.stderr.write(f"stockpile: bug found, nothing was written: {error}\n")
        return EXIT_OTHER
    except StockpileError as error:
        sys.stderr.write(f"stockpile: {error}\n")
        return EXIT_WRONG_INPUT
    except MemoryError:
        sys.stderr.write("stockpile: not enough memory; try fewer scenarios or fewer rules\n")
        return EXIT_OTHER
    except BrokenPipeError:  # The reader of stdout has gone, as with `| head`.
        sys.stderr.close()
        return EXIT_OTHER
    except OSError as error:
        sys.stderr.write(f"stockpile: {error}\n")
        return EXIT_OTHER


def _show_note(message: Warning | str, *_: object) -> None:
    sys.stderr.write(f"stockpile: note: {message}\n")


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of all commands; only those named in the arguments know their options."""
    parser = _Parser(
        prog="stockpile",
        description="Plan national reserves of critical minerals: how much to hold, where, and "
        "under which release rules, so that promised coverage is kept at the least cost.",
        epilog="Exit status: 0 solved, 2 wrong input or usage, 3 infeasible, 4 time limit without "
        "any plan, 1 anything else.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, what in COMMANDS.items():
        command = commands.add_parser(name, help=what)
        if name in arguments:
            module = name.replace("-", "_")
            import_module(f"stockpile.commands.{module}").add(command)
    return parser


class _Version(argparse.Action):
    """Prints the version; asks for it only when wanted."""

    def __call__(self, *_: object, **__: object) -> NoReturn:
        from importlib.metadata import version

        print(f"stockpile {version('stockpile')}")
        raise SystemExit(EXIT_OK)
