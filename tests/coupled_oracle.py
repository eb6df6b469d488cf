"""Equations (8) to (18) of the formulation, slowly: plans whose materials are coupled.

Budgets, storage, joint chance, the number of rules, cost shares and the portfolio CVaR. `oracle`
tells what each candidate of a material costs and keeps; here candidates are combined, one of each
material, and the cheapest combination that keeps every coupling is found by a search that is
complete. Nothing is shared with the package. Standard library only.

    inst = oracle.read(folder)
    best = enumerate_coupled(inst, "sharing")
    check_plan(inst, "sharing", best.plan)  # []
    cost_of(inst, "sharing", best.plan)  # best.annual_cost

What makes pruning safe is that every coupling is monotone in a plan's `Use`: more outlay, more
tonnes, more rules in use, larger shares, more shortage or fewer scenarios covered never help.
"""

import itertools
import math
from functools import reduce
from operator import add, and_, ge, le, or_
from typing import NamedTuple

import oracle

TIE = 1e-7  # Costs that differ by less, relative to the optimum, count as equal.


class Plan(NamedTuple):
    """What governments could sign."""

    lots: dict  # {material: {participant: number of lots}}
    rules: dict  # {material: {participant: rule}}
    facilities: frozenset  # Names of the open ones, existing ones included


class Best(NamedTuple):
    """The cheapest plan that keeps all promises and couplings; the first of several."""

    annual_cost: float  # USD per year, equation (9)
    plan: Plan


# --- What couples the materials of an instance in one world --------------------------------------


class Limit(NamedTuple):
    """At most so many USD in all for some participants together, (11) or (16)."""

    name: str
    measure: str  # "outlay" or "cost share"
    participants: tuple
    most: float


class Room(NamedTuple):
    """Storage of one kind that some participants fill together, (12)."""

    name: str
    participants: tuple
    kind: str
    openings: list  # [(yearly cost of the new ones, capacity [t], names of the new ones)]


class Row(NamedTuple):
    """One row of a group: v >= level for all these streams of all these materials."""

    materials: list
    streams: list  # [(participant, class)]
    level: float
    sharing: str


class Group(NamedTuple):
    """The rows of ``coverage.csv`` that have to be kept at once, (13)."""

    name: str
    rows: list  # [Row]
    confidence: float


class Couplings(NamedTuple):
    """All that looks at more than one material; what is not asked for is empty or None."""

    limits: list
    rooms: list
    groups: list
    max_rules: int | None  # (15)
    cvar: tuple | None  # (18): mass of probability, limit [USD/year], probability by scenario
    existing: frozenset  # Facilities that are open anyway
    existing_cost: float  # USD per year


def couplings(inst, cooperation):
    """The couplings of an instance in one world."""
    risk = inst["risk"]
    cvar = None
    if "cvar_limit_usd_per_year" in risk:
        probability = [float(p) for p in inst["probability"].values()]
        mass = float(1 - risk["cvar_confidence"])
        cvar = mass, float(risk["cvar_limit_usd_per_year"]), probability
    existing = [row for row in inst["facilities"] if exists(row)]
    return Couplings(
        budgets(inst, cooperation) + cost_shares(inst, cooperation),
        rooms(inst, cooperation),
        groups(inst),
        inst["agreement"].get("max_distinct_rules"),
        cvar,
        frozenset(row["facility"] for row in existing),
        fixed_cost(existing),
    )


def budgets(inst, cooperation):
    """Limits on outlay (11): own ones and a joint one, or in ``joint`` one for all."""
    everybody = tuple(inst["participants"])
    own = inst["budget"]
    joint = inst["agreement"].get("joint_budget_usd")
    if cooperation == "joint" and joint is None and None not in own.values():
        joint = sum(own.values())
    found = []
    if cooperation != "joint":
        found = [
            Limit(f"budget of {c}", "outlay", (c,), float(usd))
            for c, usd in own.items()
            if usd is not None
        ]
    if joint is not None:
        found.append(Limit("joint budget", "outlay", everybody, float(joint)))
    return found


def cost_shares(inst, cooperation):
    """Limits on what a participant bears (16): what it would bear alone."""
    if cooperation == "none" or not inst["agreement"].get("nobody_worse_off"):
        return []
    return [
        Limit(f"cost share of {c}", "cost share", (c,), usd) for c, usd in standalone(inst).items()
    ]


