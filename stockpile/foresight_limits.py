"""What promises require of holdings under any release policy, equation (F7).

Each promise is taken alone: its stream gets all of its owner's stock, and from partners as much as
can ever reach it. A holding that even so breaks the promise breaks it under every policy. All
limits are lowered by what the tolerances of promises forgive, and a little more for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.coverage import worst_mean
from stockpile.model.foresight_data import FORGIVEN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.model.foresight_data import ForesightData
    from stockpile.needs import Needs
    from stockpile.problem import Promise

SAFETY = 1e-9
"""Limits are lowered by this part of themselves."""
HALVINGS = 100
"""More than enough to bisect a double."""


@dataclass(frozen=True, slots=True)
class _Stream:
    """One stream and all that can ever serve it, by scenario (S',).

    Attributes
    ----------
    need
        [t].
    partners
        Most that partners can release to it [t].
    availability
        Tonnes that a tonne of its own stock can release.
    probability
        p_s.
    """

    need: NDArray[np.float64]
    partners: NDArray[np.float64]
    availability: NDArray[np.float64]
    probability: NDArray[np.float64]

    def unserved(self, holding: float) -> NDArray[np.float64]:
        """Return the least that stays unserved (S',) [t]."""
        return np.maximum(self.need - self.partners - self.availability * holding, 0.0)

    def required(self, level: float) -> NDArray[np.float64]:
        """Return the holding (S',) [t] with which a fraction of the need can be served."""
        return np.maximum(level * self.need - self.partners, 0.0) / self.availability


def with_promises(
    data: ForesightData,
    stress: ForesightData,
    stress_needs: Needs,
    stress_names: Sequence[str],
    block: Block,
    promises: Sequence[Promise],
    chance_tolerance: float,
) -> ForesightData:
    """Return a model whose holdings are limited by the promises on its material as well.

    Parameters
    ----------
    stress, stress_needs, stress_names
        The same model on the cases of ``stress.csv``, their needs, and their names.
    chance_tolerance
        Within which a probability counts as reached.
    """
    lower = data.lower.copy()
    pools: dict[tuple[str, int], list[Promise]] = {}
    for number, promise in enumerate(promises):
        c = promise.participant
        if promise.metric == "days":
            # Without a group a promise is a pool of its own.
            pools.setdefault((promise.group, -1 if promise.group else number), []).append(promise)
        elif promise.metric == "stress":
            case = stress_needs.scenario == stress_names.index(promise.stress)
            required = _stream(stress, block, promise).required(promise.level - FORGIVEN)[case]
            lower[c] = max(lower[c], _lowered(required.max(initial=0.0)))
        else:
            least = _least(promise, _stream(data, block, promise), chance_tolerance)
            lower[c] = max(lower[c], _lowered(least))
    members, pooled = [], []
    for pool in pools.values():
        required_t = _lowered(sum(promise.daily_t * promise.level for promise in pool))
        of_pool = np.isin(block.market_participant, [promise.participant for promise in pool])
        if of_pool.sum() == 1:
            lower[of_pool] = np.maximum(lower[of_pool], required_t)
        elif required_t > 0.0:
            members.append(of_pool)
            pooled.append(required_t)
    return replace(
        data,
        lower=lower,
        pool=np.array(members, dtype=np.bool_).reshape(len(members), len(lower)),
        pooled=np.array(pooled, dtype=np.float64),
    )


def _lowered(holding: float) -> float:
    """Lower a limit [t] so that neither rounding nor a tolerance can make it too high."""
    return float(holding) * (1.0 - FORGIVEN) * (1.0 - SAFETY)


def _stream(data: ForesightData, block: Block, promise: Promise) -> _Stream:
    q = block.stream(promise.participant, promise.material, promise.demand_class)
    partners = np.zeros(data.probability.size)
    if not promise.floor:
        for j in np.flatnonzero((data.stream == q) & ~data.own):
            o = data.owner[j]
            partners += np.minimum(data.limit[:, j], data.availability[:, o] * data.upper[o])
    return _Stream(
        data.need[:, q],
        partners,
        data.availability[:, promise.participant],
        data.probability,
    )


def _least(promise: Promise, stream: _Stream, chance_tolerance: float) -> float:
    """Return a holding [t] below which a promise on a distribution is broken for certain."""
    level = promise.level - FORGIVEN
    if promise.metric == "chance":
        return _quantile(
            stream.required(level), stream.probability, promise.confidence - 2 * chance_tolerance
        )
    most = float(stream.required(1.0).max(initial=0.0))
    if promise.metric == "fill_rate":
        p, need = stream.probability, stream.need
        return _bisect(lambda h: bool(p @ stream.unserved(h) <= (1.0 - level) * (p @ need)), most)
    tail = 1.0 - promise.confidence

    def kept(holding: float) -> bool:
        unserved = stream.unserved(holding)[:, None]
        return bool(worst_mean(unserved, stream.need, stream.probability, tail)[0] >= level)

    return _bisect(kept, most)


def _quantile(
    values: NDArray[np.float64], probability: NDArray[np.float64], confidence: float
) -> float:
    """Return the least value that is not exceeded with a probability; unlisted values are 0."""
    needed = values > 0.0  # What nothing is needed in ranks first, in any order.
    values, calm = values[needed], 1.0 - probability[needed].sum()
    order = np.argsort(values)
    reached = calm + np.concatenate([[0.0], np.cumsum(probability[needed][order])])
    ranked = np.concatenate([[0.0], values[order]])
    # What rounding keeps below a confidence of 1 takes the largest value.
    place = min(int(np.searchsorted(reached, confidence)), ranked.size - 1)
    return float(ranked[place])


def _bisect(kept: Callable[[float], bool], most: float) -> float:
    """Return a holding just below the least one that keeps a promise; ``most`` does."""
    if kept(0.0):
        return 0.0
    low, high = 0.0, most
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (low, middle) if kept(middle) else (middle, high)
    return low
