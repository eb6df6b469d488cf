"""How loops are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
"""Without fast mathematics: sums keep their order, whatever is computed side by side."""


def compiled(function: Function) -> Function:
    """Compile on first use, cache on disk, and release the interpreter lock while running."""
    dispatcher: Any
    try:
        dispatcher = numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # No folder to cache in can be written: compile in every process.
        return numba.njit(**OPTIONS)(function)  # type: ignore[no-any-return]
    _pass_over_what_cannot_be_read(dispatcher)
    return dispatcher  # type: ignore[no-any-return]


def inlined(function: Function) -> Function:
    """Compile as a part of every function that calls it; for what the innermost loops call.

    A call that passes arrays takes as long as the loop over a few dozen candidates.
    """
    inline: Any = numba.njit(inline="always", **OPTIONS)
    return inline(function)  # type: ignore[no-any-return]


def _pass_over_what_cannot_be_read(dispatcher: Any) -> None:
    """Compile anew where the index of the cache is broken, or of a version of other types.

    Numba reads the index before it looks whether that is of this version of the file, and ends
    with an error where a type in it has gone since.
    """
    index: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    load = getattr(index, "_load_index", None)
    if load is None:
        return

    def load_or_forget() -> dict[Any, Any]:
        try:
            return dict(load())
        except Exception:  # Whatever reading foreign bytes may raise.
            return {}

    index._load_index = load_or_forget
