"""Random numbers by name, and the rounding of what is made of them."""

from __future__ import annotations

import hashlib
import math

import numpy as np


def stream(seed: int, *name: str | int) -> np.random.Generator:
    """Return the random numbers of one thing, such as ``("material", 3)``.

    Whatever is drawn for other things makes no difference to them, so an instance with more
    materials or participants begins with those of a smaller one.
    """
    digest = hashlib.sha256("\n".join(map(str, name)).encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def lognormal(
    rng: np.random.Generator, median: float, sigma: float, low: float, high: float
) -> float:
    """Draw a lognormal number by its median and the spread of its logarithm, within limits."""
    return float(np.clip(median * np.exp(sigma * rng.standard_normal()), low, high))


def rounded(value: float, digits: int = 3) -> float:
    """Round to significant digits: an invented figure should not look like a measured one."""
    return float(f"{value:.{digits}g}")


def rounded_up(value: float, digits: int = 3) -> float:
    """Round to significant digits, never below the value."""
    if value <= 0.0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - digits + 1)
    up = rounded(math.ceil(value / unit * (1.0 - 1e-12)) * unit, digits + 1)
    return up if up >= value else rounded(up + unit, digits + 1)


def preferred(value: float) -> float:
    """Return the number of the series 1, 2, 5, 10, ... that is next to a value, by ratio."""
    decade = 10.0 ** math.floor(math.log10(value))
    near = min((1.0, 2.0, 5.0, 10.0), key=lambda step: abs(math.log(value / (step * decade))))
    return rounded(near * decade)
