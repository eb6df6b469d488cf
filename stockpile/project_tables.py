"""The tables of a plan that are about projects: what is funded, and who supplies whom then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.concentration import supplied
from stockpile.plan import table
from stockpile.projects import FAST, FUNDED, JOINT
from stockpile.quantiles import weighted_quantile

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from stockpile.problem import Problem
    from stockpile.project_limits import ProjectLimits
    from stockpile.setting import Setting


def projects_table(
    setting: Setting, limits: ProjectLimits, states: NDArray[np.int64]
) -> pd.DataFrame:
    """Return the ``projects`` table of a plan with projects in some states (N,)."""
    problem, projects = setting.problem, setting.problem.projects
    started = projects.first_period(setting.scenarios.lead, np.maximum(states, FUNDED))
    first = problem.period.month_of(started)
    rows = []
    for n, state in enumerate(states.tolist()):
        payer = projects.payer[n]
        rows.append(
            {
                "project": projects.names[n],
                "kind": projects.kinds[n],
                "funder": JOINT if projects.joint[n] else problem.participants[int(payer.argmax())],
                "payers": ";".join(problem.participants[c] for c in np.flatnonzero(payer)),
                "payer_shares": ";".join(repr(float(part)) for part in payer[payer > 0.0]),
                "funded": state >= FUNDED,
                "fast_track": state == FAST,
                "capital_usd": float(limits.outlay[:, n, state].sum()),
                "capital_usd_per_year": float(limits.capital[n, state]),
                "support_usd_per_year": float(limits.support[n, state]),
                "start_month_median": weighted_quantile(
                    first[:, n], setting.scenarios.probability, 0.5
                ),
                "output_t_per_year": float(projects.output[n].sum() * problem.period.per_year),
            }
        )
    return table("projects", rows)


def dependence_table(problem: Problem, states: NDArray[np.int64]) -> pd.DataFrame:
    """Return the ``dependence`` table of a plan with projects in some states (N,)."""
    if not states.size:
        return table("dependence", [])
    none = np.zeros(states.size, dtype=np.bool_)
    rows = []
    for c, participant in enumerate(problem.participants):
        for m, material in enumerate(problem.materials):
            before, after = _shares(problem, c, m, none), _shares(problem, c, m, states > 0)
            index = [sum(share**2 for share in shares.values()) for shares in (before, after)]
            rows += [
                {
                    "participant": participant,
                    "material": material,
                    "source": source,
                    "share_before": before.get(source, 0.0),
                    "share_after": after.get(source, 0.0),
                    "hhi_before": index[0],
                    "hhi_after": index[1],
                }
                for source in {**before, **after}
            ]
    return table("dependence", rows)


def _shares(problem: Problem, c: int, m: int, funded: NDArray[np.bool_]) -> dict[str, float]:
    """Return the share of each source in a supply; empty where nothing is supplied."""
    of, total = supplied(problem, c, m, funded)
    return {source: amount / total for source, amount in of.items()} if total > 0.0 else {}
