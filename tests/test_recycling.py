"""Recycling in equation (2): by hand, and against plain arithmetic month by month."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_needs import by_month, instance, loss, needs_of, surge

import stockpile as sp
from stockpile.foresight_bound import foresight
from stockpile.problem import build_problem
from stockpile.scenarios import stress_cases
from stockpile.tables import Commercial, Demand, Holding, Recycling, StressEvent


def recycling(rate, **cells):
    return Recycling(
        **{"participant": "us", "material": "gallium", "collection_rate": rate} | cells
    )


def recycled(*rows, **more):
    """What is recycled of gallium in the United States in each month [t]; normal use is 3 t."""
    problem = build_problem(instance(recycling=rows, **more))
    return problem.recycled[0, 0].tolist()


# --- What comes back ------------------------------------------------------------------------------


def test_a_tenth_of_normal_use_of_all_classes_is_collected_and_half_of_it_recovered():
    """3 t x 0.1 x 0.5 = 0.15 t a month, from the first month on."""
    assert recycled(recycling(0.1, yield_=0.5)) == pytest.approx([0.15] * 12)


def test_the_rate_grows_after_the_delay_and_stops_at_its_most():
    """0.01 a month after month 3, up to 0.15: 0.10 three times, 0.11 ... 0.15, then 0.15."""
    rates = [0.1, 0.1, 0.1, 0.11, 0.12, 0.13, 0.14, 0.15, 0.15, 0.15, 0.15, 0.15]
    rows = recycling(
        0.1, collection_growth_per_year=0.12, collection_max=0.15, yield_=0.5, delay_months=2
    )
    assert recycled(rows) == pytest.approx([3.0 * rate * 0.5 for rate in rates])


def test_without_a_most_everything_may_be_collected_in_the_end():
    """0.9 + 0.6 a year is 0.95 in month 2 and 1 from month 3 on."""
    found = recycled(recycling(0.9, collection_growth_per_year=0.6))
    assert found == pytest.approx([2.7, 2.85] + [3.0] * 10)


def test_rows_of_one_material_add_up_and_may_collect_another_product():
    """Of 3 t of gallium 0.2 is 0.6 t; of 4 t of wafers 0.5 x 0.25 is 0.5 t: 1.1 t."""
    made = instance()
    wafer = replace(made.materials[0], material="wafer", name="Wafer")
    made = replace(
        made,
        materials=(*made.materials, wafer),
        demand=(
            *made.demand,
            Demand(
                participant="us", material="wafer", demand_class="defense", demand_t_per_year=48.0
            ),
        ),
        recycling=(recycling(0.2), recycling(0.5, from_material="wafer", yield_=0.25)),
    )
    problem = build_problem(made)
    assert problem.recycled[0].tolist() == [pytest.approx([1.1] * 12), [0.0] * 12]
    with pytest.raises(ValueError, match="read-only"):
        problem.recycled[0, 0, 0] = 1.0


# --- What it does to needs, equation (2) ----------------------------------------------------------


def test_what_is_recycled_is_taken_off_the_gap():
    """Half of 3 t is lost and 3 x 0.2 = 0.6 t come back: 0.9 t are missing, of industry."""
    needs = needs_of(instance(loss("china", 3, 2), recycling=(recycling(0.2),)))
    assert by_month(needs, needs.need) == {3: [0, 0.9], 4: [0, 0.9]}
    # The loss (1), which opens releases, is that of normal supply.
    assert by_month(needs, needs.loss) == {3: [0.5], 4: [0.5]}


def test_recycling_never_makes_a_surplus_for_later():
    """All 3 t come back: months of a loss of half need nothing, a loss of all neither."""
    made = instance(loss("china", 1, 9), loss("myanmar", 5, 2), recycling=(recycling(1.0),))
    assert needs_of(made).scenario.size == 0


def test_a_surge_is_of_demand_and_not_of_what_comes_back():
    """Twice the demand is 6 t; 3 t of supply and 3 x 0.2 t are there: industry lacks 2.4 t."""
    needs = needs_of(instance(surge(6, 1, 1.0), recycling=(recycling(0.2),)))
    assert by_month(needs, needs.need) == {6: [0.0, 2.4]}


def test_in_proportion_the_smaller_gap_is_shared():
    """Of 1.5 - 0.6 = 0.9 t a third is of defense."""
    made = instance(loss("china", 2, 1), recycling=(recycling(0.2),), allocation="pro_rata")
    needs = needs_of(made)
    assert by_month(needs, needs.need) == {2: [pytest.approx(0.3), pytest.approx(0.6)]}


def test_an_event_is_as_old_as_the_gap_that_recycling_leaves():
    """A loss of a tenth of 3 x 0.5 t is made up for; half from month 4 on is not: age 0 there."""
    made = instance(loss("china", 1, 3, 0.1), loss("china", 4, 2, 0.9), recycling=(recycling(0.2),))
    needs = needs_of(made)
    assert (needs.month + 1).tolist() == [4, 5]
    assert needs.age.tolist() == [[0], [1]]


def test_firms_refill_in_months_in_which_recycling_closes_the_gap():
    """Firms hold 0.9 t, all of which month 1 takes. Months 2 and 3 bring back a sixth, 0.15 t each.

    Month 4: 1.5 - 0.6 = 0.9 t, less 0.3 t of firms, leave 0.6 t.
    """
    firms = Commercial(participant="us", material="gallium", industry_days=0.9 * 365.0 / 36.0)
    made = instance(
        loss("china", 1, 1),
        loss("china", 2, 2, 0.1),
        loss("china", 4, 1),
        recycling=(recycling(0.2),),
        commercial=(firms,),
    )
    needs = needs_of(made)
    assert by_month(needs, needs.need) == {4: [0.0, 0.6]}


def test_stress_cases_know_recycling():
    made = instance(
        recycling=(recycling(0.2),),
        stress=(
            StressEvent(
                stress="halt", source="china", start_month=2, duration_months=1, severity=1.0
            ),
        ),
    )
    needs = needs_of(made, scenarios=stress_cases(made, build_problem(made)))
    assert by_month(needs, needs.need) == {2: [0.0, 0.9]}


def test_needs_with_recycling_equal_plain_arithmetic():
    """Random events and rows: supply and demand of every month are counted one by one."""
    rng = np.random.default_rng(7)
    needed = 0
    for _ in range(40):
        rate, most = rng.uniform(0.0, 0.3), rng.uniform(0.3, 0.6)
        growth, recovered = float(rng.choice([0.0, 0.5])), rng.uniform(0.5, 1.5)
        delay = int(rng.integers(0, 9))
        losses = [
            (str(rng.choice(["china", "myanmar"])), int(rng.integers(1, 12)), float(rng.random()))
            for _ in range(3)
        ]
        surged = (int(rng.integers(1, 12)), float(rng.random()))
        made = instance(
            *(loss(source, start, 4, severity) for source, start, severity in losses),
            surge(surged[0], 3, surged[1], "defense"),
            recycling=(
                recycling(
                    rate,
                    collection_growth_per_year=growth,
                    collection_max=most,
                    yield_=recovered,
                    delay_months=delay,
                ),
            ),
        )
        needs = needs_of(made)
        found = {int(month) + 1: row for month, row in zip(needs.month, needs.need, strict=True)}
        for month in range(1, 13):
            supply = 3.0
            for source, share in (("china", 0.5), ("myanmar", 0.25)):
                left = 1.0
                for hit, start, severity in losses:
                    if hit == source and start <= month < start + 4:
                        left *= 1.0 - severity
                supply -= 3.0 * share * (1.0 - left)
            years = max(0, month - 1 - delay) / 12.0
            supply += 3.0 * min(most, rate + years * growth) * recovered
            defense = 1.0 + (surged[1] if surged[0] <= month < surged[0] + 3 else 0.0)
            gap = max(0.0, defense + 2.0 - supply)
            expected = [max(0.0, gap - 2.0), min(gap, 2.0)]
            assert found.get(month, [0.0, 0.0]) == pytest.approx(expected, abs=1e-9)
            needed += gap > 0.0
    assert needed > 100


# --- What it does to a plan -----------------------------------------------------------------------


def test_a_plan_pays_for_the_shortage_that_recycling_leaves():
    """Nothing may be held, and all supply is lost for two months of twelve.

    2.7 t are missing in each: 2 t of industry at 5 x 500,000 USD and 0.7 t of defense at 50 x
    500,000 USD, which is 22.5 million USD a month.
    """
    made = instance(
        loss("china", 1, 2),
        shares={"china": 1.0},
        recycling=(recycling(0.1),),
        holdings=(Holding(participant="us", material="gallium", max_t=0.0),),
    )
    plan = sp.solve(made, progress=False)
    assert plan.annual_cost_usd == pytest.approx(45e6)


def test_the_foresight_bound_and_its_export_refuse_recycling_by_name(tmp_path):
    made = instance(loss("china", 1, 2), recycling=(recycling(0.1),))
    with pytest.raises(sp.NotBuiltError, match=r"does not know yet: recycling\.csv"):
        foresight(made, progress=False)
    path = tmp_path / "model.mps"
    with pytest.raises(sp.NotBuiltError, match=r"recycling\.csv"):
        sp.export_model(made, path, model="foresight", progress=False)
    assert not path.exists()
