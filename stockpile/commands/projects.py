"""``stockpile projects``: say what a plan changes when projects are allowed."""

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
    add_world,
    executor_of,
    instance_of,
    require_target,
)

if TYPE_CHECKING:
    import argparse

    from stockpile.effects_of_projects import ProjectEffects


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_instance(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the tables into this folder")
    parser.add_argument(
        "--gap",
        metavar="G",
        type=float,
        help="relative gap to prove with and without, from 0 to below 1 (default: of the instance)",
    )
    parser.add_argument(
        "--time-limit",
        metavar="S",
        type=float,
        help="seconds for both plans together, reading and compiling not counted (default: none)",
    )
    add_world(parser)
    add_drawing(parser)
    add_executor(parser)
    add_memory(parser)
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.effects_of_projects import FILES, project_effects

    require_target(options.out, mark="effects.json", replaceable=FILES)
    effects = project_effects(
        instance,
        gap=options.gap,
        time_limit=options.time_limit,
        cooperation=options.cooperation,
        scenarios=options.scenarios,
        seed=options.seed,
        sampling=options.sampling,
        threads=options.threads,
        executor=executor_of(options),
        memory_gib=options.memory,
    )
    if options.out is not None:
        effects.save(options.out)
    if options.json:
        sys.stdout.write(effects.to_json())
    else:
        from stockpile.display_effects import effects_page

        sys.stdout.write(effects_page(effects))
    sys.stdout.flush()
    _say_what_is_missing(effects)
    if options.out is not None:
        sys.stderr.write(f"Written to {options.out}.\n")
    elif not options.json:
        sys.stderr.write(
            "Nothing was saved. Save the tables with: "
            f"stockpile projects {options.instance} --out DIR\n"
        )
    return exit_status(effects.status, complete=effects.complete)


def _say_what_is_missing(effects: ProjectEffects) -> None:
    """Name the plan that is missing, and say so if the search was stopped."""
    from stockpile.plan import Status

    both = {"without": effects.without_projects, "with": effects.with_projects}
    for name, plan in both.items():
        if plan.conflicts:
            sys.stderr.write(f"stockpile: {name} projects not all promises can be kept:\n")
            for conflict in plan.conflicts:
                sys.stderr.write(f"  {conflict}\n")
        elif not plan.found:
            sys.stderr.write(f"stockpile: {name} projects there is no plan ({plan.status})\n")
    if effects.status is Status.INTERRUPTED:
        sys.stderr.write(
            "stockpile: stopped early; all figures are those of the best plans so far, which may "
            "be far from the best there are: see the interval\n"
        )
    elif effects.status is Status.TIME_LIMIT:
        sys.stderr.write(
            "stockpile: time ran out before both gaps were proved; see the interval, or raise "
            "--time-limit\n"
        )
