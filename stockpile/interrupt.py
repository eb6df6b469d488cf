"""Ctrl-C as a request to stop: the first one is noted, the second one interrupts.

While packages are being loaded there is nothing to stop cleanly: Ctrl-C ends the process there. An
exception raised in the middle of an import may be swallowed by the package and come out as another.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


_told_elsewhere: list[Callable[[], bool]] = []


def stop_when(told: Callable[[], bool]) -> None:
    """Let this process stop when it is told to, too: one that works for another sees no Ctrl-C."""
    _told_elsewhere.append(told)


class StopFlag:
    """Whether the user has asked to stop."""

    def __init__(self) -> None:
        self._noted = False

    def note(self) -> None:
        """Note that the user has asked."""
        self._noted = True

    @property
    def raised(self) -> bool:
        """Return whether the user has asked."""
        return self._noted or any(told() for told in _told_elsewhere)


@contextmanager
def end_on_interrupt() -> Iterator[None]:
    """End the process at once on Ctrl-C, with status 1 and without a traceback."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if before is None or not callable(before):  # Ignored, or not set from Python: leave it.
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        os.write(2, b"\nstockpile: interrupted; nothing was written\n")
        os._exit(1)

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def stop_on_interrupt() -> Iterator[StopFlag]:
    """Note the first Ctrl-C in a flag instead of raising; a second one raises as usual.

    Outside the main thread signals cannot be handled, and the flag is never raised.
    """
    flag = StopFlag()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return
    before = signal.getsignal(signal.SIGINT)

    def note(_number: int, _frame: FrameType | None) -> None:
        flag.note()
        # Not through sys.stderr, which may be in the middle of a line of progress.
        os.write(2, b"\nStopping with the best plan so far; Ctrl-C again to give up.\n")
        signal.signal(signal.SIGINT, before)

    if before is None or not callable(before):  # Ignored, or not set from Python: leave it.
        yield flag
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, before)
