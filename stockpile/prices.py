"""What a block is charged for what all blocks share: the duals of the master, block by block.

With every price zero and cost at 1, the cost of a candidate is equation (7). All prices but those
of variants are non-negative, so everything charged for holding rises with the lots, and everything
charged for running short falls with them: the box search prices exactly, by the same bounds. A
variant is fixed within a box, so its price may have either sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class BlockPrices:
    """Prices of one block.

    Attributes
    ----------
    cost
        Weight of the annual cost (7): 1, or 0 where only limits are looked at.
    share
        (C,) on what a participant bears (16) [USD per USD].
    outlay
        (C,) on acquisition outlay (11) [USD/year per USD].
    stored
        (I,) on storage of each stock (12) [USD/(t year)].
    rule
        (C, R) on the use of a rule by an owner that holds something (15) [USD/year].
    covered
        (G', S') reward for keeping the block's part of a group in a scenario (13) [USD/year].
    tail
        (S',) weight on the shortage cost of a scenario (18).
    variant
        (V,) on the use of a variant of the block (14), of either sign [USD/year].
    """

    cost: float
    share: NDArray[np.float64]
    outlay: NDArray[np.float64]
    stored: NDArray[np.float64]
    rule: NDArray[np.float64]
    covered: NDArray[np.float64]
    tail: NDArray[np.float64]
    variant: NDArray[np.float64]

    @property
    def weight(self) -> NDArray[np.float64]:
        """Return what a USD of cost of each participant counts, (C,)."""
        return self.cost + self.share


def plain_prices(participants: int, stocks: int, rules: int, variants: int) -> BlockPrices:
    """Return the prices of a block that shares nothing: cost alone counts."""
    return BlockPrices(
        cost=1.0,
        share=np.zeros(participants),
        outlay=np.zeros(participants),
        stored=np.zeros(stocks),
        rule=np.zeros((participants, rules)),
        covered=np.zeros((0, 0)),
        tail=np.zeros(0),
        variant=np.zeros(variants),
    )


def same_prices(a: BlockPrices, b: BlockPrices) -> bool:
    """Say whether prices are the same."""
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in a.__slots__)


def reward(covered: NDArray[np.uint8], price: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up the rewards of the scenarios in which groups are covered.

    Parameters
    ----------
    covered
        (P, G', bytes) bits packed by :func:`numpy.packbits`.
    price
        (G', S') reward of each scenario.

    Returns
    -------
    (P,)
    """
    total = np.zeros(len(covered))
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    for g in range(price.shape[0]):
        if not price[g].any():
            continue
        padded = np.zeros(8 * covered.shape[2])
        padded[: price.shape[1]] = price[g]
        of_byte = padded.reshape(-1, 8) @ bits.T  # (bytes, 256)
        for place in np.flatnonzero(padded.reshape(-1, 8).any(axis=1)):
            total += of_byte[place, covered[:, g, place]]
    return total
