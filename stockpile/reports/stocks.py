"""The stocks of a plan under the names that an instance gives them, as reports speak of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stockpile.errors import ResultError

if TYPE_CHECKING:
    from stockpile.instance import Instance
    from stockpile.plan import Plan


@dataclass(frozen=True, slots=True)
class Stock:
    """What one participant holds of one material, and is to hold.

    Attributes
    ----------
    participant, material
        Keys.
    owner, mineral, element
        Names for readers.
    existing_t, holding_t, buy_t
        Held already, to be held, and missing [t].
    lot_t
        Smallest quantity bought [t].
    price_usd_per_t
        Normal price [USD/t].
    outlay_usd
        What it costs to buy what is missing (8) [USD].
    demand_t_per_year
        Normal demand of all classes [t/year].
    """

    participant: str
    material: str
    owner: str
    mineral: str
    element: str
    existing_t: float
    holding_t: float
    buy_t: float
    lot_t: float
    price_usd_per_t: float
    outlay_usd: float
    demand_t_per_year: float

    @property
    def excess_t(self) -> float:
        """Return what is held beyond the plan [t]."""
        return max(0.0, self.existing_t - self.holding_t)


def stocks_of(plan: Plan, instance: Instance) -> tuple[Stock, ...]:
    """Return the stocks of a plan, in its order.

    Raises
    ------
    ResultError
        If the plan was not made from the instance, or there is no plan.
    """
    require_match(plan, instance)
    owners = {row.participant: row.name for row in instance.participants}
    materials = {row.material: row for row in instance.materials}
    demand: dict[tuple[str, str], list[float]] = {}
    for row in instance.demand:
        demand.setdefault((row.participant, row.material), []).append(row.demand_t_per_year)
    found = []
    for held in plan.holdings.to_dict(orient="records"):
        material = materials[held["material"]]
        found.append(
            Stock(
                participant=held["participant"],
                material=held["material"],
                owner=owners[held["participant"]],
                mineral=material.name,
                element=material.element,
                existing_t=held["existing_t"],
                holding_t=held["holding_t"],
                buy_t=held["buy_t"],
                lot_t=material.lot_t,
                price_usd_per_t=1000.0 * material.price_usd_per_kg,
                outlay_usd=held["outlay_usd"],
                demand_t_per_year=math.fsum(
                    demand.get((held["participant"], held["material"]), ())
                ),
            )
        )
    return tuple(found)


def require_match(plan: Plan, instance: Instance) -> None:
    """Refuse a plan that was not made from the instance, and one that holds nothing.

    Raises
    ------
    ResultError
        Saying why.
    """
    if plan.instance_hash != instance.content_hash:
        raise ResultError(
            f"the plan was made from {plan.instance_name} ({plan.instance_hash[:12]}), not from "
            f"{instance.name} as it is now ({instance.content_hash[:12]}).\n"
            "  Give the instance that was solved, with the same --overlay and --set, or solve it "
            "again."
        )
    if not plan.found:
        raise ResultError(
            f"the result holds no plan: its status is {plan.status}.\n"
            "  Solve the instance again, with more time or other limits."
        )
