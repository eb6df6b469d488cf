"""Lead times: announced start years, and how far announcements have slipped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.sources import assumption, refs

if TYPE_CHECKING:
    from builder.sources import Row, Sources

PRICE_YEAR = 2025
"""Projects are decided at its end."""
STARTED = ("operating", "ramping", "commissioning", "first shipments")
"""How the status of a project that has started begins."""
RECENT = range(2023, 2027)
"""First outputs that are compared with the projects that slipped."""
BUILDING = ("under construction", "committed")
"""How the status of a project begins whose announced year is taken as it stands."""
ROUNDING_MONTHS = 12.0 / math.sqrt(12.0)
"""Standard deviation of a start that may fall on any day of the year announced."""


@dataclass(frozen=True)
class Slips:
    """How announced starts slip.

    Attributes
    ----------
    probability
        That a start slips.
    months
        By how much, geometric mean.
    late, on_time
        Projects behind it.
    ref
        References.
    """

    probability: float
    months: float
    late: int
    on_time: int
    ref: str


@dataclass(frozen=True)
class Lead:
    """Time from the decision to the first output: median [months], spread, references, a note."""

    median: float
    sigma: float
    ref: str
    note: str


def slips(sources: Sources) -> Slips:
    """Calibrate on the delays on record and on the projects that started without one.

    Of n projects k slipped: (k + 1) / (n + 2). Most delays never come on record, so this is the
    lower end.
    """
    late = sources.tables["slips"]
    months = [12.0 * (int(row["later_start"]) - int(row["first_start"])) for row in late]
    started = [row for row in sources.tables["projects"] if _started(row)]
    return Slips(
        probability=(len(late) + 1) / (len(late) + len(started) + 2),
        months=math.exp(sum(math.log(value) for value in months) / len(months)),
        late=len(late),
        on_time=len(started),
        ref=refs(*(row["ref"] for row in late), "method_leads"),
    )


def _started(row: Row) -> bool:
    return (
        row["status"].startswith(STARTED)
        and row["start_year"] != ""
        and int(row["start_year"]) in RECENT
    )


def lead(sources: Sources, row: Row) -> Lead:
    """Lead time to the middle of the announced year, or the least that building takes."""
    least = sources.assumed("least_months_to_build")
    if not row["start_year"]:
        return Lead(
            least,
            ROUNDING_MONTHS / least,
            assumption("least_months_to_build"),
            "no start year announced: the least time to build",
        )
    announced = 12.0 * (int(row["start_year"]) - PRICE_YEAR - 1) + 6.0
    note = f"announced for {row['start_year']} ({row['status']})"
    if row["status"].startswith(BUILDING) or announced >= least:
        return Lead(announced, ROUNDING_MONTHS / announced, "", note)
    note += ", but not under construction: the least time to build"
    return Lead(least, ROUNDING_MONTHS / least, assumption("least_months_to_build"), note)
