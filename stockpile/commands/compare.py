"""``stockpile compare``: say what acting together saves, why, and who should pay what."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import exit_status
from stockpile.commands.options import (
    add_drawing,
    add_executor,
    add_instance,
    add_memory,
    executor_of,
    instance_of,
    require_target,
)

if TYPE_CHECKING:
    import argparse

    from stockpile.cooperation.comparison import Comparison


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_instance(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the comparison folder here")
    parser.add_argument(
        "--gap",
        metavar="G",
        type=float,
        help="relative gap to prove in every world, from 0 to below 1 (default: of the instance)",
    )
    parser.add_argument(
        "--time-limit",
        metavar="S",
        type=float,
        help="seconds for all worlds together, reading and compiling not counted (default: none)",
    )
    add_drawing(parser)
    add_executor(parser)
    add_memory(parser)
    parser.add_argument(
        "--skip-floors",
        action="store_true",
        help="do not solve once more for what it costs to be safe against a default",
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.cooperation.comparison import FILES, compare

    require_target(options.out, mark="comparison.json", replaceable=FILES)
    comparison = compare(
        instance,
        gap=options.gap,
        time_limit=options.time_limit,
        scenarios=options.scenarios,
        seed=options.seed,
        sampling=options.sampling,
        threads=options.threads,
        executor=executor_of(options),
        memory_gib=options.memory,
        price_floors=not options.skip_floors,
    )
    if options.out is not None:
        comparison.save(options.out)
    if options.json:
        sys.stdout.write(comparison.to_json())
    else:
        from stockpile.display_comparison import comparison_page

        sys.stdout.write(comparison_page(comparison))
    sys.stdout.flush()
    _say_what_is_missing(comparison)
    if options.out is not None:
        sys.stderr.write(f"Written to {options.out}.\n")
    elif not options.json:
        sys.stderr.write(
            "Nothing was saved. Save the tables with: "
            f"stockpile compare {options.instance} --out DIR\n"
        )
    return exit_status(comparison.status, complete=comparison.complete)


def _say_what_is_missing(comparison: Comparison) -> None:
    """Name the worlds without a plan, and say so if the search was stopped."""
    from stockpile.plan import Status

    for world, plan in comparison.plans.items():
        if plan.conflicts:
            sys.stderr.write(f"stockpile: in {world} not all promises can be kept:\n")
            for conflict in plan.conflicts:
                sys.stderr.write(f"  {conflict}\n")
        elif not plan.found:
            sys.stderr.write(f"stockpile: {world} has no plan ({plan.status})\n")
    if comparison.status is Status.INTERRUPTED:
        sys.stderr.write(
            "stockpile: stopped early; all figures are those of the best plans so far, which may "
            "be far from the best there are: see least and most\n"
        )
    elif comparison.status is Status.TIME_LIMIT:
        sys.stderr.write(
            "stockpile: time ran out before every gap was proved; see least and most, or raise "
            "--time-limit\n"
        )
