"""Projects, recycling, answers and concentration, slowly, for testing the solver.

What (2), (9), (11), (14) and (17) say about projects. `oracle` reads the tables it knows and turns
events into needs; here the tables of projects are read, and needs depend on what is funded.
Nothing is shared with the package. Standard library only.

    inst = read(folder)
    funded = {"mine": "fast"}  # Every other project is not funded.
    months = needs(inst, "dy_oxide", "embargo", funded)
    yearly_cost(inst, funded)

Tonnes, USD, months and fractions, exact until something has to be a power.
"""

import itertools
import math
from fractions import Fraction
from pathlib import Path

import oracle
from oracle import number

STATES = ("", "funded", "fast")  # Not funded; funded; funded with its permit fast-tracked


# --- Reading -----------------------------------------------------------------------------------


def read(folder):
    """An instance folder as `oracle.read` gives it, with projects and what belongs to them."""
    folder = Path(folder)
    inst = oracle.read(folder)
    for row in oracle.rows(folder, "materials"):
        # Stock that spoils is bought again; stock that gets old is sold at a loss.
        shelf_life = number(row, "shelf_life_months")
        renewals = 12 / shelf_life if shelf_life else 0
        inst["rotation"][row["material"]] += number(row, "loss_rate_per_year", 0)
        inst["rotation"][row["material"]] += renewals * number(row, "renewal_loss", 1)

    inst["events"] = {scenario: [] for scenario in inst["probability"]}
    for row in oracle.rows(folder, "events"):
        inst["events"][row["scenario"]].append(event(inst, row))
    inst["stress"] = {}
    for row in oracle.rows(folder, "stress"):
        inst["stress"].setdefault(row["stress"], []).append(event(inst, row))

    inst["project_budget"] = {
        row["participant"]: number(row, "project_budget_usd")
        for row in oracle.rows(folder, "participants")
    }
    inst["projects"] = {
        row["project"]: project(inst, row) for row in oracle.rows(folder, "projects")
    }
    for row in oracle.rows(folder, "project_products"):
        made = inst["projects"][row["project"]]["products"]
        operating = number(row, "operating_usd_per_t", made[0][2])
        made.append((row["material"], number(row, "capacity_t_per_year"), operating))
    for row in oracle.rows(folder, "leads"):
        inst["projects"][row["project"]]["leads"][row["scenario"]] = number(row, "lead_months")

    inst["recycling"] = oracle.rows(folder, "recycling")
    inst["sources"] = [row["source"] for row in oracle.rows(folder, "sources")]
    inst["caps"] = oracle.rows(folder, "concentration")
    return inst


def event(inst, row):
    return {**oracle.event(inst, row), "answers": row.get("answers", "")}


def project(inst, row):
    """One row of ``projects.csv``; only lead times that are the same in every drawn scenario."""
    if number(row, "slip_probability", 0):
        raise ValueError("The oracle does not draw slips.")
    beneficiaries = oracle.names(row, "beneficiaries", inst["participants"])
    shares = [Fraction(share.strip()) for share in row["beneficiary_shares"].split(";")]
    operating = number(row, "operating_usd_per_t")
    return {
        "products": [(row["material"], number(row, "capacity_t_per_year"), operating)],
        "share": dict(zip(beneficiaries, shares, strict=True)),
        "funder": row["funder"],
        "capital": number(row, "capital_usd"),
        "median": number(row, "lead_median_months"),
        "sigma": number(row, "lead_sigma"),
        "leads": {},
        "fast_usd": number(row, "fast_track_usd"),
        "fast_months": number(row, "fast_track_months", 0),
        "ramp": number(row, "ramp_months", 0),
        "life": number(row, "life_years"),
        "source": row.get("source", ""),
    }


# --- Needs, equation (2) ------------------------------------------------------------------------


def start(inst, name, state, scenario, stress=False):
    """Last month without output of a funded project."""
    row = inst["projects"][name]
    if not stress and scenario in row["leads"]:
        lead = row["leads"][scenario]
    elif stress or not row["sigma"]:
        lead = row["median"]
    else:
        raise ValueError(f"The oracle needs the lead time of {name} in {scenario}.")
    if state == "fast":
        lead = max(Fraction(0), lead - row["fast_months"])
    return math.floor(lead)


def running(inst, name, state, scenario, month, stress=False):
    """Fraction of its capacity that a project makes in a month."""
    if not state:
        return Fraction(0)
    after = month - start(inst, name, state, scenario, stress)
    return min(
        Fraction(1), max(Fraction(0), after / max(Fraction(1), inst["projects"][name]["ramp"]))
    )


