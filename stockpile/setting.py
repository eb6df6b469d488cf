"""What every world of one instance is planned on: arrays, scenarios, threads, and the clock."""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.blocks import build_blocks
from stockpile.coverage import worst_mean
from stockpile.evaluator import Evaluator
from stockpile.interrupt import stop_on_interrupt
from stockpile.memory import Memory
from stockpile.parallel import Workers
from stockpile.problem import build_problem
from stockpile.progress import Progress, ProgressLine, reporter
from stockpile.scenarios import calm_scenario, scenario_set, stress_cases
from stockpile.variants import only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.executors import Tasks
    from stockpile.instance import Instance
    from stockpile.interrupt import StopFlag
    from stockpile.problem import Problem
    from stockpile.running import Running
    from stockpile.scenarios import ScenarioSet


@dataclass(frozen=True, slots=True)
class Setting:
    """An instance made ready.

    Attributes
    ----------
    instance, problem, blocks
        What is planned.
    scenarios, stress
        The scenarios planned on, and the stress cases.
    seed, sampling
        Of the scenarios; None where the instance gives them.
    workers
        Threads.
    tasks
        Runs tasks elsewhere; None where there is nowhere else.
    memory
        What may be kept.
    interrupt
        Whether the user has asked to stop.
    report
        Where progress is told.
    began
        Moment from which seconds are counted.
    """

    instance: Instance
    problem: Problem
    blocks: tuple[Block, ...]
    scenarios: ScenarioSet
    stress: ScenarioSet
    seed: int | None
    sampling: str | None
    workers: Workers
    tasks: Tasks | None
    memory: Memory
    interrupt: StopFlag
    report: Callable[[Progress], None]
    began: float

    def evaluator(
        self, block: Block, *, sharing: bool, states: NDArray[np.bool_] | None = None
    ) -> Evaluator:
        """Return the evaluator of a block; ``states`` as in :class:`Evaluator`."""
        return Evaluator(
            self.problem,
            block,
            self.scenarios,
            self.stress,
            self.workers,
            sharing=sharing,
            tasks=self.tasks,
            memory=self.memory,
            states=states,
        )

    def seconds(self) -> float:
        """Return the time since the beginning."""
        return time.monotonic() - self.began


@contextmanager
def prepared(instance: Instance, running: Running) -> Iterator[Setting]:
    """Make an instance ready; at the end threads, Ctrl-C and the line of progress are as before.

    Raises
    ------
    UsageError
        If a scheduler cannot be used, or there is too little memory.
    NotBuiltError
        If the instance uses what is not built yet.
    """
    report = reporter(running.progress)
    problem = build_problem(instance)
    blocks = build_blocks(problem)
    stress = stress_cases(instance, problem)
    if isinstance(report, ProgressLine):
        report.say("Getting ready; the first time kernels are compiled, for up to a minute")
    _compile_kernels(problem, blocks[0], stress)
    began = time.monotonic()
    seed, sampling = running.seed, running.sampling
    drawn = scenario_set(instance, problem, running.scenarios, seed, sampling)
    own = instance.scenario_settings
    given = bool(instance.scenarios) or not instance.hazards
    memory = Memory.within(running.memory_gib)
    try:
        with (
            Workers(running.threads) as workers,
            _tasks_on(running.executor) as tasks,
            stop_on_interrupt() as interrupt,
        ):
            yield Setting(
                instance=instance,
                problem=problem,
                blocks=blocks,
                scenarios=drawn,
                stress=stress,
                seed=None if given else (own.seed if seed is None else seed),
                sampling=None if given else (own.sampling if sampling is None else sampling),
                workers=workers,
                tasks=tasks,
                memory=memory,
                interrupt=interrupt,
                report=report,
                began=began,
            )
    finally:
        seconds = time.monotonic() - began
        report(Progress("", len(blocks), len(blocks), np.inf, -np.inf, np.inf, seconds))
        if isinstance(report, ProgressLine):
            report.clear()


def _tasks_on(
    executor: Executor | int | str | None,
) -> AbstractContextManager[Tasks | None]:
    if executor is None:
        return nullcontext()
    from stockpile.executors import tasks_on  # Who works in one process need not wait for it.

    return tasks_on(executor)


def _compile_kernels(problem: Problem, block: Block, stress: ScenarioSet) -> None:
    """Run the kernels on next to nothing, so that compiling them eats no time limit.

    They are compiled on first use and cached on disk, where it can be written to.
    """
    with Workers(1) as workers:
        nothing = np.zeros(problem.projects.count, dtype=np.int64)
        evaluator = Evaluator(
            problem,
            block,
            calm_scenario(problem),
            stress,
            workers,
            sharing=True,
            states=only(nothing),
        )
        lots = np.zeros((1, block.num_stocks), dtype=np.int64)
        evaluator.scores(lots, np.zeros((1, len(problem.participants) + 1), dtype=np.int64))
    worst_mean(np.ones((1, 1)), np.ones(1), np.ones(1), 0.5)
