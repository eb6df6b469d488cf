"""A game of costs: what every coalition of participants would pay in a year."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.errors import UsageError, printable, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

MOST_PLAYERS = 12
"""Most players of a game: 12 have 4,095 coalitions, each of which is a plan to be solved."""
_ROUNDING = 1e-9  # Sums of costs agree to this fraction of the largest cost.
_LISTED_COALITIONS = 4  # Coalitions that a message names.


@dataclass(frozen=True, slots=True)
class CostGame:
    """What every coalition of participants would pay in a year, each coalition on its own.

    Attributes
    ----------
    players
        The participants, in the order of every result; at most :data:`MOST_PLAYERS`.
    cost
        c(S), least cost [USD/year] at which coalition S keeps the promises of its members, for
        every non-empty S. The empty coalition may be left out and pays nothing.

    Raises
    ------
    UsageError
        A coalition is missing or unknown, a cost is not a finite number, or the empty coalition
        pays something.
    """

    players: tuple[str, ...]
    cost: Mapping[frozenset[str], float]

    def __post_init__(self) -> None:
        _require_players(self.players)
        # A copy: what the caller does to its own table later must not change the game.
        cost = {frozenset(): 0.0, **self.cost}
        _require_costs(self.players, cost)
        object.__setattr__(self, "cost", {coalition: float(cost[coalition]) for coalition in cost})

    @property
    def standalone(self) -> dict[str, float]:
        """c({i}) [USD/year]: what each player pays without the others."""
        return {player: self.cost[frozenset((player,))] for player in self.players}

    @property
    def total(self) -> float:
        """c(N) [USD/year]: what all players pay together."""
        return self.cost[frozenset(self.players)]

    @property
    def rounding(self) -> float:
        """Amount [USD/year] up to which two sums of costs count as equal."""
        return _ROUNDING * max(abs(cost) for cost in self.cost.values())

    def saving(self, coalition: Iterable[str]) -> float:
        """Return v(S), the costs of the members alone less c(S) [USD/year]."""
        members = frozenset(coalition)
        for player in sorted(members.difference(self.players)):
            raise UsageError(_unknown(player, self.players))
        alone = math.fsum(self.cost[frozenset((player,))] for player in members)
        return alone - self.cost[members]

    def members(self, number: int) -> tuple[str, ...]:
        """Return the players of the coalition with this number: those whose bit is set."""
        return tuple(player for bit, player in enumerate(self.players) if number >> bit & 1)

    def costs(self) -> NDArray[np.float64]:
        """Return (2^n,) c(S) [USD/year] by number of the coalition, see :meth:`members`."""
        numbers = range(2 ** len(self.players))
        return np.array([self.cost[frozenset(self.members(number))] for number in numbers])

    def membership(self) -> NDArray[np.float64]:
        """Return (2^n, n) 1 where the coalition with this number has the player, else 0."""
        bits = np.arange(len(self.players))
        return ((np.arange(2**bits.size)[:, None] >> bits) & 1).astype(np.float64)

    def in_order(self, values: Mapping[str, float], what: str) -> NDArray[np.float64]:
        """Return (n,) the values in the order of the players.

        Parameters
        ----------
        values
            One finite number for each player.
        what
            What a value is, to start a message with, such as ``The weight``.
        """
        for player in values:
            if player not in self.players:
                raise UsageError(_unknown(player, self.players))
        for player in self.players:
            if player not in values:
                raise UsageError(f"{what} of {printable(player)} is missing.")
            if not math.isfinite(values[player]):
                raise UsageError(f"{what} of {printable(player)} is {values[player]}, not finite.")
        return np.array([values[player] for player in self.players], dtype=np.float64)


def _require_players(players: tuple[str, ...]) -> None:
    if not players:
        raise UsageError("A game needs at least one player.")
    if len(set(players)) < len(players):
        twice = next(player for player in players if players.count(player) > 1)
        raise UsageError(f"Player {printable(twice)} is named twice.")
    if len(players) > MOST_PLAYERS:
        raise UsageError(
            f"The game has {len(players)} players; at most {MOST_PLAYERS} are possible, because "
            "every coalition needs a cost and their number doubles with each player.\n"
            "Treat participants that always act together as one player."
        )


def _require_costs(players: tuple[str, ...], cost: Mapping[frozenset[str], float]) -> None:
    everyone = frozenset(players)
    for coalition in cost:
        if not isinstance(coalition, frozenset) or not coalition <= everyone:
            raise UsageError(
                f"{_named(coalition)} has a cost but is no coalition of the players "
                f"{', '.join(map(printable, players))}.\n"
                f"Coalitions are frozensets of players, such as frozenset({{{players[0]!r}}})."
            )
    if len(cost) < 2 ** len(players):
        missing = [
            coalition
            for number in range(2 ** len(players))
            if (coalition := frozenset(p for bit, p in enumerate(players) if number >> bit & 1))
            not in cost
        ]
        named = ", ".join(_named(coalition) for coalition in missing[:_LISTED_COALITIONS])
        left = len(missing) - _LISTED_COALITIONS
        raise UsageError(
            f"Coalitions without a cost: {named}"
            + (f" and {left} more" if left > 0 else "")
            + ".\n"
            f"{len(players)} players need {2 ** len(players) - 1} costs, one for each coalition."
        )
    for coalition, value in cost.items():
        if not math.isfinite(value):
            raise UsageError(f"The cost of {_named(coalition)} is {value}, not a finite number.")
    if cost[frozenset()] != 0.0:
        raise UsageError(f"The empty coalition has a cost of {cost[frozenset()]}; it pays nothing.")


def _named(coalition: object) -> str:
    """Members of a coalition, or whatever stands in place of one."""
    if not isinstance(coalition, frozenset):
        return printable(repr(coalition))
    return " + ".join(sorted(printable(str(player)) for player in coalition)) or "nobody"


def _unknown(player: str, players: tuple[str, ...]) -> str:
    known = suggestion(player, players, "players")
    return f"{printable(player)} is not a player of the game. {known}"
