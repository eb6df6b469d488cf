"""``stockpile foresight``: bound what any release policy could achieve."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_INFEASIBLE, EXIT_OK
from stockpile.commands.options import add_drawing, add_instance, add_world, instance_of

if TYPE_CHECKING:
    import argparse


OF_BOTH = "of the plan, or of the instance"


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_instance(parser)
    parser.add_argument(
        "result",
        metavar="RESULT",
        type=Path,
        nargs="?",
        help="result folder: say what a cleverer policy could still save on its plan",
    )
    add_world(parser, OF_BOTH)
    add_drawing(parser, OF_BOTH)
    parser.add_argument("--json", action="store_true", help="print the bound as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.foresight_bound import foresight, require_comparable
        from stockpile.foresight_display import foresight_json, foresight_text
        from stockpile.plan import Plan

    plan = None if options.result is None else Plan.load(options.result)
    world, scenarios = options.cooperation, options.scenarios
    seed, sampling = options.seed, options.sampling
    if plan is not None:
        # Found out before the work, not after it.
        require_comparable(plan, instance_hash=instance.content_hash)
        world = plan.cooperation if world is None else world
        scenarios = plan.scenario_count if scenarios is None else scenarios
        seed = plan.seed if seed is None else seed
        sampling = plan.sampling if sampling is None else sampling
    bound = foresight(
        instance,
        cooperation=world,
        scenarios=scenarios,
        seed=seed,
        sampling=sampling,
        threads=options.threads,
    )
    if options.json:
        sys.stdout.write(foresight_json(bound, plan))
    else:
        sys.stdout.write(foresight_text(bound, plan))
    return EXIT_OK if bound.feasible else EXIT_INFEASIBLE
