"""Equations (1) to (8) of the formulation, once more, slowly, for testing the solver.

Nothing here is shared with the package: the tables are read again, needs are computed again in
exact fractions, a month is simulated again in plain loops, and the optimum is found by trying
every combination of lots and rules. Standard library only.

Quantities are tonnes, money is USD, time is months, rates are fractions. A *stream* is a pair
(beneficiary, demand class); every function works on one material at a time.

    inst = read(folder)
    best = enumerate_material(inst, "gallium", "sharing")
    plan = evaluate(inst, "gallium", "sharing", best.lots, best.rules)
"""

import csv
import itertools
import math
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

TOLERANCE = Fraction(1, 10**9)


# --- Reading -----------------------------------------------------------------------------------


def rows(folder, table):
    """The rows of a table as dictionaries of stripped text; none where there is no such table."""
    path = Path(folder) / f"{table}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {column: (cell or "").strip() for column, cell in row.items()}
            for row in csv.DictReader(file)
        ]


def number(row, column, default=None):
    """The cell as an exact fraction, or the default where the cell is empty or missing."""
    cell = row.get(column, "")
    return Fraction(cell) if cell else (None if default is None else Fraction(default))


def names(row, column, everything):
    """The names a cell lists; all of them for ``*`` and for an empty cell."""
    cell = row.get(column, "")
    if cell in ("", "*"):
        return list(everything)
    return [item.strip() for item in cell.split(";")]


