"""What more costs: steps and curves, against hand figures and against the enumeration of all plans.

The enumeration reads the tables itself and changes them itself; nothing of the package is used.
"""

import itertools
import json
import math
import os
import random
import signal
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import coupled_oracle
import oracle
import pandas as pd
import pytest
from random_coupled import write_coupled_instance
from random_instances import write_random_instance
from test_docs import heading_and_table
from test_enumeration import COOPERATION, at_most
from test_known_answers import instance as one_material

import stockpile as sp
from stockpile import frontier_points, marginal_costs
from stockpile.cli import main
from stockpile.frontier_display import frontier_text, marginals_text
from stockpile.resolving import Resolver
from stockpile.scaling import scaled_budgets, scaled_promises, with_joint_budget
from stockpile.tables import CoverageTarget, Holding

ROOT = Path(__file__).parents[1]
TOY = ROOT / "instances" / "toy"


@pytest.fixture(scope="module")
def toy():
    return sp.load(TOY)


def marginals(instance, **more):
    return sp.marginals(instance, progress=False, **more)


def frontier(instance, vary, **more):
    return sp.frontier(instance, vary, progress=False, **more)


def only_row(found):
    """The only row of a table of marginals."""
    (row,) = found.table.to_dict(orient="records")
    return row


def promise(**cells):
    return CoverageTarget(**{"participant": ("us",), "level": 0.9} | cells)


def careless(toy, *coverage):
    """The toy instance where shortages cost nothing: only promises make anybody hold anything."""
    classes = tuple(replace(row, shortage_cost_multiple=0.0) for row in toy.classes)
    return replace(toy, classes=classes, coverage=coverage)


# --- Steps with known answers ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "lot", "lots_before", "lots_after"),
    [(30, 1.0, 30, 31), (30, 7.0, 5, 5), (35, 7.0, 5, 6), (0, 2.5, 0, 1), (364, 0.5, 728, 730)],
)
def test_a_day_of_cover_costs_the_lots_that_it_takes(days, lot, lots_before, lots_after):
    """A tonne is used a day, so d days take ceil(d / lot) lots; holding one costs 3 USD x its size.

    A missing tonne costs nothing and nothing ever happens, so that nothing else is held.
    """
    promised = promise(metric="days", level=float(days))
    made = one_material(
        monthly_demand_t=[365.0 / 12.0],
        scenarios=[(1.0, {})],
        holding_usd_per_t=3.0,
        shortage_usd_per_t=[0.0],
        lot_t=lot,
        coverage=[promised],
    )
    found = marginals(made, gap=0.0)
    row = only_row(found)
    assert found.annual_cost_usd == pytest.approx(lots_before * lot * 3.0)
    assert row["change_usd_per_year"] == pytest.approx((lots_after - lots_before) * lot * 3.0)
    assert (row["before"], row["after"]) == (days, days + 1)
    assert row["reading"] == ("costs" if lots_after > lots_before else "nothing")
    assert row["low_usd_per_year"] <= row["change_usd_per_year"] <= row["high_usd_per_year"]


def test_a_newsvendor_that_promises_a_chance():
    """Ten equally likely needs, 10 to 100 t in lots of 10 t; a tonne costs 3 USD to hold.

    Shortages cost nothing. To serve all in 0.75 of the cases takes 80 t; in 0.85, 90 t.
    """
    made = one_material(
        monthly_demand_t=[100.0],
        scenarios=[(0.1, {"us": [(1, 1, need / 100.0)]}) for need in range(10, 101, 10)],
        holding_usd_per_t=3.0,
        shortage_usd_per_t=[0.0],
        lot_t=10.0,
        coverage=[promise(metric="chance", level=1.0, confidence=0.75)],
    )
    found = marginals(made, step_fraction=0.1, gap=0.0)
    assert found.annual_cost_usd == pytest.approx(240.0)
    assert only_row(found)["after"] == 0.85
    assert only_row(found)["change_usd_per_year"] == pytest.approx(30.0)
    # 1 - 0.25 x at x = 2.8, 1, 0.6, 0.2: 0.3, 0.75, 0.85 and 0.95 of the cases.
    curve = frontier(made, "coverage", values=[0.2, 2.8, 0.6, 1.0], gap=0.0)
    assert [point.parameter for point in curve.points] == [2.8, 1.0, 0.6, 0.2]
    assert [point.holding_t for point in curve.points] == pytest.approx([30.0, 80.0, 90.0, 100.0])
    assert [point.annual_cost_usd for point in curve.points] == pytest.approx(
        [90.0, 240.0, 270.0, 300.0]
    )


