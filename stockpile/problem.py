"""An instance as arrays in base units: tonnes, periods (months or weeks), USD per tonne.

Words stay in the tables; here every list and ``*`` is spelled out, every default filled in and
every unit converted, once. Axes are named by the letters of the formulation: participant c,
material m, source g, demand class k (sorted by priority).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from stockpile.conversions import Conversions, read_conversions
from stockpile.periods import MONTHS_PER_YEAR, PERIODS, Period
from stockpile.projects import Projects, build_projects
from stockpile.recycling import recycled
from stockpile.rules import RuleMenu, default_rules, rule_menu, rules_from_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from stockpile.instance import Instance
    from stockpile.tables import CoverageTarget

Cooperation = Literal["none", "sharing", "joint"]
DAYS_PER_YEAR = 365.0
LEVEL_TOLERANCE = 1e-9
"""A coverage level, a confidence or a whole number of lots counts as reached within this."""
MOST_LOTS = 1e12
"""More lots than this are as good as no limit, and still exact in double precision."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One coverage target of one participant, material and demand class.

    Attributes
    ----------
    participant, material
        Indices c and m.
    demand_class
        Index k; -1 in a ``days`` promise, which is about the holding and no single class.
    metric
        ``fill_rate``, ``chance``, ``cvar``, ``stress`` or ``days``.
    level
        Fraction of need to be served, or days of cover.
    confidence
        Of ``chance`` and ``cvar``; nan otherwise.
    stress
        Name of the case of a ``stress`` promise, else empty.
    group
        Of ``days``: rows of one group are pooled over participants. Else empty.
    floor
        Must hold when no partner releases anything.
    daily_t
        Of ``days``: normal consumption of the classes named [t/day]; nan otherwise.
    classes
        Of ``days``: the classes whose consumption counts, as written in the table.
    line, file
        Line of the promise and file that it stands in, ``coverage.csv`` or an overlay's.
    """

    participant: int
    material: int
    demand_class: int
    metric: str
    level: float
    confidence: float
    stress: str
    group: str
    floor: bool
    daily_t: float
    classes: str
    line: int
    file: str


@dataclass(frozen=True, slots=True)
class JointGroup:
    """A ``joint_chance`` promise: several streams at once, over several materials.

    Attributes
    ----------
    name
        The group of ``coverage.csv``.
    confidence
        Least probability that all streams reach their levels.
    floor
        Must hold when no partner releases anything.
    streams
        Participant, material, demand class (indices) and level of each stream.
    rows
        Participants, materials, classes, level and line as written in ``coverage.csv``.
    """

    name: str
    confidence: float
    floor: bool
    streams: tuple[tuple[int, int, int, float], ...]
    rows: tuple[tuple[str, str, str, float, int], ...]

    @property
    def materials(self) -> frozenset[int]:
        """Return the materials concerned."""
        return frozenset(stream[1] for stream in self.streams)


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything that equations (1)-(8) need of an instance, as arrays.

    Time is counted in periods. Code that simulates them speaks of months, which they mostly are.

    Attributes
    ----------
    participants, classes, materials, sources
        Names; classes by priority, the others in table order.
    period
        Step of time, a month or a week.
    horizon
        T [periods].
    pro_rata
        Whether a gap falls on the classes in proportion instead of by priority.
    demand
        (C, M, K) normal demand [t/period].
    share
        (C, M, G) share of the normal supply of m to c that comes from g.
    shortage_cost
        (C, M, K) w_k of equation (7) [USD/t].
    holding_cost
        (C, M) capital, rotation, ageing and storage of equation (7) [USD/(t year)].
    price
        (M,) [USD/t].
    price_impact, world_supply
        (M,) of equation (8); world supply [t/year] is nan where unknown.
    existing
        (C, M) [t].
    lot
        (M,) [t].
    lots_min, lots_max
        (C, M) bounds on the number of lots.
    refill
        (C,) phi of equation (6), fraction of the holding per period without need.
    commercial
        (C, M) size of the stock held by firms [t].
    thrift_share, thrift_after
        (C, M, K) share of need a class can do without, and the event age [periods] from which.
    recycled
        (C, M, T) what comes back from use on top of normal supply [t/period].
    transfer_lag, transfer_cost
        (C, C) from owner to beneficiary [periods], [USD/t]; lag -1 where nothing is shipped.
    conversions
        Plants that turn one material into another.
    menu
        Release rules to choose from.
    promises
        Coverage targets that concern one material each, spelled out.
    groups
        Coverage targets of several materials at once (13).
    projects
        What can be funded.
    """

    participants: tuple[str, ...]
    classes: tuple[str, ...]
    materials: tuple[str, ...]
    sources: tuple[str, ...]
    period: Period
    horizon: int
    pro_rata: bool
    demand: NDArray[np.float64]
    share: NDArray[np.float64]
    shortage_cost: NDArray[np.float64]
    holding_cost: NDArray[np.float64]
    price: NDArray[np.float64]
    price_impact: NDArray[np.float64]
    world_supply: NDArray[np.float64]
    existing: NDArray[np.float64]
    lot: NDArray[np.float64]
    lots_min: NDArray[np.int64]
    lots_max: NDArray[np.int64]
    refill: NDArray[np.float64]
    commercial: NDArray[np.float64]
    thrift_share: NDArray[np.float64]
    thrift_after: NDArray[np.int64]
    recycled: NDArray[np.float64]
    transfer_lag: NDArray[np.int64]
    transfer_cost: NDArray[np.float64]
    conversions: Conversions
    menu: RuleMenu
    promises: tuple[Promise, ...]
    groups: tuple[JointGroup, ...]
    projects: Projects


