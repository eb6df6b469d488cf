"""Retaliation after a release: a source that cuts off whoever has helped a partner.

It depends on what a plan does, so it is no part of the certified model. It is simulated in two
passes: the first one, without retaliation, says in which month of a scenario anything is first
released to a partner. That month depends on nothing but what has been seen until then, and so
does what follows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.blocks import build_blocks
from stockpile.errors import UsageError
from stockpile.kernels.needs import SUPPLY_LOSS
from stockpile.needs import block_needs
from stockpile.parallel import Workers
from stockpile.plan_decisions import plan_decisions
from stockpile.rules import OWN
from stockpile.simulate import candidate_terms, simulate_months
from stockpile.tables import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.needs import Needs
    from stockpile.plan import Plan
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet

AT_ONCE = 256
"""Scenarios that are simulated month by month at once."""
RELEASED = 1e-9
"""Tonnes from which on something has been released."""


@dataclass(frozen=True, slots=True)
class Retaliation:
    """What a source does to whoever helps a partner.

    Attributes
    ----------
    delay_months
        It starts so many months after the first month with a release, at least 1.
    duration_months
        How long it lasts.
    severity
        Fraction of the source's supply that is lost.
    """

    delay_months: int = 1
    duration_months: int = 6
    severity: float = 1.0

    def check(self) -> None:
        """Raise `UsageError` if a figure is out of range."""
        wrong = [
            f"{name} is {value!r}; expected at least 1 month"
            for name, value in (("delay", self.delay_months), ("duration", self.duration_months))
            if value < 1
        ]
        if not 0.0 <= self.severity <= 1.0:
            wrong.append(f"severity is {self.severity!r}; expected a fraction from 0 to 1")
        if wrong:
            raise UsageError("\n".join(wrong))


@dataclass(frozen=True, slots=True)
class Release:
    """Something released to a partner in the first month of a scenario in which anything is.

    Attributes
    ----------
    scenario, month
        Numbers, counted from 0.
    owner, beneficiary, material
        Who helps whom with what is needed, indices c, c and m.
    """

    scenario: int
    month: int
    owner: int
    beneficiary: int
    material: int


def retaliations(
    problem: Problem, plan: Plan, scenarios: ScenarioSet, retaliation: Retaliation
) -> tuple[Event, ...]:
    """Return what sources do to those who have helped a partner.

    For each first release: the source from which the beneficiary's supply is lost most in that
    month is lost to the owner, for the material that was needed. Where no supply is lost, as in a
    surge of demand, nobody retaliates.

    Parameters
    ----------
    scenarios
        With names, which the events refer to.
    """
    _, _, states = plan_decisions(problem, plan)
    events: dict[Event, None] = {}
    for release in first_releases(problem, plan, scenarios):
        source = _source_behind(problem, scenarios, states, release)
        start = release.month + 1 + retaliation.delay_months
        if source is None or start > problem.horizon:
            continue
        event = Event(
            scenario=scenarios.names[release.scenario],
            source=problem.sources[source],
            materials=(problem.materials[release.material],),
            targets=(problem.participants[release.owner],),
            start_month=start,
            duration_months=retaliation.duration_months,
            severity=retaliation.severity,
            note="retaliation after a release",
        )
        events[event] = None  # Several beneficiaries are one reason.
    return tuple(events)


def first_releases(problem: Problem, plan: Plan, scenarios: ScenarioSet) -> list[Release]:
    """Return what is released to partners in the first such month of each scenario."""
    if plan.cooperation == "none":
        return []
    lots, rules, states = plan_decisions(problem, plan)
    found: list[Release] = []
    with Workers(1) as workers:
        for block in build_blocks(problem):
            needs = block_needs(problem, block, scenarios, workers, states)
            for first in range(0, needs.scenario.size, AT_ONCE):
                some = np.arange(first, min(first + AT_ONCE, needs.scenario.size))
                part = needs.only(some, needs.probability[some])
                found += _releases_of(problem, block, part, lots, rules)
    earliest: dict[int, int] = {}
    for release in found:
        earliest[release.scenario] = min(
            release.month, earliest.get(release.scenario, problem.horizon)
        )
    of_first = [release for release in found if release.month == earliest[release.scenario]]
    return sorted(of_first, key=lambda release: release.scenario)


def _releases_of(
    problem: Problem,
    block: Block,
    needs: Needs,
    lots: NDArray[np.int64],
    rules: NDArray[np.int64],
) -> Iterator[Release]:
    """Yield the releases of one block in its own first month with any."""
    c, m = block.market_participant, block.market_material
    steps, holding = block.steps, lots[c, m] * problem.lot[m]
    rule = rules[:, block.materials[0]]
    terms = candidate_terms(problem.menu, steps, holding[:, None], rule[:, None])
    run = simulate_months(block, needs, terms, problem.refill[c], problem.horizon)
    helps = (run.released[..., 0] > RELEASED) & (steps.relation != OWN)  # (S', T, J)
    month = helps.any(axis=2).argmax(axis=1)
    for place, step in np.argwhere(helps[np.arange(month.size), month]).tolist():
        market = int(steps.market[step])
        yield Release(
            scenario=int(needs.scenario[place]),
            month=int(month[place]),
            owner=int(steps.owner[step]),
            beneficiary=int(c[market]),
            material=int(m[market]),
        )


def _source_behind(
    problem: Problem, scenarios: ScenarioSet, states: NDArray[np.int64], release: Release
) -> int | None:
    """Return the source from which most of a market's supply is lost (1), if any is."""
    c, m = release.beneficiary, release.material
    of = slice(scenarios.first[release.scenario], scenarios.first[release.scenario + 1])
    scope, answers = scenarios.scope[of], scenarios.answers[scenarios.scope[of]]
    active = (scenarios.effect[of] == SUPPLY_LOSS) & (scenarios.start[of] <= release.month)
    active &= (release.month < scenarios.end[of]) & scenarios.materials[scope, m]
    happens = (answers < 0) | np.isin(answers, np.flatnonzero(states))
    active &= scenarios.targets[scope, c] & happens
    left = np.ones(len(problem.sources))
    np.multiply.at(left, scenarios.source[of][active], 1.0 - scenarios.severity[of][active])
    lost = problem.share[c, m] * (1.0 - left)
    return int(lost.argmax()) if lost.any() else None