def test_steps_of_the_toy_instance_by_hand(toy):
    """31 days take a fourth lot: 20,000 USD, less 0.1 x 1,000 of shipping saved.

    A little more than half of defense needs in `gallium_to_both` takes the same fourth lot.
    """
    found = marginals(toy)
    table = found.table
    assert found.per == "material"
    assert found.complete
    assert list(zip(table["kind"], table["participant"], table["material"], strict=True)) == [
        (kind, c, "gallium") for kind in ("days", "level") for c in ("us", "japan")
    ]
    assert table["change_usd_per_year"].tolist() == pytest.approx([19_900.0] * 4)
    assert set(table["reading"]) == {"costs"}
    assert table["after"].tolist() == [31.0, 31.0, 0.51, 0.51]
    assert found.annual_cost_usd == pytest.approx(440_600.0)
    together = marginals(toy, per="row").table
    assert together["participant"].tolist() == ["*", "*"]
    assert together["change_usd_per_year"].tolist() == pytest.approx([39_800.0] * 2)


def test_a_million_of_budget_buys_the_lot_that_was_out_of_reach(toy):
    """9 million buy 3 of 5 lots of dysprosium, 10 million 4 of them.

    With 3 lots 3 t are missing, with 4 lots 1 t: 800,000 less of shortage, 64,000 more of holding.
    """
    found = marginals(with_joint_budget(toy, 9e6), rows=[])
    row = only_row(found)
    assert found.per == "row"
    assert found.annual_cost_usd == pytest.approx(440_600.0 + 336_000.0 + 736_000.0)
    assert (row["kind"], row["participant"], row["material"]) == ("budget", "all", "")
    assert pd.isna(row["row"])
    assert row["change_usd_per_year"] == pytest.approx(-736_000.0)
    assert row["reading"] == "saves"


def test_a_budget_that_does_not_bind_is_worth_nothing(toy):
    row = only_row(marginals(with_joint_budget(toy, 11e6), rows=[]))
    assert row["change_usd_per_year"] == pytest.approx(0.0, abs=1e-3)
    assert row["high_usd_per_year"] <= 0.0
    assert row["reading"] == "nothing"


def test_each_budget_of_the_world_gets_a_step(toy):
    """Of the United States 9.4 million are too much, of Japan 3.2 million too little."""
    own = tuple(
        replace(row, acquisition_budget_usd=usd)
        for row, usd in zip(toy.participants, (9.4e6, 3.2e6), strict=True)
    )
    limited = replace(toy, participants=own)
    shared = marginals(limited, rows=[]).table
    assert shared["participant"].tolist() == ["us", "japan"]
    assert marginals(limited, rows=[], participants=["us"]).table["participant"].tolist() == ["us"]
    # In `joint` the budgets are one, the sum.
    joint = marginals(limited, rows=[], cooperation="joint").table
    assert joint[["participant", "before", "after"]].to_numpy().tolist() == [
        ["all", 12.6e6, 13.6e6]
    ]
    assert marginals(toy, rows=[], cooperation="joint").table.empty
    assert marginals(limited, rows=[], step_usd=None).table.empty


def test_what_the_gaps_leave_open_is_said(toy):
    """With a gap of 30 % a lot more or less makes no proved difference."""
    loose = marginals(toy, gap=0.3)
    for row in loose.table.to_dict(orient="records"):
        assert 0.0 <= row["low_usd_per_year"] <= 19_900.0 <= row["high_usd_per_year"] * (1 + 1e-9)
    unsure = loose.table[loose.table["low_usd_per_year"] == 0.0]
    assert (unsure["reading"] == "not more than the gaps can tell").all()


def test_a_step_that_leaves_no_plan_is_named(toy):
    """With room for 3 t in the United States 31 days cannot be had."""
    narrow = replace(toy, holdings=(Holding(participant="us", material="gallium", max_t=3.0),))
    row = only_row(marginals(narrow, rows=[1], participants=["us"]))
    assert row["status"] == "infeasible"
    assert row["reading"] == "cannot be had: no plan is left"
    assert math.isnan(row["change_usd_per_year"])
    assert "days 31" in row["conflicts"]


def test_without_a_plan_there_is_nothing_to_step_from(toy):
    hopeless = replace(toy, holdings=(Holding(participant="us", material="gallium", max_t=2.0),))
    found = marginals(hopeless)
    assert found.status == "infeasible"
    assert found.conflicts
    assert found.annual_cost_usd is None
    assert found.table.empty
    assert "no plan to start from" in marginals_text(found)


