"""``stockpile validate``: check instance folders and name every mistake."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_OK, EXIT_WRONG_INPUT
from stockpile.commands.options import add_instance

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_instance(parser, several=True)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from stockpile.errors import StockpileError
    from stockpile.instance import load

    status = EXIT_OK
    for folder in options.instances:
        try:
            instance = load(folder, overlay=options.overlay, changes=options.set)
        except StockpileError as error:
            sys.stderr.write(f"{folder}: {error}\n")
            status = EXIT_WRONG_INPUT
        else:
            print(
                f"{folder}: valid; {len(instance.participants)} participants, "
                f"{len(instance.materials)} materials, {len(instance.coverage)} coverage rows, "
                f"hash {instance.content_hash[:12]}"
            )
    return status
