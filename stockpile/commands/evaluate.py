"""``stockpile evaluate``: judge a plan on fresh scenarios."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_OK
from stockpile.commands.options import (
    add_executor,
    add_instance,
    add_sampling,
    executor_of,
    instance_of,
)

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_instance(parser)
    parser.add_argument("result", metavar="RESULT", type=Path, help="result folder")
    parser.add_argument(
        "--scenarios", metavar="N", type=int, default=100_000, help="fresh scenarios (100000)"
    )
    parser.add_argument("--seed", metavar="N", type=int, help="seed (the plan's plus one)")
    add_sampling(parser)
    parser.add_argument("--threads", metavar="N", type=int, help="threads (default: all)")
    add_executor(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.display import assessment_text
        from stockpile.outofsample import evaluate
        from stockpile.plan import Plan

    plan = Plan.load(options.result)
    if plan.instance_hash != instance.content_hash:
        sys.stderr.write(
            f"stockpile: note: {options.result} was made from {plan.instance_name} "
            f"({plan.instance_hash[:12]}), not from {options.instance} as it is now "
            f"({instance.content_hash[:12]})\n"
        )
    assessment = evaluate(
        instance,
        plan,
        scenarios=options.scenarios,
        seed=options.seed,
        sampling=options.sampling,
        threads=options.threads,
        executor=executor_of(options),
    )
    sys.stdout.write(assessment_text(assessment))
    return EXIT_OK
