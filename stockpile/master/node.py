"""A part of all plans: what branching has decided so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stockpile.candidates import Region

FREE, SHUT, OPEN = -1, 0, 1


@dataclass(frozen=True, slots=True)
class Node:
    """A part of all plans.

    Attributes
    ----------
    regions
        Part of each block's candidates.
    facility
        (W,) FREE, SHUT or OPEN.
    rule
        (C, R) whether an owner may use a rule: FREE, SHUT or OPEN, which is to be counted as used.
    project
        (N, 3) states that each project may be in.
    bound
        Proven lower limit on the cost of any plan inside [USD/year].
    depth
        Decisions so far.
    """

    regions: tuple[Region, ...]
    facility: NDArray[np.int64]
    rule: NDArray[np.int64]
    project: NDArray[np.bool_]
    bound: float
    depth: int

    def with_facility(self, w: int, state: int) -> Node:
        """Return the part in which a facility is open or shut."""
        facility = self.facility.copy()
        facility[w] = state
        return replace(self, facility=facility, depth=self.depth + 1)

    def with_rule(self, c: int, r: int, state: int) -> Node:
        """Return the part in which an owner uses a rule or not."""
        rule = self.rule.copy()
        rule[c, r] = state
        return replace(self, rule=rule, depth=self.depth + 1)

    def with_project(self, p: int, states: NDArray[np.bool_]) -> Node:
        """Return the part in which a project is in one of some states (3,)."""
        project = self.project.copy()
        project[p] &= states
        return replace(self, project=project, depth=self.depth + 1)

    def with_region(self, i: int, region: Region) -> Node:
        """Return the part in which a block keeps to a region."""
        regions = (*self.regions[:i], region, *self.regions[i + 1 :])
        return replace(self, regions=regions, depth=self.depth + 1)

    def allowed_rules(self, most_rules: int | None) -> NDArray[np.bool_]:
        """Return which rules an owner may still use, (C, R)."""
        allowed: NDArray[np.bool_] = self.rule != SHUT
        if most_rules is not None:
            decided = (self.rule == OPEN).sum(axis=1) >= most_rules
            allowed[decided] = self.rule[decided] == OPEN
        return allowed
