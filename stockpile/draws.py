"""Uniform numbers that the events of a hazard are made from: plain, or stratified.

Every number comes from a raw stream of its own name, made of the seed, the hazard and the purpose
(section 3 of the formulation). Both ways of drawing give each scenario by itself the same
distribution; they differ in how scenarios of one set depend on each other.
"""

from __future__ import annotations

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
    """Uniforms in (0, 1) of the events that a hazard has by itself, (n,) each."""

    start: NDArray[np.float64]
    duration: NDArray[np.float64]
    severity: NDArray[np.float64]


class After(NamedTuple):
    """Which of n events are followed, (n,); uniforms in (0, 1) of those that follow, (k,) each."""

    happens: NDArray[np.bool_]
    duration: NDArray[np.float64]
    severity: NDArray[np.float64]


class Draws(Protocol):
    """Source of the uniforms of one hazard.

    Scenarios of events are sorted, so that the events of a scenario stand together.
    """

    def counts(self, scenarios: int) -> NDArray[np.float64]:
        """Return uniforms (S,) that the numbers of events are made from."""

    def own(self, scenario: NDArray[np.int64]) -> Own:
        """Return the uniforms of events in scenarios (n,)."""

    def after(
        self, scenario: NDArray[np.int64], start: NDArray[np.int64], probability: float
    ) -> After:
        """Draw what follows events in scenarios (n,) that start in months (n,)."""


@dataclass(frozen=True, slots=True)
class PlainDraws:
    """Numbers that are all independent; the first scenarios stay when more are drawn."""

    seed: int
    hazard: str

    def counts(self, scenarios: int) -> NDArray[np.float64]:
        """See :class:`Draws`."""
        return self._uniforms("count", scenarios)

    def own(self, scenario: NDArray[np.int64]) -> Own:
        """See :class:`Draws`."""
        n = scenario.size
        return Own(*(self._uniforms(name, n) for name in ("start", "duration", "severity")))

    def after(
        self, scenario: NDArray[np.int64], start: NDArray[np.int64], probability: float
    ) -> After:
        """See :class:`Draws`."""
        happens = self._uniforms("follow", scenario.size) < probability
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
    group share one evenly spread set of n points, of which every event has one at random. So the
    numbers of one scenario are uniform and independent, as in plain drawing, because no two of
    its events are in one group; and the mean over scenarios of anything is unbiased.

    Attributes
    ----------
    seed, hazard
        As in plain drawing.
    replicate
        Number of the set among independent ones of the same seed.
    """

    seed: int
    hazard: str
    replicate: int = 0

    def counts(self, scenarios: int) -> NDArray[np.float64]:
        """See :class:`Draws`."""
        return self._one_in_each("count", scenarios)[self._shuffle("count", scenarios)]

    def own(self, scenario: NDArray[np.int64]) -> Own:
        """See :class:`Draws`.

        Points are those of Hammersley, with the severity evenly spaced: with n points they spread
        over three dimensions as well as a sequence does over two.
        """
        u = np.empty((3, scenario.size))
        for place, group in _by_place(scenario):
            n, name = group.size, f"own {place}"
            points = np.stack(
                [
                    self._sobol(2, f"{name} start", n),
                    self._sobol(1, f"{name} duration", n),
                    self._one_in_each(f"{name} severity", n),
                ]
            )
            u[:, group] = points[:, self._shuffle(name, n)]
        return Own(*u)

    def after(
        self, scenario: NDArray[np.int64], start: NDArray[np.int64], probability: float
    ) -> After:
        """See :class:`Draws`.

        Points are dealt in order of the months in which the events start that are followed: late
        ones then have as even a choice of followers as early ones. Random shifts alone make the
        point of each uniform, whichever it is.
        """
        u = np.empty((3, scenario.size))
        for place, group in _by_place(scenario):
            in_time = group[np.argsort(start[group], kind="stable")]
            for number, purpose in enumerate(("follow", "duration", "severity")):
                name = f"after {place} {purpose}"
                u[number, in_time] = self._sobol(3 - number, name, group.size)
        happens = u[0] < probability
        return After(happens, u[1, happens], u[2, happens])

    def _raw(self, purpose: str, size: int) -> NDArray[np.uint64]:
        return raw_words(self.seed, self.hazard, f"stratified {self.replicate} {purpose}", size)

    def _one_in_each(self, purpose: str, size: int) -> NDArray[np.float64]:
        """Return uniforms, the i-th in the i-th of so many equal parts of (0, 1)."""
        u = (np.arange(size) + to_unit(self._raw(purpose, size))) / max(size, 1)
        return np.minimum(u, 1.0 - 2.0**-DIGITS)  # Rounding must not reach 1.

    def _sobol(self, dimension: int, purpose: str, size: int) -> NDArray[np.float64]:
        """Return a coordinate of the Sobol sequence, digits shifted at random."""
        shift = self._raw(purpose, 1) >> np.uint64(64 - DIGITS)
        return _centred(sobol(dimension, size) ^ shift)

    def _shuffle(self, purpose: str, size: int) -> NDArray[np.int64]:
        """Return a random order of so many things."""
        return np.argsort(self._raw(f"{purpose} order", size), kind="stable")


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


def sobol(dimension: int, size: int) -> NDArray[np.uint64]:
    """Return the first points of the Sobol sequence in one of its dimensions, 1 to 3.

    Any 2^k points that begin at a multiple of 2^k lie one in each of 2^k equal parts of a
    dimension, and one in each of the 2^k boxes of any even division of dimensions 1 and 2 (Sobol,
    1967; direction numbers of Joe and Kuo, 2008). Points come in natural order, not in that of
    the Gray code.

    Returns
    -------
    (size,) as whole numbers of 2^-53.
    """
    number = np.arange(size, dtype=np.uint64)
    point = np.zeros(size, dtype=np.uint64)
    for k, direction in enumerate(_directions(dimension, max(size - 1, 0).bit_length())):
        is_set = (number >> np.uint64(k)) & np.uint64(1)
        point ^= is_set * np.uint64(direction)
    return point


_STARTS: tuple[tuple[int, ...], ...] = ((), (1,), (1, 3))
"""First direction numbers of each dimension; as many as its polynomial has degrees."""


def _directions(dimension: int, count: int) -> list[int]:
    """Return the first direction numbers of a dimension, as whole numbers of 2^-53.

    The polynomials are 1, x + 1 and x^2 + x + 1.
    """
    m = list(_STARTS[dimension - 1])
    degree = len(m)
    while len(m) < count:
        k = len(m)
        if degree == 0:
            m.append(1)
        else:
            new = m[k - degree] ^ (m[k - degree] << degree)
            for i in range(1, degree):  # All coefficients in between are 1.
                new ^= m[k - i] << i
            m.append(new)
    return [value << (DIGITS - k - 1) for k, value in enumerate(m[:count])]


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
