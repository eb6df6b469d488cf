"""Where supply comes from: how much of each material hangs on whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpile.reports.charts import SERIES, bars
from stockpile.reports.document import Column, Figure, Section

if TYPE_CHECKING:
    from stockpile.instance import Instance
    from stockpile.languages import Language
    from stockpile.reports.document import Part
    from stockpile.reports.evidence import Evidence
    from stockpile.reports.names import Names

NAMED = 5
"""Sources with a colour of their own; the others are one."""


def supply(evidence: Evidence, names: Names, say: Language) -> Section | None:
    """Return the section on supply; None where the instance is not known or names no sources."""
    instance = evidence.instance
    if instance is None or not instance.supply:
        return None
    parts: list[Part] = []
    sources = _largest(instance)
    for row in instance.participants:
        figure = _figure(instance, row.participant, sources, names, say)
        if figure is not None:
            parts.append(figure)
    return Section("supply", say("Where supply comes from"), tuple(parts)) if parts else None


def _largest(instance: Instance) -> list[str]:
    """Return the sources with the largest sums of shares."""
    sums: dict[str, float] = {}
    for row in instance.supply:
        sums[row.source] = sums.get(row.source, 0.0) + row.share
    return sorted(sums, key=lambda source: -sums[source])[:NAMED]


def _figure(
    instance: Instance, participant: str, sources: list[str], names: Names, say: Language
) -> Figure | None:
    other, safe = say("other sources"), say("never at risk")
    series = [*(names.source(source) for source in sources), other, safe]
    needed = {row.material for row in instance.demand if row.participant == participant}
    rows: list[dict[str, Any]] = []
    labels: list[tuple[str, float]] = []
    for material in instance.materials:
        if material.material not in needed:
            continue
        shares = dict.fromkeys(series, 0.0)
        for row in instance.supply:
            if (row.participant, row.material) == (participant, material.material):
                named = row.source in sources
                shares[names.source(row.source) if named else other] += row.share
        shares[safe] = max(1.0 - sum(shares.values()), 0.0)
        labels.append((material.name, shares[series[0]]))
        rows += [
            {"label": material.name, "series": name, "place": place, "value": 100.0 * share}
            for place, (name, share) in enumerate(shares.items())
            if share > 0.0
        ]
    if not rows:
        return None
    order = [name for name, _ in sorted(labels, key=lambda item: -item[1])]
    nation = names.participant(participant)
    forms = bars(
        rows,
        axis=say("share of normal supply, %"),
        series=series,
        order=order,
        colours=(*SERIES[: len(sources)], SERIES[5], "var(--quiet)"),
    )
    name = f"supply-{list(names.participants).index(participant) + 1}"
    title = say("Sources of {nation}", nation=nation)
    text = say("Bars for every material, divided by source.")
    note = say("Sorted by the share of {source}.", source=series[0])
    return forms.figure(
        name,
        title,
        (
            Column(say("Material"), "material"),
            Column(say("Source"), "source"),
            Column(say("Share"), "share_percent", "%", "number"),
        ),
        tuple((row["label"], row["series"], row["value"]) for row in rows),
        text,
        note,
    )