def describe_promise(problem: Problem, promise: Promise) -> dict[str, str | float]:
    """Return the cells that name a promise in the tables of results."""
    return {
        "participant": problem.participants[promise.participant],
        "material": problem.materials[promise.material],
        "demand_class": promise.classes
        if promise.demand_class < 0
        else problem.classes[promise.demand_class],
        "metric": promise.metric,
        "level": promise.level,
        "confidence": promise.confidence,
        "stress": promise.stress,
        "group": promise.group,
        "sharing": "off" if promise.floor else "on",
    }


def promise_in_words(row: Mapping[Any, Any]) -> str:
    """Say what was promised to whom, from a row of a coverage table."""
    words = f"{row['metric']} {row['level']:g}"
    if row["metric"] in ("chance", "cvar"):
        words += f" at confidence {row['confidence']:g}"
    if row["stress"]:
        words += f" in {row['stress']}"
    if row["sharing"] == "off":
        words += " without partners"
    return f"{row['participant']}, {row['material']}, {row['demand_class']}: {words}"


def expand(names: Sequence[str], universe: Sequence[str]) -> list[int]:
    """Return the indices that a list cell stands for; ``*`` stands for all."""
    if tuple(names) == ("*",):
        return list(range(len(universe)))
    return [universe.index(name) for name in names]


