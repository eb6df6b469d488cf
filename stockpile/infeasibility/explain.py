"""Why no plan keeps all limits, in the user's terms: what conflicts, and what has to give."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from stockpile.infeasibility.conflicts import ConflictFinder
from stockpile.infeasibility.limit_requirements import limit_requirements
from stockpile.infeasibility.project_requirements import project_requirements
from stockpile.infeasibility.promise_requirements import promise_requirements
from stockpile.infeasibility.questions import Questions
from stockpile.infeasibility.requirements import Case
from stockpile.progress import Progress

if TYPE_CHECKING:
    from stockpile.couplings import Couplings
    from stockpile.infeasibility.conflicts import Conflict, GivingWay
    from stockpile.setting import Setting


def find_conflicts(
    setting: Setting, couplings: Couplings, *, sharing: bool, deadline: float
) -> list[Conflict]:
    """Find what conflicts where every block can keep its own promises, but not all limits too.

    Less is found where time runs out.
    """
    states = couplings.projects.allowed
    evaluators = [
        setting.evaluator(block, sharing=sharing, states=states) for block in setting.blocks
    ]
    instance, problem, scenarios = setting.instance, setting.problem, setting.scenarios
    first = Case(problem, couplings)
    limits = [
        *project_requirements(instance, problem, couplings),
        *limit_requirements(instance, problem, couplings, scenarios.rounded_away),
    ]

    def stop() -> bool:
        return setting.interrupt.raised or time.monotonic() >= deadline

    def tell(count: int) -> None:
        text = f"what conflicts, {count}"
        setting.report(Progress(text, 0, 1, np.nan, np.nan, np.nan, setting.seconds()))

    return ConflictFinder(
        Questions(evaluators, first, scenarios, stop, tell),
        first,
        limits,
        promise_requirements(instance, problem),
    ).find()


def conflicts_in_words(
    setting: Setting, couplings: Couplings, *, sharing: bool, deadline: float
) -> tuple[str, ...]:
    """Say what conflicts and what has to give, line by line; see :func:`find_conflicts`."""
    conflicts = find_conflicts(setting, couplings, sharing=sharing, deadline=deadline)
    lines = [
        line
        for number, conflict in enumerate(conflicts, start=1)
        for line in _lines(conflict, number, len(conflicts))
    ]
    if setting.interrupt.raised or time.monotonic() >= deadline:
        lines.append("Time ran out before all was known that could be said.")
    if np.isfinite(couplings.standalone).any() and any(conflict.ways for conflict in conflicts):
        lines.append(
            "What a nation bears alone (nobody_worse_off) is taken as it is now; "
            "it changes with budgets and promises."
        )
    return tuple(lines)


def _lines(conflict: Conflict, number: int, total: int) -> list[str]:
    """Put a conflict in words, one line for each member."""
    count = len(conflict.members)
    begin = f"Conflict {number} of {total}: " if total > 1 else ""
    if count == 1:
        text = f"{begin}this alone cannot be kept:"
    elif any(way.enough for way in conflict.ways):
        text = f"{begin}these {count} conflict; it is enough if one of them gives way:"
    else:
        text = f"{begin}these {count} conflict; one of them at least has to give way:"
    if not conflict.smallest:
        text = f"{text[:-1]} (not all of them may be needed for the conflict):"
    text = text[0].upper() + text[1:]
    if not conflict.ways:
        return [text, *(member.title() for member in conflict.members)]
    return [text, *map(_way_in_words, conflict.ways)]


def _way_in_words(way: GivingWay) -> str:
    if way.loosening is None:
        return f"{way.requirement.title()}: how far it has to give is not known"
    text = str(way.loosening)
    if not way.enough:
        text += "; others conflict even then"
    return text
