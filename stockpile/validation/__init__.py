"""What has to hold between the rows of an instance, one function per rule of the format.

Each function yields the mistakes that it finds. It leaves alone what has been reported already:
cells are checked one by one before (`cell_mistakes`, or by the reader), and `Gaps` says which rows
were left out because of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.reading import SETTINGS_FILE
from stockpile.tables import TABLES
from stockpile.validation import chains, names, plans, projects, supply
from stockpile.validation.cells import cell_mistakes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stockpile.errors import Mistake
    from stockpile.instance import Instance
    from stockpile.reading import Gaps

__all__ = ["cell_mistakes", "cross_mistakes", "in_file_order"]


def cross_mistakes(instance: Instance, gaps: Gaps) -> list[Mistake]:
    """Return what is wrong between the rows of an instance whose cells are each valid."""
    return [mistake for rule in RULES for mistake in rule(instance, gaps)]


def in_file_order(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """Sort mistakes by file, in the order of the format, and line."""
    order = {SETTINGS_FILE: -1} | {f"{table}.csv": i for i, table in enumerate(TABLES)}
    return sorted(mistakes, key=lambda item: (order.get(item.file, len(order)), item.line or 0))


RULES = (*names.RULES, *supply.RULES, *plans.RULES, *projects.RULES, *chains.RULES)
