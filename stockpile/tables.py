"""The rows of the tables and the settings of ``instance.toml``, as frozen data.

Each attribute is a column of the format under the same name (only ``yield``, a word of Python, is
``yield_`` here). Its annotation declares the kind of cell, range and unit included, and its
default is the default of the column: a column without one is required. Reading, validation and
writing follow from these declarations (`columns`), so a column is described in one place.

Quantities are tonnes of contained material, money is USD of the price year, time is months, rates
are fractions; any other unit is part of the name.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

from stockpile.cells import (
    ALL,
    Cell,
    CellError,
    Choice,
    Flag,
    KeyOf,
    Name,
    NameList,
    Number,
    NumberList,
    Text,
    Whole,
)
from stockpile.periods import MONTH, PERIODS

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = 1
"""Version of the format that this package reads and writes."""

EFFECTS = ("supply_loss", "demand_surge", "sharing_blocked", "price_cut")
METRICS = ("fill_rate", "chance", "cvar", "stress", "days", "joint_chance")
RELATIONS = ("own", "partner")
PROJECT_KINDS = ("mine", "separation", "metal", "magnet", "recycling")
REFERENCE_KINDS = ("reported", "derived", "estimate", "assumption")
ALLOCATIONS = ("priority", "pro_rata")
COOPERATIONS = ("none", "sharing", "joint")
SAMPLINGS = ("plain", "stratified")

_fraction = Number("fraction", at_least=0.0, at_most=1.0)
_months = Whole("months", at_least=0)


# --- Settings, instance.toml ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Header:
    """The keys at the top of ``instance.toml``.

    Attributes
    ----------
    format
        Version of the format.
    name
        Short name, used in results.
    title
        One line for reports.
    price_year
        Year whose USD all money is in.
    horizon_months
        T, length of a scenario [months].
    allocation
        Who bears a supply gap, equation (3): ``priority`` (lowest class first) or ``pro_rata``.
    period
        Step of time in which everything is simulated: ``month`` or ``week``. The tables are in
        months either way.
    """

    format: Annotated[int, Whole("", at_least=FORMAT, at_most=FORMAT)] = FORMAT
    name: Annotated[str, Name()]
    title: Annotated[str, Text()] = ""
    price_year: Annotated[int, Whole("year", at_least=1900, at_most=2200)]
    horizon_months: Annotated[int, Whole("months", at_least=1)]
    allocation: Annotated[str, Choice(ALLOCATIONS)] = "priority"
    period: Annotated[str, Choice(tuple(PERIODS))] = MONTH.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSettings:
    """``[scenarios]``: how scenarios are drawn from hazards.

    Attributes
    ----------
    count
        Scenarios to draw.
    seed
        Of the random numbers; an instance and a seed name a scenario set for good.
    sampling
        ``plain``, every scenario by itself, or ``stratified``, spread evenly over what can happen.
    """

    count: Annotated[int, Whole("scenarios", at_least=1)] = 2000
    seed: Annotated[int, Whole("", at_least=0)] = 0
    sampling: Annotated[str, Choice(SAMPLINGS)] = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveSettings:
    """``[solve]``: what is solved, and how closely.

    Attributes
    ----------
    cooperation
        ``none``, ``sharing`` or ``joint``.
    gap
        Optimality gap at which the solver stops, as a fraction of the incumbent.
    """

    cooperation: Annotated[str, Choice(COOPERATIONS)] = "sharing"
    gap: Annotated[float, Number("fraction", at_least=0.0, below=1.0)] = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """``[agreement]``: couplings between participants and materials.

    Attributes
    ----------
    joint_budget_usd
        Total outlay of all [USD], equation (11); None: no limit.
    joint_project_budget_usd
        Total paid for projects by all [USD], equation (11); None: no limit.
    max_distinct_rules
        Rules in use per participant, equation (15); None: no limit.
    nobody_worse_off
        Whether nobody may be worse off than alone, equation (16).
    """

    joint_budget_usd: Annotated[float | None, Number("USD", at_least=0.0)] = None
    joint_project_budget_usd: Annotated[float | None, Number("USD", at_least=0.0)] = None
    max_distinct_rules: Annotated[int | None, Whole("rules", at_least=1)] = None
    nobody_worse_off: Annotated[bool, Flag()] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """``[risk]``: limit on the cost of the worst cases, equation (18). Both keys or neither.

    Attributes
    ----------
    cvar_confidence
        Probability of the cases that are not the worst; None: no limit.
    cvar_limit_usd_per_year
        Most that the worst cases may cost on average [USD/year]; None: no limit.
    """

    cvar_confidence: Annotated[float | None, Number("fraction", at_least=0.0, below=1.0)] = None
    cvar_limit_usd_per_year: Annotated[float | None, Number("USD/year", at_least=0.0)] = None


SECTIONS: dict[str, tuple[str, type]] = {
    "scenarios": ("scenario_settings", ScenarioSettings),
    "solve": ("solve_settings", SolveSettings),
    "agreement": ("agreement", Agreement),
    "risk": ("risk", Risk),
}
"""Sections of ``instance.toml``: attribute of the instance and type of each."""


# --- Tables ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every row of every table has.

    Attributes
    ----------
    note
        For people; reports print it, the solver ignores it.
    line, file
        Line of the file on which the row begins, 0 where it was not read from a file; and the file
        with its folder, where that is not the one of the instance. Rows that differ only in these
        are equal.
    """

    key: ClassVar[tuple[str, ...]] = ()
    """Columns whose values no two rows of the table may share; none where rows may repeat."""

    note: Annotated[str, Text()] = ""
    line: int = field(default=0, compare=False, repr=False)
    file: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedRow(Row):
    """What every row has but those of ``references.csv`` itself.

    Attributes
    ----------
    ref
        Keys of ``references.csv``; reports print them, the solver ignores them.
    """

    ref: Annotated[tuple[str, ...], NameList("references", star=False)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant(SourcedRow):
    """``participants.csv``: a nation, or whoever else owns a reserve.

    Attributes
    ----------
    participant
        Key used in every table, such as ``us``.
    name
        For reports.
    discount_rate_per_year
        Cost of the capital bound in stock [1/year].
    acquisition_budget_usd
        Most that may be spent on buying stock [USD]; None: no limit.
    refill_per_month
        phi of equation (6), fraction of the holding bought back in a month without need.
    project_budget_usd
        Most that may be paid for projects within the first six months [USD]; None: no limit.
    """

    key: ClassVar[tuple[str, ...]] = ("participant",)

    participant: Annotated[str, Name(key=True)]
    name: Annotated[str, Text()]
    discount_rate_per_year: Annotated[float, Number("1/year", at_least=0.0)]
    acquisition_budget_usd: Annotated[float | None, Number("USD", at_least=0.0)] = None
    refill_per_month: Annotated[float, _fraction] = 0.0
    project_budget_usd: Annotated[float | None, Number("USD", at_least=0.0)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandClass(SourcedRow):
    """``classes.csv``: users of one priority, such as defense.

    Attributes
    ----------
    demand_class
        Key used in every table.
    priority
        1 is served first; no two classes have the same.
    shortage_cost_multiple
        w_k of equation (7): cost of a missing kilogram as a multiple of its price.
    """

    key: ClassVar[tuple[str, ...]] = ("demand_class",)

    demand_class: Annotated[str, Name(key=True)]
    priority: Annotated[int, Whole("rank", at_least=1)]
    shortage_cost_multiple: Annotated[float, Number("multiple of price", at_least=0.0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material(SourcedRow):
    """``materials.csv``: one element or mix in one form, as stored.

    Attributes
    ----------
    material
        Key used in every table, such as ``dy_oxide``.
    name, element, form
        For reports.
    price_usd_per_kg
        Normal price [USD/kg] in the price year, as the trade quotes it.
    lot_t
        Smallest quantity bought [t contained]; holdings are whole lots.
    rotation_rate_per_year
        Fraction of the stock that has to be replaced in a year [1/year].
    storage_usd_per_t_year
        Cost of keeping one tonne for one year [USD/(t year)].
    storage_kind
        Kind of facility that it needs.
    world_supply_t_per_year
        World supply [t/year]; None: buying has no impact on the price.
    price_impact
        Growth of the price, as a fraction, per share of yearly world supply bought, equation (8).
    loss_rate_per_year
        Fraction of the stock that spoils in a year and is bought again [1/year].
    shelf_life_months
        Age at which the stock has to have been renewed [months]; None: it does not age.
    renewal_loss
        Fraction of the price that is lost where stock is sold to be renewed.
    """

    key: ClassVar[tuple[str, ...]] = ("material",)

    material: Annotated[str, Name(key=True)]
    name: Annotated[str, Text()]
    element: Annotated[str, Text()]
    form: Annotated[str, Text()]
    price_usd_per_kg: Annotated[float, Number("USD/kg", above=0.0)]
    lot_t: Annotated[float, Number("t", above=0.0)]
    rotation_rate_per_year: Annotated[float, Number("1/year", at_least=0.0)] = 0.0
    storage_usd_per_t_year: Annotated[float, Number("USD/(t year)", at_least=0.0)] = 0.0
    storage_kind: Annotated[str, Name()] = "warehouse"
    world_supply_t_per_year: Annotated[float | None, Number("t/year", above=0.0)] = None
    price_impact: Annotated[float, Number("fraction", at_least=0.0)] = 0.0
    loss_rate_per_year: Annotated[float, Number("1/year", at_least=0.0)] = 0.0
    shelf_life_months: Annotated[float | None, Number("months", above=0.0)] = None
    renewal_loss: Annotated[float, _fraction] = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand(SourcedRow):
    """``demand.csv``: normal use.

    Attributes
    ----------
    participant, material, demand_class
        Who uses what for whom.
    demand_t_per_year
        Normal demand [t/year].
    """

    key: ClassVar[tuple[str, ...]] = ("participant", "material", "demand_class")

    participant: Annotated[str, KeyOf("participants")]
    material: Annotated[str, KeyOf("materials")]
    demand_class: Annotated[str, KeyOf("classes")]
    demand_t_per_year: Annotated[float, Number("t/year", at_least=0.0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortageCost(SourcedRow):
    """``shortage.csv``: what a missing kilogram costs the economy, in place of price by multiple.

    Attributes
    ----------
    participant, material, demand_class
        Whose; ``*`` for all. A row that names more of the three wins.
    shortage_cost_usd_per_kg
        [USD/kg].
    """

    participant: Annotated[tuple[str, ...], NameList("participants")] = (ALL,)
    material: Annotated[tuple[str, ...], NameList("materials")] = (ALL,)
    demand_class: Annotated[tuple[str, ...], NameList("classes")] = (ALL,)
    shortage_cost_usd_per_kg: Annotated[float, Number("USD/kg", at_least=0.0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(SourcedRow):
    """``sources.csv``: a country or company that supplies.

    Attributes
    ----------
    source
        Key used in every table.
    name
        For reports.
    """

    key: ClassVar[tuple[str, ...]] = ("source",)

    source: Annotated[str, Name(key=True)]
    name: Annotated[str, Text()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply(SourcedRow):
    """``supply.csv``: where normal supply comes from.

    Attributes
    ----------
    participant, material, source
        Who gets what from where.
    share
        Fraction of the participant's normal supply of the material. What the shares leave below
        1 is never disrupted.
    """

    key: ClassVar[tuple[str, ...]] = ("participant", "material", "source")

    participant: Annotated[str, KeyOf("participants")]
    material: Annotated[str, KeyOf("materials")]
    source: Annotated[str, KeyOf("sources")]
    share: Annotated[float, _fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding(SourcedRow):
    """``holdings.csv``: what is held already, and limits on what may be held.

    Attributes
    ----------
    participant, material
        Whose stock of what.
    existing_t
        Held already [t].
    min_t, max_t
        Least and most to hold [t]; ``max_t`` None: a year of demand.
    """

    key: ClassVar[tuple[str, ...]] = ("participant", "material")

    participant: Annotated[str, KeyOf("participants")]
    material: Annotated[str, KeyOf("materials")]
    existing_t: Annotated[float, Number("t", at_least=0.0)] = 0.0
    min_t: Annotated[float, Number("t", at_least=0.0)] = 0.0
    max_t: Annotated[float | None, Number("t", at_least=0.0)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard(SourcedRow):
    """``hazards.csv``: a kind of disruption from which scenarios are drawn.

    Attributes
    ----------
    hazard
        Key.
    effect
        ``supply_loss``, ``demand_surge``, ``sharing_blocked`` or ``price_cut``.
    source
        The source that is lost; None for the other effects.
    materials, targets
        Materials and participants that it hits.
    demand_class
        Classes whose demand surges.
    events_per_year
        Mean number of events [1/year].
    duration_median_months, duration_sigma
        Lognormal duration: median [months] and standard deviation of the logarithm; 0 = fixed.
    severity_mean, severity_sd
        Beta-distributed severity; standard deviation 0 = fixed.
    follows
        Hazard whose events this one may follow.
    follow_probability, follow_delay_months
        With which probability, and how long after the start of the event that it follows.
    answers
        Project to which it is an answer: it happens only if the project is funded.
    """

    key: ClassVar[tuple[str, ...]] = ("hazard",)

    hazard: Annotated[str, Name(key=True)]
    effect: Annotated[str, Choice(EFFECTS)] = "supply_loss"
    source: Annotated[str | None, KeyOf("sources")] = None
    materials: Annotated[tuple[str, ...], NameList("materials")] = (ALL,)
    targets: Annotated[tuple[str, ...], NameList("participants")] = (ALL,)
    demand_class: Annotated[tuple[str, ...], NameList("classes")] = (ALL,)
    events_per_year: Annotated[float, Number("1/year", at_least=0.0)]
    duration_median_months: Annotated[float, Number("months", above=0.0)]
    duration_sigma: Annotated[float, Number("of the logarithm", at_least=0.0)]
    severity_mean: Annotated[float, Number("fraction", at_least=0.0)]
    severity_sd: Annotated[float, Number("fraction", at_least=0.0)] = 0.0
    follows: Annotated[str | None, KeyOf("hazards")] = None
    follow_probability: Annotated[float, _fraction] = 0.0
    follow_delay_months: Annotated[int, _months] = 0
    answers: Annotated[str | None, KeyOf("projects")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(SourcedRow):
    """``scenarios.csv``: a given scenario; where there are any, hazards are not drawn from.

    Attributes
    ----------
    scenario
        Key.
    probability
        p_s.
    """

    key: ClassVar[tuple[str, ...]] = ("scenario",)

    scenario: Annotated[str, Name(key=True)]
    probability: Annotated[float, _fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence(SourcedRow):
    """What `Event` and `StressEvent` have in common.

    Attributes
    ----------
    effect, source, materials, targets, demand_class, answers
        As in `Hazard`.
    start_month, duration_months
        The event is active in months start .. start + duration - 1, counted from 1.
    severity
        Fraction of the source's supply lost, of demand added, or of the price cut; 1 for
        ``sharing_blocked``.
    """

    effect: Annotated[str, Choice(EFFECTS)] = "supply_loss"
    source: Annotated[str | None, KeyOf("sources")] = None
    materials: Annotated[tuple[str, ...], NameList("materials")] = (ALL,)
    targets: Annotated[tuple[str, ...], NameList("participants")] = (ALL,)
    demand_class: Annotated[tuple[str, ...], NameList("classes")] = (ALL,)
    start_month: Annotated[int, Whole("month", at_least=1)]
    duration_months: Annotated[int, Whole("months", at_least=1)]
    severity: Annotated[float, Number("fraction", at_least=0.0)]
    answers: Annotated[str | None, KeyOf("projects")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Occurrence):
    """``events.csv``: one event of a given scenario.

    Attributes
    ----------
    scenario
        Scenario in which it happens.
    """

    scenario: Annotated[str, KeyOf("scenarios")]


@dataclass(frozen=True, slots=True, kw_only=True)
class StressEvent(Occurrence):
    """``stress.csv``: one event of a named case for coverage, outside the probabilities.

    Attributes
    ----------
    stress
        Name of the case; a case may have several events.
    """

    stress: Annotated[str, Name(key=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(SourcedRow):
    """``outcomes.csv``: what is known to have happened in a case; replays print it, nothing else.

    Attributes
    ----------
    stress
        The case of ``stress.csv``.
    month
        Month of the case in which it happened, counted from 1.
    outcome
        What happened, in one sentence.
    """

    stress: Annotated[str, KeyOf("stress")]
    month: Annotated[int, Whole("month", at_least=1)]
    outcome: Annotated[str, Text()]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageTarget(SourcedRow):
    """``coverage.csv``: a promise.

    Attributes
    ----------
    participant, material, demand_class
        Whose need; ``*`` or a list means each one, in ``joint_chance`` all at once.
    metric
        ``fill_rate``, ``chance``, ``cvar``, ``stress``, ``days`` or ``joint_chance``.
    level
        Fraction of need to be served; in ``days`` the days of normal consumption to be held.
    confidence
        Of ``chance``, ``cvar`` and ``joint_chance``, else None.
    stress
        Case of ``stress.csv`` that a ``stress`` row is about, else None.
    group
        Rows that are meant together: required in ``joint_chance``, possible in ``days``.
    sharing
        ``off`` = a floor: the promise holds without any partner's release.
    """

    participant: Annotated[tuple[str, ...], NameList("participants")] = (ALL,)
    material: Annotated[tuple[str, ...], NameList("materials")] = (ALL,)
    demand_class: Annotated[tuple[str, ...], NameList("classes")] = (ALL,)
    metric: Annotated[str, Choice(METRICS)]
    level: Annotated[float, Number("fraction, or days", at_least=0.0)]
    confidence: Annotated[float | None, _fraction] = None
    stress: Annotated[str | None, KeyOf("stress")] = None
    group: Annotated[str | None, Name()] = None
    sharing: Annotated[str, Choice(("on", "off"))] = "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow(SourcedRow):
    """``rules.csv``: what a release rule says to some classes from some age of the event on.

    Attributes
    ----------
    rule
        Name of the rule; it may have several rows.
    relation
        ``own`` need, a ``partner``'s, or both.
    demand_class
        Classes served. Relations and classes left out are never served.
    from_month
        Age of the event from which the row applies [months].
    reserve_level
        l of equation (4): fraction of the holding that may not be touched.
    draw_limit_per_month
        f of equation (4): most taken in a month, as a fraction of the holding; 1 is no limit.
    trigger_loss
        theta: no release unless the beneficiary's supply loss is at least this fraction.
    """

    rule: Annotated[str, Name(key=True)]
    relation: Annotated[tuple[str, ...], NameList(options=RELATIONS)]
    demand_class: Annotated[tuple[str, ...], NameList("classes")]
    from_month: Annotated[int, _months] = 0
    reserve_level: Annotated[float, _fraction] = 0.0
    draw_limit_per_month: Annotated[float, Number("fraction", above=0.0, at_most=1.0)] = 1.0
    trigger_loss: Annotated[float, Number("fraction", at_least=0.0, below=1.0)] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(SourcedRow):
    """``transfers.csv``: a pair that may ship from one reserve to the other's users.

    Attributes
    ----------
    from_participant, to_participant
        Owner and beneficiary.
    lag_months
        Age of the beneficiary's event from which shipments arrive [months].
    cost_usd_per_t
        Cost of shipping [USD/t].
    """

    key: ClassVar[tuple[str, ...]] = ("from_participant", "to_participant")

    from_participant: Annotated[str, KeyOf("participants")]
    to_participant: Annotated[str, KeyOf("participants")]
    lag_months: Annotated[int, _months] = 0
    cost_usd_per_t: Annotated[float, Number("USD/t", at_least=0.0)] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Commercial(SourcedRow):
    """``commercial.csv``: what firms hold, and can do without.

    Attributes
    ----------
    participant, material
        Whose firms, of what.
    industry_days
        Stock held by firms [days of normal demand of the classes named].
    thrift_share
        Fraction of its need that a class can do without.
    thrift_after_months
        Age of the event from which it can [months].
    demand_class
        Classes that the row is about.
    """

    participant: Annotated[str, KeyOf("participants")]
    material: Annotated[str, KeyOf("materials")]
    industry_days: Annotated[float, Number("days", at_least=0.0)] = 0.0
    thrift_share: Annotated[float, _fraction] = 0.0
    thrift_after_months: Annotated[int, _months] = 0
    demand_class: Annotated[tuple[str, ...], NameList("classes")] = (ALL,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility(SourcedRow):
    """``facilities.csv``: a store, existing or to be opened.

    Attributes
    ----------
    facility
        Key.
    participant
        Where it stands.
    storage_kind
        Kind of storage that it offers.
    capacity_t
        Room [t].
    fixed_cost_usd_per_year
        Cost of having it open [USD/year].
    existing
        Whether it exists already.
    """

    key: ClassVar[tuple[str, ...]] = ("facility",)

    facility: Annotated[str, Name(key=True)]
    participant: Annotated[str, KeyOf("participants")]
    storage_kind: Annotated[str, Name()]
    capacity_t: Annotated[float, Number("t", at_least=0.0)]
    fixed_cost_usd_per_year: Annotated[float, Number("USD/year", at_least=0.0)]
    existing: Annotated[bool, Flag()] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Project(SourcedRow):
    """``projects.csv``: supply that can be funded.

    Attributes
    ----------
    project
        Key.
    kind
        ``mine``, ``separation``, ``metal``, ``magnet`` or ``recycling``.
    material
        What it produces.
    capacity_t_per_year
        Output [t/year].
    beneficiaries, beneficiary_shares
        Who gets which fraction of the output; one share for each beneficiary, in order.
    funder
        A participant, or ``joint``.
    capital_usd
        Cost of building it [USD].
    operating_usd_per_t
        Cost of its output [USD/t].
    lead_median_months, lead_sigma
        Lognormal time to build: median [months] and standard deviation of the logarithm.
    fast_track_usd, fast_track_months
        Cost of fast-tracking the permit [USD] and the time that it saves [months]; None and 0
        where it cannot be.
    ramp_months
        Months over which output grows to the capacity, in equal steps.
    slip_probability, slip_months
        With which probability it starts later than the lead time says, and by how much [months].
    life_years
        Years over which the capital is paid back; None: it does not wear out.
    source
        Source that its output counts as (17); None: one of its own.
    """

    key: ClassVar[tuple[str, ...]] = ("project",)

    project: Annotated[str, Name(key=True)]
    kind: Annotated[str, Choice(PROJECT_KINDS)]
    material: Annotated[str, KeyOf("materials")]
    capacity_t_per_year: Annotated[float, Number("t/year", at_least=0.0)]
    beneficiaries: Annotated[tuple[str, ...], NameList("participants")]
    beneficiary_shares: Annotated[tuple[float, ...], NumberList(_fraction)]
    funder: Annotated[str, KeyOf("participants", also=("joint",))]
    capital_usd: Annotated[float, Number("USD", at_least=0.0)]
    operating_usd_per_t: Annotated[float, Number("USD/t", at_least=0.0)]
    lead_median_months: Annotated[float, Number("months", at_least=0.0)]
    lead_sigma: Annotated[float, Number("of the logarithm", at_least=0.0)]
    fast_track_usd: Annotated[float | None, Number("USD", at_least=0.0)] = None
    fast_track_months: Annotated[float, Number("months", at_least=0.0)] = 0.0
    ramp_months: Annotated[int, _months] = 0
    slip_probability: Annotated[float, _fraction] = 0.0
    slip_months: Annotated[float, Number("months", at_least=0.0)] = 0.0
    life_years: Annotated[float | None, Number("years", above=0.0)] = None
    source: Annotated[str | None, KeyOf("sources")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectProduct(SourcedRow):
    """``project_products.csv``: what a project makes besides its first material.

    Attributes
    ----------
    project, material
        Which project makes what else.
    capacity_t_per_year
        Output [t/year].
    operating_usd_per_t
        Cost of it [USD/t]; None: that of the project's first material.
    """

    key: ClassVar[tuple[str, ...]] = ("project", "material")

    project: Annotated[str, KeyOf("projects")]
    material: Annotated[str, KeyOf("materials")]
    capacity_t_per_year: Annotated[float, Number("t/year", at_least=0.0)]
    operating_usd_per_t: Annotated[float | None, Number("USD/t", at_least=0.0)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead(SourcedRow):
    """``leads.csv``: the lead time of a project in a given scenario, in place of a drawn one.

    Attributes
    ----------
    scenario, project
        Where, and of what.
    lead_months
        Time from the decision to the first output, without fast track [months].
    """

    key: ClassVar[tuple[str, ...]] = ("scenario", "project")

    scenario: Annotated[str, KeyOf("scenarios")]
    project: Annotated[str, KeyOf("projects")]
    lead_months: Annotated[float, Number("months", at_least=0.0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recycling(SourcedRow):
    """``recycling.csv``: what comes back from use, besides the normal supply; no embargo hits it.

    Attributes
    ----------
    participant, material
        Who gets which material back.
    from_material
        Product that is collected; None: the material itself.
    collection_rate
        Fraction of the product's normal use that is collected now.
    collection_growth_per_year
        By how much that fraction grows in a year.
    collection_max
        Most that it grows to.
    yield_
        Column ``yield``: tonnes of the material recovered per tonne collected.
    delay_months
        Time from collection to return [months]; until then nothing has grown.
    """

    key: ClassVar[tuple[str, ...]] = ("participant", "material", "from_material")

    participant: Annotated[str, KeyOf("participants")]
    material: Annotated[str, KeyOf("materials")]
    from_material: Annotated[str | None, KeyOf("materials")] = None
    collection_rate: Annotated[float, _fraction]
    collection_growth_per_year: Annotated[float, Number("1/year", at_least=0.0)] = 0.0
    collection_max: Annotated[float, _fraction] = 1.0
    yield_: Annotated[float, Number("t/t", above=0.0)] = 1.0
    delay_months: Annotated[int, _months] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcentrationCap(SourcedRow):
    """``concentration.csv``: most that one source may supply after projects, equation (17).

    Attributes
    ----------
    participant, material, source
        Whose supply of what, from where; ``*`` and lists mean each one.
    max_share
        Largest share of the supply.
    """

    participant: Annotated[tuple[str, ...], NameList("participants")] = (ALL,)
    material: Annotated[tuple[str, ...], NameList("materials")] = (ALL,)
    source: Annotated[tuple[str, ...], NameList("sources")] = (ALL,)
    max_share: Annotated[float, _fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion(SourcedRow):
    """``conversions.csv``: a plant that turns one material into another.

    Attributes
    ----------
    conversion
        Key.
    participant
        Where it stands.
    from_material, to_material
        What it takes and what it makes.
    yield_
        Column ``yield``: tonnes made per tonne taken.
    capacity_t_per_month
        Most that it makes [t/month].
    lag_months
        Time that it takes [months].
    cost_usd_per_t
        Cost per tonne made [USD/t].
    """

    key: ClassVar[tuple[str, ...]] = ("conversion",)

    conversion: Annotated[str, Name(key=True)]
    participant: Annotated[str, KeyOf("participants")]
    from_material: Annotated[str, KeyOf("materials")]
    to_material: Annotated[str, KeyOf("materials")]
    yield_: Annotated[float, Number("t/t", above=0.0)]
    capacity_t_per_month: Annotated[float, Number("t/month", at_least=0.0)]
    lag_months: Annotated[int, _months]
    cost_usd_per_t: Annotated[float, Number("USD/t", at_least=0.0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantShare(SourcedRow):
    """``plant_shares.csv``: the part of a plant's capacity that is kept for a need.

    Where a plant has such rows, needs that they leave out get nothing of it.

    Attributes
    ----------
    conversion
        The plant.
    participant, material, demand_class
        Whose need of what, for whom.
    share
        Fraction of the capacity.
    """

    key: ClassVar[tuple[str, ...]] = ("conversion", "participant", "material", "demand_class")

    conversion: Annotated[str, KeyOf("conversions")]
    participant: Annotated[str, KeyOf("participants")]
    material: Annotated[str, KeyOf("materials")]
    demand_class: Annotated[str, KeyOf("classes")]
    share: Annotated[float, _fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference(Row):
    """``references.csv``: where figures come from.

    Attributes
    ----------
    ref
        Key, which the ``ref`` columns of the other tables use.
    title, url, year
        Of the publication; address and year where there are any.
    kind
        ``reported``, ``derived``, ``estimate`` or ``assumption``.
    """

    key: ClassVar[tuple[str, ...]] = ("ref",)

    ref: Annotated[str, Name(key=True)]
    title: Annotated[str, Text()]
    url: Annotated[str, Text()] = ""
    year: Annotated[int | None, Whole("year")] = None
    kind: Annotated[str, Choice(REFERENCE_KINDS)]


TABLES: dict[str, type[Row]] = {
    "participants": Participant,
    "classes": DemandClass,
    "materials": Material,
    "demand": Demand,
    "shortage": ShortageCost,
    "sources": Source,
    "supply": Supply,
    "holdings": Holding,
    "hazards": Hazard,
    "scenarios": Scenario,
    "events": Event,
    "stress": StressEvent,
    "outcomes": Outcome,
    "coverage": CoverageTarget,
    "rules": RuleRow,
    "transfers": Transfer,
    "commercial": Commercial,
    "facilities": Facility,
    "projects": Project,
    "project_products": ProjectProduct,
    "leads": Lead,
    "recycling": Recycling,
    "concentration": ConcentrationCap,
    "conversions": Conversion,
    "plant_shares": PlantShare,
    "references": Reference,
}
"""Row type of each table, by the name of the file without ``.csv``, in the order of the format."""

REQUIRED_TABLES = ("participants", "classes", "materials", "demand")


# --- Declarations ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, or a key of ``instance.toml``, as its attribute declares it.

    Attributes
    ----------
    name
        As the file spells it.
    attribute
        As the data class spells it.
    cell
        What it may hold.
    required
        Whether it has no default.
    default
        The value of an empty cell.
    """

    name: str
    attribute: str
    cell: Cell
    required: bool
    default: object

    def parse(self, text: str) -> object:
        """Read a value from the text of a cell; raise `CellError` if it is wrong."""
        text = text.strip()
        if text:
            return self.cell.parse(text)
        if self.required:
            raise CellError("must not be empty", f"Expected {self.cell.expected}.")
        return self.default

    def take(self, value: object) -> object:
        """Check a Python value and return it in its plain type; raise `CellError` if wrong."""
        if not self.required and value == self.default and type(value) is type(self.default):
            return value
        if self.required and value == "":
            raise CellError("must not be empty", f"Expected {self.cell.expected}.")
        return self.cell.take(value)

    def write(self, value: object) -> str:
        """Return the text of a cell from which `parse` reads the same value."""
        return "" if value is None else self.cell.write(value)


def columns(declared: type) -> tuple[Column, ...]:
    """Return the columns that a row type, or the keys that a section of settings, declares.

    Columns of the type itself come before those that it shares with others, such as ``note``.
    """
    return _columns(declared)


@functools.cache
def _columns(declared: type) -> tuple[Column, ...]:
    hints = typing.get_type_hints(declared, include_extras=True)
    found: dict[str, Column] = {}
    fields = {item.name: item for item in dataclasses.fields(declared)}
    for base in declared.__mro__:
        for name in inspect.get_annotations(base):
            extras = getattr(hints.get(name), "__metadata__", ())
            cell = next((extra for extra in extras if isinstance(extra, Cell)), None)
            if cell is not None and name not in found:  # `line`, for one, is no column.
                default = fields[name].default
                required = default is dataclasses.MISSING
                found[name] = Column(
                    name.rstrip("_"), name, cell, required, None if required else default
                )
    return tuple(found.values())


def key_column(row_type: type[Row]) -> Column | None:
    """Return the column by whose names other tables refer to the rows of a table, if it has one."""
    for column in columns(row_type):
        if isinstance(column.cell, Name) and column.cell.key:
            return column
    return None


def names_of(table: str, rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the names that the rows of a table give, in order and each once."""
    column = key_column(TABLES[table])
    assert column is not None, f"{table}.csv gives no names"
    return tuple(dict.fromkeys(getattr(row, column.attribute) for row in rows))
