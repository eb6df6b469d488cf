"""A line of progress on a terminal; nothing in a pipe."""

from __future__ import annotations

import itertools
import math
import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TextIO, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a solve stands.

    Attributes
    ----------
    block
        Name of the block that is being searched.
    done, total
        Blocks finished, and blocks in all.
    incumbent, bound, gap
        Of the current block [USD/year]; relative gap. Not numbers where nothing is searched.
    seconds
        Since the start.
    """

    block: str
    done: int
    total: int
    incumbent: float
    bound: float
    gap: float
    seconds: float

    def line(self) -> str:
        """Say it in one line of less than 80 characters."""
        if self.done >= self.total:
            return f"{self.done}/{self.total} materials, {self.seconds:.1f} s"
        where = f"{self.done + 1}/{self.total} {self.block[:20]}"
        if math.isnan(self.incumbent):
            return f"{where}, {self.seconds:.0f} s"
        gap = f"{100.0 * self.gap:.2f}%" if self.gap < 10.0 else "-"
        return (
            f"{where}: incumbent {self.incumbent:.4g}, bound {self.bound:.4g} USD/year, gap {gap}"
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a call stands that does one thing after the other.

    Attributes
    ----------
    what
        What it does now, in words.
    done, total
        Things done, and things in all.
    seconds
        Since the start.
    """

    what: str
    done: int
    total: int
    seconds: float

    def line(self) -> str:
        """Say it in one line of less than 80 characters."""
        return f"{self.done + 1}/{self.total} {self.what[:50]}, {self.seconds:.0f} s"


class Shown(Protocol):
    """What can be shown on a terminal."""

    @property
    def done(self) -> int:
        """Return how much is done."""

    @property
    def total(self) -> int:
        """Return how much there is to do."""

    def line(self) -> str:
        """Say it in one line of less than 80 characters."""


State = TypeVar("State", bound=Shown)


class ProgressLine:
    """Writes to one line of a terminal, a few times a second at most."""

    def __init__(self, stream: TextIO | None = None, interval_seconds: float = 0.1) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._interval = interval_seconds
        self._last = 0.0
        self._width = 0

    def __call__(self, progress: Shown) -> None:
        """Show the state, unless the line was written a moment ago."""
        now = time.monotonic()
        if now - self._last < self._interval and progress.done < progress.total:
            return
        self._last = now
        # A line that wraps could not be written over.
        room = max(shutil.get_terminal_size().columns - 1, 20)
        self._write(progress.line()[:room])

    def say(self, text: str) -> None:
        """Show a text until there is progress to show."""
        self._write(text)

    def clear(self) -> None:
        """Wipe the line."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0

    def _write(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)


def reporter(progress: bool | Callable[[State], None] | None) -> Callable[[State], None]:
    """Turn the ``progress`` argument of a long call into something to report to.

    None means a line if stderr is a terminal, True a line in any case, False nothing.
    """
    if callable(progress):
        return progress
    if progress or (progress is None and sys.stderr.isatty()):
        return ProgressLine()
    return _silent


def _silent(_progress: object) -> None:
    """Report nothing."""


@contextmanager
def stages(
    progress: bool | Callable[[Stage], None] | None, total: int
) -> Iterator[Callable[[str], None]]:
    """Give a function that reports what is begun, one of ``total`` things after the other.

    A line on a terminal is wiped at the end, however the call ends.

    Parameters
    ----------
    progress
        As :func:`reporter` takes it.
    """
    report, began, done = reporter(progress), time.monotonic(), itertools.count()

    def begin(what: str) -> None:
        report(Stage(what, next(done), total, time.monotonic() - began))

    try:
        yield begin
    finally:
        if isinstance(report, ProgressLine):
            report.clear()
