"""Run a batch: solve what has not been solved yet, and write every result once it is there."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.arguments import check_arguments
from stockpile.batches.books import WAITING, Books
from stockpile.batches.folder import held, holds_batch, run_folder
from stockpile.batches.records import FAILED
from stockpile.batches.runs import Variant, all_runs
from stockpile.batches.solving import Outcome, solve_run
from stockpile.errors import UsageError
from stockpile.instance import Instance
from stockpile.interrupt import stop_on_interrupt
from stockpile.parallel import available_threads
from stockpile.plan import Plan
from stockpile.progress import ProgressLine, reporter
from stockpile.running import Running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    import pandas as pd

    from stockpile.batches.books import Job
    from stockpile.executors import Tasks
    from stockpile.interrupt import StopFlag
    from stockpile.progress import Progress


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """Where a batch stands.

    Attributes
    ----------
    run
        The run that has ended last, or is being solved.
    done, total, failed
        Runs that have ended, all runs, and those that have ended without a result.
    seconds, seconds_left
        Since the start, and about how long it will take from now on; nan where nobody knows.
    gap
        Of the run that is being solved; nan where several are.
    """

    run: str
    done: int
    total: int
    failed: int
    seconds: float
    seconds_left: float
    gap: float = math.nan

    def line(self) -> str:
        """Say it in one line of less than 80 characters."""
        parts = [f"{self.done}/{self.total} runs"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if not math.isnan(self.seconds_left):
            parts.append(f"about {_duration(self.seconds_left)} left")
        parts.append(self.run[-30:])
        if self.gap < 10.0:
            parts.append(f"gap {100.0 * self.gap:.2f}%")
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Batch:
    """What has come of a batch.

    Attributes
    ----------
    folder
        Where it lies.
    summary
        One row for each run: what is swept, instance, changes, options, status, costs [USD/year],
        promises kept, error. It holds no times, and is the same whenever the batch is run.
    manifest
        One row for each run: status, seconds, seed, hashes, versions, error.
    """

    folder: Path
    summary: pd.DataFrame
    manifest: pd.DataFrame

    @property
    def failed(self) -> pd.DataFrame:
        """Return the rows of the manifest of runs that have ended without a result."""
        return self.manifest[self.manifest["status"] == FAILED]

    @property
    def waiting(self) -> int:
        """Return the number of runs that have not ended."""
        return int((self.manifest["status"] == WAITING).sum())

    @property
    def interrupted(self) -> bool:
        """Return whether it was stopped before its end."""
        return self.waiting > 0

    def plan(self, run: str) -> Plan:
        """Read the plan of a run.

        Raises
        ------
        ResultError
            If there is none.
        """
        return Plan.load(run_folder(self.folder, run))


def batch(
    instances: str | PathLike[str] | Instance | Sequence[str | PathLike[str] | Instance],
    out: str | PathLike[str],
    *,
    overlay: str | PathLike[str] | None = None,
    changes: Sequence[str] = (),
    sweep: Mapping[str, Sequence[object]] | None = None,
    variants: Sequence[Variant] = (),
    resume: bool = False,
    threads: int | None = None,
    executor: Executor | int | str | None = None,
    memory_gib: float | None = None,
    progress: bool | Callable[[BatchProgress], None] | None = None,
) -> Batch:
    """Solve instances in variants, each into a folder of its own, and put one table together.

    Every result is written as soon as it is there, whole or not at all. A run that fails is
    recorded and stops no other. Killed at any moment, the batch goes on with ``resume``.

    Parameters
    ----------
    instances
        Instances, or their folders.
    out
        Folder of the batch.
    overlay
        Folder with tables to lay over every instance.
    changes
        Changes of every run, as in :class:`stockpile.Variant`.
    sweep
        Places, and the values that each takes in turn; all combinations are solved.
    variants
        Variants of every instance; without any, the instances as they are.
    resume
        Whether to go on with a batch that lies in ``out``: what has ended is not repeated.
    threads
        Of each run; default: the processors, divided among the runs that are solved at once.
    executor
        Where runs are solved at once, as in :func:`stockpile.solve`; None solves one after the
        other.
    memory_gib
        Memory [GiB] that all runs of this machine together may take; default no limit.
    progress
        As in :func:`stockpile.solve`; a function is called with a :class:`BatchProgress`.

    Raises
    ------
    UsageError
        If something cannot be understood, the folder is in use or holds anything else, or its
        results come from other input or another version.
    OSError
        If the folder cannot be written; what has ended until then stays.
    """
    given: Sequence[str | PathLike[str] | Instance]
    given = [instances] if isinstance(instances, (str, PathLike, Instance)) else instances
    bases = [item if isinstance(item, Instance) else Path(item) for item in given]
    check_arguments(Running(threads=threads, executor=executor, memory_gib=memory_gib))
    runs = all_runs(
        bases,
        overlay=None if overlay is None else Path(overlay),
        changes=changes,
        sweep=sweep,
        variants=variants,
    )
    folder = Path(out)
    with held(folder):
        if not resume and holds_batch(folder):
            raise UsageError(
                f"{folder} holds a batch already; go on with it by --resume, or name another folder"
            )
        books = Books.of(folder, runs)
        watch = _Watch(reporter(progress), books)
        try:
            books.write()
            if executor is None:
                _one_by_one(books, watch, threads, memory_gib)
            else:
                _at_once(books, watch, executor, threads, memory_gib)
        finally:
            watch.end()
            books.write()
        return Batch(folder, books.summary(), books.manifest())


def _one_by_one(books: Books, watch: _Watch, threads: int | None, memory_gib: float | None) -> None:
    """Solve one run after the other in this process, until the user stops it."""
    for job in books.waiting():
        name = job.run.name

        def tell(progress: Progress, name: str = name) -> None:
            watch.tell(name, progress.gap)

        watch.tell(name)
        outcome = solve_run(books.instances, *job.arguments, threads, memory_gib, tell)
        if outcome.plan is None:
            books.fail(job, str(outcome.error))
        elif not books.keep(job, outcome.plan):
            return
        watch.tell(name)


def _at_once(
    books: Books,
    watch: _Watch,
    executor: Executor | int | str,
    threads: int | None,
    memory_gib: float | None,
) -> None:
    """Solve several runs at once; those whose workers die are solved alone in the end."""
    from stockpile.executors import tasks_on

    if isinstance(executor, int):  # This machine's processors and memory are divided.
        threads = threads or max(1, available_threads() // executor)
        memory_gib = None if memory_gib is None else memory_gib / executor
    threads = threads or 1
    with stop_on_interrupt() as interrupt:
        with tasks_on(executor) as tasks:
            assert tasks is not None
            watch.begin(tasks.size)
            lost = _hand_out(books.waiting(), books, watch, tasks, interrupt, threads, memory_gib)
        for job in lost:  # Another run may have been what killed its workers.
            with tasks_on(1 if isinstance(executor, int) else executor) as tasks:
                assert tasks is not None
                if _hand_out([job], books, watch, tasks, interrupt, threads, memory_gib):
                    books.fail(job, "every process that worked on it died; too little memory?")
                    watch.tell(job.run.name)


def _hand_out(
    jobs: Sequence[Job],
    books: Books,
    watch: _Watch,
    tasks: Tasks,
    interrupt: StopFlag,
    threads: int,
    memory_gib: float | None,
) -> list[Job]:
    """Have runs solved by workers; return those whose workers have died every time."""
    from stockpile.executors import Shared

    lost: list[Job] = []

    def told(number: int, outcome: Outcome) -> None:
        job = jobs[number]
        if outcome.lost:
            lost.append(job)
        elif outcome.plan is None:
            books.fail(job, str(outcome.error))
        elif not books.keep(job, outcome.plan):
            return
        watch.tell(job.run.name)

    watch.tell("")
    instances = books.instances
    try:
        tasks.run(
            solve_run,
            Shared(lambda: instances),
            [(*job.arguments, threads, memory_gib) for job in jobs],
            stop=lambda: interrupt.raised,
            told=told,
            given_up=lambda _number: Outcome(lost=True),
        )
    except BaseException:
        tasks.ask_to_stop()  # Or ending would take as long as the runs do.
        raise
    return lost


class _Watch:
    """Tells how far a batch has come."""

    def __init__(self, report: Callable[[BatchProgress], None], books: Books) -> None:
        self._report = report
        self._books = books
        self._began = time.monotonic()
        self._before = books.done
        self._at_once = 1

    def begin(self, at_once: int) -> None:
        """Note how many runs are solved at once."""
        self._at_once = at_once

    def tell(self, run: str, gap: float = math.nan) -> None:
        """Tell which run has ended, or is being solved."""
        seconds = time.monotonic() - self._began
        done, total = self._books.done, len(self._books.jobs)
        here, left = done - self._before, math.nan
        if here >= self._at_once:  # The first ones of all workers end together, and late.
            left = seconds / here * (total - done)
        self._report(BatchProgress(run, done, total, self._books.failed, seconds, left, gap))

    def end(self) -> None:
        """Wipe the line."""
        if isinstance(self._report, ProgressLine):
            self._report.clear()


def _duration(seconds: float) -> str:
    """Say a time in words, as roughly as it is known."""
    if seconds < 90.0:
        return f"{max(seconds, 1.0):.0f} s"
    if seconds < 90.0 * 60.0:
        return f"{seconds / 60.0:.0f} min"
    return f"{seconds / 3600.0:.1f} h"
