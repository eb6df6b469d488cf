"""The limits (11), (12), (13), (15), (16), (18) as requirements that can give way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.infeasibility.feasibility import COVER, RULES
from stockpile.infeasibility.requirements import (
    Case,
    Requirement,
    money,
    place,
    relative_size,
    together,
)
from stockpile.master.rows import BUDGET, SHARE, STORAGE, TAIL
from stockpile.model.verify import within
from stockpile.problem import LEVEL_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.couplings import Couplings
    from stockpile.infeasibility.feasibility import Key
    from stockpile.infeasibility.plan_use import PlanUse
    from stockpile.instance import Instance
    from stockpile.problem import JointGroup, Problem


class AtMost(Requirement):
    """A limit on an amount that a plan uses: more is allowed where it gives way."""

    def kept(self, use: PlanUse) -> bool:
        """Say whether a plan uses no more than is allowed now."""
        return within(self.reached(use), self.current)

    def size(self, value: float) -> float:
        """Return the amount itself."""
        return relative_size(value)


class Money(AtMost):
    """A limit on money [USD, or USD/year]."""

    def amount(self, value: float) -> str:
        """Write a value with its unit."""
        _, amount, unit = money(value, value)
        return f"{amount} {unit}"


@dataclass(frozen=True)
class Budget(Money):
    """Equation (11): outlay of a participant c, or of all together where c is -1 [USD]."""

    current: float
    c: int
    where: str
    what: str
    loosest: float = np.inf

    @property
    def key(self) -> Key:
        """Return what tells limits apart in proofs."""
        return (BUDGET, self.c, -1)

    def at(self, case: Case, value: float) -> Case:
        """Return a case with another budget."""
        limits = case.couplings
        if self.c < 0:
            return Case(case.problem, replace(limits, joint_budget=value))
        budget = limits.budget.copy()
        budget[self.c] = value
        return Case(case.problem, replace(limits, budget=budget))

    def reached(self, use: PlanUse) -> float:
        """Return the outlay."""
        return float(use.outlay.sum() if self.c < 0 else use.outlay[self.c])

    def title(self) -> str:
        """Say what is asked now."""
        current, _, unit = money(self.current, self.current)
        return f"{self.where}: {self.what}, {current} {unit}"

    def words(self, value: float) -> str:
        """Say which budget to raise, and to what."""
        current, needed, unit = money(self.current, value)
        return f"{self.where}: raise {self.what} from {current} to at least {needed} {unit}"


@dataclass(frozen=True)
class Room(AtMost):
    """Equation (12): room for a storage kind of a participant c, in a pool where c is -1 [t]."""

    current: float
    loosest: float
    c: int
    kind: int
    what: str
    rank: int = 1

    @property
    def origin(self) -> float:  # type: ignore[override]
        """Return the room that there is: what is to be opened should be easy to read."""
        return self.current

    @property
    def key(self) -> Key:
        """Return what tells limits apart in proofs."""
        return (STORAGE, self.c, self.kind)

    def at(self, case: Case, value: float) -> Case:
        """Return a case with one more store that makes up for the difference."""
        if value <= self.current:
            return case
        stores = case.couplings.facilities
        stores = replace(
            stores,
            names=(*stores.names, "more"),
            participant=np.append(stores.participant, max(self.c, 0)),
            kind=np.append(stores.kind, self.kind),
            capacity=np.append(stores.capacity, value - self.current),
            fixed_cost=np.append(stores.fixed_cost, 0.0),
            existing=np.append(stores.existing, True),
        )
        return Case(case.problem, replace(case.couplings, facilities=stores))

    def reached(self, use: PlanUse) -> float:
        """Return the tonnes stored."""
        stored = use.stored[:, self.kind]
        return float(stored.sum() if self.c < 0 else stored[self.c])

    def amount(self, value: float) -> str:
        """Write a value with its unit."""
        return f"{value - self.current:,.10g} t"

    def title(self) -> str:
        """Say what is asked now."""
        return f"facilities.csv: {self.what}, {self.current:,.10g} t"

    def words(self, value: float) -> str:
        """Say how much more room to open."""
        more = f"{value - self.current:,.10g}"
        return f"facilities.csv: open {more} t more of {self.what}, besides {self.current:,.10g} t"


@dataclass(frozen=True)
class Confidence(Requirement):
    """Equation (13): probability with which a joint chance group g is covered."""

    current: float
    g: int
    group: JointGroup
    rounded_away: float
    loosest: float = 0.0
    rank: int = 2

    @property
    def key(self) -> Key:
        """Return what tells limits apart in proofs."""
        return (COVER, -1, self.g)

    def at(self, case: Case, value: float) -> Case:
        """Return a case with another confidence."""
        groups = list(case.problem.groups)
        groups[self.g] = replace(groups[self.g], confidence=value)
        return Case(replace(case.problem, groups=tuple(groups)), case.couplings)

    def reached(self, use: PlanUse) -> float:
        """Return the probability of covering the group."""
        return float(use.covered[self.g])

    def kept(self, use: PlanUse) -> bool:
        """Say whether the confidence is reached."""
        return self.reached(use) >= self.current - self.rounded_away - LEVEL_TOLERANCE

    def size(self, value: float) -> float:
        """Return 1: accuracies of probabilities are absolute."""
        return 1.0

    def amount(self, value: float) -> str:
        """Write a value with its unit."""
        return f"{value:.10g}"

    def title(self) -> str:
        """Say what is asked now."""
        where = place("coverage.csv", *(row[-1] for row in self.group.rows))
        return f"{where}: confidence {self.current:.10g} of group {self.group.name}"

    def words(self, value: float) -> str:
        """Say to what the confidence has to fall."""
        where = place("coverage.csv", *(row[-1] for row in self.group.rows))
        if value <= 0.0:
            return f"{where}: leave out group {self.group.name}; no confidence can be kept"
        return (
            f"{where}: lower the confidence of group {self.group.name} "
            f"from {self.current:.10g} to at most {value:.10g}"
        )


@dataclass(frozen=True)
class RuleCount(Requirement):
    """Equation (15): distinct rules in use, of every participant."""

    current: float
    loosest: float
    step: float = 1.0
    rank: int = 4

    @property
    def key(self) -> Key:
        """Return what tells limits apart in proofs."""
        return (RULES, -1, -1)

    def at(self, case: Case, value: float) -> Case:
        """Return a case with another number of rules."""
        most = None if value >= self.loosest else round(value)
        return Case(case.problem, replace(case.couplings, most_rules=most))

    def reached(self, use: PlanUse) -> float:
        """Return the rules in use by whoever uses most."""
        return float(use.followed.sum(axis=1).max())

    def kept(self, use: PlanUse) -> bool:
        """Say whether nobody uses more than so many rules."""
        return self.reached(use) <= self.current

    def size(self, value: float) -> float:
        """Return the step: numbers are exact."""
        return self.step

    def amount(self, value: float) -> str:
        """Write a value with its unit."""
        return f"{value:.0f}"

    def title(self) -> str:
        """Say what is asked now."""
        return f"instance.toml: max_distinct_rules, {self.current:.0f}"

    def words(self, value: float) -> str:
        """Say how many rules to allow."""
        return (
            f"instance.toml: allow {value:.0f} distinct rules instead of {self.current:.0f} "
            "(max_distinct_rules)"
        )


@dataclass(frozen=True)
class Share(Money):
    """Equation (16): what a participant bears, compared with what it bears alone [USD/year]."""

    current: float
    c: int
    participant: str
    loosest: float = np.inf

    @property
    def key(self) -> Key:
        """Return what tells limits apart in proofs."""
        return (SHARE, self.c, -1)

    def at(self, case: Case, value: float) -> Case:
        """Return a case in which the participant may bear more."""
        standalone = case.couplings.standalone.copy()
        standalone[self.c] = value
        return Case(case.problem, case.couplings.with_standalone(standalone))

    def reached(self, use: PlanUse) -> float:
        """Return what the participant bears."""
        return float(use.share[self.c])

    def title(self) -> str:
        """Say what is asked now."""
        current, _, unit = money(self.current, self.current)
        return f"instance.toml: nobody_worse_off, for {self.participant} {current} {unit} a year"

    def words(self, value: float) -> str:
        """Say what the participant would have to bear."""
        current, needed, unit = money(self.current, value)
        return (
            f"instance.toml: let {self.participant} bear {needed} {unit} a year "
            f"instead of the {current} that it bears alone (nobody_worse_off)"
        )


@dataclass(frozen=True)
class TailCost(Money):
    """Equation (18): mean shortage cost of the worst scenarios [USD/year]."""

    current: float
    loosest: float = np.inf
    rank: int = 3

    @property
    def key(self) -> Key:
        """Return what tells limits apart in proofs."""
        return (TAIL, -1, -1)

    def at(self, case: Case, value: float) -> Case:
        """Return a case with another limit."""
        return Case(case.problem, replace(case.couplings, most_tail_cost=value))

    def reached(self, use: PlanUse) -> float:
        """Return the mean cost of the tail."""
        return use.tail_cost

    def title(self) -> str:
        """Say what is asked now."""
        current, _, unit = money(self.current, self.current)
        return f"instance.toml: cvar_limit_usd_per_year, {current} {unit}/year"

    def words(self, value: float) -> str:
        """Say to what to raise the limit."""
        current, needed, unit = money(self.current, value)
        return (
            f"instance.toml: raise cvar_limit_usd_per_year from {current} to at least "
            f"{needed} {unit}/year"
        )


def limit_requirements(
    instance: Instance, problem: Problem, couplings: Couplings, rounded_away: float
) -> list[Requirement]:
    """Return all limits of a world, those first that are quick to ask about."""
    found = [
        *_budgets(instance, couplings),
        *(
            Share(float(alone), c, problem.participants[c])
            for c, alone in enumerate(couplings.standalone)
            if np.isfinite(alone)
        ),
        *_rooms(problem, couplings),
        *(
            Confidence(group.confidence, g, group, rounded_away)
            for g, group in enumerate(problem.groups)
        ),
    ]
    if np.isfinite(couplings.most_tail_cost):
        found.append(TailCost(couplings.most_tail_cost))
    if couplings.most_rules is not None and couplings.most_rules < len(problem.menu.rules):
        found.append(RuleCount(float(couplings.most_rules), float(len(problem.menu.rules))))
    return sorted(found, key=lambda requirement: requirement.rank)


def _budgets(instance: Instance, couplings: Couplings) -> Iterator[Requirement]:
    for c, (budget, row) in enumerate(zip(couplings.budget, instance.participants, strict=True)):
        if np.isfinite(budget):
            where = place(row.file or "participants.csv", row.line)
            yield Budget(float(budget), c, where, f"acquisition_budget_usd of {row.participant}")
    if not np.isfinite(couplings.joint_budget):
        return
    if instance.agreement.joint_budget_usd is not None:
        yield Budget(couplings.joint_budget, -1, "instance.toml", "joint_budget_usd")
    else:  # In the world `joint`, the budgets of all are one.
        where = place("participants.csv", *(row.line for row in instance.participants))
        names = together([row.participant for row in instance.participants])
        what = f"acquisition_budget_usd of {names}"
        yield Budget(couplings.joint_budget, -1, where, what)


def _rooms(problem: Problem, couplings: Couplings) -> Iterator[Requirement]:
    stores = couplings.facilities
    most = problem.lots_max * problem.lot  # [t]
    owners = [-1] if couplings.pooled else list(range(couplings.limited.size))
    for c in owners:
        if not couplings.limited[c]:
            continue
        whose = slice(None) if c < 0 else [c]
        name = together(problem.participants) if c < 0 else problem.participants[c]
        for kind, word in enumerate(couplings.kinds):
            here = (stores.kind == kind) & ((c < 0) | (stores.participant == c))
            room = float(stores.capacity[here].sum())
            full = float(most[whose][:, couplings.kind_of == kind].sum())
            if full > room:
                yield Room(room, full, c, kind, f"{word} room in {name}")
