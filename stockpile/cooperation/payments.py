"""Side payments that turn the costs borne in a plan into a split, and their price per tonne."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping


def side_payments(allocation: Mapping[str, float], borne: Mapping[str, float]) -> dict[str, float]:
    """Return what each participant pays to the others [USD/year]; negative where it receives.

    The payments add up to zero if the allocation adds up to the costs borne.

    Parameters
    ----------
    allocation
        What each participant should pay in all [USD/year].
    borne
        What each participant pays itself in the plan: its stock, shortages, shipping [USD/year].
    """
    for player in [*allocation, *borne]:
        if player not in allocation or player not in borne:
            missing = "allocation" if player in borne else "cost borne"
            raise UsageError(f"The {missing} of {printable(player)} is missing.")
    return {player: allocation[player] - borne[player] for player in allocation}


def ticket_price(payment_usd_per_year: float, tonnes_held_for_partner: float) -> float | None:
    """Return the price of a stock ticket that is worth a side payment [USD/(t year)].

    A ticket is the right of one party to take over, in an emergency, a stock that another party
    owns and keeps for it against a fee; compulsory oil stocks are traded in this way. The price is
    the side payment that the holder receives, divided by the tonnes on which the partner has a
    claim. The price of the material itself is not part of it: it is paid when the stock is taken.
    The trade quotes tickets per tonne and month, a twelfth of this figure.

    Parameters
    ----------
    payment_usd_per_year
        Side payment that the holder receives from the partner [USD/year]; negative where the
        holder pays.
    tonnes_held_for_partner
        Stock of the holder on which the partner has a claim [t contained].

    Returns
    -------
    Price; None where no tonnes are held for the partner, since no price then gives the payment.
    """
    if not math.isfinite(payment_usd_per_year):
        raise UsageError(f"The payment is {payment_usd_per_year}, not a finite number.")
    if not (math.isfinite(tonnes_held_for_partner) and tonnes_held_for_partner >= 0.0):
        raise UsageError(f"The tonnes held are {tonnes_held_for_partner}; they must be ≥ 0.")
    if tonnes_held_for_partner == 0.0:
        return None
    return payment_usd_per_year / tonnes_held_for_partner
