"""What allowing projects changes: tonnes no longer held, money moved, dependence before and after.

:func:`project_effects` solves an instance twice on the same scenarios: once without any project,
once with all that may be funded. ``docs/projects.md`` defines every figure.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.arguments import gap_and_world
from stockpile.concentration import build_caps, supplied
from stockpile.cooperation.costs_of_worlds import PARTS, borne
from stockpile.dependence import new_dependences
from stockpile.errors import UsageError
from stockpile.folders import write_whole
from stockpile.plan import COST_PARTS, Status
from stockpile.plan import TABLES as PLAN_TABLES
from stockpile.problem import DAYS_PER_YEAR
from stockpile.project_materials import material_costs
from stockpile.records import csv_texts, json_text, plain
from stockpile.result_tables import typed_table
from stockpile.running import Running
from stockpile.setting import prepared
from stockpile.solver import solve_world
from stockpile.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor

    import pandas as pd

    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.problem import Cooperation, Problem
    from stockpile.progress import Progress
    from stockpile.setting import Setting

FORMAT = 1
WITHOUT, WITH = "without", "with"
TABLES: dict[str, dict[str, type]] = {
    "plans": {
        "projects": str,
        "status": str,
        "annual_cost_usd": float,
        "bound_usd": float,
        "gap": float,
        "holding_usd": float,
        "shortage_usd": float,
        "shipping_usd": float,
        "conversion_usd": float,
        "facilities_usd": float,
        "projects_usd": float,
        "seconds": float,
    },
    "materials": {
        "material": str,
        "without_t": float,
        "with_t": float,
        "no_longer_held_t": float,
        "days_without": float,
        "days_with": float,
        "holding_saved_usd": float,
        "shortage_saved_usd": float,
        "shipping_saved_usd": float,
        "conversion_saved_usd": float,
        "project_cost_usd": float,
        "source_before": str,
        "share_before": float,
        "source_after": str,
        "share_after": float,
        "hhi_before": float,
        "hhi_after": float,
    },
    "projects": PLAN_TABLES["projects"],
    "dependence": PLAN_TABLES["dependence"],
    "caps": {
        "participant": str,
        "material": str,
        "source": str,
        "max_share": float,
        "share_without": float,
    },
}
"""Tables of the folder, their columns and what these hold."""
FILES = ("effects.json", *(f"{name}.csv" for name in TABLES))


@dataclass(frozen=True)
class ProjectEffects:
    """What a plan changes when projects are allowed, with the tables behind it.

    Attributes
    ----------
    instance_name, instance_hash
        Name and content hash of the instance.
    cooperation
        World of both plans.
    seed, sampling, scenario_count
        Of the scenarios of both plans; seed and sampling are None where the instance gives them.
    seconds
        Wall-clock time of both.
    versions
        Versions of Python and of the packages that the numbers depend on.
    without_projects, with_projects
        The plans. Limits on concentration that no plan without projects could keep are set aside
        in the first; the table ``caps`` names them.
    monotone
        Whether allowing projects can by no means make the best plan dearer: nothing was set
        aside, and no limit depends on what is paid alone.
    plans
        Cost, bound and parts of both plans [USD/year].
    materials
        What changes for each material [t, days, USD/year], and who supplies most of it to all
        participants together. Empty unless both plans are there.
    projects, dependence
        Tables of the plan with projects.
    caps
        Limits on concentration that were set aside.
    """

    instance_name: str
    instance_hash: str
    cooperation: str
    seed: int | None
    sampling: str | None
    scenario_count: int
    seconds: float
    versions: Mapping[str, str]
    without_projects: Plan
    with_projects: Plan
    monotone: bool
    plans: pd.DataFrame
    materials: pd.DataFrame
    projects: pd.DataFrame
    dependence: pd.DataFrame
    caps: pd.DataFrame

    @property
    def status(self) -> Status:
        """Return how the solves ended: the worse of the two."""
        reached = {self.without_projects.status, self.with_projects.status}
        order = (Status.INFEASIBLE, Status.INTERRUPTED, Status.TIME_LIMIT, Status.OPTIMAL)
        return next(status for status in order if status in reached)

    @property
    def complete(self) -> bool:
        """Return whether both plans are there."""
        return self.without_projects.found and self.with_projects.found

    @property
    def saving_usd(self) -> float:
        """Return what the plan with projects costs less [USD/year]; nan if unknown."""
        costs = self.plans["annual_cost_usd"].to_list()
        return float(costs[0] - costs[1])

    @property
    def saving_interval_usd(self) -> tuple[float, float]:
        """Return the least and the most that projects can really save [USD/year].

        The optimal plans have yet to be found within the gaps.
        """
        cost, bound = self.plans["annual_cost_usd"], self.plans["bound_usd"]
        least = float(bound[0] - cost[1])
        most = float(cost[0] - bound[1])
        return (max(0.0, least) if self.monotone else least), most

    @property
    def warnings(self) -> list[str]:
        """Return where the plan replaces one dependency by another, in words."""
        return new_dependences(self.with_projects)

    def summary(self) -> dict[str, Any]:
        """Return the content of ``effects.json``."""
        interval = self.saving_interval_usd
        return {
            "format": FORMAT,
            "instance": {"name": self.instance_name, "hash": self.instance_hash},
            "versions": dict(self.versions),
            "seed": self.seed,
            "sampling": self.sampling,
            "scenario_count": self.scenario_count,
            "cooperation": self.cooperation,
            "status": str(self.status),
            "saving_usd": plain(self.saving_usd),
            "saving_lower_usd": plain(interval[0]),
            "saving_upper_usd": plain(interval[1]),
            "warnings": self.warnings,
            "seconds": round(self.seconds, 3),
            "conflicts": {
                WITHOUT: list(self.without_projects.conflicts),
                WITH: list(self.with_projects.conflicts),
            },
        }

    def to_json(self) -> str:
        """Return all of it, tables included, as JSON text."""
        return json_text(self.summary(), self._tables())

    def files(self) -> dict[str, str]:
        """Return the files of the folder by name."""
        return {"effects.json": json_text(self.summary()), **csv_texts(self._tables())}

    def _tables(self) -> dict[str, pd.DataFrame]:
        return {name: getattr(self, name) for name in TABLES}

    def save(self, folder: str | Path) -> None:
        """Write the folder, whole or not at all; an earlier one there is replaced.

        Raises
        ------
        UsageError
            If the folder holds anything else.
        OSError
            If the folder cannot be written; nothing is left half-written then.
        """
        write_whole(Path(folder), self.files(), mark="effects.json", replaceable=FILES)


def project_effects(
    instance: Instance,
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    cooperation: str | None = None,
    scenarios: int | None = None,
    seed: int | None = None,
    sampling: str | None = None,
    threads: int | None = None,
    executor: Executor | int | str | None = None,
    memory_gib: float | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> ProjectEffects:
    """Say what a plan changes when projects are allowed.

    Parameters
    ----------
    instance
        As returned by :func:`stockpile.load`, with at least one project.
    gap
        As in :func:`stockpile.solve`, for both plans.
    time_limit
        Seconds for both plans together. The first gets half, the second all that is left.
    cooperation, scenarios, seed, sampling, threads, executor, memory_gib, progress
        As in :func:`stockpile.solve`.

    Raises
    ------
    UsageError
        If an argument is out of range, or there is no project.
    NotBuiltError
        If the instance uses what is not built yet.
    """
    running = Running(scenarios, seed, sampling, threads, executor, memory_gib, progress)
    gap, world = gap_and_world(
        instance, running, gap=gap, time_limit=time_limit, cooperation=cooperation
    )
    if not instance.projects:
        raise UsageError(
            f"Instance {instance.name!r} has no projects, so there is nothing to allow.\n"
            "  Add rows to projects.csv, or solve it with: stockpile solve"
        )
    with prepared(instance, running) as setting:
        deadline = np.inf if time_limit is None else setting.began + time_limit
        half = np.inf if time_limit is None else setting.began + 0.5 * time_limit
        bare = _without_projects(setting)
        without = replace(
            _solved(bare, world, gap, half, WITHOUT), instance_hash=instance.content_hash
        )
        known = without if without.found else None
        allowed = _solved(setting, world, gap, deadline, WITH, known)
        return _effects(setting, bare, world, without, allowed)


def _without_projects(setting: Setting) -> Setting:
    """Return the setting in which no project adds to anybody's supply, so none can be funded.

    Limits on concentration then hold or not, whatever the plan: they are left out.
    """
    problem = setting.problem
    projects = replace(problem.projects, share=np.zeros_like(problem.projects.share))
    return replace(
        setting,
        instance=replace(setting.instance, concentration=()),
        problem=replace(problem, projects=projects),
    )


def _solved(
    setting: Setting,
    world: Cooperation,
    gap: float,
    deadline: float,
    label: str,
    known: Plan | None = None,
) -> Plan:
    def tell(progress: Progress) -> None:
        setting.report(replace(progress, block=f"{label} projects, {progress.block}"))

    told = replace(setting, report=tell)
    began = time.monotonic() - setting.began
    return solve_world(told, world, gap=gap, deadline=deadline, start=began, known=known)


def _effects(
    setting: Setting, bare: Setting, world: Cooperation, without: Plan, allowed: Plan
) -> ProjectEffects:
    instance, problem = setting.instance, setting.problem
    aside = build_caps(instance, bare.problem)  # What is left of them no plan can keep.
    rows = {
        "plans": [_plan_row(name, plan) for name, plan in ((WITHOUT, without), (WITH, allowed))],
        "materials": [],
        "caps": [
            {
                "participant": problem.participants[cap.participant],
                "material": problem.materials[cap.material],
                "source": cap.source,
                "max_share": cap.max_share,
                "share_without": _share_without(problem, cap.participant, cap.material, cap.source),
            }
            for cap in aside
        ],
    }
    if without.found and allowed.found:
        rows["materials"] = _material_rows(setting, without, allowed)
    tables = {name: typed_table(TABLES[name], found) for name, found in rows.items()}
    return ProjectEffects(
        instance_name=instance.name,
        instance_hash=instance.content_hash,
        cooperation=world,
        seed=setting.seed,
        sampling=setting.sampling,
        scenario_count=setting.scenarios.count,
        seconds=setting.seconds(),
        versions=versions(),
        without_projects=without,
        with_projects=allowed,
        monotone=not aside and not instance.agreement.nobody_worse_off,
        projects=allowed.projects,
        dependence=allowed.dependence,
        **tables,
    )


def _plan_row(name: str, plan: Plan) -> dict[str, Any]:
    parts = dict.fromkeys(PARTS, math.nan)
    if plan.found:
        by_name = borne(plan).values()
        parts = {part: math.fsum(item[part] for item in by_name) for part in PARTS}
    return {
        "projects": name,
        "status": str(plan.status),
        "annual_cost_usd": _known(plan.annual_cost_usd),
        "bound_usd": _known(plan.bound_usd),
        "gap": _known(plan.gap),
        **{f"{part}_usd": usd for part, usd in parts.items()},
        "seconds": plan.seconds,
    }


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _share_without(problem: Problem, c: int, m: int, source: str) -> float:
    of, total = supplied(problem, c, m, np.zeros(problem.projects.count, np.bool_))
    return of.get(source, 0.0) / total


def _material_rows(setting: Setting, without: Plan, allowed: Plan) -> list[dict[str, Any]]:
    """Return what changes for each material, in the order of the table of materials."""
    problem = setting.problem
    funded = np.isin(
        problem.projects.names, allowed.projects["project"][allowed.projects["funded"]]
    )
    cost = material_costs(problem, allowed)
    held = [plan.holdings.groupby("material")["holding_t"].sum() for plan in (without, allowed)]
    costs = [_cost_parts(plan) for plan in (without, allowed)]
    rows = []
    for m, material in enumerate(problem.materials):
        tonnes = [float(table.get(material, 0.0)) for table in held]
        daily = float(problem.demand[:, m].sum()) * problem.period.per_year / DAYS_PER_YEAR
        saved = {
            f"{part}_saved_usd": costs[0][material, part] - costs[1][material, part]
            for part in COST_PARTS
        }
        rows.append(
            {
                "material": material,
                "without_t": tonnes[0],
                "with_t": tonnes[1],
                "no_longer_held_t": tonnes[0] - tonnes[1],
                "days_without": tonnes[0] / daily if daily > 0.0 else math.nan,
                "days_with": tonnes[1] / daily if daily > 0.0 else math.nan,
                **saved,
                "project_cost_usd": float(cost[:, m].sum()),
                **_concentration(problem, m, np.zeros_like(funded), "before"),
                **_concentration(problem, m, funded, "after"),
            }
        )
    return rows


def _cost_parts(plan: Plan) -> dict[tuple[str, str], float]:
    """Return every part of the cost of every material [USD/year]."""
    sums: dict[tuple[str, str], float] = {}
    for row in plan.costs.to_dict(orient="records"):
        for part in COST_PARTS:
            key = (row["material"], part)
            sums[key] = sums.get(key, 0.0) + row[part]
    return sums


def _concentration(problem: Problem, m: int, funded: Any, when: str) -> dict[str, Any]:
    """Return the largest source of all participants together, its share, and the index (17)."""
    of: dict[str, float] = {}
    total = 0.0
    for c in range(len(problem.participants)):
        own, all_ = supplied(problem, c, m, funded)
        total += all_
        for source, amount in own.items():
            of[source] = of.get(source, 0.0) + amount
    largest = max(of, key=lambda source: of[source], default="")
    return {
        f"source_{when}": largest,
        f"share_{when}": of[largest] / total if largest else math.nan,
        f"hhi_{when}": sum((amount / total) ** 2 for amount in of.values()) if of else math.nan,
    }
