"""Blocks, paths, plants and the months of a chain, slowly, for testing the solver.

A block is a set of materials joined by conversions. Its months are simulated in plain loops, one
step of a fixed list after the other. `project_oracle` tells what is needed. Nothing is shared with
the package. Standard library only.

    inst = read(folder)
    log = simulate(inst, block, "embargo", lots, rules, states={})

A *stock* is a pair (owner, material), a *stream* a triple (beneficiary, material, class).
"""

import itertools
import math
from fractions import Fraction
from typing import NamedTuple

import oracle
import project_oracle
from oracle import TOLERANCE, number


def read(folder):
    """An instance folder as `project_oracle.read` gives it, with its plants."""
    inst = project_oracle.read(folder)
    inst["plants"] = [
        {
            "name": row["conversion"],
            "at": row["participant"],
            "from": row["from_material"],
            "to": row["to_material"],
            "yield": number(row, "yield"),
            "capacity": number(row, "capacity_t_per_month"),
            "lag": int(number(row, "lag_months")),
            "cost": number(row, "cost_usd_per_t"),
        }
        for row in oracle.rows(folder, "conversions")
    ]
    inst["plant_shares"] = {}
    for row in oracle.rows(folder, "plant_shares"):
        stream = row["participant"], row["material"], row["demand_class"]
        inst["plant_shares"].setdefault(row["conversion"], {})[stream] = number(row, "share")
    return inst


# --- The fixed list of steps ----------------------------------------------------------------------


def blocks(inst):
    """Materials that conversions join, as tuples in the order of the table."""
    groups = [{material} for material in inst["materials"]]
    for plant in inst["plants"]:
        if plant["capacity"]:  # A plant without capacity is no plant.
            joined = [group for group in groups if group & {plant["from"], plant["to"]}]
            groups = [group for group in groups if group not in joined] + [set().union(*joined)]
    ordered = [tuple(m for m in inst["materials"] if m in group) for group in groups]
    return sorted(ordered, key=lambda block: inst["materials"].index(block[0]))


def stocks(inst, block):
    return list(itertools.product(inst["participants"], block))


def ways(inst, material):
    """Sequences of plants (positions) that can follow each other from a material on."""

    def extend(sequence, seen):
        yield sequence
        for i, plant in enumerate(inst["plants"]):
            if plant["capacity"] and plant["from"] == seen[-1] and plant["to"] not in seen:
                yield from extend([*sequence, i], [*seen, plant["to"]])

    return list(extend([], [material]))


class Step(NamedTuple):
    """A stream may take from a stock along a path, if the gate is open."""

    stock: tuple
    stream: tuple
    plants: tuple  # Positions in the table of conversions
    after: tuple  # Product of the yields after each plant
    moved: frozenset  # {(shipper, material)}
    eta: Fraction
    shipping: Fraction  # USD per tonne served
    conversion: Fraction  # USD per tonne served
    lag: int  # Months


def path(inst, stock, stream, plants):
    """The step along some plants, or None where some pair on the way does not ship."""
    owner, material = stock
    places = [owner, *(inst["plants"][i]["at"] for i in plants), stream[0]]
    goods = [material, *(inst["plants"][i]["to"] for i in plants)]
    yields = [inst["plants"][i]["yield"] for i in plants]
    moved = set()
    shipping = conversion = Fraction(0)
    lag = 0
    for i, (a, b) in enumerate(itertools.pairwise(places)):
        if a != b:
            transfer = inst["transfers"].get((a, b))
            if transfer is None:
                return None
            moved.add((a, goods[i]))
            lag += transfer["lag"]
            shipping += transfer["cost"] / math.prod(yields[i:])
    after = tuple(math.prod(yields[i + 1 :], start=Fraction(1)) for i in range(len(plants)))
    for i, rest in zip(plants, after, strict=True):
        conversion += inst["plants"][i]["cost"] / rest
        lag += inst["plants"][i]["lag"]
    eta = math.prod(yields, start=Fraction(1))
    return Step(
        stock, stream, tuple(plants), after, frozenset(moved), eta, shipping, conversion, lag
    )


def step_list(inst, block, sharing):
    """All steps of a month in their order, those that cost more than the shortage left out."""
    key = "steps", block, sharing
    if key in inst["cache"]:
        return inst["cache"][key]
    steps = []
    for owner, material in stocks(inst, block):
        for plants in ways(inst, material):
            needed = inst["plants"][plants[-1]]["to"] if plants else material
            for beneficiary, k in itertools.product(inst["participants"], inst["classes"]):
                stream = beneficiary, needed, k
                places = {owner, beneficiary, *(inst["plants"][i]["at"] for i in plants)}
                if not sharing and len(places) > 1:
                    continue
                step = path(inst, (owner, material), stream, plants)
                if step and step.shipping + step.conversion <= inst["shortage_cost"][stream]:
                    steps.append(step)
    inst["cache"][key] = sorted(steps, key=lambda step: order(inst, step))
    return inst["cache"][key]