def build_problem(instance: Instance, horizon: int | None = None) -> Problem:
    """Spell out an instance as arrays.

    Parameters
    ----------
    horizon
        T [periods], in place of that of the instance.
    """
    period = PERIODS[instance.period]
    horizon = period.whole(instance.horizon_months) if horizon is None else horizon
    participants = tuple(row.participant for row in instance.participants)
    classes = tuple(
        row.demand_class for row in sorted(instance.classes, key=lambda row: row.priority)
    )
    materials = tuple(row.material for row in instance.materials)
    sources = tuple(row.source for row in instance.sources)
    C, M, K, G = len(participants), len(materials), len(classes), len(sources)

    yearly_demand = np.zeros((C, M, K))
    for row in instance.demand:
        c, m = participants.index(row.participant), materials.index(row.material)
        yearly_demand[c, m, classes.index(row.demand_class)] = row.demand_t_per_year
    share = np.zeros((C, M, G))
    for supply in instance.supply:
        c, m = participants.index(supply.participant), materials.index(supply.material)
        share[c, m, sources.index(supply.source)] = supply.share

    price = np.array([1000.0 * row.price_usd_per_kg for row in instance.materials])

    lot = np.array([row.lot_t for row in instance.materials])
    existing, least = np.zeros((C, M)), np.zeros((C, M))
    most = yearly_demand.sum(axis=2)
    for holding in instance.holdings:
        c, m = participants.index(holding.participant), materials.index(holding.material)
        existing[c, m], least[c, m] = holding.existing_t, holding.min_t
        if holding.max_t is not None:
            most[c, m] = holding.max_t
    lots_min = np.ceil(np.minimum(least / lot, MOST_LOTS) * (1.0 - LEVEL_TOLERANCE))
    lots_max = np.floor(np.minimum(most / lot, MOST_LOTS) * (1.0 + LEVEL_TOLERANCE))

    commercial, thrift_share = np.zeros((C, M)), np.zeros((C, M, K))
    thrift_after = np.zeros((C, M, K), dtype=np.int64)
    for firm in instance.commercial:
        c, m = participants.index(firm.participant), materials.index(firm.material)
        for k in expand(firm.demand_class, classes):
            commercial[c, m] += firm.industry_days / DAYS_PER_YEAR * yearly_demand[c, m, k]
            if firm.thrift_share > 0.0:  # At most one row of each class has any.
                thrift_share[c, m, k] = firm.thrift_share
                thrift_after[c, m, k] = period.whole(firm.thrift_after_months)

    transfer_lag = np.full((C, C), -1, dtype=np.int64)
    transfer_cost = np.zeros((C, C))
    for transfer in instance.transfers:
        pair = (
            participants.index(transfer.from_participant),
            participants.index(transfer.to_participant),
        )
        transfer_lag[pair] = period.whole(transfer.lag_months)
        transfer_cost[pair] = transfer.cost_usd_per_t

    rules = rules_from_rows(instance.rules, classes) if instance.rules else default_rules(K)
    problem = Problem(
        participants=participants,
        classes=classes,
        materials=materials,
        sources=sources,
        period=period,
        horizon=horizon,
        pro_rata=instance.allocation == "pro_rata",
        demand=yearly_demand / period.per_year,
        share=share,
        shortage_cost=_shortage_cost(instance, participants, materials, classes, price),
        holding_cost=_holding_cost(instance, price),
        price=price,
        price_impact=np.array([row.price_impact for row in instance.materials]),
        world_supply=np.array(
            [
                math.nan if row.world_supply_t_per_year is None else row.world_supply_t_per_year
                for row in instance.materials
            ]
        ),
        existing=existing,
        lot=lot,
        lots_min=lots_min.astype(np.int64),
        lots_max=lots_max.astype(np.int64),
        refill=period.rate(np.array([row.refill_per_month for row in instance.participants])),
        commercial=commercial,
        thrift_share=thrift_share,
        thrift_after=thrift_after,
        recycled=recycled(
            instance, participants, materials, yearly_demand / period.per_year, period, horizon
        ),
        transfer_lag=transfer_lag,
        transfer_cost=transfer_cost,
        conversions=read_conversions(instance, participants, materials, classes, period),
        menu=rule_menu(rules, K, period),
        promises=_promises(instance, participants, materials, classes, yearly_demand),
        groups=_groups(instance, participants, materials, classes),
        projects=build_projects(instance, participants, materials, sources, period),
    )
    for name in Problem.__slots__:
        value = getattr(problem, name)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return problem


