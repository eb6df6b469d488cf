"""Hazards from past disruptions: how often, how long, how severe.

Rates: events since January 2000 over the years since then, drawn towards the mean of similar
hazards (Gamma-Poisson). Durations: lognormal by maximum likelihood, events that go on in October
2026 counted as at least so long. Severities: mean and spread of the shares of the source's supply
that were lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

from builder.prices import falls, parted
from builder.sources import assumption, refs
from builder.supply import origin
from builder.text import significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.sources import Row, Sources

FIRST_YEAR, FIRST_MONTH = 2000, 1
LAST_YEAR, LAST_MONTH = 2026, 10
EXPOSURE_YEARS = (12 * (LAST_YEAR - FIRST_YEAR) + LAST_MONTH - FIRST_MONTH + 1) / 12
ANY = "*"
FALLS, PARTED = "falls", "parted"
"""Where a rule takes its figures from price histories; see `prices.py`."""


@dataclass(frozen=True)
class Lognormal:
    """Duration of an event [months], with the events it was fitted to."""

    median: float
    sigma: float
    observed: int = 0
    censored: int = 0


# --- How often ------------------------------------------------------------------------------------


def groups(cell: str) -> set[str]:
    """Event groups named in a cell."""
    return {group for group in cell.split(";") if group and group != "none"}


def pooled_rate(sources: Sources, pool: str) -> float:
    """Mean yearly rate of the hazards of one kind."""
    cells = {row["rate_cell"]: groups(row["counted_groups"]) for row in _pool(sources, pool)}
    return sum(len(counted) for counted in cells.values()) / (len(cells) * EXPOSURE_YEARS)


def cell_rate(sources: Sources, rule: Row) -> float:
    """Yearly rate of one hazard: own record and pooled rate, weighted by years."""
    weight = sources.assumed("prior_weight_years")
    count = len(groups(rule["counted_groups"]))
    pooled = pooled_rate(sources, rule["rate_pool"])
    return (count + weight * pooled) / (EXPOSURE_YEARS + weight)


def laplace(yes: set[str], everything: set[str]) -> float:
    """Probability from k of n events: (k + 1) / (n + 2)."""
    return (len(yes & everything) + 1) / (len(everything) + 2)


def _pool(sources: Sources, pool: str) -> list[Row]:
    return sources.rows("hazard_rules", rate_pool=pool)


def _rate(sources: Sources, rule: Row) -> tuple[float, str, list[str]]:
    """Rate, note and references of a hazard."""
    if rule["rate_key"] == FALLS:
        fitted = falls(sources)
        note = f"{len(fitted.spells)} falls began in {fitted.exposed_years} years"
        return fitted.rate, note, [fitted.ref, "method_prices"]
    if rule["rate_key"]:
        return sources.assumed(rule["rate_key"]), "assumed rate", [assumption(rule["rate_key"])]
    if not rule["rate_pool"]:
        return 0.0, "", []
    counted = groups(rule["counted_groups"])
    rate = cell_rate(sources, rule)
    note = (
        f"{len(counted)} events in {significant(EXPOSURE_YEARS, 3)} years, pooled with "
        f"{significant(pooled_rate(sources, rule['rate_pool']), 3)} a year"
    )
    if rule["share_groups"]:
        everything: set[str] = set()
        for row in _pool(sources, rule["rate_pool"]):
            everything |= groups(row["counted_groups"])
        part = laplace(groups(rule["share_groups"]), everything)
        hit = len(groups(rule["share_groups"]))
        note += f", times {significant(part, 2)} ({hit} of {len(everything)} embargoes)"
        rate *= part
    return rate, note, [*_event_refs(sources, counted), assumption("prior_weight_years")]


def _event_refs(sources: Sources, counted: set[str]) -> list[str]:
    return [
        row["ref"]
        for row in sources.tables["disruptions"]
        if row["event_group"] in counted and row["is_primary"] == "1"
    ]


# --- How long -------------------------------------------------------------------------------------


def fit_lognormal(months: Sequence[float], censored: Sequence[bool]) -> Lognormal:
    """Fit a lognormal by maximum likelihood; a censored event lasts at least so long."""
    log, still = np.log(np.asarray(months, dtype=float)), np.asarray(censored, dtype=bool)

    def loss(parameters: np.ndarray) -> float:
        mu, sigma = parameters[0], math.exp(parameters[1])
        z = (log - mu) / sigma
        return -float(np.sum(np.where(still, norm.logsf(z), norm.logpdf(z) - parameters[1])))

    start = np.array([log.mean(), math.log(max(log.std(), 0.1))])
    options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000, "maxfev": 4000}
    best = minimize(loss, start, method="Nelder-Mead", options=options).x
    return Lognormal(math.exp(best[0]), math.exp(best[1]), int((~still).sum()), int(still.sum()))


def duration_pool(sources: Sources, pool: str) -> Lognormal:
    """Fit the events of one pool."""
    used = [row["event_id"] for row in sources.rows("event_use", pool=pool, duration_used="1")]
    events = [sources.one("disruptions", event_id=event) for event in used]
    months = [float(row["duration_months"]) for row in events]
    return fit_lognormal(months, [row["ongoing"] == "1" for row in events])


def _duration(sources: Sources, cell: str) -> tuple[Lognormal, str, list[str]]:
    kind, _, name = cell.partition(":")
    if kind == "one_month":
        return Lognormal(1.0, 0.0), "one month", []
    if kind == FALLS:
        spells = falls(sources).spells
        fitted = fit_lognormal([12.0 * years for years in spells], [False] * len(spells))
        return fitted, f"duration fitted to {len(spells)} falls", []
    if kind == "pool":
        fitted = duration_pool(sources, name)
        note = f"duration fitted to {fitted.observed} ended and {fitted.censored} ongoing events"
        return fitted, note, []
    sigma = sources.assumed("single_event_sigma")
    if kind == "event":
        event = sources.one("disruptions", event_id=name)
        fixed = Lognormal(float(event["duration_months"]), sigma)
        return fixed, f"duration of {name}", [event["ref"], assumption("single_event_sigma")]
    if kind == "key":
        fixed = Lognormal(sources.assumed(name), sigma)
        return fixed, "assumed duration", [assumption(name, "single_event_sigma")]
    keys = f"{name}_median", f"{name}_sigma"
    fixed = Lognormal(*(sources.assumed(key) for key in keys))
    return fixed, "assumed duration", [assumption(*keys)]


# --- How severe -----------------------------------------------------------------------------------


def event_severity(sources: Sources, event: str) -> tuple[float, str]:
    """Share of the source's supply lost in one event, with its reference."""
    if event == "quota2010":
        return sources.assumed(key := "severity_rare_earth_quota_second_half"), assumption(key)
    name, _, symbol = event.partition(":")
    ref = sources.one("disruptions", event_id=name)["ref"]
    if symbol:  # A ban on one nation stops direct shipments, not those through third countries.
        found = origin(sources, "us", symbol)
        return found.direct["China"] / found.shares["China"], refs(ref, found.ref)
    severity = sources.one("event_use", event_id=name)["severity"]
    if sources.is_assumption(severity):
        return sources.assumed(severity), refs(ref, assumption(severity))
    return float(severity), ref


