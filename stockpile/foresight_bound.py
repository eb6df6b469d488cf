"""The foresight bound: what no release policy can beat, EVPI and VSS.

Rules are followed by people who do not know how a disruption will end. Here releases know the
whole scenario, holdings still do not: a two-stage model whose optimum is a lower bound on the cost
of every release policy, inside the menu of rules or outside. See ``docs/foresight.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from stockpile.arguments import check_arguments
from stockpile.couplings import build_couplings
from stockpile.errors import NotBuiltError, UsageError
from stockpile.foresight_budgets import apart, minimise_within
from stockpile.foresight_limits import with_promises
from stockpile.foresight_recourse import Recourse
from stockpile.foresight_search import minimise
from stockpile.foresight_waiting import wait_and_see, within_budgets
from stockpile.model.foresight_data import foresight_budgets, foresight_data
from stockpile.needs import block_needs
from stockpile.parallel import Workers
from stockpile.problem import LEVEL_TOLERANCE
from stockpile.progress import Progress
from stockpile.running import Running
from stockpile.scenarios import calm_scenario
from stockpile.setting import prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.foresight_budgets import JointOptimum
    from stockpile.foresight_recourse import WaitAndSee
    from stockpile.foresight_search import Optimum
    from stockpile.instance import Instance
    from stockpile.model.foresight_data import ForesightBudgets, ForesightData
    from stockpile.plan import Plan
    from stockpile.problem import Cooperation, Problem
    from stockpile.scenarios import ScenarioSet
    from stockpile.setting import Setting


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
    seed, sampling, scenario_count
        Of the scenarios; seed and sampling are None where the instance gives its scenarios.
    bound_usd
        Proven lower limit on the yearly cost of any plan with any release policy; infinite where
        no holdings within the limits can keep all promises.
    cost_usd
        RP: cost of the best holdings found [USD/year]. It is above ``bound_usd`` by a relative
        1e-9 at most.
    facilities_usd
        Fixed cost of the facilities that exist [USD/year], which is a part of bound and costs.
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
        and cuts, the number of cuts made. Where budgets bind, bounds and differences are those of
        all materials together, and none of each.
    holdings
        participant, material, holding_t of the solution, and least_t and most_t that lots and
        promises allow.
    """

    instance_name: str
    instance_hash: str
    cooperation: str
    seed: int | None
    sampling: str | None
    scenario_count: int
    bound_usd: float
    cost_usd: float
    facilities_usd: float
    eev_usd: float
    ws_usd: float
    vss_usd: float
    evpi_usd: float
    seconds: float
    materials: pd.DataFrame
    holdings: pd.DataFrame

    @property
    def feasible(self) -> bool:
        """Return whether any holdings within the limits can keep all promises."""
        return math.isfinite(self.cost_usd)

    @property
    def budgets_bind(self) -> bool:
        """Return whether budgets join the materials, so that none has a bound of its own."""
        return bool(self.materials["bound_usd"].isna().any())


