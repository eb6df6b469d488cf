"""Where supply comes from, traced back to the bottleneck stage.

A country of import is often a trading or processing point. So no country can be the origin of more
than it produces at the bottleneck stage; what it ships beyond that, and what the statistics call
other countries, is divided by the world shares of that stage.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from builder.chain import METAL, OXIDE, metal_yield
from builder.demand import yearly_demand
from builder.sources import CODE, COUNTRY, ELSEWHERE, PARTICIPANTS, assumption, refs
from builder.text import decimals, significant

if TYPE_CHECKING:
    from builder.sources import Row, Sources

SMALL_SHARE = 0.005
"""Countries that never reach this share are counted among other countries."""


@dataclass(frozen=True)
class Origin:
    """Origin of the supply of one material to one participant.

    Attributes
    ----------
    shares
        Fraction of normal supply by country.
    direct
        The part of `shares` that the import statistics show as such.
    ref
        References.
    """

    shares: dict[str, float]
    direct: dict[str, float]
    ref: str


def world_output(sources: Sources, symbol: str) -> tuple[dict[str, float], str]:
    """Tonnes a year by country at the bottleneck stage, with references."""
    stage = sources.one("bottleneck", symbol=symbol)
    if stage["metric"] == "assumed":
        total, ref = _mined(sources, symbol)
        china = sources.assumed(stage["assumed_china_share"])
        output = {"China": china * total}
        if china < 1.0:
            output[ELSEWHERE] = (1.0 - china) * total
        return output, refs(ref, assumption(stage["assumed_china_share"]))
    rows = sources.rows(
        "supply",
        metric=stage["metric"],
        material=stage["supply_material"],
        stage=stage["stage"],
        form=stage["form"],
    )
    output = {row["country"]: float(row["value"]) for row in rows}
    ref = refs(*(row["ref"] for row in rows))
    if stage["metric"] == "production_share":
        total, mined_ref = _mined(sources, symbol)
        return {country: share * total for country, share in output.items()}, refs(ref, mined_ref)
    return output, ref


def world_total(sources: Sources, symbol: str) -> tuple[float, str]:
    """World supply a year [t] with references."""
    stage = sources.one("bottleneck", symbol=symbol)
    if stage["metric"] != "production":
        return _mined(sources, symbol)
    output, ref = world_output(sources, symbol)
    return sum(output.values()), ref


def _mined(sources: Sources, symbol: str) -> tuple[float, str]:
    if symbol == METAL:
        oxide, ref = _mined(sources, OXIDE)
        made = metal_yield(sources)
        return oxide * made.value, refs(ref, made.ref)
    stage = "refined" if symbol == "Sc" else "mine"
    rows = sources.rows("supply", metric="production", material=symbol, stage=stage)
    return sum(float(row["value"]) for row in rows), refs(*(row["ref"] for row in rows))


def origin(sources: Sources, participant: str, symbol: str) -> Origin:
    """Trace the supply of one material to one participant."""
    shares: defaultdict[str, float] = defaultdict(float)
    direct: defaultdict[str, float] = defaultdict(float)
    references = [world_output(sources, symbol)[1], "method_origins"]
    for leg in sources.rows("origin_legs", participant=participant, symbol=symbol):
        fraction = leg_fraction(sources, leg)
        if sources.is_assumption(leg["fraction"]):
            references.append(assumption(leg["fraction"]))
        if leg["leg"] == "domestic":
            shares[leg["country"]] += fraction
            direct[leg["country"]] += fraction
        elif leg["leg"] == "world":
            _add_world(sources, leg, fraction, shares)
        elif leg["leg"] == "import":
            references.append(_add_imports(sources, leg, fraction, shares, direct))
    return Origin(dict(shares), dict(direct), refs(*references))


def leg_fraction(sources: Sources, leg: Row) -> float:
    """Part of demand that a leg covers."""
    if leg["fraction"] == "rest":
        legs = sources.rows("origin_legs", participant=leg["participant"], symbol=leg["symbol"])
        return 1.0 - sum(leg_fraction(sources, other) for other in legs if other is not leg)
    if leg["fraction"] == "production":
        output, _ = world_output(sources, leg["symbol"])
        return output[leg["country"]] / yearly_demand(sources, leg["participant"], leg["symbol"])
    return sources.number(leg["fraction"])


def _add_imports(
    sources: Sources, leg: Row, fraction: float, shares: dict[str, float], direct: dict[str, float]
) -> str:
    participant, symbol = leg["participant"], leg["symbol"]
    rows = _import_rows(sources, leg)
    output, _ = world_output(sources, symbol)
    demand = yearly_demand(sources, participant, symbol)
    routes = dict(_route(route) for route in leg["route"].split(";") if route)
    references = [row["ref"] for row in rows]
    total = sum(float(row["value"]) for row in rows)
    for row in rows:
        country = row["country"]
        share = fraction * float(row["value"]) / total
        if country in routes:
            through, key = routes[country]
            part = share * sources.assumed(key)
            shares[through] += part
            references.append(assumption(key))
            _add_world(sources, leg, share - part, shares)
            continue
        kept = _kept(country, share * demand, output, leg["kept"].split(";")) / demand
        if kept:
            shares[country] += kept
            direct[country] += kept
        _add_world(sources, leg, share - kept, shares)
    return refs(*references)


def _import_rows(sources: Sources, leg: Row) -> list[Row]:
    reporter = CODE[leg["participant"]]
    found = sources.rows(
        "supply",
        metric="import_share",
        reporter=reporter,
        material=leg["import_material"],
        form=leg["import_form"],
    )
    if not found:  # Scandium: the mix of the partner's imports.
        found = sources.rows(
            "supply",
            metric="import_share",
            material=leg["import_material"],
            form=leg["import_form"],
        )
    return found


def _route(text: str) -> tuple[str, tuple[str, str]]:
    """`A>B:key`: of what comes from A the part `key` starts in B."""
    start, rest = text.split(">")
    through, key = rest.split(":")
    return start, (through, key)


def _kept(country: str, tonnes: float, output: dict[str, float], kept: list[str]) -> float:
    """Tonnes of which a country of import can itself be the origin."""
    if country == ELSEWHERE:
        return 0.0
    if country in kept:
        return tonnes
    return min(tonnes, output.get(country, 0.0))


def _add_world(sources: Sources, leg: Row, amount: float, shares: dict[str, float]) -> None:
    """Divide an amount by the world shares of the bottleneck stage, the buyer's own left out."""
    output, _ = world_output(sources, leg["symbol"])
    abroad = {
        country: tonnes
        for country, tonnes in output.items()
        if country != COUNTRY[leg["participant"]]
    }
    total = sum(abroad.values())
    for country, tonnes in abroad.items():
        shares[country] += amount * tonnes / total


