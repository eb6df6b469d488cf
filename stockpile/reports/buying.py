"""What it costs to buy given quantities on top of what exists, by equation (8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.blocks import build_blocks
from stockpile.outlay import acquisition_outlay
from stockpile.problem import build_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from stockpile.instance import Instance

Key = tuple[str, str]
"""Participant and material."""


def outlays(
    instance: Instance, bought: Mapping[Key, NDArray[np.float64]]
) -> dict[Key, NDArray[np.float64]]:
    """Return what it costs if all participants buy quantities together, by stock.

    Parameters
    ----------
    instance
        Gives prices, world supply and existing stocks.
    bought
        (P,) quantities of each stock in P cases [t].

    Returns
    -------
    dict
        (P,) outlays of the same stocks [USD].
    """
    problem = build_problem(instance)
    found: dict[Key, NDArray[np.float64]] = {}
    for block in build_blocks(problem):
        c, m = block.market_participant, block.market_material
        keys = [
            (problem.participants[owner], problem.materials[material])
            for owner, material in zip(c, m, strict=True)
        ]
        quantity = np.column_stack([bought[key] for key in keys])
        outlay = acquisition_outlay(problem, block, problem.existing[c, m] + quantity)
        found.update(zip(keys, outlay.T, strict=True))
    return found
