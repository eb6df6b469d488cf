"""What others may do about a plan, and which of its conclusions survive that.

Retaliation after a new project, dumping, and retaliation after a release. A plan is judged as it
stands in every case, on its own scenarios; where wanted, it is worked out anew as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockpile.answer_cases import PLANNED, RETALIATION, Case, answer_cases
from stockpile.errors import UsageError
from stockpile.folders import write_whole
from stockpile.outofsample import evaluate
from stockpile.periods import MONTH, PERIODS
from stockpile.plan import Status
from stockpile.plan_decisions import plan_decisions, require_same
from stockpile.problem import build_problem, promise_in_words
from stockpile.records import csv_texts, json_text
from stockpile.release_answers import Retaliation, retaliations
from stockpile.result_tables import typed_table
from stockpile.scenarios import given_scenarios, scenario_set
from stockpile.solver import solve
from stockpile.spelled_out import spelled_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd

    from stockpile.instance import Instance
    from stockpile.outofsample import Assessment
    from stockpile.plan import Plan
    from stockpile.progress import Progress
    from stockpile.tables import Event

FORMAT = 1
TABLES: dict[str, dict[str, type]] = {
    "cases": {
        "case": str,
        "probability": float,
        "annual_cost_usd": float,
        "change_usd_per_year": float,
        "projects_usd": float,
        "promises_kept": int,
        "promises": int,
        "limits_broken": int,
    },
    "solved": {
        "case": str,
        "status": str,
        "annual_cost_usd": float,
        "bound_usd": float,
        "saving_usd_per_year": float,
        "projects_funded": str,
        "holdings_changed": int,
    },
    "conclusions": {
        "kind": str,
        "participant": str,
        "material": str,
        "conclusion": str,
        "survives": int,
        "cases": int,
        "changed_in": str,
    },
}
"""Tables of a result folder, their columns and what these hold."""
MARK = "counter-moves.json"
NOT_FUNDED = "not funded"
FILES = (MARK, *(f"{name}.csv" for name in TABLES))


@dataclass(frozen=True)
class CounterMoves:
    """What becomes of a plan where others answer it.

    Attributes
    ----------
    instance_name, instance_hash, cooperation, seed, sampling, scenario_count
        Of the plan, on whose scenarios all cases are judged.
    retaliation
        What is assumed of retaliation after a release.
    cases
        The plan as it stands in each case: how likely the scenarios are in which anything differs,
        its cost and what of it is for projects [USD/year], promises kept, and limits on shares
        (16) and on the worst scenarios (18) that are broken.
    solved
        A new plan in each case: its cost and bound [USD/year], what it saves against the plan as it
        stands, the projects that it funds, and the number of holdings that differ by more than a
        lot. Less than nothing is saved where the plan as it stands breaks promises. No rows where
        that was not asked for.
    conclusions
        What the plan says, in how many cases that survives, and in which it does not: promises that
        are kept as it stands, and where it is worked out anew, the projects that it funds and
        what is held to within a lot.
    complete
        Whether all was worked out that was asked for.
    """

    instance_name: str
    instance_hash: str
    cooperation: str
    seed: int | None
    sampling: str | None
    scenario_count: int
    retaliation: Retaliation
    cases: pd.DataFrame
    solved: pd.DataFrame
    conclusions: pd.DataFrame
    complete: bool

    def summary(self) -> dict[str, Any]:
        """Return the content of ``counter-moves.json`` but for the tables."""
        return {
            "format": FORMAT,
            "instance": {"name": self.instance_name, "hash": self.instance_hash},
            "cooperation": self.cooperation,
            "seed": self.seed,
            "sampling": self.sampling,
            "scenario_count": self.scenario_count,
            "retaliation": {
                "delay_months": self.retaliation.delay_months,
                "duration_months": self.retaliation.duration_months,
                "severity": self.retaliation.severity,
            },
            "complete": self.complete,
        }

    def to_json(self) -> str:
        """Return ``counter-moves.json``, tables included."""
        return json_text(self.summary(), self._tables())

    def save(self, folder: str | Path) -> None:
        """Write ``counter-moves.json`` and a CSV file for each table, whole or not at all.

        Raises
        ------
        UsageError
            If the folder holds anything but counter-moves.
        OSError
            If the folder cannot be written; nothing is left half-written then.
        """
        files = {MARK: self.to_json(), **csv_texts(self._tables())}
        write_whole(Path(folder), files, mark=MARK, replaceable=FILES)

    def _tables(self) -> dict[str, pd.DataFrame]:
        return {name: getattr(self, name) for name in TABLES}


def counter_moves(
    instance: Instance,
    plan: Plan,
    *,
    solve_again: bool = False,
    delay_months: int = 1,
    duration_months: int = 6,
    severity: float = 1.0,
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> CounterMoves:
    """Judge a plan where others answer it, on its own scenarios.

    The cases: every hazard that answers a project left out, and certain; prices never cut, and cut
    for good; and, in worlds with partners, retaliation after the first release to a partner.

    Parameters
    ----------
    instance, plan
        What was solved, and its plan.
    solve_again
        Whether to solve the instance anew in every case that does not depend on the plan.
    delay_months, duration_months, severity
        Of retaliation after a release: how long after the month of the release it starts, at least
        1, how long it lasts, and which fraction of the supply from the source is lost.
    gap, time_limit
        Of each new solve, as in :func:`stockpile.solve`.
    threads, progress
        As in :func:`stockpile.evaluate`.

    Raises
    ------
    ResultError
        If the plan was made from another instance, or there is none.
    UsageError
        If an argument is out of range, or the instance is in weeks: events of a table, which the
        cases are made of, begin and end with months.
    """
    retaliation = Retaliation(delay_months, duration_months, severity)
    retaliation.check()
    require_same(plan, instance)
    if PERIODS[instance.period] != MONTH:
        raise UsageError(
            f'counter-moves are judged in months, and period is "{instance.period}" in '
            "instance.toml; solve the instance in months and judge that plan, both with "
            "--set period=month"
        )
    problem = build_problem(instance)
    plan_decisions(problem, plan)
    drawn = scenario_set(instance, problem, plan.scenario_count, plan.seed, plan.sampling)
    spelled = spelled_out(instance, problem, drawn)
    cases = list(answer_cases(spelled, plan.seed))
    if plan.cooperation != "none":
        answers = retaliations(problem, plan, given_scenarios(spelled, problem), retaliation)
        cases.append(Case(RETALIATION, spelled.events + answers, of_plan=True))
    worlds = {case.name: replace(spelled, events=case.events) for case in cases}
    judged = {
        name: evaluate(world, plan, threads=threads, progress=progress)
        for name, world in worlds.items()
    }
    again: dict[str, Plan] = {}
    for case in cases if solve_again else ():
        if case.of_plan or _stopped(again.values()):
            continue
        again[case.name] = solve(
            worlds[case.name],
            gap=gap,
            time_limit=time_limit,
            cooperation=plan.cooperation,  # type: ignore[arg-type]
            threads=threads,
            progress=progress,
        )
    conclusions = _promises(judged)
    if again and again[PLANNED].found:
        conclusions += _decisions(again)
    return CounterMoves(
        instance_name=plan.instance_name,
        instance_hash=plan.instance_hash,
        cooperation=plan.cooperation,
        seed=plan.seed,
        sampling=plan.sampling,
        scenario_count=drawn.count,
        retaliation=retaliation,
        cases=typed_table(TABLES["cases"], _case_rows(spelled, cases, judged)),
        solved=typed_table(TABLES["solved"], _solved_rows(again, judged)),
        conclusions=typed_table(TABLES["conclusions"], conclusions),
        complete=not _stopped(again.values()),
    )


def _stopped(plans: Iterable[Plan]) -> bool:
    """Say whether the user has asked to stop."""
    return any(plan.status is Status.INTERRUPTED for plan in plans)


def _case_rows(
    spelled: Instance, cases: Sequence[Case], judged: Mapping[str, Assessment]
) -> list[dict[str, Any]]:
    rows, base = [], judged[PLANNED]
    for case in cases:
        found = judged[case.name]
        rows.append(
            {
                "case": case.name,
                "probability": _probability_of_change(spelled, case.events),
                "annual_cost_usd": found.annual_cost_usd,
                "change_usd_per_year": found.annual_cost_usd - base.annual_cost_usd,
                "projects_usd": found.projects_usd,
                "promises_kept": int(found.coverage["met"].sum()),
                "promises": len(found.coverage),
                "limits_broken": int((~found.limits["met"].astype(bool)).sum()),
            }
        )
    return rows


def _probability_of_change(spelled: Instance, events: Sequence[Event]) -> float:
    """Return how likely the scenarios are whose events differ from those that were planned on."""

    def by_scenario(rows: Sequence[Event]) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = {}
        for row in rows:
            found.setdefault(row.scenario, []).append(row)
        return found

    before, after = by_scenario(spelled.events), by_scenario(events)
    total = sum(row.probability for row in spelled.scenarios)
    differ = sum(
        row.probability
        for row in spelled.scenarios
        if before.get(row.scenario) != after.get(row.scenario)
    )
    return differ / total


def _states(plan: Plan) -> dict[str, str]:
    """Return in words what becomes of each project."""
    return {
        row["project"]: ("fast track" if row["fast_track"] else "funded")
        if row["funded"]
        else NOT_FUNDED
        for row in plan.projects.to_dict(orient="records")
    }


def _lots(plan: Plan) -> dict[tuple[str, str], int]:
    return {
        (row["participant"], row["material"]): int(row["lots"])
        for row in plan.holdings.to_dict(orient="records")
    }


def _solved_rows(
    again: Mapping[str, Plan], judged: Mapping[str, Assessment]
) -> list[dict[str, Any]]:
    rows = []
    base = _lots(again[PLANNED]) if again else {}
    for name, plan in again.items():
        lots, states = _lots(plan), _states(plan)
        cost = math.nan if plan.annual_cost_usd is None else plan.annual_cost_usd
        rows.append(
            {
                "case": name,
                "status": str(plan.status),
                "annual_cost_usd": cost,
                "bound_usd": math.nan if plan.bound_usd is None else plan.bound_usd,
                "saving_usd_per_year": judged[name].annual_cost_usd - cost,
                "projects_funded": ";".join(p for p in states if states[p] != NOT_FUNDED),
                "holdings_changed": sum(abs(lots[stock] - base[stock]) > 1 for stock in lots),
            }
        )
    return rows


def _promises(judged: Mapping[str, Assessment]) -> list[dict[str, Any]]:
    """Say in which cases the promises that the plan keeps are kept by it as it stands."""
    kept = {name: found.coverage.to_dict(orient="records") for name, found in judged.items()}
    rows = []
    for place, row in enumerate(kept[PLANNED]):
        if row["met"]:
            what = promise_in_words(row).partition(": ")[2]
            row_of = {"kind": "promise", **{key: row[key] for key in ("participant", "material")}}
            survives = {name: bool(of[place]["met"]) for name, of in kept.items()}
            rows.append(row_of | _survival(f"{row['demand_class']}, {what} is kept", survives))
    return rows


def _decisions(again: Mapping[str, Plan]) -> list[dict[str, Any]]:
    """Say in which cases a new plan funds the same projects and holds the same to within a lot."""
    solved = {name: plan for name, plan in again.items() if plan.found}
    none = again.keys() - solved.keys()  # Without any plan nothing survives.
    rows = []
    states = {name: _states(plan) for name, plan in solved.items()}
    for project, state in states[PLANNED].items():
        survives = {name: of[project] == state for name, of in states.items()}
        survives |= dict.fromkeys(none, False)
        row_of = {"kind": "project", "participant": "", "material": ""}
        rows.append(row_of | _survival(f"{project} is {state}", survives))
    lots = {name: _lots(plan) for name, plan in solved.items()}
    for (participant, material), number in lots[PLANNED].items():
        survives = {name: abs(of[participant, material] - number) <= 1 for name, of in lots.items()}
        survives |= dict.fromkeys(none, False)
        row_of = {"kind": "holding", "participant": participant, "material": material}
        rows.append(row_of | _survival(f"{number} lots are held", survives))
    return rows


def _survival(conclusion: str, survives: Mapping[str, bool]) -> dict[str, Any]:
    """Return the columns about the cases, of which the plan as it is counts as none."""
    of_cases = {name: holds for name, holds in survives.items() if name != PLANNED}
    return {
        "conclusion": conclusion,
        "survives": sum(of_cases.values()),
        "cases": len(of_cases),
        "changed_in": "; ".join(name for name, holds in of_cases.items() if not holds),
    }