def recycled(inst, participant, material, month):
    """What comes back from use in a month [t]."""
    total = Fraction(0)
    for row in inst["recycling"]:
        if (row["participant"], row["material"]) == (participant, material):
            product = row.get("from_material") or material
            used = oracle.yearly_demand(inst, participant, product, inst["classes"]) / 12
            now = number(row, "collection_rate")
            grown = max(Fraction(0), month - 1 - number(row, "delay_months", 0)) / 12
            later = now + number(row, "collection_growth_per_year", 0) * grown
            rate = min(max(now, number(row, "collection_max", 1)), later)
            total += used * rate * number(row, "yield", 1)
    return total


def made(inst, name, participant, material):
    """What a participant gets of a material from a project in full [t/month]."""
    row = inst["projects"][name]
    share = row["share"].get(participant, Fraction(0))
    return (
        sum((capacity for m, capacity, _ in row["products"] if m == material), Fraction(0))
        * share
        / 12
    )


def relevant(inst, materials):
    """Projects on which the needs for these materials depend."""
    key = "relevant", *materials
    if key not in inst["cache"]:
        events = itertools.chain(*inst["events"].values(), *inst["stress"].values())
        answered = {e["answers"] for e in events if set(e["materials"]) & set(materials)}
        inst["cache"][key] = [
            name
            for name, row in inst["projects"].items()
            if name in answered or any(material in materials for material, _, _ in row["products"])
        ]
    return inst["cache"][key]


def worth(inst):
    """Shortage cost by stream [USD/t] as ordinary numbers."""
    if "worth" not in inst["cache"]:
        inst["cache"]["worth"] = {q: float(usd) for q, usd in inst["shortage_cost"].items()}
    return inst["cache"]["worth"]


def needs(inst, material, scenario, states, stress=False):
    """`oracle.history` of a scenario, or of a case of ``stress.csv``, with what is funded."""
    matter = tuple((name, states.get(name, "")) for name in relevant(inst, [material]))
    key = "needs", material, scenario, stress, matter
    if key not in inst["cache"]:
        events = [
            e
            for e in inst["stress" if stress else "events"][scenario]
            if not e["answers"] or states.get(e["answers"])
        ]

        def added(participant, month):
            output = sum(
                running(inst, name, state, scenario, month, stress)
                * made(inst, name, participant, material)
                for name, state in matter
            )
            return output + recycled(inst, participant, material, month)

        inst["cache"][key] = oracle.history(inst, material, events, added)
    return inst["cache"][key]


def total_needs(inst, material, scenario, states, stress=False):
    """Need over the whole horizon [t] by (participant, class)."""
    total = {}
    for month in needs(inst, material, scenario, states, stress):
        for stream, need in month["need"].items():
            total[stream] = total.get(stream, 0) + need
    return {stream: float(need) for stream, need in total.items()}


# --- What is paid for projects, equations (9) and (11) ------------------------------------------


def yearly_cost(inst, states):
    """Cost of what is funded [USD/year]."""
    return sum(cost_of_project(inst, name, state) for name, state in states.items() if state)


def cost_of_project(inst, name, state):
    """Capital paid back and support of the price [USD/year]."""
    return float(capital(inst, name, state)) * payback(inst, name) + float(
        support(inst, name, state)
    )


def capital(inst, name, state):
    """What has to be paid for a funded project [USD]."""
    row = inst["projects"][name]
    return row["capital"] + (row["fast_usd"] if state == "fast" else 0)


def payback(inst, name):
    """Fraction of the capital that is paid in a year: interest, or an annuity."""
    row = inst["projects"][name]
    if row["funder"] == "joint":
        weighted = sum(share * inst["discount_rate"][b] for b, share in row["share"].items())
        rate = float(weighted / sum(row["share"].values()))
    else:
        rate = float(inst["discount_rate"][row["funder"]])
    if row["life"] is None:
        return rate
    years = float(row["life"])
    return rate / (1 - (1 + rate) ** -years) if rate else 1 / years


def support(inst, name, state):
    """What a price floor at operating cost has to pay in the mean [USD/year]."""
    row = inst["projects"][name]
    total = Fraction(0)
    for scenario, probability in inst["probability"].items():
        for month in range(1, inst["horizon"] + 1):
            fraction = running(inst, name, state, scenario, month)
            for material, capacity, operating in row["products"]:
                sold = fraction * capacity / 12 * sum(row["share"].values())
                left = 1 - price_cut(inst, name, material, scenario, month)
                price = inst["price"][material] * left
                total += probability * sold * max(Fraction(0), operating - price)
    return total * 12 / inst["horizon"]


