"""Solve an instance: prepare it, plan its materials apart or together, put the plan together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stockpile.arguments import gap_and_world
from stockpile.certificate import relative_gap
from stockpile.couplings import build_couplings, limits_in_words
from stockpile.plan import COST_PARTS, Plan, Status
from stockpile.plan_tables import (
    certificates_table,
    costs_table,
    coverage_table,
    facilities_table,
    groups_table,
    holdings_table,
    limits_table,
    rules_table,
)
from stockpile.problem import LEVEL_TOLERANCE
from stockpile.project_tables import dependence_table, projects_table
from stockpile.running import Running
from stockpile.separate import plan_separately
from stockpile.setting import Setting, prepared
from stockpile.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from stockpile.couplings import Couplings
    from stockpile.instance import Instance
    from stockpile.plan_tables import BlockOutcome
    from stockpile.problem import Cooperation, Problem
    from stockpile.progress import Progress

ALONE_PART = 1.0 / 3.0
"""Part of the time that is left that the world without partners may take beforehand (16)."""
MOST_EXACT = 1_000_000
"""Candidates of all blocks up to which what participants pay alone (16) is solved to gap 0."""


def solve(
    instance: Instance,
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    cooperation: Cooperation | None = None,
    scenarios: int | None = None,
    seed: int | None = None,
    sampling: str | None = None,
    threads: int | None = None,
    executor: Executor | int | str | None = None,
    memory_gib: float | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> Plan:
    """Find holdings and release rules at least cost that keep all promises, with a proven gap.

    Parameters
    ----------
    instance
        As returned by :func:`stockpile.load`.
    gap
        Relative gap to prove: for every material, or for the whole plan where limits join the
        materials; default from the instance. 0 proves the optimum over all lots and rules.
    time_limit
        Seconds after which the best plan so far is returned; default none.
    cooperation
        ``none``, ``sharing`` or ``joint``; default from the instance.
    scenarios, seed, sampling
        Number of scenarios to draw, seed, and ``plain`` or ``stratified``; default from the
        instance. Ignored where the instance gives its scenarios itself.
    threads
        Default: all processors. The result is the same with any number.
    executor
        Where to work besides the threads of this process: a number of local processes, the address
        of a Dask scheduler (needs the extra ``cluster``), or any
        :class:`concurrent.futures.Executor`. The result is the same, and a worker that dies loses
        nothing but time. A script that asks for local processes needs the guard ``if __name__ ==
        "__main__":``.
    memory_gib
        Memory [GiB] that the process may take; default no limit. What is known of disruptions is
        dropped and worked out again to stay within it, which takes longer and changes nothing
        else. What searches remember is not dropped: some instances need more.
    progress
        None shows a line of progress if stderr is a terminal; True always, False never; or a
        function that is called with a :class:`stockpile.progress.Progress`.

    Raises
    ------
    UsageError
        If an argument is out of range, a scheduler cannot be used, or there is too little
        memory.
    NotBuiltError
        If the instance uses what is not built yet.
    """
    running = Running(scenarios, seed, sampling, threads, executor, memory_gib, progress)
    gap, world = gap_and_world(
        instance,
        running,
        gap=gap,
        time_limit=time_limit,
        cooperation=cooperation,
    )
    with prepared(
        instance,
        running,
    ) as setting:
        deadline = np.inf if time_limit is None else setting.began + time_limit
        return solve_world(setting, world, gap=gap, deadline=deadline, explain=True)


def solve_world(
    setting: Setting,
    world: Cooperation,
    *,
    gap: float,
    deadline: float,
    start: float = 0.0,
    alone: Plan | None = None,
    known: Plan | None = None,
    explain: bool = False,
) -> Plan:
    """Solve an instance that has been made ready in one world.

    Parameters
    ----------
    gap
        Relative gap to prove.
    deadline
        Moment to stop at; infinite for none.
    start
        Seconds of the setting from which the plan's are counted.
    alone
        The plan of the world ``none``, solved to :func:`gap_alone`, which says what nobody may
        pay more than (16), and is looked at first where limits join the materials. None has it
        found where it is needed.
    known
        Another plan to look at first where limits join the materials, in place of that.
    explain
        Whether to find out which limits conflict where they cannot all be kept.
    """
    if alone is None and world != "none" and setting.instance.agreement.nobody_worse_off:
        alone = _plan_alone(setting, gap=gap, deadline=deadline)
    couplings = world_couplings(setting, world, gap=gap, deadline=deadline, alone=alone)
    joined = couplings.any_limit or couplings.facilities.names or setting.problem.groups
    if joined:
        first = alone if known is None else known
        tables = _together(setting, world, couplings, gap, deadline, first, explain=explain)
    else:
        tables = _apart(setting, world, gap, deadline)
    return Plan(
        instance_name=setting.instance.name,
        instance_hash=setting.instance.content_hash,
        cooperation=world,
        seed=setting.seed,
        sampling=setting.sampling,
        scenario_count=setting.scenarios.count,
        seconds=setting.seconds() - start,
        versions=versions(),
        alone_gap=alone.gap if alone is not None and couplings.nobody_worse_off else None,
        **tables,
    )


def world_couplings(
    setting: Setting,
    world: Cooperation,
    *,
    gap: float,
    deadline: float,
    alone: Plan | None = None,
) -> Couplings:
    """Return the limits of a world; see :func:`solve_world` for the parameters."""
    couplings = build_couplings(setting.instance, setting.problem, world, setting.scenarios)
    if not couplings.nobody_worse_off:
        return couplings
    if alone is None:
        alone = _plan_alone(setting, gap=gap, deadline=deadline)
    return couplings.with_standalone(_borne(setting, alone))


def _plan_alone(setting: Setting, *, gap: float, deadline: float) -> Plan:
    """Return the plan of the world ``none`` that says what each participant bears alone (16).

    It may take a part of the time that is left, or none would be left for anything else; all of it
    only if there is no plan by then. For without one nobody knows what may be asked of anyone.
    """
    exact, now = gap_alone(setting.problem, gap), time.monotonic()
    soon = now + ALONE_PART * max(deadline - now, 0.0)
    alone = solve_world(setting, "none", gap=exact, deadline=soon)
    if alone.found or alone.status != Status.TIME_LIMIT:
        return alone
    return solve_world(setting, "none", gap=exact, deadline=deadline)


def gap_alone(problem: Problem, gap: float) -> float:
    """Return the gap to which what participants pay alone (16) is solved.

    It is 0 where that is quick, because a plan above its optimum would let them pay more.
    """
    # Of all blocks: lots of every stock, rule of every owner.
    choices = np.maximum(problem.lots_max - problem.lots_min + 1.0, 1.0) * len(problem.menu.rules)
    return 0.0 if float(choices.prod(axis=0).sum()) <= MOST_EXACT else gap


def _borne(setting: Setting, alone: Plan) -> NDArray[np.float64]:
    """Return what each participant bears in a plan without partners; infinite without one."""
    participants = setting.problem.participants
    if not alone.found:
        return np.full(len(participants), np.inf)
    borne = alone.costs[list(COST_PARTS)].to_numpy().sum(axis=1)
    of = alone.costs["participant"].to_numpy()
    return np.array([float(borne[of == name].sum()) for name in participants])


def _apart(setting: Setting, world: Cooperation, gap: float, deadline: float) -> dict[str, Any]:
    """Plan materials that nothing joins; return what the plan says."""
    outcomes = plan_separately(setting, sharing=world != "none", gap=gap, deadline=deadline)
    conflicts = tuple(text for outcome in outcomes for text in outcome.conflicts)
    if conflicts:
        return _infeasible(setting, outcomes, conflicts)
    if len(outcomes) < len(setting.blocks) or any(item.judgement is None for item in outcomes):
        return _nothing(_stopped(setting))
    cost = float(sum(outcome.certificate.incumbent for outcome in outcomes))
    bound = float(sum(outcome.certificate.bound for outcome in outcomes))
    finished = all(outcome.certificate.finished for outcome in outcomes)
    return _found(setting, outcomes, cost, bound, finished=finished)


def _together(
    setting: Setting,
    world: Cooperation,
    couplings: Couplings,
    gap: float,
    deadline: float,
    known: Plan | None,
    *,
    explain: bool,
) -> dict[str, Any]:
    """Plan materials that limits join; return what the plan says."""
    # Who plans materials apart need not wait for the linear solver to load.
    from stockpile.infeasibility.explain import conflicts_in_words
    from stockpile.together import plan_together

    if setting.interrupt.raised or time.monotonic() >= deadline:
        return _nothing(_stopped(setting))  # The world without partners has taken all the time.
    sharing = world != "none"
    result = plan_together(
        setting, couplings, sharing=sharing, gap=gap, deadline=deadline, known=known
    )
    conflicts = tuple(text for outcome in result.outcomes for text in outcome.conflicts)
    if conflicts:
        return _infeasible(setting, result.outcomes, conflicts)
    if not np.isfinite(result.cost) and result.finished:
        text = (
            "No plan keeps every promise of coverage.csv within all of these limits: "
            + limits_in_words(setting.problem, couplings)
        )
        reasons: tuple[str, ...] = ()
        if explain:
            reasons = conflicts_in_words(
                setting, couplings, sharing=world != "none", deadline=deadline
            )
        return _infeasible(setting, (), (text, *reasons))
    if not np.isfinite(result.cost):
        return _nothing(_stopped(setting))
    found = _found(setting, result.outcomes, result.cost, result.bound, finished=result.finished)
    tolerance = 2.0 * LEVEL_TOLERANCE + setting.scenarios.rounded_away
    groups = groups_table(setting.problem, result.groups, tolerance)
    if len(groups):
        found["coverage"] = pd.concat([found["coverage"], groups], ignore_index=True)
    return {
        **found,
        "facilities": facilities_table(setting.problem, couplings, result.open_),
        "projects": projects_table(setting, couplings.projects, result.states),
        "dependence": dependence_table(setting.problem, result.states),
        "limits": limits_table(result.uses),
    }


def _stopped(setting: Setting) -> Status:
    return Status.INTERRUPTED if setting.interrupt.raised else Status.TIME_LIMIT


def _nothing(status: Status) -> dict[str, Any]:
    return {"status": status, "annual_cost_usd": None, "bound_usd": None, "gap": None}


def _infeasible(
    setting: Setting, outcomes: Sequence[BlockOutcome], conflicts: tuple[str, ...]
) -> dict[str, Any]:
    return {
        **_nothing(Status.INFEASIBLE),
        "conflicts": conflicts,
        "coverage": coverage_table(setting.problem, outcomes),
    }


def _found(
    setting: Setting,
    outcomes: Sequence[BlockOutcome],
    cost: float,
    bound: float,
    *,
    finished: bool,
) -> dict[str, Any]:
    return {
        "status": Status.OPTIMAL if finished else _stopped(setting),
        "annual_cost_usd": cost,
        "bound_usd": bound,
        "gap": relative_gap(cost, bound),
        "holdings": holdings_table(setting.problem, outcomes),
        "rules": rules_table(setting.problem, outcomes),
        "coverage": coverage_table(setting.problem, outcomes),
        "costs": costs_table(setting.problem, outcomes),
        "certificates": certificates_table(outcomes),
    }
