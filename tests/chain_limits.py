"""Limits for random instances with chains: each is set to what an optimum takes, or less."""

import copy
import math

import chain_oracle
import chain_steps
import coupled_oracle
import oracle
import project_oracle
from random_instances import COVERAGE_COLUMNS, write_table

NAMES = [
    "budget",
    "joint_budget",
    "project_budget",
    "joint_project_budget",
    "cap",
    "storage",
    "max_rules",
    "cvar",
    "joint_chance",
    "nobody_worse_off",
]


class Taken:
    """What an optimum takes of the couplings."""

    def __init__(self, inst, cooperation, best):
        self.inst = inst
        self.cooperation = cooperation
        self.plan = best.plan
        self.cost = best.annual_cost

    def outlay(self, participant):
        """Cost of the stock that it buys [USD]."""
        lots = self.plan.lots
        return sum(coupled_oracle.outlay(self.inst, m, lots[m])[participant] for m in lots)

    def stored(self, participant, kind):
        """What it holds of the materials of a kind [t]."""
        inst = self.inst
        return float(
            sum(
                inst["lot"][m] * lots[participant]
                for m, lots in self.plan.lots.items()
                if inst["storage_kind"][m] == kind
            )
        )

    def capital(self):
        """What it pays for projects [USD] by participant; for the dearest where nothing is."""
        usd = project_oracle.spent(self.inst, self.plan.projects)
        if not sum(usd.values()):
            usd = project_oracle.spent(self.inst, dict.fromkeys(self.inst["projects"], "funded"))
        return {c: float(x) for c, x in usd.items()}

    def cvar(self, confidence):
        """Mean cost of what is missing in the worst scenarios [USD/year]."""
        inst = self.inst
        by_block = [
            chain_oracle.evaluate(inst, block, self.cooperation, self.plan).shortage
            for block in chain_steps.blocks(inst)
        ]
        usd = list(map(sum, zip(*by_block, strict=True)))
        probability = [float(p) for p in inst["probability"].values()]
        return coupled_oracle.cvar(usd, probability, 1 - confidence)

    def shares(self):
        """Shares of sources by (participant, material, source), where there is demand."""
        return self.shares_with(self.plan.projects)

    def shares_with(self, states):
        inst = self.inst
        return {
            (c, m, g): float(share)
            for c in inst["participants"]
            for m in inst["materials"]
            if oracle.yearly_demand(inst, c, m, inst["classes"])
            for g, share in project_oracle.dependence(inst, c, m, states).items()
        }


