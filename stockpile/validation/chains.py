"""Plants that turn one material into another, and who gets which part of them."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from stockpile.validation.places import TOLERANCE, row_mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.errors import Mistake
    from stockpile.instance import Instance
    from stockpile.reading import Gaps
    from stockpile.tables import PlantShare


def _conversions(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that each makes something else. Circles are no mistake: no path goes round them."""
    for row in instance.conversions:
        if row.from_material == row.to_material:
            message = "a conversion cannot make what it takes; expected two different materials"
            yield row_mistake("conversions", row, "to_material", row.to_material, message)


def _plant_shares(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that no plant is given away more than once."""
    shares_of: dict[str, list[PlantShare]] = defaultdict(list)
    for row in instance.plant_shares:
        shares_of[row.conversion].append(row)
    for conversion, rows in shares_of.items():
        total = math.fsum(row.share for row in rows)
        if total > 1.0 + TOLERANCE:
            yield row_mistake(
                "plant_shares",
                rows,
                "share",
                ", ".join(f"{row.share:g}" for row in rows),
                f"shares of the plant {conversion} add up to {total:.6g}, which is above 1",
                "Shares are fractions of its capacity; needs without a row get none of it.",
            )


RULES = (_conversions, _plant_shares)