def test_what_is_kept_already_takes_no_solve(toy, monkeypatch):
    """3 of 6 t of need are promised in lots of 2 t, and 4 t are held: 0.6 is kept as well."""
    promised = promise(
        participant=("japan",), material=("dy_oxide",), metric="fill_rate", level=0.5
    )
    solved = []
    solve = Resolver.plan
    monkeypatch.setattr(Resolver, "plan", lambda *a, **k: solved.append(a) or solve(*a, **k))
    found = marginals(careless(toy, promised), step_fraction=0.1)
    assert (only_row(found)["status"], only_row(found)["reading"]) == ("kept", "nothing")
    assert len(solved) == 1
    more = only_row(marginals(careless(toy, promised), step_fraction=0.2))
    assert (more["status"], more["reading"]) == ("optimal", "costs")
    assert more["change_usd_per_year"] == pytest.approx(64_000.0)
    assert "Steps to what the plan keeps already: 1, each costs nothing." in marginals_text(found)


def test_confidences_stay_below_one_and_levels_may_become_one(toy):
    """What is 1 already cannot be raised."""
    japan = {"participant": ("japan",), "material": ("dy_oxide",), "demand_class": ("industry",)}
    found = marginals(
        careless(
            toy,
            promise(**japan, metric="chance", level=0.5, confidence=0.995),
            promise(**japan, metric="cvar", level=0.2, confidence=0.9),
            promise(**japan, metric="chance", level=0.5, confidence=1.0),
            promise(**japan, metric="fill_rate", level=0.995),
            promise(**japan, metric="fill_rate", level=1.0),
            promise(**japan, metric="joint_chance", level=0.5, confidence=0.7, group="g"),
            promise(**japan, metric="joint_chance", level=0.2, confidence=0.7, group="g"),
        )
    )
    assert found.table["before"].tolist() == [0.995, 0.9, 1.0, 0.995, 1.0, 0.7]
    assert found.table["after"].tolist() == [0.9975, 0.91, 1.0, 1.0, 1.0, 0.71]
    assert found.table["row"].tolist() == [1, 2, 3, 4, 5, 6]
    full = found.table["status"] == "full"
    assert full.tolist() == [False, False, True, False, True, False]
    assert set(found.table.loc[full, "reading"]) == {"nothing more can be promised"}
    assert "no more to promise: 2" in marginals_text(found)


def test_steps_are_chosen(toy):
    table = marginals(toy, rows=[2], participants=["japan"]).table
    assert table[["row", "participant"]].to_numpy().tolist() == [[2, "japan"]]
    assert marginals(toy, materials=["dy_oxide"]).table.empty
    assert len(marginals(toy, materials=["gallium"], rows=[1]).table) == 2


def test_wrong_arguments_are_refused_all_at_once(toy):
    with pytest.raises(sp.UsageError) as refused:
        marginals(
            toy,
            per="nation",
            rows=[0],
            participants=["usa"],
            materials=["galium"],
            step_days=0.0,
            step_fraction=1.5,
            step_usd=-1.0,
        )
    for word in ("per", "rows 1 to 2", "us?", "gallium?", "step_days", "step_fraction", "step_usd"):
        assert word in str(refused.value)
    for values in ([], [0.0], [math.nan], [math.inf], [-1.0]):
        with pytest.raises(sp.UsageError, match="values"):
            frontier(careless(toy, promise(metric="fill_rate")), "coverage", values=values)
    with pytest.raises(sp.UsageError, match="points"):
        frontier(toy, "budget", points=1)
    with pytest.raises(sp.UsageError, match="vary"):
        frontier(toy, "stress")
    with pytest.raises(sp.UsageError, match="nothing to vary"):
        frontier(toy, "coverage")


# --- Steps against the enumeration ----------------------------------------------------------------


