"""Small random instance folders, every feature mixed, that can be solved by trying everything.

Every instance has explicit scenarios. A part has round numbers, so that ties and exact hits of
levels occur; a part costs nothing to hold, so that many plans cost the same.
"""

import csv
import random
from pathlib import Path

PARTICIPANTS = ["usa", "japan", "korea"]
MATERIALS = ["gallium", "dy_oxide"]
CLASSES = ["defense", "essential", "industrial"]
SOURCES = ["china", "myanmar", "canada"]
COVERAGE_COLUMNS = [
    "participant",
    "material",
    "demand_class",
    "metric",
    "level",
    "confidence",
    "stress",
    "group",
    "sharing",
]
MAX_CANDIDATES = [100, 400, 1000, 2000, 2900]  # per material


def write_random_instance(folder, seed):
    """Write the tables of the instance that this seed names; the folder is made where missing."""
    instance = RandomInstance(seed)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "instance.toml").write_text(instance.settings(), encoding="utf-8")
    for table, rows in instance.tables().items():
        if rows:
            write_table(folder / f"{table}.csv", rows)


def write_table(path, rows):
    """Write rows, dictionaries with the same keys, as a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


class RandomInstance:
    """The random choices of one instance, in a fixed order."""

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.round = rng.random() < 0.45
        self.free_holding = rng.random() < 0.1
        self.participants = PARTICIPANTS[: rng.choice([1, 2, 2, 2, 3, 3])]
        self.materials = MATERIALS[: rng.choice([1, 1, 2])]
        self.classes = CLASSES[: rng.choice([1, 2, 2, 3])]
        self.sources = SOURCES[: rng.randint(1, 3)]
        self.rules = [f"rule_{i}" for i in range(rng.choice([2, 2, 3, 4]))]
        self.horizon = rng.choice([rng.randint(4, 14), rng.randint(10, 14)])
        self.scenarios = [f"s{i}" for i in range(rng.randint(2, 6))]
        self.stresses = [f"case_{i}" for i in range(rng.randint(1, 2))]
        self.demand = self.draw_demand()
        self.lot, self.holdings = self.draw_holdings()
        self.price = {m: self.pick([1, 2, 10, 50], 0.5, 400) for m in self.materials}
        self.multiple = {k: self.pick([0.0625, 0.25, 0.5, 2], 0.02, 1.2) for k in self.classes}
        self.probability = self.draw_probabilities()

    def pick(self, round_values, low, high, digits=3):
        """One of the round values in a round instance, else a number between low and high."""
        if self.round:
            return self.rng.choice(round_values)
        return round(self.rng.uniform(low, high), digits)

    def some(self, all_names, star=0.5):
        """A cell that names all (``*``), one, or a list of several."""
        if self.rng.random() < star:
            return "*"
        count = self.rng.choice([1, 1, len(all_names)])
        return " ; ".join(self.rng.sample(all_names, count))

    def settings(self):
        allocation = self.rng.choice(["priority", "priority", "pro_rata"])
        cooperation = self.rng.choice(["none", "sharing", "joint"])
        return (
            'format = 1\nname = "random"\ntitle = "A random instance"\nprice_year = 2025\n'
            f'horizon_months = {self.horizon}\nallocation = "{allocation}"\n\n'
            f'[solve]\ncooperation = "{cooperation}"\ngap = 0.0\n'
        )

    def tables(self):
        """All tables; an empty one is not written."""
        return {
            "participants": self.participant_rows(),
            "classes": self.class_rows(),
            "materials": self.material_rows(),
            "demand": self.demand_rows(),
            "shortage": self.shortage_rows(),
            "sources": [{"source": g, "name": g.title()} for g in self.sources],
            "supply": self.supply_rows(),
            "holdings": self.holdings,
            "scenarios": [{"scenario": s, "probability": p} for s, p in self.probability.items()],
            "events": self.event_rows("scenario", self.scenarios, [0, 1, 2, 2, 3, 4]),
            "stress": self.event_rows("stress", self.stresses, [1, 2, 3]),
            "rules": self.rule_rows(),
            "transfers": self.transfer_rows(),
            "commercial": self.commercial_rows(),
            "coverage": self.coverage_rows(),
        }

    def draw_demand(self):
        """Yearly demand [t] by participant, material and class; some have none."""
        return {
            (c, m, k): self.pick([12, 24, 60, 73, 120], 3, 150, 2)
            for c in self.participants
            for m in self.materials
            for k in self.classes
            if self.rng.random() > 0.08
        } or {(self.participants[0], self.materials[0], self.classes[0]): 60}

    def yearly(self, participant, material, classes=CLASSES):
        return sum(self.demand.get((participant, material, k), 0) for k in classes)

    def draw_holdings(self):
        """Lots [t] by material and the rows of ``holdings.csv``.

        Lots per participant are such that lots x rules over participants stay below a limit.
        """
        rng = self.rng
        lot, holdings = {}, []
        limit = rng.choice(MAX_CANDIDATES) ** (1 / len(self.participants))
        most = max(1, min(12 if limit > 200 else 5, int(limit / len(self.rules)) - 1))
        while (len(self.rules) * (most + 1)) ** len(self.participants) > max(MAX_CANDIDATES):
            most -= 1
        for m in self.materials:
            use = max(1.0, max(self.yearly(c, m) for c in self.participants))
            lot[m] = round(use * rng.uniform(0.1, 0.7) / max(1, most), 3)
            if self.round:
                small = [tonnes for tonnes in (1, 2, 3, 5, 10, 12, 20, 30) if tonnes <= use / 3]
                lot[m] = rng.choice(small or [1])
            for c in self.participants:
                lots = rng.choice([rng.randint(min(1, most), most), most])
                default_fits = self.yearly(c, m) / lot[m] < most + 0.9
                max_t = round(lot[m] * (lots + rng.choice([0, 0, 0.4])), 6)
                min_t = ""
                if default_fits and rng.random() < 0.5:
                    max_t = ""
                elif rng.random() < 0.2:
                    min_t = round(lot[m] * rng.choice([0, lots, min(lots, 0.5), min(lots, 1)]), 6)
                if max_t != "" or rng.random() < 0.5:
                    existing_t = rng.choice(["", 0, lot[m]])
                    holdings.append(
                        {
                            "participant": c,
                            "material": m,
                            "existing_t": existing_t,
                            "min_t": min_t,
                            "max_t": max_t,
                        }
                    )
        return lot, holdings

    def draw_probabilities(self):
        """Unequal probabilities that add up to exactly 1 as decimals."""
        whole = 20 if self.round else 1000
        cuts = sorted(self.rng.sample(range(1, whole), len(self.scenarios) - 1))
        parts = [b - a for a, b in zip([0, *cuts], [*cuts, whole], strict=True)]
        return {s: part / whole for s, part in zip(self.scenarios, parts, strict=True)}

    def participant_rows(self):
        refill = self.rng.random() < 0.6
        return [
            {
                "participant": c,
                "name": c.title(),
                "discount_rate_per_year": 0
                if self.free_holding
                else self.pick([0.02, 0.05, 0.2], 0.005, 0.25),
                "refill_per_month": self.pick([0, 0.1, 0.25, 1], 0, 0.4) if refill else "",
            }
            for c in self.participants
        ]

    def class_rows(self):
        """Classes in any order; priorities need not be consecutive."""
        rows = [
            {
                "demand_class": k,
                "priority": 1 + 2 * i,
                "shortage_cost_multiple": self.multiple[k],
            }
            for i, k in enumerate(self.classes)
        ]
        self.rng.shuffle(rows)
        return rows

    def material_rows(self):
        rows = []
        for m in self.materials:
            rotation = "" if self.free_holding else self.pick(["", 0.05], 0, 0.1)
            storage = "" if self.free_holding else self.pick(["", 100], 0, 500)
            rows.append(
                {
                    "material": m,
                    "name": m,
                    "element": m[:2].title(),
                    "form": "metal",
                    "price_usd_per_kg": self.price[m],
                    "lot_t": self.lot[m],
                    "rotation_rate_per_year": rotation,
                    "storage_usd_per_t_year": storage,
                }
            )
        return rows

    def demand_rows(self):
        return [
            {"participant": c, "material": m, "demand_class": k, "demand_t_per_year": demand}
            for (c, m, k), demand in self.demand.items()
        ]

    def shortage_rows(self):
        """At most one row of each number of named columns, so that one is always the winner."""
        rows = []
        if self.rng.random() < 0.3:
            columns = ["participant", "material", "demand_class"]
            pools = [self.participants, self.materials, self.classes]
            for count in self.rng.sample([0, 1, 2, 3], self.rng.choice([1, 2, 3])):
                row = dict.fromkeys(columns, "*")
                for i in self.rng.sample(range(3), count):
                    row[columns[i]] = self.rng.choice(pools[i])
                material = row["material"] if row["material"] != "*" else self.materials[0]
                cost = self.price[material] * self.pick([0.5, 1, 5], 0.1, 3)
                rows.append({**row, "shortage_cost_usd_per_kg": round(cost, 4)})
        return rows

    def supply_rows(self):
        """Shares of the sources; they may leave a part that is never disrupted."""
        rows = []
        for c in self.participants:
            for m in self.materials:
                left = 1.0
                for g in self.rng.sample(self.sources, len(self.sources)):
                    share = self.pick([0.25, 0.5, 0.5, 1], 0.1, 1, 2)
                    share = round(min(share, left), 2)
                    left -= share
                    if share > 0:
                        rows.append({"participant": c, "material": m, "source": g, "share": share})
        return rows

    def event_rows(self, column, cases, counts):
        rows = []
        for name in cases:
            for i in range(self.rng.choice(counts)):
                effect = self.rng.choices(
                    ["supply_loss", "demand_surge", "sharing_blocked"], [7, 1.5, 2.5]
                )[0]
                if i == 0 and self.rng.random() < 0.7:
                    effect = "supply_loss"
                rows.append(self.event_row({column: name}, effect))
                if effect == "supply_loss" and self.rng.random() < 0.25:
                    # A second event at the same source, overlapping the first.
                    again = dict(rows[-1])
                    later = again["start_month"] + self.rng.randint(0, 2)
                    again["start_month"] = min(self.horizon, later)
                    again["severity"] = self.pick([0.25, 0.5, 1], 0.1, 1)
                    rows.append(again)
        return rows

    def event_row(self, named, effect):
        if effect == "sharing_blocked":
            severity = 1
        elif effect == "demand_surge":
            severity = self.pick([0.25, 0.5, 1], 0.05, 1.2)
        else:
            severity = self.pick([0.25, 0.5, 0.75, 1, 1], 0.2, 1)
        blank = effect == "supply_loss" and self.rng.random() < 0.5
        return {
            **named,
            "effect": "" if blank else effect,
            "source": self.rng.choice(self.sources) if effect == "supply_loss" else "",
            "materials": self.some(self.materials, 0.7),
            "targets": self.some(self.participants, 0.55),
            "demand_class": self.some(self.classes) if effect == "demand_surge" else "",
            "start_month": self.rng.randint(1, self.horizon),
            "duration_months": self.rng.choice([1, 2, 2, 3, 4, 6, 8]),
            "severity": severity,
        }

    def rule_rows(self):
        """Random rules; the first one often lets everybody have everything."""
        rows = []
        for i, rule in enumerate(self.rules):
            if i == 0 and self.rng.random() < 0.75:
                rows.append(self.rule_row(rule, "own", "*", "", "", "", ""))
                rows.append(
                    self.rule_row(rule, "partner", " ; ".join(self.classes), "", "", "", "")
                )
                continue
            for relation in ["own", "partner"]:
                if self.rng.random() < 0.25:
                    rows += self.ages(rule, relation, "*")
                    continue
                for k in self.classes:
                    if self.rng.random() < (0.95 if relation == "own" else 0.8):
                        rows += self.ages(rule, relation, k)
            if not any(row["rule"] == rule for row in rows):
                rows.append(self.rule_row(rule, "own", "*", "", "", "", ""))
        return rows

    def ages(self, rule, relation, demand_class):
        """One to three rows for a stream, each from a later age on."""
        months = [0 if self.rng.random() < 0.8 else 1]
        while len(months) < 3 and self.rng.random() < 0.4:
            months.append(months[-1] + self.rng.randint(1, 3))
        rows = [
            self.rule_row(
                rule,
                relation,
                demand_class,
                month,
                self.pick([0, 0, 0.25, 0.5, 1], 0, 0.9) if self.rng.random() < 0.7 else 0,
                self.pick([0.125, 0.25, 0.5, 1], 0.05, 1) if self.rng.random() < 0.5 else 1,
                self.pick([0.25, 0.5, 0.75], 0, 0.8) if self.rng.random() < 0.3 else "",
            )
            for month in months
        ]
        self.rng.shuffle(rows)
        return rows

    @staticmethod
    def rule_row(rule, relation, demand_class, from_month, reserve_level, draw_limit, trigger):
        return {
            "rule": rule,
            "relation": relation,
            "demand_class": demand_class,
            "from_month": from_month,
            "reserve_level": reserve_level,
            "draw_limit_per_month": draw_limit,
            "trigger_loss": trigger,
        }

    def transfer_rows(self):
        """Some pairs are missing; a cost may lie above what a shortage costs, or hit it."""
        rows = []
        for owner in self.participants:
            for beneficiary in self.participants:
                if owner == beneficiary or self.rng.random() > 0.8:
                    continue
                price = self.price[self.rng.choice(self.materials)]
                multiple = self.multiple[self.rng.choice(self.classes)]
                share = self.rng.choice([0, 0, 0.01, 0.05, 0.3, 0.9, 1, 1.5])
                rows.append(
                    {
                        "from_participant": owner,
                        "to_participant": beneficiary,
                        "lag_months": self.rng.choice(["", 0, 0, 1, 2]),
                        "cost_usd_per_t": round(1000 * price * multiple * share, 3),
                    }
                )
        return rows

    def commercial_rows(self):
        rows = []
        if self.rng.random() < 0.35:
            for c in self.participants:
                for m in self.materials:
                    chosen = self.rng.sample(self.classes, self.rng.randint(0, len(self.classes)))
                    together = "*" if len(chosen) == len(self.classes) else " ; ".join(chosen)
                    cells = [together] if self.rng.random() < 0.6 else chosen
                    rows += [
                        {
                            "participant": c,
                            "material": m,
                            "industry_days": self.pick([0, 36.5, 73], 0, 60, 1),
                            "thrift_share": self.pick([0, 0.25, 0.5, 1], 0, 0.6),
                            "thrift_after_months": self.rng.choice(["", 0, 1, 2, 3]),
                            "demand_class": cell,
                        }
                        for cell in cells
                        if cell
                    ]
        return rows

    def coverage_rows(self):
        metrics = ["fill_rate", "chance", "cvar", "stress", "days", "days"]
        rows = []
        for _ in range(self.rng.choice([0, 1, 2, 2, 3, 4])):
            metric = self.rng.choice(metrics)
            if metric == "days" and len(self.participants) > 1 and self.rng.random() < 0.5:
                rows += self.pool_rows(f"pool_{len(rows)}")
            elif metric == "days":
                rows.append(self.days_row(self.some(self.participants)))
            else:
                rows.append(self.served_row(metric, self.rng.choice(["", "on", "off"])))
        if len(self.participants) > 1 and self.rng.random() < 0.4:
            metric = self.rng.choice(["fill_rate", "chance", "cvar", "stress", "stress"])
            rows.append(self.served_row(metric, "off"))
        return rows

    def coverage_row(self, **cells):
        return {column: cells.get(column, "") for column in COVERAGE_COLUMNS}

    def served_row(self, metric, sharing):
        """A promise of what fraction is served; strict ones are asked of one stream only."""
        rng = self.rng
        strict = rng.random() < 0.6
        confidence = ""
        if metric == "chance":
            # Exactly what some scenarios add up to, or anything.
            hit = sum(rng.sample(list(self.probability.values()), rng.randint(1, 2)))
            confidence = (
                round(hit, 6) if rng.random() < 0.6 else self.pick([0.5, 0.8, 1], 0.4, 0.99)
            )
        if metric == "cvar":
            confidence = self.pick([0, 0.5, 0.75, 0.9], 0, 0.9)
        low, high = {"fill_rate": (0.6, 0.99), "cvar": (0.2, 0.9)}.get(metric, (0.4, 1))
        return self.coverage_row(
            participant=rng.choice(self.participants) if strict else self.some(self.participants),
            material=rng.choice(self.materials) if strict else self.some(self.materials),
            demand_class=rng.choice(self.classes[:2]) if strict else self.some(self.classes),
            metric=metric,
            level=self.pick(
                [0.25, 0.5, 0.75, 0.8, 1] if strict else [0.1, 0.25, 0.5],
                low,
                high * (1 if strict else 0.7),
            ),
            confidence=confidence,
            stress=rng.choice(self.stresses) if metric == "stress" else "",
            sharing=sharing,
        )

    def days_row(self, participant, group="", star=0.7):
        """A number of days that a whole number of lots often meets exactly."""
        rng = self.rng
        material = rng.choice(self.materials)
        demand_class = rng.choice(["", "*", self.some(self.classes, 0)])
        member = participant.split(" ; ")[0]
        use = self.yearly(self.participants[0] if member == "*" else member, material)
        level = self.pick([15, 30, 60, 90], 10, 100, 1)
        if use and rng.random() < 0.6:
            level = min(365 * self.lot[material] * rng.randint(1, 3) / use, 300.0)
        return self.coverage_row(
            participant=participant,
            material=material,
            demand_class=demand_class,
            metric="days",
            level=level,
            group=group,
        )

    def pool_rows(self, group):
        """Participants that hold days together: one row for all, or one for each."""
        if self.rng.random() < 0.4:
            return [self.days_row("*", group)]
        rows = [self.days_row(c, group) for c in self.participants]
        for row in rows:
            row["material"] = rows[0]["material"]
        return rows
