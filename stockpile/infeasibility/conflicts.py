"""Which limits and promises conflict: an irreducible set, and how far each would have to give way.

Questions whether some of the requirements can be kept together are answered by searches for any
plan (:mod:`stockpile.infeasibility.questions`). First limits are left out while all promises stay,
then promises. In a list of which all together cannot be kept, the shortest beginning that cannot be
kept ends with a requirement that belongs to every conflict in it. It is found by bisection, and
the rest of the beginning is searched for the next one. What every answer tells is used: a plan
may keep more than was asked, and a proof may need less.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stockpile.infeasibility.binding import by_weight
from stockpile.infeasibility.loosening import Loosening, least_loosening
from stockpile.infeasibility.questions import MOST_WORK, Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stockpile.infeasibility.feasibility import Key
    from stockpile.infeasibility.questions import Questions
    from stockpile.infeasibility.requirements import Case, Requirement

MOST_CONFLICTS = 3
"""Conflicts without a common requirement that are named."""
BISECTION_WORK = 400_000_000
"""Work after which the questions of a bisection stay open."""


@dataclass(frozen=True, slots=True)
class GivingWay:
    """What has to give in a conflict.

    Attributes
    ----------
    loosening
        By how much; None where that was not found out.
    enough
        Whether everything else that is asked can be kept then, and not only the others of the
        conflict.
    """

    requirement: Requirement
    loosening: Loosening | None
    enough: bool


@dataclass(slots=True)
class Conflict:
    """Requirements that cannot be kept together.

    Attributes
    ----------
    members
        What is in conflict, in the order of the tables.
    smallest
        Whether it is proved that the others can be kept without any one of them.
    ways
        What has to give, one for each member; none where time ran out.
    """

    members: list[Requirement]
    smallest: bool
    ways: list[GivingWay] = field(default_factory=list)


class ConflictFinder:
    """Finds conflicts among what a case asks, which cannot all be kept.

    Parameters
    ----------
    questions
        Answers questions about cases that ask no more than ``first``.
    limits, promises
        What can give way, in the order of the tables; limits that are quick to ask about first.
    """

    def __init__(
        self,
        questions: Questions,
        first: Case,
        limits: Sequence[Requirement],
        promises: Sequence[Requirement],
    ) -> None:
        self._questions = questions
        self._first = first
        self._everything = [*limits, *promises]
        self._limits = list(limits)
        self._promises = list(promises)
        self._answers: dict[frozenset[Key], Answer] = {}

    def find(self) -> list[Conflict]:
        """Find conflicts without a common requirement until the rest can be kept, or time is up.

        The last one has no ways out where time ran out.
        """
        conflicts: list[Conflict] = []
        while len(conflicts) < MOST_CONFLICTS:
            conflict = self._smallest_conflict()
            conflicts.append(conflict)
            if self._questions.stopped:
                break
            conflict.ways = [self._way_out(conflict, member) for member in conflict.members]
            named = {member.key for member in conflict.members}
            self._limits = [limit for limit in self._limits if limit.key not in named]
            self._promises = [promise for promise in self._promises if promise.key not in named]
            if any(way.enough for way in conflict.ways) or self._questions.stopped:
                break
            if self._ask_lazily().possible is not False:
                break
        return conflicts

    def _smallest_conflict(self) -> Conflict:
        """Find an irreducible conflict among all that is left."""
        limits, exact, proof = self._smallest(self._limits, self._promises)
        if self._questions.stopped:
            return Conflict(limits, smallest=False)
        promises = self._promises
        if proof is not None:
            promises = by_weight(promises, self._questions.evaluators, proof.priced)
        needed, also_exact, _ = self._smallest(promises, limits)
        chosen = {member.key for member in [*limits, *needed]}
        return Conflict(
            [member for member in [*self._limits, *self._promises] if member.key in chosen],
            smallest=exact and also_exact,
        )

    def _smallest(
        self, pool: Sequence[Requirement], kept: Sequence[Requirement]
    ) -> tuple[list[Requirement], bool, Answer | None]:
        """Find a least part of a pool that cannot be kept together with others.

        Parameters
        ----------
        pool
            Cannot all be kept.
        kept
            The others.

        Returns
        -------
        The part, whether it is proved that nothing can be left out, and the last proof that it
        cannot be kept.
        """
        pool = list(pool)
        needed: list[Requirement] = []
        exact, proof = True, None
        while pool:
            answer = self._ask([*kept, *needed])
            if answer.possible is False:
                return needed, exact, answer
            # The first `low` of the pool can be kept, or nothing is known; the first `high` cannot.
            low, high, stride = 0, len(pool), 1
            while True:
                exact &= answer.possible is not None
                if answer.use is not None:
                    while low < high - 1 and pool[low].kept(answer.use):
                        low += 1
                if high - low <= 1 or self._questions.stopped:
                    break
                middle = low + min(stride, (high - low) // 2)
                answer = self._ask([*kept, *needed, *pool[:middle]])
                if answer.possible is False:
                    proof = answer
                    pool, low = _priced(pool[:middle], low, answer.blamed)
                    high = len(pool)
                    if low >= high:  # Only where it stayed open whether the first can be kept.
                        low = high - 1
                else:
                    low, stride = middle, 2 * stride
            if self._questions.stopped:
                return [*needed, *pool[:high]], False, proof
            needed += pool[high - 1 : high]
            pool = pool[: max(high - 1, 0)]
        return needed, exact, proof

    def _way_out(self, conflict: Conflict, member: Requirement) -> GivingWay:
        """Find how far a member of a conflict has to give way.

        So far that everything else can be kept, where that is possible; else so far that the
        others of the conflict can. Limits outside the conflict are asked about only where plans
        break them.
        """
        limits = [limit for limit in self._limits if limit.key != member.key]
        others = [other for other in conflict.members if other.key != member.key]
        in_conflict = {other.key for other in conflict.members}
        asked = others + [promise for promise in self._promises if promise.key not in in_conflict]
        last: Loosening | None = None
        while True:
            last = self._least_loosening(member, asked, last)
            if last is None:
                break
            known = {other.key for other in asked}
            broken = [m for m in limits if m.key not in known and not m.kept(last.use)]
            if not broken:
                return GivingWay(member, last, enough=True)
            # Every bisection is dear: what is no harder to ask about is asked about as well.
            hardest = max(limit.rank for limit in broken)
            asked += [m for m in limits if m.key not in known and m.rank <= hardest]
        return GivingWay(member, self._least_loosening(member, others, None), enough=False)

    def _least_loosening(
        self, member: Requirement, kept: Sequence[Requirement], last: Loosening | None
    ) -> Loosening | None:
        """Find how far a requirement has to give way for others to be kept; None if not found.

        Parameters
        ----------
        last
            The same for a part of the others.
        """
        low = too_much = member.current
        if last is not None:
            low, too_much = last.value, last.too_much
            answer = self._ask(kept, member, low)
            if answer.use is not None:
                return Loosening(member, low, too_much, answer.use)
            too_much = low if answer.possible is False else too_much
        answer = self._ask(kept)
        if answer.use is None:
            return None

        end = self._questions.work + BISECTION_WORK

        def ask(value: float) -> Answer:
            left = end - self._questions.work
            return self._ask(kept, member, value, work=left) if left > 0 else Answer(None)

        return least_loosening(member, low, too_much, answer, ask)

    def _ask_lazily(self) -> Answer:
        """Ask whether all that is left can be kept; about limits only where plans break them."""
        asked = list(self._promises)
        while True:
            answer = self._ask(asked)
            if answer.use is None:
                return answer
            known = {other.key for other in asked}
            broken = [m for m in self._limits if m.key not in known and not m.kept(answer.use)]
            if not broken:
                return answer
            least = min(limit.rank for limit in broken)
            asked += [limit for limit in broken if limit.rank == least]

    def _ask(
        self,
        kept: Iterable[Requirement],
        changed: Requirement | None = None,
        value: float = 0.0,
        *,
        work: int = MOST_WORK,
    ) -> Answer:
        """Ask whether requirements can be kept together, and nothing else.

        Parameters
        ----------
        changed, value
            One more requirement, of which another value is asked than now.
        """
        keys = frozenset(member.key for member in kept)
        if changed is None and keys in self._answers:
            return self._answers[keys]
        case = self._first
        for member in self._everything:
            if changed is not None and member.key == changed.key:
                case = member.at(case, value)
            elif member.key not in keys:
                case = member.at(case, member.loosest)
        answer = self._questions.ask(case, work=work)
        if changed is None and answer.possible is not None:
            self._answers[keys] = answer
        return answer


def _priced(
    pool: list[Requirement], low: int, blamed: frozenset[Key]
) -> tuple[list[Requirement], int]:
    """Leave out the limits of a pool that a proof did not need; promises have no prices.

    Returns
    -------
    The rest, and how many of its first stood among the first ``low`` of the pool.
    """
    needed = [not member.is_limit or member.key in blamed for member in pool]
    rest = [member for member, is_needed in zip(pool, needed, strict=True) if is_needed]
    return rest, sum(needed[:low])
