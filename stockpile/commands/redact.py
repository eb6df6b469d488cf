"""``stockpile redact``: write a plan for a partner, with one nation's stocks as bands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.answers import add_plan
from stockpile.commands.exits import EXIT_OK
from stockpile.commands.options import instance_of, require_target

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_plan(parser)
    parser.add_argument(
        "--of",
        metavar="PARTICIPANT",
        required=True,
        help="write what it holds as bands of days of cover, for partners",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder to write, new or empty"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.plan import Plan
    from stockpile.redacted_plans import redacted_plan
    from stockpile.redaction import FILES, RESULT

    require_target(options.out, mark=RESULT, replaceable=FILES)
    redacted_plan(Plan.load(options.result), instance, options.of).save(options.out)
    sys.stderr.write(
        f"Written to {options.out}, for partners of {options.of}. They answer with: stockpile "
        f"respond INSTANCE {options.out} --state DIR --side NAME\n"
    )
    return EXIT_OK
