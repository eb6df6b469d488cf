"""``stockpile batch``: solve many variants, each into a folder of its own, and compare them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.commands.exits import EXIT_OK, EXIT_OTHER
from stockpile.commands.options import add_changes, add_executor, add_memory, executor_of

if TYPE_CHECKING:
    import argparse

    from stockpile.batches.batch import Batch


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    parser.add_argument(
        "instances",
        metavar="INSTANCE",
        type=Path,
        nargs="+",
        help="instance folders, or one batch.toml that names them",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder of the batch"
    )
    add_changes(parser, also="gap=0.02, cooperation=none, seed=7, ")
    parser.add_argument(
        "--sweep",
        metavar="PLACE=V1,V2,...",
        action="append",
        default=[],
        help="solve with each of the values; several times for all combinations",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the batch in DIR; repeat no finished run"
    )
    parser.add_argument(
        "--threads", metavar="N", type=int, help="threads of each run (default: all, divided)"
    )
    add_executor(parser)
    add_memory(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.batches.batch import batch
        from stockpile.batches.batch_file import BatchFile, read_batch_file
        from stockpile.display_batch import batch_table
        from stockpile.errors import UsageError
        from stockpile.parquet import parquet_possible

    given = BatchFile(tuple(options.instances))
    if any(path.suffix == ".toml" for path in options.instances):
        if len(options.instances) > 1:
            raise UsageError("expected either instance folders or one batch.toml")
        given = read_batch_file(options.instances[0])
    result = batch(
        given.instances,
        options.out,
        overlay=options.overlay or given.overlay,
        changes=(*given.changes, *options.set),
        sweep={**given.sweep, **_sweep(options.sweep)},
        variants=given.variants,
        resume=options.resume,
        threads=options.threads,
        executor=executor_of(options),
        memory_gib=options.memory,
    )
    sys.stdout.write(batch_table(result))
    sys.stdout.flush()
    _say_how_it_ended(result, options)
    if not parquet_possible():
        sys.stderr.write(
            'stockpile: note: summary.parquet needs pyarrow: pip install "stockpile[parquet]"\n'
        )
    return EXIT_OTHER if len(result.failed) or result.interrupted else EXIT_OK


def _sweep(written: list[str]) -> dict[str, list[str]]:
    """Read ``PLACE=V1,V2,...``; commas in brackets are part of the place."""
    from stockpile.errors import UsageError
    from stockpile.overrides import split_place

    found = {}
    for text in written:
        parts = split_place(text)
        if parts is None:
            raise UsageError(f"--sweep {text}: expected PLACE=V1,V2,..., such as seed=1,2,3")
        place, values = parts
        found[place] = [value.strip() for value in values.split(",")]
    return found


def _say_how_it_ended(result: Batch, options: argparse.Namespace) -> None:
    for name, error in zip(result.failed["run"], result.failed["error"], strict=True):
        lines = str(error).splitlines()
        sys.stderr.write(f"stockpile: {name} failed: {lines[0]}\n")
        sys.stderr.writelines(f"  {line}\n" for line in lines[1:4])
    if result.interrupted:
        sys.stderr.write(
            f"stockpile: stopped with {result.waiting} of {len(result.manifest)} runs left; go on "
            "by the same command with --resume\n"
        )
    sys.stderr.write(
        f"Written to {options.out}: summary.csv, batch.json and a folder for each run in runs.\n"
    )