def foresight(
    instance: Instance,
    *,
    cooperation: Cooperation | None = None,
    scenarios: int | None = None,
    seed: int | None = None,
    sampling: str | None = None,
    threads: int | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> Foresight:
    """Bound the cost of any release policy from below, by perfect foresight.

    Parameters
    ----------
    instance
        As returned by :func:`stockpile.load`.
    cooperation, scenarios, seed, sampling, threads, progress
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
    running = Running(scenarios, seed, sampling, threads, progress=progress)
    check_arguments(running, cooperation=world)
    require_known(instance)
    with prepared(
        instance,
        running,
    ) as setting:
        return foresight_world(setting, cast("Cooperation", world))


def foresight_world(setting: Setting, world: Cooperation) -> Foresight:
    """Bound the cost in one world of an instance that has been made ready.

    Raises
    ------
    KeyboardInterrupt
        If the user has asked to stop: a part of a bound is none.
    """
    sharing = world != "none"
    _compile_kernels(setting, sharing=sharing)
    began = setting.seconds()
    couplings = build_couplings(setting.instance, setting.problem, world, setting.scenarios)
    budgets = foresight_budgets(setting.problem, couplings)
    stores = couplings.facilities
    fixed = float(stores.fixed_cost[stores.existing].sum())
    # Where budgets can join them, all materials stay in memory; else one at a time.
    joined = bool(budgets.names)
    materials = [
        _solve_material(data, setting.workers, keep=joined)
        for data in block_models(setting, sharing=sharing)
    ]
    figures = _together(setting, materials, budgets) if joined else _apart(materials)
    optimum = figures.optimum
    cost, eev = optimum.cost, float(figures.eev.sum())
    vss, evpi = figures.differences()
    return Foresight(
        instance_name=setting.instance.name,
        instance_hash=setting.instance.content_hash,
        cooperation=world,
        seed=setting.seed,
        sampling=setting.sampling,
        scenario_count=setting.scenarios.count,
        bound_usd=optimum.bound + fixed,
        cost_usd=cost + fixed,
        facilities_usd=fixed,
        eev_usd=eev + fixed,
        ws_usd=figures.ws + fixed,
        vss_usd=eev - cost if np.isfinite(cost) else math.nan,
        evpi_usd=max(cost - figures.ws, 0.0) if np.isfinite(cost) else math.nan,
        seconds=setting.seconds() - began,
        materials=pd.DataFrame(
            {
                "material": [own.material for own in materials],
                "bound_usd": optimum.bounds,
                "cost_usd": optimum.costs,
                "eev_usd": figures.eev,
                "ws_usd": figures.ws_of_material,
                "vss_usd": vss,
                "evpi_usd": evpi,
                "cuts": optimum.cuts,
            }
        ),
        holdings=pd.DataFrame(
            [
                {
                    "participant": name,
                    "material": own.material,
                    "holding_t": float(holding[c]),
                    "least_t": float(own.lower[c]),
                    "most_t": float(own.upper[c]),
                }
                for own, holding in zip(materials, optimum.holdings, strict=True)
                for c, name in enumerate(setting.problem.participants)
            ]
        ),
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
    names = ("instance_hash", "cooperation", "seed", "sampling", "scenario_count")
    require_comparable(plan, **{name: getattr(bound, name) for name in names})
    assert plan.annual_cost_usd is not None
    return plan.annual_cost_usd - bound.bound_usd


def require_comparable(plan: Plan, **of_bound: str | int | None) -> None:
    """Refuse a plan that cannot be compared with a bound.

    Parameters
    ----------
    of_bound
        What has to be the same in the plan: attributes of :class:`Foresight`.

    Raises
    ------
    UsageError
        If there is no plan, or something differs.
    """
    if plan.annual_cost_usd is None:
        raise UsageError(f"There is no plan to compare: its status is {plan.status}.")
    wrong = [
        f"{name} is {getattr(plan, name)!r} in the plan and {value!r} in the bound"
        for name, value in of_bound.items()
        if getattr(plan, name) != value
    ]
    if wrong:
        raise UsageError(
            "Plan and foresight bound cannot be compared:\n  " + "\n  ".join(wrong) + "\n"
            "  Make both with the same instance, cooperation, scenarios, seed and sampling."
        )


def require_known(instance: Instance) -> None:
    """Refuse an instance of which the model would not be a bound.

    Raises
    ------
    NotBuiltError
        If it has projects, recycling or conversions.
    """
    parts = ("projects", "recycling", "conversions")
    unknown = [f"{name}.csv" for name in parts if getattr(instance, name)]
    if unknown:
        raise NotBuiltError(
            f"Instance {instance.name!r} uses what the foresight bound does not know yet: "
            f"{', '.join(unknown)}.\n"
            "  Without it the bound would be none: it can lower needs, or serve them from other "
            "materials.\n"
            "  Take these rows out to bound the rest."
        )


def world_budgets(setting: Setting, world: Cooperation) -> ForesightBudgets:
    """Return the budgets of a world."""
    couplings = build_couplings(setting.instance, setting.problem, world, setting.scenarios)
    return foresight_budgets(setting.problem, couplings)


def block_models(setting: Setting, *, sharing: bool) -> Iterator[ForesightData]:
    """Yield the model of each block, and tell that its turn has come.

    Raises
    ------
    KeyboardInterrupt
        If the user has asked to stop.
    """
    for number, block in enumerate(setting.blocks):
        if setting.interrupt.raised:
            raise KeyboardInterrupt
        nothing, seconds = math.nan, setting.seconds()
        total = len(setting.blocks)
        setting.report(Progress(block.name, number, total, nothing, nothing, nothing, seconds))
        yield block_model(
            setting.problem,
            block,
            setting.scenarios,
            setting.stress,
            setting.workers,
            sharing=sharing,
        )


def solve_models(
    setting: Setting, models: Sequence[ForesightData], budgets: ForesightBudgets
) -> JointOptimum:
    """Find the best holdings of all materials, and bound their cost."""
    recourses = [Recourse(data, setting.workers) for data in models]
    alone = [minimise(recourse) for recourse in recourses]
    return minimise_within(recourses, alone, budgets)


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


@dataclass(frozen=True, slots=True)
class _Material:
    """One material solved on its own.

    Attributes
    ----------
    material, lower, upper
        Of its model.
    on_mean, optimum
        Best holdings for the mean scenario, and for all.
    eev, ws
        EEV and WS [USD/year]; infinite where no holdings keep within the limits.
    recourse, waiting
        What budgets need besides; None where they are not wanted.
    """

    material: str
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    on_mean: Optimum
    optimum: Optimum
    eev: float
    ws: float
    recourse: Recourse | None
    waiting: WaitAndSee | None


@dataclass(frozen=True, slots=True)
class _Figures:
    """All materials.

    Attributes
    ----------
    optimum
        Best holdings.
    eev
        By material, EEV [USD/year].
    ws
        WS of all materials [USD/year].
    ws_of_material
        The same by material; nan where budgets bind in some scenario.
    joined
        Whether budgets bind, so that differences mean something for all materials only.
    """

    optimum: JointOptimum
    eev: NDArray[np.float64]
    ws: float
    ws_of_material: NDArray[np.float64]
    joined: bool

    def differences(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return VSS and EVPI by material; nan where there is no solution, or budgets bind."""
        cost = np.array(self.optimum.costs)
        known = np.where(self.joined | ~np.isfinite(cost), np.nan, cost)
        return self.eev - known, np.maximum(known - self.ws_of_material, 0.0)


def _solve_material(data: ForesightData, workers: Workers, *, keep: bool) -> _Material:
    on_mean = minimise(Recourse(data.mean_scenario(), workers))
    recourse = Recourse(data, workers)
    # Begun where the mean scenario is best, so that the solution is never worse than that.
    optimum = minimise(recourse, on_mean.holding)
    waiting = wait_and_see(recourse) if data.feasible else None
    return _Material(
        material=data.material,
        lower=data.lower,
        upper=data.upper,
        on_mean=on_mean,
        optimum=optimum,
        eev=recourse.cost(on_mean.holding) if data.feasible else math.inf,
        ws=math.inf if waiting is None else waiting.expected,
        recourse=recourse if keep else None,
        waiting=waiting if keep else None,
    )


def _apart(materials: Sequence[_Material]) -> _Figures:
    """Put together materials that no budget joins."""
    ws = np.array([own.ws for own in materials])
    return _Figures(
        optimum=apart([own.optimum for own in materials]),
        eev=np.array([own.eev for own in materials]),
        ws=float(ws.sum()),
        ws_of_material=ws,
        joined=False,
    )


def _together(
    setting: Setting, materials: Sequence[_Material], budgets: ForesightBudgets
) -> _Figures:
    """Put together materials that share budgets (F16)."""
    recourses = [own.recourse for own in materials if own.recourse is not None]
    waiting = [own.waiting for own in materials if own.waiting is not None]
    if len(waiting) < len(materials):
        return _apart(materials)  # Some promises cannot be kept, whatever is bought.
    mean = minimise_within(
        [Recourse(recourse.data.mean_scenario(), setting.workers) for recourse in recourses],
        [own.on_mean for own in materials],
        budgets,
    )
    if not np.isfinite(mean.bound):
        nothing = np.full(len(materials), np.inf)
        return _Figures(mean, nothing, np.inf, nothing, joined=True)
    optimum = minimise_within(recourses, [own.optimum for own in materials], budgets, mean.holdings)
    ws, broken = within_budgets(waiting, budgets, setting.scenarios.probability)
    of_material = np.array([math.nan if broken else own.ws for own in materials])
    costs = [
        recourse.cost(holding) for recourse, holding in zip(recourses, mean.holdings, strict=True)
    ]
    joined = bool(np.isnan([*mean.bounds, *optimum.bounds]).any())
    return _Figures(optimum, np.array(costs), ws, of_material, joined)


def _compile_kernels(setting: Setting, *, sharing: bool) -> None:
    """Run the kernels on next to nothing, so that compiling them is not in the seconds."""
    problem = setting.problem
    with Workers(1) as workers:
        calm = calm_scenario(problem)
        data = block_model(
            problem, setting.blocks[0], calm, setting.stress, workers, sharing=sharing
        )
        recourse = Recourse(data, workers)
        recourse.respond(data.lower)
        recourse.wait_and_see()