def read(folder):
    """An instance folder with explicit scenarios as a dictionary; numbers are exact fractions."""
    with (Path(folder) / "instance.toml").open("rb") as file:
        settings = tomllib.load(file, parse_float=Fraction)
    inst = {
        "horizon": settings["horizon_months"],
        "allocation": settings.get("allocation", "priority"),
        "participants": [row["participant"] for row in rows(folder, "participants")],
        "materials": [row["material"] for row in rows(folder, "materials")],
        "cache": {},
    }
    participants, materials = inst["participants"], inst["materials"]
    by_priority = sorted(rows(folder, "classes"), key=lambda row: number(row, "priority"))
    classes = inst["classes"] = [row["demand_class"] for row in by_priority]

    inst["discount_rate"], inst["refill"], inst["budget"] = {}, {}, {}
    for row in rows(folder, "participants"):
        inst["discount_rate"][row["participant"]] = number(row, "discount_rate_per_year", 0)
        inst["refill"][row["participant"]] = number(row, "refill_per_month", 0)
        inst["budget"][row["participant"]] = number(row, "acquisition_budget_usd")

    inst["lot"], inst["price"], inst["rotation"], inst["storage"] = {}, {}, {}, {}
    inst["storage_kind"], inst["world_supply"], inst["price_impact"] = {}, {}, {}
    for row in rows(folder, "materials"):
        material = row["material"]
        inst["storage_kind"][material] = row.get("storage_kind") or "warehouse"
        inst["world_supply"][material] = number(row, "world_supply_t_per_year")
        inst["price_impact"][material] = number(row, "price_impact", 0)
        inst["lot"][material] = number(row, "lot_t")
        inst["price"][material] = 1000 * number(row, "price_usd_per_kg")  # USD per tonne
        inst["rotation"][material] = number(row, "rotation_rate_per_year", 0)
        inst["storage"][material] = number(row, "storage_usd_per_t_year", 0)

    inst["demand"] = dict.fromkeys(itertools.product(participants, materials, classes), Fraction(0))
    for row in rows(folder, "demand"):
        key = row["participant"], row["material"], row["demand_class"]
        inst["demand"][key] = number(row, "demand_t_per_year")

    inst["share"] = {pair: {} for pair in itertools.product(participants, materials)}
    for row in rows(folder, "supply"):
        pair = row["participant"], row["material"]
        inst["share"][pair][row["source"]] = number(row, "share")

    inst["shortage_cost"] = shortage_costs(
        inst, by_priority, rows(folder, "shortage")
    )  # USD per tonne

    inst["existing_t"], inst["min_t"], inst["max_t"] = {}, {}, {}
    for pair in itertools.product(participants, materials):
        inst["existing_t"][pair] = Fraction(0)
        inst["min_t"][pair] = Fraction(0)
        inst["max_t"][pair] = yearly_demand(inst, *pair, classes)
    for row in rows(folder, "holdings"):
        pair = row["participant"], row["material"]
        inst["existing_t"][pair] = number(row, "existing_t", 0)
        inst["min_t"][pair] = number(row, "min_t", 0)
        inst["max_t"][pair] = number(row, "max_t", inst["max_t"][pair])

    inst["probability"] = {
        row["scenario"]: number(row, "probability") for row in rows(folder, "scenarios")
    }
    inst["events"] = {scenario: [] for scenario in inst["probability"]}
    for row in rows(folder, "events"):
        inst["events"][row["scenario"]].append(event(inst, row))
    inst["stress"] = {}
    for row in rows(folder, "stress"):
        inst["stress"].setdefault(row["stress"], []).append(event(inst, row))

    inst["rules"] = {}
    for row in rows(folder, "rules"):
        table = inst["rules"].setdefault(row["rule"], {})
        for relation in names(row, "relation", ["own", "partner"]):
            for demand_class in names(row, "demand_class", classes):
                table.setdefault((relation, demand_class), []).append(
                    {
                        "from_month": int(number(row, "from_month", 0)),
                        "reserve_level": number(row, "reserve_level", 0),
                        "draw_limit": number(row, "draw_limit_per_month", 1),
                        "trigger_loss": number(row, "trigger_loss", 0),
                    }
                )

    inst["transfers"] = {
        (row["from_participant"], row["to_participant"]): {
            "lag": int(number(row, "lag_months", 0)),
            "cost": number(row, "cost_usd_per_t", 0),
        }
        for row in rows(folder, "transfers")
    }

    inst["industry_stock"] = dict.fromkeys(inst["share"], Fraction(0))
    inst["thrift"] = {}
    for row in rows(folder, "commercial"):
        pair = row["participant"], row["material"]
        for demand_class in names(row, "demand_class", classes):
            daily_use = inst["demand"][(*pair, demand_class)] / 365
            inst["industry_stock"][pair] += number(row, "industry_days", 0) * daily_use
            inst["thrift"][(*pair, demand_class)] = {
                "share": number(row, "thrift_share", 0),
                "after": number(row, "thrift_after_months", 0),
            }

    inst["coverage"] = rows(folder, "coverage")
    inst["agreement"] = settings.get("agreement", {})
    inst["risk"] = settings.get("risk", {})
    inst["facilities"] = rows(folder, "facilities")
    return inst


def event(inst, row):
    """One row of ``events.csv`` or ``stress.csv``."""
    start = int(number(row, "start_month"))
    return {
        "effect": row.get("effect") or "supply_loss",
        "source": row.get("source", ""),
        "materials": names(row, "materials", inst["materials"]),
        "targets": names(row, "targets", inst["participants"]),
        "classes": names(row, "demand_class", inst["classes"]),
        "months": range(start, start + int(number(row, "duration_months"))),
        "severity": number(row, "severity"),
    }


def shortage_costs(inst, class_rows, shortage_rows):
    """Cost of a missing tonne [USD/t] by (participant, material, class).

    Price times the multiple of the class, unless ``shortage.csv`` has a row that matches; of
    several the one that names most.
    """
    multiple = {row["demand_class"]: number(row, "shortage_cost_multiple", 0) for row in class_rows}
    costs = {}
    for key in itertools.product(inst["participants"], inst["materials"], inst["classes"]):
        _, material, demand_class = key
        costs[key] = inst["price"][material] * multiple[demand_class]
        most_named = -1
        for row in shortage_rows:
            columns = "participant", "material", "demand_class"
            matches = all(
                name in names(row, column, [name])
                for name, column in zip(key, columns, strict=True)
            )
            named = sum(row.get(column, "") not in ("", "*") for column in columns)
            if matches and named > most_named:
                most_named = named
                costs[key] = 1000 * number(row, "shortage_cost_usd_per_kg")
    return costs