def rooms(inst, cooperation):
    """Storage of every participant and kind (12), or in ``joint`` of all together.

    A participant without a row has all the room it wants; in ``joint`` all have, then.
    """
    limited = {row["participant"] for row in inst["facilities"]}
    if cooperation != "joint":
        owners = [(c,) for c in inst["participants"] if c in limited]
    else:
        owners = [tuple(inst["participants"])] if limited == set(inst["participants"]) else []
    kinds = dict.fromkeys(inst["storage_kind"].values())
    return [
        Room(f"{kind} of {', '.join(c)}", c, kind, openings(inst, c, kind))
        for c in owners
        for kind in kinds
    ]


def openings(inst, participants, kind):
    """Every choice of new facilities of a kind: yearly cost, capacity with the existing, names."""
    offered = [
        row
        for row in inst["facilities"]
        if row["participant"] in participants and row["storage_kind"] == kind
    ]
    existing = [row for row in offered if exists(row)]
    new = [row for row in offered if not exists(row)]
    found = []
    for count in range(len(new) + 1):
        for chosen in itertools.combinations(new, count):
            capacity = sum(oracle.number(row, "capacity_t") for row in [*existing, *chosen])
            names = frozenset(row["facility"] for row in chosen)
            found.append((fixed_cost(chosen), float(capacity), names))
    return found


def exists(row):
    return row.get("existing", "").lower() == "true"


def fixed_cost(rows):
    """Yearly cost of some facilities [USD]."""
    return float(sum(oracle.number(row, "fixed_cost_usd_per_year") for row in rows))


def groups(inst):
    """The groups of ``joint_chance`` rows. The rows of a group share one confidence."""
    found = {}
    for row in inst["coverage"]:
        if row["metric"] == "joint_chance":
            found.setdefault(row["group"], []).append(row)
    return [group(inst, rows) for rows in found.values()]


def group(inst, rows):
    """A group of rows of ``coverage.csv``."""
    read = []
    for row in rows:
        participants = oracle.names(row, "participant", inst["participants"])
        classes = oracle.names(row, "demand_class", inst["classes"])
        read.append(
            Row(
                oracle.names(row, "material", inst["materials"]),
                list(itertools.product(participants, classes)),
                float(oracle.number(row, "level")),
                row.get("sharing") or "on",
            )
        )
    return Group(rows[0]["group"], read, float(oracle.number(rows[0], "confidence")))


# --- What a candidate, or a plan, takes of them ---------------------------------------------------


class Use(NamedTuple):
    """Cost of a part of a plan, and what it takes of each coupling.

    Tuples are in the order of the couplings.
    """

    cost: float  # USD per year, (7)
    limited: tuple  # USD, by limit
    stored: tuple  # Tonnes, by room
    rules: frozenset  # {(participant, rule)} in use; empty where their number is not limited
    covered: tuple  # Sets of scenarios in which all is kept, by group
    shortage: tuple  # USD per year by scenario; empty where there is no limit on CVaR


class Candidate(NamedTuple):
    """Lots and rules of one material."""

    lots: dict
    rules: dict
    evaluation: oracle.Evaluation
    use: Use


def use_of(inst, coupled, material, lots, rules, evaluation):
    """What a candidate of a material takes of the couplings."""
    by_measure = {"cost share": {c: sum(parts.values()) for c, parts in evaluation.costs.items()}}
    if any(limit.measure == "outlay" for limit in coupled.limits):
        by_measure["outlay"] = outlay(inst, material, lots)
    in_use = frozenset((c, rules[c]) for c in lots if lots[c] > 0)
    return Use(
        evaluation.annual_cost,
        tuple(sum(by_measure[x.measure][c] for c in x.participants) for x in coupled.limits),
        tuple(stored(inst, material, lots, room) for room in coupled.rooms),
        in_use if coupled.max_rules is not None else frozenset(),
        tuple(covered(inst, material, group, evaluation) for group in coupled.groups),
        shortage(inst, material, evaluation) if coupled.cvar else (),
    )


def outlay(inst, material, lots):
    """Cost of buying what is not there yet [USD] by participant, equation (8); computed once."""
    key = "outlay", material, *lots.items()
    if key not in inst["cache"]:
        inst["cache"][key] = cost_of_buying(inst, material, lots)
    return inst["cache"][key]