def order(inst, step):
    """What decides which of two steps comes first."""
    (owner, material), (beneficiary, needed, k) = step.stock, step.stream
    abroad = [i for i in step.plants if inst["plants"][i]["at"] != beneficiary]
    participants, materials = inst["participants"], inst["materials"]
    return (
        inst["classes"].index(k),
        owner != beneficiary,
        len(abroad),
        len(step.plants),
        participants.index(beneficiary),
        materials.index(needed),
        participants.index(owner),
        materials.index(material),
        step.plants,
    )


def hosts(inst, block, sharing):
    """Participants with a part in ways through plants that others use: their rules divide these."""
    return {
        participant
        for step in step_list(inst, block, sharing)
        for i in step.plants
        if {step.stock[0], step.stream[0]} != {inst["plants"][i]["at"]}
        for participant in (inst["plants"][i]["at"], step.stock[0])
    }


def ways_on(step):
    """The pools that a step draws on: (plant, stream, plants still to come)."""
    return [(i, step.stream, step.plants[n + 1 :]) for n, i in enumerate(step.plants)]


def pools(inst, steps):
    """Capacity [t/month] that each plant keeps for each stream and way on to it that a list has.

    The part of a stream is divided among its ways on in proportion to what the next plant of each
    can take in.
    """
    after = {}  # Product of the yields after the plant, by pool
    for step in steps:
        after |= dict(zip(ways_on(step), step.after, strict=True))
    largest = {}
    for (i, stream, _), rest in after.items():
        largest[i, stream] = max(rest, largest.get((i, stream), 0))

    def part(i, stream):
        given = inst["plant_shares"].get(inst["plants"][i]["name"])
        if given is not None:
            return given.get(stream, Fraction(0)) * inst["plants"][i]["capacity"]
        weight = {q: inst["demand"][q] / y for (j, q), y in largest.items() if j == i}
        total = sum(weight.values())
        return inst["plants"][i]["capacity"] * weight[stream] / total if total else Fraction(0)

    def pool(i, stream, way):
        if not way:
            return part(i, stream)
        takes = {
            other: pool(other[0], stream, other[1:]) / inst["plants"][other[0]]["yield"]
            for j, q, other in after
            if (j, q) == (i, stream)
        }
        total = sum(takes.values())
        return part(i, stream) * takes[way] / total if total else Fraction(0)

    return {key: pool(*key) for key in after}


# --- One month after the other, equations (4) to (6) --------------------------------------------


class Case(NamedTuple):
    """A scenario as the simulation of one choice of rules needs it."""

    months: list  # [({stream: t}, [step as numbers, see `open_steps`])]
    pools: dict  # {(plant, stream, plants still to come): t/month}


def case(inst, block, states, scenario, sharing, rules, stress=False):
    """Needs and open steps of every month of a scenario."""
    months = [
        (need, [numbers for step in steps if (numbers := opened(inst, rules, *step)) is not None])
        for need, steps in gates(inst, block, states, scenario, sharing, stress)
    ]
    divided = pools_under(inst, step_list(inst, block, sharing), rules)
    return Case(months, {pool: float(tonnes) for pool, tonnes in divided.items()})


def pools_under(inst, steps, rules):
    """The pools of the steps that the rules in force ever allow, worked out once."""
    served = tuple(step for step in steps if ever_allowed(inst, rules, step))
    key = "pools", served
    if key not in inst["cache"]:
        inst["cache"][key] = pools_that_lead_somewhere(inst, served)
    return inst["cache"][key]


def pools_that_lead_somewhere(inst, steps):
    """The pools of steps, those left out whose way is shut by a plant that has nothing for it."""
    divided = pools(inst, steps)
    open_ = [step for step in steps if all(divided[key] for key in ways_on(step))]
    if len(open_) == len(steps):
        return divided
    return pools_that_lead_somewhere(inst, open_)


def ever_allowed(inst, rules, step):
    """Whether the owner's rule serves such a need at all, and hosts abroad let partners in.

    A participant lets partners use its plants for a class if its rule has a row for partners of
    that class.
    """
    owner, (beneficiary, _, k) = step.stock[0], step.stream
    hosts = {inst["plants"][i]["at"] for i in step.plants} - {beneficiary}
    relation = "own" if owner == beneficiary else "partner"
    table = inst["rules"]
    return bool(table[rules[owner]].get((relation, k))) and all(
        table[rules[host]].get(("partner", k)) for host in hosts
    )


