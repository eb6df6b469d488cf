"""Who supplies whom before and after projects, and how concentrated that is; equation (17)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.problem import LEVEL_TOLERANCE, expand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.instance import Instance
    from stockpile.problem import Problem


@dataclass(frozen=True, slots=True)
class Cap:
    """Most that one source may supply of one participant's supply of a material.

    ``coefficient @ funded <= limit``, with ``funded`` (N,) 1 for each project that is funded: what
    the source supplies less its share of all that is supplied [t/month], moved to one side.

    Attributes
    ----------
    participant, material
        Indices c and m.
    source
        Name of the source, or of the project that is a source of its own.
    max_share
        As in ``concentration.csv``.
    coefficient, limit
        (N,), and the right-hand side [t/month].
    row
        Number of its row in ``concentration.csv``, from 0.
    line, file
        Where that is written.
    """

    participant: int
    material: int
    source: str
    max_share: float
    coefficient: NDArray[np.float64]
    limit: float
    row: int
    line: int
    file: str

    def with_share(self, max_share: float, problem: Problem) -> Cap:
        """Return the same cap with another share."""
        more = max_share - self.max_share
        nothing = np.zeros(problem.projects.count, dtype=np.bool_)
        _, total = supplied(problem, self.participant, self.material, nothing)
        output = problem.projects.supply[:, self.participant, self.material]
        output = output * problem.period.per_month
        return replace(
            self,
            max_share=max_share,
            coefficient=self.coefficient - more * output,
            limit=self.limit + more * total,
        )

    def share(self, problem: Problem, funded: NDArray[np.bool_]) -> float:
        """Return the source's share where these projects are funded, (N,)."""
        of, total = supplied(problem, self.participant, self.material, funded)
        return of.get(self.source, 0.0) / total


def supplied(
    problem: Problem, c: int, m: int, funded: NDArray[np.bool_]
) -> tuple[dict[str, float], float]:
    """Return what each source supplies after projects, and what all do [t/month].

    All that is the normal supply, what is recycled in the last period, and projects in full.

    Parameters
    ----------
    funded
        (N,) projects that are funded.
    """
    per_month = problem.period.per_month
    normal = float(problem.demand[c, m].sum()) * per_month
    of = {
        name: float(share) * normal
        for name, share in zip(problem.sources, problem.share[c, m], strict=True)
        if share > 0.0
    }
    total = normal + float(problem.recycled[c, m, -1]) * per_month
    projects = problem.projects
    for n in np.flatnonzero(funded):
        output = float(projects.supply[n, c, m]) * per_month
        if output > 0.0:
            name = source_name(problem, int(n))
            of[name] = of.get(name, 0.0) + output
            total += output
    return of, total


def source_name(problem: Problem, n: int) -> str:
    """Return the source that a project's output counts as: its own name where it has none."""
    g = int(problem.projects.source[n])
    return problem.sources[g] if g >= 0 else problem.projects.names[n]


def build_caps(instance: Instance, problem: Problem) -> tuple[Cap, ...]:
    """Spell out ``concentration.csv``: a row with ``*`` or a list means each one.

    Caps that no funding of projects can break, and markets without normal demand, are left out.
    """
    projects = problem.projects
    alone = [name for n, name in enumerate(projects.names) if projects.source[n] < 0]
    caps = []
    for number, row in enumerate(instance.concentration):
        sources = list(row.source)
        if sources == ["*"]:
            sources = [*problem.sources, *alone]
        for c in expand(row.participant, problem.participants):
            for m in expand(row.material, problem.materials):
                normal = float(problem.demand[c, m].sum())
                if normal <= 0.0:
                    continue
                for source in sources:
                    before, total = supplied(problem, c, m, np.zeros(projects.count, np.bool_))
                    mine = np.array(
                        [source_name(problem, n) == source for n in range(projects.count)], np.bool_
                    )
                    output = projects.supply[:, c, m] * problem.period.per_month
                    coefficient = np.where(mine, output, 0.0) - row.max_share * output
                    limit = row.max_share * total - before.get(source, 0.0)
                    if coefficient.clip(min=0.0).sum() <= limit + LEVEL_TOLERANCE * total:
                        continue
                    caps.append(
                        Cap(
                            c,
                            m,
                            source,
                            row.max_share,
                            coefficient,
                            limit,
                            number,
                            row.line,
                            row.file or "concentration.csv",
                        )
                    )
    return tuple(caps)