def yearly_demand(inst, participant, material, classes):
    """Normal demand of some classes [t/year]."""
    return sum((inst["demand"][participant, material, k] for k in classes), Fraction(0))


# --- Needs, equations (1) to (3) ----------------------------------------------------------------


def loss(inst, participant, material, events, month):
    """Fraction of normal supply lost in a month, equation (1)."""
    lost = Fraction(0)
    for source, share in inst["share"][participant, material].items():
        left = Fraction(1)
        for e in events:
            if (
                e["effect"] == "supply_loss"
                and e["source"] == source
                and material in e["materials"]
                and participant in e["targets"]
                and month in e["months"]
            ):
                left *= 1 - e["severity"]
        lost += share * (1 - left)
    return lost


def surged_demand(inst, participant, material, events, month):
    """Demand of a month by class [t], with the surges of all active events added up."""
    demand = {}
    for k in inst["classes"]:
        surge = Fraction(0)
        for e in events:
            if (
                e["effect"] == "demand_surge"
                and k in e["classes"]
                and material in e["materials"]
                and participant in e["targets"]
                and month in e["months"]
            ):
                surge += e["severity"]
        demand[k] = inst["demand"][participant, material, k] / 12 * (1 + surge)
    return demand


def supply_gap(inst, participant, material, events, month, added=0):
    """What supply leaves of the month's demand [t], equation (2); added comes on top of normal."""
    demand = surged_demand(inst, participant, material, events, month)
    normal = yearly_demand(inst, participant, material, inst["classes"]) / 12
    lost = loss(inst, participant, material, events, month)
    return max(Fraction(0), sum(demand.values()) - (1 - lost) * normal - added)


def fall_on_classes(inst, gap, demand):
    """The part of a supply gap [t] that each class bears, equation (3) without stock and thrift."""
    if inst["allocation"] == "pro_rata":
        total = sum(demand.values())
        return {k: gap * demand[k] / total if total else Fraction(0) for k in demand}
    borne = {}
    for k in reversed(inst["classes"]):  # The lowest priority bears the gap first.
        borne[k] = min(gap, demand[k])
        gap -= borne[k]
    return borne


def history(inst, material, events, added=None):
    """What every month brings, whatever is held: one dictionary a month.

    ``added`` tells what a participant gets in a month on top of normal supply [t]: nothing where it
    is None.

    ``loss``, ``gap`` and ``age`` by participant, ``blocked`` (participants that may not ship) and
    ``need`` [t] by stream, equation (3), only where something is needed.
    """
    age = dict.fromkeys(inst["participants"], 0)
    pool = {c: inst["industry_stock"][c, material] for c in inst["participants"]}
    months = []
    for t in range(1, inst["horizon"] + 1):
        month = {"loss": {}, "gap": {}, "age": dict(age), "blocked": set(), "need": {}}
        for c in inst["participants"]:
            gap = supply_gap(inst, c, material, events, t, added(c, t) if added else 0)
            month["loss"][c] = loss(inst, c, material, events, t)
            month["gap"][c] = gap

            # Commercial stock: drawn first, refilled by a sixth of its size in a month without gap.
            size = inst["industry_stock"][c, material]
            from_pool = min(pool[c], gap)
            pool[c] = pool[c] - from_pool if gap > 0 else min(size, pool[c] + size / 6)

            demand = surged_demand(inst, c, material, events, t)
            for k, need in fall_on_classes(inst, gap - from_pool, demand).items():
                thrift = inst["thrift"].get((c, material, k))
                if thrift and age[c] >= thrift["after"]:
                    need *= 1 - thrift["share"]
                if need > 0:
                    month["need"][c, k] = need
            age[c] = age[c] + 1 if gap > 0 else 0
        for e in events:
            if e["effect"] == "sharing_blocked" and t in e["months"] and material in e["materials"]:
                month["blocked"].update(e["targets"])
        months.append(month)
    return months


