"""What each nation can spend on buying, and on projects.

The United States appropriate money for purchases. Japan buys with loans that the state guarantees;
the ceiling is not published, so its budget is a multiple of what its promised days of cover cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.demand import class_shares, yearly_demand
from builder.hazards import ANY
from builder.materials import price
from builder.nations import DAYS_PER_YEAR, existing_stock
from builder.promises import level
from builder.sources import assumption, refs
from builder.text import significant

if TYPE_CHECKING:
    from builder.sources import Row, Sources

BILLION = 1e9
RATIO = "japan_budget_over_policy"
PROJECTS = "projects"
SUPPORT = ("upkeep", "support")
"""Appropriations of Japan that pay interest and warehouse, or support stockpiling otherwise."""


def add_budgets(sources: Sources, participants: list[Row]) -> list[Row]:
    """Rows of `participants.csv` with a budget for buying."""
    return [_with_budget(sources, row) for row in participants]


def days_cost(sources: Sources, participant: str) -> float:
    """What the promised days of cover cost beyond existing stock, before prices rise [USD]."""
    return sum(
        1000.0 * price(sources, symbol)[0] * _missing(sources, participant, symbol)
        for symbol in (row["symbol"] for row in sources.tables["selection"])
    )


def _missing(sources: Sources, participant: str, symbol: str) -> float:
    """Tonnes that the largest promise of days of cover asks for beyond existing stock."""
    promised = max(
        float(level(sources, row["level"])[0]) * _demand(sources, participant, symbol, row)
        for row in sources.rows("promises", participant=participant, metric="days")
        if row["materials"] == ANY or symbol in row["materials"].split(";")
    )
    return max(0.0, promised / DAYS_PER_YEAR - existing_stock(sources, participant, symbol))


def _demand(sources: Sources, participant: str, symbol: str, promise: Row) -> float:
    """Yearly demand of the class that a promise names."""
    total = yearly_demand(sources, participant, symbol)
    if promise["demand_class"] == ANY:
        return total
    return total * class_shares(sources, participant, symbol)[promise["demand_class"]]


def _with_budget(sources: Sources, row: Row) -> Row:
    appropriations = sources.rows("budgets", holder=row["participant"], purpose="purchase")
    if appropriations:
        budget = sum(float(found["value"]) for found in appropriations)
        references = refs(*(found["ref"] for found in appropriations))
        note = "; ".join(f"{found['item']}, {found['note']}" for found in appropriations)
    else:
        cost = days_cost(sources, row["participant"])
        ratio = sources.assumed(RATIO)
        budget = ratio * cost
        others = [
            found
            for found in sources.rows("budgets", holder=row["participant"])
            if found["purpose"] != PROJECTS
        ]
        published = sum(float(found["value"]) for found in others if found["purpose"] in SUPPORT)
        references = refs(*(found["ref"] for found in others), assumption(RATIO), "method_budgets")
        note = (
            f"{significant(ratio)} times the {significant(cost / BILLION, 2)} billion USD that "
            "the promised days of cover cost; bought with loans, whose ceiling is not published; "
            f"{significant(published / BILLION, 3)} billion JPY appropriated for stockpiling in "
            "fiscal 2021 to 2023"
        )
    return {
        **row,
        "acquisition_budget_usd": significant(budget, 2),
        "ref": refs(row["ref"], references),
        "note": f"{row['note']}; budget: {note}",
    }


def add_project_budgets(sources: Sources, participants: list[Row]) -> list[Row]:
    """Rows of `participants.csv` with the budget for projects."""
    return [_with_project_budget(sources, row) for row in participants]


def _with_project_budget(sources: Sources, row: Row) -> Row:
    budget, references, note = _project_budget(sources, row["participant"])
    return {
        **row,
        "project_budget_usd": significant(budget, 3),
        "ref": refs(row["ref"], references),
        "note": f"{row['note']}; projects: {note}",
    }


def _project_budget(sources: Sources, participant: str) -> tuple[float, str, str]:
    """Appropriations for projects, else an assumption [USD]; references and a note."""
    rows = sources.rows("budgets", holder=participant, purpose=PROJECTS)
    if not rows:
        key = f"{participant}_project_budget"
        return sources.assumed(key), assumption(key), "assumption"
    rate = {"USD": 1.0, "JPY": 1.0 / sources.assumed("jpy_per_usd")}
    total = sum(float(row["value"]) * rate[row["unit"]] for row in rows)
    yen = assumption("jpy_per_usd") if any(row["unit"] == "JPY" for row in rows) else ""
    note = " and ".join(
        f"{significant(float(row['value']) / BILLION)} billion {row['unit']}, {row['item']}"
        for row in rows
    )
    return total, refs(*(row["ref"] for row in rows), yen), note
