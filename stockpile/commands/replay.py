"""``stockpile replay``: walk through a case month by month, or week by week.

Each of them knows no more than what had begun by then.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_OK
from stockpile.commands.options import add_instance, instance_of, require_target

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_instance(parser)
    parser.add_argument("result", metavar="RESULT", type=Path, help="result folder of the plan")
    parser.add_argument(
        "--stress", metavar="NAME", required=True, help="case of stress.csv to walk through"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the replay here")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument(
        "--existing",
        action="store_true",
        help="begin with the stocks of today, not with those that the plan wants",
    )
    parser.add_argument(
        "--months",
        metavar="N",
        type=int,
        help="months to walk through (default: three after the last event)",
    )
    parser.add_argument(
        "--continuations",
        metavar="N",
        type=int,
        default=200,
        help="ways on to look at in every month, or week (200)",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, help="seed of the continuations (default: of the instance)"
    )
    parser.add_argument("--threads", metavar="N", type=int, help="threads (default: all)")


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.desk.replay import FILES, MARK, replay
    from stockpile.desk.replay_display import replay_text
    from stockpile.plan import Plan

    require_target(options.out, mark=MARK, replaceable=FILES)
    found = replay(
        instance,
        Plan.load(options.result),
        options.stress,
        existing=options.existing,
        months=options.months,
        continuations=options.continuations,
        seed=options.seed,
        threads=options.threads,
    )
    if options.out is not None:
        found.save(options.out)
    sys.stdout.write(found.to_json() if options.json else replay_text(found))
    sys.stdout.flush()
    if options.out is not None:
        sys.stderr.write(f"Written to {options.out}.\n")
    return EXIT_OK