def raised(inst, row):
    """The oracle's reading of an instance with the step of a row of a table of marginals."""
    changed = {**inst, "cache": {}, "budget": dict(inst["budget"])}
    after = Fraction(str(row["after"]))
    if row["kind"] == "budget":
        agreement = dict(inst["agreement"])
        if row["participant"] == "all":
            agreement["joint_budget_usd"] = after
        else:
            changed["budget"][row["participant"]] = after
        return {**changed, "agreement": agreement}
    column = "confidence" if row["kind"] == "confidence" else "level"
    old = inst["coverage"][int(row["row"]) - 1]
    assert float(old[column]) == row["before"]
    changed["coverage"] = []
    for other in inst["coverage"]:
        if old["metric"] == "joint_chance":
            same = other["metric"] == "joint_chance" and other["group"] == old["group"]
            changed["coverage"].append({**other, column: str(after)} if same else other)
        elif other is not old:
            changed["coverage"].append(other)
        else:
            for c in oracle.names(old, "participant", inst["participants"]):
                for m in oracle.names(old, "material", inst["materials"]):
                    concerned = c in oracle.names(
                        row, "participant", inst["participants"]
                    ) and m in oracle.names(row, "material", inst["materials"])
                    single = {**old, "participant": c, "material": m}
                    changed["coverage"].append(
                        {**single, column: str(after)} if concerned else single
                    )
    return changed


def compare(row, before, after):
    """A row of a table of marginals says by how much the optimum changes, or that none is left."""
    if after is None:
        assert row["status"] == "infeasible"
        return
    assert row["status"] in ("optimal", "kept")
    tolerance = max(1e-6, 1e-8 * abs(before))
    assert row["change_usd_per_year"] == pytest.approx(after - before, abs=tolerance)
    assert row["low_usd_per_year"] - tolerance <= after - before
    assert after - before <= row["high_usd_per_year"] + tolerance
    if abs(after - before) > 1e-6 * abs(before):
        assert row["reading"] == ("costs" if after > before else "saves")


def test_steps_are_differences_of_enumerated_optima(tmp_path):
    """Instances without couplings, half of them row by row."""
    compared, moved = 0, 0
    for seed in range(36):
        folder = tmp_path / f"{seed}"
        folder.mkdir()
        write_random_instance(folder, seed)
        inst, world = oracle.read(folder), COOPERATION[seed % 3]
        before = oracle.enumerate_plan(inst, world)
        found = marginals(
            sp.load(folder),
            gap=0.0,
            cooperation=world,
            per=("material", "row")[seed % 2],
            step_days=40.0,
            step_fraction=0.3,
        )
        if before is None:
            assert found.status == "infeasible"
            continue
        rows = [row for row in found.table.to_dict(orient="records") if row["status"] != "full"]
        for row in random.Random(seed).sample(rows, min(3, len(rows))):
            after = oracle.enumerate_plan(raised(inst, row), world)
            compare(row, before, after)
            compared += 1
            moved += after is None or after > before * (1.0 + 1e-9)
    assert compared > 40
    assert moved > 10


COUPLED = [
    ["budget"],
    ["joint_budget"],
    ["joint_chance"],
    ["budget", "joint_chance"],
    ["storage", "joint_budget"],
    ["cvar", "budget"],
    ["max_rules", "joint_budget"],
    ["nobody_worse_off", "budget"],
]


def budget_step(inst):
    """A third of the largest budget, which often buys another lot."""
    given = [usd for usd in inst["budget"].values() if usd is not None]
    given += [Fraction(str(inst["agreement"].get("joint_budget_usd", 1)))]
    return max(1.0, float(round(max(given) / 3)))


def unique(inst):
    """Whether it is clear what each participant bears alone, if that is asked."""
    asked = inst["agreement"].get("nobody_worse_off")
    return not asked or coupled_oracle.standalone_is_unique(inst)


def test_steps_are_differences_of_enumerated_optima_with_couplings(tmp_path):
    compared, moved = 0, 0
    for seed in range(24):
        folder = tmp_path / f"{seed}"
        inst, world = write_coupled_instance(folder, 700 + seed, COUPLED[seed % len(COUPLED)])
        best = coupled_oracle.enumerate_coupled(inst, world)
        found = marginals(
            sp.load(folder), gap=0.0, step_fraction=0.3, step_days=40.0, step_usd=budget_step(inst)
        )
        if best is None:
            assert found.status == "infeasible"
            continue
        for row in found.table.to_dict(orient="records"):
            changed = raised(inst, row)
            if row["status"] == "full" or not (unique(inst) and unique(changed)):
                continue
            after = coupled_oracle.enumerate_coupled(changed, world)
            compare(row, best.annual_cost, after and after.annual_cost)
            compared += 1
            moved += after is None or abs(after.annual_cost / best.annual_cost - 1.0) > 1e-9
    assert compared > 25
    assert moved > 12


