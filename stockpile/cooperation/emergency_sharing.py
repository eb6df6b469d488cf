"""Sharing supplies in an emergency, as the International Energy Program agreement does for oil.

The agreement (Paris, 18 November 1974) says how its parties share what oil is left when supplies
to the group fall. Everybody restrains demand by the same fraction (Articles 13 and 14). What then
is still missing is taken from emergency reserves, by everybody in proportion to the reserve that
it has committed to hold (Article 7). Whoever has more supplies than it needs after that passes
the rest on, and whoever has less receives it.

The same arithmetic serves any material. Quantities are rates, here tonnes a month; any one unit
of time will do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LEVELS = ((0.12, 0.10), (0.07, 0.07))  # Reduction of supply, restraint: Articles 14 and 13.
_ROUNDING = 1e-12  # A fraction of the group's consumption that is rounding, not tonnes.


@dataclass(frozen=True, slots=True)
class EmergencySharing:
    """Who owes and who receives supplies, in the words of Article 7.

    All arrays are (P,) by participant, in the order given [t/month].

    Attributes
    ----------
    restraint
        Fraction of base consumption that everybody goes without.
    group_shortfall
        Permissible consumption of the group less its available supplies (7.6) [t/month].
    permissible_consumption
        Consumption left after demand restraint (7.4).
    drawdown_obligation
        What a participant takes from its emergency reserve: its part of the group's shortfall, in
        proportion to its emergency reserve commitment (7.5).
    supply_right
        Permissible consumption less drawdown obligation (7.1): the supplies a participant may
        keep. Negative where the obligation alone exceeds its permissible consumption.
    balance
        Supply right less available supplies: positive where a participant receives, negative
        where it owes. Adds up to zero. Available supplies, drawdown and balance together are the
        permissible consumption, for every participant.
    """

    restraint: float
    group_shortfall: float
    permissible_consumption: NDArray[np.float64]
    drawdown_obligation: NDArray[np.float64]
    supply_right: NDArray[np.float64]
    balance: NDArray[np.float64]

    @property
    def allocation_right(self) -> NDArray[np.float64]:
        """What a participant may claim from the others (7.2); 0 where it owes."""
        return np.maximum(self.balance, 0.0)

    @property
    def allocation_obligation(self) -> NDArray[np.float64]:
        """What a participant has to supply to the others (7.3); 0 where it receives."""
        return np.maximum(-self.balance, 0.0)


def restraint_level(consumption: ArrayLike, available: ArrayLike) -> float | None:
    """Return the demand restraint that the agreement prescribes for a disruption.

    Where the group's supplies fall by 12 % of its base consumption or more, everybody saves 10 %
    (Article 14); from 7 % on, 7 % (Article 13). A smaller loss does not start general sharing:
    None. The fall of supplies is taken as base consumption less available supplies, as if the
    group had been supplied with just what it consumed.

    Parameters
    ----------
    consumption : (P,) consumption in the base period [t/month].
    available : (P,) supplies during the disruption [t/month].
    """
    consumed, supplies = _vectors(consumption=consumption, available=available)
    if consumed.sum() == 0.0:
        return None
    reduction = 1.0 - supplies.sum() / consumed.sum()
    return next((level for loss, level in _LEVELS if reduction >= loss - _ROUNDING), None)


def article7(
    consumption: ArrayLike,
    available: ArrayLike,
    commitment: ArrayLike,
    restraint: float | None = None,
) -> EmergencySharing:
    """Return who owes and who receives supplies in a disruption, by Article 7.

    Parameters
    ----------
    consumption : (P,) consumption in the base period [t/month].
    available : (P,) own production and net imports during the disruption, before any reserve is
        used and before sharing [t/month].
    commitment : (P,) emergency reserve that a participant has committed to hold [t]. Only the
        proportions count. In the agreement it is 60, later 90 days of net imports (Article 2).
    restraint : fraction of base consumption that everybody goes without, in [0, 1); by default
        as in :func:`restraint_level`.

    Raises
    ------
    UsageError
        General sharing does not start by itself, supplies exceed what may be consumed, or nobody
        has committed a reserve to draw on.
    """
    consumed, supplies, committed = _vectors(
        consumption=consumption, available=available, commitment=commitment
    )
    if restraint is None:
        restraint = restraint_level(consumed, supplies)
        if restraint is None:
            raise UsageError(
                "The group loses less than 7 % of its consumption, from which on Article 13 "
                "starts general sharing.\nName a restraint to share a smaller loss."
            )
    elif not 0.0 <= restraint < 1.0:
        raise UsageError(f"The restraint is {restraint:g}; it must be ≥ 0 and < 1.")
    permissible = (1.0 - restraint) * consumed
    shortfall = _shortfall(permissible, supplies, consumed)
    drawdown = np.zeros_like(consumed)
    if shortfall > 0.0:
        if committed.sum() == 0.0:
            raise UsageError(
                f"The group is short of {shortfall:g} t a month, but nobody has committed a "
                "reserve to draw on."
            )
        drawdown = shortfall * (committed / committed.sum())
    right = permissible - drawdown
    return EmergencySharing(restraint, shortfall, permissible, drawdown, right, right - supplies)


def _shortfall(
    permissible: NDArray[np.float64], supplies: NDArray[np.float64], consumed: NDArray[np.float64]
) -> float:
    """Return the group's shortfall [t/month], not negative and without rounding errors."""
    shortfall = float(permissible.sum() - supplies.sum())
    if abs(shortfall) <= _ROUNDING * consumed.sum():
        return 0.0
    if shortfall < 0.0:
        # Article 7 divides what is missing and is silent on a surplus. Articles 13 and 14 never
        # ask for more restraint than supplies have fallen, so only a given restraint leads here.
        raise UsageError(
            f"Supplies of {supplies.sum():g} t a month exceed the permissible consumption of "
            f"{permissible.sum():g} t, so no reserve has to be drawn.\n"
            "A smaller restraint is enough."
        )
    return shortfall


def _vectors(**columns: ArrayLike) -> list[NDArray[np.float64]]:
    """Return the columns as vectors of one length, none of them with a negative number."""
    vectors = [np.asarray(column, dtype=np.float64) for column in columns.values()]
    for name, vector in zip(columns, vectors, strict=True):
        if vector.ndim != 1 or vector.size != vectors[0].size:
            raise UsageError(
                f"{', '.join(columns)} must be lists of one length, with one number for each "
                f"participant; {name} has the shape {vector.shape}."
            )
        if not np.all(np.isfinite(vector) & (vector >= 0.0)):
            raise UsageError(f"Every number of {name} must be finite and ≥ 0.")
    return vectors
