r"""The Shapley value: everybody pays the mean of what joining adds to the cost.

Let the players join one after another, in every order with the same probability. A player pays
the mean of what joining adds to the cost:

.. math::

    x_i = \sum_{S \subseteq N \setminus \{i\}} \frac{|S|!\,(n - |S| - 1)!}{n!}
          \,\bigl(c(S \cup \{i\}) - c(S)\bigr)

It is the only split that pays for everything (efficiency), treats equal players equally
(symmetry), charges nobody who adds nothing (null player) and adds up over independent games
(additivity), such as materials that are planned one by one (Shapley, 1953).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stockpile.cooperation.game import CostGame


def shapley(game: CostGame) -> dict[str, float]:
    """Return what each player pays by the Shapley value [USD/year].

    The sum runs over all coalitions and is rounded once per player, so the result does not depend
    on the order of the players, and equal players pay the same to the last digit.
    """
    n = len(game.players)
    cost = game.costs()
    numbers = np.arange(2**n)
    size = game.membership().sum(axis=1).astype(np.int64)
    # |S|! (n - |S| - 1)! / n! by size of S.
    weight = np.array([1.0 / (n * math.comb(n - 1, s)) for s in range(n)])
    allocation = {}
    for bit, player in enumerate(game.players):
        without = numbers[numbers >> bit & 1 == 0]
        added = cost[without | 1 << bit] - cost[without]
        allocation[player] = math.fsum(weight[size[without]] * added)
    return allocation
