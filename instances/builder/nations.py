"""The two nations: capital, existing stocks, stocks of firms, shipping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.demand import is_rare_earth, largest_holding, yearly_demand, years_key
from builder.sources import COUNTRY, PARTICIPANTS, assumption, refs
from builder.text import significant

if TYPE_CHECKING:
    from builder.sources import Row, Sources

FREIGHT = {("us", "japan"): ("L36", "L11"), ("japan", "us"): ("L35", "L12")}
"""Ocean freight and load-out charge by direction, rows of logistics.csv."""
PORT_TO_PORT = {("us", "japan"): "L22", ("japan", "us"): "L20"}
DOOR_TO_DOOR = "L21"
"""Japan to the United States; the ways to and from the ports are taken to be the same back."""
DAYS_PER_YEAR = 365.0
MONTHS_PER_YEAR = 12.0


def participant_rows(sources: Sources) -> list[Row]:
    """Rows of `participants.csv`."""
    rate = sources.one("logistics", item_id="L52")
    other = sources.one("logistics", item_id="L50")
    return [
        {
            "participant": participant,
            "name": COUNTRY[participant],
            "discount_rate_per_year": significant(sources.assumed("discount_rate")),
            "refill_per_month": significant(sources.assumed("refill_per_month")),
            "ref": refs(rate["ref"], other["ref"], assumption("discount_rate", "refill_per_month")),
            "note": "one common public discount rate",
        }
        for participant in PARTICIPANTS
    ]


def existing_stock(sources: Sources, participant: str, symbol: str) -> float:
    """Tonnes held already; 0 where unknown."""
    return sum(float(row["value_tonnes"]) for row in _known_stock(sources, participant, symbol))


def _known_stock(sources: Sources, participant: str, symbol: str) -> list[Row]:
    if participant != "japan":
        return []
    return sources.rows(
        "holdings",
        holder="Japan JOGMEC",
        material=symbol,
        metric="national stock, tonnes equivalent",
    )


def holding_rows(sources: Sources) -> list[Row]:
    """Rows of `holdings.csv`."""
    return [
        _holding_row(sources, participant, choice)
        for participant in PARTICIPANTS
        for choice in sources.tables["selection"]
    ]


def _holding_row(sources: Sources, participant: str, choice: Row) -> Row:
    known = _known_stock(sources, participant, choice["symbol"])
    row = {
        "participant": participant,
        "material": choice["material"],
        "existing_t": significant(existing_stock(sources, participant, choice["symbol"]), 3),
    }
    if known:
        row["ref"] = refs(known[0]["ref"], "method_holdings")
        row["note"] = "days of national stock at March 2006 at current demand: order of magnitude"
    elif participant == "japan":
        row["ref"] = "method_holdings"
        row["note"] = "held quantities are not published; 0 stands for unknown"
    else:
        row["ref"] = "method_holdings"
        row["note"] = "no public inventory by material; 0 stands for unknown"
    if is_rare_earth(sources, choice["symbol"]):
        row["max_t"] = significant(largest_holding(sources, participant, choice["symbol"]))
        row["ref"] = refs(row["ref"], assumption(years_key(choice["symbol"])))
    return row


def commercial_rows(sources: Sources) -> list[Row]:
    """Rows of `commercial.csv`: the stock of firms, and thrift of industry."""
    rows = []
    for participant in PARTICIPANTS:
        for choice in sources.tables["selection"]:
            days, ref, note = _industry_days(sources, participant, choice["symbol"])
            row = {
                "participant": participant,
                "material": choice["material"],
                "industry_days": significant(days, 3),
                "note": note,
            }
            rows.append({**row, "demand_class": "defense;essential", "ref": ref})
            rows.append(
                {
                    **row,
                    "demand_class": "industrial",
                    "thrift_share": significant(sources.assumed("thrift_industrial")),
                    "thrift_after_months": significant(sources.assumed("thrift_after_months")),
                    "ref": refs(ref, assumption("thrift_industrial", "thrift_after_months")),
                }
            )
    return rows


def _industry_days(sources: Sources, participant: str, symbol: str) -> tuple[float, str, str]:
    found = sources.rows(
        "holdings", holder="US industry", material=symbol, metric="year-end stocks"
    )
    if participant == "us" and found:
        tonnes = float(found[0]["value_tonnes"])
        days = DAYS_PER_YEAR * tonnes / yearly_demand(sources, participant, symbol)
        cap = sources.assumed("industry_days_cap")
        note = f"{significant(tonnes)} t at the end of {found[0]['year']}"
        if days > cap:
            return cap, refs(found[0]["ref"], assumption("industry_days_cap")), note + ", capped"
        return days, found[0]["ref"], note
    key = "industry_days_default"
    return sources.assumed(key), assumption(key), "no published stock of firms"


def transfer_rows(sources: Sources) -> list[Row]:
    """Rows of `transfers.csv`."""
    rows = []
    for (start, end), items in FREIGHT.items():
        freight, handling = (sources.one("logistics", item_id=item) for item in items)
        days, transit_refs = _door_to_door(sources, start, end)
        lag = max(1, round(days * MONTHS_PER_YEAR / DAYS_PER_YEAR))
        rows.append(
            {
                "from_participant": start,
                "to_participant": end,
                "lag_months": str(lag),
                "cost_usd_per_t": significant(float(freight["value"]) + float(handling["value"])),
                "ref": refs(freight["ref"], handling["ref"], transit_refs),
                "note": "ocean freight and load-out; insurance depends on value and is left out; "
                f"{significant(days)} days from door to door",
            }
        )
    return rows


def _door_to_door(sources: Sources, start: str, end: str) -> tuple[float, str]:
    """Days from door to door, with references."""
    at_sea = sources.one("logistics", item_id=PORT_TO_PORT[start, end])
    whole = sources.one("logistics", item_id=DOOR_TO_DOOR)
    part = sources.one("logistics", item_id=PORT_TO_PORT["japan", "us"])
    on_land = float(whole["value"]) - float(part["value"])
    return float(at_sea["value"]) + on_land, refs(at_sea["ref"], whole["ref"])
