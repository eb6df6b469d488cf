"""The foresight bound: what no release policy can beat, EVPI and VSS.

Rules are followed by people who do not know how a disruption will end. Here releases know the
whole scenario, holdings still do not: a two-stage model whose optimum is a lower bound on the cost
of every release policy, inside the menu of rules or outside. See ``docs/foresight.md``.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from stockpile.arguments import check_arguments
from stockpile.blocks import build_blocks
from stockpile.errors import NotBuiltError, UsageError
from stockpile.foresight_limits import with_promises
from stockpile.foresight_recourse import Recourse
from stockpile.foresight_search import minimise
from stockpile.model.foresight_arrays import wait_and_see_cost
from stockpile.model.foresight_data import foresight_data
from stockpile.needs import block_needs
from stockpile.parallel import Workers
from stockpile.problem import LEVEL_TOLERANCE, build_problem
from stockpile.progress import Progress, ProgressLine, reporter
from stockpile.scenarios import calm_scenario, scenario_set, stress_cases

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.instance import Instance
    from stockpile.model.foresight_data import ForesightData
    from stockpile.plan import Plan
    from stockpile.problem import Cooperation, Problem
    from stockpile.scenarios import ScenarioSet


@dataclass(frozen=True)
class Foresight:
    """The optimum of the two-stage model in which releases know the whole scenario.

    Three differences are easily mixed up. All are in USD a year, and all on the same scenarios:

    * what a cleverer release policy could still save: cost of a plan minus ``bound_usd``, see
      :func:`foresight_gap`. Holdings are chosen before the scenario is known, on both sides;
    * ``evpi_usd``: what it would be worth to know the scenario before *holdings* are chosen, too;
    * ``vss_usd``: what it costs to choose holdings on the mean of all scenarios.

    EVPI and VSS are those of the two-stage model, on both sides with perfect foresight of
    releases, and not those of the problem with release rules. Both are at least 0 (Birge and
    Louveaux, 2011, chapter 4).

    Attributes
    ----------
    instance_name, instance_hash
        Name and content hash of the instance.
    cooperation
        ``none``, ``sharing`` or ``joint``.
    seed, scenario_count
        Of the scenarios; the seed is None where the instance gives its scenarios.
    bound_usd
        Proven lower limit on the yearly cost of any plan with any release policy; infinite where
        no holdings within the limits can keep all promises.
    cost_usd
        RP: cost of the best holdings found [USD/year]. It is above ``bound_usd`` by a relative
        1e-9 at most.
    eev_usd
        EEV: cost of the holdings that are best for the mean scenario, on all scenarios.
    ws_usd
        WS: mean cost if the holdings, too, are chosen for each scenario.
    vss_usd
        Value of the stochastic solution, EEV - RP; nan where there is no solution.
    evpi_usd
        Expected value of perfect information, RP - WS; nan where there is no solution.
    seconds
        Wall-clock time.
    materials
        One row per material: material, bound_usd, cost_usd, eev_usd, ws_usd, vss_usd, evpi_usd,
        and cuts, the number of cuts made.
    holdings
        participant, material, holding_t of the solution, and least_t and most_t that lots and
        promises allow.
    """

    instance_name: str
    instance_hash: str
    cooperation: str
    seed: int | None
    scenario_count: int
    bound_usd: float
    cost_usd: float
    eev_usd: float
    ws_usd: float
    vss_usd: float
    evpi_usd: float
    seconds: float
    materials: pd.DataFrame
    holdings: pd.DataFrame


def foresight(
    instance: Instance,
    *,
    cooperation: Cooperation | None = None,
    scenarios: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> Foresight:
    """Bound the cost of any release policy from below, by perfect foresight.

    Parameters
    ----------
    instance
        As returned by :func:`stockpile.load`.
    cooperation, scenarios, seed, threads, progress
        As in :func:`stockpile.solve`, with the same defaults: a plan and a bound made with the
        same arguments can be compared.

    Raises
    ------
    UsageError
        If an argument is out of range.
    NotBuiltError
        If the instance uses what is not built yet.
    """
    world = cooperation or instance.solve_settings.cooperation
    check_arguments(cooperation=world, scenarios=scenarios, seed=seed, threads=threads)
    if instance.projects or instance.conversions:
        raise NotBuiltError(
            "The foresight bound knows neither projects nor conversions yet, and without them it "
            "would not be a bound: they can lower needs, or serve them from other materials."
        )
    report = reporter(progress)
    problem = build_problem(instance)
    blocks = build_blocks(problem)
    stress = stress_cases(instance, problem)
    if isinstance(report, ProgressLine):
        report.say("Getting ready; the first time kernels are compiled, for about ten seconds")
    sharing = world != "none"
    _compile_kernels(problem, blocks[0], stress, sharing=sharing)
    began = time.monotonic()
    drawn = scenario_set(instance, problem, scenarios, seed)
    rows: list[dict[str, Any]] = []
    held: list[dict[str, Any]] = []
    with Workers(threads) as workers:
        for number, block in enumerate(blocks):
            nothing, seconds = math.nan, time.monotonic() - began
            report(Progress(block.name, number, len(blocks), nothing, nothing, nothing, seconds))
            data = block_model(problem, block, drawn, stress, workers, sharing=sharing)
            row, holding = _solve_material(data, workers)
            rows.append(row)
            held += [
                {
                    "participant": name,
                    "material": data.material,
                    "holding_t": float(holding[c]),
                    "least_t": float(data.lower[c]),
                    "most_t": float(data.upper[c]),
                }
                for c, name in enumerate(data.participants)
            ]
    if isinstance(report, ProgressLine):
        report.clear()
    materials = pd.DataFrame(rows)
    return Foresight(
        instance_name=instance.name,
        instance_hash=instance.content_hash,
        cooperation=world,
        seed=_seed(instance, seed),
        scenario_count=drawn.count,
        **{
            name: float(materials[name].to_numpy().sum())
            for name in materials.columns
            if name.endswith("_usd")
        },
        seconds=time.monotonic() - began,
        materials=materials,
        holdings=pd.DataFrame(held),
    )


def foresight_gap(plan: Plan, bound: Foresight) -> float:
    """Return the most that any cleverer release policy could still save [USD/year].

    Cost of the plan minus the foresight bound. It is not EVPI: here holdings are chosen before the
    scenario is known, on both sides. Neither is it what a cleverer policy *will* save: the bound
    knows the future, and it ignores what the model in ``docs/foresight.md`` leaves out.

    Raises
    ------
    UsageError
        If there is no plan, or plan and bound are not of the same instance, cooperation and
        scenarios.
    """
    if plan.annual_cost_usd is None:
        raise UsageError(f"There is no plan to compare: its status is {plan.status}.")
    wrong = [
        f"{name} is {ours!r} in the plan and {theirs!r} in the bound"
        for name, ours, theirs in (
            ("instance_hash", plan.instance_hash, bound.instance_hash),
            ("cooperation", plan.cooperation, bound.cooperation),
            ("seed", plan.seed, bound.seed),
            ("scenario_count", plan.scenario_count, bound.scenario_count),
        )
        if ours != theirs
    ]
    if wrong:
        raise UsageError(
            "Plan and foresight bound cannot be compared:\n  " + "\n  ".join(wrong) + "\n"
            "  Make both with the same instance, cooperation, scenarios and seed."
        )
    return plan.annual_cost_usd - bound.bound_usd


def block_model(
    problem: Problem,
    block: Block,
    scenarios: ScenarioSet,
    stress: ScenarioSet,
    workers: Workers,
    *,
    sharing: bool,
) -> ForesightData:
    """Return the model of one block, with all limits that promises set."""
    stress_needs = block_needs(problem, block, stress, workers)
    return with_promises(
        foresight_data(
            problem, block, block_needs(problem, block, scenarios, workers), sharing=sharing
        ),
        foresight_data(problem, block, stress_needs, sharing=sharing),
        stress_needs,
        stress.names,
        block,
        [promise for promise in problem.promises if promise.material in block.materials],
        LEVEL_TOLERANCE + scenarios.rounded_away,
    )


def _solve_material(
    data: ForesightData, workers: Workers
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Return the row of a material, and the holdings (C,) of the solution."""
    on_mean = minimise(Recourse(data.mean_scenario(), workers))
    recourse = Recourse(data, workers)
    # Begun where the mean scenario is best, so that the solution is never worse than that.
    optimum = minimise(recourse, on_mean.holding)
    eev, ws, vss, evpi = math.inf, math.inf, math.nan, math.nan
    if data.feasible:
        eev = recourse.cost(on_mean.holding)
        ws = wait_and_see_cost(data) if data.pooled.size else recourse.wait_and_see()
        vss, evpi = eev - optimum.cost, max(optimum.cost - ws, 0.0)
    row = {
        "material": data.material,
        "bound_usd": optimum.bound,
        "cost_usd": optimum.cost,
        "eev_usd": eev,
        "ws_usd": ws,
        "vss_usd": vss,
        "evpi_usd": evpi,
        "cuts": optimum.cuts,
    }
    return row, optimum.holding


def _seed(instance: Instance, seed: int | None) -> int | None:
    """Return the seed that the scenarios were drawn with; None where they were not drawn."""
    if instance.scenarios or not instance.hazards:
        return None
    return instance.scenario_settings.seed if seed is None else seed


def _compile_kernels(problem: Problem, block: Block, stress: ScenarioSet, *, sharing: bool) -> None:
    """Run the kernels on next to nothing, so that compiling them is not in the seconds."""
    with Workers(1) as workers:
        calm = calm_scenario(problem)
        data = block_model(problem, block, calm, stress, workers, sharing=sharing)
        recourse = Recourse(data, workers)
        recourse.respond(data.lower)
        recourse.wait_and_see()
