"""``stockpile solve``: find the cheapest plan and prove how good it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_INFEASIBLE, EXIT_NO_PLAN, EXIT_OK, EXIT_OTHER
from stockpile.commands.options import (
    add_drawing,
    add_executor,
    add_instance,
    add_memory,
    add_redaction,
    add_world,
    executor_of,
    instance_of,
    require_target,
)

if TYPE_CHECKING:
    import argparse

    from stockpile.instance import Instance
    from stockpile.plan import Plan


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_instance(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the result folder here")
    parser.add_argument(
        "--gap",
        metavar="G",
        type=float,
        help="relative gap to prove for every material, from 0 to below 1 "
        "(default: of the instance)",
    )
    parser.add_argument(
        "--time-limit",
        metavar="S",
        type=float,
        help="seconds after which the best plan so far is taken, reading and compiling not counted "
        "(default: none)",
    )
    add_world(parser)
    add_drawing(parser)
    add_executor(parser)
    add_memory(parser)
    add_redaction(parser)
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.plan import FILES
        from stockpile.redaction import FILES as REDACTED_FILES
        from stockpile.redaction import RESULT, parse_redaction
        from stockpile.solver import solve

    hidden = parse_redaction(options.redact)
    mark, files = (RESULT, REDACTED_FILES) if hidden else ("plan.json", FILES)
    require_target(options.out, mark=mark, replaceable=files)
    plan = solve(
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
    if hidden:
        return _redacted(plan, instance, hidden, options)
    if options.out is not None and _worth_saving(plan):
        plan.save(options.out)
    if options.json:
        sys.stdout.write(plan.to_json())
    else:
        from stockpile.display import plan_summary, plan_tables

        sys.stdout.write(plan_summary(plan))
        if plan.found and options.out is None:
            sys.stdout.write(plan_tables(plan))
    sys.stdout.flush()
    _where_to_find(plan, options)
    return _exit_status(plan)


def _redacted(
    plan: Plan, instance: Instance, hidden: frozenset[str], options: argparse.Namespace
) -> int:
    """Write and print the plan without what is hidden; say nothing else of it."""
    from stockpile.folders import write_whole
    from stockpile.records import json_text
    from stockpile.redaction import FILES, RESULT, redacted_files, redacted_summary

    saved = options.out is not None and _worth_saving(plan)
    if saved:
        files = redacted_files(plan, instance, hidden)
        write_whole(options.out, files, mark=RESULT, replaceable=FILES)
    summary = redacted_summary(plan, hidden)
    if options.json:
        sys.stdout.write(json_text(summary))
    else:
        from stockpile.display import redacted_text

        sys.stdout.write(redacted_text(summary))
    sys.stdout.flush()
    if plan.conflicts:
        sys.stderr.write("stockpile: not all promises and limits can be kept\n")
    if saved:
        sys.stderr.write(f"Written to {options.out}, without {', '.join(sorted(hidden))}.\n")
    return _exit_status(plan)


def _worth_saving(plan: Plan) -> bool:
    """Say whether to write a result: a plan, or the proof that there is none."""
    return plan.found or bool(plan.conflicts)


def _where_to_find(plan: Plan, options: argparse.Namespace) -> None:
    from stockpile.plan import Status

    if plan.conflicts:
        sys.stderr.write("stockpile: not all promises and limits can be kept:\n")
        for conflict in plan.conflicts:
            sys.stderr.write(f"  {conflict}\n")
        sys.stderr.write(
            "  Lower a level, raise max_t in holdings.csv or a limit, or offer a rule that keeps "
            "it.\n"
        )
    elif plan.status is Status.TIME_LIMIT and not plan.found:
        sys.stderr.write(
            "stockpile: time ran out before every material had a plan; raise --time-limit\n"
        )
    elif not plan.found:
        sys.stderr.write("stockpile: stopped before every material had a plan\n")
    if options.out is not None and not _worth_saving(plan):
        sys.stderr.write(f"Nothing was written to {options.out}.\n")
    elif options.out is not None:
        sys.stderr.write(f"Written to {options.out}. Read it with: stockpile show {options.out}\n")
    elif plan.found and not options.json:
        sys.stderr.write(
            f"Nothing was saved. Save the plan with: stockpile solve {options.instance} --out DIR\n"
        )


def _exit_status(plan: Plan) -> int:
    from stockpile.plan import Status

    if plan.status is Status.INFEASIBLE:
        return EXIT_INFEASIBLE
    if plan.status is Status.INTERRUPTED:
        return EXIT_OTHER
    return EXIT_OK if plan.found else EXIT_NO_PLAN
