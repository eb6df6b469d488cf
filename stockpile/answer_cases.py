"""Cases of what others may do about a plan, as changes of the events of given scenarios.

An *answer* is a hazard that answers a project; where scenarios are given, the rows of
``events.csv`` that do the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.draws import raw_words, to_unit
from stockpile.tables import Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stockpile.instance import Instance
    from stockpile.tables import Hazard

PLANNED = "as planned"
RETALIATION = "retaliation after a release"


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes
    ----------
    name
        What is assumed, in words.
    events
        Rows of ``events.csv`` in it.
    of_plan
        Whether they depend on what the plan does.
    """

    name: str
    events: tuple[Event, ...]
    of_plan: bool = False


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of event that may answer a project or cut a price.

    Attributes
    ----------
    name
        The hazard, or in words what the rows of ``events.csv`` do.
    rows
        Its events.
    sample
        An event as it is where it is certain: as hard and as long as it usually is; its scenario
        and its first month may be others.
    answers
        The project that it answers, if any.
    """

    name: str
    rows: tuple[Event, ...]
    sample: Event
    answers: str | None

    @property
    def cuts_price(self) -> bool:
        """Return whether it is about prices."""
        return self.sample.effect == "price_cut"


def answer_cases(spelled: Instance, seed: int | None) -> Iterator[Case]:
    """Yield the cases that do not depend on the plan, the one as planned first.

    Parameters
    ----------
    spelled
        An instance with given scenarios, see :func:`stockpile.spelled_out.spelled_out`.
    seed
        Of the scenarios; None where they were given from the beginning.
    """
    kinds = list(_kinds(spelled, drawn=seed is not None))
    answers = [kind for kind in kinds if kind.answers]
    yield Case(PLANNED, spelled.events)
    if len(answers) > 1:
        yield Case("no answer at all", _without(spelled.events, answers))
    for kind in answers:
        yield Case(f"no {kind.name}", _without(spelled.events, [kind]))
        yield Case(f"{kind.name}, certain", spelled.events + _everywhere(spelled, kind, seed))
    cuts = [kind for kind in kinds if kind.cuts_price]
    if cuts:
        yield Case("no cut of a price", _without(spelled.events, cuts))
        months = spelled.horizon_months
        for_good = [
            replace(kind.sample, scenario=row.scenario, start_month=1, duration_months=months)
            for row in spelled.scenarios
            for kind in cuts
        ]
        yield Case("prices cut for good", _without(spelled.events, cuts) + tuple(for_good))


def _without(events: Sequence[Event], kinds: Sequence[_Kind]) -> tuple[Event, ...]:
    """Return the events that are of none of some kinds."""
    left_out = {id(row) for kind in kinds for row in kind.rows}
    return tuple(row for row in events if id(row) not in left_out)


def _everywhere(spelled: Instance, kind: _Kind, seed: int | None) -> tuple[Event, ...]:
    """Return an event for each scenario that has none of a kind.

    Of a hazard it begins in any month with the same probability, drawn from a stream of its own.
    """
    has = {row.scenario for row in kind.rows}
    start = np.full(len(spelled.scenarios), kind.sample.start_month)
    if seed is not None:
        u = to_unit(raw_words(seed, kind.name, "certain", start.size))
        start = (u * spelled.horizon_months).astype(np.int64) + 1
    return tuple(
        replace(kind.sample, scenario=row.scenario, start_month=int(month))
        for row, month in zip(spelled.scenarios, start, strict=True)
        if row.scenario not in has
    )


def _kinds(spelled: Instance, *, drawn: bool) -> Iterator[_Kind]:
    """Yield the kinds of events that answer a project or cut a price, in the order of the table.

    Parameters
    ----------
    drawn
        Whether the notes of events name the hazards that they were drawn from.
    """
    rows: dict[str, list[Event]] = {}
    for row in spelled.events:
        rows.setdefault(row.note or _words(row), []).append(row)
    if drawn:
        samples = {hazard.hazard: _usual(hazard) for hazard in spelled.hazards}
    else:  # Of rows that do the same, the hardest, and of these the longest.
        samples = {
            name: max(same, key=lambda row: (row.severity, row.duration_months))
            for name, same in rows.items()
        }
    for name, sample in samples.items():
        if sample.answers or sample.effect == "price_cut":
            yield _Kind(name, tuple(rows.get(name, ())), sample, sample.answers)


def _usual(hazard: Hazard) -> Event:
    """Return an event of a hazard with its median length and mean severity."""
    return Event(
        scenario="",
        effect=hazard.effect,
        source=hazard.source,
        materials=hazard.materials,
        targets=hazard.targets,
        demand_class=hazard.demand_class,
        start_month=1,
        duration_months=max(1, round(hazard.duration_median_months)),
        severity=hazard.severity_mean,
        answers=hazard.answers,
        note=hazard.hazard,
    )


def _words(row: Event) -> str:
    """Say what an event does."""
    text = row.effect.replace("_", " ")
    if row.source:
        text += f" by {row.source}"
    text += f" of {';'.join(row.materials)}" if row.materials != ("*",) else ""
    text += f" for {';'.join(row.targets)}" if row.targets != ("*",) else ""
    return text + (f" answering {row.answers}" if row.answers else "")
