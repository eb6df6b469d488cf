"""``stockpile export``: write a model of an instance to a file, and ask another solver."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_INFEASIBLE, EXIT_NO_PLAN, EXIT_OK, EXIT_OTHER
from stockpile.commands.options import add_drawing, add_instance, add_world, instance_of

if TYPE_CHECKING:
    import argparse

    from stockpile.export import ExportedModel


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_instance(parser)
    parser.add_argument(
        "--model",
        choices=("plan", "foresight"),
        default="plan",
        help="choose among the candidates that a solve has found (plan), or the best releases "
        "with perfect foresight (default: plan)",
    )
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="the file to write")
    parser.add_argument(
        "--format", choices=("mps", "lp"), help="default: by the ending of FILE, else mps"
    )
    parser.add_argument(
        "--solver",
        metavar="NAME",
        help="solve the model with a solver that Pyomo reaches, and compare (default: none)",
    )
    parser.add_argument(
        "--gap",
        metavar="G",
        type=float,
        help="relative gap to which plan is solved first (default: of the instance)",
    )
    parser.add_argument(
        "--time-limit",
        metavar="S",
        type=float,
        help="seconds after which the columns found so far are taken (default: none)",
    )
    add_world(parser)
    add_drawing(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.export import export_model
        from stockpile.export_display import exported_text

    exported = export_model(
        instance,
        options.out,
        model=options.model,
        file_format=options.format,
        solver=options.solver,
        gap=options.gap,
        time_limit=options.time_limit,
        cooperation=options.cooperation,
        scenarios=options.scenarios,
        seed=options.seed,
        sampling=options.sampling,
        threads=options.threads,
    )
    sys.stdout.write(exported_text(instance.name, exported))
    sys.stdout.flush()
    if exported.path is None:
        sys.stderr.write(
            f"Nothing was written to {options.out}. "
            f"Find out why with: stockpile solve {options.instance}\n"
        )
    else:
        sys.stderr.write(f"Written to {exported.path}\n")
    return _exit_status(exported)


def _exit_status(exported: ExportedModel) -> int:
    from stockpile.plan import Status

    if exported.status is Status.INFEASIBLE:
        return EXIT_INFEASIBLE
    if exported.status is Status.INTERRUPTED or exported.contradicts:
        return EXIT_OTHER
    return EXIT_NO_PLAN if exported.path is None else EXIT_OK
