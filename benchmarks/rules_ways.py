"""One way to choose rules and holdings, in a process of its own.

    python benchmarks/rules_ways.py WAY JSON

The JSON says: ``instance`` (a folder), ``scenarios``, ``gap`` to prove, ``seed``, ``optimum`` (that
of each material, to compare with), and ``seconds`` that may be spent. Prints JSON. Every way has
one thread and the same evaluator; each material is searched on its own, since nothing joins them.
Seconds are those of the processor, since a busy machine changes these least: from the evaluator
standing ready on, or for ``mip`` from the needs on.

=======  ===========================================================================================
boxes    ours: the box search, until the gap is proved
boxes-1  the same, stopped as the searches from outside are
de       SciPy's differential evolution as it comes, one candidate after the other; begun anew with
         another seed when it has converged
de-all   the same with a whole generation simulated at once, as our own search does it
tpe      Optuna's default sampler, one candidate after the other
mip      equations (4) to (6) as a mixed-integer program, HiGHS (``benchmarks/rules_mip.py``)
=======  ===========================================================================================

The searches from outside (``de``, ``de-all``, ``tpe``) minimise the yearly cost (7); a candidate
that breaks promises is charged more than any that keeps them, and the more the further it is from
keeping them: ``worst * (1 + sum of shortfalls)``, with ``worst`` the cost of holding all that is
allowed and serving nothing, and the shortfalls relative to the levels promised. They prove nothing,
so they are told the optimum, and stop once they are within 1 % of it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from rules_mip import chosen_of, rules_program

import stockpile as sp
from stockpile.blocks import build_blocks
from stockpile.boxsearch import BoxSearch
from stockpile.choices import with_variant
from stockpile.evaluator import Evaluator
from stockpile.model.linear import solve_linear
from stockpile.parallel import Workers
from stockpile.presolve import presolve
from stockpile.problem import build_problem
from stockpile.scenarios import scenario_set, stress_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

WITHIN = 0.01
"""Relative distance to the optimum that is asked for."""


class Enough(Exception):  # noqa: N818
    """The search is near enough to the optimum, or its time is up."""


class Objective:
    """What a search from outside sees of one material: a penalised cost; it remembers the best.

    Parameters
    ----------
    optimum
        Of the material.

    Attributes
    ----------
    deadline
        Moment to stop at, in seconds of the processor.
    """

    def __init__(self, evaluator: Evaluator, optimum: float) -> None:
        self._evaluator = evaluator
        self._prices = evaluator.plain_prices()
        self._optimum = optimum
        self.deadline = np.inf
        problem, block = evaluator.problem, evaluator.block
        owned = block.market_participant, block.market_material
        self.lots_min, self.lots_max = problem.lots_min[owned], problem.lots_max[owned]
        self.rules, self.owners = len(problem.menu.rules), len(problem.participants)
        nobody = with_variant(np.zeros((1, self.owners), dtype=np.int64), 0)
        nothing = evaluator.scores(np.zeros_like(self.lots_max)[None], nobody)
        everything = evaluator.fixed_cost(self.lots_max[None], nobody, self._prices)
        self._worst = float(everything[0] + nothing.variable.sum())
        self._target = np.array(
            [p.confidence if p.metric == "chance" else p.level for p in evaluator.promises]
        )
        self.best = np.inf
        self.evaluations = 0

    def cost(self, lots: NDArray[np.int64], rule: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the penalised cost of lots (P, I) and rules (P, C), (P,)."""
        rule = with_variant(rule, 0)
        scores = self._evaluator.scores(lots, rule)
        cost = self._evaluator.fixed_cost(lots, rule, self._prices) + scores.variable.sum(axis=1)
        broken = ~scores.feasible
        if broken.any():
            achieved, kept = self._evaluator.achievements(lots[broken], rule[broken])
            short = np.where(kept, 0.0, 1.0 - achieved / self._target[:, None])
            cost[broken] = self._worst * (1.0 + np.nansum(short, axis=0))
        self.evaluations += len(lots)
        self.best = min(self.best, float(cost[~broken].min(initial=np.inf)))
        return cost

    @property
    def near(self) -> bool:
        """Return whether the best so far is within 1 % of the optimum."""
        return self.best <= self._optimum * (1.0 + WITHIN)

    def stop_if_enough(self) -> None:
        """Raise if the search is near enough, or its time is up."""
        if self.near or time.process_time() > self.deadline:
            raise Enough


def evolve(objective: Objective, seed: int, *, at_once: bool = False) -> None:
    """Search by differential evolution until it is enough.

    Parameters
    ----------
    at_once
        Whether a generation is simulated in one call.
    """
    from scipy.optimize import differential_evolution

    stocks = len(objective.lots_max)
    least = np.array([*objective.lots_min, *[0] * objective.owners])
    upper = np.array([*objective.lots_max, *[objective.rules - 1] * objective.owners])
    lower = least - (least == upper)  # A variable that cannot vary would be scaled by zero.

    def cost(columns: NDArray[np.float64]) -> NDArray[np.float64] | float:
        objective.stop_if_enough()
        chosen = np.maximum(np.rint(np.atleast_2d(columns.T)).astype(np.int64), least)
        costs = objective.cost(chosen[:, :stocks], chosen[:, stocks:])
        return costs if at_once else float(costs[0])

    while True:
        differential_evolution(
            cost,
            list(zip(lower.tolist(), upper.tolist(), strict=True)),
            integrality=[True] * len(upper),
            maxiter=1_000_000,
            updating="deferred" if at_once else "immediate",
            vectorized=at_once,
            polish=False,
            seed=seed,
        )
        objective.stop_if_enough()
        seed += 1_000_000


