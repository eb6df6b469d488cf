"""In which ways the needs of a plan are assured, and what a tonne costs in each.

``docs/projects.md`` defines the ways and the cost per tonne-year of assurance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from stockpile.assurance.flows import block_flows, is_own, plants_of
from stockpile.blocks import build_blocks
from stockpile.needs import block_needs, yearly
from stockpile.parallel import Workers
from stockpile.plan_decisions import plan_decisions
from stockpile.problem import build_problem
from stockpile.project_limits import build_project_limits
from stockpile.project_materials import value_shares
from stockpile.projects import FUNDED
from stockpile.scenarios import scenario_set

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from stockpile.assurance.flows import BlockFlows
    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.problem import Cooperation, Problem
    from stockpile.scenarios import ScenarioSet

Decisions: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]"
HELD, CONVERTED, PARTNER, PARTNER_CONVERTED = "held", "converted", "partner", "partner converted"
PROJECT, ANSWERS, RECYCLING, UNMET = "project", "answers", "recycling", "unmet"
MOST_SIMULATED = 2_000
"""Scenarios on which flows are simulated at most."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which the need of a participant for a material is assured.

    Attributes
    ----------
    participant, material
        Indices c and m.
    kind
        ``held``, ``converted``, ``partner``, ``partner converted``, ``project``, ``answers``,
        ``recycling`` or ``unmet``; ``answers`` are events that answer projects which make nothing
        for this need.
    item
        The form that is converted, or the project; else empty.
    served
        Expected tonnes of need that it takes care of [t/year]; below 0 where events that answer
        projects add more to the need than the projects take from it.
    part
        As a fraction of the need without projects and recycling; nan where there is none.
    cost
        Per tonne-year of assurance [USD/t]; nan for what is not met.
    use
        Cost when used [USD/t]; nan likewise.
    cheapest
        Whether no other way to build or to hold costs less per tonne-year.
    """

    participant: int
    material: int
    kind: str
    item: str
    served: float
    part: float
    cost: float
    use: float
    cheapest: bool = False


@dataclass(frozen=True, slots=True)
class Assurance:
    """How the needs of a plan are assured.

    Attributes
    ----------
    problem, decisions
        What was planned, and what the plan decides: lots (C, M), rules (C, M) and states of
        projects (N,).
    scenarios
        On which it was simulated.
    flows
        Of every block.
    ways
        For each participant and material in need, in the order of the tables.
    """

    problem: Problem
    decisions: Decisions
    scenarios: ScenarioSet
    flows: tuple[BlockFlows, ...]
    ways: tuple[Way, ...]


def assurance(
    instance: Instance, plan: Plan, *, scenarios: int = MOST_SIMULATED, threads: int | None = None
) -> Assurance:
    """Find out how the needs of a plan are assured.

    Parameters
    ----------
    scenarios
        Simulated at most, of those that the plan was made on.

    Raises
    ------
    ResultError
        If the plan holds no holdings, or does not fit the instance.
    """
    problem, drawn, decisions = planned(instance, plan, scenarios=scenarios)
    sharing = plan.cooperation != "none"
    bare = replace(problem, recycled=np.zeros_like(problem.recycled))
    flows, found = [], []
    world: Cooperation = plan.cooperation  # type: ignore[assignment]
    limits = build_project_limits(instance, problem, world, drawn)
    state = np.maximum(decisions[2], FUNDED)
    of_all = np.arange(problem.projects.count)
    yearly_cost = np.where(limits.allowed[of_all, state], limits.cost[of_all, state], np.nan)
    with Workers(threads) as workers:
        for block in build_blocks(problem):
            of_block = block_flows(problem, block, drawn, workers, decisions, sharing=sharing)
            expected = [
                _by_market(block_needs(of, block, drawn, workers, states).expected, problem)
                for of, states in ((bare, None), (problem, None), (problem, decisions[2]))
            ]
            flows.append(of_block)
            found += _ways(problem, of_block, expected, decisions[2], yearly_cost)
    found.sort(key=lambda way: (way.material, way.participant))
    return Assurance(problem, decisions, drawn, tuple(flows), tuple(found))


def planned(
    instance: Instance, plan: Plan, *, scenarios: int = MOST_SIMULATED
) -> tuple[Problem, ScenarioSet, Decisions]:
    """Return what a plan was made on, and lots, rules (C, M) and states of projects (N,)."""
    problem = build_problem(instance)
    count = min(plan.scenario_count, scenarios)
    drawn = scenario_set(instance, problem, count, plan.seed, plan.sampling)
    return problem, drawn, plan_decisions(problem, plan)


def _by_market(of_streams: NDArray[np.float64], problem: Problem) -> NDArray[np.float64]:
    """Turn needs of streams over the horizon [t] into needs of markets (Z,) [t/year]."""
    of_markets = of_streams.reshape(-1, len(problem.classes)).sum(axis=1)
    return np.array([yearly(float(value), problem) for value in of_markets])


def _ways(
    problem: Problem,
    flows: BlockFlows,
    expected: list[NDArray[np.float64]],
    states: NDArray[np.int64],
    yearly_cost: NDArray[np.float64],
) -> list[Way]:
    """Return the ways of all markets of a block.

    Parameters
    ----------
    expected
        Needs (Z,) without recycling and projects, without projects, and with both [t/year].
    yearly_cost
        (N,) of each project in its state, or in full if it is not funded [USD/year].
    """
    block, found = flows.block, []
    for z in range(block.num_stocks):
        c, m = int(block.market_participant[z]), int(block.market_material[z])
        need, recycled, rest = (float(values[z]) for values in expected)
        if max(need, rest) <= 0.0:
            continue
        ways = [
            *_stocks(problem, flows, z),
            *_projects(problem, c, m, recycled - rest, states, yearly_cost),
        ]
        finite = [way["cost"] for way in ways if not math.isnan(way["cost"])]
        cheapest = next((way for way in ways if finite and way["cost"] == min(finite)), None)
        if problem.recycled[c, m].any():
            ways.append(_row(RECYCLING, "", need - recycled, 0.0, 0.0))
        if recycled != rest and not any(way["kind"] == PROJECT and way["served"] for way in ways):
            ways.append(_row(ANSWERS, "", recycled - rest, math.nan, math.nan))
        of_market = block.stream_market == z
        ways.append(_row(UNMET, "", float(flows.unserved[of_market].sum()), math.nan, math.nan))
        found += [
            Way(
                c,
                m,
                **way,
                part=way["served"] / need if need > 0.0 else math.nan,
                cheapest=way is cheapest,
            )
            for way in ways
        ]
    return found


def _row(kind: str, item: str, served: float, cost: float, use: float) -> dict[str, Any]:
    return {"kind": kind, "item": item, "served": served, "cost": cost, "use": use}


def _stocks(problem: Problem, flows: BlockFlows, z: int) -> list[dict[str, Any]]:
    """Return the ways from stocks to a market: what is held as such first.

    Of several steps of one kind the one that is cheapest to hold gives the cost.
    """
    block, steps = flows.block, flows.steps
    ways: dict[tuple[str, int], dict[str, Any]] = {}
    for j in np.flatnonzero(steps.market == z).tolist():
        stock = int(steps.stock[j])
        owner, material = int(block.market_participant[stock]), int(block.market_material[stock])
        if problem.lots_max[owner, material] == 0:
            continue  # Where nothing may be held there is nothing to choose.
        converted = next(plants_of(steps, j), None) is not None
        if is_own(steps, j):
            kind = CONVERTED if converted else HELD
        else:
            kind = PARTNER_CONVERTED if converted else PARTNER
        item = problem.materials[material] if converted else ""
        cost = float(problem.holding_cost[owner, material] / steps.yield_[j])
        way = ways.setdefault((kind, material), _row(kind, item, 0.0, math.inf, math.inf))
        way["served"] += float(flows.released[j])
        way["cost"], way["use"] = min((way["cost"], way["use"]), (cost, float(steps.cost[j])))
    order = (HELD, CONVERTED, PARTNER, PARTNER_CONVERTED)
    return [ways[key] for key in sorted(ways, key=lambda key: (order.index(key[0]), key[1]))]


def _projects(
    problem: Problem,
    c: int,
    m: int,
    served: float,
    states: NDArray[np.int64],
    yearly_cost: NDArray[np.float64],
) -> list[dict[str, Any]]:
    """Return the projects that may supply a market; what they serve is divided by output."""
    projects = problem.projects
    supply = projects.supply[:, c, m]
    funded = np.where(states >= FUNDED, supply, 0.0)
    ways = []
    for n in np.flatnonzero(supply > 0.0).tolist():
        part = float(funded[n] / funded.sum()) if funded[n] > 0.0 else 0.0
        output = float(projects.output[n, m] * projects.share[n].sum()) * problem.period.per_year
        cost = float(yearly_cost[n] * value_shares(problem)[n, m]) / output
        ways.append(_row(PROJECT, projects.names[n], part * served, cost, 0.0))
    return ways
