"""``stockpile schema``: print the JSON Schema of a plan, or of a table of an instance."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_OK

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="plan, or a table of an instance, such as materials (default: list the names)",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.schemas import NAMES, schema

    if options.name is None:
        sys.stdout.writelines(f"{name}\n" for name in NAMES)
    else:
        text = json.dumps(schema(options.name), indent=2, ensure_ascii=False)
        sys.stdout.write(f"{text}\n")
    return EXIT_OK
