"""The folder of a batch: a folder for each run, manifest, summary; for one batch at a time."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stockpile.batches.records import FILES, RECORD, Record, hashes_of
from stockpile.errors import UsageError
from stockpile.folders import check_target, write_file, write_whole
from stockpile.parquet import parquet_possible
from stockpile.records import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

FORMAT = 1
MANIFEST, SUMMARY, PARQUET, RUNS, LOCK = (
    "batch.json",
    "summary.csv",
    "summary.parquet",
    "runs",
    ".lock",
)
CONTENT = (MANIFEST, SUMMARY, PARQUET, RUNS, LOCK)
LEFTOVERS = tuple(f".stockpile-{name}" for name in (MANIFEST, SUMMARY, PARQUET))
"""What is being written; such a file stays behind where a batch is killed."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep a folder to oneself; whoever dies lets go of it.

    What an earlier batch has left half-written is removed.

    Raises
    ------
    UsageError
        If another batch holds it, or something else is in it.
    """
    from filelock import FileLock, Timeout

    mark = MANIFEST if holds_batch(folder) else LOCK
    reason = check_target(folder, mark=mark, replaceable=(*CONTENT, *LEFTOVERS))
    if reason is not None:
        raise UsageError(reason)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK, timeout=0):
            _sweep(folder)
            yield
    except Timeout:
        raise UsageError(
            f"another batch is writing to {folder}; wait for it, or name another folder"
        ) from None


def _sweep(folder: Path) -> None:
    """Remove what was being written when a batch was killed."""
    runs = folder / RUNS
    left = [folder / name for name in LEFTOVERS]
    left += runs.glob(".*") if runs.is_dir() else ()
    for item in left:
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item, ignore_errors=True)
        else:
            item.unlink(missing_ok=True)


def run_folder(folder: Path, run: str) -> Path:
    """Return the folder of a run."""
    return folder / RUNS / run


def write_run(folder: Path, record: Record, files: Mapping[str, str]) -> Record:
    """Write a run, whole or not at all; return its record with the hashes of its files."""
    record = replace(record, files=hashes_of(files))
    texts = {**files, RECORD: record.to_json()}
    write_whole(run_folder(folder, record.run), texts, mark=RECORD, replaceable=FILES)
    return record


def write_tables(
    folder: Path, manifest: Sequence[Mapping[str, Any]], summary: pd.DataFrame
) -> None:
    """Write the manifest and the summary; each file whole or not at all."""
    text = json_text({"format": FORMAT, "runs": [dict(entry) for entry in manifest]})
    write_file(folder / MANIFEST, text.encode())
    write_file(folder / SUMMARY, summary.to_csv(index=False, lineterminator="\n").encode())
    if parquet_possible():
        write_file(folder / PARQUET, summary.to_parquet(index=False, engine="pyarrow"))


def holds_batch(folder: Path) -> bool:
    """Say whether a batch has begun in a folder."""
    return (folder / MANIFEST).exists()
