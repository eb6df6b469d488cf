"""Small random instance folders whose materials are coupled, solvable by trying everything.

Couplings come one after the other. Each one is limited to what the optimum so far takes of it, or
somewhat less, so that most of them bind and most leave a plan. Every instance has explicit
scenarios.
"""

import random
from functools import reduce
from operator import or_
from pathlib import Path

import coupled_oracle
import oracle
from random_instances import (
    CLASSES,
    COVERAGE_COLUMNS,
    PARTICIPANTS,
    SOURCES,
    RandomInstance,
    write_table,
)

COUPLINGS = [
    "budget",
    "joint_budget",
    "storage",
    "joint_chance",
    "max_rules",
    "nobody_worse_off",
    "cvar",
]
MATERIALS = ["gallium", "dy_oxide", "germanium", "antimony"]
KINDS = ["warehouse", "cold"]
MAX_CANDIDATES = 130  # per material; who holds nothing uses no rule
ATTEMPTS = 4


def write_coupled_instance(folder, seed, couplings):
    """Write the instance that a seed and the names of its couplings stand for.

    Returns the oracle's reading of it, every candidate simulated, and the cooperation that it is
    meant to be solved for, which is also in its settings. Of several drafts the first one is taken
    in which at least half of the couplings raised the cost of the optimum when they came; in one of
    ten seeds the first one in which they leave no plan.
    """
    names = [couplings] if isinstance(couplings, str) else list(couplings)
    rng = random.Random(f"{seed} {' '.join(names)}")
    hopeless = rng.random() < 0.1 and names != ["nobody_worse_off"]
    for _ in range(ATTEMPTS):
        draft = Draft(CoupledInstance(rng.random(), names), Path(folder), hopeless)
        if draft.couple():
            break
    return draft.inst, draft.instance.cooperation


