"""``stockpile schedule``: what to buy when, from the stocks of today to those of a plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from stockpile.commands.answers import add_answer, add_plan, give
from stockpile.commands.options import instance_of, require_target

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_plan(parser)
    parser.add_argument(
        "--from", metavar="YEAR", dest="from_year", type=int, required=True, help="first year"
    )
    parser.add_argument("--years", metavar="N", type=int, required=True, help="years to plan")
    add_answer(parser, "calendar")
    parser.add_argument(
        "--yearly-budget",
        metavar="PARTICIPANT=USD",
        action="append",
        default=[],
        help="most that is paid in a fiscal year (default: its acquisition budget in equal parts)",
    )
    parser.add_argument(
        "--fiscal-start",
        metavar="PARTICIPANT=MONTH",
        action="append",
        default=[],
        help="month in which its fiscal year begins: 1, 4, 7 or 10 (default: 1)",
    )
    parser.add_argument(
        "--most-of-supply",
        metavar="FRACTION",
        type=float,
        help="most that all buy of a material in a year, of its world supply (default: no limit)",
    )
    parser.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        help="stocks to begin with (default: existing_t); what they lack has been released",
    )
    parser.add_argument(
        "--replenish-years",
        metavar="N",
        type=int,
        help="with --state: years within which what has been released is bought back",
    )
    parser.add_argument(
        "--gap", metavar="G", type=float, default=0.01, help="relative gap to stop at (0.01)"
    )
    parser.add_argument(
        "--time-limit", metavar="S", type=float, help="seconds for the search (default: none)"
    )
    parser.add_argument(
        "--scenarios",
        metavar="N",
        type=int,
        help="scenarios that exposures are simulated on (default: those of the plan)",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.desk.state import load_state
        from stockpile.plan import Plan
        from stockpile.purchasing.calendar import FILES, MARK, schedule
        from stockpile.purchasing.display import schedule_text
        from stockpile.purchasing.settings import ScheduleSettings

    require_target(options.out, mark=MARK, replaceable=FILES)
    plan = Plan.load(options.result)
    settings = ScheduleSettings(
        from_year=options.from_year,
        years=options.years,
        yearly_budget=_by_participant(options.yearly_budget, "--yearly-budget", float),
        fiscal_start=_by_participant(options.fiscal_start, "--fiscal-start", int),
        most_of_supply=options.most_of_supply,
        replenish_years=options.replenish_years,
    )
    found = schedule(
        instance,
        plan,
        settings,
        state=None if options.state is None else load_state(options.state, instance, plan),
        gap=options.gap,
        time_limit=options.time_limit,
        scenarios=options.scenarios,
        threads=options.threads,
    )
    return give(found, options, schedule_text)


Amount = TypeVar("Amount", int, float)


def _by_participant(
    texts: list[str], option: str, kind: Callable[[str], Amount]
) -> dict[str, Amount]:
    """Read ``participant=number``, each participant once.

    Raises
    ------
    UsageError
        If one of them is something else.
    """
    from stockpile.errors import UsageError

    found: dict[str, Amount] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if name in found:
            raise UsageError(f"{option}: {name} is given twice")
        try:
            found[name] = kind(number)
        except ValueError:
            what = "a whole number" if kind is int else "a number, such as us=5e8"
            raise UsageError(f"{option}: {text!r}; expected a participant and {what}") from None
    return found