def needs(inst, material, scenario, stress=False):
    """`history` of a scenario, or of a case of ``stress.csv``, computed once."""
    key = material, scenario, stress
    if key not in inst["cache"]:
        events = inst["stress" if stress else "events"][scenario]
        inst["cache"][key] = history(inst, material, events)
    return inst["cache"][key]


# --- One month after the other, equations (4) to (6) --------------------------------------------


class Step(NamedTuple):
    """A stream may take from an owner's stock this month: its gate is open."""

    owner: str
    stream: tuple
    reserve_level: float
    draw_limit: float
    cost: float  # Shipping, USD per tonne


def rule_row(inst, rule, relation, demand_class, age):
    """The row of a rule that holds at an age, or None: never served."""
    started = [
        row
        for row in inst["rules"][rule].get((relation, demand_class), [])
        if row["from_month"] <= age
    ]
    return max(started, key=lambda row: row["from_month"]) if started else None


def open_steps(inst, material, month, rules, sharing):
    """The steps of a month whose gate is open, in their order; only streams that need something.

    By class in order of priority: first everybody from its own stock, then every beneficiary from
    every partner's stock.
    """
    steps = []

    def add(owner, beneficiary, k, relation, cost):
        row = rule_row(inst, rules[owner], relation, k, month["age"][beneficiary])
        if row and month["loss"][beneficiary] >= row["trigger_loss"] - TOLERANCE:
            levels = float(row["reserve_level"]), float(row["draw_limit"])
            steps.append(Step(owner, (beneficiary, k), *levels, float(cost)))

    for k in inst["classes"]:
        needy = [c for c in inst["participants"] if (c, k) in month["need"]]
        for c in needy:
            add(c, c, k, "own", 0)
        if not sharing:
            continue
        for beneficiary in needy:
            for owner in inst["participants"]:
                transfer = inst["transfers"].get((owner, beneficiary))
                if (
                    owner != beneficiary
                    and transfer
                    and transfer["cost"] <= inst["shortage_cost"][beneficiary, material, k]
                    and month["age"][beneficiary] >= transfer["lag"]
                    and owner not in month["blocked"]
                ):
                    add(owner, beneficiary, k, "partner", transfer["cost"])
    return steps


class Case(NamedTuple):
    """A scenario as the simulation of one choice of rules needs it: lists by month."""

    needs: list  # {stream: t}
    steps: list  # [Step]


def case(inst, material, scenario, rules, sharing, stress=False):
    """The needs and the open steps of every month of a scenario."""
    months = needs(inst, material, scenario, stress)
    return Case(
        [{stream: float(need) for stream, need in month["need"].items()} for month in months],
        [open_steps(inst, material, month, rules, sharing) for month in months],
    )


def run(inst, months, holding, log=None):
    """Simulate a case from full stocks.

    Returns unserved tonnes by stream and the shipping cost [USD] by beneficiary; ``log`` collects
    a dictionary a month of releases by step, unserved by stream, and stocks at the month's end.
    """
    stock = dict(holding)
    unserved, shipping = {}, {}
    for need, steps in zip(months.needs, months.steps, strict=True):
        left = dict(need)
        releases = []
        for owner, stream, reserve_level, draw_limit, cost in steps:
            h = holding[owner]
            released = min(left[stream], max(0.0, stock[owner] - reserve_level * h), draw_limit * h)
            left[stream] -= released  # (4), with yield 1 and no plant
            stock[owner] -= released  # (5)
            if cost:
                shipping[stream[0]] = shipping.get(stream[0], 0.0) + cost * released
            if log is not None:
                releases.append((owner, stream[0], stream[1], released))
        for stream, tonnes in left.items():
            unserved[stream] = unserved.get(stream, 0.0) + tonnes
        if not need:  # (6)
            for owner, h in holding.items():
                stock[owner] = min(h, stock[owner] + float(inst["refill"][owner]) * h)
        if log is not None:
            log.append({"releases": releases, "unserved": left, "stock": dict(stock)})
    return unserved, shipping