def test_intervals_hold_with_a_gap(tmp_path):
    """With 10 % left open the enumerated change lies inside what is reported."""
    compared = 0
    for seed in range(10):
        folder = tmp_path / f"{seed}"
        inst, world = write_coupled_instance(folder, 800 + seed, COUPLED[seed % 7])
        best = coupled_oracle.enumerate_coupled(inst, world)
        if best is None:
            continue
        step = budget_step(inst)
        found = marginals(sp.load(folder), gap=0.1, step_usd=step, step_fraction=0.3)
        assert at_most(found.bound_usd, best.annual_cost)
        assert at_most(best.annual_cost, found.annual_cost_usd)
        for row in found.table.to_dict(orient="records"):
            if row["status"] in ("full", "infeasible"):
                continue
            after = coupled_oracle.enumerate_coupled(raised(inst, row), world)
            change = after.annual_cost - best.annual_cost
            assert at_most(row["low_usd_per_year"], change + 1e-8 * best.annual_cost)
            assert at_most(change, row["high_usd_per_year"] + 1e-8 * best.annual_cost)
            compared += 1
    assert compared > 10


# --- The curve ------------------------------------------------------------------------------------


def require_order(curve):
    """Neither cost nor bound falls towards the strict end; only infeasible ones follow one."""
    costs = [point.annual_cost_usd for point in curve.points if point.plan is not None]
    bounds = [point.bound_usd for point in curve.points if point.bound_usd is not None]
    for values in (costs, bounds):
        assert all(at_most(loose, strict) for loose, strict in itertools.pairwise(values))
    statuses = [point.status for point in curve.points]
    if "infeasible" in statuses:
        assert set(statuses[statuses.index("infeasible") :]) == {"infeasible"}
    for point in curve.points:
        if point.plan is not None and point.bound_usd is not None:
            assert point.bound_usd <= point.annual_cost_usd
            assert point.annual_cost_usd == curve.points[point.plan_of - 1].plan.annual_cost_usd


def test_the_budget_curve_of_the_toy_instance_by_hand(toy):
    """Gallium has to be bought for 3 million; each lot of dysprosium costs 1.6 million.

    Without a budget 5 lots are held. The fifth missing costs 336,000, each further one 736,000,
    until with the last one 4 lots of the toy's 9 t are bought by nobody.
    """
    curve = frontier(toy, "budget", values=[0.2, 1.0, 0.9, 0.3, 0.6, 0.25])
    assert [point.parameter for point in curve.points] == [None, 1.0, 0.9, 0.6, 0.3, 0.25, 0.2]
    assert curve.points[0].budget_usd is None
    assert [point.budget_usd for point in curve.points[1:]] == pytest.approx(
        [11e6, 9.9e6, 6.6e6, 3.3e6, 2.75e6, 2.2e6]
    )
    costs = [440_600.0, 440_600.0, 776_600.0, 2_248_600.0, 3_720_600.0]
    assert [point.annual_cost_usd for point in curve.points[:5]] == pytest.approx(costs)
    assert [point.outlay_usd for point in curve.points[:5]] == pytest.approx(
        [11e6, 11e6, 9.4e6, 6.2e6, 3e6]
    )
    assert [point.holding_t for point in curve.points[:5]] == pytest.approx([16, 16, 14, 10, 6])
    require_order(curve)
    # The end is infeasible: the first such point says why, the others point to it.
    lost = curve.points[5:]
    assert [point.status for point in lost] == ["infeasible", "infeasible"]
    assert lost[0].conflicts
    assert lost[1].conflicts == ("Point 6, which asks for less, is infeasible already.",)
    assert lost[1].seconds == 0.0
    assert all(point.annual_cost_usd is point.bound_usd is point.gap is None for point in lost)
    text = frontier_text(curve)
    assert "no limit" in text
    assert text.count("| infeasible") == 2


def test_default_points_hold_the_instance_itself(toy):
    curve = frontier(careless(toy, promise(metric="fill_rate", material=("gallium",))), "coverage")
    assert [point.parameter for point in curve.points] == pytest.approx(
        [2.0, 2**0.5, 1.0, 0.5**0.5, 0.5, 0.125**0.5, 0.25], abs=1e-6
    )
    limited = with_joint_budget(toy, 11e6)
    for points, expected in ((3, [1.5, 1.0, 0.5]), (4, [1.5, 1.0, 0.833333, 0.5])):
        curve = frontier(limited, "budget", points=points)
        assert [point.parameter for point in curve.points] == pytest.approx(expected)


