"""Uniform numbers that the events of a hazard are made from: plain, or stratified.

Every number comes from a raw stream of its own name, made of the seed, the hazard and the purpose
(section 3 of the formulation). Both ways of drawing give each scenario by itself the same
distribution; they differ in how scenarios of one set depend on each other.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

DIGITS = 53
"""Binary digits of a uniform number."""


class Own(NamedTuple):
    """Uniforms in (0, 1) of the events that a hazard has by itself, (n,) each.

    ``point`` (p, n) is what those need to know of an event that follow it.
    """

    start: NDArray[np.float64]
    duration: NDArray[np.float64]
    severity: NDArray[np.float64]
    point: NDArray[np.uint64]


class After(NamedTuple):
    """Which of n events are followed, (n,); uniforms in (0, 1) of those that follow, (k,) each."""

    happens: NDArray[np.bool_]
    duration: NDArray[np.float64]
    severity: NDArray[np.float64]


class Draws(Protocol):
    """Source of the uniforms of one hazard."""

    def counts(self, scenarios: int) -> NDArray[np.float64]:
        """Return uniforms (S,) that the numbers of events are made from."""

    def own(self, scenario: NDArray[np.int64]) -> Own:
        """Return the uniforms of events in scenarios (n,), which are sorted."""

    def after(self, point: NDArray[np.uint64], probability: float) -> After:
        """Draw what follows events with points (p, n)."""


@dataclass(frozen=True, slots=True)
class PlainDraws:
    """Numbers that are all independent; the first scenarios stay when more are drawn."""

    seed: int
    hazard: str

    def counts(self, scenarios: int) -> NDArray[np.float64]:
        """See :class:`Draws`."""
        return self._uniforms("count", scenarios)

    def own(self, scenario: NDArray[np.int64]) -> Own:
        """See :class:`Draws`. Points hold nothing."""
        n = scenario.size
        return Own(
            start=self._uniforms("start", n),
            duration=self._uniforms("duration", n),
            severity=self._uniforms("severity", n),
            point=np.empty((0, n), dtype=np.uint64),
        )

    def after(self, point: NDArray[np.uint64], probability: float) -> After:
        """See :class:`Draws`."""
        happens = self._uniforms("follow", point.shape[1]) < probability
        k = int(happens.sum())
        return After(
            happens, *(self._uniforms(f"{name}-after", k) for name in ("duration", "severity"))
        )

    def _uniforms(self, purpose: str, size: int) -> NDArray[np.float64]:
        return to_unit(raw_words(self.seed, self.hazard, purpose, size))


@dataclass(frozen=True, slots=True)
class StratifiedDraws:
    """Numbers that fill their ranges evenly over the scenarios of one set.

    The numbers of events are one in each of S equal parts of (0, 1). Events are grouped by their
    place within their scenario, all first ones, all second ones, and so on. The n events of a
    group share one evenly spread set of n points, of which every event has one at random; what
    follows it has further coordinates of the same point. All coordinates are shifted at random,
    and no two events of a scenario have points of one set. So the numbers of one scenario are
    uniform and independent, as in plain drawing, and the mean over scenarios of anything is
    unbiased.

    Attributes
    ----------
    seed, hazard
        As in plain drawing.
    replicate
        Number of the set among independent ones of the same seed.
    relative
        Number of the hazard in its family, which is all that follows one hazard, directly or not:
        0 for that one. It says which coordinates of points are its own.
    """

    seed: int
    hazard: str
    replicate: int
    relative: int

    def counts(self, scenarios: int) -> NDArray[np.float64]:
        """See :class:`Draws`."""
        return one_in_each(self._words("count", 2 * scenarios))

    def own(self, scenario: NDArray[np.int64]) -> Own:
        """See :class:`Draws`. Points are a random word that names the set, and a number in it.

        Points are those of Hammersley: severities are evenly spaced, which saves a coordinate of
        the sequence.
        """
        u, point = np.empty((3, scenario.size)), np.empty((2, scenario.size), dtype=np.uint64)
        for place, group in _by_place(scenario):
            n = group.size
            words = self._words(f"own {place}", 2 * n + 3)
            number = _order(words[:n])
            u[0, group] = _shifted(2, number, words[-1])
            u[1, group] = _shifted(1, number, words[-2])
            u[2, group] = _in_parts(number, words[n : 2 * n])
            point[0, group], point[1, group] = words[-3], number
        return Own(u[0], u[1], u[2], point)

    def after(self, point: NDArray[np.uint64], probability: float) -> After:
        """See :class:`Draws`."""
        u = np.empty((3, point.shape[1]))
        for name in np.unique(point[0]):
            group = np.flatnonzero(point[0] == name)
            shifts = self._words(f"after {name}", 3)
            for place, shift in enumerate(shifts):  # Duration, severity, and whether it happens.
                coordinate = 3 * self.relative + place
                if coordinate <= MOST_COORDINATES:
                    u[place, group] = _shifted(coordinate, point[1, group], shift)
                else:
                    words = self._words(f"after {name}, {place}", 2 * group.size)
                    u[place, group] = one_in_each(words)
        happens = u[2] < probability
        return After(happens, u[0, happens], u[1, happens])

    def _words(self, purpose: str, size: int) -> NDArray[np.uint64]:
        return raw_words(self.seed, self.hazard, f"stratified {self.replicate} {purpose}", size)


def _order(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the whole numbers from 0 on in an order that random words (n,) make."""
    return np.argsort(words, kind="stable").astype(np.uint64)