def simulate(inst, material, scenario, lots, rules, sharing=True, stress=False):
    """Every month of a scenario under a plan.

    Parameters
    ----------
    lots, rules : number of lots and name of the rule by participant.
    sharing : False shuts every partner step.
    stress : True if the scenario is a case of ``stress.csv``.

    Returns
    -------
    A list by month of ``releases`` [(owner, beneficiary, class, t)], in the order of the steps,
    ``unserved`` {(beneficiary, class): t} and ``stock`` {owner: t} at the month's end.
    """
    log = []
    holding = {c: float(inst["lot"][material] * lots[c]) for c in inst["participants"]}
    run(inst, case(inst, material, scenario, rules, sharing, stress), holding, log)
    return log


# --- Cost and coverage, equation (7) and the table of metrics -----------------------------------


class Target(NamedTuple):
    """One promise for one material. A pool's participants and classes are joined by ``;``."""

    participant: str
    demand_class: str
    metric: str
    level: Fraction
    confidence: Fraction | None
    stress: str
    group: str
    sharing: str


def targets(inst, material):
    """The rows of ``coverage.csv`` for a material, one target for every participant and class.

    A row of ``days`` speaks of its classes together. Rows of a group are one target, `Pool`.
    Rows of ``joint_chance`` speak of several materials and are left to `coupled_oracle`.
    """
    found, pools = [], {}
    for row in inst["coverage"]:
        if row["metric"] == "joint_chance":
            continue
        if material not in names(row, "material", inst["materials"]):
            continue
        for c in names(row, "participant", inst["participants"]):
            classes = [[k] for k in names(row, "demand_class", inst["classes"])]
            if row["metric"] == "days":
                classes = [list(itertools.chain(*classes))]
            for named in classes:
                target = Target(
                    c,
                    ";".join(named),
                    row["metric"],
                    number(row, "level"),
                    number(row, "confidence"),
                    row.get("stress", ""),
                    row.get("group", "") if row["metric"] == "days" else "",
                    row.get("sharing", "") or "on",
                )
                if target.group:
                    pools.setdefault(target.group, []).append(target)
                else:
                    found.append(target)
    return found + [Pool(group, tuple(members)) for group, members in pools.items()]


class Pool(NamedTuple):
    """Targets in days that participants meet together: only the sums have to fit."""

    group: str
    members: tuple
    metric = "days"
    sharing = "on"


def days(inst, material, target, lots):
    """Days of normal demand that are held, and the days to be held.

    Of a pool: its holdings over its members' demand, and the days that the sum of their
    requirements comes to. Infinite where there is no demand.
    """
    members = target.members if isinstance(target, Pool) else [target]
    held = sum(inst["lot"][material] * lots[c] for c in {member.participant for member in members})
    demand = [
        yearly_demand(inst, member.participant, material, member.demand_class.split(";"))
        for member in members
    ]
    total = sum(demand)
    if not total:
        return math.inf, Fraction(0)
    required = sum(member.level * d for member, d in zip(members, demand, strict=True)) / total
    return 365 * held / total, required


def worst_mean(served, probability, mass):
    """Mean of what is served over the worst ``mass`` of probability; the last case in part."""
    left, total = mass, 0.0
    for v, p in sorted(zip(served, probability, strict=True)):
        part = min(p, left)
        total += part * v
        left -= part
        if left <= 0:
            break
    return total / mass


