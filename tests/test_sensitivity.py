"""A plan where assumptions are wrong, against what paper says of the toy."""

from __future__ import annotations

from pathlib import Path

import pytest

import stockpile as sp
from stockpile.errors import UsageError

TOY = Path(__file__).parents[1] / "instances" / "toy"


@pytest.fixture(scope="module")
def toy():
    instance = sp.load(TOY)
    return instance, sp.solve(instance, gap=0.0, progress=False)


@pytest.fixture(scope="module")
def found(toy):
    return sp.sensitivity(*toy, progress=False)


def cost(found, factor, times):
    rows = found.single[(found.single["factor"] == factor) & (found.single["times"] == times)]
    return float(rows["annual_cost_usd"].iloc[0])


def test_prices_move_the_cost_of_holding_and_nothing_else(found):
    """440,000 USD of capital cost follow prices, 600 USD of shipping do not."""
    assert found.annual_cost_usd == pytest.approx(440_600)
    assert cost(found, "prices", 1.2) == pytest.approx(1.2 * 440_000 + 600)
    assert cost(found, "prices", 0.8) == pytest.approx(0.8 * 440_000 + 600)


def test_demand_beyond_the_stock_is_a_shortage(found):
    """A fifth more in every event, which nobody has in stock.

    Gallium: 7.2 t instead of 6, of which 6 are there; the 1.2 t missing are industry's, at 5 x
    500,000 USD/t, in two scenarios of 0.1. Dysprosium: 0.6 t more in the United States, where a
    tonne to spare is in stock, and 1.2 in Japan at 5 x 800,000 USD/t, in one scenario of 0.1.
    """
    more = 0.2 * 1.2 * 2_500_000 + 0.1 * 1.2 * 4_000_000
    shipped = (cost(found, "demand", 1.2) - more - 440_000) / 1000.0
    assert shipped == pytest.approx(0.6, abs=0.15)


def test_without_shortages_their_cost_does_not_matter(found):
    assert cost(found, "shortage costs", 1.2) == pytest.approx(440_600)


def test_what_is_given_as_scenarios_has_no_rates_to_vary(found):
    assert set(found.single["factor"]) == {"prices", "demand", "shortage costs"}


def test_all_combinations_are_there_and_the_changes_are_those_of_the_costs(found):
    assert len(found.combined) == 2**3
    assert not found.combined[["prices", "demand", "shortage costs"]].duplicated().any()
    change = found.combined["annual_cost_usd"] - found.annual_cost_usd
    assert found.combined["change_usd_per_year"].tolist() == pytest.approx(change.tolist())


def test_rates_of_hazards_move_expected_shortages():
    instance = sp.generate(materials=2, scenarios=200, months=24)
    plan = sp.solve(instance, gap=0.05, progress=False)
    found = sp.sensitivity(instance, plan, scenarios=500, progress=False)
    assert "hazard rates" in set(found.single["factor"])
    low, high = cost(found, "hazard rates", 0.8), cost(found, "hazard rates", 1.2)
    assert low < found.annual_cost_usd < high
    assert found.scenario_count == 500


def test_a_change_out_of_range_is_refused(toy):
    for change in (0.0, 1.0, -0.1):
        with pytest.raises(UsageError, match="change is"):
            sp.sensitivity(*toy, change=change)
