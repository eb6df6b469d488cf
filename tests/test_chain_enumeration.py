"""The solver against the enumeration of all plans, on random small instances of whole chains."""

import collections
import functools
import tempfile
from pathlib import Path
from typing import NamedTuple

import chain_oracle
import chain_steps
import project_oracle
import pytest
from chain_oracle import Plan
from random_chains import write_chain_instance
from test_enumeration import at_most, close

import stockpile as sp

# The instances are not free of plants that serve nobody and the like.
pytestmark = pytest.mark.filterwarnings("ignore::stockpile.InstanceWarning")

SEEDS = range(120)


class Drawn(NamedTuple):
    """An instance of a seed: its folder, the oracle's reading, the best plan or None."""

    folder: tempfile.TemporaryDirectory
    inst: dict
    cooperation: str
    best: chain_oracle.Best
    features: frozenset


@functools.cache
def draw(seed):
    folder = tempfile.TemporaryDirectory()
    inst, cooperation = write_chain_instance(Path(folder.name), seed)
    best = chain_oracle.enumerate_chains(inst, cooperation)
    features = frozenset(features_of(inst, cooperation, best))
    # What was simulated takes room; what each bears alone takes long.
    inst["cache"] = {key: inst["cache"][key] for key in ["alone"] if key in inst["cache"]}
    return Drawn(folder, inst, cooperation, best, features)


THOROUGH = pytest.mark.thorough


@pytest.fixture(
    scope="module",
    params=[seed if seed % 3 == 0 else pytest.param(seed, marks=THOROUGH) for seed in SEEDS],
)
def case(request):
    return draw(request.param)


# --- What the instances exercise ------------------------------------------------------------------


def features_of(inst, cooperation, best):
    """What an instance exercises, by its tables and by its optimum."""
    yield cooperation
    for name in ["plants", "plant_shares", "projects", "recycling", "caps", "facilities", "risk"]:
        if inst[name]:
            yield name
    yield from inst["agreement"]
    yield inst["allocation"]
    if len(chain_steps.blocks(inst)) > 1:
        yield "several blocks"
    if best is None:
        yield "infeasible"
        return
    if any(row["metric"] != "joint_chance" for row in inst["coverage"]):
        yield "promises kept"
    yield from features_of_plants(inst, cooperation, best.plan)
    yield from features_of_projects(inst, cooperation, best)


def features_of_plants(inst, cooperation, plan):
    sharing = cooperation != "none"
    for block in chain_steps.blocks(inst):
        rules = plan.rules[chain_oracle.name_of(block)]
        pools = chain_steps.pools_under(inst, chain_steps.step_list(inst, block, sharing), rules)
        for s in inst["probability"]:
            months = chain_steps.simulate(
                inst, block, s, plan.lots, rules, plan.projects, sharing=sharing
            )
            for month in months:
                made = collections.Counter()
                for stock, stream, plants, t in month["releases"]:
                    if plants and t > 1e-9:
                        yield "converts"
                        made[plants[-1], stream] += t
                        yield from features_of_path(inst, stock, stream, plants)
                for (i, stream, way), most in pools.items():
                    tonnes = made[inst["plants"][i]["name"], stream]
                    if not way and tonnes >= float(most) - 1e-9 > 0:
                        yield "a plant is full"


def features_of_path(inst, stock, stream, plants):
    at = {plant["name"]: plant["at"] for plant in inst["plants"]}
    if len(plants) > 1:
        yield "two plants in a row"
    if any(at[name] != stream[0] for name in plants):
        yield "a plant abroad"
    if stock[0] != stream[0]:
        yield "a partner's stock is converted"


def features_of_projects(inst, cooperation, best):
    funded = {name for name, state in best.plan.projects.items() if state}
    if set(inst["projects"]) - funded:
        yield "not funded"
    events = [e for events in inst["events"].values() for e in events]
    for name in funded:
        row = inst["projects"][name]
        yield "funded"
        if row["funder"] == "joint":
            yield "funded together"
        if best.plan.projects[name] == "fast":
            yield "fast track"
        if row["life"] is not None:
            yield "annuity"
        if any(e["answers"] == name for e in events):
            yield "answered"
        if project_oracle.support(inst, name, best.plan.projects[name]):
            yield "support"
            cut = any(e["effect"] == "price_cut" and e["answers"] in ("", name) for e in events)
            if cut:
                yield "support of a cut price"
        if sum(name in project_oracle.relevant(inst, b) for b in chain_steps.blocks(inst)) > 1:
            yield "linked blocks"
    without = inst | {"caps": []}
    if inst["caps"] and cheaper(without, cooperation, best):
        yield "a cap binds"
    without = inst | {
        "project_budget": dict.fromkeys(inst["project_budget"]),
        "agreement": {
            key: value for key, value in inst["agreement"].items() if key != PROJECT_BUDGET
        },
    }
    if cheaper(without, cooperation, best):
        yield "a project budget binds"


