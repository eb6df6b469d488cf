"""Price histories: how far, how often and how long prices fall, and what output has to earn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.sources import refs

if TYPE_CHECKING:
    from builder.sources import Row, Sources

LONGEST_SERIES = "Nd"
"""Of the rare earths, neodymium oxide has the longest series of yearly means without a gap."""
PARTED_MARKETS = ("Dy", "Tb", "Y")
"""Elements with a price of their own outside China."""
FLOOR_SYMBOL = "NdPr"
LOW_YEARS = range(2021, 2026)
"""Years of which the cheapest is a plant's bad year."""


@dataclass(frozen=True)
class Falls:
    """Spells of years below the price of the instance.

    Attributes
    ----------
    spells
        Length of each [years].
    exposed_years
        Years in which a spell could begin: those at its price or above, and the first of each.
    cuts
        Fraction by which each year of a spell was cheaper.
    ref
        References.
    """

    spells: tuple[int, ...]
    exposed_years: int
    cuts: tuple[float, ...]
    ref: str

    @property
    def rate(self) -> float:
        """Spells that begin in a year [1/year]."""
        return len(self.spells) / self.exposed_years


def falls(sources: Sources) -> Falls:
    """Spells in which neodymium oxide was cheaper than it is in the instance."""
    now = float(sources.one("prices", material=LONGEST_SERIES, basis="default")["value"])
    history = sorted(yearly_means(sources, LONGEST_SERIES), key=lambda row: int(row["year"]))
    spells: list[int] = []
    cuts = []
    below = False
    for row in history:
        price = float(row["value"])
        if price < now:
            cuts.append(1.0 - price / now)
            if below:
                spells[-1] += 1
            else:
                spells.append(1)
        below = price < now
    exposed = len(history) - (sum(spells) - len(spells))
    return Falls(tuple(spells), exposed, tuple(cuts), refs(*(row["ref"] for row in history)))


def parted(sources: Sources) -> tuple[tuple[float, ...], str]:
    """Fraction by which prices outside China would fall to those in China, with references."""
    cuts, references = [], []
    for symbol in PARTED_MARKETS:
        inside = sources.one("prices", material=symbol, basis="default")
        outside = sources.one("prices", material=symbol, basis="outside_china")
        cuts.append(1.0 - float(inside["value"]) / float(outside["value"]))
        references += [inside["ref"], outside["ref"]]
    return tuple(cuts), refs(*references)


def yearly_means(sources: Sources, symbol: str) -> list[Row]:
    return sources.rows("price_history", material=symbol, stat="annual_average")


def lowest_mean(sources: Sources, symbol: str) -> tuple[float, str]:
    """The lowest yearly mean of recent years [USD/kg], with its reference."""
    recent = [row for row in yearly_means(sources, symbol) if int(row["year"]) in LOW_YEARS]
    lowest = min(recent, key=lambda row: float(row["value"]))
    return float(lowest["value"]), lowest["ref"]


def floor_over_lowest(sources: Sources) -> tuple[float, str]:
    """The one published price floor over the lowest yearly mean of the same product."""
    floor = sources.one("price_history", material=FLOOR_SYMBOL, stat="price_floor")
    low, ref = lowest_mean(sources, FLOOR_SYMBOL)
    return float(floor["value"]) / low, refs(floor["ref"], ref)
