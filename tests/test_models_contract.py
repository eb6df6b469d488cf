"""Every instance here: arrays, Pyomo, files and our search find the same optimum of both models.

Few scenarios and columns keep it quick; what is compared does not depend on their number.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_plan_models import read_and_solve

import stockpile as sp
from stockpile.foresight_bound import block_models, foresight_world, world_budgets
from stockpile.model.files import FORMATS, write_foresight_model, write_plan_model
from stockpile.model.foresight_arrays import instance_form
from stockpile.model.foresight_reference import instance_model
from stockpile.model.linear import solve_linear
from stockpile.model.plan_arrays import choose, plan_arrays
from stockpile.model.plan_reference import plan_reference
from stockpile.model.solvers import choose_with, solve_reference
from stockpile.model.verify import violations
from stockpile.running import Running
from stockpile.setting import prepared
from stockpile.solver import world_couplings
from stockpile.tables import Agreement, CoverageTarget, Facility, Risk
from stockpile.together import judge_together, search_together

FOLDERS = sorted(path.parent for path in Path(__file__).parents[1].glob("instances/*/*.toml"))
# Six stocks in one block take minutes, and the foresight bound knows neither plants nor projects.
INSTANCES = [folder.name for folder in FOLDERS if folder.name != "us-japan"]
INSTANCES += ["toy with limits"]
SCENARIOS = {"rare-earths": 200, "us-japan-one-form": 60}
SOLVED_SCENARIOS = {"rare-earths": 100, "us-japan-one-form": 20}
COLUMNS = 4
"""Of each block, besides that of the plan: rules that are few make large models slow."""
GAP = 0.9
"""A first plan will do: what is compared is the optimum over some columns."""
SAME = 1e-6


def with_limits(toy):
    """The toy with limits of all kinds; without, 11 million USD are spent."""
    stores = [
        Facility(
            facility=name,
            participant=name,
            storage_kind="warehouse",
            capacity_t=10.0,
            fixed_cost_usd_per_year=1e3,
        )
        for name in ("us", "japan")
    ]
    together = CoverageTarget(metric="joint_chance", level=0.9, confidence=0.85, group="all")
    made = replace(
        toy,
        facilities=tuple(stores),
        agreement=Agreement(joint_budget_usd=10.5e6, max_distinct_rules=1, nobody_worse_off=True),
        risk=Risk(cvar_confidence=0.9, cvar_limit_usd_per_year=5e6),
        coverage=(*toy.coverage, together),
    )
    sp.validate(made)
    return made


def in_setting(name, scenarios):
    folder = name.removesuffix(" with limits")
    instance = sp.load(Path(__file__).parents[1] / "instances" / folder)
    return prepared(
        with_limits(instance) if name != folder else instance,
        Running(scenarios=scenarios.get(name), progress=False),
    )


def with_few_columns(search):
    """The selection model over the plan's columns and a few more of each block."""
    selection, kept, first = search.model(COLUMNS), [], 0
    for columns, own in zip(search.columns, search.incumbent.candidates, strict=True):
        same = (columns.lots == own.lots).all(axis=1) & (columns.rule == own.rule).all(axis=1)
        kept += [first + j for j in range(columns.count) if j < COLUMNS or same[j]]
        first += columns.count
    of_columns = ("block", "cost", "outlay", "stored", "follows", "covered", "cost_share", "state")
    arrays = {name: getattr(selection, name)[..., kept] for name in (*of_columns, "shortage")}
    return replace(selection, **arrays)


@pytest.fixture(scope="module", params=INSTANCES)
def plan_model(request):
    """The selection model over columns of a solve, with the plan's cost and bound."""
    with in_setting(request.param, SOLVED_SCENARIOS) as setting:
        world = setting.instance.solve_settings.cooperation
        couplings = world_couplings(setting, world, gap=GAP, deadline=np.inf)
        evaluators = [setting.evaluator(block, sharing=True) for block in setting.blocks]
        search = search_together(setting, couplings, evaluators, gap=GAP, deadline=np.inf)
        found = judge_together(setting, couplings, evaluators, search)
        return SimpleNamespace(
            selection=with_few_columns(search), cost=found.cost, bound=found.bound
        )


def test_the_plan_model_has_one_optimum_in_all_forms(plan_model, tmp_path):
    selection = plan_model.selection
    arrays = solve_linear(plan_arrays(selection))
    assert arrays.status == "optimal"
    optimum = pytest.approx(arrays.objective, rel=SAME)
    reference = plan_reference(selection)
    unit = reference.money_usd.value
    assert unit * solve_reference(reference).objective == optimum
    for file_format in FORMATS:
        write_plan_model(selection, tmp_path / "plan", file_format)
        path = (tmp_path / "plan").rename(tmp_path / f"plan.{file_format}")
        assert unit * read_and_solve(path) == optimum


def test_our_plan_is_no_better_than_the_optimum_over_its_columns_and_no_worse_than_its_bound(
    plan_model,
):
    selection = plan_model.selection
    chosen, other = choose(selection), choose_with(selection, "highs")
    assert other.cost == pytest.approx(chosen.cost, rel=SAME)
    assert violations(selection, other.columns, other.open_) == ()
    assert plan_model.bound <= chosen.cost * (1.0 + SAME)
    assert chosen.cost <= plan_model.cost * (1.0 + SAME)


@pytest.fixture(scope="module", params=INSTANCES)
def foresight_models(request):
    """The model with perfect foresight of all materials, its budgets, and the bound by cuts."""
    with in_setting(request.param, SCENARIOS) as setting:
        world = setting.instance.solve_settings.cooperation
        return SimpleNamespace(
            materials=list(block_models(setting, sharing=world != "none")),
            budgets=world_budgets(setting, world),
            bound=foresight_world(setting, world),
        )


def test_the_foresight_model_has_one_optimum_in_all_forms(foresight_models, tmp_path):
    materials, budgets = foresight_models.materials, foresight_models.budgets
    arrays = solve_linear(instance_form(materials, budgets))
    assert arrays.status == "optimal"
    optimum = pytest.approx(arrays.objective, rel=SAME)
    bound = foresight_models.bound
    # What existing stores cost is the same whatever is held, and no part of the model.
    assert bound.bound_usd - bound.facilities_usd == optimum
    assert bound.cost_usd - bound.facilities_usd == optimum
    assert solve_reference(instance_model(materials, budgets)).objective == optimum
    for file_format in FORMATS:
        write_foresight_model(materials, budgets, tmp_path / "foresight", file_format)
        path = (tmp_path / "foresight").rename(tmp_path / f"foresight.{file_format}")
        assert read_and_solve(path) == optimum
