"""What a cell of a table, or a value in ``instance.toml``, may hold.

A kind of cell does three things: `Cell.parse` reads a value from text, `Cell.take` checks a Python
value and returns it in its plain type, and `Cell.write` gives the text from which the same value
is read again. Tables declare the kind of each column once (`stockpile.tables`); reading,
validation, writing and the content hash all follow from the declaration.
"""

from __future__ import annotations

import math
import re
import unicodedata
from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral, Real

from stockpile.errors import suggestion

ALL = "*"
"""Stands for all names, alone in a list cell."""
LONGEST_TEXT = 100_000
"""Characters in a cell; the csv module reads no field above 131,072."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_FLAG_WORDS = {"yes": "true", "y": "true", "1": "true", "no": "false", "n": "false", "0": "false"}
_NOTHING = {"-", "--", "n/a", "na", "nan", "none", "null", "nil", "unknown"}


class CellError(ValueError):
    """A value that its cell may not hold.

    Parameters
    ----------
    text
        What is wrong, as the end of a sentence that begins with the name of the column.
    hint
        What to do about it.
    """

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


class Cell(ABC):
    """One kind of cell."""

    __slots__ = ()

    @property
    @abstractmethod
    def expected(self) -> str:
        """What may stand in the cell, such as ``a number above 0 [USD/kg]``."""

    @abstractmethod
    def parse(self, text: str) -> object:
        """Read a value from the text of a cell that is not empty; raise `CellError` if wrong."""

    @abstractmethod
    def take(self, value: object) -> object:
        """Check a Python value and return it in its plain type; raise `CellError` if wrong."""

    def write(self, value: object) -> str:
        """Return the text from which `parse` reads the same value."""
        return str(value)

    def _refuse(self, hint: str = "") -> CellError:
        return CellError(f"must be {self.expected}", hint)


@dataclass(frozen=True, slots=True)
class Text(Cell):
    """Free text for people, such as a title or a note."""

    @property
    def expected(self) -> str:
        """See `Cell.expected`."""
        return "text"

    def parse(self, text: str) -> str:
        """See `Cell.parse`."""
        return self.take(text)

    def take(self, value: object) -> str:
        """See `Cell.take`."""
        if not isinstance(value, str):
            raise self._refuse()
        _require_plain(value, allowed="\n\t")
        return value


@dataclass(frozen=True, slots=True)
class Name(Cell):
    """A name; with ``key`` it is the one by which other tables refer to the row."""

    key: bool = False

    @property
    def expected(self) -> str:
        """See `Cell.expected`."""
        return "a name"

    def parse(self, text: str) -> str:
        """See `Cell.parse`."""
        return self.take(text)

    def take(self, value: object) -> str:
        """See `Cell.take`."""
        if not isinstance(value, str) or not value:
            raise self._refuse()
        _require_plain(value)
        for mark, meaning in ((";", "separates the names of a list"), (ALL, "means all names")):
            if mark in value:
                raise CellError(f"must be a name without {mark}", f"In a cell, {mark} {meaning}.")
        if value[0] in "=+-@":
            raise CellError(
                f"must be a name that does not begin with {value[0]}",
                "A spreadsheet would take it for a formula.",
            )
        if not value.isprintable():  # Two names must not differ by what nobody can see.
            raise CellError("must be a name without invisible characters or unusual blanks")
        return value


@dataclass(frozen=True, slots=True)
class KeyOf(Cell):
    """One name that a row of another table gives.

    Attributes
    ----------
    table
        The other table.
    also
        Words that are valid besides its names.
    """

    table: str
    also: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """See `Cell.expected`."""
        return " or ".join([f"a name from {self.table}.csv", *self.also])

    def parse(self, text: str) -> str:
        """See `Cell.parse`."""
        return self.take(text)

    def take(self, value: object) -> str:
        """See `Cell.take`."""
        if not isinstance(value, str) or not value:
            raise self._refuse()
        if ";" in value or value == ALL:
            raise CellError(
                f"must be one name from {self.table}.csv", "Write a row of its own for each name."
            )
        return value


@dataclass(frozen=True, slots=True)
class NameList(Cell):
    """Several names, separated by ``;``.

    Attributes
    ----------
    table
        The table whose rows give the names, or None where ``options`` lists them.
    options
        The valid names where there is no such table.
    star
        Whether ``*``, for all, may stand in their place.
    """

    table: str | None = None
    options: tuple[str, ...] = ()
    star: bool = True

    @property
    def expected(self) -> str:
        """See `Cell.expected`."""
        names = f"names from {self.table}.csv" if self.table else " or ".join(self.options)
        return f"{names}, separated by ;" + (", or * for all" if self.star else "")

    def parse(self, text: str) -> tuple[str, ...]:
        """See `Cell.parse`."""
        return self.take(tuple(item.strip() for item in text.split(";")))

    def take(self, value: object) -> tuple[str, ...]:
        """See `Cell.take`."""
        if not isinstance(value, tuple) or not all(isinstance(item, str) for item in value):
            raise self._refuse()
        if not value and self.star:
            raise self._refuse("Write * for all.")
        if any(not item or item != item.strip() or ";" in item for item in value):
            raise CellError(
                "must not have an empty name in its list", "Take out the ; that is too many."
            )
        if ALL in value and not self.star:
            raise CellError("must name each one: * is not valid here")
        if ALL in value and value != (ALL,):
            raise CellError("must be either * or names, not both", "Write * alone for all.")
        repeated = next((item for item in value if value.count(item) > 1), None)
        if repeated is not None:
            raise CellError(f"must not name {repeated} twice")
        if not self.table and value != (ALL,):
            for item in value:
                if item not in self.options:
                    raise self._refuse(suggestion(item, self.options, "words"))
        return value

    def write(self, value: object) -> str:
        """See `Cell.write`."""
        assert isinstance(value, tuple)
        return ";".join(value)


@dataclass(frozen=True, slots=True)
class Choice(Cell):
    """One of a few words."""

    options: tuple[str, ...]

    @property
    def expected(self) -> str:
        """See `Cell.expected`."""
        return " or ".join([", ".join(self.options[:-1]), self.options[-1]])

    def parse(self, text: str) -> str:
        """See `Cell.parse`."""
        return self.take(text)

    def take(self, value: object) -> str:
        """See `Cell.take`."""
        if not isinstance(value, str):
            raise self._refuse()
        if value not in self.options:
            raise self._refuse(suggestion(value, self.options, "words"))
        return value


@dataclass(frozen=True, slots=True)
class Flag(Cell):
    """``true`` or ``false``, in either case, as spreadsheets write TRUE."""

    @property
    def expected(self) -> str:
        """See `Cell.expected`."""
        return "true or false"

    def parse(self, text: str) -> bool:
        """See `Cell.parse`."""
        word = text.lower()
        if word not in ("true", "false"):
            raise self._refuse(f"Write {_FLAG_WORDS[word]}." if word in _FLAG_WORDS else "")
        return word == "true"

    def take(self, value: object) -> bool:
        """See `Cell.take`."""
        if not isinstance(value, bool):
            raise self._refuse()
        return value

    def write(self, value: object) -> str:
        """See `Cell.write`."""
        return "true" if value else "false"


@dataclass(frozen=True, slots=True)
class Number(Cell):
    """A finite number in a range.

    Attributes
    ----------
    unit
        Shown in messages.
    at_least, above, at_most, below
        Ends of the range, closed and open; None where it has no end.
    """

    unit: str
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    @property
    def expected(self) -> str:
        """See `Cell.expected`."""
        return f"a number{self._range_in_words()} [{self.unit}]"

    def parse(self, text: str) -> float:
        """See `Cell.parse`."""
        if not _NUMBER.fullmatch(text):
            raise self._refuse(_number_hint(text))
        return self.take(float(text))

    def take(self, value: object) -> float:
        """See `Cell.take`."""
        if isinstance(value, bool) or not isinstance(value, Real):
            raise self._refuse()
        try:
            number = float(value)
        except OverflowError:  # An integer of more than 308 digits.
            number = math.inf
        if not math.isfinite(number):
            raise CellError("must be a finite number")
        self._require_range(number)
        return number

    def write(self, value: object) -> str:
        """See `Cell.write`."""
        assert isinstance(value, Real)
        number = float(value)
        if number.is_integer() and abs(number) < 1e15:
            return str(int(number))  # Also writes -0.0 as 0.
        return repr(number)

    def _require_range(self, number: float) -> None:
        if (
            (self.at_least is not None and number < self.at_least)
            or (self.above is not None and number <= self.above)
            or (self.at_most is not None and number > self.at_most)
            or (self.below is not None and number >= self.below)
        ):
            hint = ""
            if 1.0 in (self.at_most, self.below) and 1.0 < number <= 100.0:
                hint = f"Fractions are never percent: {number:g} % is written {number / 100.0:g}."
            raise self._refuse(hint)

    def _range_in_words(self) -> str:
        if self.at_least is not None and self.at_most is not None:
            if self.at_least == self.at_most:
                return f" equal to {self.at_least:g}"
            return f" from {self.at_least:g} to {self.at_most:g}"
        ends = [
            f"{words} {end:g}"
            for words, end in (
                ("of at least", self.at_least),
                ("above", self.above),
                ("at most", self.at_most),
                ("below", self.below),
            )
            if end is not None
        ]
        return f" {' and '.join(ends)}" if ends else ""


@dataclass(frozen=True, slots=True)
class Whole(Number):
    """A whole number in a range; ``12.0`` is taken, as spreadsheets write it."""

    @property
    def expected(self) -> str:
        """See `Cell.expected`."""
        return f"a whole number{self._range_in_words()}" + (f" [{self.unit}]" if self.unit else "")

    def parse(self, text: str) -> int:
        """See `Cell.parse`."""
        if _INTEGER.fullmatch(text):
            return self.take(int(text))
        if not _NUMBER.fullmatch(text):
            raise self._refuse(_number_hint(text))
        return self.take(float(text))

    def take(self, value: object) -> int:
        """See `Cell.take`."""
        if isinstance(value, bool) or not isinstance(value, Real):
            raise self._refuse()
        if isinstance(value, Integral):
            number = int(value)
        elif float(value).is_integer():
            number = int(float(value))
        else:
            raise self._refuse()
        if abs(number) >= 2**63:  # A slip of the keyboard, and it would overflow an array.
            raise CellError("must be a whole number below 2^63")
        self._require_range(number)
        return number

    def write(self, value: object) -> str:
        """See `Cell.write`."""
        assert isinstance(value, Real)
        return str(int(float(value)) if not isinstance(value, Integral) else int(value))


@dataclass(frozen=True, slots=True)
class NumberList(Cell):
    """Several numbers, separated by ``;``."""

    number: Number

    @property
    def expected(self) -> str:
        """See `Cell.expected`."""
        return f"numbers separated by ;, each {self.number.expected}"

    def parse(self, text: str) -> tuple[float, ...]:
        """See `Cell.parse`."""
        return tuple(self.number.parse(item.strip()) for item in text.split(";"))

    def take(self, value: object) -> tuple[float, ...]:
        """See `Cell.take`."""
        if not isinstance(value, tuple) or not value:
            raise self._refuse()
        return tuple(self.number.take(item) for item in value)

    def write(self, value: object) -> str:
        """See `Cell.write`."""
        assert isinstance(value, tuple)
        return ";".join(self.number.write(item) for item in value)


def _require_plain(text: str, allowed: str = "") -> None:
    """Refuse text that would not come back the same from a file, or could steer a terminal."""
    if text != text.strip():
        raise CellError("must not begin or end with a blank")
    if len(text) > LONGEST_TEXT:
        raise CellError(f"must not be longer than {LONGEST_TEXT} characters")
    if text.isprintable():
        return
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in allowed:
            raise CellError(f"must not contain the control character {character!r}")


def _number_hint(text: str) -> str:
    """Say what was probably meant by a text that is not a number."""
    if text.lower() in _NOTHING:
        return "Leave the cell empty where there is no value and the column has a default."
    if text.lower().lstrip("+-") in ("inf", "infinity"):
        return "Only finite numbers can be used."
    if re.fullmatch(r"\u2212[\d.]+", text):
        return f"Write the minus sign as on a keyboard: -{text[1:]}"
    if re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?", text):  # 1.000,5
        return f"Write {text.replace('.', '').replace(',', '.')}: a point before the decimals only."
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+\.\d+|[+-]?\d{1,3}(,\d{3}){2,}", text):  # 1,000,000
        return f"Write {text.replace(',', '')}: no separator between thousands."
    if re.fullmatch(r"[+-]?\d{1,3},\d{3}", text):  # 1,000 can mean either.
        return (
            f"Write {text.replace(',', '')} if the comma separates thousands, "
            f"{text.replace(',', '.')} if it is a decimal comma."
        )
    if re.fullmatch(r"[+-]?\d*,\d+", text):
        return f"Write a decimal point: {text.replace(',', '.')}"
    if re.fullmatch(r"[+-]?\d{1,3}([ '_\u00a0\u202f\u2019]\d{3})+(\.\d+)?", text):
        return f"Write {re.sub(r'[^0-9.+-]', '', text)}: no separator between thousands."
    if match := re.fullmatch(r"([+-]?\d+\.?\d*)\s*%", text):
        return f"Rates are fractions, never percent: write {float(match[1]) / 100.0:g}"
    if match := re.fullmatch(r"\D{0,4}?([+-]?\d+\.?\d*)\s*[^\d\s.,;]*[^\d.,;]*", text):
        return f"Write the number alone, {match[1]}; the unit belongs to the column's name."
    return ""