class Evaluation(NamedTuple):
    """What a candidate costs and keeps."""

    annual_cost: float  # USD per year
    achieved: dict  # {target: achieved}
    feasible: bool
    costs: dict  # {participant: {"holding": ..., "shortage": ..., "shipping": ...}}, USD per year
    met: dict  # {target: bool}
    unserved: dict  # {scenario: {(beneficiary, class): t}}
    alone: dict  # The same without any partner's release; empty where no floor asks for it


class Cases(NamedTuple):
    """All simulations that one choice of rules needs."""

    scenarios: dict  # {scenario: Case}
    floors: dict  # The same without any partner's release; empty where no floor asks for it
    stress: dict  # {(stress case, sharing "on" or "off"): Case}
    targets: list


def cases(inst, material, cooperation, rules):
    """Prepare the simulations of a choice of rules."""
    sharing = cooperation != "none"
    asked = targets(inst, material)
    simulated = [target for target in asked if target.metric != "days"]
    floor = any(target.sharing == "off" and not target.stress for target in simulated)
    floor = floor or any(
        row["metric"] == "joint_chance" and row.get("sharing") == "off" for row in inst["coverage"]
    )
    scenarios, floors, stress = {}, {}, {}
    for s in inst["probability"]:
        scenarios[s] = case(inst, material, s, rules, sharing)
        if floor:
            floors[s] = case(inst, material, s, rules, False)
    for target in simulated:
        if target.metric == "stress":
            open_to_partners = sharing and target.sharing == "on"
            stress[target.stress, target.sharing] = case(
                inst, material, target.stress, rules, open_to_partners, stress=True
            )
    return Cases(scenarios, floors, stress, asked)


def total_needs(inst, material, scenario, stress=False):
    """Need over the whole horizon [t] by stream."""
    key = "total", material, scenario, stress
    if key not in inst["cache"]:
        total = {}
        for month in needs(inst, material, scenario, stress):
            for stream, need in month["need"].items():
                total[stream] = total.get(stream, 0) + need
        inst["cache"][key] = {stream: float(need) for stream, need in total.items()}
    return inst["cache"][key]


def served_fraction(need, unserved, stream):
    """v = 1 - u/need of a stream in a scenario; 1 where nothing is needed."""
    return 1.0 - unserved[stream] / need[stream] if stream in need else 1.0


def kept(target, stream, probability, need, missing):
    """What a promise over all scenarios comes to for a stream, and what it has to come to.

    Needs and missing tonnes are given by scenario and stream.
    """
    served = [served_fraction(need[s], missing[s], stream) for s in probability]
    if target.metric == "fill_rate":
        needed = sum(p * need[s].get(stream, 0.0) for s, p in probability.items())
        lacking = sum(p * missing[s].get(stream, 0.0) for s, p in probability.items())
        return (1.0 - lacking / needed if needed else 1.0), float(target.level)
    if target.metric == "chance":
        level = float(target.level) - float(TOLERANCE)
        hit = zip(served, probability.values(), strict=True)
        return sum(p for v, p in hit if v >= level), float(target.confidence)
    if target.metric == "cvar":
        mass = float(1 - target.confidence)
        return worst_mean(served, probability.values(), mass), float(target.level)
    raise ValueError(f"The oracle does not know the metric {target.metric}.")