def gates(inst, block, states, scenario, sharing, stress):
    """By month: needs, and the steps that a rule may allow with age and loss of their market."""
    matter = tuple((p, states.get(p, "")) for p in project_oracle.relevant(inst, block))
    key = "gates", block, matter, scenario, sharing, stress
    if key in inst["cache"]:
        return inst["cache"][key]
    history = {m: project_oracle.needs(inst, m, scenario, states, stress) for m in block}
    found = []
    for t in range(inst["horizon"]):
        month = {m: history[m][t] for m in block}
        need = {(b, m, k): float(n) for m in block for (b, k), n in month[m]["need"].items()}
        steps = []
        for step in step_list(inst, block, sharing):
            beneficiary, needed, _ = step.stream
            age, loss = month[needed]["age"][beneficiary], month[needed]["loss"][beneficiary]
            vetoed = any(shipper in month[m]["blocked"] for shipper, m in step.moved)
            if step.stream in need and age >= step.lag and not vetoed:
                steps.append((step, age, loss))
        found.append((need, steps))
    inst["cache"][key] = found
    return found


def opened(inst, rules, step, age, loss):
    """A step as numbers, or None where the owner's rule keeps it shut."""
    if not ever_allowed(inst, rules, step):
        return None
    owner, (beneficiary, _, k) = step.stock[0], step.stream
    relation = "own" if owner == beneficiary else "partner"
    row = oracle.rule_row(inst, rules[owner], relation, k, age)
    if row is None or loss < row["trigger_loss"] - TOLERANCE:
        return None
    through = [(key, float(rest)) for key, rest in zip(ways_on(step), step.after, strict=True)]
    levels = float(row["reserve_level"]), float(row["draw_limit"])
    return (
        step.stock,
        step.stream,
        *levels,
        float(step.eta),
        through,
        float(step.shipping),
        float(step.conversion),
    )


def run(inst, prepared, holding, log=None):
    """Simulate a case from full stocks.

    Returns unserved tonnes, shipping cost and conversion cost [USD] by stream; ``log`` collects a
    dictionary a month of releases by step, unserved by stream, and stocks at the month's end.
    """
    stock = dict(holding)
    unserved, shipping, conversion = {}, {}, {}
    for need, steps in prepared.months:
        left = dict(need)
        pool = dict(prepared.pools) if steps else {}
        releases = []
        for source, stream, level, draw, eta, through, ship, convert in steps:
            h = holding[source]
            if not h or not left[stream]:
                continue
            r = min(left[stream], eta * max(0.0, stock[source] - level * h), eta * draw * h)
            for key, after in through:
                r = min(r, pool.get(key, 0.0) * after)
            left[stream] -= r  # (4)
            stock[source] -= r / eta  # (5)
            for key, after in through:
                pool[key] = max(0.0, pool.get(key, 0.0) - r / after)
            if ship:
                shipping[stream] = shipping.get(stream, 0.0) + ship * r
            if convert:
                conversion[stream] = conversion.get(stream, 0.0) + convert * r
            if log is not None:
                plants = tuple(inst["plants"][i]["name"] for (i, _, _), _ in through)
                releases.append((source, stream, plants, r))
        for stream, tonnes in left.items():
            unserved[stream] = unserved.get(stream, 0.0) + tonnes
        if not need:  # (6)
            for (owner, m), h in holding.items():
                stock[owner, m] = min(h, stock[owner, m] + float(inst["refill"][owner]) * h)
        if log is not None:
            log.append({"releases": releases, "unserved": left, "stock": dict(stock)})
    return unserved, shipping, conversion


def simulate(inst, block, scenario, lots, rules, states, sharing=True, stress=False):
    """Every month of a scenario under a plan, as `run` logs it: releases are (stock, stream, names
    of plants, t).

    Parameters
    ----------
    lots : number of lots by material and participant.
    rules : name of the rule by participant.
    states : state of every project, see `project_oracle`; one that is left out is not funded.
    sharing : False leaves only paths at home.
    stress : True if the scenario is a case of ``stress.csv``.
    """
    log = []
    prepared = case(inst, block, states, scenario, sharing, rules, stress)
    run(inst, prepared, holdings(inst, block, lots), log)
    return log


def holdings(inst, block, lots):
    return {(c, m): float(inst["lot"][m] * lots[m][c]) for c, m in stocks(inst, block)}
