"""Lead times of projects by scenario: drawn, given, or their median.

Section 9 of the formulation. Every project draws from streams of its own, so a change to one
leaves the others and all events as they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.draws import raw_words, to_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.instance import Instance
    from stockpile.periods import Period
    from stockpile.projects import Projects


def median_leads(projects: Projects, count: int) -> NDArray[np.float64]:
    """Return the medians as lead times of so many scenarios, (S, N) [periods]."""
    return np.tile(projects.lead_median, (count, 1))


def drawn_leads(projects: Projects, count: int, seed: int) -> NDArray[np.float64]:
    """Draw lognormal lead times, and slips, (S, N) [periods].

    The first scenarios stay the same when more are drawn.
    """
    leads = median_leads(projects, count)
    for n, name in enumerate(projects.names):
        if projects.lead_sigma[n] > 0.0:
            from scipy.special import ndtri

            u = to_unit(raw_words(seed, name, "lead", count))
            with np.errstate(over="ignore"):  # Beyond every horizon is beyond every horizon.
                leads[:, n] *= np.exp(projects.lead_sigma[n] * ndtri(u))
        if projects.slip_probability[n] > 0.0:
            u = to_unit(raw_words(seed, name, "slip", count))
            leads[u < projects.slip_probability[n], n] += projects.slip[n]
    return leads


def given_leads(
    instance: Instance, projects: Projects, names: Sequence[str], period: Period
) -> NDArray[np.float64]:
    """Return the lead times of given scenarios, (S, N) [months]; drawn where none is given."""
    leads = drawn_leads(projects, len(names), instance.scenario_settings.seed)
    place = {name: number for number, name in enumerate(names)}
    for row in instance.leads:
        leads[place[row.scenario], projects.names.index(row.project)] = period.length(
            row.lead_months
        )
    return leads
