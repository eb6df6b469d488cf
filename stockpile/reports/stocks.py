"""The stocks of a plan under the names that an instance gives them, as reports speak of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stockpile.daily_use import yearly_use
from stockpile.errors import ResultError
from stockpile.plan_decisions import require_same

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
    require_same(plan, instance)
    if not plan.found:
        raise ResultError(
            f"the result holds no plan: its status is {plan.status}.\n"
            "  Solve the instance again, with more time or other limits."
        )
    owners = {row.participant: row.name for row in instance.participants}
    materials = {row.material: row for row in instance.materials}
    use = yearly_use(instance)
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
                demand_t_per_year=use.get((held["participant"], held["material"]), 0.0),
            )
        )
    return tuple(found)
