"""Projects as arrays: what can be funded, what it makes, for whom, and when it may be there.

Section 9 of the formulation. A project is *not funded*, *funded*, or funded with a *fast track*
for its permit; these are its states 0, 1 and 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.instance import Instance
    from stockpile.periods import Period
    from stockpile.tables import Project

NOT_FUNDED, FUNDED, FAST = 0, 1, 2
STATES = 3
JOINT = "joint"
ROUNDING = 1e-9
"""A period counts as over within this part of it: 5.3 months less 2.3 are three."""


@dataclass(frozen=True, slots=True)
class Projects:
    """All projects of an instance, N of them.

    Attributes
    ----------
    names, kinds
        As in ``projects.csv``.
    output
        (N, M) what each makes when it runs in full [t/period].
    operating
        (N, M) cost of that [USD/t]; 0 where nothing is made.
    share
        (N, C) fraction of the output that each participant gets.
    source
        (N,) source g that the output counts as (17); -1: one of its own.
    payer
        (N, C) fraction of the cost that each participant pays; rows sum to 1.
    joint
        (N,) whether it is funded by all together.
    capital, fast_cost
        (N,) [USD]; ``fast_cost`` is nan where there is no fast track.
    capital_rate
        (N,) part of the capital that a year costs [1/year].
    lead_median, lead_sigma
        (N,) lognormal time from the decision to the first output [periods], without fast track.
    slip_probability, slip
        (N,) with which probability that takes longer, and by how much [periods].
    fast
        (N,) what a fast track saves [periods].
    ramp
        (N,) periods over which output grows to its full size, a whole number; at least 1.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    output: NDArray[np.float64]
    operating: NDArray[np.float64]
    share: NDArray[np.float64]
    source: NDArray[np.int64]
    payer: NDArray[np.float64]
    joint: NDArray[np.bool_]
    capital: NDArray[np.float64]
    fast_cost: NDArray[np.float64]
    capital_rate: NDArray[np.float64]
    lead_median: NDArray[np.float64]
    lead_sigma: NDArray[np.float64]
    slip_probability: NDArray[np.float64]
    slip: NDArray[np.float64]
    fast: NDArray[np.float64]
    ramp: NDArray[np.float64]

    @property
    def count(self) -> int:
        """Return the number of projects N."""
        return len(self.names)

    @property
    def supply(self) -> NDArray[np.float64]:
        """Return what each adds in full to the supply of each market, (N, C, M) [t/period]."""
        return self.share[:, :, None] * self.output[:, None, :]

    def first_period(
        self, lead: NDArray[np.float64], state: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the first period with output, counted from 0, of lead times (., N) [periods].

        Parameters
        ----------
        state
            (N,) FUNDED or FAST.
        """
        saved = np.where(state == FAST, self.fast, 0.0)
        # Beyond any horizon is beyond any horizon.
        periods = np.minimum(np.maximum(lead - saved, 0.0), 1e9)
        return np.floor(periods + ROUNDING).astype(np.int64)


def build_projects(
    instance: Instance,
    participants: Sequence[str],
    materials: Sequence[str],
    sources: Sequence[str],
    period: Period,
) -> Projects:
    """Spell out ``projects.csv`` and ``project_products.csv`` as arrays."""
    rows = instance.projects
    N, C, M = len(rows), len(participants), len(materials)
    names = tuple(row.project for row in rows)
    output, operating = np.zeros((N, M)), np.zeros((N, M))
    share = np.zeros((N, C))
    for n, row in enumerate(rows):
        m = materials.index(row.material)
        output[n, m] = row.capacity_t_per_year / period.per_year
        operating[n, m] = row.operating_usd_per_t
        everybody = row.beneficiaries == ("*",)
        named = participants if everybody else row.beneficiaries
        for participant, part in zip(named, row.beneficiary_shares, strict=True):
            share[n, participants.index(participant)] = part
    for product in instance.project_products:
        n, m = names.index(product.project), materials.index(product.material)
        output[n, m] = product.capacity_t_per_year / period.per_year
        own = product.operating_usd_per_t
        operating[n, m] = rows[n].operating_usd_per_t if own is None else own
    payer = np.array([_payer(row, share[n], participants) for n, row in enumerate(rows)])
    payer = payer.reshape(N, C)
    rates = np.array([row.discount_rate_per_year for row in instance.participants])
    return Projects(
        names=names,
        kinds=tuple(row.kind for row in rows),
        output=output,
        operating=operating,
        share=share,
        source=np.array(
            [sources.index(row.source) if row.source else -1 for row in rows], np.int64
        ),
        payer=payer,
        joint=np.array([row.funder == JOINT for row in rows], np.bool_),
        capital=np.array([row.capital_usd for row in rows], np.float64),
        fast_cost=np.array(
            [np.nan if row.fast_track_usd is None else row.fast_track_usd for row in rows],
            np.float64,
        ),
        capital_rate=np.array(
            [capital_rate(float(payer[n] @ rates), row.life_years) for n, row in enumerate(rows)],
            np.float64,
        ),
        lead_median=period.length(np.array([row.lead_median_months for row in rows], np.float64)),
        lead_sigma=np.array([row.lead_sigma for row in rows], np.float64),
        slip_probability=np.array([row.slip_probability for row in rows], np.float64),
        slip=period.length(np.array([row.slip_months for row in rows], np.float64)),
        fast=period.length(np.array([row.fast_track_months for row in rows], np.float64)),
        ramp=np.array([max(period.whole(row.ramp_months), 1) for row in rows], np.float64),
    )


def _payer(
    row: Project, share: NDArray[np.float64], participants: Sequence[str]
) -> NDArray[np.float64]:
    """Return which part each participant pays: the funder all, or beneficiaries by their shares."""
    paid = np.zeros(len(participants))
    if row.funder != JOINT:
        paid[participants.index(row.funder)] = 1.0
        return paid
    total = float(share.sum())
    return share / total if total > 0.0 else np.full(len(participants), 1.0 / len(participants))


def capital_rate(discount_rate: float, life_years: float | None) -> float:
    """Return the part of a capital that a year costs [1/year]: an annuity over its life.

    Without a life it does not wear out, like a stock, and costs the discount rate.
    """
    if life_years is None:
        return discount_rate
    if discount_rate == 0.0:
        return 1.0 / life_years
    return float(discount_rate / -np.expm1(-life_years * np.log1p(discount_rate)))
