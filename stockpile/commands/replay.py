"""``stockpile replay``: walk through a case month by month, or week by week.

Each of them knows no more than what had begun by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.commands.answers import add_answer, add_continuations, add_plan, give
from stockpile.commands.options import instance_of, require_target

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_plan(parser)
    parser.add_argument(
        "--stress", metavar="NAME", required=True, help="case of stress.csv to walk through"
    )
    add_answer(parser, "replay")
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
    add_continuations(parser, 200, " in every month, or week")


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
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
    return give(found, options, replay_text)
