"""Models of a whole instance as files, and what another solver says of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from stockpile.arguments import gap_and_world
from stockpile.errors import UsageError
from stockpile.foresight_bound import block_models, require_known, solve_models, world_budgets
from stockpile.model.files import FORMATS, check_file, write_foresight_model, write_plan_model
from stockpile.model.foresight_reference import instance_model
from stockpile.model.labels import labels_of
from stockpile.model.plan_reference import plan_reference
from stockpile.model.solvers import require_solver, solve_reference
from stockpile.plan import Status
from stockpile.projects import FAST, NOT_FUNDED
from stockpile.running import Running
from stockpile.setting import prepared
from stockpile.solver import world_couplings
from stockpile.together import judge_together, search_together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from stockpile.candidates import Candidates
    from stockpile.evaluator import Evaluator
    from stockpile.instance import Instance
    from stockpile.model.files import Format
    from stockpile.model.selection import Selection
    from stockpile.problem import Cooperation
    from stockpile.progress import Progress
    from stockpile.setting import Setting
    from stockpile.variants import Variants

Model = Literal["plan", "foresight"]
MODELS = ("plan", "foresight")
"""The selection model, and the model with perfect foresight."""
LEAST_COLUMNS = 40
"""Columns that each block gets in the selection model at least, if so many were simulated."""
AGREE = 1e-6
"""Relative difference up to which two solvers agree."""


@dataclass(frozen=True, slots=True)
class SolverAnswer:
    """What another solver says of a model.

    Attributes
    ----------
    solver
        Pyomo's name for it.
    status
        ``optimal``, ``infeasible``, ``unbounded``, or ``stopped``.
    objective_usd
        Optimum [USD/year]; infinite unless optimal.
    """

    solver: str
    status: str
    objective_usd: float


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """A model that was written to a file, and what is proved of its optimum.

    Attributes
    ----------
    model
        ``plan`` or ``foresight``.
    path
        The file; None where there was nothing to write: see ``status``.
    cooperation
        ``none``, ``sharing`` or ``joint``.
    seed, sampling, scenario_count
        Of the scenarios; seed and sampling are None where the instance gives its scenarios.
    status
        How our own solve ended. Without a plan no model is written.
    columns
        Of a ``plan``: columns in the model, of all blocks; else 0.
    cost_usd
        What our own plan, or our holdings with the best releases, cost [USD/year]: the model's
        optimum is not above. Infinite without one.
    bound_usd
        Proven lower limit [USD/year]: the model's optimum is not below.
    answer
        What another solver says; None where none was asked.
    """

    model: Model
    path: Path | None
    cooperation: str
    seed: int | None
    sampling: str | None
    scenario_count: int
    status: Status
    columns: int
    cost_usd: float
    bound_usd: float
    answer: SolverAnswer | None = None

    @property
    def agrees(self) -> bool:
        """Return whether the other solver's optimum lies between our bound and our cost."""
        if self.answer is None or self.answer.status != "optimal":
            return False
        room = AGREE * abs(self.cost_usd)
        return not self.contradicts and self.answer.objective_usd <= self.cost_usd + room

    @property
    def contradicts(self) -> bool:
        """Return whether the other solver's answer cannot be right if our bound and plan are.

        An optimum above our cost does not: a solver may stop at a gap of its own.
        """
        if self.answer is None:
            return False
        if self.answer.status in ("infeasible", "unbounded"):
            return True
        return self.answer.objective_usd < self.bound_usd - AGREE * abs(self.cost_usd)


