"""Candidates of one block, and parts of all there are: bounds on lots, rules allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.choices import owners_rules, variant_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Region:
    """Part of a block's candidates: bounds on the lots, and the rules allowed.

    Attributes
    ----------
    lo, hi
        (I,) bounds on the lots.
    rules
        (C, R) whether an owner may follow a rule.
    variants
        (V,) whether the block may be in a variant.
    """

    lo: NDArray[np.int64]
    hi: NDArray[np.int64]
    rules: NDArray[np.bool_]
    variants: NDArray[np.bool_]

    def allows(self, rule: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which combinations of rules and variant (P, C + 1) are allowed, (P,)."""
        followed = owners_rules(rule)
        allowed = self.rules[np.arange(followed.shape[1]), followed].all(axis=1)
        return np.asarray(allowed & self.variants[variant_of(rule)])

    def holds(self, candidates: Candidates) -> NDArray[np.bool_]:
        """Say which candidates are inside."""
        lots = candidates.lots
        inside = (lots >= self.lo).all(axis=1) & (lots <= self.hi).all(axis=1)
        return inside & self.allows(candidates.rule)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates that have been simulated and keep every promise of their block; P of them.

    Attributes
    ----------
    lots, rule
        (P, I), and (P, C + 1) rules and variants.
    variable
        (P, C) shortage and shipping cost by participant [USD/year].
    covered
        (P, G', bytes) scenarios in which joint chance groups are kept.
    """

    lots: NDArray[np.int64]
    rule: NDArray[np.int64]
    variable: NDArray[np.float64]
    covered: NDArray[np.uint8]

    @property
    def count(self) -> int:
        """Return the number of candidates."""
        return len(self.lots)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Candidates:
        """Return the chosen ones."""
        return Candidates(*(getattr(self, name)[chosen] for name in Candidates.__slots__))

    def put(self, places: NDArray[np.int64], others: Candidates) -> Candidates:
        """Return the same with others in some places."""
        columns = []
        for name in Candidates.__slots__:
            column = getattr(self, name).copy()
            column[places] = getattr(others, name)
            columns.append(column)
        return Candidates(*columns)
