"""What acting together saves, why, who should pay what, and what if a partner defaults.

:func:`compare` solves an instance in the worlds ``none``, ``sharing`` and ``joint`` on the same
scenarios. Everything else follows from these plans; ``docs/cooperation.md`` defines every figure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from stockpile.arguments import check_arguments
from stockpile.cooperation.comparison_tables import TABLES, table
from stockpile.cooperation.core import least_core
from stockpile.cooperation.costs_of_worlds import borne, borne_rows, cheapest, totals, world_rows
from stockpile.cooperation.default import default_rows, without_partners
from stockpile.cooperation.game import MOST_PLAYERS
from stockpile.cooperation.game_of_worlds import (
    coalition_rows,
    consumption_value,
    core_rows,
    game_of,
    split_rows,
    splits_of,
)
from stockpile.cooperation.meetings import meetings
from stockpile.cooperation.obligations import article7_rows, supply_loss
from stockpile.cooperation.reasons import reason_rows, saving_rows
from stockpile.cooperation.tickets import claims, holding_rows, ticket_rows
from stockpile.cooperation.worlds import Worlds
from stockpile.decisions import decisions
from stockpile.errors import UsageError
from stockpile.folders import write_whole
from stockpile.plan import Status
from stockpile.records import csv_texts, json_text, plain
from stockpile.running import Running
from stockpile.setting import prepared
from stockpile.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor

    import pandas as pd

    from stockpile.cooperation.core import LeastCore
    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.problem import Cooperation
    from stockpile.progress import Progress
    from stockpile.setting import Setting

FORMAT = 1
FILES = ("comparison.json", *(f"{name}.csv" for name in TABLES))


@dataclass(frozen=True)
class Comparison:
    """What acting together is worth, with the tables behind it.

    The *agreed plan* is the cheapest of those found; of equal ones that with the least
    cooperation. Splits, claims, obligations and the default are those of the agreed plan.

    Attributes
    ----------
    instance_name, instance_hash
        Name and content hash of the instance.
    names
        Full name of each participant.
    seed, sampling, scenario_count
        Of the scenarios of all worlds; seed and sampling are None where the instance gives them.
    seconds
        Wall-clock time of all.
    versions
        Versions of Python and of the packages that the numbers depend on.
    plans
        The plans of ``none``, ``sharing`` and ``joint``.
    agreed
        World of the agreed plan; None where no world has a plan.
    floored
        The agreed plan once more, with every promise that a default breaks asked for as a floor;
        None where nothing breaks, or where it was not asked for.
    least_core
        A split whose greatest excess is least; None without a game.
    worlds
        Cost, bound and saving of each world [USD/year].
    borne
        What each participant bears in each world [USD/year].
    savings, reasons
        The saving by participant and material, and of each material the reason.
    holdings
        What is held in each world [t], and the part on which partners have a claim.
    coalitions, splits, core, tickets
        The game; no rows where not all promises can be kept alone.
    article7
        Who owes and who receives in named disruptions [t/month].
    default, floors
        What is lost if no partner releases anything, and the promises that break.
    """

    instance_name: str
    instance_hash: str
    names: Mapping[str, str]
    seed: int | None
    sampling: str | None
    scenario_count: int
    seconds: float
    versions: Mapping[str, str]
    plans: Mapping[str, Plan]
    agreed: str | None
    floored: Plan | None = None
    least_core: LeastCore | None = None
    worlds: pd.DataFrame = field(default_factory=partial(table, "worlds"))
    borne: pd.DataFrame = field(default_factory=partial(table, "borne"))
    savings: pd.DataFrame = field(default_factory=partial(table, "savings"))
    reasons: pd.DataFrame = field(default_factory=partial(table, "reasons"))
    holdings: pd.DataFrame = field(default_factory=partial(table, "holdings"))
    coalitions: pd.DataFrame = field(default_factory=partial(table, "coalitions"))
    splits: pd.DataFrame = field(default_factory=partial(table, "splits"))
    core: pd.DataFrame = field(default_factory=partial(table, "core"))
    tickets: pd.DataFrame = field(default_factory=partial(table, "tickets"))
    article7: pd.DataFrame = field(default_factory=partial(table, "article7"))
    default: pd.DataFrame = field(default_factory=partial(table, "default"))
    floors: pd.DataFrame = field(default_factory=partial(table, "floors"))

    @property
    def status(self) -> Status:
        """Return how the solves of the three worlds ended: the worst of them."""
        reached = {plan.status for plan in self.plans.values()}
        order = (Status.INFEASIBLE, Status.INTERRUPTED, Status.TIME_LIMIT, Status.OPTIMAL)
        return next(status for status in order if status in reached)

    @property
    def complete(self) -> bool:
        """Return whether all three worlds have a plan."""
        return all(plan.found for plan in self.plans.values())

    @property
    def saving_usd(self) -> float:
        """Return what the agreed plan costs less than acting alone [USD/year]; nan if unknown."""
        return self._of_agreed("saving_usd")

    @property
    def saving_interval_usd(self) -> tuple[float, float]:
        """Return the least and the most that acting together can really save [USD/year].

        The optimal plans have yet to be found within the gaps; see the table ``worlds``.
        """
        if self.agreed == "none":  # Acting alone is possible together, too.
            return 0.0, float(self.worlds["saving_upper_usd"].max())
        return self._of_agreed("saving_lower_usd"), self._of_agreed("saving_upper_usd")

    @property
    def floors_cost_usd(self) -> float:
        """Return what the floors cost [USD/year]; nan where unknown, 0 where none is needed."""
        if self.floors.empty and self.agreed is not None:
            return 0.0
        if self.floored is None or self.floored.annual_cost_usd is None:
            return math.nan
        return self.floored.annual_cost_usd - self._of_agreed("annual_cost_usd")

    @property
    def floors_interval_usd(self) -> tuple[float, float]:
        """Return the least and the most that the floors can really cost [USD/year]."""
        if math.isnan(self.floors_cost_usd) or self.floored is None:
            return self.floors_cost_usd, self.floors_cost_usd
        cost, bound = self.floored.annual_cost_usd, self.floored.bound_usd
        assert cost is not None
        assert bound is not None
        # More promises never make a plan cheaper.
        least = max(0.0, bound - self._of_agreed("annual_cost_usd"))
        return least, cost - self._of_agreed("bound_usd")

    def _of_agreed(self, column: str) -> float:
        """Return a figure of the agreed world; nan without one."""
        rows = self.worlds[self.worlds["world"] == self.agreed]
        return float(rows[column].iloc[0]) if len(rows) else math.nan

    def summary(self) -> dict[str, Any]:
        """Return the content of ``comparison.json``."""
        interval, floors = self.saving_interval_usd, self.floors_interval_usd
        core = self.least_core
        return {
            "format": FORMAT,
            "instance": {"name": self.instance_name, "hash": self.instance_hash},
            "versions": dict(self.versions),
            "seed": self.seed,
            "sampling": self.sampling,
            "scenario_count": self.scenario_count,
            "status": str(self.status),
            "agreed": self.agreed,
            "saving_usd": plain(self.saving_usd),
            "saving_lower_usd": plain(interval[0]),
            "saving_upper_usd": plain(interval[1]),
            "core_epsilon_usd": None if core is None else core.epsilon,
            "core_bound_usd": None if core is None else core.bound,
            "floors_status": None if self.floored is None else str(self.floored.status),
            "floors_cost_usd": plain(self.floors_cost_usd),
            "floors_lower_usd": plain(floors[0]),
            "floors_upper_usd": plain(floors[1]),
            "seconds": round(self.seconds, 3),
            "conflicts": {world: list(plan.conflicts) for world, plan in self.plans.items()},
        }

    def to_json(self) -> str:
        """Return the whole comparison, tables included, as JSON text."""
        return json_text(self.summary(), self._tables())

    def files(self) -> dict[str, str]:
        """Return the files of the comparison folder by name."""
        return {"comparison.json": json_text(self.summary()), **csv_texts(self._tables())}

    def _tables(self) -> dict[str, pd.DataFrame]:
        return {name: getattr(self, name) for name in TABLES}

    def save(self, folder: str | Path) -> None:
        """Write the comparison folder, whole or not at all; an earlier one there is replaced.

        Raises
        ------
        UsageError
            If the folder holds anything but a comparison.
        OSError
            If the folder cannot be written; nothing is left half-written then.
        """
        write_whole(Path(folder), self.files(), mark="comparison.json", replaceable=FILES)


def compare(
    instance: Instance,
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    scenarios: int | None = None,
    seed: int | None = None,
    sampling: str | None = None,
    threads: int | None = None,
    executor: Executor | int | str | None = None,
    memory_gib: float | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
    price_floors: bool = True,
) -> Comparison:
    """Say what acting together saves, why, and who should pay what.

    Parameters
    ----------
    instance
        As returned by :func:`stockpile.load`, with at least two participants.
    gap
        As in :func:`stockpile.solve`, for every world.
    time_limit
        Seconds for all plans together. Each gets an equal part of what is left when its turn
        comes.
    scenarios, seed, sampling, threads, executor, memory_gib, progress
        As in :func:`stockpile.solve`.
    price_floors
        Whether to solve the agreed plan once more with the floors that make it safe against a
        default, to see what they cost.

    Raises
    ------
    UsageError
        If an argument is out of range, or there are too few or too many participants.
    NotBuiltError
        If the instance uses what is not built yet.
    """
    gap = instance.solve_settings.gap if gap is None else gap
    running = Running(scenarios, seed, sampling, threads, executor, memory_gib, progress)
    check_arguments(
        running,
        gap=gap,
        time_limit=time_limit,
    )
    players = len(instance.participants)
    if not 2 <= players <= MOST_PLAYERS:
        raise UsageError(
            f"Instance {instance.name!r} has {players} participants; a comparison needs from 2 to "
            f"{MOST_PLAYERS}, since every group of them is a plan to be solved."
        )
    with prepared(
        instance,
        running,
    ) as setting:
        deadline = np.inf if time_limit is None else setting.began + time_limit
        groups = 2**players - players - 2
        worlds = Worlds(setting, gap, deadline, more=groups + price_floors)
        plans = worlds.three()
        return _compared(setting, worlds, plans, price_floors=price_floors)


def _compared(
    setting: Setting, worlds: Worlds, plans: Mapping[str, Plan], *, price_floors: bool
) -> Comparison:
    """Draw the conclusions from the plans of the three worlds."""
    problem, instance = setting.problem, setting.instance
    alone, agreed = plans["none"], cheapest(plans)
    found: dict[str, Any] = {"worlds": world_rows(plans), "borne": borne_rows(plans)}
    floored = core = None
    met, worst = meetings(setting)
    found["savings"] = saving_rows(plans)
    found["reasons"] = reason_rows(instance, plans, met)
    found["holdings"] = [
        row
        for plan in plans.values()
        if plan.found
        for row in holding_rows(plan, problem, claims(problem, setting.blocks, plan))
    ]
    if agreed is not None:
        plan = plans[agreed]
        found["article7"] = _article7(setting, plan, worst)
        default = without_partners(setting, plan, alone)
        found["default"] = default_rows(problem, plan, alone, default)
        found["floors"] = default.rows
        if alone.found:
            core = _play(setting, plan, alone, worlds, found)
        if default.rows and alone.found and price_floors and not setting.interrupt.raised:
            floored = worlds.with_floors(
                cast("Cooperation", agreed), alone, default.promises, default.groups
            )
    return Comparison(
        instance_name=instance.name,
        instance_hash=instance.content_hash,
        names={row.participant: row.name for row in instance.participants},
        seed=setting.seed,
        sampling=setting.sampling,
        scenario_count=setting.scenarios.count,
        seconds=setting.seconds(),
        versions=versions(),
        plans=plans,
        agreed=agreed,
        floored=floored,
        least_core=core,
        **{name: table(name, rows) for name, rows in found.items()},
    )


def _play(
    setting: Setting, agreed: Plan, alone: Plan, worlds: Worlds, found: dict[str, Any]
) -> LeastCore:
    """Add the tables of the game to what was found; return its least core."""
    problem = setting.problem
    found["coalitions"] = coalition_rows(alone, agreed, worlds.groups(alone))
    game = game_of(found["coalitions"], problem.participants)
    splits = splits_of(game, consumption_value(problem))
    found["splits"] = split_rows(game, splits, totals(borne(agreed)))
    found["core"] = core_rows(game, splits)
    lots, _ = decisions(problem, agreed)
    claimed = lots * problem.lot * claims(problem, setting.blocks, agreed)
    found["tickets"] = ticket_rows(problem, claimed, found["splits"])
    return least_core(game)


def _article7(setting: Setting, plan: Plan, worst: int | None) -> list[dict[str, Any]]:
    """Return obligations in every stress case, in the worst scenario where there is none."""
    problem = setting.problem
    cases = [(setting.stress, index) for index in range(setting.stress.count)]
    if not cases and worst is not None:
        cases = [(setting.scenarios, worst)]
    lots, _ = decisions(problem, plan)
    rows = []
    for among, index in cases:
        name = among.names[index] if among.names else f"scenario {index + 1}"
        loss = supply_loss(problem, among, index)
        rows += article7_rows(problem, name, loss, lots * problem.lot)
    return rows
