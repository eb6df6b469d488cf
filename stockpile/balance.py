"""What the balance of tonnes says of the scenarios of one variant.

Where the values come from, and why it is a limit, says :mod:`stockpile.tonne_values`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Balance:
    """What the balance of tonnes says of each kept scenario of a variant.

    A *draw* is a stock and some of the steps that take from it: in sum these take no more than
    what rules let any of them take of a full stock, and what is bought back. With the values f,
    full stocks h, and u unserved at a candidate that holds as much or more, cost over the horizon
    is at least

        constant + served[f] @ u - value[f] @ ((usable + refilled[stock]) * h[stock])  [USD]

    Attributes
    ----------
    charge, step_charge
        (Q,) and (J,) what a tonne unserved, and one served by a step, is charged [USD/t].
    stock
        (G,) of each draw.
    steps
        (G, J) the steps of each draw.
    value
        (D, G) values of a tonne that a draw may take [USD/t].
    served
        (D, Q) values of a tonne more that a stream may be served [USD/t].
    form
        (S', F) which values apply, the one that says most counts; -1 for none.
    constant
        (S', F) [USD].
    refilled
        (S', I) most that is bought back, as a part of a full stock.
    """

    charge: NDArray[np.float64]
    step_charge: NDArray[np.float64]
    stock: NDArray[np.int64]
    steps: NDArray[np.bool_]
    value: NDArray[np.float64]
    served: NDArray[np.float64]
    form: NDArray[np.int64]
    constant: NDArray[np.float64]
    refilled: NDArray[np.float64]

    def only(self, chosen: NDArray[np.int64]) -> Balance:
        """Return the same of some kept scenarios."""
        return replace(
            self,
            form=self.form[chosen],
            constant=self.constant[chosen],
            refilled=self.refilled[chosen],
        )

    @staticmethod
    def nothing(steps: int, scenarios: int) -> Balance:
        """Return a balance that says nothing of so many kept scenarios."""
        return Balance(
            charge=np.empty(0),
            step_charge=np.empty(0),
            stock=np.empty(0, dtype=np.int64),
            steps=np.empty((0, steps), dtype=np.bool_),
            value=np.empty((0, 0)),
            served=np.empty((0, 0)),
            form=np.empty((scenarios, 0), dtype=np.int64),
            constant=np.empty((scenarios, 0)),
            refilled=np.empty((scenarios, 0)),
        )


@dataclass(frozen=True, slots=True)
class Tangents:
    """Points of boxes at which planes touch what the balance of tonnes says.

    Attributes
    ----------
    lots
        (B, X, I) lots at the points of each box.
    balances
        What the balance of tonnes says, by variant.
    """

    lots: NDArray[np.int64]
    balances: Mapping[int, Balance]

    def take(self, chosen: NDArray[np.int64]) -> Tangents:
        """Return the points of the chosen boxes, in this order."""
        return Tangents(self.lots[chosen], self.balances)
