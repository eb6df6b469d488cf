"""Materials that spoil, or have to be renewed: what keeping them costs, equation (7)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_needs import instance, loss

import stockpile as sp
from stockpile.problem import build_problem
from stockpile.tables import Holding


def aged(**cells):
    """Gallium at 500 USD/kg, for a nation with a discount rate of 0.05 a year."""
    made = instance(loss("china", 1, 1))
    return replace(made, materials=(replace(made.materials[0], **cells),))


@pytest.mark.parametrize(
    ("cells", "rate"),
    [
        ({}, 0.05),
        # A tenth spoils in a year and is bought again.
        ({"loss_rate_per_year": 0.1}, 0.05 + 0.1),
        # Renewed every 24 months, so half of it in a year, at 0.3 of its price: 0.15.
        ({"shelf_life_months": 24.0, "renewal_loss": 0.3}, 0.05 + 0.15),
        # Without renewal_loss it is thrown away: half of its price in a year.
        ({"shelf_life_months": 24.0}, 0.05 + 0.5),
        # Renewed four times a year, at a quarter of the price each time.
        ({"shelf_life_months": 3.0, "renewal_loss": 0.25}, 0.05 + 1.0),
        # Sold at the full price, as consumers take it in turn.
        ({"shelf_life_months": 6.0, "renewal_loss": 0.0}, 0.05),
        # All together, and what rotation_rate_per_year says by itself.
        (
            {
                "rotation_rate_per_year": 0.02,
                "loss_rate_per_year": 0.01,
                "shelf_life_months": 24.0,
                "renewal_loss": 0.3,
            },
            0.05 + 0.02 + 0.01 + 0.15,
        ),
    ],
)
def test_a_tonne_costs_its_price_times_the_sum_of_the_rates(cells, rate):
    problem = build_problem(aged(storage_usd_per_t_year=100.0, **cells))
    assert problem.holding_cost[0, 0] == pytest.approx(500_000.0 * rate + 100.0)


def test_a_plan_pays_for_what_it_has_to_renew():
    """10 t at 0.05 + 0.15 of 500,000 USD a year: 1 million USD, whatever is released."""
    made = aged(shelf_life_months=24.0, renewal_loss=0.3)
    made = replace(
        made, holdings=(Holding(participant="us", material="gallium", min_t=10.0, max_t=10.0),)
    )
    plan = sp.solve(made, progress=False)
    assert plan.holdings["annual_holding_cost_usd"].tolist() == [pytest.approx(1e6)]
    assert plan.costs["holding"].tolist() == [pytest.approx(1e6)]


def test_a_material_that_ages_fast_is_not_held():
    """Held for a year it costs more than the shortage that it prevents.

    1.5 t of industry are missing in one month of the year, at 2.5 million USD a tonne. A tonne
    that keeps costs 25,000 USD a year; one that spoils within a month, 12 times its price.
    """
    assert sp.solve(aged(), progress=False).holdings["holding_t"].tolist() == [2.0]
    spoiling = sp.solve(aged(shelf_life_months=1.0), progress=False)
    assert spoiling.holdings["holding_t"].tolist() == [0.0]
