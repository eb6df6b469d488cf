"""Solve an instance: one box search per block, put together into a plan."""

from __future__ import annotations

import platform
import time
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.arguments import check_arguments
from stockpile.blocks import build_blocks
from stockpile.boxsearch import BoxSearch, Certificate, relative_gap
from stockpile.check import check_incumbent
from stockpile.conflicts import find_conflicts
from stockpile.coverage import worst_mean
from stockpile.evaluator import Evaluator
from stockpile.interrupt import stop_on_interrupt
from stockpile.parallel import Workers
from stockpile.plan import Plan, Status
from stockpile.plan_tables import (
    BlockOutcome,
    certificates_table,
    costs_table,
    coverage_table,
    holdings_table,
    rules_table,
)
from stockpile.presolve import presolve
from stockpile.problem import Cooperation, build_problem
from stockpile.progress import Progress, ProgressLine, reporter
from stockpile.scenarios import calm_scenario, scenario_set, stress_cases

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stockpile.blocks import Block
    from stockpile.instance import Instance
    from stockpile.interrupt import StopFlag
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet


def solve(
    instance: Instance,
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    cooperation: Cooperation | None = None,
    scenarios: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> Plan:
    """Find holdings and release rules at least cost that keep all promises, with a proven gap.

    Parameters
    ----------
    instance
        As returned by :func:`stockpile.load`.
    gap
        Relative gap to prove for every material; default from the instance. 0 proves the optimum
        over all lots and rules.
    time_limit
        Seconds after which the best plan so far is returned; default none.
    cooperation
        ``none``, ``sharing`` or ``joint``; default from the instance.
    scenarios, seed
        Number of scenarios to draw and seed; default from the instance. Ignored where the
        instance gives its scenarios itself.
    threads
        Default: all processors. The result is the same with any number.
    progress
        None shows a line of progress if stderr is a terminal; True always, False never; or a
        function that is called with a :class:`stockpile.progress.Progress`.

    Raises
    ------
    UsageError
        If an argument is out of range.
    NotBuiltError
        If the instance uses what is not built yet.
    """
    gap = instance.solve_settings.gap if gap is None else gap
    world = cooperation or instance.solve_settings.cooperation
    check_arguments(
        gap=gap,
        time_limit=time_limit,
        cooperation=world,
        scenarios=scenarios,
        seed=seed,
        threads=threads,
    )
    report = reporter(progress)
    problem = build_problem(instance)
    blocks = build_blocks(problem)
    stress = stress_cases(instance, problem)
    if isinstance(report, ProgressLine):
        report.say("Getting ready; the first time kernels are compiled, for about ten seconds")
    _compile_kernels(problem, blocks[0], stress)
    began = time.monotonic()
    drawn = scenario_set(instance, problem, scenarios, seed)

    def tell(number: int, block: Block, state: BoxSearch) -> None:
        gap_now = relative_gap(state.incumbent, state.bound)
        seconds = time.monotonic() - began
        report(
            Progress(
                block.name, number, len(blocks), state.incumbent, state.bound, gap_now, seconds
            )
        )

    outcomes: list[BlockOutcome] = []
    with Workers(threads) as workers, stop_on_interrupt() as interrupt:

        def begin(block: Block) -> tuple[Evaluator, BoxSearch]:
            sharing = world != "none"
            evaluator = Evaluator(problem, block, drawn, stress, workers, sharing=sharing)
            space, judge = presolve(evaluator)
            return evaluator, BoxSearch(judge, space, evaluator.unit_cost, gap)

        if time_limit is None:
            for number, block in enumerate(blocks):
                evaluator, state = begin(block)
                tell(number, block, state)
                # Asked to stop, or infeasible anyway: a first incumbent of the rest will do.
                while not (
                    state.finished
                    or interrupt.raised
                    or any(outcome.conflicts for outcome in outcomes)
                ):
                    state.advance()
                    tell(number, block, state)
                outcomes.append(_outcome(evaluator, state.certificate()))
        else:
            outcomes = _search_in_time(blocks, begin, tell, interrupt, began + time_limit)
        interrupted = interrupt.raised
    seconds = time.monotonic() - began
    report(Progress("", len(blocks), len(blocks), np.inf, -np.inf, np.inf, seconds))
    if isinstance(report, ProgressLine):
        report.clear()
    facts: dict[str, Any] = {
        "instance_name": instance.name,
        "instance_hash": instance.content_hash,
        "cooperation": world,
        "seed": None
        if instance.scenarios or not instance.hazards
        else (instance.scenario_settings.seed if seed is None else seed),
        "scenario_count": drawn.count,
        "seconds": seconds,
        "versions": versions(),
    }
    return _assemble(problem, outcomes, len(blocks), interrupted=interrupted, facts=facts)


def _search_in_time(
    blocks: Sequence[Block],
    begin: Callable[[Block], tuple[Evaluator, BoxSearch]],
    tell: Callable[[int, Block, BoxSearch], None],
    interrupt: StopFlag,
    deadline: float,
) -> list[BlockOutcome]:
    """Search blocks until a moment in time: first a plan for each, then the widest gap first.

    The needs of all blocks are kept in memory meanwhile.
    """
    begun: list[tuple[Evaluator, BoxSearch]] = []
    for number, block in enumerate(blocks):
        if time.monotonic() >= deadline:
            return []
        begun.append(begin(block))
        tell(number, block, begun[-1][1])
    while time.monotonic() < deadline and not interrupt.raised:
        open_searches = [
            (state.incumbent - state.bound, number)
            for number, (_, state) in enumerate(begun)
            if not state.finished
        ]
        if not open_searches:
            break
        _, number = max(open_searches)
        begun[number][1].advance()
        tell(number, blocks[number], begun[number][1])
    return [_outcome(evaluator, state.certificate()) for evaluator, state in begun]


def _compile_kernels(problem: Problem, block: Block, stress: ScenarioSet) -> None:
    """Run the kernels on next to nothing, so that compiling them eats no time limit.

    They are compiled on first use and cached on disk, where it can be written to.
    """
    with Workers(1) as workers:
        evaluator = Evaluator(problem, block, calm_scenario(problem), stress, workers, sharing=True)
        lots = np.zeros((1, block.num_stocks), dtype=np.int64)
        evaluator.scores(lots, np.zeros((1, len(problem.participants)), dtype=np.int64))
    worst_mean(np.ones((1, 1)), np.ones(1), np.ones(1), 0.5)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that the numbers depend on."""
    found = {"python": platform.python_version()}
    for package in ("stockpile", "numpy", "numba", "scipy", "pandas"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # Run from a source tree that is not installed.
            found[package] = "not installed"
    return found


def _outcome(evaluator: Evaluator, certificate: Certificate) -> BlockOutcome:
    judgement = None
    achieved, met = np.empty(0), np.empty(0, dtype=np.bool_)
    conflicts: tuple[str, ...] = ()
    if certificate.lots is not None and certificate.rule is not None:
        judgement = evaluator.judge(certificate.lots, certificate.rule)
        check_incumbent(evaluator, certificate, judgement)
        achieved, met = judgement.achieved, judgement.met
    elif certificate.finished:
        achieved, met, conflicts = find_conflicts(evaluator)
    return BlockOutcome(
        evaluator.block, certificate, evaluator.promises, judgement, achieved, met, conflicts
    )


def _assemble(
    problem: Problem,
    outcomes: Sequence[BlockOutcome],
    num_blocks: int,
    *,
    interrupted: bool,
    facts: dict[str, Any],
) -> Plan:
    conflicts = tuple(text for outcome in outcomes for text in outcome.conflicts)
    if conflicts:
        return Plan(
            **facts,
            status=Status.INFEASIBLE,
            annual_cost_usd=None,
            bound_usd=None,
            gap=None,
            conflicts=conflicts,
            coverage=coverage_table(problem, outcomes),
        )
    stopped = Status.INTERRUPTED if interrupted else Status.TIME_LIMIT
    if len(outcomes) < num_blocks or any(item.judgement is None for item in outcomes):
        return Plan(**facts, status=stopped, annual_cost_usd=None, bound_usd=None, gap=None)
    cost = float(sum(outcome.certificate.incumbent for outcome in outcomes))
    bound = float(sum(outcome.certificate.bound for outcome in outcomes))
    finished = all(outcome.certificate.finished for outcome in outcomes)
    return Plan(
        **facts,
        status=Status.OPTIMAL if finished else stopped,
        annual_cost_usd=cost,
        bound_usd=bound,
        gap=relative_gap(cost, bound),
        holdings=holdings_table(problem, outcomes),
        rules=rules_table(problem, outcomes),
        coverage=coverage_table(problem, outcomes),
        costs=costs_table(problem, outcomes),
        certificates=certificates_table(outcomes),
    )