def one_in_each(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return n uniforms in random order, one in each n-th of (0, 1), from random words (2 n,)."""
    n = words.size // 2
    return _in_parts(_order(words[:n]), words[n:])


def _in_parts(number: NDArray[np.uint64], words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return uniforms (n,), each in that of n equal parts of (0, 1) that its number says."""
    u = (number + to_unit(words)) / max(number.size, 1)
    return np.minimum(u, 1.0 - 2.0**-DIGITS)  # Rounding must not reach 1.


def _shifted(coordinate: int, number: NDArray[np.uint64], shift: np.uint64) -> NDArray[np.float64]:
    """Return a coordinate of Sobol points (n,), digits shifted by those of a random word."""
    return _centred(sobol(coordinate, number) ^ (shift >> np.uint64(64 - DIGITS)))


def raw_words(seed: int, hazard: str, purpose: str, size: int) -> NDArray[np.uint64]:
    """Return random 64-bit words from the stream of that name.

    NumPy promises the raw stream of a bit generator for good, but not what its distributions
    make of it; so everything is made from the words here.
    """
    digest = hashlib.sha256(f"{hazard}\n{purpose}".encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    return np.random.PCG64(np.random.SeedSequence([seed, *words])).random_raw(size)


def to_unit(raw: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return uniforms in the open unit interval from random words."""
    return _centred(raw >> np.uint64(64 - DIGITS))


def _centred(digits: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return numbers from their first binary digits, in the middle of what these leave open."""
    return (digits.astype(np.float64) + 0.5) * 2.0**-DIGITS


def sobol(coordinate: int, number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a coordinate, from 1 on, of points of the Sobol sequence, by their numbers (n,).

    Any 2^k points that begin at a multiple of 2^k lie one in each of 2^k equal parts of a
    coordinate, and one in each of the 2^k boxes of any even division of coordinates 1 and 2.
    Points are numbered in natural order, not in that of the Gray code (Sobol, 1967).

    Returns
    -------
    (n,) as whole numbers of 2^-53.
    """
    point = np.zeros(number.size, dtype=np.uint64)
    digits = int(number.max(initial=0)).bit_length()
    for k, direction in enumerate(_directions(coordinate, digits)):
        is_set = (number >> np.uint64(k)) & np.uint64(1)
        point ^= is_set * np.uint64(direction)
    return point


_NUMBERS: tuple[tuple[int, tuple[int, ...]], ...] = (
    (1, ()),
    (3, (1,)),
    (7, (1, 3)),
    (11, (1, 3, 1)),
    (13, (1, 1, 1)),
    (19, (1, 1, 3, 3)),
    (25, (1, 3, 5, 13)),
    (37, (1, 1, 5, 5, 17)),
    (41, (1, 1, 5, 5, 5)),
    (47, (1, 1, 7, 11, 19)),
    (55, (1, 1, 5, 1, 1)),
    (59, (1, 1, 1, 3, 11)),
    (61, (1, 3, 5, 5, 31)),
    (67, (1, 3, 3, 9, 7, 49)),
    (91, (1, 1, 1, 15, 21, 21)),
    (97, (1, 3, 1, 13, 27, 49)),
    (103, (1, 1, 1, 15, 7, 5)),
    (109, (1, 3, 1, 15, 13, 25)),
    (115, (1, 1, 5, 5, 19, 61)),
    (131, (1, 3, 7, 11, 23, 15, 103)),
)
"""Of each coordinate the polynomial, a coefficient to a bit, and the first direction numbers.

They are those of Joe and Kuo (2008), SIAM J. Sci. Comput. 30(5), 2635-2654.
"""

MOST_COORDINATES = len(_NUMBERS)


@functools.cache
def _directions(coordinate: int, count: int) -> tuple[int, ...]:
    """Return so many direction numbers of a coordinate, as whole numbers of 2^-53."""
    polynomial, first = _NUMBERS[coordinate - 1]
    degree, m = len(first), list(first)
    while len(m) < count:
        new = m[-degree] if degree else 1
        for i in range(1, degree + 1):
            if polynomial >> (degree - i) & 1:
                new ^= m[-i] << i
        m.append(new)
    return tuple(value << (DIGITS - k - 1) for k, value in enumerate(m[:count]))


def _by_place(scenario: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Group events of sorted scenarios (n,) by their place within their scenario.

    Yields the place, from 0 on, and the indices of all events that have it.
    """
    begins = np.flatnonzero(np.diff(scenario, prepend=-1))
    sizes = np.diff(begins, append=scenario.size)
    place = 0
    while begins.size:
        yield place, begins
        begins, sizes, place = begins[sizes > 1] + 1, sizes[sizes > 1] - 1, place + 1
