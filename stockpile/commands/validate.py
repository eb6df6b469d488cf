"""``stockpile validate``: check instance folders and name every mistake."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_OK, EXIT_WRONG_INPUT

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    parser.add_argument(
        "instances", metavar="INSTANCE", type=Path, nargs="+", help="instance folders"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from stockpile.errors import InstanceError
    from stockpile.instance import load

    status = EXIT_OK
    for folder in options.instances:
        try:
            instance = load(folder)
        except InstanceError as error:
            sys.stderr.write(f"{folder}: {error}\n")
            status = EXIT_WRONG_INPUT
        else:
            print(
                f"{folder}: valid; {len(instance.participants)} participants, "
                f"{len(instance.materials)} materials, {len(instance.coverage)} coverage rows, "
                f"hash {instance.content_hash[:12]}"
            )
    return status
