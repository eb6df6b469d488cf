"""Supply and what happens to it: shares, recycling, scenarios, events, hazards."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from stockpile.validation.places import TOLERANCE, row_mistake, table_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.errors import Mistake
    from stockpile.instance import Instance
    from stockpile.reading import Gaps
    from stockpile.tables import Event, Hazard, StressEvent

PROBABILITY_TOLERANCE = 1e-6
"""Probabilities may be rounded to six decimals, each of them."""
FRACTIONS = {
    "supply_loss": "No more than all of a source's supply can be lost.",
    "price_cut": "No price can fall by more than all of it.",
}
"""Effects whose severity is a fraction, and why it cannot be above 1."""


def _supply_shares(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    rows_of: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in instance.supply:
        rows_of[row.material, row.participant].append(row)
    for (material, participant), rows in rows_of.items():
        total = math.fsum(row.share for row in rows)
        if total > 1.0 + TOLERANCE:
            yield row_mistake(
                "supply",
                rows,
                "share",
                ", ".join(f"{row.source} {row.share:.2f}" for row in rows),
                f"supply shares of {material} for {participant} add up to {total:.6g}, "
                "which is above 1",
                "Shares are fractions of normal supply; what they leave below 1 is never "
                "disrupted.\nRecycling that comes on top of it belongs in recycling.csv.",
            )


def _collection(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that no more is collected now than ever will be."""
    for row in instance.recycling:
        if row.collection_rate > row.collection_max:
            message = f"collection_rate must not be above collection_max {row.collection_max:g}"
            hint = "collection_max is the most that the rate grows to."
            value = row.collection_rate
            yield row_mistake("recycling", row, "collection_rate", value, message, hint)


def _recycled_twice(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that a material is not collected as itself both by its name and by an empty cell."""
    unnamed = {
        (row.participant, row.material): row
        for row in instance.recycling
        if row.from_material is None
    }
    for row in instance.recycling:
        first = unnamed.get((row.participant, row.material))
        if first is not None and row.from_material == row.material:
            yield row_mistake(
                "recycling",
                (first, row),
                "from_material",
                row.material,
                f"two rows recycle {row.material} of {row.participant} from itself; expected one",
                "An empty from_material means the material itself.",
            )


def _scenarios(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    if "scenarios" in gaps.incomplete:
        return
    if instance.events and not instance.scenarios:
        yield row_mistake(
            "events",
            (),
            None,
            None,
            "there are events, but no scenarios.csv to say which scenarios there are",
            "Add scenarios.csv with each scenario and its probability.",
        )
    total = math.fsum(row.probability for row in instance.scenarios)
    if instance.scenarios and abs(total - 1.0) > PROBABILITY_TOLERANCE * (
        1 + len(instance.scenarios)
    ):
        yield row_mistake(
            "scenarios",
            instance.scenarios,
            "probability",
            f"{total:.9g} in all",
            f"the probabilities of the scenarios add up to {total:.9g}; expected 1",
            "A scenario in which nothing happens needs a row, too.",
        )


def _effects(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    for table in ("hazards", "events", "stress"):
        for row in table_rows(instance, table):
            yield from _effect(table, row)


def _effect(table: str, row: Hazard | Event | StressEvent) -> Iterator[Mistake]:
    """Check that a row gives what its effect needs."""
    if row.effect == "supply_loss" and row.source is None:
        hint = "Only a supply_loss has one; other effects have to be named."
        yield row_mistake(table, row, "source", "", "a supply_loss needs the source it is of", hint)
    if row.effect != "supply_loss" and row.source is not None:
        hint = "Leave the cell empty, or make it a supply_loss."
        message = f"a {row.effect} has no source; expected an empty cell"
        yield row_mistake(table, row, "source", row.source, message, hint)
    column = "severity_mean" if table == "hazards" else "severity"
    severity: float = getattr(row, column)
    if row.effect in FRACTIONS and severity > 1.0:
        hint = FRACTIONS[row.effect]
        if severity <= 100.0:
            hint = f"Fractions are never percent: {severity:g} % is written {severity / 100.0:g}."
        message = f"{column} of a {row.effect} must be a number from 0 to 1 [fraction]"
        yield row_mistake(table, row, column, severity, message, hint)
    if row.effect == "sharing_blocked" and severity != 1.0:
        message = f"{column} of sharing_blocked must be 1: sharing is blocked or not"
        yield row_mistake(table, row, column, severity, message)


def _severity_spread(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that a beta distribution has the given mean and standard deviation."""
    for row in instance.hazards:
        mean, sd = row.severity_mean, row.severity_sd
        if sd == 0.0:
            continue
        if row.effect == "sharing_blocked":
            message = "severity_sd of sharing_blocked must be 0: sharing is blocked or not"
            yield row_mistake("hazards", row, "severity_sd", sd, message)
        elif mean >= 1.0 or mean <= 0.0:
            if row.effect in FRACTIONS and mean > 1.0:
                continue  # Reported as a severity above 1.
            yield row_mistake(
                "hazards",
                row,
                "severity_sd",
                sd,
                f"severity_sd must be 0 where severity_mean is {mean:g}: a beta-distributed "
                "severity varies between 0 and 1",
                "Write 0 for a severity that does not vary.",
            )
        elif sd**2 >= mean * (1.0 - mean):
            most = math.sqrt(mean * (1.0 - mean))
            yield row_mistake(
                "hazards",
                row,
                "severity_sd",
                sd,
                f"severity_sd must be below {most:.4g}, the most for a severity with mean {mean:g}",
                "A beta distribution needs sd^2 < mean (1 - mean).",
            )


def _followers(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    follows = {row.hazard: row.follows for row in instance.hazards}
    reported: set[str] = set()
    for row in instance.hazards:
        if row.follows is None:
            continue
        if row.follows == row.hazard:
            message = "a hazard cannot follow itself"
            yield row_mistake("hazards", row, "follows", row.follows, message)
            continue
        chain = [row.hazard]
        while (previous := follows.get(chain[-1])) is not None and previous not in chain:
            chain.append(previous)
        if previous == row.hazard and row.hazard not in reported:
            reported.update(chain)
            circle = [item for item in instance.hazards if item.hazard in chain]
            yield row_mistake(
                "hazards",
                circle,
                "follows",
                row.follows,
                f"hazards follow each other in a circle: {' follows '.join([*chain, previous])}",
                "An event cannot set off itself; take out one of the links.",
            )


RULES = (
    _supply_shares,
    _collection,
    _recycled_twice,
    _scenarios,
    _effects,
    _severity_spread,
    _followers,
)
