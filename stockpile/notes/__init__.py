"""What an instance says in vain: no mistake, but worth knowing.

Such cells are allowed and change nothing. Whoever wrote them may have meant something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.notes import chains, events, promises, supply

if TYPE_CHECKING:
    from stockpile.errors import Mistake
    from stockpile.instance import Instance

__all__ = ["notes"]


def notes(instance: Instance) -> list[Mistake]:
    """Return what a valid instance says in vain, each with its place."""
    looks = (*events.LOOKS, *promises.LOOKS, *supply.LOOKS, *chains.LOOKS)
    return [note for look in looks for note in look(instance)]
