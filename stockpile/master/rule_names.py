"""Which rule of the menu to write down where several act the same: as few different ones as can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def fewest_rules(patterns: Sequence[NDArray[np.bool_]], holds: Sequence[bool]) -> list[int]:
    """Choose a rule for every block of one owner, so that the fewest different ones are in use.

    Parameters
    ----------
    patterns
        By block: (R,) rules that act as the one chosen.
    holds
        By block: whether the owner holds anything; if not, any rule will do.

    Returns
    -------
    The rule of each block; where nothing is held, one that is in use anyway.
    """
    needed = {
        frozenset(np.flatnonzero(pattern).tolist())
        for pattern, held in zip(patterns, holds, strict=True)
        if held
    }
    ordered = sorted(needed, key=lambda pattern: (len(pattern), sorted(pattern)))
    in_use: tuple[int, ...] | None = None
    number = 0
    while in_use is None:
        in_use = _hit(ordered, number)
        number += 1
    return [
        next((r for r in in_use if not held or pattern[r]), int(pattern.argmax()))
        for pattern, held in zip(patterns, holds, strict=True)
    ]


def _hit(patterns: Sequence[frozenset[int]], number: int) -> tuple[int, ...] | None:
    """Find so many rules that every pattern contains one of them."""
    if not patterns:
        return ()
    if number == 0:
        return None
    fewest: frozenset[int] = min(patterns, key=len)
    for rule in sorted(fewest):
        rest = _hit([pattern for pattern in patterns if rule not in pattern], number - 1)
        if rest is not None:
            return (rule, *rest)
    return None