def price_cut(inst, name, material, scenario, month):
    """Fraction by which the price of what a project makes is cut in a month."""
    left = Fraction(1)
    for e in inst["events"][scenario]:
        if (
            e["effect"] == "price_cut"
            and material in e["materials"]
            and month in e["months"]
            and e["answers"] in ("", name)
        ):
            left *= 1 - e["severity"]
    return 1 - left


def spent(inst, states):
    """Capital by participant [USD]; a joint project is paid by who gets its output."""
    usd = dict.fromkeys(inst["participants"], Fraction(0))
    for name, state in states.items():
        if state:
            row = inst["projects"][name]
            share = row["share"] if row["funder"] == "joint" else {row["funder"]: Fraction(1)}
            for c, part in share.items():
                usd[c] += capital(inst, name, state) * part / sum(share.values())
    return usd


def over_budget(inst, cooperation, states):
    """Names of the project budgets that are too small, (11)."""
    usd = spent(inst, states)
    own = inst["project_budget"]
    joint = inst["agreement"].get("joint_project_budget_usd")
    limits = []
    if cooperation != "joint":
        limits = [(f"project budget of {c}", usd[c], own[c]) for c in own if own[c] is not None]
    elif joint is None and None not in own.values():
        joint = sum(own.values())
    if joint is not None:
        limits.append(("joint project budget", sum(usd.values()), joint))
    return [name for name, paid, most in limits if not within(paid, most)]


# --- Concentration, equation (17) ---------------------------------------------------------------


def dependence(inst, participant, material, states):
    """Shares of the sources in all supply after projects, each project without one by itself."""
    normal = oracle.yearly_demand(inst, participant, material, inst["classes"]) / 12
    tonnes = {g: share * normal for g, share in inst["share"][participant, material].items()}
    total = normal + recycled(inst, participant, material, inst["horizon"])
    for name, state in states.items():
        if state:
            source = inst["projects"][name]["source"] or f"project {name}"
            output = made(inst, name, participant, material)
            tonnes[source] = tonnes.get(source, 0) + output
            total += output
    return {source: t / total for source, t in tonnes.items()}


def too_concentrated(inst, states):
    """Caps of ``concentration.csv`` that are broken: (participant, material, source)."""
    broken = []
    for row in inst["caps"]:
        sources = oracle.names(row, "source", inst["sources"])
        if row.get("source", "") in ("", "*"):
            sources += [f"project {name}" for name in inst["projects"]]
        pairs = itertools.product(
            oracle.names(row, "participant", inst["participants"]),
            oracle.names(row, "material", inst["materials"]),
        )
        for c, m in pairs:
            if not oracle.yearly_demand(inst, c, m, inst["classes"]):
                continue
            shares = dependence(inst, c, m, states)
            most = number(row, "max_share")
            broken += [(c, m, g) for g in sources if not within(shares.get(g, 0), most)]
    return broken


# --- Choices of projects ------------------------------------------------------------------------


def within(value, limit):
    """Whether value <= limit within 1e-9 relative."""
    return value <= limit + oracle.TOLERANCE * max(1, abs(limit))


def states_of(inst, name):
    """The states that a project can be in: a fast track has to be offered."""
    return STATES if inst["projects"][name]["fast_usd"] is not None else STATES[:2]


def forbidden(inst, cooperation, states):
    """Why a choice of projects may not be made: names of what it breaks."""
    why = [
        f"{state} {name}" for name, state in states.items() if state not in states_of(inst, name)
    ]
    if why:
        return why
    why += over_budget(inst, cooperation, states)
    why += [f"share of {g} in {m} of {c}" for c, m, g in too_concentrated(inst, states)]
    return why + [
        f"{name} is for all together"
        for name, state in states.items()
        if state and cooperation == "none" and inst["projects"][name]["funder"] == "joint"
    ]


def choices(inst, cooperation):
    """Every choice of projects that may be made: a state for each."""
    products = itertools.product(*(states_of(inst, name) for name in inst["projects"]))
    everything = [dict(zip(inst["projects"], states, strict=True)) for states in products]
    return [states for states in everything if not forbidden(inst, cooperation, states)]
