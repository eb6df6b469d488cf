"""``stockpile state``: begin a state folder for a plan, to be filled in on the day."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.answers import add_plan
from stockpile.commands.exits import EXIT_OK
from stockpile.commands.options import instance_of, require_target

if TYPE_CHECKING:
    import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_plan(parser)
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder to write, new or empty"
    )
    parser.add_argument("--month", metavar="N", type=int, help="current month of the plan (1)")
    parser.add_argument(
        "--week",
        metavar="N",
        type=int,
        help="current week of the plan, where the instance is in weeks",
    )
    parser.add_argument("--date", metavar="TEXT", default="", help="when that is, for reports")
    parser.add_argument("--title", metavar="TEXT", default="", help="what is going on, in a line")
    parser.add_argument(
        "--existing",
        action="store_true",
        help="stocks as they are today, not as the plan wants them to be",
    )
    parser.add_argument(
        "--redact",
        metavar="PARTICIPANT",
        help="write its stocks as bands of days of cover, for partners",
    )
    parser.add_argument(
        "--of",
        metavar="DIR",
        type=Path,
        help="begin with this state, not with the plan's stocks",
    )
    parser.add_argument(
        "--event",
        metavar="HAZARD[=SEVERITY]",
        action="append",
        default=[],
        help="an event of a hazard that begins now, as severe as such events are on "
        "average or as given; may be repeated",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    _refuse_ignored(options)
    instance = instance_of(options)
    from stockpile.desk.state import FILES, STATE_FILE, begun_state, load_state, save_state
    from stockpile.desk.two_sided import redacted_state
    from stockpile.redacted_plans import load_agreed

    require_target(options.out, mark=STATE_FILE, replaceable=FILES)
    plan = load_agreed(options.result)
    if options.of is not None:
        state = load_state(options.of, instance, plan)
    else:
        state = begun_state(
            instance,
            plan,
            options.event,
            month=options.month,
            week=options.week,
            date=options.date,
            title=options.title,
            existing=options.existing,
        )
    if options.redact is not None:
        state = redacted_state(state, instance, options.redact)
    save_state(state, options.out)
    words = ["stockpile", "respond", options.instance, options.result, "--state", options.out]
    if options.overlay is not None:
        words += ["--overlay", options.overlay]
    for change in options.set:
        words += ["--set", change]
    sys.stderr.write(
        f"Written to {options.out}. Fill in what is known, then: "
        f"{shlex.join(str(word) for word in words)}\n"
    )
    return EXIT_OK


def _refuse_ignored(options: argparse.Namespace) -> None:
    """Refuse what says how a state begins where it begins with another one.

    Raises
    ------
    UsageError
        Naming all of it.
    """
    from stockpile.errors import UsageError

    begins = {
        "--month": options.month is not None,
        "--week": options.week is not None,
        "--date": bool(options.date),
        "--title": bool(options.title),
        "--event": bool(options.event),
        "--existing": options.existing,
    }
    given = [name for name, is_given in begins.items() if is_given]
    if options.of is not None and given:
        raise UsageError(
            f"--of takes all from a state, without {', '.join(given)}: change it in its files"
        )
