"""The command line: a thin layer over the Python interface.

Results go to stdout or files, messages to stderr. Exit status: 0 solved, 2 wrong input or usage,
3 infeasible, 4 time limit without any plan, 1 anything else.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

# Heavy imports stand inside the commands: --help and validate must start fast.
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stockpile.plan import Plan

EXIT_OK, EXIT_OTHER, EXIT_WRONG_INPUT, EXIT_INFEASIBLE, EXIT_NO_PLAN = 0, 1, 2, 3, 4


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line and points to the help."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"stockpile: {message}\nTry '{self.prog} --help'.\n")
        raise SystemExit(EXIT_WRONG_INPUT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # A terminal that lacks a letter shows another.
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    from stockpile.errors import CheckError, InstanceWarning, StockpileError

    command: Callable[[argparse.Namespace], int] = options.command
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", InstanceWarning)
            warnings.showwarning = _show_note  # type: ignore[assignment]
            return command(options)
    except CheckError as error:
        sys.stderr.write(f"stockpile: bug found, nothing was written: {error}\n")
        return EXIT_OTHER
    except StockpileError as error:
        sys.stderr.write(f"stockpile: {error}\n")
        return EXIT_WRONG_INPUT
    except MemoryError:
        sys.stderr.write("stockpile: not enough memory; try fewer scenarios or fewer rules\n")
        return EXIT_OTHER
    except KeyboardInterrupt:
        sys.stderr.write("\nstockpile: interrupted; nothing was written\n")
        return EXIT_OTHER
    except BrokenPipeError:  # The reader of stdout has gone, as with `| head`.
        sys.stderr.close()
        return EXIT_OTHER
    except OSError as error:
        sys.stderr.write(f"stockpile: {error}\n")
        return EXIT_OTHER


def _show_note(message: Warning | str, *_: object) -> None:
    sys.stderr.write(f"stockpile: note: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="stockpile",
        description="Plan national reserves of critical minerals: how much to hold, where, and "
        "under which release rules, so that promised coverage is kept at the least cost.",
        epilog="Exit status: 0 solved, 2 wrong input or usage, 3 infeasible, 4 time limit without "
        "any plan, 1 anything else.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    solve = commands.add_parser("solve", help="find the cheapest plan and prove how good it is")
    solve.set_defaults(command=_solve)
    solve.add_argument("instance", metavar="INSTANCE", type=Path, help="instance folder")
    solve.add_argument("--out", metavar="DIR", type=Path, help="write the result folder here")
    solve.add_argument(
        "--gap",
        metavar="G",
        type=float,
        help="relative gap to prove for every material, from 0 to below 1 "
        "(default: of the instance)",
    )
    solve.add_argument(
        "--time-limit",
        metavar="S",
        type=float,
        help="seconds after which the best plan so far is taken, reading and compiling not counted "
        "(default: none)",
    )
    solve.add_argument(
        "--cooperation",
        choices=("none", "sharing", "joint"),
        help="each alone, rules may serve partners, or one budget as well "
        "(default: of the instance)",
    )
    solve.add_argument(
        "--scenarios",
        metavar="N",
        type=int,
        help="number of scenarios to draw (default: of the instance)",
    )
    solve.add_argument(
        "--seed", metavar="N", type=int, help="seed of the scenarios (default: of the instance)"
    )
    solve.add_argument("--threads", metavar="N", type=int, help="threads (default: all)")
    solve.add_argument("--json", action="store_true", help="print the plan as JSON")

    validate = commands.add_parser("validate", help="check instance folders and name every mistake")
    validate.set_defaults(command=_validate)
    validate.add_argument(
        "instances", metavar="INSTANCE", type=Path, nargs="+", help="instance folders"
    )

    evaluate = commands.add_parser("evaluate", help="judge a plan on fresh scenarios")
    evaluate.set_defaults(command=_evaluate)
    evaluate.add_argument("instance", metavar="INSTANCE", type=Path, help="instance folder")
    evaluate.add_argument("result", metavar="RESULT", type=Path, help="result folder")
    evaluate.add_argument(
        "--scenarios", metavar="N", type=int, default=100_000, help="fresh scenarios (100000)"
    )
    evaluate.add_argument("--seed", metavar="N", type=int, help="seed (the plan's plus one)")
    evaluate.add_argument("--threads", metavar="N", type=int, help="threads (default: all)")

    show = commands.add_parser("show", help="print a plan as tables")
    show.set_defaults(command=_show)
    show.add_argument("result", metavar="RESULT", type=Path, help="result folder")
    return parser


class _Version(argparse.Action):
    """Prints the version; asks for it only when wanted."""

    def __call__(self, *_: object, **__: object) -> NoReturn:
        from importlib.metadata import version

        print(f"stockpile {version('stockpile')}")
        raise SystemExit(EXIT_OK)


def _solve(options: argparse.Namespace) -> int:
    from stockpile.folders import check_target
    from stockpile.instance import load

    instance = load(options.instance)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.errors import UsageError
        from stockpile.plan import FILES
        from stockpile.solver import solve

    # Found out before the work, not after it.
    reason = (
        None
        if options.out is None
        else check_target(options.out, mark="plan.json", replaceable=FILES)
    )
    if reason is not None:
        raise UsageError(f"--out: {reason}")
    plan = solve(
        instance,
        gap=options.gap,
        time_limit=options.time_limit,
        cooperation=options.cooperation,
        scenarios=options.scenarios,
        seed=options.seed,
        threads=options.threads,
    )
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


def _worth_saving(plan: Plan) -> bool:
    """Say whether to write a result: a plan, or the proof that there is none."""
    return plan.found or bool(plan.conflicts)


def _where_to_find(plan: Plan, options: argparse.Namespace) -> None:
    from stockpile.plan import Status

    if plan.conflicts:
        sys.stderr.write("stockpile: not all promises can be kept:\n")
        for conflict in plan.conflicts:
            sys.stderr.write(f"  {conflict}\n")
        sys.stderr.write(
            "  Lower a level, raise max_t in holdings.csv, or offer a rule that keeps it.\n"
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


def _validate(options: argparse.Namespace) -> int:
    from stockpile.errors import InstanceError
    from stockpile.instance import load

    status = EXIT_OK
    for folder in options.instances:
        try:
            instance = load(folder)
        except InstanceError as error:
            sys.stderr.write(f"{folder}: {error}\n")
            status = EXIT_WRONG_INPUT
        else:
            print(
                f"{folder}: valid; {len(instance.participants)} participants, "
                f"{len(instance.materials)} materials, {len(instance.coverage)} coverage rows, "
                f"hash {instance.content_hash[:12]}"
            )
    return status


def _evaluate(options: argparse.Namespace) -> int:
    from stockpile.instance import load

    instance = load(options.instance)
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
        instance, plan, scenarios=options.scenarios, seed=options.seed, threads=options.threads
    )
    sys.stdout.write(assessment_text(assessment))
    return EXIT_OK


def _show(options: argparse.Namespace) -> int:
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.display import plan_summary, plan_tables
        from stockpile.plan import Plan
    plan = Plan.load(options.result)
    sys.stdout.write(plan_summary(plan) + plan_tables(plan))
    return EXIT_OK
