"""What joins the materials into one plan: the limits (11), (12), (14) to (18).

Joint chance groups (13) stand with the other promises in :class:`stockpile.problem.Problem`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.project_limits import ProjectLimits, build_project_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.instance import Instance
    from stockpile.problem import Cooperation, Problem
    from stockpile.scenarios import ScenarioSet


@dataclass(frozen=True, slots=True)
class Facilities:
    """Stores, existing or to be opened; W of them, as arrays.

    Attributes
    ----------
    names
        Keys of ``facilities.csv``.
    participant, kind
        Where it stands (index c), and which storage kind it offers (index l).
    capacity
        Room [t].
    fixed_cost
        While it is open [USD/year].
    existing
        Whether it is open in any case.
    """

    names: tuple[str, ...]
    participant: NDArray[np.int64]
    kind: NDArray[np.int64]
    capacity: NDArray[np.float64]
    fixed_cost: NDArray[np.float64]
    existing: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Couplings:
    """Limits over all materials in one world.

    Attributes
    ----------
    budget
        (C,) most outlay of each participant [USD]; infinite where there is no limit.
    joint_budget
        Most outlay of all together [USD]; infinite where there is no limit.
    kinds
        Storage kinds, those of materials and of facilities.
    kind_of
        (M,) storage kind of each material, an index.
    limited
        (C,) whether a participant's storage is limited to its facilities.
    pooled
        Whether all facilities are one pool: then all storage is limited, or none is.
    facilities
        All stores.
    most_rules
        Most distinct rules in use per participant; None where there is no limit.
    nobody_worse_off
        Whether nobody may bear more than alone.
    standalone
        (C,) what that is [USD/year]; infinite where there is no limit.
    tail
        1 - alpha of (18), the probability of the tail.
    most_tail_cost
        Most mean shortage cost in the tail [USD/year]; infinite where there is no limit.
    projects
        What may be funded.
    """

    budget: NDArray[np.float64]
    joint_budget: float
    kinds: tuple[str, ...]
    kind_of: NDArray[np.int64]
    limited: NDArray[np.bool_]
    pooled: bool
    facilities: Facilities
    most_rules: int | None
    nobody_worse_off: bool
    standalone: NDArray[np.float64]
    tail: float
    most_tail_cost: float
    projects: ProjectLimits

    @property
    def any_limit(self) -> bool:
        """Return whether anything here can bind."""
        return bool(
            self.projects.count
            or self.projects.caps
            or np.isfinite(self.budget).any()
            or np.isfinite(self.joint_budget)
            or self.limited.any()
            or self.most_rules is not None
            or np.isfinite(self.standalone).any()
            or np.isfinite(self.most_tail_cost)
        )

    def with_standalone(self, standalone: NDArray[np.float64]) -> Couplings:
        """Return the same limits, and (16)."""
        return replace(self, standalone=standalone)


def build_couplings(
    instance: Instance, problem: Problem, world: Cooperation, scenarios: ScenarioSet
) -> Couplings:
    """Read the limits of an instance as they are in a world; ``standalone`` is left open.

    What projects cost depends on the scenarios.

    In ``none`` and ``sharing`` each participant keeps to its own budget and its own facilities,
    and all together to the joint budget, where given. In ``joint`` there is one budget, the joint
    one or else the sum, and one pool of facilities. Storage is unlimited for a participant
    without facilities.
    """
    C = len(problem.participants)
    own = np.array(
        [
            np.inf if row.acquisition_budget_usd is None else row.acquisition_budget_usd
            for row in instance.participants
        ]
    )
    given = instance.agreement.joint_budget_usd
    joint_budget = np.inf if given is None else given
    pooled = world == "joint"
    if pooled:
        joint_budget = float(own.sum()) if given is None else given
        own = np.full(C, np.inf)
    needed = [row.storage_kind for row in instance.materials]
    kinds = tuple(dict.fromkeys([*needed, *(row.storage_kind for row in instance.facilities)]))
    places = [problem.participants.index(row.participant) for row in instance.facilities]
    facilities = Facilities(
        names=tuple(row.facility for row in instance.facilities),
        participant=np.array(places, dtype=np.int64),
        kind=np.array([kinds.index(row.storage_kind) for row in instance.facilities], np.int64),
        capacity=np.array([row.capacity_t for row in instance.facilities], np.float64),
        fixed_cost=np.array(
            [row.fixed_cost_usd_per_year for row in instance.facilities], np.float64
        ),
        existing=np.array([row.existing for row in instance.facilities], np.bool_),
    )
    limited = np.isin(np.arange(C), places)
    if pooled:  # Whoever has room without end lets the partners use it.
        limited = np.full(C, limited.all())
    confidence, limit = instance.risk.cvar_confidence, instance.risk.cvar_limit_usd_per_year
    return Couplings(
        budget=own,
        joint_budget=joint_budget,
        kinds=kinds,
        kind_of=np.array([kinds.index(kind) for kind in needed], np.int64),
        limited=limited,
        pooled=pooled,
        facilities=facilities,
        most_rules=instance.agreement.max_distinct_rules,
        nobody_worse_off=instance.agreement.nobody_worse_off and world != "none",
        standalone=np.full(C, np.inf),
        tail=1.0 if confidence is None or limit is None else 1.0 - confidence,
        most_tail_cost=np.inf if limit is None else limit,
        projects=build_project_limits(instance, problem, world, scenarios),
    )


def limits_in_words(problem: Problem, couplings: Couplings) -> str:
    """Name every limit that is set, in one line."""
    names = problem.participants
    words = [
        f"acquisition_budget_usd of {name} ({budget:,.0f} USD)"
        for name, budget in zip(names, couplings.budget, strict=True)
        if np.isfinite(budget)
    ]
    if np.isfinite(couplings.joint_budget):
        words.append(f"the joint budget ({couplings.joint_budget:,.0f} USD)")
    if couplings.limited.any():
        whose = [
            name for name, is_limited in zip(names, couplings.limited, strict=True) if is_limited
        ]
        words.append(f"facilities.csv of {', '.join(whose)}")
    if couplings.most_rules is not None:
        words.append(f"max_distinct_rules ({couplings.most_rules})")
    if np.isfinite(couplings.standalone).any():
        words.append("nobody_worse_off")
    if np.isfinite(couplings.most_tail_cost):
        words.append(f"cvar_limit_usd_per_year ({couplings.most_tail_cost:,.0f} USD)")
    words += [
        f"project_budget_usd of {name} ({budget:,.0f} USD)"
        for name, budget in zip(names, couplings.projects.budget, strict=True)
        if np.isfinite(budget)
    ]
    if np.isfinite(couplings.projects.joint_budget):
        words.append(f"the joint project budget ({couplings.projects.joint_budget:,.0f} USD)")
    for place in dict.fromkeys((cap.file, cap.line) for cap in couplings.projects.caps):
        words.append(f"{place[0]} line {place[1]}")
    words += [f"the joint_chance group {group.name}" for group in problem.groups]
    return "; ".join(words)