def _holding_cost(instance: Instance, price: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cost of keeping a tonne for a year, the first sum of equation (7), (C, M) [USD/(t year)].

    What spoils is bought again; what has reached its shelf life is sold at a loss and bought anew.
    """
    discount = np.array([row.discount_rate_per_year for row in instance.participants])
    rate, storage = np.zeros(price.size), np.zeros(price.size)
    for m, row in enumerate(instance.materials):
        rate[m] = row.rotation_rate_per_year + row.loss_rate_per_year
        if row.shelf_life_months is not None:
            rate[m] += MONTHS_PER_YEAR / row.shelf_life_months * row.renewal_loss
        storage[m] = row.storage_usd_per_t_year
    return np.asarray(price * (discount[:, None] + rate) + storage)


def _shortage_cost(
    instance: Instance,
    participants: Sequence[str],
    materials: Sequence[str],
    classes: Sequence[str],
    price: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Shortage cost per tonne [USD/t]: the row that names most wins, else price by multiple."""
    multiple = {row.demand_class: row.shortage_cost_multiple for row in instance.classes}
    cost = np.broadcast_to(
        price[:, None] * np.array([multiple[name] for name in classes]),
        (len(participants), len(materials), len(classes)),
    ).copy()
    named = [
        sum(cell != ("*",) for cell in (row.participant, row.material, row.demand_class))
        for row in instance.shortage
    ]
    # Stable, so rows that name more come later and overwrite; validation excludes ties.
    for i in sorted(range(len(named)), key=named.__getitem__):
        row = instance.shortage[i]
        cells = np.ix_(
            expand(row.participant, participants),
            expand(row.material, materials),
            expand(row.demand_class, classes),
        )
        cost[cells] = 1000.0 * row.shortage_cost_usd_per_kg
    return cost


def _promises(
    instance: Instance,
    participants: Sequence[str],
    materials: Sequence[str],
    classes: Sequence[str],
    yearly_demand: NDArray[np.float64],
) -> tuple[Promise, ...]:
    """Spell out ``coverage.csv``: a row with ``*`` or a list means each one separately."""
    promises = []
    for row in instance.coverage:
        if row.metric == "joint_chance":
            continue
        of_classes = expand(row.demand_class, classes)
        for c in expand(row.participant, participants):
            for m in expand(row.material, materials):
                # Days of cover are about the holding, which no class owns.
                for k in [-1] if row.metric == "days" else of_classes:
                    daily = math.nan
                    if row.metric == "days":
                        daily = float(yearly_demand[c, m, of_classes].sum()) / DAYS_PER_YEAR
                    promises.append(
                        Promise(
                            participant=c,
                            material=m,
                            demand_class=k,
                            metric=row.metric,
                            level=row.level,
                            confidence=math.nan if row.confidence is None else row.confidence,
                            stress=row.stress or "",
                            group=row.group or "",
                            floor=row.sharing == "off",
                            daily_t=daily,
                            classes=";".join(row.demand_class),
                            line=row.line,
                            file=row.file or "coverage.csv",
                        )
                    )
    return tuple(promises)


def _groups(
    instance: Instance,
    participants: Sequence[str],
    materials: Sequence[str],
    classes: Sequence[str],
) -> tuple[JointGroup, ...]:
    """Spell out the ``joint_chance`` rows: those of one group mean all of them at once."""
    rows_of: dict[str, list[CoverageTarget]] = {}
    for row in instance.coverage:
        if row.metric == "joint_chance":
            rows_of.setdefault(row.group or "", []).append(row)
    groups = []
    for name, rows in rows_of.items():
        levels: dict[tuple[int, int, int], float] = {}  # A stream named twice: the higher level.
        for row in rows:
            for c in expand(row.participant, participants):
                for m in expand(row.material, materials):
                    for k in expand(row.demand_class, classes):
                        levels[c, m, k] = max(row.level, levels.get((c, m, k), 0.0))
        confidence = rows[0].confidence
        assert confidence is not None  # Validation asks for it.
        groups.append(
            JointGroup(
                name,
                confidence,
                rows[0].sharing == "off",
                tuple((*stream, level) for stream, level in levels.items()),
                tuple(
                    (
                        ";".join(row.participant),
                        ";".join(row.material),
                        ";".join(row.demand_class),
                        row.level,
                        row.line,
                    )
                    for row in rows
                ),
            )
        )
    return tuple(groups)
