"""Replays of past disruptions and the promises of the two nations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from builder.hazards import event_severity, expand
from builder.sources import assumption, refs
from builder.text import significant

if TYPE_CHECKING:
    from builder.sources import Row, Sources


def stress_rows(sources: Sources) -> list[Row]:
    """Rows of `stress.csv`."""
    return [
        {
            "stress": row["stress"],
            "effect": row["effect"],
            "source": row["source"],
            "materials": ";".join(expand(sources, row["materials"])),
            "targets": row["targets"],
            "start_month": row["start_month"],
            "duration_months": row["duration_months"],
            "severity": significant(replay_severity(sources, row["severity"])[0], 3),
            "ref": refs(row["ref"], replay_severity(sources, row["severity"])[1]),
            "note": row["why"],
        }
        for row in sources.tables["replays"]
    ]


def outcome_rows(sources: Sources) -> list[Row]:
    """Rows of `outcomes.csv`."""
    return [
        {name: row[name] for name in ("stress", "month", "outcome", "ref")} | {"note": row["why"]}
        for row in sources.tables["outcomes"]
    ]


def replay_severity(sources: Sources, cell: str) -> tuple[float, str]:
    """Severity of one event (`event:E16`) or the mean of several (`pool:E15;E31`)."""
    _, _, events = cell.partition(":")
    found = [event_severity(sources, event) for event in events.split(";")]
    return float(np.mean([value for value, _ in found])), refs(*(ref for _, ref in found))


def coverage_rows(sources: Sources) -> list[Row]:
    """Rows of `coverage.csv`."""
    return [_coverage_row(sources, row) for row in sources.tables["promises"]]


def _coverage_row(sources: Sources, promise: Row) -> Row:
    amount, amount_ref = level(sources, promise["level"])
    confidence, confidence_ref = "", ""
    if promise["confidence"]:
        confidence, confidence_ref = level(sources, promise["confidence"])
    return {
        "participant": promise["participant"],
        "material": ";".join(expand(sources, promise["materials"])),
        "demand_class": promise["demand_class"],
        "metric": promise["metric"],
        "level": amount,
        "confidence": confidence,
        "stress": promise["stress"],
        "group": promise["group"],
        "sharing": promise["sharing"] or "on",
        "ref": refs(promise["ref"], amount_ref, confidence_ref, "method_promises"),
        "note": promise["why"],
    }


def level(sources: Sources, cell: str) -> tuple[str, str]:
    """A level, from an assumption or from a policy figure (`holdings:<form>`)."""
    table, _, form = cell.partition(":")
    if table == "holdings":
        row = sources.one("holdings", metric="target days", form=form)
        return row["value"], row["ref"]
    return significant(sources.assumed(cell)), assumption(cell)
