"""How far sampling blurs what scenarios show: standard errors and 95 % intervals.

Scenarios of a plain set are independent, and the error of a mean follows from how they spread.
Those of a stratified set are not: they fill their ranges evenly, and their spread would show far
too large an error. Such a set is drawn in independent replicates instead, and the error follows
from how these differ (section 7 of the formulation).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.scenarios import ScenarioSet

INTERVAL = 0.95
"""Confidence of the intervals."""

REPLICATES = 20
"""Independent parts of a stratified set that a plan is judged on."""

LEAST_STRATIFIED = 2 * REPLICATES
"""Scenarios of such a set: with one in each replicate nothing would be stratified."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How scenarios, equally weighted, depend on each other.

    Attributes
    ----------
    count
        Number of scenarios S.
    replicate
        (R + 1,) bounds of the independent replicates, as in a scenario set; empty where all
        scenarios are independent.
    """

    count: int
    replicate: NDArray[np.int64]

    @staticmethod
    def of(scenarios: ScenarioSet) -> Spread:
        """Return that of a scenario set."""
        return Spread(scenarios.count, scenarios.replicate)

    @property
    def width(self) -> float:
        """Return half the width of an interval in standard errors.

        That of the normal distribution; of Student's with R - 1 degrees of freedom where R
        replicates show the error.
        """
        from scipy.special import ndtri, stdtrit  # Takes long, and only drawn scenarios need it.

        upper = 0.5 + INTERVAL / 2.0
        if self.replicate.size:
            return float(stdtrit(self.replicate.size - 2, upper))
        return float(ndtri(upper))

    def error(self, pull: NDArray[np.float64], scenario: NDArray[np.int64] | None = None) -> float:
        """Return the standard error of an estimate on which scenarios pull.

        A single replicate shows none: nan.

        Parameters
        ----------
        pull
            (S',) pulls, which sum to 0.
        scenario
            (S',) whose they are; all others are 0. None for all in order.
        """
        if not self.replicate.size:
            return math.sqrt(float(pull @ pull) / self.count) / math.sqrt(self.count)
        scenario = np.arange(self.count) if scenario is None else scenario
        place = np.searchsorted(self.replicate, scenario, side="right") - 1
        parts = self.replicate.size - 1
        if parts == 1:
            return math.nan
        sums = np.bincount(place, weights=pull, minlength=parts) / self.count
        return math.sqrt(float(sums @ sums) * parts / (parts - 1))

    def of_share(self, share: float, error: float) -> tuple[float, float]:
        """Return Wilson's interval (1927) of a share of the scenarios, given its standard error.

        Scenarios that depend on each other count as so many independent ones as have the same
        error, share (1 - share) / error^2; where the replicates show none, all count as
        independent.
        """
        from scipy.special import ndtri

        number, width = float(self.count), float(ndtri(0.5 + INTERVAL / 2.0))
        if self.replicate.size and error > 0.0 and 0.0 < share < 1.0:
            number, width = share * (1.0 - share) / error**2, self.width
        return _wilson(share, number, width)


def _wilson(share: float, number: float, width: float) -> tuple[float, float]:
    w2 = width**2
    centre = (share + w2 / (2.0 * number)) / (1.0 + w2 / number)
    spread = share * (1.0 - share) / number + w2 / (4.0 * number**2)
    half = width / (1.0 + w2 / number) * math.sqrt(max(spread, 0.0))
    # The share itself lies inside, whatever rounding says.
    return min(centre - half, share), max(centre + half, share)
