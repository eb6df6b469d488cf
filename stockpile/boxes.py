"""Boxes of candidates: a choice of rules and variant, bounds on lots, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(slots=True)
class Boxes:
    """Boxes as parallel arrays; B of them."""

    lo: NDArray[np.int64]
    hi: NDArray[np.int64]
    rule: NDArray[np.int64]
    lower: NDArray[np.float64]
    """(B, C) lower limit on the variable cost: what has been simulated of the top corner, and the
    rest of one above it."""
    full: NDArray[np.float64]
    """(B, C) the lower variable cost of the top corner that was simulated last in all scenarios."""
    rest: NDArray[np.float64]
    """(B, C) its part outside of the scenarios of the sketch; not numbers where it is unknown."""
    sketched: NDArray[np.bool_]
    """(B,) whether the top corner itself has been simulated, in the scenarios of the sketch."""
    since: NDArray[np.int64]
    """(B,) times that the box has been split since then."""
    variable: NDArray[np.float64]
    """(B, C) variable cost of the top corner, which counts in a box of one."""
    feasible: NDArray[np.bool_]
    """(B,) whether the top corner keeps every promise, which counts in a box of one."""
    covered: NDArray[np.uint8]
    """(B, G', bytes) scenarios in which the top corner keeps groups, loosely."""
    exact: NDArray[np.bool_]
    """(B,) whether the top corner itself has been simulated in all scenarios."""
    tail: NDArray[np.float64]
    """(B,) a lower limit on the charge for the tail at the current prices."""
    stale: NDArray[np.bool_]
    """(B,) whether that charge has not been simulated at the top corner itself."""
    added: NDArray[np.float64]
    """(B,) what a plane below the balance of tonnes adds to the charge at the bottom corner."""
    fall: NDArray[np.float64]
    """(B, I) by how much less it adds with every lot more."""
    bound: NDArray[np.float64]
    """(B,) lower limit on what any candidate inside is charged."""

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Boxes:
        """Return the chosen ones; where a mask chooses all, these themselves."""
        if chosen.dtype == np.bool_:
            if chosen.all():
                return self
            chosen = np.flatnonzero(chosen)
        # Many times faster than an index in brackets; there can be very many boxes.
        return Boxes(*(np.take(getattr(self, name), chosen, axis=0) for name in Boxes.__slots__))

    @property
    def count(self) -> int:
        """Return the number of boxes."""
        return len(self.lo)

    @property
    def single(self) -> NDArray[np.bool_]:
        """Say which boxes are one candidate that has been simulated."""
        return np.asarray(self.exact & (self.lo == self.hi).all(axis=1))

    def added_from(self, lo: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what the balance of tonnes adds at other bottom corners inside, (B,)."""
        fallen = np.einsum("bi,bi->b", self.fall, (lo - self.lo).astype(np.float64))
        return np.asarray(np.maximum(self.added - fallen, 0.0))


def join(boxes: Sequence[Boxes]) -> Boxes:
    """Put boxes together."""
    return Boxes(
        *(np.concatenate([getattr(part, name) for part in boxes]) for name in Boxes.__slots__)
    )
