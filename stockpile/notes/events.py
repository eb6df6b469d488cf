"""Events and hazards that say more than they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.cells import ALL
from stockpile.validation.places import row_mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.errors import Mistake
    from stockpile.instance import Instance


def _unused_classes(instance: Instance) -> Iterator[Mistake]:
    for table in ("hazards", "events", "stress"):
        for row in getattr(instance, table):
            if row.effect != "demand_surge" and row.demand_class != (ALL,):
                yield row_mistake(
                    table,
                    row,
                    "demand_class",
                    ";".join(row.demand_class),
                    f"demand_class is ignored: a {row.effect} cannot choose classes",
                    "How a loss falls on classes follows from their priority.",
                )


def _late_events(instance: Instance) -> Iterator[Mistake]:
    for table in ("events", "stress"):
        for row in getattr(instance, table):
            if row.start_month > instance.horizon_months:
                yield row_mistake(
                    table,
                    row,
                    "start_month",
                    row.start_month,
                    "the event never happens: it starts after the last month of the horizon, "
                    f"{instance.horizon_months}",
                )


def _unused_followers(instance: Instance) -> Iterator[Mistake]:
    for row in instance.hazards:
        if row.follows is None and row.follow_probability > 0.0:
            yield row_mistake(
                "hazards",
                row,
                "follow_probability",
                row.follow_probability,
                "follow_probability is ignored: follows does not say what is followed",
            )


def _price_cuts(instance: Instance) -> Iterator[Mistake]:
    """Look for cut prices that no project meets: they touch nothing but what projects are paid."""
    made = {row.material for row in instance.projects}
    made.update(row.material for row in instance.project_products)
    for table in ("hazards", "events", "stress"):
        for row in getattr(instance, table):
            if row.effect != "price_cut":
                continue
            if row.targets != (ALL,):
                yield row_mistake(
                    table,
                    row,
                    "targets",
                    ";".join(row.targets),
                    "targets is ignored: a price_cut is of the world market, for all alike",
                )
            if not made or (row.materials != (ALL,) and made.isdisjoint(row.materials)):
                yield row_mistake(
                    table,
                    row,
                    "materials",
                    ";".join(row.materials),
                    "the price_cut has no effect: no project makes any of these materials",
                    "It lowers what projects earn, and nothing else.",
                )


LOOKS = (_unused_classes, _late_events, _unused_followers, _price_cuts)
