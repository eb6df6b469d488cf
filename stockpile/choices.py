"""What a candidate chooses besides lots: a rule for every owner, and a variant of the block.

Both stand in one row of whole numbers, *choices*: the owners' rules, as indices into the menu, and
last the variant (:mod:`stockpile.variants`). Searches pass the row on as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def owners_rules(choices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the owners' rules (..., C) of choices (..., C + 1)."""
    return choices[..., :-1]


def variant_of(choices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the variants (...) of choices (..., C + 1)."""
    return choices[..., -1]


def with_variant(rules: NDArray[np.int64], variant: int) -> NDArray[np.int64]:
    """Return choices (..., C + 1) from rules (..., C) and one variant."""
    return np.concatenate([rules, np.full((*rules.shape[:-1], 1), variant)], axis=-1)


def numbered(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a number for each row of whole numbers (P, .) of 0 or more, its own for each kind.

    Rows are in the order of their numbers, the first column counting most.
    """
    number = np.zeros(len(rows), dtype=np.int64)
    size = 1
    for column in rows.T:
        kinds = int(column.max(initial=0)) + 1
        size *= kinds
        if size > np.iinfo(np.int64).max:
            return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
        number = number * kinds + column
    return number