def estimate(objective: Objective, seed: int) -> None:
    """Search by Optuna's default sampler until it is enough."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rules = list(range(objective.rules))

    def cost(trial: optuna.Trial) -> float:
        objective.stop_if_enough()
        bounds = zip(objective.lots_min.tolist(), objective.lots_max.tolist(), strict=True)
        lots = [trial.suggest_int(f"lots{i}", low, high) for i, (low, high) in enumerate(bounds)]
        rule = [trial.suggest_categorical(f"rule{c}", rules) for c in range(objective.owners)]
        return float(objective.cost(np.array([lots]), np.array([rule]))[0])

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(cost)


SEARCHES = {"de": evolve, "de-all": partial(evolve, at_once=True), "tpe": estimate}


class Task:
    """What is to be solved: the materials of an instance, their evaluators, and the options."""

    def __init__(self, options: dict[str, Any], workers: Workers) -> None:
        instance = sp.load(options["instance"])
        self.options, self.workers = options, workers
        self.problem = build_problem(instance)
        self.drawn = scenario_set(instance, self.problem, options["scenarios"])
        self.stress = stress_cases(instance, self.problem)
        self.sharing = instance.solve_settings.cooperation != "none"

    def evaluators(self) -> Iterator[Evaluator]:
        """Yield the evaluator of each material, its kernels compiled."""
        for block in build_blocks(self.problem):
            evaluator = Evaluator(
                self.problem, block, self.drawn, self.stress, self.workers, sharing=self.sharing
            )
            lots = np.zeros((1, block.num_stocks), dtype=np.int64)
            rule = np.zeros((1, len(self.problem.participants) + 1), dtype=np.int64)
            evaluator.scores(lots, rule)
            evaluator.achievements(lots, rule)
            evaluator.floors_kept(lots, rule)
            yield evaluator


def by_boxes(task: Task, *, told: bool = False) -> dict[str, Any]:
    """Solve by our own search.

    Parameters
    ----------
    told
        Whether it is told the optimum, and stops once it is within 1 % of it.
    """
    seconds, found, bound, simulations = 0.0, [], [], 0
    for number, evaluator in enumerate(task.evaluators()):
        enough = task.options["optimum"][number] * (1.0 + WITHIN) if told else -np.inf
        began = time.process_time()
        space, judge = presolve(evaluator)
        state = BoxSearch(judge, space, task.options["gap"])
        while not state.finished and state.incumbent > enough:
            state.advance()
        seconds += time.process_time() - began
        found.append(state.incumbent)
        bound.append(state.bound)
        simulations += state.simulations
    return {"seconds": seconds, "found": found, "bound": bound, "evaluations": simulations}


def from_outside(task: Task, way: str) -> dict[str, Any]:
    """Search each material by a package that knows nothing of it.

    All have an equal share of the time. What some leave over goes to those that are not yet near,
    which begin anew with another seed and keep their best.
    """
    optima, seed = task.options["optimum"], task.options["seed"]
    objectives = [
        Objective(evaluator, optimum)
        for evaluator, optimum in zip(task.evaluators(), optima, strict=True)
    ]
    began = time.process_time()
    ends = began + float(task.options["seconds"])
    far = objectives
    while far and time.process_time() < ends:
        for number, objective in enumerate(far):
            moment = time.process_time()
            objective.deadline = moment + (ends - moment) / (len(far) - number)
            with suppress(Enough):
                SEARCHES[way](objective, seed)
        far = [objective for objective in far if not objective.near]
        seed += 1000
    return {
        "seconds": time.process_time() - began,
        "found": [objective.best for objective in objectives],
        "reached": not far,
        "evaluations": sum(objective.evaluations for objective in objectives),
    }


def by_program(task: Task) -> dict[str, Any]:
    """Solve each material as a mixed-integer program; what it finds is judged by simulation."""
    left = float(task.options["seconds"])
    found, said, proved, variables = [], [], True, 0
    began = time.process_time()
    for evaluator in task.evaluators():
        model, choice, constant = rules_program(
            task.problem, evaluator, task.drawn, task.stress, task.workers
        )
        solution = solve_linear(model, gap=task.options["gap"], time_limit=left)
        proved &= solution.status == "optimal"
        variables += model.cost.size
        said.append(solution.objective + constant)
        if solution.values.size:
            lots, rule = chosen_of(choice, solution.values)
            rule = with_variant(rule, 0)
            scores = evaluator.scores(lots, rule)
            fixed = evaluator.fixed_cost(lots, rule, evaluator.plain_prices())
            found.append(float(fixed[0] + scores.variable.sum()))
            proved &= bool(scores.hopeful[0])
        else:
            found.append(np.inf)
    seconds = time.process_time() - began
    return {
        "seconds": seconds,
        "found": found,
        "said": said,
        "reached": proved,
        "evaluations": variables,
    }


@contextmanager
def measured() -> Iterator[dict[str, Any]]:
    """Print what is put into a table, and the peak memory."""
    table: dict[str, Any] = {}
    began = time.perf_counter()
    yield table
    unit = 1024 if sys.platform != "darwin" else 1024**2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(json.dumps({**table, "clock": time.perf_counter() - began, "peak_mib": peak}))


def main() -> None:
    """Solve, and print what was measured."""
    way, options = sys.argv[1], json.loads(sys.argv[2])
    with measured() as table, Workers(1) as workers:
        task = Task(options, workers)
        if way.startswith("boxes"):
            table |= by_boxes(task, told=way == "boxes-1")
        elif way == "mip":
            table |= by_program(task)
        else:
            table |= from_outside(task, way)


if __name__ == "__main__":
    main()