class Limits:
    """The limits of an instance so far."""

    def __init__(self):
        self.agreement, self.risk = {}, {}
        self.budgets, self.project_budgets = {}, {}
        self.facilities, self.caps, self.coverage = [], [], []

    def write(self, folder, settings, tables):
        """Write all tables of an instance with these limits."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, values in [("agreement", self.agreement), ("risk", self.risk)]:
            if values:
                settings += f"\n[{name}]\n"
                settings += "".join(f"{k} = {toml(v)}\n" for k, v in values.items())
        (folder / "instance.toml").write_text(settings, encoding="utf-8")
        participants = [
            {
                **row,
                "acquisition_budget_usd": self.budgets.get(row["participant"], ""),
                "project_budget_usd": self.project_budgets.get(row["participant"], ""),
            }
            for row in tables["participants"]
        ]
        whole = {
            **tables,
            "participants": participants,
            "coverage": [*tables["coverage"], *self.coverage],
            "facilities": self.facilities,
            "concentration": self.caps,
        }
        for table, rows in whole.items():
            (folder / f"{table}.csv").unlink(missing_ok=True)
            if rows:
                write_table(folder / f"{table}.csv", rows)

    def tightened(self, name, rng, taken, slack, hopeless):
        """These limits and one more. It loosens as slack grows to 1, where the optimum fits."""
        limits = copy.deepcopy(self)
        low = 0.1 if hopeless else rng.uniform(0.5, 0.99)
        part = 1.0 if slack == 1 else low + (1 - low) * slack
        getattr(limits, f"limit_{name}")(rng, taken, part)
        return limits

    # --- One method for each limit: part is the fraction of what the optimum takes.

    def limit_budget(self, rng, taken, part):
        for c in taken.inst["participants"]:
            if rng.random() < 0.85:
                self.budgets[c] = part * taken.outlay(c)

    def limit_joint_budget(self, rng, taken, part):
        total = sum(taken.outlay(c) for c in taken.inst["participants"])
        self.agreement["joint_budget_usd"] = part * total

    def limit_project_budget(self, rng, taken, part):
        for c, usd in taken.capital().items():
            if rng.random() < 0.85:
                self.project_budgets[c] = part * usd

    def limit_joint_project_budget(self, rng, taken, part):
        self.agreement["joint_project_budget_usd"] = part * sum(taken.capital().values())

    def limit_cap(self, rng, taken, part):
        """A cap that some other choice of projects keeps, if there is one; else a loose one."""
        inst = taken.inst
        now = taken.shares()
        others = [
            taken.shares_with(states) for states in project_oracle.choices(inst, taken.cooperation)
        ]
        kept = {
            key: max(other.get(key, 0.0) for other in others if other.get(key, 0.0) < share - 1e-6)
            for key, share in now.items()
            if any(other.get(key, 0.0) < share - 1e-6 for other in others)
        }
        if not now:
            return
        key = rng.choice(sorted(kept or now))
        most = kept.get(key, now[key]) if part < 1 else now[key]
        c, m, g = key
        named = not g.startswith("project ")
        if not named or rng.random() < 0.25:
            g = rng.choice(["", "*"])
            others = [s for (b, n, _), s in now.items() if (b, n) == (c, m)]
            most = max(most, *sorted(others)[-1:]) if part == 1 else most
        self.caps.append(
            {
                "participant": c,
                "material": m,
                "source": g,
                "max_share": min(1, math.ceil(most * 1e6) / 1e6),
            }
        )

    def limit_storage(self, rng, taken, part):
        """Some room that exists, and a new facility each."""
        inst = taken.inst
        self.facilities = []
        for c in inst["participants"]:
            for kind in dict.fromkeys(inst["storage_kind"].values()):
                tonnes = taken.stored(c, kind)
                for existing, room in [(True, part * tonnes), (False, 0.7 * tonnes)]:
                    cost = rng.choice([0, rng.uniform(0, 0.03) * taken.cost])
                    self.facilities.append(
                        {
                            "facility": f"store_{len(self.facilities)}",
                            "participant": c,
                            "storage_kind": kind,
                            "capacity_t": room,
                            "fixed_cost_usd_per_year": round(cost, 2),
                            "existing": "true" if existing else "",
                        }
                    )

    def limit_max_rules(self, rng, taken, part):
        self.agreement["max_distinct_rules"] = 1 if part < 1 else 2

    def limit_nobody_worse_off(self, rng, taken, part):
        if len(taken.inst["participants"]) > 1:
            self.agreement["nobody_worse_off"] = True

    def limit_cvar(self, rng, taken, part):
        confidence = round(rng.uniform(0.3, 0.95), 2)
        usd = part * taken.cvar(confidence)
        self.risk["cvar_confidence"] = confidence
        self.risk["cvar_limit_usd_per_year"] = usd or 1000.0

    def limit_joint_chance(self, rng, taken, part):
        """One or two rows of a group over several materials."""
        inst = taken.inst
        probability = sorted(map(float, inst["probability"].values()))
        confidence = 1 if part < 0.85 else sum(probability[1:]) if part < 1 else probability[0]
        sharing = rng.choice(["", "off"])
        for _ in range(rng.choice([1, 2])):
            cells = {
                "participant": rng.choice(["*", *inst["participants"]]),
                "material": rng.choice(["*", "*", *inst["materials"]]),
                "demand_class": rng.choice(["*", inst["classes"][0]]),
                "metric": "joint_chance",
                "group": "together",
                "sharing": sharing,
                "level": rng.choice([0.2, 0.4, 0.6]),
                "confidence": round(confidence, 6),
            }
            self.coverage.append({column: cells.get(column, "") for column in COVERAGE_COLUMNS})


def toml(value):
    """A value as it stands in ``instance.toml``."""
    return str(value).lower() if isinstance(value, bool) else repr(value)
