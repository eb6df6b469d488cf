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
