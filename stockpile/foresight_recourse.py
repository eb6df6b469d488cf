"""The recourse of the model with perfect foresight, all scenarios at once: (F8)-(F11), (F13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.kernels.foresight import (
    ChainArrays,
    PairArrays,
    chain_chunks,
    pair_chunks,
    wait_and_see_chunk,
)
from stockpile.parallel import chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from stockpile.model.foresight_data import ForesightData
    from stockpile.parallel import Workers

PAIR = 2
"""Participants for which the recourse has a closed form."""


@dataclass(frozen=True, slots=True)
class Response:
    """Expected recourse to one choice of holdings, over the horizon.

    Attributes
    ----------
    cost
        Shortage and shipping [USD].
    constant, slope
        The cut (F8), ``constant + slope @ h`` [USD], slope (C,) [USD/t]: below the expected cost of
        every choice of holdings, and equal to it, up to rounding, at this one.
    """

    cost: float
    constant: float
    slope: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WaitAndSee:
    """Holdings of one material, chosen for each scenario when it is known (F13).

    Attributes
    ----------
    data
        The material.
    cost, holding
        (S',) of the holdings and the releases [USD/year], and (S', C) the holdings [t].
    calm_cost, calm_holding
        The same, (C,), for each scenario that needs nothing.
    """

    data: ForesightData
    cost: NDArray[np.float64]
    holding: NDArray[np.float64]
    calm_cost: float
    calm_holding: NDArray[np.float64]

    @property
    def expected(self) -> float:
        """Return the mean cost [USD/year]."""
        p = self.data.probability
        return float(p @ self.cost + (1.0 - p.sum()) * self.calm_cost)


class Recourse:
    """Expected cost of the best releases, as a function of the holdings of one material.

    Parameters
    ----------
    closed_form
        Whether to use the closed form of two nations; by default wherever it applies.
    """

    def __init__(
        self, data: ForesightData, workers: Workers, *, closed_form: bool | None = None
    ) -> None:
        self.data = data
        self._workers = workers
        self._chunks = np.array(chunks(data.probability.size))
        self._chain = ChainArrays(
            *(np.ascontiguousarray(getattr(data, name)) for name in ChainArrays._fields)
        )
        self._kernel: Callable[..., None] = chain_chunks
        self._arrays: Any = self._chain
        if len(data.participants) == PAIR if closed_form is None else closed_form:
            self._kernel, self._arrays = pair_chunks, _pair_arrays(data)

    def respond(self, holding: NDArray[np.float64]) -> Response:
        """Return the expected cost of the recourse to holdings (C,) [t], and a cut there."""
        count = self.data.probability.size
        sums = np.zeros((len(self._chunks), 2 + holding.size))

        def work(first: int, last: int) -> None:
            self._kernel(self._chunks, first, last, self._arrays, holding, sums)

        self._workers.run_in_groups(work, count)
        # Chunks add up on their own and are summed in order: no dependence on the threads.
        total = sums.sum(axis=0)
        return Response(float(total[0]), float(total[1]), total[2:])

    def cost(self, holding: NDArray[np.float64]) -> float:
        """Return the cost of holdings (C,) [t] and of the recourse to them (F1) [USD/year]."""
        return self.data.holdings_cost(holding) + self.data.per_year * self.respond(holding).cost

    def wait_and_see(self) -> WaitAndSee:
        """Return the cost with holdings chosen for each scenario alone (F13).

        Pooled promises are left out: it is the cost where there are none, else below it.
        """
        data = self.data
        above = np.zeros(data.probability.size)
        held = np.zeros(data.availability.shape)
        unit_cost = data.holding_cost / data.per_year

        def work(lo: int, hi: int) -> None:
            wait_and_see_chunk(lo, hi, self._chain, data.lower, data.upper, unit_cost, above, held)

        self._workers.run(work, above.size)
        least = data.holdings_cost(data.lower)
        return WaitAndSee(data, least + data.per_year * above, held, least, data.lower)


def _pair_arrays(data: ForesightData) -> PairArrays:
    """Sort the streams of two nations by shortage cost, and add what the partner can serve."""
    num_scenarios, num_streams = data.need.shape
    of_nation = np.empty(num_streams, dtype=np.int64)
    of_nation[data.stream[data.own]] = data.owner[data.own]
    shareable = np.zeros((num_scenarios, num_streams))
    shareable[:, data.stream[~data.own]] = data.limit[:, ~data.own]
    shipping = np.zeros(PAIR)
    shipping[of_nation[data.stream[~data.own]]] = data.cost[~data.own]
    order = np.stack(
        [
            streams[np.argsort(-data.shortage_cost[streams], kind="stable")]
            for streams in (np.flatnonzero(of_nation == nation) for nation in range(PAIR))
        ]
    )
    return PairArrays(
        probability=np.ascontiguousarray(data.probability),
        availability=np.ascontiguousarray(data.availability),
        need=np.ascontiguousarray(data.need[:, order]),
        shareable=np.ascontiguousarray(shareable[:, order]),
        worth=np.append(data.shortage_cost[order], np.zeros((PAIR, 1)), axis=1),
        shipping=shipping,
    )