def cost_of_buying(inst, material, lots):
    bought = {
        c: max(0, inst["lot"][material] * n - inst["existing_t"][c, material])
        for c, n in lots.items()
    }
    impact = 0
    if inst["world_supply"][material]:
        share = sum(bought.values()) / inst["world_supply"][material]
        impact = inst["price_impact"][material] * share
    return {c: float(inst["price"][material] * (1 + impact) * t) for c, t in bought.items()}


def stored(inst, material, lots, room):
    """Tonnes of a candidate that have to lie in a room."""
    if inst["storage_kind"][material] != room.kind:
        return 0.0
    return float(sum(inst["lot"][material] * lots[c] for c in room.participants))


def covered(inst, material, group, evaluation):
    """Scenarios in which all rows of a group are kept, as far as they name this material."""
    rows = [row for row in group.rows if material in row.materials]
    return frozenset(
        s
        for s in inst["probability"]
        if all(keeps(inst, material, row, s, evaluation) for row in rows)
    )


def keeps(inst, material, row, scenario, evaluation):
    """Whether v >= level for all streams of a row."""
    missing = evaluation.alone if row.sharing == "off" else evaluation.unserved
    need = oracle.total_needs(inst, material, scenario)
    return all(
        oracle.served_fraction(need, missing[scenario], stream) >= row.level - 1e-9
        for stream in row.streams
    )


def shortage(inst, material, evaluation):
    """Cost of what is missing in each scenario [USD/year], without shipping."""
    return tuple(
        12
        / inst["horizon"]
        * sum(float(inst["shortage_cost"][c, material, k]) * t for (c, k), t in unserved.items())
        for unserved in evaluation.unserved.values()
    )


def together(a, b):
    """Use of two parts of a plan."""
    return Use(
        a.cost + b.cost,
        tuple(map(add, a.limited, b.limited)),
        tuple(map(add, a.stored, b.stored)),
        a.rules | b.rules,
        tuple(map(and_, a.covered, b.covered)),
        tuple(map(add, a.shortage, b.shortage)),
    )


def least(a, b):
    """A use that neither of two alternatives stays below."""
    return Use(
        min(a.cost, b.cost),
        tuple(map(min, a.limited, b.limited)),
        tuple(map(min, a.stored, b.stored)),
        a.rules & b.rules,
        tuple(map(or_, a.covered, b.covered)),
        tuple(map(min, a.shortage, b.shortage)),
    )


def as_good(a, b):
    """Whether a takes no more than b of anything, so that it can stand for it in any plan."""
    return (
        a.cost <= b.cost
        and all(map(le, a.limited, b.limited))
        and all(map(le, a.stored, b.stored))
        and a.rules <= b.rules
        and all(map(ge, a.covered, b.covered))
        and all(map(le, a.shortage, b.shortage))
    )


def nothing(inst, coupled):
    """Use of a plan without any material."""
    return Use(
        0.0,
        (0.0,) * len(coupled.limits),
        (0.0,) * len(coupled.rooms),
        frozenset(),
        (frozenset(inst["probability"]),) * len(coupled.groups),
        (0.0,) * len(inst["probability"]) if coupled.cvar else (),
    )


# --- Whether a use keeps the couplings ------------------------------------------------------------


def within(value, limit):
    """Whether value <= limit within 1e-9 relative.

    The same figure absolutely, so that rounding counts for nothing where the limit is 0.
    """
    return value <= limit + 1e-9 * max(1.0, abs(limit))


def violated(inst, coupled, use):
    """Names of the couplings that a use breaks, storage apart."""
    for limit, value in zip(coupled.limits, use.limited, strict=True):
        if not within(value, limit.most):
            yield limit.name
    for group, scenarios in zip(coupled.groups, use.covered, strict=True):
        if float(sum(inst["probability"][s] for s in scenarios)) < group.confidence - 1e-9:
            yield f"joint chance of {group.name}"
    if coupled.max_rules is not None:
        for c in inst["participants"]:
            if sum(owner == c for owner, _ in use.rules) > coupled.max_rules:
                yield f"rules of {c}"
    if coupled.cvar:
        mass, limit, probability = coupled.cvar
        if not within(cvar(use.shortage, probability, mass), limit):
            yield "cvar"


