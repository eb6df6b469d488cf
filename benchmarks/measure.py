"""What all benchmarks share: child processes, spread, tables on the screen and as CSV.

The protocol is in ``benchmarks/README.md``.
"""

from __future__ import annotations

import csv
import json
import math
import os
import resource
import signal
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

GIB = 2**30
PATIENCE = 3.0
"""Seconds on the clock that a child may take for each second of the processor."""


def child(
    arguments: Sequence[str], *, seconds: float | None = None, gib: float | None = None
) -> dict[str, Any] | str:
    """Run a Python child that prints one line of JSON; return that, or why there is none.

    Parameters
    ----------
    seconds, gib
        Time of the processor and memory that it may take. On a machine that does other work it is
        given up after three times as long on the clock.
    """

    def limit() -> None:
        if seconds is not None:
            most = math.ceil(seconds)
            resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
        if gib is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (int(gib * GIB), int(gib * GIB)))

    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            timeout=None if seconds is None else PATIENCE * seconds,
            preexec_fn=limit,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
    except subprocess.TimeoutExpired:
        return f"more than {PATIENCE * seconds:g} s on the clock"
    if -done.returncode == signal.SIGXCPU:
        return f"more than {seconds:g} s"
    if done.returncode != 0:
        if "MemoryError" in done.stderr or "bad_alloc" in done.stderr or done.returncode < 0:
            return f"more than {gib:g} GiB" if gib else "out of memory"
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Return columns with minimum, median and maximum."""
    ordered = sorted(seconds)
    named = {"min s": ordered[0], "median s": statistics.median(ordered), "max s": ordered[-1]}
    return {name: float(f"{value:.4g}") for name, value in named.items()}


def show(row: Mapping[str, Any], *, first: bool) -> None:
    """Print a row of a table in Markdown, below its head if it is the first."""
    if first:
        print("| " + " | ".join(row) + " |")
        print("|" + "---|" * len(row))
    print("| " + " | ".join(str(value) for value in row.values()) + " |", flush=True)


def write(folder: Path | None, name: str, rows: Sequence[Mapping[str, Any]], *key: str) -> None:
    """Write a table as CSV, if there is a folder to write it to.

    Parameters
    ----------
    key
        Columns that name a row: rows of an earlier table stay, unless the new one has them. Without
        a key none of them does.
    """
    if folder is None or not rows:
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    merged = list(rows)
    if key and path.exists():
        with path.open(newline="") as file:
            merged = merge(list(csv.DictReader(file)), rows, key)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(merged)


def merge(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], key: Sequence[str]
) -> list[Mapping[str, Any]]:
    """Return the rows of a table of which some have been measured anew, in their old places.

    Rows agree if they do in all columns of the key; new ones stand where the first old one did that
    they replace, or at the end.
    """

    def of(row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(str(row[column]) for column in key)

    again = {of(row) for row in new}
    kept = [row for row in old if of(row) not in again]
    first = next((place for place, row in enumerate(old) if of(row) in again), len(old))
    return [*kept[:first], *new, *kept[first:]]


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add ``--out`` to a benchmark."""
    parser.add_argument("--out", type=Path, help="folder for the table as CSV, such as results")
