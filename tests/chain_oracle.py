"""Plans for chains of materials and for projects, slowly, for testing the solver.

The optimum over projects, lots, rules and facilities is found by trying every combination, block
by block; combinations of blocks are searched completely. `chain_steps` simulates a block,
`project_oracle` tells what projects do to needs and cost, `coupled_oracle` what couples blocks.
Nothing is shared with the package. Standard library only.

    inst = chain_steps.read(folder)
    best = enumerate_chains(inst, "sharing")
    check_plan(inst, "sharing", best.plan)  # []
    cost_of(inst, "sharing", best.plan)  # best.annual_cost
"""

import itertools
import math
from typing import NamedTuple

import coupled_oracle
import oracle
import project_oracle
from chain_steps import blocks, case, holdings, hosts, run, stocks
from coupled_oracle import TIE, Candidate, Use
from oracle import TOLERANCE


class Plan(NamedTuple):
    """What governments could sign."""

    lots: dict  # {material: {participant: number of lots}}
    rules: dict  # {block: {participant: rule}}
    facilities: frozenset  # Names of the open ones, existing ones included
    projects: dict  # {project: state}


class Best(NamedTuple):
    """The cheapest plan that keeps all promises and couplings; the first of several."""

    annual_cost: float  # USD per year, equation (9)
    plan: Plan


def name_of(block):
    return "+".join(block)


# --- Cost and coverage of a candidate -----------------------------------------------------------


class Evaluation(NamedTuple):
    """What a candidate costs and keeps."""

    annual_cost: float  # USD per year
    costs: dict  # {(participant, material): {"holding": ..., "shortage": ..., ...}}, USD per year
    achieved: dict  # {(material, target): achieved}
    met: dict  # {(material, target): bool}
    feasible: bool
    shortage: tuple  # USD per year of what is missing, by scenario
    unserved: dict  # {scenario: {stream: t}}
    alone: dict  # The same without any partner's release


class Cases(NamedTuple):
    """All simulations that one choice of projects and rules needs; see `oracle.Cases`."""

    scenarios: dict
    floors: dict
    stress: dict
    targets: list  # [(material, target)]


def cases(inst, block, cooperation, states, rules):
    """Prepare the simulations of a choice of rules."""
    sharing = cooperation != "none"
    asked = [(m, target) for m in block for target in oracle.targets(inst, m)]
    scenarios = {s: case(inst, block, states, s, sharing, rules) for s in inst["probability"]}
    floors = {}
    if has_floors(inst):
        floors = {s: case(inst, block, states, s, False, rules) for s in inst["probability"]}
    stress = {}
    for _, target in asked:
        if target.metric == "stress":
            partners = sharing and target.sharing == "on"
            stress[target.stress, target.sharing] = case(
                inst, block, states, target.stress, partners, rules, stress=True
            )
    return Cases(scenarios, floors, stress, asked)


def has_floors(inst):
    """Whether some promise has to be kept without any partner's release."""
    return any(row.get("sharing") == "off" for row in inst["coverage"])


def judge(inst, block, states, prepared, lots):
    """Cost (7) and coverage of a candidate whose rules are prepared."""
    probability = {s: float(p) for s, p in inst["probability"].items()}
    holding = holdings(inst, block, lots)
    costs = {}
    for c, m in stocks(inst, block):
        rate = inst["discount_rate"][c] + inst["rotation"][m]
        per_tonne = float(inst["price"][m] * rate + inst["storage"][m])
        costs[c, m] = dict.fromkeys(["holding", "shortage", "shipping", "conversion"], 0.0)
        costs[c, m]["holding"] = holding[c, m] * per_tonne
    unserved, shortage = {}, []
    worth = project_oracle.worth(inst)
    for s, months in prepared.scenarios.items():
        unserved[s], shipping, conversion = run(inst, months, holding)
        weight = 12 / inst["horizon"] * probability[s]
        for (c, m, k), tonnes in unserved[s].items():
            costs[c, m]["shortage"] += weight * worth[c, m, k] * tonnes
        missing = sum(worth[stream] * tonnes for stream, tonnes in unserved[s].items())
        shortage.append(12 / inst["horizon"] * missing)
        for name, usd in [("shipping", shipping), ("conversion", conversion)]:
            for (c, m, _), amount in usd.items():
                costs[c, m][name] += weight * amount

    alone = {s: run(inst, months, holding)[0] for s, months in prepared.floors.items()}
    stressed = {key: run(inst, months, holding)[0] for key, months in prepared.stress.items()}
    achieved, met = {}, {}
    for m, target in prepared.targets:
        achieved[m, target], required = promised(
            inst, m, target, states, lots, alone if target.sharing == "off" else unserved, stressed
        )
        met[m, target] = achieved[m, target] >= required - TOLERANCE
    annual_cost = sum(sum(parts.values()) for parts in costs.values())
    feasible = all(met.values())
    return Evaluation(annual_cost, costs, achieved, met, feasible, tuple(shortage), unserved, alone)