def cvar(usd, probability, mass):
    """Mean of the largest costs over a mass of probability; the last scenario in part."""
    return -oracle.worst_mean([-x for x in usd], probability, mass)


def cheapest_opening(coupled, use):
    """Yearly cost and names of the open facilities that make room at least cost; None without room.

    Every room has facilities of its own, so that each one is decided for itself.
    """
    cost, names = coupled.existing_cost, coupled.existing
    for room, tonnes in zip(coupled.rooms, use.stored, strict=True):
        fits = [opening for opening in room.openings if within(tonnes, opening[1])]
        if not fits:
            return None
        extra, _, new = min(fits, key=lambda opening: opening[0])
        cost, names = cost + extra, names | new
    return cost, names


# --- The optimum ----------------------------------------------------------------------------------


def enumerate_coupled(inst, cooperation):
    """The cheapest plan that keeps all promises and couplings, or None."""
    coupled = couplings(inst, cooperation)
    menus = [undominated(candidates(inst, coupled, cooperation, m)) for m in inst["materials"]]
    found = search(inst, coupled, menus)
    if not found:
        return None
    cost, chosen, facilities = found[-1]
    by_material = dict(zip(inst["materials"], chosen, strict=True))
    lots = {m: candidate.lots for m, candidate in by_material.items()}
    rules = {m: candidate.rules for m, candidate in by_material.items()}
    return Best(cost, Plan(lots, rules, facilities))


def evaluations(inst, cooperation, material):
    """All candidates of a material that keep its own promises: [(lots, rules, evaluation)].

    Who holds nothing releases nothing: the first rule stands for all.
    """
    key = "evaluations", cooperation == "none", material
    if key not in inst["cache"]:
        inst["cache"][key] = list(feasible_candidates(inst, cooperation, material))
    return inst["cache"][key]


def feasible_candidates(inst, cooperation, material):
    participants = inst["participants"]
    first = next(iter(inst["rules"]))
    ranges = [oracle.lot_range(inst, c, material) for c in participants]
    for chosen in itertools.product(inst["rules"], repeat=len(participants)):
        rules = dict(zip(participants, chosen, strict=True))
        prepared = oracle.cases(inst, material, cooperation, rules)
        for numbers in itertools.product(*ranges):
            lots = dict(zip(participants, numbers, strict=True))
            if any(lots[c] == 0 and rules[c] != first for c in participants):
                continue
            evaluation = oracle.judge(inst, material, prepared, lots)
            if evaluation.feasible:
                yield lots, rules, evaluation


def candidates(inst, coupled, cooperation, material):
    """The same with their use, the cheapest first."""
    found = [
        Candidate(*candidate, use_of(inst, coupled, material, *candidate))
        for candidate in evaluations(inst, cooperation, material)
    ]
    return sorted(found, key=lambda candidate: candidate.use.cost)


def undominated(menu, margin=0.0):
    """Candidates of a sorted menu without those for which an earlier one can stand.

    With a margin only if that one is cheaper by as much.
    """
    kept = []
    for candidate in menu:
        cost = candidate.use.cost - margin
        if not any(x.use.cost <= cost and as_good(x.use, candidate.use) for x in kept):
            kept.append(candidate)
    return kept


def search(inst, coupled, menus, ceiling=None):
    """Plans that keep all couplings, each cheaper than the one before; the last is the cheapest.

    With a ceiling all plans below that cost. A plan is (cost, candidates, facilities), menus are
    sorted by cost. A part of a plan is left when even the least that the remaining materials take
    of everything, each on its own, breaks a coupling or costs too much: no plan that completes it
    can do better.
    """
    if not all(menus):
        return []
    rest = [nothing(inst, coupled)]
    for menu in reversed(menus):
        cheapest = reduce(least, (candidate.use for candidate in menu))
        rest.append(together(cheapest, rest[-1]))
    rest.reverse()
    found = []

    def too_dear(cost):
        best = found[-1][0] if found else math.inf
        return cost >= (best if ceiling is None else ceiling)

    def extend(chosen, use):
        at_least = together(use, rest[len(chosen)])
        opening = cheapest_opening(coupled, at_least)
        if opening is None or any(violated(inst, coupled, at_least)):
            return
        cost = at_least.cost + opening[0]
        if too_dear(cost):
            return
        if len(chosen) == len(menus):
            found.append((cost, chosen, opening[1]))
            return
        for candidate in menus[len(chosen)]:
            cheapest = use.cost + candidate.use.cost + rest[len(chosen) + 1].cost
            if too_dear(cheapest + coupled.existing_cost):
                break  # So would all that follow.
            extend([*chosen, candidate], together(use, candidate.use))

    extend([], nothing(inst, coupled))
    return found


