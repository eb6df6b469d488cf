"""Proportional split: everybody saves in proportion to a key.

The key is a number that the participants agree on. The usual one is the value of normal
consumption [USD/year]: the sum of demand times price over all materials. It is easy to explain
and to audit, but it does not look at what anybody contributes: a group of players may save more
on its own (see :mod:`stockpile.cooperation.core`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stockpile.cooperation.game import CostGame


def proportional(game: CostGame, key: Mapping[str, float]) -> dict[str, float]:
    """Return what each player pays when the saving is divided by a key [USD/year].

    ``x_i = c({i}) - v(N) key_i / sum(key)`` with v(N), the saving of all players together. A
    player whose key is 0 saves nothing and pays as much as alone. Where v(N) is negative, the
    extra cost is divided by the same key.

    Parameters
    ----------
    game
        What every coalition would pay.
    key
        A number ≥ 0 for each player, in any unit; not all of them 0.
    """
    return divide_saving(game, key, "The key")


def divide_saving(game: CostGame, key: Mapping[str, float], what: str) -> dict[str, float]:
    """Divide v(N) in proportion to a key that messages call ``what``."""
    numbers = game.in_order(key, what)
    for player, number in zip(game.players, numbers, strict=True):
        if number < 0.0:
            raise UsageError(f"{what} of {printable(player)} is {number:g}; it must be ≥ 0.")
    total = numbers.sum()
    if total == 0.0:
        raise UsageError(f"{what} of every player is 0, which gives no proportion to divide by.")
    saving = game.saving(game.players)
    return {
        player: alone - saving * float(number / total)
        for (player, alone), number in zip(game.standalone.items(), numbers, strict=True)
    }