def judge(inst, material, prepared, lots):
    """Cost and coverage of a candidate whose rules are prepared; see `evaluate`."""
    probability = {s: float(p) for s, p in inst["probability"].items()}
    holding = {c: float(inst["lot"][material] * lots[c]) for c in inst["participants"]}

    # (7) cost: capital, rotation and storage of what is held ...
    costs = {}
    for c in inst["participants"]:
        rate = inst["discount_rate"][c] + inst["rotation"][material]
        per_tonne = inst["price"][material] * rate + inst["storage"][material]
        costs[c] = {"holding": holding[c] * float(per_tonne), "shortage": 0.0, "shipping": 0.0}
    # ... and the expected cost a year of what is missing and of what is shipped.
    unserved = {}
    per_year = 12 / inst["horizon"]
    for s, months in prepared.scenarios.items():
        unserved[s], shipping = run(inst, months, holding)
        for (c, k), tonnes in unserved[s].items():
            worth = float(inst["shortage_cost"][c, material, k])
            costs[c]["shortage"] += per_year * probability[s] * worth * tonnes
        for c, usd in shipping.items():
            costs[c]["shipping"] += per_year * probability[s] * usd

    alone = {s: run(inst, months, holding)[0] for s, months in prepared.floors.items()}
    stressed = {key: run(inst, months, holding)[0] for key, months in prepared.stress.items()}

    achieved, met = {}, {}
    for target in prepared.targets:
        if target.metric == "days":
            value, required = days(inst, material, target, lots)
            achieved[target] = float(value)
            met[target] = value >= required - TOLERANCE
            continue
        stream = target.participant, target.demand_class
        required = float(target.level)
        if target.metric == "stress":
            need = total_needs(inst, material, target.stress, stress=True)
            left = stressed[target.stress, target.sharing]
            value = served_fraction(need, left, stream)
        else:
            missing = alone if target.sharing == "off" else unserved
            need = {s: total_needs(inst, material, s) for s in probability}
            value, required = kept(target, stream, probability, need, missing)
        achieved[target] = value
        met[target] = value >= required - float(TOLERANCE)

    annual_cost = sum(sum(parts.values()) for parts in costs.values())
    feasible = all(met.values())
    return Evaluation(annual_cost, achieved, feasible, costs, met, unserved, alone)


def evaluate(inst, material, cooperation, lots, rules):
    """Annual cost (7) and coverage of one candidate: lots and rule by participant.

    ``cooperation`` is ``none``, ``sharing`` or ``joint``; the last two only differ in budgets and
    facilities, which are not part of one material.
    """
    return judge(inst, material, cases(inst, material, cooperation, rules), lots)


# --- The optimum by trying everything -----------------------------------------------------------


class Best(NamedTuple):
    """The cheapest feasible candidate of a material; the first of several."""

    annual_cost: float  # USD per year
    lots: dict
    rules: dict


def lot_range(inst, participant, material):
    """Numbers of lots n with min_t <= lot_t n <= max_t, within 1e-9 relative."""
    lot = inst["lot"][material]
    low = inst["min_t"][participant, material] * (1 - TOLERANCE) / lot
    high = inst["max_t"][participant, material] * (1 + TOLERANCE) / lot
    return range(math.ceil(low), math.floor(high) + 1)


def count_candidates(inst, material):
    """Number of combinations of lots and rules that `enumerate_material` tries."""
    sizes = [len(lot_range(inst, c, material)) * len(inst["rules"]) for c in inst["participants"]]
    return math.prod(sizes)


def enumerate_material(inst, material, cooperation):
    """The cheapest feasible candidate of a material, or None; every one is simulated."""
    participants = inst["participants"]
    best = None
    for chosen in itertools.product(inst["rules"], repeat=len(participants)):
        rules = dict(zip(participants, chosen, strict=True))
        prepared = cases(inst, material, cooperation, rules)
        ranges = [lot_range(inst, c, material) for c in participants]
        for numbers in itertools.product(*ranges):
            lots = dict(zip(participants, numbers, strict=True))
            found = judge(inst, material, prepared, lots)
            if found.feasible and (best is None or found.annual_cost < best.annual_cost):
                best = Best(found.annual_cost, lots, rules)
    return best


def enumerate_plan(inst, cooperation):
    """Cost of the cheapest plan [USD/year], the sum over materials; None where one has no plan."""
    found = [enumerate_material(inst, material, cooperation) for material in inst["materials"]]
    if None in found:
        return None
    return sum(best.annual_cost for best in found)
