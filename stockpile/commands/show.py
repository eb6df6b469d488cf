"""``stockpile show``: print a plan as tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_OK

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    parser.add_argument("result", metavar="RESULT", type=Path, help="result folder")


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.display import plan_summary, plan_tables
        from stockpile.plan import Plan
    plan = Plan.load(options.result)
    sys.stdout.write(plan_summary(plan) + plan_tables(plan))
    return EXIT_OK