def severity(sources: Sources, rule: Row) -> tuple[float, float, list[str]]:
    """Mean and standard deviation of the severity of a hazard, with references."""
    if rule["severity_key"] in (FALLS, PARTED):
        return _price_severity(sources, rule["severity_key"])
    if rule["severity_key"]:
        key, spread = rule["severity_key"], rule["severity_sd_key"]
        if key == "one":
            return 1.0, 0.0, []
        return sources.assumed(key), sources.assumed(spread), [assumption(key, spread)]
    found = [event_severity(sources, event) for event in rule["severity_events"].split(";")]
    values, references = [value for value, _ in found], [ref for _, ref in found]
    scale = 1.0
    if rule["severity_scale"]:
        scale = sources.assumed(rule["severity_scale"])
        references.append(assumption(rule["severity_scale"]))
    mean = scale * float(np.mean(values))
    if len(values) == 1:
        return mean, 0.0, references
    spread = max(scale * _spread(values), sources.assumed("severity_sd_min"))
    spread = min(spread, sources.assumed("severity_sd_cap") * math.sqrt(mean * (1.0 - mean)))
    keys = ["severity_sd_min", "severity_sd_cap"]
    return mean, spread, [*references, assumption(*keys)]


def _price_severity(sources: Sources, kind: str) -> tuple[float, float, list[str]]:
    """How far prices fall: as neodymium did, or back to the price in China."""
    if kind == FALLS:
        fitted = falls(sources)
        cuts, ref = fitted.cuts, fitted.ref
    else:
        cuts, ref = parted(sources)
    spread = max(float(np.std(cuts, ddof=1)), sources.assumed("severity_sd_min"))
    return float(np.mean(cuts)), spread, [ref, assumption("severity_sd_min")]


