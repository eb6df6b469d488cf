"""How loops are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")


def compiled(function: Function) -> Function:
    """Compile on first use, cache on disk, and release the interpreter lock while running.

    Without fast mathematics: sums keep their order, whatever is computed side by side.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    dispatcher: Any
    try:
        dispatcher = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # No folder to cache in can be written: compile in every process.
        dispatcher = numba.njit(**options)(function)
    return dispatcher  # type: ignore[no-any-return]