class CoupledInstance(RandomInstance):
    """The random choices of one instance, all but its limits."""

    def __init__(self, seed, names):
        self.rng = rng = random.Random(seed)
        self.names = names
        self.round = rng.random() < 0.3
        self.free_holding = False
        alone = [] if "nobody_worse_off" in names else [1]
        self.participants = PARTICIPANTS[: rng.choice([*alone, 2, 2, 2, 2, 2, 2, 3])]
        self.materials = MATERIALS[: rng.choice([2, 2, 2, 3, 3, 4])]
        self.classes = CLASSES[: rng.choice([2] if "max_rules" in names else [1, 2, 2])]
        self.sources = SOURCES[: rng.randint(1, 3)]
        self.rules = [f"rule_{i}" for i in range(rng.choice([2, 3, 3, 4]))]
        self.horizon = rng.randint(4, 9)
        self.scenarios = [f"s{i}" for i in range(rng.randint(3, 5))]
        self.stresses = ["case_0"]
        self.demand = self.draw_demand()
        self.lot, self.holdings = self.draw_holdings()
        self.price = {m: self.pick([1, 2, 10, 50], 2, 100) for m in self.materials}
        self.multiple = {k: self.pick([0.25, 0.5, 2, 4], 0.1, 4) for k in self.classes}
        self.probability = self.draw_probabilities()
        worlds = ["sharing", "sharing", "joint", "joint"]
        if "nobody_worse_off" not in names:
            worlds += ["none", "none"]
        self.cooperation = rng.choice(worlds)

    def draw_holdings(self):
        """Lots [t] by material and the rows of ``holdings.csv``, few enough to try them all."""
        rng = self.rng
        lot, holdings = {}, []
        options = int(MAX_CANDIDATES ** (1 / len(self.participants)))
        most = min(8, max(1, (options - 1) // len(self.rules)))
        for m in self.materials:
            use = max(1.0, max(self.yearly(c, m) for c in self.participants))
            lot[m] = round(use * rng.uniform(0.1, 0.5) / most, 3)
            for c in self.participants:
                lots = rng.choice([rng.randint(1, most), most])
                holdings.append(
                    {
                        "participant": c,
                        "material": m,
                        "existing_t": rng.choice(["", "", 0, lot[m], round(lot[m] / 2, 4)]),
                        "min_t": lot[m] if rng.random() < 0.1 else "",
                        "max_t": round(lot[m] * (lots + rng.choice([0, 0.4])), 6),
                    }
                )
        return lot, holdings

    def coverage_rows(self):
        """Ordinary promises, not in every instance and not many."""
        return super().coverage_rows()[:2] if self.rng.random() < 0.4 else []

    def material_rows(self):
        """Materials with kinds of storage, some with prices that rise when much is bought."""
        rng = self.rng
        kinds = KINDS[: rng.choice([1, 2])]
        impact = rng.random() < 0.4
        rows = super().material_rows()
        for row in rows:
            kind = rng.choice(kinds)
            row["storage_kind"] = "" if kind == "warehouse" and rng.random() < 0.5 else kind
            demand = sum(self.yearly(c, row["material"]) for c in self.participants)
            row["world_supply_t_per_year"] = round(2 * demand + 1, 2) if impact else ""
            row["price_impact"] = self.pick([0, 0.5, 2], 0, 3) if rng.random() < 0.7 else ""
        return rows

    def rule_rows(self):
        """Often a last rule that serves no partner; without it sharing can harm the owner."""
        rows = self.specialists() if "max_rules" in self.names else super().rule_rows()
        last = self.rules[-1]
        own = [row for row in rows if row["rule"] != last or row["relation"] == "own"]
        possible = any(row["rule"] == last for row in own)
        likely = 0.9 if "nobody_worse_off" in self.names else 0.5
        return own if possible and self.rng.random() < likely else rows

    def specialists(self):
        """Rules that each serve some classes well, so that no single one suits every material."""
        rows = []
        for i, rule in enumerate(self.rules):
            for j, k in enumerate(self.classes):
                for relation in ["own", "partner"]:
                    special = i % len(self.classes) == j
                    if special or (self.rng.random() < 0.5 and relation == "own"):
                        level = 0 if special else self.pick([0.5, 0.75], 0.3, 0.9)
                        rows.append(self.rule_row(rule, relation, k, "", level, "", ""))
        return rows

    def shortage_rows(self):
        """What is dear differs between materials where rules are to differ."""
        if "max_rules" not in self.names:
            return super().shortage_rows()
        return [
            {
                "material": m,
                "demand_class": k,
                "shortage_cost_usd_per_kg": round(
                    self.price[m] * self.pick([0.25, 0.5, 2, 4], 0.1, 4), 4
                ),
            }
            for m in self.materials
            for k in self.classes
        ]

    def settings(self):
        """Settings with the world that this instance is meant for."""
        head = super().settings().split("[solve]")[0]
        return f'{head}[solve]\ncooperation = "{self.cooperation}"\ngap = 0.0\n'

    def group_rows(self):
        """Groups of ``joint_chance`` rows, of which level and confidence are still open."""
        rng = self.rng
        groups = []
        for i in range(rng.choice([1, 1, 2])):
            sharing = rng.choice(["", "on", "off"])
            rows = []
            for _ in range(rng.choice([1, 1, 2])):
                cells = {
                    "participant": self.some(self.participants),
                    "material": self.some(self.materials, 0.7),
                    "demand_class": self.some(self.classes),
                    "metric": "joint_chance",
                    "group": f"group_{i}",
                    "sharing": sharing,
                    "level": 0,
                    "confidence": 0,
                }
                rows.append({column: cells.get(column, "") for column in COVERAGE_COLUMNS})
            groups.append(rows)
        return groups


class Taken:
    """What a plan takes of the couplings."""

    def __init__(self, inst, cooperation, plan):
        self.inst = inst
        self.cooperation = cooperation
        self.plan = plan
        self.cost = coupled_oracle.cost_of(inst, cooperation, plan)
        self.evaluations = {
            m: oracle.evaluate(inst, m, cooperation, plan.lots[m], plan.rules[m])
            for m in inst["materials"]
        }

    def outlay(self, participant):
        """Cost of what it buys [USD]."""
        return sum(
            coupled_oracle.outlay(self.inst, m, lots)[participant]
            for m, lots in self.plan.lots.items()
        )

    def stored(self, participant, kind):
        """What it holds of the materials of a kind [t]."""
        return float(
            sum(
                self.inst["lot"][m] * lots[participant]
                for m, lots in self.plan.lots.items()
                if self.inst["storage_kind"][m] == kind
            )
        )

    def most_rules(self):
        """The largest number of rules that a participant uses."""
        used = {
            (c, self.plan.rules[m][c])
            for m, lots in self.plan.lots.items()
            for c, n in lots.items()
            if n > 0
        }
        return max(sum(owner == c for owner, _ in used) for c in self.inst["participants"])

    def cvar(self, confidence):
        """Mean cost of what is missing in the worst scenarios [USD/year]."""
        by_material = [
            coupled_oracle.shortage(self.inst, m, evaluation)
            for m, evaluation in self.evaluations.items()
        ]
        probability = [float(p) for p in self.inst["probability"].values()]
        costs = list(map(sum, zip(*by_material, strict=True)))
        return coupled_oracle.cvar(costs, probability, 1 - confidence)

    def covered(self, rows):
        """Probability that all rows of a group are kept, here and at the very most."""
        group = coupled_oracle.group(self.inst, [{k: str(v) for k, v in r.items()} for r in rows])
        here, most = [], []
        for m, evaluation in self.evaluations.items():
            here.append(coupled_oracle.covered(self.inst, m, group, evaluation))
            full = {c: oracle.lot_range(self.inst, c, m)[-1] for c in self.inst["participants"]}
            sets = [
                coupled_oracle.covered(self.inst, m, group, candidate)
                for lots, _, candidate in coupled_oracle.evaluations(self.inst, self.cooperation, m)
                if lots == full
            ]
            most.append(reduce(or_, sets, here[-1]))
        return self.chance(here), self.chance(most)

    def chance(self, sets):
        """Probability of the scenarios that are in all sets."""
        return float(sum(self.inst["probability"][s] for s in frozenset.intersection(*sets)))


class Draft:
    """An instance that gets its limits."""

    def __init__(self, instance, folder, hopeless):
        self.instance = instance
        self.folder = folder
        self.hopeless = hopeless
        self.settings = instance.settings()
        self.tables = instance.tables()
        self.groups = instance.group_rows() if "joint_chance" in instance.names else []
        self.budgets, self.agreement, self.risk, self.facilities = {}, {}, {}, []
        self.cache = {}

    def couple(self):
        """Add all couplings; whether enough of them cost something, or no plan is left if asked."""
        optimum = self.solve()
        if optimum is None:
            self.tables["coverage"] = []
            self.cache = {}
            optimum = self.solve()
        raised = 0
        for name in self.order():
            best = self.add(name, optimum)
            if best is None and not self.hopeless:
                return False
            if best:
                raised += best.annual_cost > optimum.annual_cost * (1 + 1e-9)
                optimum = best
        if self.hopeless:
            return best is None
        return 2 * raised >= len(self.instance.names) and self.unique()

    def order(self):
        """Couplings in the order in which they come: mostly first the one that has no slack."""
        names = self.instance.rng.sample(self.instance.names, len(self.instance.names))
        if self.instance.rng.random() < 0.6:
            names.sort(key=lambda name: name != "nobody_worse_off")
        return names

    def unique(self):
        """Whether it is clear what each participant bears alone, if that is asked."""
        asked = "nobody_worse_off" in self.instance.names
        return not asked or coupled_oracle.standalone_is_unique(self.inst)

    def add(self, name, optimum):
        """Add a coupling that the optimum so far breaks; loosen it until a plan is left."""
        taken = Taken(self.inst, self.instance.cooperation, optimum.plan)
        seed = self.instance.rng.random()
        limit = getattr(self, f"limit_{name}")
        for slack in [0.0] if self.hopeless else [0.0, 0.5, 1.0]:
            limit(random.Random(seed), taken, slack)
            best = self.solve()
            if best:
                return best
        return None

    def solve(self):
        """Write the folder, read it and find its optimum; what was simulated before still holds."""
        self.write()
        self.inst = oracle.read(self.folder)
        self.cache.pop("alone", None)
        self.inst["cache"] = self.cache
        return coupled_oracle.enumerate_coupled(self.inst, self.instance.cooperation)

    def write(self):
        """Write all tables as they are now."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = self.settings
        for name, values in [("agreement", self.agreement), ("risk", self.risk)]:
            if values:
                text += f"\n[{name}]\n" + "".join(f"{k} = {toml(v)}\n" for k, v in values.items())
        (self.folder / "instance.toml").write_text(text, encoding="utf-8")
        tables = {
            **self.tables,
            "participants": [
                {**row, "acquisition_budget_usd": self.budgets.get(row["participant"], "")}
                for row in self.tables["participants"]
            ],
            "coverage": [*self.tables["coverage"], *(row for rows in self.groups for row in rows)],
            "facilities": self.facilities,
        }
        for table, rows in tables.items():
            (self.folder / f"{table}.csv").unlink(missing_ok=True)
            if rows:
                write_table(self.folder / f"{table}.csv", rows)

    # --- Limits. They loosen as slack grows from 0 to 1, where the optimum so far fits.

    def part(self, rng, value, slack):
        """A part of what the optimum so far takes."""
        share = rng.uniform(0.02, 0.2) if self.hopeless else rng.uniform(0.5, 1.0)
        return value * (share + (1 - share) * slack)

    def limit_budget(self, rng, taken, slack):
        """Own budgets; rarely somebody has none."""
        for c in self.instance.participants:
            usd = self.part(rng, taken.outlay(c), slack)
            if rng.random() < 0.9:
                self.budgets[c] = usd

    def limit_joint_budget(self, rng, taken, slack):
        total = sum(taken.outlay(c) for c in self.instance.participants)
        self.agreement["joint_budget_usd"] = self.part(rng, total, slack)

    def limit_max_rules(self, rng, taken, slack):
        most = taken.most_rules()
        self.agreement["max_distinct_rules"] = max(1, most - 1 if slack < 1 else most)

    def limit_nobody_worse_off(self, rng, taken, slack):
        self.agreement["nobody_worse_off"] = True

    def limit_cvar(self, rng, taken, slack):
        confidence = round(rng.uniform(0.3, 0.95), rng.choice([1, 3]))
        usd = self.part(rng, taken.cvar(confidence), slack)
        self.risk["cvar_confidence"] = confidence
        self.risk["cvar_limit_usd_per_year"] = usd or 1000.0

    def limit_joint_chance(self, rng, taken, slack):
        """Levels and confidences that the optimum so far does not reach."""
        for rows in self.groups:
            here = most = 0.0
            for level in rng.sample([0.3, 0.5, 0.75, 0.9, 1], 5):
                for row in rows:
                    row["level"] = level
                here, most = taken.covered(rows)
                if most > here:
                    break
            share = rng.choice([rng.random(), rng.random(), 1.0]) * (1 - slack)
            confidence = 1 if self.hopeless else round(here + (most - here) * share, 6)
            for row in rows:
                row["confidence"] = confidence

    def limit_storage(self, rng, taken, slack):
        """Some room that exists, and new facilities of which some are worth opening."""
        before = taken.cost
        state = rng.getstate()
        self.place_facilities(rng, taken, slack, 0.0)
        for row in self.facilities:
            row["capacity_t"] *= bool(row["existing"])
        narrow = self.solve()
        worth = max(narrow.annual_cost - before, 0.01 * before) if narrow else 0.3 * before
        rng.setstate(state)
        self.place_facilities(rng, taken, slack, worth)

    def place_facilities(self, rng, taken, slack, worth):
        """Facilities of every owner and kind; new ones cost a part of what more room is worth."""
        self.facilities = []
        for c in self.instance.participants:
            unlimited = rng.random() < 0.1
            for kind in dict.fromkeys(self.inst["storage_kind"].values()):
                tonnes = taken.stored(c, kind)
                share = rng.choice([0.0, rng.random(), rng.random()])
                room = tonnes * (share + (1 - share) * slack)
                sizes = [rng.uniform(0.15, 0.7) * tonnes for _ in range(rng.choice([0, 1, 1, 2]))]
                costs = [rng.uniform(0.0, 0.7) * worth for _ in sizes]
                if unlimited:
                    continue
                if room or not sizes:
                    self.add_facility(c, kind, room, rng.choice([0, 0.02]) * worth, True)
                for size, cost in zip(sizes, costs, strict=True):
                    self.add_facility(c, kind, 0.0 if self.hopeless else size, cost, False)

    def add_facility(self, participant, kind, capacity, cost, existing):
        self.facilities.append(
            {
                "facility": f"store_{len(self.facilities)}",
                "participant": participant,
                "storage_kind": kind,
                "capacity_t": capacity,
                "fixed_cost_usd_per_year": round(cost, 2),
                "existing": "true" if existing else "",
            }
        )


def toml(value):
    """A value as it stands in ``instance.toml``."""
    return str(value).lower() if isinstance(value, bool) else repr(value)
