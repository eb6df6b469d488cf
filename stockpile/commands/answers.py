"""What commands that answer from a plan share: their options, and how they give the answer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_OK, EXIT_OTHER
from stockpile.commands.options import add_instance

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from stockpile.result_folder import ResultFolder

    Found = TypeVar("Found", bound=ResultFolder)


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Add ``INSTANCE``, what changes it, and ``RESULT``."""
    add_instance(parser)
    parser.add_argument("result", metavar="RESULT", type=Path, help="result folder of the plan")


def add_answer(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--out``, ``--json`` and ``--threads``; ``what`` names the answer."""
    parser.add_argument("--out", metavar="DIR", type=Path, help=f"write the {what} here")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--threads", metavar="N", type=int, help="threads (default: all)")


def add_continuations(parser: argparse.ArgumentParser, count: int, where: str = "") -> None:
    """Add ``--continuations``, so many by default, and ``--seed``; ``where`` says in what."""
    parser.add_argument(
        "--continuations",
        metavar="N",
        type=int,
        default=count,
        help=f"ways on to look at{where} ({count})",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, help="seed of the continuations (default: of the instance)"
    )


def give(
    found: Found,
    options: argparse.Namespace,
    text: Callable[[Found], str],
    files: Sequence[tuple[Path, Callable[[Path], object]]] = (),
) -> int:
    """Write and print an answer, and return the exit status.

    Whoever stops it is told what has been written by then; each of it is whole.

    Parameters
    ----------
    text
        Says it on a terminal.
    files
        What else is written, and how.
    """
    wanted: list[tuple[Path, Callable[[Path], object]]] = list(files)
    if options.out is not None:
        wanted.insert(0, (options.out, found.save))
    written: list[Path] = []
    try:
        for target, write in wanted:
            write(target)
            written.append(target)
    except KeyboardInterrupt:
        if not written:
            raise
        names = ", ".join(map(str, written))
        sys.stderr.write(f"\nstockpile: interrupted; nothing was written but {names}\n")
        return EXIT_OTHER
    sys.stdout.write(found.to_json() if options.json else text(found))
    sys.stdout.flush()
    for target in written:
        sys.stderr.write(f"Written to {target}.\n")
    return EXIT_OK