def _spread(values: Sequence[float]) -> float:
    """Standard deviation; of two values that of a uniform distribution between them."""
    if len(values) == 2:
        return (max(values) - min(values)) / math.sqrt(12.0)
    return float(np.std(values, ddof=1))


# --- The table ------------------------------------------------------------------------------------


def expand(sources: Sources, cell: str) -> list[str]:
    """Materials of the instance named by symbol or by family of hazards."""
    if cell == ANY:
        return [ANY]
    found = []
    for name in cell.split(";"):
        rows = sources.rows("selection", hazard_family=name) or sources.rows(
            "selection", symbol=name
        )
        if not rows and not _hidden(sources, name):
            message = f"selection.csv has neither a symbol nor a family {name!r}"
            raise ValueError(message)
        found += [row["material"] for row in rows]
    return found


def _hidden(sources: Sources, name: str) -> bool:
    """Whether a symbol or family belongs to other instances only."""
    return any(name in (row["symbol"], row["hazard_family"]) for row in sources.tables["hidden"])


def hazard_rows(sources: Sources) -> list[Row]:
    """Rows of `hazards.csv`."""
    return [
        _hazard_row(sources, rule)
        for rule in sources.tables["hazard_rules"]
        if expand(sources, rule["materials"])
    ]


def _hazard_row(sources: Sources, rule: Row) -> Row:
    rate, rate_note, rate_refs = _rate(sources, rule)
    months, months_note, months_refs = _duration(sources, rule["duration"])
    mean, spread, severity_refs = severity(sources, rule)
    probability, delay, follow_note, follow_refs = _follow(sources, rule)
    notes = [rule["why"].rstrip("."), rate_note, months_note, follow_note]
    return {
        "hazard": rule["hazard"],
        "effect": rule["effect"],
        "source": rule["source"],
        "materials": ";".join(expand(sources, rule["materials"])),
        "targets": rule["targets"],
        "demand_class": rule["demand_class"] or ANY,
        "events_per_year": significant(rate, 3),
        "duration_median_months": significant(months.median, 3),
        "duration_sigma": significant(months.sigma, 3),
        "severity_mean": significant(mean, 3),
        "severity_sd": significant(spread, 3),
        "follows": rule["follows"],
        "follow_probability": significant(probability, 3),
        "follow_delay_months": str(delay),
        **({"answers": rule["answers"]} if rule["answers"] else {}),
        "ref": refs("method_hazards", *rate_refs, *months_refs, *severity_refs, *follow_refs),
        "note": "; ".join(note for note in notes if note),
    }


def _follow(sources: Sources, rule: Row) -> tuple[float, int, str, list[str]]:
    if not rule["follows"]:
        return 0.0, 0, "", []
    references = []
    if rule["follow_key"] == "one":
        probability, note = 1.0, "always follows"
    elif rule["follow_key"]:
        probability, note = sources.assumed(rule["follow_key"]), "assumed to follow"
        references.append(assumption(rule["follow_key"]))
    else:
        yes, everything = groups(rule["follow_yes"]), groups(rule["follow_all"])
        probability = laplace(yes, everything)
        note = f"followed in {len(yes)} of {len(everything)} cases"
        references += _event_refs(sources, yes)
    key = rule["delay_key"]
    if not key:
        return probability, 0, note, references
    if key == "one":
        return probability, 1, note, references
    if key.startswith("event:"):
        event = sources.one("disruptions", event_id=key.removeprefix("event:"))
        return probability, round(float(event["duration_months"])), note, references
    return probability, round(sources.assumed(key)), note, [*references, assumption(key)]