def promised(inst, material, target, states, lots, missing, stressed):
    """What a promise comes to, and what it has to come to."""
    if target.metric == "days":
        return oracle.days(inst, material, target, lots[material])
    stream = target.participant, target.demand_class
    if target.metric == "stress":
        need = needed(inst, material, target.stress, states, stress=True)
        left = of_material(material, stressed[target.stress, target.sharing])
        return oracle.served_fraction(need, left, stream), float(target.level)
    probability = {s: float(p) for s, p in inst["probability"].items()}
    need = {s: needed(inst, material, s, states) for s in probability}
    left = {s: of_material(material, missing[s]) for s in probability}
    return oracle.kept(target, stream, probability, need, left)


def needed(inst, material, scenario, states, stress=False):
    """`project_oracle.total_needs`, computed once."""
    matter = tuple((p, states.get(p, "")) for p in project_oracle.relevant(inst, [material]))
    key = "total needs", material, scenario, stress, matter
    if key not in inst["cache"]:
        total = project_oracle.total_needs(inst, material, scenario, states, stress)
        inst["cache"][key] = total
    return inst["cache"][key]


def of_material(material, unserved):
    return {(b, k): tonnes for (b, m, k), tonnes in unserved.items() if m == material}


def use_of(inst, coupled, sharing, block, states, lots, rules, evaluation):
    """What a candidate of a block takes of the couplings."""
    share = dict.fromkeys(inst["participants"], 0.0)
    for (c, _), parts in evaluation.costs.items():
        share[c] += sum(parts.values())
    spent = dict.fromkeys(inst["participants"], 0.0)
    if any(limit.measure == "outlay" for limit in coupled.limits):
        for m in block:
            for c, usd in coupled_oracle.outlay(inst, m, lots[m]).items():
                spent[c] += usd
    measures = {"cost share": share, "outlay": spent}
    in_use = frozenset(
        (c, rules[c])
        for c in rules
        if any(lots[m][c] for m in block) or c in hosts(inst, block, sharing)
    )
    return Use(
        evaluation.annual_cost,
        tuple(sum(measures[x.measure][c] for c in x.participants) for x in coupled.limits),
        tuple(
            sum(coupled_oracle.stored(inst, m, lots[m], room) for m in block)
            for room in coupled.rooms
        ),
        in_use if coupled.max_rules is not None else frozenset(),
        tuple(covered(inst, block, states, group, evaluation) for group in coupled.groups),
        evaluation.shortage if coupled.cvar else (),
    )


def covered(inst, block, states, group, evaluation):
    """Scenarios in which all rows of a group are kept, as far as they name these materials."""

    def keeps(row, m, scenario):
        missing = evaluation.alone if row.sharing == "off" else evaluation.unserved
        need = needed(inst, m, scenario, states)
        left = of_material(m, missing[scenario])
        return all(
            oracle.served_fraction(need, left, stream) >= row.level - 1e-9 for stream in row.streams
        )

    return frozenset(
        s
        for s in inst["probability"]
        if all(keeps(row, m, s) for row in group.rows for m in block if m in row.materials)
    )


# --- The optimum ----------------------------------------------------------------------------------


def evaluations(inst, cooperation, block, states):
    """All candidates of a block that keep its own promises: [(lots, rules, evaluation)].

    Who holds nothing releases nothing: the first rule stands for all, unless others use its
    plants.
    """
    matter = tuple((p, states[p]) for p in project_oracle.relevant(inst, block))
    key = "candidates", cooperation == "none", block, matter, has_floors(inst)
    if key in inst["cache"]:
        return inst["cache"][key]
    participants, first = inst["participants"], next(iter(inst["rules"]))
    ranges = [oracle.lot_range(inst, c, m) for c, m in stocks(inst, block)]
    hosting = hosts(inst, block, cooperation != "none")
    found = []
    for chosen in itertools.product(inst["rules"], repeat=len(participants)):
        rules = dict(zip(participants, chosen, strict=True))
        prepared = cases(inst, block, cooperation, states, rules)
        for numbers in itertools.product(*ranges):
            lots = {m: {} for m in block}
            for (c, m), n in zip(stocks(inst, block), numbers, strict=True):
                lots[m][c] = n
            if any(
                rules[c] != first and c not in hosting and not any(lots[m][c] for m in block)
                for c in participants
            ):
                continue
            evaluation = judge(inst, block, states, prepared, lots)
            if evaluation.feasible:
                found.append((lots, rules, evaluation))
    inst["cache"][key] = found
    return found


def menu(inst, coupled, cooperation, block, states):
    """The candidates of a block with their use, the cheapest first."""
    sharing = cooperation != "none"
    found = [
        Candidate(*candidate, use_of(inst, coupled, sharing, block, states, *candidate))
        for candidate in evaluations(inst, cooperation, block, states)
    ]
    return sorted(found, key=lambda candidate: candidate.use.cost)


def couplings(inst, cooperation):
    """The couplings of an instance in one world."""
    if cooperation != "none" and inst["agreement"].get("nobody_worse_off"):
        inst["cache"]["alone"] = alone(inst)  # There `coupled_oracle` looks for it.
    return coupled_oracle.couplings(inst, cooperation)


