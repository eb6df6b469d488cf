"""The books of a batch: what there is to do, what has ended, and how; written as it changes."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stockpile.batches.folder import run_folder, write_run, write_tables
from stockpile.batches.records import FAILED, Record, key_of, read_record
from stockpile.batches.summary import asked_row, plan_row, summary_table
from stockpile.errors import BatchWarning, ResultError, StockpileError, UsageError
from stockpile.instance import Instance, load
from stockpile.overrides import with_overrides
from stockpile.plan import Plan, Status
from stockpile.versions import versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stockpile.batches.runs import Run

WAITING = "waiting"
"""Status of a run that has not ended, besides those of records."""
WRITING_SECONDS = 2.0
"""How often the manifest and the summary are written while runs end."""
LISTED = 5
"""Runs that a message names where there are many."""


@dataclass(slots=True)
class Job:
    """A run, and what is known of it.

    Attributes
    ----------
    run
        What is asked for.
    number
        Which of the instances of the books it is about; -1 where it could not be read.
    instance_name, instance_hash
        Of the instance with its changes; empty where it could not be read.
    key
        Hash of what is asked for.
    error
        Why it cannot be begun; None where it can.
    record
        How it has ended; None where it has not.
    """

    run: Run
    number: int = -1
    instance_name: str = ""
    instance_hash: str = ""
    key: str = ""
    error: str | None = None
    record: Record | None = None

    @property
    def arguments(self) -> tuple[int, tuple[str, ...], dict[str, Any]]:
        """Return what :func:`stockpile.batches.solving.solve_run` has to know of it."""
        return self.number, self.run.changes, dict(self.run.options)


@dataclass(slots=True)
class Books:
    """The runs of a batch in order.

    Attributes
    ----------
    folder
        Folder of the batch.
    instances
        What jobs refer to by number.
    jobs
        All runs.
    """

    folder: Path
    instances: list[Instance]
    jobs: list[Job]
    _versions: Mapping[str, str] = field(default_factory=versions)
    _written: float = field(default=-np.inf)

    @staticmethod
    def of(folder: Path, runs: Sequence[Run]) -> Books:
        """Read the instances of runs, and what an earlier batch has left in the folder.

        Raises
        ------
        UsageError
            If a run has ended that was asked for something else, or by another version.
        """
        books = Books(folder, *_read(runs))
        books._take_ended()
        for job in books.waiting():
            if job.error is not None:
                books.fail(job, job.error)
        return books

    def waiting(self) -> list[Job]:
        """Return the runs that have not ended."""
        return [job for job in self.jobs if job.record is None]

    @property
    def done(self) -> int:
        """Return how many runs have ended."""
        return len(self.jobs) - len(self.waiting())

    @property
    def failed(self) -> int:
        """Return how many runs have ended without a result."""
        return sum(job.record is not None and job.record.failed for job in self.jobs)

    def keep(self, job: Job, plan: Plan) -> bool:
        """Write what a solve has brought; say whether the run has ended, not just been stopped."""
        if plan.status is Status.INTERRUPTED:
            return False
        self._end(job, str(plan.status), None, plan)
        return True

    def fail(self, job: Job, error: str) -> None:
        """Write that a run has no result, and why."""
        self._end(job, FAILED, error, None)

    def write(self) -> None:
        """Write manifest and summary as things stand."""
        write_tables(self.folder, self._entries(), self.summary())
        self._written = time.monotonic()

    def summary(self) -> pd.DataFrame:
        """Return one row for each run."""
        rows = [
            {"status": WAITING, **asked_row(job.run)}
            if job.record is None
            else dict(job.record.summary)
            for job in self.jobs
        ]
        swept = list(dict.fromkeys(place for job in self.jobs for place in job.run.swept))
        return summary_table(rows, swept)

    def manifest(self) -> pd.DataFrame:
        """Return the manifest as a table."""
        return pd.DataFrame(self._entries())

    def _entries(self) -> list[dict[str, Any]]:
        entries = []
        for job in self.jobs:
            record = job.record
            entries.append(
                {
                    "run": job.run.name,
                    "status": WAITING if record is None else record.status,
                    "instance": job.instance_name,
                    "instance_hash": job.instance_hash,
                    "key": job.key,
                    "changes": list(job.run.changes),
                    "options": dict(job.run.options),
                    "seed": None if record is None else record.seed,
                    "seconds": None if record is None else record.seconds,
                    "versions": dict(self._versions),
                    "error": None if record is None else record.error,
                    "files": {} if record is None else dict(record.files),
                }
            )
        return entries

    def _end(self, job: Job, status: str, error: str | None, plan: Plan | None) -> None:
        row = {"status": status, "instance": job.instance_name, "instance_hash": job.instance_hash}
        row["error"] = (error or "").split("\n", 1)[0]
        record = Record(
            run=job.run.name,
            key=job.key,
            instance_name=job.instance_name,
            instance_hash=job.instance_hash,
            changes=job.run.changes,
            options=job.run.options,
            status=status,
            error=error,
            seed=None if plan is None else plan.seed,
            seconds=0.0 if plan is None else plan.seconds,
            versions=self._versions,
            summary={**asked_row(job.run), **row, **({} if plan is None else plan_row(plan))},
        )
        job.record = write_run(self.folder, record, {} if plan is None else plan.files())
        if time.monotonic() - self._written >= WRITING_SECONDS:
            self.write()

    def _take_ended(self) -> None:
        """Take over what has ended before; a run that failed, or is damaged, is done again."""
        foreign = []
        for job in self.jobs:
            try:
                record = read_record(run_folder(self.folder, job.run.name))
            except ResultError as error:
                text = f"{job.run.name} is solved again: {error}"
                warnings.warn(BatchWarning(text), stacklevel=4)
                continue
            if record is None or record.failed:
                continue
            if dict(record.versions) != dict(self._versions):
                foreign.append(f"{job.run.name} by {_differing(record.versions, self._versions)}")
            elif record.key != job.key:
                foreign.append(f"{job.run.name} from another instance or with other options")
            else:
                job.record = record
        if foreign:
            more = f" and {len(foreign) - LISTED} more" if len(foreign) > LISTED else ""
            raise UsageError(
                f"{self.folder} holds results that do not belong to this batch: "
                f"{'; '.join(foreign[:LISTED])}{more}.\n  Name another folder, or delete them."
            )


def _differing(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Say which versions differ."""
    return ", ".join(
        f"{name} {there.get(name, 'unknown')} (here {version})"
        for name, version in here.items()
        if there.get(name) != version
    )


def _read(runs: Sequence[Run]) -> tuple[list[Instance], list[Job]]:
    """Read every instance once; one that is wrong fails its runs and no others."""
    instances: list[Instance] = []
    known: dict[tuple[object, object], int | str] = {}
    jobs = []
    for run in runs:
        source = id(run.instance) if isinstance(run.instance, Instance) else run.instance
        if (source, run.overlay) not in known:
            try:
                instances.append(
                    run.instance
                    if isinstance(run.instance, Instance)
                    else load(run.instance, overlay=run.overlay)
                )
                known[source, run.overlay] = len(instances) - 1
            except StockpileError as error:
                known[source, run.overlay] = str(error)
        base = known[source, run.overlay]
        job = Job(run)
        if isinstance(base, str):
            job.error = base
        else:
            try:
                changed = with_overrides(instances[base], run.changes)
                job.number = base
                job.instance_name, job.instance_hash = changed.name, changed.content_hash
            except StockpileError as error:
                job.error = str(error)
        job.key = key_of(job.instance_hash, run.options)
        jobs.append(job)
    return instances, jobs
