"""Instances that ask for a little more, or may spend a little more: one step each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from stockpile.cells import ALL
from stockpile.limits import ALL as EVERYBODY
from stockpile.scaling import with_joint_budget

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from stockpile.instance import Instance
    from stockpile.problem import Cooperation
    from stockpile.tables import CoverageTarget

Kind = Literal["days", "confidence", "level", "budget"]
Per = Literal["material", "row"]
_KIND: dict[str, Kind] = {
    "days": "days",
    "chance": "confidence",
    "cvar": "confidence",
    "joint_chance": "confidence",
    "fill_rate": "level",
    "stress": "level",
}
DIGITS = 12
"""Decimals of a changed figure: 0.7 and 0.01 are 0.71, whatever their sum is in binary."""


@dataclass(frozen=True, slots=True)
class Step:
    """One change of an instance.

    Attributes
    ----------
    kind
        What is raised: ``days``, ``confidence``, ``level`` or ``budget``.
    row
        Row of ``coverage.csv``, the first is 1; of a ``joint_chance`` group the first that was
        asked for; None of a budget.
    participant, material, demand_class
        Whom it is about, as in ``coverage.csv``; ``all`` for the budget of all together.
    metric, stress, group, sharing
        Of the row; empty of a budget.
    before, after
        The figure without and with the step [days, fraction or USD]. The step is smaller than
        asked for where a figure would reach its end, and 0 where it is there already.
    materials
        Materials whose promises change; none of a budget, which concerns all.
    changed
        The instance with the step.
    """

    kind: Kind
    row: int | None
    participant: str
    material: str
    demand_class: str
    metric: str
    stress: str
    group: str
    sharing: str
    before: float
    after: float
    materials: frozenset[str]
    changed: Instance

    @property
    def full(self) -> bool:
        """Return whether there is no more to promise."""
        return self.after <= self.before


def coverage_steps(
    instance: Instance,
    *,
    per: Per,
    rows: Collection[int] | None,
    participants: Collection[str] | None,
    materials: Collection[str] | None,
    days: float,
    fraction: float,
) -> Iterator[Step]:
    """Yield a step for each promise.

    Parameters
    ----------
    per
        ``material``: every participant and material of a row for itself. ``row``: all of a row at
        once. A ``joint_chance`` group is one promise and moves as a whole either way.
    rows, participants, materials
        What to look at; None for all.
    days
        Step of ``days`` [days].
    fraction
        Step of confidences and levels.
    """
    nations = tuple(row.participant for row in instance.participants)
    kinds = tuple(row.material for row in instance.materials)
    done: set[str] = set()
    for index, row in enumerate(instance.coverage):
        if rows is not None and index + 1 not in rows:
            continue
        of = _chosen(row.participant, nations, participants)
        what = _chosen(row.material, kinds, materials)
        cells = [(c, m) for m in what for c in of if _needs(instance, c, m, row.demand_class)]
        if not cells:
            continue
        if row.metric == "joint_chance":
            if row.group not in done:
                done.add(row.group or "")
                yield _group_step(instance, index, nations, kinds, fraction)
        elif per == "row":
            yield _row_step(instance, index, of, what, days, fraction)
        else:
            for c, m in cells:
                yield _row_step(instance, index, (c,), (m,), days, fraction)


def budget_steps(
    instance: Instance, world: Cooperation, *, participants: Collection[str] | None, usd: float
) -> Iterator[Step]:
    """Yield a step for each budget that there is in a world, the one of all together last.

    Parameters
    ----------
    participants
        Whose own budgets to look at; None for everybody's.
    usd
        Step [USD].
    """
    own = {row.participant: row.acquisition_budget_usd for row in instance.participants}
    joint = instance.agreement.joint_budget_usd
    if world == "joint":
        given = [budget for budget in own.values() if budget is not None]
        if joint is None and len(given) == len(own):
            joint = sum(given)
        own = {}
    for name, budget in own.items():
        if budget is not None and (participants is None or name in participants):
            changed = tuple(
                replace(row, acquisition_budget_usd=budget + usd)
                if row.participant == name
                else row
                for row in instance.participants
            )
            yield _budget_step(name, budget, usd, replace(instance, participants=changed))
    if joint is not None:
        yield _budget_step(EVERYBODY, joint, usd, with_joint_budget(instance, joint + usd))


def _budget_step(participant: str, before: float, usd: float, changed: Instance) -> Step:
    return Step(
        kind="budget",
        row=None,
        participant=participant,
        material="",
        demand_class="",
        metric="",
        stress="",
        group="",
        sharing="",
        before=before,
        after=before + usd,
        materials=frozenset(),
        changed=changed,
    )


def _row_step(
    instance: Instance,
    index: int,
    participants: tuple[str, ...],
    materials: tuple[str, ...],
    days: float,
    fraction: float,
) -> Step:
    """Raise a row for some participants and materials, and leave it as it is for the others.

    Lists mean each one separately, pooled days included, so that a row can be split.
    """
    row = instance.coverage[index]
    nations = tuple(item.participant for item in instance.participants)
    kinds = tuple(item.material for item in instance.materials)
    before, after = _raised(row, days, fraction)
    parts = [_with(row, after, participant=participants, material=materials)]
    others = tuple(c for c in _spelled(row.participant, nations) if c not in participants)
    rest = tuple(m for m in _spelled(row.material, kinds) if m not in materials)
    if others:
        parts.append(replace(row, participant=others))
    if rest:
        parts.append(replace(row, participant=participants, material=rest))
    coverage = (*instance.coverage[:index], *parts, *instance.coverage[index + 1 :])
    return _step(
        row,
        index,
        _cell(participants, nations),
        _cell(materials, kinds),
        (before, after),
        frozenset(materials),
        replace(instance, coverage=coverage),
    )


def _group_step(
    instance: Instance,
    index: int,
    nations: tuple[str, ...],
    kinds: tuple[str, ...],
    fraction: float,
) -> Step:
    """Raise the confidence that all rows of a group share."""
    row = instance.coverage[index]
    before, after = _raised(row, 0.0, fraction)
    members = [
        other
        for other in instance.coverage
        if other.metric == "joint_chance" and other.group == row.group
    ]
    of = {c for member in members for c in _spelled(member.participant, nations)}
    what = {m for member in members for m in _spelled(member.material, kinds)}
    classes = {k for member in members for k in member.demand_class}
    coverage = tuple(
        _with(other, after) if any(other is member for member in members) else other
        for other in instance.coverage
    )
    return _step(
        replace(row, demand_class=row.demand_class if len(classes) == 1 else (ALL,)),
        index,
        _cell(tuple(c for c in nations if c in of), nations),
        _cell(tuple(m for m in kinds if m in what), kinds),
        (before, after),
        frozenset(what),
        replace(instance, coverage=coverage),
    )


def _step(
    row: CoverageTarget,
    index: int,
    participant: str,
    material: str,
    figures: tuple[float, float],
    materials: frozenset[str],
    changed: Instance,
) -> Step:
    return Step(
        kind=_KIND[row.metric],
        row=index + 1,
        participant=participant,
        material=material,
        demand_class=";".join(row.demand_class),
        metric=row.metric,
        stress=row.stress or "",
        group=row.group or "",
        sharing=row.sharing,
        before=figures[0],
        after=figures[1],
        materials=materials,
        changed=changed,
    )


def _raised(row: CoverageTarget, days: float, fraction: float) -> tuple[float, float]:
    """Return the figure of a row that is raised, before and after.

    A confidence goes at most half of its way to 1: with 1 it would become a promise about every
    scenario without exception, which is another promise. A level may become 1.
    """
    if row.metric == "days":
        return row.level, round(row.level + days, DIGITS)
    if _KIND[row.metric] == "level":
        return row.level, min(round(row.level + fraction, DIGITS), 1.0)
    assert row.confidence is not None  # Validation asks for it.
    before = row.confidence
    return before, min(round(before + fraction, DIGITS), (1.0 + before) / 2.0)


def _with(row: CoverageTarget, value: float, **cells: Any) -> CoverageTarget:
    """Return a row with another figure, and other cells."""
    name = "confidence" if _KIND[row.metric] == "confidence" else "level"
    return replace(row, **{name: value, **cells})


def _spelled(names: Sequence[str], universe: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that a list cell stands for, each once."""
    return universe if tuple(names) == (ALL,) else tuple(dict.fromkeys(names))


def _chosen(
    names: Sequence[str], universe: tuple[str, ...], wanted: Collection[str] | None
) -> tuple[str, ...]:
    spelled = _spelled(names, universe)
    return spelled if wanted is None else tuple(name for name in spelled if name in wanted)


def _cell(names: tuple[str, ...], universe: tuple[str, ...]) -> str:
    """Write names as a cell."""
    return ALL if len(universe) > 1 and set(names) == set(universe) else ";".join(names)


def _needs(instance: Instance, participant: str, material: str, classes: Sequence[str]) -> bool:
    """Say whether a participant uses a material in some of the classes."""
    return any(
        row.demand_t_per_year > 0.0
        for row in instance.demand
        if row.participant == participant
        and row.material == material
        and (tuple(classes) == (ALL,) or row.demand_class in classes)
    )
