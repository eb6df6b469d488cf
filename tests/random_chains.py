"""Small random instance folders with chains and projects, solvable by trying everything.

Plants, projects, recycling, ageing, caps and every coupling are mixed. Projects are priced by what
they are worth, and limits are set to what the optimum so far takes, or somewhat less: so projects
are sometimes funded and sometimes not, and most limits bind. All scenarios are explicit, and all
lead times given or fixed.
"""

import math
import random
from pathlib import Path

import chain_limits
import chain_oracle
import chain_steps
import project_oracle
from random_instances import CLASSES, PARTICIPANTS, SOURCES, RandomInstance

CHAIN = ["dy_oxide", "dy_metal", "dy_magnet"]
ARCS = {  # By the shape of a chain: from which of its forms to which there are plants
    "pair": [(0, 1)],
    "three": [(0, 1), (1, 2)],
    "fork": [(0, 1), (0, 2)],
    "join": [(0, 2), (1, 2)],
    "ring": [(0, 1), (1, 0)],
}
SIMULATIONS = 6000  # of one scenario each, about as many as an optimum takes
HOPELESS = 0.05  # Fraction of the instances whose limits may leave no plan


def write_chain_instance(folder, seed):
    """Write the instance that a seed stands for.

    Returns the oracle's reading of it, every candidate simulated, and the cooperation that it is
    meant to be solved for, which is also in its settings.
    """
    draft = Draft(ChainInstance(seed), Path(folder))
    draft.price_projects()
    draft.set_limits()
    return draft.inst, draft.instance.cooperation


