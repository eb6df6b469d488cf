"""Threads over fixed chunks of scenarios.

The kernels release the interpreter lock, so plain threads are enough. How work is cut depends on
its size alone, never on the number of threads, and partial sums are added in order: results are
the same bytes with any number of threads.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

SMALLEST_CHUNK = 64
MOST_CHUNKS = 64
GROUPS = 4
"""Groups of chunks for each thread: few enough calls, many enough to share out evenly."""


def chunks(count: int) -> list[tuple[int, int]]:
    """Cut ``range(count)`` into consecutive pieces, at least one; by ``count`` alone."""
    size = max(SMALLEST_CHUNK, -(-count // MOST_CHUNKS))
    return [(lo, min(lo + size, count)) for lo in range(0, max(count, 1), size)]


def available_threads() -> int:
    """Return the number of processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Not every system can tell.
        return os.cpu_count() or 1


class Workers:
    """A pool of threads, used as a context manager."""

    def __init__(self, threads: int | None = None) -> None:
        self.threads = available_threads() if threads is None else threads
        # The thread that calls works as well: handing over takes longer than a small chunk.
        self._pool = ThreadPoolExecutor(self.threads - 1) if self.threads > 1 else None

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def run(self, work: Callable[[int, int], object], count: int) -> None:
        """Call ``work(lo, hi)`` for every chunk of ``range(count)`` and wait for all."""
        self._hand_out(chunks(count), work)

    def run_in_groups(self, work: Callable[[int, int], object], count: int) -> None:
        """Call ``work(first, last)`` for groups of chunks, by their numbers, and wait for all.

        For work that adds up chunk by chunk, and of which a call takes as long as a small chunk.
        """
        number = len(chunks(count))
        if self._pool is None:
            work(0, number)
            return
        size = -(-number // (GROUPS * self.threads))
        groups = [(at, min(at + size, number)) for at in range(0, number, size)]
        self._hand_out(groups, work)

    def _hand_out(
        self, parts: Sequence[tuple[int, int]], work: Callable[[int, int], object]
    ) -> None:
        pieces = deque(parts)

        def take_in_turn() -> None:
            while True:
                try:
                    lo, hi = pieces.popleft()
                except IndexError:  # None is left.
                    return
                work(lo, hi)

        helpers = 0 if self._pool is None else min(self.threads, len(pieces)) - 1
        futures = [self._pool.submit(take_in_turn) for _ in range(helpers)] if self._pool else []
        try:
            take_in_turn()
        finally:
            pieces.clear()  # Where one has failed, the rest is not begun.
            for future in futures:
                future.result()
