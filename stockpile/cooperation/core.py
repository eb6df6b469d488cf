r"""The core: does any coalition pay less on its own, and if so by how much at least.

A split is in the core if no coalition S pays more than it would on its own,
:math:`x(S) = \sum_{i \in S} x_i \le c(S)` for every S. The difference :math:`x(S) - c(S)` is the
*excess* of S. The core may be empty. The least core consists of the splits whose greatest excess
over all coalitions but N, :math:`\varepsilon`, is as small as it can be (Maschler, Peleg and
Shapley, 1979):

.. math::

    \min_{x, \varepsilon} \varepsilon \quad\text{subject to}\quad
    x(N) = c(N),\; x(S) - c(S) \le \varepsilon \text{ for every } S \ne \emptyset, N.

The core is empty exactly if the least :math:`\varepsilon` is positive. Then
:math:`\varepsilon` is the least cost of leaving, in USD a year for a coalition, that keeps
everybody in. Where it is negative, every coalition saves at least :math:`-\varepsilon` by staying.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

from stockpile.errors import CheckError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from stockpile.cooperation.game import CostGame

_SOLVER_TOLERANCE = 1e-10  # The least that HiGHS allows; the numbers of the program are near 1.
_GAP = 1e-8  # Most that epsilon and its bound may differ, as a fraction of the largest saving.


@dataclass(frozen=True, slots=True)
class Objection:
    """A coalition that pays less on its own.

    Attributes
    ----------
    coalition
        Its players.
    pays
        x(S), what its members pay by the split [USD/year].
    alone
        c(S), what they would pay on their own [USD/year].
    """

    coalition: tuple[str, ...]
    pays: float
    alone: float

    @property
    def excess(self) -> float:
        """What the coalition would gain by leaving [USD/year]."""
        return self.pays - self.alone


@dataclass(frozen=True, slots=True)
class LeastCore:
    """A split whose greatest excess is least, with the proof.

    Attributes
    ----------
    allocation
        What each player pays [USD/year]. The least core may hold other splits as well.
    epsilon
        Greatest excess of this split over all coalitions but that of all players [USD/year];
        computed from ``allocation``. Where it is not positive, the split is in the core.
    bound
        No split has a smaller greatest excess [USD/year]. Where it is positive, the core is empty.
    """

    allocation: dict[str, float]
    epsilon: float
    bound: float


def core_check(
    game: CostGame, allocation: Mapping[str, float], tolerance_usd_per_year: float | None = None
) -> tuple[Objection, ...]:
    """Return the coalitions that would pay less on their own; none means a split in the core.

    Parameters
    ----------
    game
        What every coalition would pay.
    allocation
        What each player pays [USD/year]; adds up to the cost of all players together.
    tolerance_usd_per_year
        Excess up to which a coalition does not object, ≥ 0. By default only rounding.

    Returns
    -------
    The objections by falling excess; among equal ones smaller coalitions first.

    Notes
    -----
    Where costs are those of plans with a gap, an objection stands: the coalition has a plan that
    costs less. A coalition that does not object may still have a cheaper plan. To prove a split in
    the core, check it in the game in which the coalitions but N pay their proven bounds.
    """
    tolerance = game.rounding if tolerance_usd_per_year is None else tolerance_usd_per_year
    if not tolerance >= 0.0:
        raise UsageError(f"The tolerance is {tolerance:g}; it must be ≥ 0.")
    shares = game.in_order(allocation, "The allocation")
    paid = math.fsum(shares)
    if abs(paid - game.total) > len(shares) * game.rounding:
        raise UsageError(
            f"The allocation adds up to {paid:.10g} USD a year, but all players together pay "
            f"{game.total:.10g}."
        )
    pays, alone = game.membership() @ shares, game.costs()
    objecting = [number for number in _proper(game) if pays[number] - alone[number] > tolerance]
    objections = [
        Objection(game.members(number), float(pays[number]), float(alone[number]))
        for number in objecting
    ]
    return tuple(sorted(objections, key=lambda objection: -objection.excess))


def least_core(game: CostGame) -> LeastCore:
    """Return a split whose greatest excess is least.

    The linear program is solved by HiGHS, and neither of its numbers is taken on trust: epsilon is
    recomputed from the split, and the bound from multipliers that are first made exactly feasible
    (weak duality). Of several optimal splits the solver's vertex is returned.

    Raises
    ------
    UsageError
        With one player there is no coalition to compare with.
    CheckError
        Epsilon and its bound are too far apart.
    """
    if len(game.players) < 2:
        raise UsageError("The least core needs at least two players.")
    proper = _proper(game)
    member, cost = game.membership()[proper], game.costs()[proper]
    alone = game.in_order(game.standalone, "The cost")
    # In savings y = c({i}) - x_i, divided by the largest: the numbers are near 1 for the solver.
    saving, total = member @ alone - cost, game.saving(game.players)
    scale = max(float(np.abs(saving).max()), abs(total)) or 1.0
    y, multiplier = _solve(member, saving / scale, total / scale)
    # What the solver's tolerance leaves of the sum is spread over the players.
    shares = alone - scale * y
    shares += (game.total - math.fsum(shares)) / len(shares)
    epsilon = float((member @ shares - cost).max())
    bound = scale * _dual_bound(member, saving / scale, total / scale, multiplier)
    if not epsilon - bound <= _GAP * scale + game.rounding:
        raise CheckError(f"The least core has an epsilon of {epsilon} but a bound of {bound}.")
    # Rounding may put the bound above what is reached.
    return LeastCore(
        dict(zip(game.players, shares.tolist(), strict=True)), epsilon, min(bound, epsilon)
    )


def _proper(game: CostGame) -> NDArray[np.int64]:
    """Numbers of the coalitions but the empty one and that of all players, small ones first."""
    numbers = np.arange(1, 2 ** len(game.players) - 1)
    size = game.membership()[numbers].sum(axis=1)
    return numbers[np.argsort(size, kind="stable")]


def _solve(
    member: NDArray[np.float64], saving: NDArray[np.float64], total: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Solve min e subject to v(S) - y(S) <= e and y(N) = v(N); the excess of S is v(S) - y(S).

    Parameters
    ----------
    member : (C, n) members of the proper coalitions.
    saving : (C,) v(S).
    total : v(N).

    Returns
    -------
    (n,) y and (C,) multipliers of the coalitions, both as the solver gives them.
    """
    count, n = member.shape
    result = linprog(
        c=np.append(np.zeros(n), 1.0),
        A_ub=np.column_stack([-member, -np.ones(count)]),
        b_ub=-saving,
        A_eq=np.append(np.ones(n), 0.0)[None, :],
        b_eq=[total],
        bounds=(None, None),
        method="highs-ds",
        options={
            "primal_feasibility_tolerance": _SOLVER_TOLERANCE,
            "dual_feasibility_tolerance": _SOLVER_TOLERANCE,
        },
    )
    if result.x is None:
        raise CheckError(f"The least core was not solved: {result.message}")
    return np.asarray(result.x[:n]), -np.asarray(result.ineqlin.marginals)


def _dual_bound(
    member: NDArray[np.float64],
    saving: NDArray[np.float64],
    total: float,
    multiplier: NDArray[np.float64],
) -> float:
    """Return a lower bound on epsilon, valid for any multipliers that are not all <= 0.

    Let multipliers l(S) ≥ 0 add up to 1 and cover every player equally, sum over S with i of l(S)
    = m. The mean of all excesses by l is then at most epsilon and does not depend on y:
    epsilon ≥ sum of l(S) (v(S) - y(S)) = sum of l(S) v(S) - m v(N). The solver's multipliers
    satisfy this up to its tolerance; adding to those of single players makes it exact.
    """
    weight = np.maximum(multiplier, 0.0)
    cover = weight @ member
    most = cover.max()
    # Proper coalitions are sorted by size, so single players come first, in their order.
    weight[: cover.size] += most - cover
    return float((weight @ saving - most * total) / weight.sum())
