"""Projects, what they make, and when they start."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.cells import ALL
from stockpile.tables import names_of
from stockpile.validation.places import TOLERANCE, expand, row_mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.errors import Mistake
    from stockpile.instance import Instance
    from stockpile.reading import Gaps


def _projects(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    participants = names_of("participants", instance.participants)
    for row in instance.projects:
        beneficiaries = expand(row.beneficiaries, participants)
        shares = row.beneficiary_shares
        value = ";".join(f"{share:g}" for share in shares)
        known = row.beneficiaries != (ALL,) or "participants" not in gaps.incomplete
        if known and len(shares) != len(beneficiaries):
            yield row_mistake(
                "projects",
                row,
                "beneficiary_shares",
                value,
                f"{len(shares)} beneficiary_shares are given for {len(beneficiaries)} "
                "beneficiaries; expected one for each",
                f"Beneficiaries in order: {', '.join(beneficiaries)}.",
            )
        elif math.fsum(shares) > 1.0 + TOLERANCE:
            message = f"beneficiary_shares add up to {math.fsum(shares):.6g}, which is above 1"
            hint = "Shares are fractions of the project's output."
            yield row_mistake("projects", row, "beneficiary_shares", value, message, hint)
        if row.fast_track_usd is None and row.fast_track_months > 0.0:
            yield row_mistake(
                "projects",
                row,
                "fast_track_usd",
                "",
                "fast_track_months is given, but not what the fast track costs",
                "Write 0 if it costs nothing.",
            )
        if row.slip_probability > 0.0 and row.slip_months == 0.0:
            yield row_mistake(
                "projects",
                row,
                "slip_months",
                row.slip_months,
                "slip_probability is given, but not by how much the project slips; expected "
                "a number above 0 [months]",
                "Leave slip_probability empty if it does not slip.",
            )


def _first_products(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that what a project makes besides is not what it makes first."""
    first = {row.project: row.material for row in instance.projects}
    for row in instance.project_products:
        if first.get(row.project) == row.material:
            yield row_mistake(
                "project_products",
                row,
                "material",
                row.material,
                f"{row.material} is what {row.project} makes by projects.csv; expected "
                "another material",
                "Add its output to capacity_t_per_year in projects.csv.",
            )


RULES = (_projects, _first_products)