def enumerate_by_projects(inst, cooperation):
    """The cheapest plan with each choice of projects that leaves one: a list of `Best`."""
    coupled = couplings(inst, cooperation)
    found = []
    for states in project_oracle.choices(inst, cooperation):
        menus = [
            coupled_oracle.undominated(menu(inst, coupled, cooperation, block, states))
            for block in blocks(inst)
        ]
        plans = coupled_oracle.search(inst, coupled, menus)
        if plans:
            cost, chosen, facilities = plans[-1]
            total = cost + project_oracle.yearly_cost(inst, states)
            found.append(Best(total, plan_of(inst, chosen, facilities, states)))
    return found


def plan_of(inst, chosen, facilities, states):
    lots, rules = {}, {}
    for block, candidate in zip(blocks(inst), chosen, strict=True):
        lots |= candidate.lots
        rules[name_of(block)] = candidate.rules
    return Plan(lots, rules, frozenset(facilities), states)


def enumerate_chains(inst, cooperation):
    """The cheapest plan that keeps all promises, couplings and caps, or None."""
    found = enumerate_by_projects(inst, cooperation)
    return min(found, key=lambda best: best.annual_cost) if found else None


# --- Each participant alone -----------------------------------------------------------------------


def alone(inst):
    """What each participant bears in every best plan without cooperation, see `coupled_oracle`."""
    if "alone" in inst["cache"]:
        return inst["cache"]["alone"]
    coupled = couplings(inst, "none")
    optima = enumerate_by_projects(inst, "none")
    least = min((best.annual_cost for best in optima), default=0.0)
    ceiling = least + TIE * max(1.0, least)
    plans = []
    for states in [best.plan.projects for best in optima if best.annual_cost <= ceiling]:
        menus = [menu(inst, coupled, "none", block, states) for block in blocks(inst)]
        distinct = [list({(x.use, share_of(inst, [x])): x for x in m}.values()) for m in menus]
        margin = ceiling - least
        near = [coupled_oracle.undominated(m, margin) for m in distinct]
        paid = project_oracle.yearly_cost(inst, states)
        for cost, chosen, _ in coupled_oracle.search(inst, coupled, near, ceiling - paid):
            plans.append((cost + paid, share_of(inst, chosen)))
    plans.sort(key=lambda plan: plan[0])
    return [dict(zip(inst["participants"], share, strict=True)) for _, share in plans]


def share_of(inst, chosen):
    """What each participant bears of some candidates, in the order of their table."""
    share = dict.fromkeys(inst["participants"], 0.0)
    for candidate in chosen:
        for (c, _), parts in candidate.evaluation.costs.items():
            share[c] += sum(parts.values())
    return tuple(share.values())


def alone_is_unique(inst):
    """Whether all best plans without cooperation give the same shares."""
    shares = alone(inst)
    return all(
        math.isclose(share[c], shares[0][c], rel_tol=1e-11, abs_tol=1e-9)
        for share in shares
        for c in share
    )


# --- A plan on its own ----------------------------------------------------------------------------


def evaluate(inst, block, cooperation, plan):
    """What a plan's candidate of a block costs and keeps."""
    prepared = cases(inst, block, cooperation, plan.projects, plan.rules[name_of(block)])
    return judge(inst, block, plan.projects, prepared, plan.lots)


def check_plan(inst, cooperation, plan):
    """Names of all couplings, promises, caps and limits on holdings that a plan breaks."""
    coupled = couplings(inst, cooperation)
    broken = project_oracle.forbidden(inst, cooperation, plan.projects)
    use = coupled_oracle.nothing(inst, coupled)
    for block in blocks(inst):
        found = evaluate(inst, block, cooperation, plan)
        broken += [f"{target.metric} of {m}" for (m, target), met in found.met.items() if not met]
        broken += [
            f"lots of {m} of {c}"
            for c, m in stocks(inst, block)
            if plan.lots[m][c] not in oracle.lot_range(inst, c, m)
        ]
        rules = plan.rules[name_of(block)]
        taken = use_of(
            inst, coupled, cooperation != "none", block, plan.projects, plan.lots, rules, found
        )
        use = coupled_oracle.together(use, taken)
    broken += coupled_oracle.violated(inst, coupled, use)
    broken += [f"{name} is closed" for name in coupled.existing - plan.facilities]
    for room, tonnes in zip(coupled.rooms, use.stored, strict=True):
        if not coupled_oracle.within(tonnes, coupled_oracle.capacity(inst, room, plan.facilities)):
            broken.append(room.name)
    return broken


def cost_of(inst, cooperation, plan):
    """Yearly cost of a plan [USD], equation (9)."""
    return (
        sum(evaluate(inst, block, cooperation, plan).annual_cost for block in blocks(inst))
        + coupled_oracle.fixed_cost(
            row for row in inst["facilities"] if row["facility"] in plan.facilities
        )
        + project_oracle.yearly_cost(inst, plan.projects)
    )
