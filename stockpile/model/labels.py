"""Names for variables and rows that every file format can hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 60
"""Characters of a name; file formats allow 255 for that of a row, which is made of several."""


def labels_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of letters, digits, points and underscores, different from each other."""
    taken: dict[str, None] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_.]", "_", name)[:LONGEST]
        label, count = plain, 1
        while label in taken:
            count += 1
            label = f"{plain}_{count}"
        taken[label] = None
    return tuple(taken)