class ChainInstance(RandomInstance):
    """The random choices of one instance, all but its limits and the capital of its projects."""

    def __init__(self, seed):
        self.rng = rng = random.Random(f"chains {seed}")
        self.round = rng.random() < 0.4
        self.free_holding = rng.random() < 0.05
        self.participants = PARTICIPANTS[: rng.choice([1, 2, 2, 2, 2, 2, 2, 3])]
        self.plain = rng.random() < 0.06  # Nothing that the other generators lack
        shape = rng.choice(["pair", "pair", "three", "three", "three", "fork", "join", "ring"])
        self.arcs = [] if self.plain or rng.random() < 0.12 else ARCS[shape]
        forms = CHAIN[: 1 + max(map(max, self.arcs), default=0)]
        self.materials = forms + ["gallium"] * (len(forms) == 1 or rng.random() < 0.4)
        if rng.random() < 0.3:
            rng.shuffle(self.materials)
        self.arcs = [(CHAIN[a], CHAIN[b]) for a, b in self.arcs]
        self.classes = CLASSES[: rng.choice([1, 2, 2])]
        self.sources = SOURCES[: rng.randint(1, 3)]
        self.rules = [f"rule_{i}" for i in range(rng.choice([2, 2, 3]))]
        if len(self.participants) == 3:
            self.rules = self.rules[:2]
        self.horizon = rng.randint(4, 10)
        self.scenarios = [f"s{i}" for i in range(rng.randint(2, 3))]
        self.stresses = ["case_0"]
        offered = 0 if self.plain else rng.choice([0, 1, 1, 1, 2, 2] if self.arcs else [1, 2])
        self.project_names = [f"project_{i}" for i in range(offered)]
        self.demand = self.draw_demand()
        self.plants = self.draw_plants()
        self.products = {p: self.draw_products() for p in self.project_names}
        self.lot, self.holdings = self.draw_holdings()
        self.price = self.draw_prices()
        self.multiple = {k: self.pick([1, 4, 10], 0.6, 9) for k in self.classes}
        self.probability = self.draw_probabilities()
        self.projects = [self.project_row(p) for p in self.project_names]
        worlds = ["none", "none", "sharing", "sharing", "sharing", "joint", "joint"]
        self.cooperation = rng.choice(worlds)

    def comes_late(self, material):
        """Whether plants make a material."""
        return any(b == material for _, b in self.arcs) and self.arcs[0][0] != material

    def in_use(self, material):
        """How likely somebody has demand for a material: most likely at the end of a chain."""
        if material in self.ends():
            return 0.92
        return 0.5 if self.comes_late(material) else 0.25

    def draw_demand(self):
        """Yearly demand [t]; forms at the beginning of a chain often have none."""
        return {
            (c, m, k): self.pick([12, 24, 60, 120], 10, 150, 2)
            for c in self.participants
            for m in self.materials
            for k in self.classes
            if self.rng.random() < self.in_use(m)
        } or {(self.participants[0], self.materials[-1], self.classes[0]): 60}

    def used(self, material):
        """Yearly demand of all for a material [t]."""
        return sum(self.yearly(c, material) for c in self.participants)

    def draw_plants(self):
        """Plants along every arc, at one participant at least; one without capacity is no plant."""
        rng = self.rng
        plants = []
        for a, b in self.arcs:
            at = [c for c in self.participants if rng.random() < 0.65]
            at = at or [rng.choice(self.participants)]
            if rng.random() < 0.15:
                at.append(rng.choice(at))
            for i, c in enumerate(at):
                monthly = max(1.0, self.used(b) / 12)
                idle = i > 0 and rng.random() < 0.1
                plants.append(
                    {
                        "conversion": f"plant_{len(plants)}",
                        "participant": c,
                        "from_material": a,
                        "to_material": b,
                        "yield": self.pick([0.5, 1, 0.75], 0.4, 1.2),
                        "capacity_t_per_month": 0 if idle else self.pick([3, 6, 12], 0.2, 1.2),
                        "lag_months": rng.choice([0, 0, 0, 1, 1, 2]),
                        "share_of_shortage": rng.choice([0, 0.02, 0.05, 0.2, 0.5, 1.2]),
                    }
                )
                if not self.round:
                    tonnes = plants[-1]["capacity_t_per_month"] * monthly
                    plants[-1]["capacity_t_per_month"] = round(tonnes, 3)
        return plants

    def draw_products(self):
        """What a project makes: one material, sometimes two of different blocks."""
        rng = self.rng
        wanted = [m for m in self.materials if self.used(m)]
        first = rng.choice(wanted if rng.random() < 0.8 else self.materials)
        others = [m for m in self.materials if m != first]
        return [first, *(rng.sample(others, 1) if others and rng.random() < 0.4 else [])]

    def states(self, block):
        """Largest number of states of projects that a block may have to be simulated for."""
        return 3 ** sum(any(m in block for m in made) for made in self.products.values())

    def draw_holdings(self):
        """Lots [t] by material and the rows of ``holdings.csv``, few enough to try them all."""
        rng = self.rng
        chain = [m for m in self.materials if self.arcs and m != "gallium"]
        blocks = ([chain] if chain else []) + [[m] for m in self.materials if m not in chain]
        most = {}
        for block in blocks:
            runs = SIMULATIONS / len(blocks) / self.states(block) / (len(self.scenarios) + 2)
            runs = max(runs / len(self.rules) ** len(self.participants), 8)
            stocks = [(c, m) for c in self.participants for m in block]
            most |= dict.fromkeys(stocks, 0)
            weight = {m: rng.choice([0, 0, 1]) if self.comes_late(m) else 3 for m in block}
            while True:
                grown = [
                    stock
                    for stock in stocks
                    if most[stock] < 3
                    and weight[stock[1]]
                    and math.prod(most[s] + 1 for s in stocks) * (most[stock] + 2)
                    <= runs * (most[stock] + 1)
                ]
                if not grown:
                    break
                most[rng.choices(grown, [weight[m] for _, m in grown])[0]] += 1
        lot = {m: self.draw_lot(m) for m in self.materials}
        rows = []
        for (c, m), lots in most.items():
            rows.append(
                {
                    "participant": c,
                    "material": m,
                    "existing_t": rng.choice(["", "", 0, lot[m]]),
                    "min_t": lot[m] if lots and rng.random() < 0.06 else "",
                    "max_t": round(lot[m] * (lots + rng.choice([0, 0.4])), 6),
                }
            )
        return lot, rows

    def ends(self):
        """Forms that no plant takes."""
        return [m for m in self.materials if all(a != m for a, _ in self.arcs)]

    def draw_lot(self, material):
        """A lot [t]: one to three months of what some participant needs, the chain included."""
        below = [material, *(b for a, b in self.arcs if a == material)]
        use = max(self.yearly(c, m) for c in self.participants for m in below) or 24
        return (
            self.rng.choice([5, 10, 20])
            if self.round
            else round(use / 12 * self.rng.uniform(0.8, 3), 3)
        )

    def draw_prices(self):
        """Prices [USD/kg] that rise along the chain."""
        prices = {"gallium": self.pick([2, 10, 50], 5, 60)}
        last = self.pick([1, 2, 10], 1, 20)
        for m in CHAIN:
            prices[m] = round(last, 3)
            last *= self.pick([1.5, 2, 4], 1.2, 4)
        return {m: prices[m] for m in self.materials}

    def settings(self):
        head = super().settings().split("[solve]")[0]
        return f'{head}[solve]\ncooperation = "{self.cooperation}"\ngap = 0.0\n'

    def tables(self):
        return {
            **super().tables(),
            "conversions": self.conversion_rows(),
            "plant_shares": self.plant_share_rows(),
            "projects": self.projects,
            "project_products": self.product_rows(),
            "leads": self.lead_rows(),
            "recycling": self.recycling_rows(),
        }

    def coverage_rows(self):
        """Ordinary promises, not in every instance and not many."""
        return super().coverage_rows()[:2] if self.rng.random() < 0.6 else []

    def rule_rows(self):
        """The first rule often serves everybody; without it plants are rarely worth their cost."""
        rows = super().rule_rows()
        if self.rng.random() < 0.3:
            return rows
        rest = [row for row in rows if row["rule"] != self.rules[0]]
        return [
            self.rule_row(self.rules[0], relation, "*", "", "", "", "")
            for relation in ["own", "partner"]
        ] + rest

    def event_rows(self, column, cases, counts):
        """At least one event in most scenarios."""
        return super().event_rows(column, cases, counts if self.rng.random() < 0.1 else [1, 2, 3])

    def event_row(self, named, effect):
        """Events of every kind; some are an answer to a project."""
        if self.project_names and self.rng.random() < 0.12:
            effect = "price_cut"
        row = super().event_row(named, "sharing_blocked" if effect == "price_cut" else effect)
        row["start_month"] = self.rng.randint(1, max(1, self.horizon // 2))
        row["duration_months"] = self.rng.choice([1, 2, 3, 3, 4, 6])
        if effect == "price_cut":
            row |= {"effect": effect, "targets": "*", "severity": self.pick([0.5, 1], 0.2, 0.9)}
        answered = self.project_names and self.rng.random() < 0.2
        return row | {"answers": self.rng.choice(self.project_names) if answered else ""}

    def material_rows(self):
        """Some materials spoil or have to be renewed; some come in kinds, some rise in price."""
        rng = self.rng
        ageing = not self.plain and not self.free_holding and rng.random() < 0.4
        kinds = rng.choice([["warehouse"], ["warehouse", "cold"]])
        impact = rng.random() < 0.3
        return [
            row
            | {
                "loss_rate_per_year": self.pick(["", 0.1], 0, 0.2) if ageing else "",
                "shelf_life_months": rng.choice(["", 24, 60]) if ageing else "",
                "renewal_loss": rng.choice(["", 0, 0.1]) if ageing else "",
                "storage_kind": rng.choice(kinds),
                "world_supply_t_per_year": round(2 * self.used(row["material"]) + 1, 2)
                if impact
                else "",
                "price_impact": self.pick([0, 0.5, 2], 0, 3) if impact else "",
            }
            for row in super().material_rows()
        ]

    def conversion_rows(self):
        """What a tonne costs is a part of what its absence costs; it may be more."""
        rows = []
        for plant in self.plants:
            k = self.rng.choice(self.classes)
            worth = 1000 * self.price[plant["to_material"]] * self.multiple[k]
            cost = round(plant["share_of_shortage"] * worth, 3)
            row = {key: cell for key, cell in plant.items() if key != "share_of_shortage"}
            rows.append(row | {"cost_usd_per_t": cost})
        return rows

    def plant_share_rows(self):
        """Given shares of some plants; needs that are left out get nothing of them."""
        rows = []
        for plant in self.plants:
            if self.rng.random() < 0.25:
                ends = {plant["to_material"], *self.ends()}
                streams = [q for q in self.demand if q[1] in ends]
                for q in self.rng.sample(streams, min(len(streams), self.rng.randint(1, 3))):
                    named = dict(zip(["participant", "material", "demand_class"], q, strict=True))
                    share = self.pick([0.25, 0.125], 0.05, 0.33)
                    rows.append({"conversion": plant["conversion"], **named, "share": share})
        return rows

    def project_row(self, name):
        """A project without cost; `Draft` sets that."""
        rng = self.rng
        first = self.products[name][0]
        beneficiaries = rng.sample(self.participants, rng.randint(1, len(self.participants)))
        parts = [self.pick([1, 3], 0.2, 1) for _ in beneficiaries]
        whole = sum(parts) / rng.choice([1, 1, 0.5])
        shares = [round(part / whole, 4) for part in parts]
        if sum(shares) > 0.6:
            shares[-1] = round(1 - sum(shares[:-1]), 4)
        everybody = beneficiaries == self.participants and rng.random() < 0.5
        joint = len(self.participants) > 1 and rng.random() < 0.4
        fast = rng.random() < 0.7
        return {
            "project": name,
            "kind": rng.choice(["mine", "separation", "metal", "magnet", "recycling"]),
            "material": first,
            "capacity_t_per_year": self.output(first),
            "beneficiaries": "*" if everybody else " ; ".join(beneficiaries),
            "beneficiary_shares": " ; ".join(map(str, shares)),
            "funder": "joint" if joint else rng.choice(self.participants),
            "capital_usd": 0,
            "operating_usd_per_t": round(
                1000 * self.price[first] * self.pick([0.5, 1, 1.25], 0.4, 1.1), 2
            ),
            "lead_median_months": rng.choice([0, 0.5, 1, 1.5, 2, 3, 3.25]),
            "lead_sigma": rng.choice([0, 0, 0.5]),
            "fast_track_usd": 0 if fast else "",
            "fast_track_months": rng.choice([0.5, 1, 2, 2.25]) if fast else "",
            "ramp_months": rng.choice(["", 0, 1, 2, 3]),
            "slip_probability": rng.choice(["", 0]),
            "slip_months": rng.choice(["", 2]),
            "life_years": rng.choice(["", 2.5, 10]),
            "source": rng.choice(["", *self.sources]),
        }

    def output(self, material):
        """What a project makes of a material [t/year]."""
        if self.round:
            return self.rng.choice([12, 24, 60, 120])
        return round((self.used(material) or 60) * self.rng.uniform(0.15, 0.9), 3)

    def product_rows(self):
        return [
            {
                "project": name,
                "material": m,
                "capacity_t_per_year": self.output(m),
                "operating_usd_per_t": self.rng.choice(["", round(900 * self.price[m], 2)]),
            }
            for name, products in self.products.items()
            for m in products[1:]
        ]

    def lead_rows(self):
        """Lead times in all scenarios where they are uncertain, in some where they are not."""
        return [
            {
                "scenario": s,
                "project": row["project"],
                "lead_months": self.rng.choice([0, 0.75, 1, 2, 2.5, 3, 4, 6]),
            }
            for row in self.projects
            for s in self.scenarios
            if row["lead_sigma"] or self.rng.random() < 0.3
        ]

    def recycling_rows(self):
        """What comes back, of the material itself or from something made of it."""
        rng = self.rng
        if self.plain or rng.random() > 0.35:
            return []
        rows = []
        for c in self.participants:
            m = rng.choice(self.materials)
            if rng.random() < 0.7:
                now = self.pick([0, 0.125, 0.25], 0, 0.2)
                rows.append(
                    {
                        "participant": c,
                        "material": m,
                        "from_material": rng.choice(["", *self.materials]),
                        "collection_rate": now,
                        "collection_growth_per_year": self.pick([0, 0.5], 0, 0.4),
                        "collection_max": self.pick(["", 0.25], now, 0.5),
                        "yield": self.pick(["", 0.5], 0.3, 1),
                        "delay_months": rng.choice(["", 0, 2, 3]),
                    }
                )
        return rows


class Draft:
    """An instance that gets prices of its projects, and its limits."""

    def __init__(self, instance, folder):
        self.instance = instance
        self.rng = instance.rng
        self.folder = folder
        self.settings = instance.settings()
        self.tables = instance.tables()
        self.limits = chain_limits.Limits()
        self.cache = {}
        self.read()
        if self.solve() is None and self.rng.random() < 0.8:
            self.tables["coverage"] = []
            self.cache.clear()
            self.read()

    def read(self):
        """Write the folder and read it again; what was simulated before still holds."""
        self.limits.write(self.folder, self.settings, self.tables)
        self.cache.pop("alone", None)
        self.inst = chain_steps.read(self.folder)
        self.inst["cache"] = self.cache

    def solve(self):
        self.read()
        return chain_oracle.enumerate_chains(self.inst, self.instance.cooperation)

    def price_projects(self):
        """Capital and fast tracks cost a part of what they are worth, or somewhat more."""
        if not self.instance.projects:
            return
        optima = chain_oracle.enumerate_by_projects(self.inst, self.instance.cooperation)
        cost = {tuple(best.plan.projects.values()): best.annual_cost for best in optima}
        nothing = ("",) * len(self.instance.projects)
        dearest = max(cost.values(), default=1e6)
        for i, row in enumerate(self.instance.projects):
            with_state = {s: (*nothing[:i], s, *nothing[i + 1 :]) for s in project_oracle.STATES}
            left = {s: cost.get(states, 1.5 * dearest) for s, states in with_state.items()}
            rate = project_oracle.payback(self.inst, row["project"]) or 0.01
            worth = max(left[""] - left["funded"], 0.02 * dearest)
            row["capital_usd"] = round(self.rng.uniform(0.15, 1.1) * worth / rate)
            if row["fast_track_usd"] != "":
                worth = max(left["funded"] - left["fast"], 0.01 * dearest)
                row["fast_track_usd"] = round(self.rng.uniform(0.05, 1.1) * worth / rate)
        self.tables["projects"] = self.instance.projects
        self.read()

    def set_limits(self):
        """Limits one after the other, each loosened until a plan is left, else dropped."""
        best = self.solve()
        hopeless = self.rng.random() < HOPELESS
        offered = [
            name for name in chain_limits.NAMES if self.instance.projects or "project" not in name
        ]
        names = self.rng.sample(offered, self.rng.choice([0, 1, 2, 2, 3]))
        if self.instance.projects and "cap" not in names and self.rng.random() < 0.35:
            names.append("cap")
        for name in names:
            if best is None:
                return
            taken = chain_limits.Taken(self.inst, self.instance.cooperation, best)
            before, seed = self.limits, self.rng.random()
            for slack in [0.0, 0.5, 1.0]:
                rng = random.Random(seed)
                self.limits = before.tightened(name, rng, taken, slack, hopeless)
                best = self.solve()
                if best or hopeless:
                    break
            if (best is None and not hopeless) or not self.is_clear():
                self.limits = before
                best = self.solve()

    def is_clear(self):
        """Whether it is clear what each participant bears alone, if that is asked."""
        asked = self.limits.agreement.get("nobody_worse_off")
        asked = asked and self.instance.cooperation != "none"
        return not asked or chain_oracle.alone_is_unique(self.inst)
