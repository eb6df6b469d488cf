"""How loops are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")


def compiled(function: Function) -> Function:
    """Compile on first use, cache on disk, and release the interpreter lock while running.

    Without fast mathematics: sums keep their order, so results are the same bytes everywhere.
    """
    dispatcher: Any = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return dispatcher  # type: ignore[no-any-return]