def test_scaled_instances_are_valid():
    """Of every instance of the repository and of every metric."""
    rows = [
        promise(metric="chance", level=0.7, confidence=0.3),
        promise(metric="cvar", level=0.7, confidence=0.999999999),
        promise(metric="joint_chance", level=0.7, confidence=0.8, group="g"),
        promise(metric="fill_rate", level=0.6),
        promise(metric="days", level=30.0),
        promise(metric="chance", level=0.7, confidence=1.0),
    ]
    instance = replace(sp.load(TOY), coverage=tuple(rows))
    assert scaled_promises(instance, 1.0) == instance
    sp.validate(scaled_promises(instance, 1e-6))
    loose = scaled_promises(instance, 2.0)
    sp.validate(loose)
    figures = [row.confidence for row in loose.coverage[:3]] + [
        row.level for row in loose.coverage[3:5]
    ]
    assert figures == pytest.approx([0.0, 0.999999998, 0.6, 0.2, 30.0])
    assert loose.coverage[5] == rows[5]
    half = scaled_budgets(with_joint_budget(instance, 10.0), 0.5)
    assert half.agreement.joint_budget_usd == 5.0
    assert [row.acquisition_budget_usd for row in half.participants] == [None, None]


def scaled_oracle(inst, vary, parameter):
    """The oracle's reading of an instance at a point of the curve."""
    x = Fraction(str(parameter))
    changed = {**inst, "cache": {}, "coverage": []}
    for row in inst["coverage"]:
        column = {"fill_rate": "level", "days": "", "stress": ""}.get(row["metric"], "confidence")
        if vary == "coverage" and column:
            row = {**row, column: str(max(Fraction(0), 1 - (1 - Fraction(row[column])) * x))}
        changed["coverage"].append(row)
    if vary == "budget":
        changed["budget"] = {c: usd and usd * x for c, usd in inst["budget"].items()}
        agreement = dict(inst["agreement"])
        if "joint_budget_usd" in agreement:
            agreement["joint_budget_usd"] = Fraction(str(agreement["joint_budget_usd"])) * x
        changed["agreement"] = agreement
    return changed


def test_curves_hold_the_enumerated_optima(tmp_path):
    """And never fall, with a gap of 8 % at every point."""
    compared = lost = 0
    for seed in range(16):
        folder = tmp_path / f"{seed}"
        names = COUPLED[seed % 7]
        inst, world = write_coupled_instance(folder, 900 + seed, names)
        vary = "coverage" if "joint_chance" in names else "budget"
        try:
            curve = frontier(sp.load(folder), vary, values=[2, 1.5, 1, 0.7, 0.3], gap=0.08)
        except sp.UsageError:  # All confidences are 1.
            assert vary == "coverage"
            continue
        assert curve.monotone
        require_order(curve)
        for point in curve.points:
            best = coupled_oracle.enumerate_coupled(
                scaled_oracle(inst, vary, point.parameter), world
            )
            compared += 1
            if best is None:
                assert point.status == "infeasible"
                lost += 1
            else:
                assert at_most(point.bound_usd, best.annual_cost)
                assert at_most(best.annual_cost, point.annual_cost_usd)
    assert compared > 50
    assert lost > 5


def test_points_help_each_other(toy, monkeypatch):
    """The first point has a bad plan, the second a bad bound, the third neither plan nor bound."""
    solve = Resolver.plan

    def worse(self, instance, title, number, *more):
        plan = solve(self, instance, title, number, *more)
        if number == 0:
            return replace(plan, annual_cost_usd=500_000.0, gap=0.1)
        if number == 1:
            return replace(plan, bound_usd=400_000.0, gap=0.1)
        if number == 2:
            nothing = dict.fromkeys(("annual_cost_usd", "bound_usd", "gap"))
            return replace(plan, status=sp.Status.TIME_LIMIT, **nothing)
        return plan

    monkeypatch.setattr(Resolver, "plan", worse)
    curve = frontier(toy, "budget", values=[1, 0.9, 0.8])
    require_order(curve)
    assert [point.plan_of for point in curve.points] == [2, 2, 4, 4]
    assert [point.bound_of for point in curve.points] == [1, 1, 1, 4]
    costs = [440_600.0, 440_600.0, 1_512_600.0, 1_512_600.0]
    assert [point.annual_cost_usd for point in curve.points] == pytest.approx(costs)
    assert curve.points[2].bound_usd == pytest.approx(440_600.0)
    assert curve.points[2].status == "time_limit"
    assert curve.points[2].outlay_usd == pytest.approx(7.8e6)
    assert [point.gap for point in curve.points] == pytest.approx([0, 0, 1_072 / 1_512.6, 0])
    assert "Helped by" in frontier_text(curve)


