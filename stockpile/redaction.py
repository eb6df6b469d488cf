"""Results for those who may not know stock levels: bands in place of quantities.

What is hidden is also hidden where it could be worked out: purchases follow from holding and
existing stock, costs from holdings, and the content hash of an instance would confirm a guess of
what is held. Days of cover stand in bands, because exact ones times a public demand are tonnes.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from stockpile.daily_use import days, yearly_use
from stockpile.errors import UsageError, suggestion
from stockpile.records import json_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from stockpile.instance import Instance
    from stockpile.plan import Plan

FORMAT = 1
HIDEABLE = ("holdings", "existing")
"""What can be hidden: what is to be held, and what is held already."""
BANDS = (30.0, 60.0, 90.0, 180.0, 365.0)
"""Ends of the bands [days of cover]."""
NO_STOCK, SOME_STOCK = "none", "some"
"""Bands where there is nothing, and where there is no use that cover could be measured by."""
DIGITS = 2
"""Significant digits of sums of money that are left."""
RESULT = "redacted.json"


def parse_redaction(text: str | None) -> frozenset[str]:
    """Read what is to be hidden, separated by commas; nothing for None.

    Raises
    ------
    UsageError
        If something cannot be hidden.
    """
    if text is None:
        return frozenset()
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if part not in HIDEABLE:
            hint = suggestion(part, HIDEABLE, "words")
            raise UsageError(f"--redact: {part!r}; expected {' or '.join(HIDEABLE)}. {hint}")
    return frozenset(parts)


def band_names() -> tuple[str, ...]:
    """Return all bands of days of cover, the least first.

    >>> band_names()[:3]
    ('none', 'up to 30', '30 to 60')
    """
    ends = [f"{end:.0f}" for end in BANDS]
    middle = (f"{low} to {high}" for low, high in itertools.pairwise(ends))
    return (NO_STOCK, f"up to {ends[0]}", *middle, f"over {ends[-1]}")


ALL_BANDS = (*band_names(), SOME_STOCK)
"""All that may stand in place of tonnes."""


def band(cover_days: float | None, tonnes: float) -> str:
    """Return the band of a stock.

    Parameters
    ----------
    cover_days
        For how many days of normal use of all classes it lasts; None where there is no use.
    tonnes
        The stock [t].
    """
    if tonnes <= 0.0:
        return NO_STOCK
    if cover_days is None:
        return SOME_STOCK
    return band_names()[1 + sum(cover_days > end for end in BANDS)]


def rounded(usd: float | None) -> float | None:
    """Return a sum of money with few digits: it tells little of a single stock."""
    if usd is None or not usd:
        return usd
    digits = DIGITS - 1 - math.floor(math.log10(abs(usd)))
    return round(usd, digits)


def redacted_holdings(
    plan: Plan, instance: Instance, hidden: Collection[str], of: str | None = None
) -> list[dict[str, Any]]:
    """Return one row for each stock: participant, material, holding, existing, rule.

    What is hidden is a band of days of cover; what is not hidden is in tonnes.

    Parameters
    ----------
    of
        The participant whose stocks are hidden; None for all.
    """
    use = yearly_use(instance)
    rules = {
        (row["participant"], row["material"]): row["rule"]
        for row in plan.rules.to_dict(orient="records")
    }
    rows = []
    for row in plan.holdings.to_dict(orient="records"):
        key = (row["participant"], row["material"])
        shown = {}
        for name, column in (("holdings", "holding_t"), ("existing", "existing_t")):
            tonnes = row[column]
            in_band = band(days(tonnes, use.get(key, 0.0)), tonnes)
            hides = name in hidden and of in (None, key[0])
            shown[name] = in_band if hides else f"{tonnes:.10g} t"
        rows.append(
            {
                "participant": key[0],
                "material": key[1],
                "holding": shown["holdings"],
                "existing": shown["existing"],
                "rule": rules[key],
            }
        )
    return rows


def redacted_summary(plan: Plan, hidden: Collection[str]) -> dict[str, Any]:
    """Return what can be said of the whole plan."""
    cost, bound = plan.annual_cost_usd, plan.bound_usd
    if "holdings" in hidden:
        cost, bound = rounded(cost), rounded(bound)
    return {
        "format": FORMAT,
        "instance": {"name": plan.instance_name},
        "hidden": sorted(hidden),
        "bands_days_of_cover": list(band_names()),
        "cooperation": plan.cooperation,
        "status": str(plan.status),
        "scenario_count": plan.scenario_count,
        "annual_cost_usd": cost,
        "bound_usd": bound,
        "gap": None if plan.gap is None else float(f"{plan.gap:.2g}"),
        "promises": len(plan.coverage),
        "promises_kept": int(plan.coverage["met"].sum()),
        "versions": dict(plan.versions),
    }


def redacted_files(plan: Plan, instance: Instance, hidden: Collection[str]) -> dict[str, str]:
    """Return the files of a result in which something is hidden, by name."""
    import pandas as pd

    from stockpile.records import csv_texts

    coverage = plan.coverage.drop(columns=["achieved"])
    tables = {"coverage": coverage}
    if plan.found:
        tables["holdings"] = pd.DataFrame(redacted_holdings(plan, instance, hidden))
        tables["rules"] = plan.rules
    return {RESULT: json_text(redacted_summary(plan, hidden)), **csv_texts(tables)}


FILES = (RESULT, "coverage.csv", "holdings.csv", "projects.csv", "rules.csv")
"""Files of a result in which something is hidden; projects are in one for a partner only."""
