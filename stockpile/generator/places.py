"""Who takes part and where supply comes from: participants, sources, and who ships to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stockpile.generator.streams import rounded, stream
from stockpile.tables import Participant, Source, Transfer

if TYPE_CHECKING:
    from stockpile.generator.size import Size

FEWEST_COUNTRIES, MOST_COUNTRIES = 8, 12
CONTROLLING_COUNTRIES = 2
"""The largest countries, which restrict exports of whole families of materials."""


@dataclass(frozen=True, slots=True)
class Country:
    """A country that supplies others.

    Attributes
    ----------
    source
        Its name in ``sources.csv``.
    weight
        How likely it is to produce a material, in relation to the others; the first has most.
    unrest_per_year
        How often its supply fails for reasons of its own [1/year].
    """

    source: str
    weight: float
    unrest_per_year: float


def countries(seed: int) -> tuple[Country, ...]:
    """Draw the countries that supply, the largest first."""
    count = int(stream(seed, "countries").integers(FEWEST_COUNTRIES, MOST_COUNTRIES + 1))
    drawn = []
    for number in range(1, count + 1):
        rng = stream(seed, "country", number)
        drawn.append(
            Country(
                source=f"country_{number}",
                weight=float(1.0 / number * rng.uniform(0.8, 1.2)),
                unrest_per_year=rounded(rng.uniform(0.01, 0.06)),
            )
        )
    return tuple(drawn)


def participant_name(c: int) -> str:
    """Return the name of participant c, counted from 0."""
    return f"nation_{c + 1}"


def home_source(c: int) -> str:
    """Return the name of the source that is the participant's own production."""
    return f"home_{c + 1}"


def sources(size: Size) -> tuple[Source, ...]:
    """Return all countries and the production at home of every participant."""
    abroad = [
        Source(source=country.source, name=f"Country {number}")
        for number, country in enumerate(countries(size.seed), start=1)
    ]
    home = [
        Source(source=home_source(c), name=f"Nation {c + 1}, own production")
        for c in range(size.participants)
    ]
    return (*abroad, *home)


def participants(size: Size) -> tuple[Participant, ...]:
    """Draw the participants, without budgets."""
    drawn = []
    for c in range(size.participants):
        rng = stream(size.seed, "participant", c)
        drawn.append(
            Participant(
                participant=participant_name(c),
                name=f"Nation {c + 1}",
                discount_rate_per_year=rounded(rng.uniform(0.03, 0.06), 2),
                refill_per_month=rounded(rng.uniform(0.03, 0.08), 2),
            )
        )
    return tuple(drawn)


def participant_size(seed: int, c: int) -> float:
    """Return what a participant uses in relation to the first one."""
    return 1.0 if c == 0 else float(stream(seed, "participant size", c).uniform(0.4, 1.0))


def transfers(size: Size) -> tuple[Transfer, ...]:
    """Draw lag and cost of shipping between all pairs."""
    drawn = []
    for a in range(size.participants):
        for b in range(size.participants):
            if a != b:
                rng = stream(size.seed, "transfer", a, b)
                drawn.append(
                    Transfer(
                        from_participant=participant_name(a),
                        to_participant=participant_name(b),
                        lag_months=int(rng.integers(1, 3)),
                        cost_usd_per_t=rounded(rng.uniform(80.0, 300.0)),
                    )
                )
    return tuple(drawn)
