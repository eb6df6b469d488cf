"""``stockpile frontier``: the curve of cost against coverage or budget, and what a step costs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_INFEASIBLE, EXIT_NO_PLAN, EXIT_OK, EXIT_OTHER
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
    from stockpile.frontier_points import Frontier
    from stockpile.marginal_costs import Marginals


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_instance(parser)
    parser.add_argument(
        "--vary",
        choices=("coverage", "budget"),
        required=True,
        help="coverage: what promises let slip is scaled; budget: budgets are scaled, or where "
        "there are none a joint one is set",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--points", metavar="N", type=int, help="number of points (7)")
    which.add_argument(
        "--values", metavar="A,B,...", type=_numbers, help="the points themselves, such as 2,1,0.5"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the result folder here")
    parser.add_argument(
        "--gap",
        metavar="G",
        type=float,
        help="relative gap to prove at every point, from 0 to below 1 (default: of the instance)",
    )
    parser.add_argument(
        "--time-limit",
        metavar="S",
        type=float,
        help="seconds for every point, after which its best plan so far is taken (default: none)",
    )
    add_world(parser)
    add_drawing(parser)
    add_executor(parser)
    add_memory(parser)
    parser.add_argument("--json", action="store_true", help="print the frontier as JSON")
    steps = parser.add_argument_group("what one step more costs")
    steps.add_argument(
        "--marginals",
        action="store_true",
        help="also solve again with one more day of cover, point of confidence or level, and "
        "million USD of budget; the options below are about this",
    )
    steps.add_argument(
        "--per",
        choices=("material", "row"),
        help="each participant and material of a row of coverage.csv, or all of a row at once "
        "(default: material where nothing joins the materials, else row)",
    )
    steps.add_argument(
        "--rows", metavar="N,...", type=_whole_numbers, help="rows of coverage.csv, the first is 1"
    )
    steps.add_argument("--participants", metavar="NAME,...", type=_names, help="only these")
    steps.add_argument("--materials", metavar="NAME,...", type=_names, help="only these")
    steps.add_argument("--step-days", metavar="D", type=float, default=1.0, help="days (1)")
    steps.add_argument(
        "--step-fraction",
        metavar="F",
        type=float,
        default=0.01,
        help="confidence or level (0.01)",
    )
    steps.add_argument("--step-usd", metavar="USD", type=float, default=1e6, help="budget (1e6)")


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.frontier_display import frontier_text, marginals_text
        from stockpile.frontier_points import DEFAULT_POINTS, FILES, frontier
        from stockpile.marginal_costs import marginals

    require_target(options.out, mark="frontier.json", replaceable=FILES)
    common = {
        name: getattr(options, name)
        for name in ("gap", "time_limit", "cooperation", "scenarios", "seed", "sampling", "threads")
    }
    common |= {"executor": executor_of(options), "memory_gib": options.memory}
    curve = frontier(
        instance,
        options.vary,
        points=DEFAULT_POINTS if options.points is None else options.points,
        values=options.values,
        **common,
    )
    steps = None
    if options.marginals and curve.complete:
        steps = marginals(
            instance,
            per=options.per,
            rows=options.rows,
            participants=options.participants,
            materials=options.materials,
            step_days=options.step_days,
            step_fraction=options.step_fraction,
            step_usd=options.step_usd,
            **common,
        )
    if options.out is not None and curve.points:
        curve.save(options.out, steps)
    if options.json:
        sys.stdout.write(curve.to_json(steps))
    else:
        sys.stdout.write(frontier_text(curve))
        if steps is not None:
            sys.stdout.write(marginals_text(steps))
    sys.stdout.flush()
    _say(curve, steps, options)
    return _exit_status(curve, steps)


def _say(curve: Frontier, steps: Marginals | None, options: argparse.Namespace) -> None:
    """Write what is missing, and where to find the rest."""
    if not curve.complete:
        sys.stderr.write(
            f"stockpile: stopped at {len(curve.points)} of {curve.asked} points; "
            "those that were solved are shown\n"
        )
        if options.marginals:
            sys.stderr.write("stockpile: stopped before any step was solved\n")
    elif steps is not None and not steps.complete:
        done, asked = len(steps.table), steps.steps
        sys.stderr.write(f"stockpile: {done} of {asked} steps were solved\n")
    if options.out is not None and not curve.points:
        sys.stderr.write(f"Nothing was written to {options.out}.\n")
    elif options.out is not None:
        sys.stderr.write(f"Written to {options.out}.\n")
    elif not options.json:
        sys.stderr.write(
            "Nothing was saved. Save the curve with: "
            f"stockpile frontier {options.instance} --vary {options.vary} --out DIR\n"
        )


def _exit_status(curve: Frontier, steps: Marginals | None) -> int:
    from stockpile.plan import Status

    if not curve.complete or (steps is not None and _interrupted(steps)):
        return EXIT_OTHER
    if any(point.plan is not None for point in curve.points):
        return EXIT_OK
    if all(point.status is Status.INFEASIBLE for point in curve.points):
        return EXIT_INFEASIBLE
    return EXIT_NO_PLAN


def _interrupted(steps: Marginals) -> bool:
    """Say whether steps are missing because the user has asked to stop."""
    return steps.annual_cost_usd is not None and not steps.complete


def _numbers(text: str) -> list[float]:
    """Read numbers that commas separate."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}; expected numbers such as 2,1,0.5") from None


def _whole_numbers(text: str) -> list[int]:
    """Read whole numbers that commas separate."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}; expected whole numbers such as 1,3") from None


def _names(text: str) -> list[str]:
    """Read names that commas separate."""
    return [part.strip() for part in text.split(",")]
