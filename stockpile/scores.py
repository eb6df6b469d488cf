"""What simulations say of candidates of one block: what evaluators return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Scores:
    """What the search needs to know of P candidates.

    Attributes
    ----------
    variable
        (P, C) expected shortage, shipping and conversion cost of equation (7) of each participant
        [USD/year]; the latter two are booked to who receives.
    lower
        (P, C) the same with each step's cost lowered to the cheapest later step of its stream:
        never above ``variable``, and never increasing in any holding (corollary of Proposition
        1).
    feasible
        (P,) whether every promise is kept, levels reached within the tolerance.
    hopeful
        (P,) the same within twice the tolerance, so that rounding cannot rule a box out that
        holds a feasible candidate.
    covered, covered_loose
        (P, G', bytes) whether the block keeps its part of each of its joint chance groups,
        scenario by scenario, eight of them to a byte as :func:`numpy.packbits` packs them; within
        the tolerance, and within twice the tolerance.
    added, fall
        (P, X) what the balance of tonnes adds to ``lower`` at points of the box of which this is
        the top corner [USD/year], and (P, X, I) by how much less with every lot more [USD/year].
    """

    variable: NDArray[np.float64]
    lower: NDArray[np.float64]
    feasible: NDArray[np.bool_]
    hopeful: NDArray[np.bool_]
    covered: NDArray[np.uint8]
    covered_loose: NDArray[np.uint8]
    added: NDArray[np.float64]
    fall: NDArray[np.float64]

    def take(self, chosen: NDArray[np.int64]) -> Scores:
        """Return the chosen candidates, in this order."""
        return Scores(*(getattr(self, name)[chosen] for name in Scores.__slots__))

    @staticmethod
    def joined(parts: Sequence[Scores]) -> Scores:
        """Return the scores of all parts, one after the other."""
        return Scores(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in Scores.__slots__)
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """One candidate in full.

    Attributes
    ----------
    holding, shortage, shipping, conversion
        (Z,) cost by market (7) [USD/year]; the latter two are booked to who receives.
    achieved
        What each promise of the block reaches, in the order of ``Evaluator.promises``; nan
        where nothing is consumed that days could be counted of.
    met
        Whether each promise is kept.
    """

    holding: NDArray[np.float64]
    shortage: NDArray[np.float64]
    shipping: NDArray[np.float64]
    conversion: NDArray[np.float64]
    achieved: NDArray[np.float64]
    met: NDArray[np.bool_]

    @property
    def cost(self) -> NDArray[np.float64]:
        """Return the cost (7) by market, (Z,) [USD/year]."""
        return self.holding + self.shortage + self.shipping + self.conversion


@dataclass(frozen=True, slots=True)
class Sampled:
    """One candidate scenario by scenario, and how far sampling blurs what it shows.

    Attributes
    ----------
    variable
        (S', C) shortage, shipping and conversion cost over the horizon in each scenario with need,
        by who bears it [USD].
    shortage
        (S',) shortage cost of all over the horizon [USD].
    covered
        (G', S') whether the block keeps its part of each of its joint chance groups.
    errors
        For each promise the standard error of its value on equally weighted scenarios; 0 where
        nothing is sampled (``stress``, ``days``).
    """

    variable: NDArray[np.float64]
    shortage: NDArray[np.float64]
    covered: NDArray[np.bool_]
    errors: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lowered:
    """The lowered cost of P candidates, in all scenarios or some; see :class:`Scores`."""

    cost: NDArray[np.float64]
    added: NDArray[np.float64]
    fall: NDArray[np.float64]
