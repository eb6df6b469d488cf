"""Courses of blocks, kept as long as memory allows and worked out again where it is short.

The months of needs are nearly all the memory that a block takes. They depend on data alone, so a
block whose courses have been dropped gets the very same ones again.
"""

from __future__ import annotations

import math
import weakref
from collections import OrderedDict
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stockpile.simulate import Course


@dataclass(frozen=True, slots=True)
class Courses:
    """What happens to a block in the scenarios.

    Attributes
    ----------
    shared, alone
        Course of the steps in the world that is solved, and of those without any partner.
    """

    shared: Course
    alone: Course

    @property
    def bytes(self) -> int:
        """Return the memory taken; both have the same needs."""
        arrays = [self.shared.segment, self.alone.segment]
        for part in (self.shared.needs, self.shared.runs, self.alone.runs):
            arrays += [getattr(part, item.name) for item in fields(part)]
        return sum(array.nbytes for array in arrays)


class Owner:
    """Stands for a block and its scenarios in a store."""

    def __init__(self) -> None:
        self.known = False
        """Whether a store knows of it."""


class CourseStore:
    """Keeps courses; those used longest ago are dropped where they take too much memory.

    Parameters
    ----------
    most_bytes
        What they may take together; the courses used last are kept in any case.
    """

    def __init__(self, most_bytes: float = math.inf) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[int, tuple[int, Courses]] = OrderedDict()
        self.made = 0
        """How often courses have been worked out."""

    def get(self, owner: Owner, make: Callable[[], Courses]) -> Courses:
        """Return the courses of a block, which are made where they are not kept.

        Parameters
        ----------
        owner
            Stands for the block and its scenarios; once it is gone, so are the courses.
        """
        key = id(owner)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][1]
        while self._kept and self.bytes >= self._most_bytes:
            self._kept.popitem(last=False)  # Before others take the room.
        courses = make()
        self.made += 1
        if not owner.known:
            owner.known = True
            weakref.finalize(owner, self._kept.pop, key, None)
        self._kept[key] = (courses.bytes, courses)
        while len(self._kept) > 1 and self.bytes > self._most_bytes:
            self._kept.popitem(last=False)
        return courses

    @property
    def bytes(self) -> int:
        """Return the memory that all courses kept take."""
        return sum(size for size, _ in self._kept.values())