def test_where_nobody_may_be_worse_off_points_say_nothing_of_each_other(toy):
    fair = replace(toy, agreement=replace(toy.agreement, nobody_worse_off=True))
    curve = frontier(fair, "budget", points=3)
    assert not curve.monotone
    assert "(16)" in curve.notes[0]
    assert all(point.plan_of == point.bound_of == point.point for point in curve.points)
    assert not marginals(fair, rows=[1]).monotone
    assert frontier(fair, "budget", points=2, cooperation="none").monotone


def test_points_without_a_plan_in_time_are_shown(toy):
    curve = frontier(with_joint_budget(toy, 9e6), "budget", points=2, time_limit=1e-9)
    assert [point.status for point in curve.points] == ["time_limit", "time_limit"]
    assert curve.complete
    assert all(point.plan is None and point.gap is None for point in curve.points)
    assert "time_limit, no plan" in frontier_text(curve)
    assert len(curve.table) == 2
    json.loads(curve.to_json())
    alone = frontier(toy, "budget", time_limit=1e-9)
    assert len(alone.points) == alone.asked == 1
    assert "no budget was tried" in alone.notes[0]


def test_where_nothing_is_bought_no_budget_binds(toy):
    bare = careless(toy, promise(metric="fill_rate", level=0.0))
    curve = frontier(bare, "budget")
    assert len(curve.points) == curve.asked == 1
    assert "no budget can bind" in curve.notes[0]


def test_a_contradiction_between_points_is_a_bug(toy, monkeypatch):
    solve = Resolver.plan

    def wrong(self, instance, *more):
        plan = solve(self, instance, *more)
        return replace(plan, annual_cost_usd=1.0, bound_usd=1.0) if more[1] == 2 else plan

    monkeypatch.setattr(Resolver, "plan", wrong)
    with pytest.raises(sp.errors.CheckError, match="proved to be least"):
        frontier(toy, "budget", values=[1, 0.9])


# --- Ctrl-C ---------------------------------------------------------------------------------------


def interrupt_when(condition):
    """A function for ``progress`` that sends Ctrl-C once, at the first report that fits."""
    sent = []

    def report(progress):
        if not sent and condition(progress):
            sent.append(progress)
            os.kill(os.getpid(), signal.SIGINT)

    return report


def test_ctrl_c_returns_the_points_so_far(toy, capfd):
    curve = sp.frontier(
        toy, "budget", values=[1, 0.9, 0.6], progress=interrupt_when(lambda p: p.done == 2)
    )
    assert not curve.complete
    assert curve.asked == 4
    assert len(curve.points) in (2, 3)  # The one at work is shown if it has a plan.
    assert all(point.bound_usd <= point.annual_cost_usd for point in curve.points)
    assert curve.points[0].annual_cost_usd == pytest.approx(440_600.0)
    require_order(curve)
    assert f"{len(curve.points)} of 4 points" in frontier_text(curve)
    assert not curve.summary()["complete"]


def test_ctrl_c_returns_the_steps_so_far(toy, capfd):
    found = sp.marginals(toy, progress=interrupt_when(lambda p: p.done == 2 and p.total == 4))
    assert not found.complete
    assert found.steps == 4
    assert 2 <= len(found.table) < 4
    assert found.table["change_usd_per_year"].tolist()[:2] == pytest.approx([19_900.0] * 2)


# --- Files, text, command line --------------------------------------------------------------------


