"""``stockpile respond``: what to release this month, or week, and what is to be expected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.answers import add_answer, add_continuations, add_plan, give
from stockpile.commands.options import add_language, instance_of, require_target

if TYPE_CHECKING:
    import argparse

    from stockpile.instance import Instance

CONTINUATIONS = 2000
"""Ways on that are looked at unless it is said otherwise."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_plan(parser)
    parser.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        required=True,
        help="what is known on the day; begin one with: stockpile state",
    )
    add_answer(parser, "answer")
    parser.add_argument(
        "--briefing",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="also write one page for those who decide: .html, .pdf or .md; may be repeated",
    )
    add_language(parser)
    parser.add_argument(
        "--side",
        metavar="PARTICIPANT",
        help="the order sheet of one nation alone; partners' stocks and holdings may be bands",
    )
    add_continuations(parser, CONTINUATIONS)
    parser.add_argument(
        "--months",
        metavar="N",
        type=int,
        help="months to look ahead, the current one included (default: horizon of the instance)",
    )
    # An order sheet has none of these: what is given is told from what is not.
    parser.set_defaults(continuations=None, lang=None)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.desk.briefing import PAGES, briefing_form, write_briefing
        from stockpile.desk.display import response_text
        from stockpile.desk.respond import respond
        from stockpile.desk.response import FILES, MARK
        from stockpile.desk.state import load_state
        from stockpile.plan import Plan

    if options.side is not None:
        return _give_side(options, instance)
    require_target(options.out, mark=MARK, replaceable=FILES)
    if any(briefing_form(file) in PAGES for file in options.briefing):
        from stockpile.reports.page import require_pages

        require_pages()
    plan = Plan.load(options.result)
    found = respond(
        instance,
        plan,
        load_state(options.state, instance, plan),
        continuations=CONTINUATIONS if options.continuations is None else options.continuations,
        seed=options.seed,
        months=options.months,
        threads=options.threads,
    )

    def write(file: Path) -> None:
        write_briefing(found, instance, file, lang=options.lang or "en")

    return give(found, options, response_text, [(file, write) for file in options.briefing])


def _give_side(options: argparse.Namespace, instance: Instance) -> int:
    """Give the orders of one nation.

    Raises
    ------
    UsageError
        If more is asked for than that can bring.
    """
    from stockpile.desk.display import side_text
    from stockpile.desk.order_sheet import FILES, MARK
    from stockpile.desk.state import load_state
    from stockpile.desk.two_sided import side_orders
    from stockpile.errors import UsageError
    from stockpile.redacted_plans import load_agreed

    of_all = {
        "--briefing": bool(options.briefing),
        "--continuations": options.continuations is not None,
        "--seed": options.seed is not None,
        "--months": options.months is not None,
        "--lang": options.lang is not None,
    }
    given = [name for name, is_given in of_all.items() if is_given]
    if given:
        raise UsageError(f"--side gives an order sheet alone, without {', '.join(given)}")
    require_target(options.out, mark=MARK, replaceable=FILES)
    plan = load_agreed(options.result)
    state = load_state(options.state, instance, plan)
    found = side_orders(instance, plan, state, options.side, threads=options.threads)
    return give(found, options, side_text)
