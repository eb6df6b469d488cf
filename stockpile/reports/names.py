"""What participants, materials and classes are called in a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stockpile.instance import Instance
    from stockpile.plan import Plan


@dataclass(frozen=True, slots=True)
class Names:
    """Full names by the keys of the tables; a key stands for itself where no name is known.

    Attributes
    ----------
    participants, materials, sources
        Names by key, in the order of their tables.
    """

    participants: Mapping[str, str]
    materials: Mapping[str, str]
    sources: Mapping[str, str]

    @staticmethod
    def of(plan: Plan, instance: Instance | None) -> Names:
        """Return the names of an instance; without one, the keys that the plan mentions."""
        if instance is None:
            held = plan.holdings if plan.found else plan.coverage
            return Names(
                {key: key for key in dict.fromkeys(held["participant"])},
                {key: key for key in dict.fromkeys(held["material"])},
                {},
            )
        return Names(
            {row.participant: row.name for row in instance.participants},
            {row.material: row.name for row in instance.materials},
            {row.source: row.name for row in instance.sources},
        )

    def participant(self, key: str) -> str:
        """Return the name of a participant."""
        return self.participants.get(key, key)

    def material(self, key: str) -> str:
        """Return the name of a material, of several, separated by ``;``, or of a chain (``+``)."""
        if key not in self.materials and "+" in key:
            return " + ".join(map(self.material, key.split("+")))
        return ", ".join(self.materials.get(part, part) for part in key.split(";"))

    def source(self, key: str) -> str:
        """Return the name of a source."""
        return self.sources.get(key, key)


def readable(key: str) -> str:
    """Return a key that has no full name as words.

    >>> readable("rare_earths_japan_2010")
    'Rare earths japan 2010'
    """
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]
