"""How much memory a solve may take, and what is kept within it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from stockpile.courses import CourseStore
from stockpile.errors import UsageError

GIB = 2**30
COURSES_SHARE = 0.5
"""Part of the memory left that courses may take; a part is for what searches find out."""
BATCH_SHARE = 0.125
"""Part of it that results of one simulation may take, scenario by scenario."""
MOST_BATCH_BYTES = 256 * 2**20
"""What those may take where more is allowed; larger batches are no faster."""
LEAST_SHARE = 0.25
"""Part of the memory allowed that must be left once everything is ready to begin."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What may be kept.

    Attributes
    ----------
    courses
        Keeps the courses of blocks.
    batch_bytes
        Candidates are simulated in batches whose results scenario by scenario stay below this.
    """

    courses: CourseStore
    batch_bytes: int

    @staticmethod
    def unlimited() -> Memory:
        """Return memory without a limit."""
        return Memory(CourseStore(), MOST_BATCH_BYTES)

    @staticmethod
    def within(memory_gib: float | None) -> Memory:
        """Divide what is left of a limit [GiB] by what the process has taken up to now.

        Raises
        ------
        UsageError
            If too little is left to begin.
        """
        if memory_gib is None:
            return Memory.unlimited()
        taken = peak_bytes()
        left = memory_gib * GIB - taken
        if left < LEAST_SHARE * memory_gib * GIB:
            enough = taken / (1.0 - LEAST_SHARE) / GIB
            raise UsageError(
                f"memory_gib is {memory_gib:g}, but packages and scenarios alone take "
                f"{taken / GIB:.2f} GiB; allow at least {enough + 0.005:.2f}, or draw fewer"
            )
        batch = min(MOST_BATCH_BYTES, int(BATCH_SHARE * left))
        return Memory(CourseStore(COURSES_SHARE * left), batch)


def peak_bytes() -> int:
    """Return the most memory that this process has taken so far; 0 where nobody can tell."""
    try:
        import resource
    except ImportError:  # Not every system has it.
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
