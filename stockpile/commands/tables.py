"""``stockpile tables``: write the tables of a plan for offices and for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_OK
from stockpile.commands.options import add_instance, add_language, instance_of, require_target

if TYPE_CHECKING:
    import argparse

_WHAT = {
    "csv": "write CSV files, the long table tidy.csv among them",
    "xlsx": "write a spreadsheet (needs stockpile[report])",
    "latex": "write LaTeX",
    "parquet": "write Parquet files (needs stockpile[parquet])",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    add_instance(parser)
    parser.add_argument("result", metavar="RESULT", type=Path, help="result folder")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="write the tables here"
    )
    for name, what in _WHAT.items():
        parser.add_argument(
            f"--{name}", dest="formats", action="append_const", const=name, help=what
        )
    add_language(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    instance = instance_of(options)
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.plan import Plan
        from stockpile.reports.tables_folder import (
            FILES,
            FORMATS,
            MANIFEST,
            possible_formats,
            write_tables,
        )

    require_target(options.out, mark=MANIFEST, replaceable=FILES)
    plan = Plan.load(options.result)
    write_tables(plan, instance, options.out, formats=options.formats, lang=options.lang)
    left_out = [name for name in FORMATS if name not in possible_formats()]
    if not options.formats and left_out:
        extras = {"xlsx": "report", "parquet": "parquet"}
        needed = ",".join(extras[name] for name in left_out)
        sys.stderr.write(
            f"stockpile: note: left out {' and '.join(left_out)}: pip install "
            f'"stockpile[{needed}]"\n'
        )
    written = sorted(path.name for path in options.out.iterdir())
    sys.stderr.write(f"Written to {options.out}: {', '.join(written)}\n")
    return EXIT_OK