# --- Each participant alone -----------------------------------------------------------------------


def standalone(inst):
    """Each participant's share of the cost of the best plan without cooperation [USD/year].

    Its own holding, shortage and shipping, facilities apart. Empty where there is no such plan.
    """
    shares = alone_shares(inst)
    return shares[0] if shares else {}


def standalone_is_unique(inst):
    """Whether all best plans without cooperation give the same shares."""
    shares = alone_shares(inst)
    return all(
        math.isclose(share[c], shares[0][c], rel_tol=1e-11, abs_tol=1e-9)
        for share in shares
        for c in share
    )


def alone_shares(inst):
    """Shares of every plan without cooperation that costs as much as the optimum, that one first.

    A candidate that takes no less than a cheaper one is left out: by the difference in cost no plan
    with it can be a tie. Of candidates that take and share exactly the same, one is enough.
    """
    if "alone" in inst["cache"]:
        return inst["cache"]["alone"]
    coupled = couplings(inst, "none")
    menus = [candidates(inst, coupled, "none", m) for m in inst["materials"]]
    plans = search(inst, coupled, [undominated(menu) for menu in menus])
    if plans:
        margin = TIE * max(1.0, plans[-1][0])
        distinct = [
            list({(x.use, cost_share(inst, x)): x for x in menu}.values()) for menu in menus
        ]
        near = [undominated(menu, margin) for menu in distinct]
        plans = search(inst, coupled, near, plans[-1][0] + margin)
    plans.sort(key=lambda plan: plan[0])
    inst["cache"]["alone"] = [share_of(inst, chosen) for _, chosen, _ in plans]
    return inst["cache"]["alone"]


def cost_share(inst, candidate):
    """What each participant bears of a candidate, in the order of their table."""
    return tuple(sum(candidate.evaluation.costs[c].values()) for c in inst["participants"])


def share_of(inst, chosen):
    """What each participant bears of a plan."""
    parts = zip(*(cost_share(inst, candidate) for candidate in chosen), strict=True)
    return dict(zip(inst["participants"], map(sum, parts), strict=True))


# --- A plan on its own ----------------------------------------------------------------------------


def check_plan(inst, cooperation, plan):
    """Names of all couplings, promises and limits on holdings that a plan breaks."""
    coupled = couplings(inst, cooperation)
    broken = []
    use = nothing(inst, coupled)
    for material in inst["materials"]:
        lots, rules = plan.lots[material], plan.rules[material]
        evaluation = oracle.evaluate(inst, material, cooperation, lots, rules)
        broken += [f"{t.metric} of {material}" for t, met in evaluation.met.items() if not met]
        broken += [
            f"lots of {material} of {c}"
            for c, n in lots.items()
            if n not in oracle.lot_range(inst, c, material)
        ]
        use = together(use, use_of(inst, coupled, material, lots, rules, evaluation))
    broken += violated(inst, coupled, use)
    broken += [f"{name} is closed" for name in coupled.existing - plan.facilities]
    for room, tonnes in zip(coupled.rooms, use.stored, strict=True):
        if not within(tonnes, capacity(inst, room, plan.facilities)):
            broken.append(room.name)
    return broken


def capacity(inst, room, facilities):
    """Tonnes that fit into the open facilities of a room."""
    return float(
        sum(
            oracle.number(row, "capacity_t")
            for row in inst["facilities"]
            if row["participant"] in room.participants
            and row["storage_kind"] == room.kind
            and row["facility"] in facilities
        )
    )


def cost_of(inst, cooperation, plan):
    """Yearly cost of a plan [USD], equation (9)."""
    materials = sum(
        oracle.evaluate(inst, m, cooperation, plan.lots[m], plan.rules[m]).annual_cost
        for m in inst["materials"]
    )
    return materials + fixed_cost(
        row for row in inst["facilities"] if row["facility"] in plan.facilities
    )