@cache
def source_key(country: str) -> str:
    """`DR Congo` as a key: `dr_congo`."""
    if country == ELSEWHERE:
        return "other_countries"
    return country.lower().replace("'", " ").replace(" ", "_")


def supply_tables(sources: Sources) -> tuple[list[Row], list[Row]]:
    """Rows of `sources.csv` and `supply.csv`."""
    origins = {
        (participant, choice["symbol"]): origin(sources, participant, choice["symbol"])
        for participant in PARTICIPANTS
        for choice in sources.tables["selection"]
    }
    large = {
        country
        for found in origins.values()
        for country, share in found.shares.items()
        if share >= SMALL_SHARE and country != ELSEWHERE
    }
    rows = []
    for (participant, symbol), found in origins.items():
        material = sources.one("selection", symbol=symbol)["material"]
        rows += _supply_rows(participant, material, found, large)
    countries = [*sorted(large), ELSEWHERE]
    names = [
        {
            "source": source_key(country),
            "name": "Other countries" if country == ELSEWHERE else country,
            "ref": "method_origins",
            "note": _largest(origins, country, large),
        }
        for country in countries
    ]
    return names, rows


def _largest(origins: dict[tuple[str, str], Origin], country: str, large: set[str]) -> str:
    """Where a source matters most."""

    def share(found: Origin) -> float:
        counted = {name for name in found.shares if name not in large}
        names = counted if country == ELSEWHERE else {country}
        return sum(found.shares.get(name, 0.0) for name in names)

    participant, symbol = max(origins, key=lambda key: share(origins[key]))
    largest = significant(100.0 * share(origins[participant, symbol]), 3)
    return f"largest share {largest} %: {symbol}, {COUNTRY[participant]}"


def _supply_rows(participant: str, material: str, found: Origin, large: set[str]) -> list[Row]:
    merged: defaultdict[str, float] = defaultdict(float)
    direct: defaultdict[str, float] = defaultdict(float)
    for country, share in found.shares.items():
        merged[country if country in large else ELSEWHERE] += share
    for country, share in found.direct.items():
        direct[country if country in large else ELSEWHERE] += share
    rounded = {country: round(share, 4) for country, share in merged.items()}
    largest = max(rounded, key=lambda country: rounded[country])
    rounded[largest] = min(
        rounded[largest],
        round(1.0 - sum(share for country, share in rounded.items() if country != largest), 4),
    )
    ordered = sorted(
        (country for country, share in rounded.items() if share > 0.0),
        key=lambda country: (country == ELSEWHERE, -rounded[country], country),
    )
    return [
        {
            "participant": participant,
            "material": material,
            "source": source_key(country),
            "share": decimals(rounded[country], 4),
            "ref": found.ref,
            "note": f"{significant(100.0 * direct[country], 3)} % direct or own, "
            f"{significant(100.0 * max(merged[country] - direct[country], 0.0), 3)} % traced",
        }
        for country in ordered
    ]