def export_model(
    instance: Instance,
    path: str | PathLike[str],
    *,
    model: Model = "plan",
    file_format: Format | None = None,
    solver: str | None = None,
    gap: float | None = None,
    time_limit: float | None = None,
    cooperation: Cooperation | None = None,
    scenarios: int | None = None,
    seed: int | None = None,
    sampling: str | None = None,
    threads: int | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> ExportedModel:
    """Write a model of an instance to a file for other solvers, whole or not at all.

    Parameters
    ----------
    instance
        As returned by :func:`stockpile.load`.
    path
        The file; one of that name is replaced.
    model
        ``plan``: choose one column for every block, equations (9) to (18); the instance is solved
        first, and the columns are those that the solve has found. ``foresight``: the two-stage
        model with perfect foresight in extensive form, see ``docs/foresight.md``.
    file_format
        ``mps`` or ``lp``; default by the ending of the path, else ``mps``.
    solver
        Solver that Pyomo reaches, such as ``highs`` or ``gurobi``, to solve the model with, stated
        anew in Pyomo; default none.
    gap, time_limit
        As in :func:`stockpile.solve`, for the solve that finds the columns.
    cooperation, scenarios, seed, sampling, threads, progress
        As in :func:`stockpile.solve`.

    Raises
    ------
    UsageError
        If an argument is out of range, the file cannot have that name, or the solver is not there.
    NotBuiltError
        If the instance uses what is not built yet.
    OSError
        If the file cannot be written; nothing is left behind then.
    """
    path = Path(path)
    ending = path.suffix.removeprefix(".").lower()
    by_ending = next((known for known in FORMATS if known == ending), FORMATS[0])
    file_format = by_ending if file_format is None else file_format
    running = Running(scenarios, seed, sampling, threads, progress=progress)
    gap, world = gap_and_world(
        instance,
        running,
        gap=gap,
        time_limit=time_limit,
        cooperation=cooperation,
    )
    for name, value, known in (("model", model, MODELS), ("file_format", file_format, FORMATS)):
        if value not in known:
            raise UsageError(f"{name} is {value!r}; expected one of {', '.join(known)}")
    # Found out before the work, not after it.
    check_file(path)
    if solver is not None:
        require_solver(solver)
    if model == "foresight":
        require_known(instance)
    with prepared(
        instance,
        running,
    ) as setting:
        if model == "foresight":
            return _foresight(setting, world, path, file_format, solver)
        deadline = np.inf if time_limit is None else setting.began + time_limit
        return _plan(setting, world, path, file_format, solver, gap=gap, deadline=deadline)


def _plan(
    setting: Setting,
    world: Cooperation,
    path: Path,
    file_format: Format,
    solver: str | None,
    *,
    gap: float,
    deadline: float,
) -> ExportedModel:
    """Solve an instance, and write the selection model over the columns that were found."""
    couplings = world_couplings(setting, world, gap=gap, deadline=deadline)
    states = couplings.projects.allowed
    evaluators = [
        setting.evaluator(block, sharing=world != "none", states=states) for block in setting.blocks
    ]
    # Materials that nothing joins are searched together as well, so that there are columns.
    search = search_together(setting, couplings, evaluators, gap=gap, deadline=deadline)
    found = judge_together(setting, couplings, evaluators, search)
    stopped = Status.INTERRUPTED if setting.interrupt.raised else Status.TIME_LIMIT
    has_plan = search.incumbent is not None
    columns, answer = 0, None
    if has_plan:
        selection = search.model(LEAST_COLUMNS)
        columns = selection.block.size
        write_plan_model(selection, path, file_format, _in_words(evaluators, search.columns))
        answer = None if solver is None else _answer_to_plan(selection, solver)
        status = Status.OPTIMAL if found.finished else stopped
    else:
        status = Status.INFEASIBLE if found.finished else stopped
    return ExportedModel(
        model="plan",
        path=path if has_plan else None,
        cooperation=world,
        seed=setting.seed,
        sampling=setting.sampling,
        scenario_count=setting.scenarios.count,
        status=status,
        columns=columns,
        cost_usd=found.cost,
        bound_usd=found.bound,
        answer=answer,
    )


def _in_words(evaluators: Sequence[Evaluator], columns: Sequence[Candidates]) -> list[str]:
    """Say what columns stand for: lots and rule of every participant, and projects funded."""
    problem = evaluators[0].problem
    projects = labels_of(problem.projects.names)
    owners = labels_of(problem.participants)
    rules = labels_of([rule.name for rule in problem.menu.rules])
    return [
        "; ".join(
            f"{owner} {lots} {rules[rule]}" if lots else f"{owner} 0"
            for owner, lots, rule in zip(owners, of_lots, of_rules, strict=False)
        )
        + _projects_in_words(projects, evaluator.variants, of_rules[-1])
        for evaluator, candidates in zip(evaluators, columns, strict=True)
        for of_lots, of_rules in zip(
            candidates.lots.tolist(), candidates.rule.tolist(), strict=True
        )
    ]


def _projects_in_words(names: Sequence[str], variants: Variants, variant: int) -> str:
    """Say which projects are funded in a variant, and which of these are fast."""
    funded = [
        names[n] + (" fast" if state == FAST else "")
        for n, state in zip(variants.projects, variants.states[variant], strict=True)
        if state != NOT_FUNDED
    ]
    return f"; with {', '.join(funded)}" if funded else ""


def _answer_to_plan(selection: Selection, solver: str) -> SolverAnswer:
    model = plan_reference(selection)
    solution = solve_reference(model, solver)
    return SolverAnswer(solver, solution.status, solution.objective * model.money_usd.value)


def _foresight(
    setting: Setting, world: Cooperation, path: Path, file_format: Format, solver: str | None
) -> ExportedModel:
    """Write the model with perfect foresight, and solve it by cuts."""
    materials = list(block_models(setting, sharing=world != "none"))
    budgets = world_budgets(setting, world)
    optimum = solve_models(setting, materials, budgets)
    feasible = bool(np.isfinite(optimum.cost))
    answer = None
    if feasible:
        write_foresight_model(materials, budgets, path, file_format)
        if solver is not None:
            solution = solve_reference(instance_model(materials, budgets), solver)
            answer = SolverAnswer(solver, solution.status, solution.objective)
    return ExportedModel(
        model="foresight",
        path=path if feasible else None,
        cooperation=world,
        seed=setting.seed,
        sampling=setting.sampling,
        scenario_count=setting.scenarios.count,
        status=Status.OPTIMAL if feasible else Status.INFEASIBLE,
        columns=0,
        cost_usd=optimum.cost,
        bound_usd=optimum.bound,
        answer=answer,
    )
