"""What a missing kilogram costs, from published losses of output.

The estimates are for a whole cut-off: divided by the tonnes missing they give an average cost, not
a marginal one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from builder.chain import MAGNET
from builder.demand import class_shares, is_rare_earth, yearly_demand
from builder.materials import price
from builder.sources import CLASSES, PARTICIPANTS, assumption, refs
from builder.supply import origin
from builder.text import significant

if TYPE_CHECKING:
    from builder.sources import Row, Sources

BILLION = 1e9
US_LOSSES = {"Ga": "LS01", "Ge": "LS02"}
JAPAN_LOSSES = ("LS05", "LS06")
US_LOWER_BOUNDS = {"Sm": "LS09", "Tb": "LS10", "Dy": "LS10", "Lu": "LS10"}


def class_rows(sources: Sources) -> list[Row]:
    """Rows of `classes.csv`."""
    industrial = sources.assumed("shortage_multiple_industrial")
    keys = {
        "defense": "shortage_ratio_defense",
        "essential": "shortage_ratio_essential",
        "industrial": "",
    }
    return [
        {
            "demand_class": demand_class,
            "priority": str(priority),
            "shortage_cost_multiple": significant(industrial * ratio),
            "ref": refs(
                assumption("shortage_multiple_industrial"),
                assumption(keys[demand_class]) if keys[demand_class] else "",
            ),
            "note": "used where shortage.csv gives no figure",
        }
        for priority, (demand_class, ratio) in enumerate(class_ratios(sources).items(), start=1)
    ]


def class_ratios(sources: Sources) -> dict[str, float]:
    """Cost of a missing kilogram by class, industry = 1."""
    ratios = (
        sources.assumed("shortage_ratio_defense"),
        sources.assumed("shortage_ratio_essential"),
        1.0,
    )
    return dict(zip(CLASSES, ratios, strict=True))


def rare_earth_multiple(sources: Sources) -> tuple[float, str]:
    """Loss of Japan in a year without Chinese rare earths over the value of what is missing."""
    losses = [sources.one("losses", loss_id=loss) for loss in JAPAN_LOSSES]
    yen = math.sqrt(math.prod(-float(row["value"]) for row in losses)) * BILLION
    missing = 0.0
    for choice in sources.rows("selection", demand_group="rare_earth"):
        symbol = choice["symbol"]
        if symbol == MAGNET:  # The losses are about rare earths that Japan takes as such.
            continue
        china = origin(sources, "japan", symbol).shares["China"]
        kilograms = 1000.0 * yearly_demand(sources, "japan", symbol) * china
        missing += kilograms * price(sources, symbol)[0]
    multiple = yen / sources.assumed("jpy_per_usd") / missing
    return multiple, refs(*(row["ref"] for row in losses), assumption("jpy_per_usd"))


def average_cost(sources: Sources, participant: str, symbol: str) -> tuple[float, str, str] | None:
    """Average cost of a missing kilogram [USD/kg], references and a note; None: no estimate."""
    if participant == "us" and symbol in US_LOSSES:
        loss = sources.one("losses", loss_id=US_LOSSES[symbol])
        china = origin(sources, participant, symbol).shares["China"]
        kilograms = 1000.0 * yearly_demand(sources, participant, symbol) * china
        cost = -float(loss["value"]) * BILLION / kilograms
        note = f"{loss['value']} {loss['unit']} over {significant(kilograms / 1000)} t missing"
        return cost, loss["ref"], note
    if not is_rare_earth(sources, symbol):
        return None
    multiple, ref = rare_earth_multiple(sources)
    usd_per_kg = price(sources, symbol)[0]
    cost, note = multiple * usd_per_kg, f"{significant(multiple, 3)} times the price"
    if participant == "us" and symbol in US_LOWER_BOUNDS:
        loss = sources.one("losses", loss_id=US_LOWER_BOUNDS[symbol])
        kilograms = 1000.0 * yearly_demand(sources, participant, symbol)
        bound = -float(loss["value"]) * BILLION / kilograms
        cap = sources.assumed("shortage_multiple_cap") * usd_per_kg
        if bound > cost:
            ref = refs(loss["ref"], assumption("shortage_multiple_cap"))
            note = f"{loss['value']} {loss['unit']} over {significant(kilograms / 1000)} t"
            if bound > cap:
                note += f", capped at {significant(cap / usd_per_kg)} times the price"
            cost = min(bound, cap)
    return cost, ref, note


def shortage_rows(sources: Sources) -> list[Row]:
    """Rows of `shortage.csv`: averages spread over classes so that their mean is the estimate."""
    ratios = class_ratios(sources)
    rows = []
    for participant in PARTICIPANTS:
        for choice in sources.tables["selection"]:
            symbol = choice["symbol"]
            estimate = average_cost(sources, participant, symbol)
            if estimate is None:
                continue
            cost, ref, note = estimate
            shares = class_shares(sources, participant, symbol)
            industrial = cost / sum(shares[name] * ratios[name] for name in CLASSES)
            rows += [
                {
                    "participant": participant,
                    "material": choice["material"],
                    "demand_class": name,
                    "shortage_cost_usd_per_kg": significant(industrial * ratios[name], 3),
                    "ref": refs(
                        ref,
                        "method_shortage",
                        assumption("shortage_ratio_essential", "shortage_ratio_defense"),
                    ),
                    "note": f"average {significant(cost, 3)} USD/kg: {note}; average, not marginal",
                }
                for name in CLASSES
            ]
    return rows
