"""Errors that a user can act on; each says what, where, and what to do.

Everything the package raises on purpose is a `StockpileError`, so a caller can tell a mistake in
an instance from a mistake in the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PRINTED_MISTAKES = 20
"""Mistakes that a message spells out; the others are only counted."""
_LONGEST_VALUE = 100  # Characters of a cell that a message repeats.
_LISTED_NAMES = 8  # Names that a hint lists where none is near.


class StockpileError(Exception):
    """Base of all errors raised by the package."""


class UsageError(StockpileError):
    """The call cannot be carried out as asked, such as saving over an existing folder."""


class NotBuiltError(StockpileError):
    """The instance uses a part of the format that is not built yet."""


class ResultError(StockpileError):
    """A result folder is missing, incomplete or does not belong to the instance."""


class InstanceWarning(UserWarning):
    """Something in an instance is allowed but has no effect."""


class BatchWarning(UserWarning):
    """A part of a batch is not as it was left, and is done again."""


class WorkerWarning(UserWarning):
    """A worker of an executor was lost; nothing but time is."""


class CheckError(StockpileError):
    """A result does not stand up to being recomputed: a bug, never the user's mistake."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in an instance.

    Attributes
    ----------
    file
        File with the mistake, with the name of its folder where it was read from one.
    line
        Line in that file, counted from 1; None where there is none, as for a missing table.
    column
        Column of a table, or key of ``instance.toml`` with its section, such as ``[risk] cvar``.
    value
        What stands there, as written.
    message
        What is wrong and what was expected.
    hint
        What to do about it, such as the nearest valid name.
    other_lines
        Further lines of the same file that belong to the mistake.
    """

    file: str
    line: int | None
    column: str | None
    value: str | None
    message: str
    hint: str = ""
    other_lines: tuple[int, ...] = ()

    @property
    def where(self) -> str:
        """File, lines and column, such as ``us-japan/supply.csv, line 3, column share``."""
        parts = [printable(self.file)]
        lines = sorted({line for line in (self.line, *self.other_lines) if line})
        if lines:
            parts.append(_lines_in_words(lines))
        if self.column:
            label = "key" if self.file.endswith(".toml") else "column"
            parts.append(f"{label} {printable(self.column)}")
        return ", ".join(parts)

    def __str__(self) -> str:
        """Message, place and hint, each on lines of its own."""
        place = f"  {self.where}"
        if self.value is not None:
            place += f": {printable(self.value) or '(empty)'}"
        return "\n".join([self.message, place, *(f"  {line}" for line in self.hint.splitlines())])


class InstanceError(StockpileError):
    """An instance has mistakes; all that were found are reported at once.

    Parameters
    ----------
    mistakes
        The mistakes, at least one.

    Attributes
    ----------
    mistakes : tuple of Mistake
        The mistakes, in the order of the files and lines.
    """

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(self.mistakes)

    def __str__(self) -> str:
        """Every mistake in a few lines; from the 21st on only their number."""
        printed = [str(mistake) for mistake in self.mistakes[:PRINTED_MISTAKES]]
        if len(self.mistakes) == 1:
            return printed[0]
        left = len(self.mistakes) - len(printed)
        if left:
            printed.append(f"and {left} more")
        return "\n\n".join([f"{len(self.mistakes)} mistakes", *printed])


def printable(text: str) -> str:
    """Return text on one line, without characters that could steer a terminal, and not too long."""
    if not text.isprintable():
        text = repr(text)[1:-1]
    if len(text) > _LONGEST_VALUE:
        text = text[: _LONGEST_VALUE - 3] + "..."
    return text


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is spelled most like ``name``, or None where none is near."""
    import difflib  # Only needed for mistakes.

    by_fold: dict[str, str] = {}
    for candidate in known:
        by_fold.setdefault(candidate.casefold(), candidate)
    matches = difflib.get_close_matches(name.strip().casefold(), by_fold, n=1)
    return by_fold[matches[0]] if matches else None


def suggestion(name: str, known: Sequence[str], what: str) -> str:
    """Say which name was probably meant, or which names there are.

    Parameters
    ----------
    name
        The unknown name.
    known
        Valid names, in the order to list them.
    what
        What the names stand for, in the plural, such as ``participants``.
    """
    nearest = nearest_name(name, known)
    if nearest is not None:
        return f"Did you mean {printable(nearest)}?"
    if not known:
        return f"There are no {what}."
    listed = ", ".join(printable(item) for item in known[:_LISTED_NAMES])
    left = len(known) - _LISTED_NAMES
    return f"Known {what}: {listed}" + (f" and {left} more." if left > 0 else ".")


def _lines_in_words(lines: Sequence[int]) -> str:
    """Say ``line 3``, ``lines 3 to 6`` or ``lines 3, 5 and 9``."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    if len(lines) > 2 and lines[-1] - lines[0] == len(lines) - 1:
        return f"lines {lines[0]} to {lines[-1]}"
    if len(lines) > _LISTED_NAMES:
        first = ", ".join(str(line) for line in lines[:_LISTED_NAMES])
        return f"lines {first} and {len(lines) - _LISTED_NAMES} more"
    return f"lines {', '.join(str(line) for line in lines[:-1])} and {lines[-1]}"
