r"""Nash bargaining: everybody saves the same, or by agreed weights.

The disagreement point is what happens without an agreement: everybody pays c({i}), the cost
alone. A possible agreement is any split x of the common cost, :math:`\sum_i x_i = c(N)`, because
side payments can shift cost from one player to another dollar for dollar. The Nash solution
maximises the product of the gains over disagreement,

.. math::

    \max_x \prod_i (c(\{i\}) - x_i)^{w_i}
    \quad\text{subject to}\quad \sum_i x_i = c(N),\; x_i \le c(\{i\}).

The gains add up to the saving v(N) whatever the split, and a product of numbers with a given sum
is greatest where each is proportional to its exponent. So the solution is
:math:`x_i = c(\{i\}) - v(N)\, w_i / \sum_j w_j`: side payments turn bargaining into dividing the
saving. Equal weights are the symmetric solution (Nash, 1950, for two players; the same axioms
give it for any number); other weights are bargaining power (Kalai, 1977).

With two players this is also the Shapley value. With three or more it looks only at everybody
together and everybody alone: what a pair could do without the third has no influence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.cooperation.proportional import divide_saving
from stockpile.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stockpile.cooperation.game import CostGame


def nash_bargaining(game: CostGame, weights: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return what each player pays by Nash bargaining with side payments [USD/year].

    Parameters
    ----------
    game
        What every coalition would pay.
    weights
        Bargaining power of each player, ≥ 0 and not all 0; equal where not given.

    Raises
    ------
    UsageError
        All players together pay more than each alone, so there is nothing to agree on.
    """
    saving = game.saving(game.players)
    if saving < -game.rounding:
        raise UsageError(
            f"Together the players pay {-saving:g} USD a year more than each alone, so there is "
            "nothing to bargain for.\n"
            "Plans that were solved to a gap can look like this. Since the players can also act "
            "alone together, take the cheaper of the two as the cost of all players."
        )
    if weights is None:
        weights = dict.fromkeys(game.players, 1.0)
    return divide_saving(game, weights, "The weight")
