"""How large a generated instance is to be."""

from __future__ import annotations

from dataclasses import dataclass, fields

from stockpile.arguments import MOST_SCENARIOS
from stockpile.errors import UsageError

RANGES = {
    "materials": (1, 10_000),
    "scenarios": (1, MOST_SCENARIOS),
    "months": (1, 1_200),
    "participants": (1, 50),
    "seed": (0, 2**63 - 1),
}
"""Least and most of each argument."""


@dataclass(frozen=True, slots=True)
class Size:
    """Size of an instance to generate, and the seed that all its figures come from.

    Attributes
    ----------
    materials, participants
        Number of rows of the tables of these names.
    scenarios
        Number of scenarios that a solve draws.
    months
        T, length of a scenario [months].
    seed
        Of the figures and of the scenarios.
    """

    materials: int
    scenarios: int
    months: int
    participants: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse sizes that no instance can have, all at once.

        Raises
        ------
        UsageError
            Naming every wrong argument, its value and what was expected.
        """
        wrong = []
        for item in fields(self):
            value = getattr(self, item.name)
            least, most = RANGES[item.name]
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not least <= value <= most:
                expected = f"expected a whole number from {least} to {most:,}"
                wrong.append(f"{item.name} is {value!r}; {expected}")
        if wrong:
            raise UsageError("\n".join(wrong))