def test_the_folder_says_what_the_curve_says(toy, tmp_path):
    curve = frontier(toy, "budget", values=[1, 0.9, 0.25])
    steps = marginals(toy)
    curve.save(tmp_path / "curve", steps)
    names = {path.name for path in (tmp_path / "curve").iterdir()}
    assert names == set(frontier_points.FILES)
    read = pd.read_csv(tmp_path / "curve" / "frontier.csv")
    assert list(read) == list(frontier_points.COLUMNS)
    assert read["point"].tolist() == [1, 2, 3, 4]
    assert read["annual_cost_usd"].tolist()[:3] == [
        point.annual_cost_usd for point in curve.points[:3]
    ]
    assert read.loc[3, ["status", "plan_of"]].isna().tolist() == [False, True]
    table = pd.read_csv(tmp_path / "curve" / "marginals.csv")
    assert list(table) == list(marginal_costs.COLUMNS)
    assert table["change_usd_per_year"].tolist() == pytest.approx([19_900.0] * 4)
    said = json.loads((tmp_path / "curve" / "frontier.json").read_text(encoding="utf-8"))
    assert said["instance"] == {"name": "toy", "hash": toy.content_hash}
    assert [point["point"] for point in said["points"]] == [1, 2, 3, 4]
    assert said["marginals"]["steps"] == 4
    # An earlier frontier is replaced as a whole, anything else is left alone.
    curve.save(tmp_path / "curve")
    assert {path.name for path in (tmp_path / "curve").iterdir()} == names - {"marginals.csv"}
    (tmp_path / "curve" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(sp.UsageError, match=r"notes\.txt"):
        curve.save(tmp_path / "curve")


def test_files_are_documented():
    page = (ROOT / "docs" / "frontier.md").read_text(encoding="utf-8")
    for heading, names in (
        ("### Result: `frontier.csv`", list(frontier_points.COLUMNS)),
        ("### Result: `marginals.csv`", list(marginal_costs.COLUMNS)),
        ("### Result: `frontier.json`", None),
    ):
        rows = heading_and_table(page, heading)
        if names is None:
            toy = sp.load(TOY)
            names = list(frontier(toy, "budget", values=[1]).summary())
        assert [row[0].strip("`") for row in rows] == names
        assert all(len(row) == 3 and row[2] for row in rows)


@pytest.fixture
def run(capsys):
    """Run the command line in this process: exit status, stdout, stderr."""

    def command(*arguments):
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return command


def test_the_command_prints_and_writes(run, tmp_path):
    status, out, err = run(
        "frontier",
        TOY,
        "--vary",
        "budget",
        "--values",
        "1,0.9",
        "--marginals",
        "--out",
        tmp_path / "curve",
    )
    assert status == 0
    assert "776.6 thousand USD" in out
    assert "+19,900" in out
    assert err == f"Written to {tmp_path / 'curve'}.\n"
    assert (tmp_path / "curve" / "marginals.csv").is_file()
    status, out, err = run("frontier", TOY, "--vary", "budget", "--points", 2, "--json")
    assert (status, err) == (0, "")
    assert [point["parameter"] for point in json.loads(out)["points"]] == [None, 1.0, 0.4]
    status, out, err = run("frontier", TOY, "--vary", "budget", "--points", 2)
    assert "Nothing was saved" in err


def test_options_of_steps_reach_them(run):
    status, out, _ = run(
        "frontier",
        TOY,
        "--vary",
        "budget",
        "--values",
        "1",
        "--marginals",
        "--per",
        "row",
        "--rows",
        "1",
        "--participants",
        "us",
        "--materials",
        "gallium",
        "--step-days",
        "70",
    )
    assert status == 0
    assert "30 to 100 days" in out
    assert "stress" not in out


def test_the_exit_status_tells_what_happened(run, tmp_path, toy):
    folder = tmp_path / "hopeless"
    sp.save(
        replace(toy, holdings=(Holding(participant="us", material="gallium", max_t=2.0),)), folder
    )
    status, out, _ = run("frontier", folder, "--vary", "budget")
    assert status == 3
    assert "days 30" in out
    late = run("frontier", TOY, "--vary", "budget", "--time-limit", "1e-9")
    assert late[0] == 4
    for wrong in (
        ["--vary", "coverage"],
        ["--vary", "budget", "--values", "1,x"],
        ["--vary", "budget", "--values", "-1,"],
        ["--vary", "budget", "--values", "1", "--points", "3"],
        ["--vary", "budget", "--points", "1"],
        ["--vary", "budget", "--marginals", "--rows", "a"],
        ["--vary", "budget", "--marginals", "--rows", "9"],
        ["--vary", "budget", "--out", TOY],
        [],
    ):
        status, out, err = run("frontier", TOY, *wrong)
        assert (status, out) == (2, ""), wrong
        assert err.startswith("stockpile: ")


def test_ctrl_c_on_the_command_line_keeps_the_points_so_far(run, tmp_path, monkeypatch):
    solve = Resolver.plan

    def interrupted(self, *arguments, **more):
        if arguments[2] == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return solve(self, *arguments, **more)

    monkeypatch.setattr(Resolver, "plan", interrupted)
    status, out, err = run(
        "frontier",
        TOY,
        "--vary",
        "budget",
        "--values",
        "1,0.9,0.8",
        "--marginals",
        "--out",
        tmp_path / "curve",
    )
    assert status == 1
    assert "of 4 points" in out
    assert "stopped at" in err
    assert "before any step was solved" in err
    said = json.loads((tmp_path / "curve" / "frontier.json").read_text(encoding="utf-8"))
    assert not said["complete"]
    assert 2 <= len(said["points"]) <= 3