PROJECT_BUDGET = "joint_project_budget_usd"


def cheaper(inst, cooperation, best):
    """Whether an instance without a limit has a cheaper plan."""
    relaxed = chain_oracle.enumerate_chains(inst, cooperation)
    return not at_most(best.annual_cost, relaxed.annual_cost)


LEAST = {
    "none": 20,
    "sharing": 30,
    "joint": 20,
    "pro_rata": 25,
    "several blocks": 30,
    "plant_shares": 20,
    "promises kept": 20,
    "converts": 35,
    "a plant is full": 12,
    "a plant abroad": 8,
    "a partner's stock is converted": 8,
    "two plants in a row": 5,
    "funded": 25,
    "not funded": 40,
    "funded together": 6,
    "fast track": 5,
    "annuity": 15,
    "answered": 8,
    "support": 8,
    "support of a cut price": 3,
    "linked blocks": 6,
    "recycling": 20,
    "a cap binds": 10,
    "a project budget binds": 2,
    "joint_project_budget_usd": 7,
    "joint_budget_usd": 7,
    "facilities": 10,
    "risk": 12,
    "max_distinct_rules": 8,
    "nobody_worse_off": 7,
}
"""How many of the instances have a feature, at least."""


@THOROUGH
def test_the_instances_are_of_every_kind():
    """So that no change of the generator makes the tests below trivial without anybody noticing."""
    found = collections.Counter(feature for seed in SEEDS for feature in draw(seed).features)
    too_few = {name: found[name] for name, least in LEAST.items() if found[name] < least}
    assert too_few == {}
    assert found["infeasible"] <= len(SEEDS) // 10


# --- The solver -----------------------------------------------------------------------------------


def chosen(plan, inst):
    """A plan of the solver as the oracle reads it."""
    lots = {m: {} for m in inst["materials"]}
    for row in plan.holdings.itertuples():
        lots[row.material][row.participant] = int(row.lots)
    rules = {}
    for block in chain_steps.blocks(inst):
        rows = plan.rules[plan.rules["material"].isin([chain_oracle.name_of(block), *block])]
        named = {(row.participant, row.rule) for row in rows.itertuples()}
        assert len(named) == len(inst["participants"])  # One rule for each owner and block
        rules[chain_oracle.name_of(block)] = dict(named)
    facilities = plan.facilities
    opened = facilities["facility"][facilities["open"]] if len(facilities) else []
    states = dict.fromkeys(inst["projects"], "")
    if inst["projects"]:
        for row in plan.projects.itertuples():
            states[row.project] = "fast" if row.fast_track else "funded" if row.funded else ""
    return Plan(lots, rules, frozenset(opened), states)


def check(plan, inst, cooperation):
    """The plan keeps every promise and limit, and costs what it says, place by place."""
    found = chosen(plan, inst)
    assert chain_oracle.check_plan(inst, cooperation, found) == []
    assert plan.annual_cost_usd == close(chain_oracle.cost_of(inst, cooperation, found))
    expected = {}
    for block in chain_steps.blocks(inst):
        expected |= chain_oracle.evaluate(inst, block, cooperation, found).costs
    assert len(plan.costs) == len(expected)
    for row in plan.costs.itertuples():
        parts = expected[row.participant, row.material]
        for name, usd in parts.items():
            assert getattr(row, name, 0.0) == close(usd)


def solved(case, gap):
    return sp.solve(sp.load(case.folder.name), gap=gap, cooperation=case.cooperation)


def test_the_plan_is_the_enumerated_optimum(case):
    plan = solved(case, 0.0)
    if case.best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert plan.annual_cost_usd == close(case.best.annual_cost)
    assert at_most(plan.bound_usd, case.best.annual_cost)
    check(plan, case.inst, case.cooperation)


@pytest.mark.parametrize(
    "seed", [seed if seed % 6 == 0 else pytest.param(seed, marks=THOROUGH) for seed in SEEDS]
)
def test_a_certificate_of_five_percent_holds(seed):
    case = draw(seed)
    plan = solved(case, 0.05)
    if case.best is None:
        assert plan.status == "infeasible"
        return
    best = case.best.annual_cost
    assert plan.status == "optimal"
    assert at_most(plan.bound_usd, best)
    assert at_most(best, plan.annual_cost_usd)
    assert at_most(plan.annual_cost_usd, plan.bound_usd / (1 - 0.05))
    check(plan, case.inst, case.cooperation)
