"""``stockpile generate``: write an instance of any size with invented figures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_OK
from stockpile.commands.options import require_target

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    # The defaults of the function; they are not imported, because help has to come fast.
    for name, default, what in (
        ("materials", 20, "number of materials"),
        ("scenarios", 2000, "number of scenarios that a solve draws"),
        ("months", 60, "length of a scenario"),
        ("participants", 2, "number of participants"),
        ("seed", 1, "seed of all figures and of the scenarios"),
    ):
        parser.add_argument(
            f"--{name}", metavar="N", type=int, default=default, help=f"{what} ({default})"
        )
    parser.add_argument(
        "--couplings",
        action="store_true",
        help="add budgets, stores, joint promises and the other limits that materials share",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="write the instance folder here"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from stockpile.interrupt import end_on_interrupt

    require_target(options.out)
    with end_on_interrupt():
        from stockpile.generator.build import generate
        from stockpile.instance import save

    instance = generate(
        materials=options.materials,
        scenarios=options.scenarios,
        months=options.months,
        participants=options.participants,
        seed=options.seed,
        couplings=options.couplings,
    )
    save(instance, options.out)
    sys.stderr.write(f"Written to {options.out}. Solve it with: stockpile solve {options.out}\n")
    return EXIT_OK
