"""The game that the worlds make: what every coalition would pay, and the splits of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.cooperation.bargaining import nash_bargaining
from stockpile.cooperation.core import core_check
from stockpile.cooperation.costs_of_worlds import borne, totals
from stockpile.cooperation.game import CostGame
from stockpile.cooperation.payments import side_payments
from stockpile.cooperation.proportional import proportional
from stockpile.cooperation.shapley import shapley

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from stockpile.plan import Plan
    from stockpile.problem import Problem


def coalition_rows(
    alone: Plan, agreed: Plan, groups: Mapping[frozenset[str], Plan]
) -> list[dict[str, Any]]:
    """Return what every coalition pays [USD/year], and in which plan, small coalitions first.

    A coalition may also act in parts, so it never pays more than the cheapest way to cut it in
    two. Where its own plan is missing or dearer, ``plan`` says ``parts``.
    """
    names = tuple(borne(alone))
    pays: dict[frozenset[str], float] = {}
    rows = []
    numbers = sorted(range(1, 2 ** len(names)), key=lambda number: (number.bit_count(), number))
    for number in numbers:
        members = frozenset(name for bit, name in enumerate(names) if number >> bit & 1)
        single, everybody = len(members) == 1, len(members) == len(names)
        plan = alone if single else agreed if everybody else groups.get(members)
        cost, source, status = math.inf, "parts", ""
        if plan is not None and plan.found:
            by_name = totals(borne(plan))
            cost = math.fsum(by_name[name] for name in names if name in members)
            source, status = plan.cooperation, str(plan.status)
        if not (single or everybody):
            parts = _cheapest_cut(members, pays)
            if parts < cost:
                cost, source, status = parts, "parts", ""
        pays[members] = cost
        rows.append(
            {
                "coalition": ";".join(name for name in names if name in members),
                "cost_usd": cost,
                "saving_usd": math.fsum(pays[frozenset((name,))] for name in members) - cost,
                "plan": source,
                "status": status,
            }
        )
    return rows


def _cheapest_cut(members: frozenset[str], pays: Mapping[frozenset[str], float]) -> float:
    """Return the least that two parts of a coalition pay."""
    first, *others = sorted(members)
    cuts = []
    for number in range(2 ** len(others) - 1):  # All but the one in which nothing is left.
        part = frozenset((first, *(name for bit, name in enumerate(others) if number >> bit & 1)))
        cuts.append(pays[part] + pays[members - part])
    return min(cuts)


def game_of(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> CostGame:
    """Return the game of the rows of :func:`coalition_rows`."""
    return CostGame(
        tuple(names),
        {frozenset(row["coalition"].split(";")): float(row["cost_usd"]) for row in rows},
    )


def consumption_value(problem: Problem) -> dict[str, float]:
    """Return the value of each participant's normal consumption [USD/year]."""
    value = problem.period.per_year * problem.demand.sum(axis=2) @ problem.price
    return dict(zip(problem.participants, value.tolist(), strict=True))


def splits_of(game: CostGame, consumption: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return what each participant pays by each split [USD/year].

    ``proportional`` is left out where nobody consumes anything.
    """
    splits = {"shapley": shapley(game), "nash": nash_bargaining(game)}
    if sum(consumption.values()) > 0.0:
        splits["proportional"] = proportional(game, consumption)
    return splits


def split_rows(
    game: CostGame, splits: Mapping[str, Mapping[str, float]], bears: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Return what each split means for each participant [USD/year]."""
    rows = []
    for split, pays in splits.items():
        payments = side_payments(pays, bears)
        for name, usd in pays.items():
            payment = payments[name]
            rows.append(
                {
                    "split": split,
                    "participant": name,
                    "alone_usd": game.standalone[name],
                    "pays_usd": usd,
                    "saving_usd": game.standalone[name] - usd,
                    "borne_usd": bears[name],
                    "side_payment_usd": payment if abs(payment) > game.rounding else 0.0,
                }
            )
    return rows


def core_rows(game: CostGame, splits: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Return what every coalition but that of all pays by each split, and whether it objects."""
    rows = []
    for split, pays in splits.items():
        objecting = {objection.coalition for objection in core_check(game, pays)}
        for number in range(1, 2 ** len(game.players) - 1):
            members = game.members(number)
            paid = math.fsum(pays[name] for name in members)
            cost = game.cost[frozenset(members)]
            rows.append(
                {
                    "split": split,
                    "coalition": ";".join(members),
                    "pays_usd": paid,
                    "cost_usd": cost,
                    "excess_usd": paid - cost,
                    "objects": members in objecting,
                }
            )
    return rows
