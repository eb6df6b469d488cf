"""``stockpile counter-moves``: judge a plan where others answer it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_OK, EXIT_OTHER
from stockpile.commands.options import add_instance, instance_of, require_target

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_instance(parser)
    parser.add_argument("result", metavar="RESULT", type=Path, help="result folder")
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the result folder here")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--threads", metavar="N", type=int, help="threads (default: all)")
    after = parser.add_argument_group("retaliation after a release to a partner")
    after.add_argument(
        "--delay", metavar="MONTHS", type=int, default=1, help="months after the first release (1)"
    )
    after.add_argument(
        "--duration", metavar="MONTHS", type=int, default=6, help="months that it lasts (6)"
    )
    after.add_argument(
        "--severity",
        metavar="FRACTION",
        type=float,
        default=1.0,
        help="fraction of the supply from the source that is lost (1)",
    )
    again = parser.add_argument_group("new plans")
    again.add_argument(
        "--solve",
        action="store_true",
        help="also solve anew in every case that does not depend on the plan",
    )
    again.add_argument(
        "--gap", metavar="G", type=float, help="relative gap to prove (default: of the instance)"
    )
    again.add_argument(
        "--time-limit",
        metavar="S",
        type=float,
        help="seconds for every case, after which its best plan so far is taken (default: none)",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.countering import FILES, MARK, counter_moves
        from stockpile.countering_display import counter_moves_text
        from stockpile.plan import Plan

    require_target(options.out, mark=MARK, replaceable=FILES)
    found = counter_moves(
        instance,
        Plan.load(options.result),
        solve_again=options.solve,
        delay_months=options.delay,
        duration_months=options.duration,
        severity=options.severity,
        gap=options.gap,
        time_limit=options.time_limit,
        threads=options.threads,
    )
    if options.out is not None:
        found.save(options.out)
    sys.stdout.write(found.to_json() if options.json else counter_moves_text(found))
    sys.stdout.flush()
    if not found.complete:
        sys.stderr.write("stockpile: stopped; cases that were not solved anew are missing\n")
    if options.out is not None:
        sys.stderr.write(f"Written to {options.out}.\n")
    elif not options.json:
        sys.stderr.write(
            "Nothing was saved. Save it with: "
            f"stockpile counter-moves {options.instance} {options.result} --out DIR\n"
        )
    return EXIT_OK if found.complete else EXIT_OTHER
