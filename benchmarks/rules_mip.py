"""Rules and holdings of one material as a mixed-integer program: what a modeller writes down first.

Equations (4) to (6) for every month with need of every scenario, with binaries for each minimum:
a release is all that is needed, or all that the stock may give, or the draw limit, or nothing.
Binaries choose the rule of each owner; lots are whole. Promises are rows, and binaries for
``chance``; what must hold without partners is simulated a second time. ``cvar`` is not encoded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array

from stockpile.kernels.simulation import TRIGGER_TOLERANCE
from stockpile.model.linear import LinearModel
from stockpile.needs import block_needs, yearly
from stockpile.simulate import Course

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.evaluator import Evaluator
    from stockpile.parallel import Workers
    from stockpile.problem import Problem, Promise
    from stockpile.scenarios import ScenarioSet

Sum = dict[int, float]
"""A linear expression: coefficients by column."""


def plus(*sums: tuple[float, Sum]) -> Sum:
    """Return a weighted sum of linear expressions."""
    total: Sum = {}
    for weight, terms in sums:
        for column, value in terms.items():
            total[column] = total.get(column, 0.0) + weight * value
    return total


@dataclass
class Program:
    """A mixed-integer program that is being written: columns and rows are added one by one."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    rows: list[tuple[Sum, float, float]] = field(default_factory=list)

    def column(self, lower: float, upper: float, *, integer: bool = False) -> int:
        """Add a variable, and return its number."""
        self.cost.append(0.0)
        self.lower.append(lower)
        self.upper.append(upper)
        self.integer.append(integer)
        return len(self.cost) - 1

    def binary(self) -> int:
        """Add a variable that is 0 or 1."""
        return self.column(0.0, 1.0, integer=True)

    def row(self, terms: Sum, lower: float = -np.inf, upper: float = np.inf) -> None:
        """Add a row."""
        self.rows.append((terms, lower, upper))

    def charge(self, terms: Sum, weight: float = 1.0) -> None:
        """Add to the objective."""
        for column, value in terms.items():
            self.cost[column] += weight * value

    def model(self) -> LinearModel:
        """Return the program as arrays."""
        row = [n for n, (terms, _, _) in enumerate(self.rows) for _ in terms]
        column = [col for terms, _, _ in self.rows for col in terms]
        value = [coefficient for terms, _, _ in self.rows for coefficient in terms.values()]
        shape = (len(self.rows), len(self.cost))
        return LinearModel(
            cost=np.array(self.cost),
            lower=np.array(self.lower),
            upper=np.array(self.upper),
            integer=np.array(self.integer),
            matrix=coo_array((value, (row, column)), shape=shape).tocsr(),
            row_lower=np.array([lower for _, lower, _ in self.rows]),
            row_upper=np.array([upper for _, _, upper in self.rows]),
        )


@dataclass(frozen=True)
class Choice:
    """What is chosen before any scenario: numbers of columns.

    Attributes
    ----------
    lots
        By stock.
    chosen
        By owner and rule: whether the owner follows it.
    under
        By stock and rule: what is held [t] if its owner follows the rule, else 0.
    most
        By stock: most that can be held [t].
    """

    lots: list[int]
    chosen: list[list[int]]
    under: list[list[int]]
    most: list[float]

    def holding(self, stock: int) -> Sum:
        """Return what a stock holds."""
        return dict.fromkeys(self.under[stock], 1.0)


@dataclass(frozen=True)
class Served:
    """Releases of one simulation, scenario by scenario: by stream, and by step."""

    stream: list[list[Sum]]
    step: list[list[Sum]]


def add_choice(program: Program, problem: Problem, block: Block) -> Choice:
    """Add lots, rules, and what is held under each."""
    c, m = block.market_participant, block.market_material
    fewest, lots = problem.lots_min[c, m], problem.lots_max[c, m]
    rules = range(len(problem.menu.rules))
    columns = [
        program.column(float(low), float(high), integer=True)
        for low, high in zip(fewest, lots, strict=True)
    ]
    chosen = [[program.binary() for _ in rules] for _ in problem.participants]
    for of_owner in chosen:
        program.row(dict.fromkeys(of_owner, 1.0), 1.0, 1.0)
    most = [float(n * problem.lot[material]) for n, material in zip(lots, m, strict=True)]
    under = [[program.column(0.0, high) for _ in rules] for high in most]
    choice = Choice(columns, chosen, under, most)
    for i, (owner, material) in enumerate(zip(c, m, strict=True)):
        lot = {columns[i]: float(problem.lot[material])}
        program.row(plus((1.0, choice.holding(i)), (-1.0, lot)), 0.0, 0.0)
        for r in rules:
            program.row({under[i][r]: 1.0, chosen[owner][r]: -most[i]}, upper=0.0)
        program.charge(choice.holding(i), float(problem.holding_cost[owner, material]))
    return choice


def add_simulation(program: Program, problem: Problem, choice: Choice, course: Course) -> Served:
    """Add (4) to (6) for all scenarios of a course."""
    needs, steps = course.needs, course.steps
    stocks = range(len(choice.lots))
    by_stream, by_step = [], []
    for s in range(needs.scenario.size):
        of_stream: list[Sum] = [{} for _ in range(needs.need.shape[1])]
        of_step: list[Sum] = [{} for _ in range(steps.count)]
        state = [choice.holding(i) for i in stocks]
        for n in range(needs.first[s], needs.first[s + 1]):
            if needs.calm[n] > 0:
                back = needs.calm[n] * problem.refill
                state = [_refilled(program, choice, i, state[i], float(back[i])) for i in stocks]
            rest: list[tuple[float, Sum]] = [(float(need), {}) for need in needs.need[n]]
            for j in range(steps.count):
                segment, q, i = course.segment[n, j], steps.stream[j], steps.stock[j]
                if segment < 0:
                    continue
                terms = _terms(problem, choice, course, n, j, int(segment))
                if not terms[1]:
                    continue
                release = _release(program, choice.most[i], rest[q], state[i], terms)
                rest[q] = rest[q][0], plus((1.0, rest[q][1]), (1.0, release))
                state[i] = plus((1.0, state[i]), (-1.0, release))
                of_stream[q] |= release
                of_step[j] |= release
        by_stream.append(of_stream)
        by_step.append(of_step)
    return Served(by_stream, by_step)


def _terms(
    problem: Problem, choice: Choice, course: Course, n: int, j: int, segment: int
) -> tuple[Sum, Sum]:
    """Return what a step may not touch, and the most that it serves, by the rules that open it."""
    steps, menu = course.steps, problem.menu
    at = (slice(None), steps.relation[j], steps.demand_class[j], segment)
    opens = menu.trigger[at] <= course.needs.loss[n, steps.market[j]] + TRIGGER_TOLERANCE
    under = choice.under[steps.stock[j]]
    rules = np.flatnonzero(opens)
    level = {under[r]: float(menu.level[at][r]) for r in rules}
    return level, {under[r]: float(menu.limit[at][r]) for r in rules}


def _refilled(program: Program, choice: Choice, i: int, state: Sum, back: float) -> Sum:
    """Add (6): what is in a stock after calm months, the lesser of two."""
    most, holding = choice.most[i], choice.holding(i)
    after, full = program.column(0.0, most), program.binary()
    bought = plus((1.0, {after: 1.0}), (-1.0, state), (-back, holding))
    program.row(plus((1.0, {after: 1.0}), (-1.0, holding)), upper=0.0)
    program.row(bought, upper=0.0)
    program.row(plus((1.0, {after: 1.0}), (-1.0, holding), (-most, {full: 1.0})), lower=-most)
    program.row(plus((1.0, bought), ((1.0 + back) * most, {full: 1.0})), lower=0.0)
    return {after: 1.0}


def _release(
    program: Program, most: float, rest: tuple[float, Sum], state: Sum, terms: tuple[Sum, Sum]
) -> Sum:
    """Add (4): a release is the least of what is needed, may be given, and is allowed.

    Parameters
    ----------
    most
        That can be held.
    rest
        The need, and what has been released for it.
    """
    need, released = rest
    level, limit = terms
    release = {program.column(0.0, need): 1.0}
    spare = plus((1.0, state), (-1.0, level))
    all_needed, all_spare, all_allowed, nothing = (program.binary() for _ in range(4))
    program.row(dict.fromkeys((all_needed, all_spare, all_allowed, nothing), 1.0), 1.0, 1.0)
    served = plus((1.0, release), (1.0, released))
    program.row(served, upper=need)
    program.row(plus((1.0, served), (-need, {all_needed: 1.0})), lower=0.0)
    left = plus((1.0, release), (-1.0, spare))
    program.row(plus((1.0, left), (-most, {nothing: 1.0})), upper=0.0)
    program.row(plus((1.0, left), (-most, {all_spare: 1.0})), lower=-most)
    program.row(plus((1.0, release), (need, {nothing: 1.0})), upper=need)
    program.row(plus((1.0, spare), (most, {nothing: 1.0})), upper=most)
    allowed = plus((1.0, release), (-1.0, limit))
    program.row(allowed, upper=0.0)
    program.row(plus((1.0, allowed), (-most, {all_allowed: 1.0})), lower=-most)
    return release


def add_cost(
    program: Program, problem: Problem, block: Block, course: Course, served: Served
) -> float:
    """Add shortage and shipping cost (7), and return the cost of serving nothing."""
    needs, steps = course.needs, course.steps
    c, m = (of[block.stream_market] for of in (block.market_participant, block.market_material))
    worth = problem.shortage_cost[c, m, block.stream_class]
    for s, probability in enumerate(needs.probability):
        weight = yearly(float(probability), problem)
        for j in range(steps.count):
            saved = float(worth[steps.stream[j]] - steps.cost[j])
            program.charge(served.step[s][j], -weight * saved)
    return float(yearly(1.0, problem) * needs.probability @ needs.total @ worth)


def add_days(program: Program, block: Block, choice: Choice, promises: Iterable[Promise]) -> None:
    """Add days of cover; those of a group are pooled."""
    groups: dict[object, list[Promise]] = {}
    for promise in promises:
        key = (promise.material, promise.group) if promise.group else promise
        groups.setdefault(key, []).append(promise)
    for pooled in groups.values():
        owners = [promise.participant for promise in pooled]
        held = [choice.holding(i) for i, c in enumerate(block.market_participant) if c in owners]
        least = sum(promise.daily_t * promise.level for promise in pooled)
        program.row(plus(*((1.0, holding) for holding in held)), lower=least)


def add_coverage(
    program: Program, block: Block, promise: Promise, course: Course, served: Served, case: int
) -> None:
    """Add one promise about what is served.

    Parameters
    ----------
    case
        Scenario of a ``stress`` promise.
    """
    q = block.stream(promise.participant, promise.material, promise.demand_class)
    needs = course.needs
    releases = [of_scenario[q] for of_scenario in served.stream]
    if promise.metric == "stress":
        for s in np.flatnonzero(needs.scenario == case):
            program.row(releases[s], lower=promise.level * float(needs.total[s, q]))
    elif promise.metric == "fill_rate":
        expected = zip(needs.probability.tolist(), releases, strict=True)
        program.row(plus(*expected), lower=promise.level * float(needs.expected[q]))
    elif promise.metric == "chance":
        kept: Sum = {}
        calm = 1.0 - float(needs.probability.sum())
        for s, probability in enumerate(needs.probability.tolist()):
            enough = promise.level * float(needs.total[s, q])
            if enough == 0.0:
                calm += probability
                continue
            covered = program.binary()
            program.row(plus((1.0, releases[s]), (-enough, {covered: 1.0})), lower=0.0)
            kept[covered] = probability
        program.row(kept, lower=promise.confidence - calm)
    else:
        raise NotImplementedError(promise.metric)


def rules_program(
    problem: Problem,
    evaluator: Evaluator,
    drawn: ScenarioSet,
    stress: ScenarioSet,
    workers: Workers,
) -> tuple[LinearModel, Choice, float]:
    """Return the program of one material, its choice, and a constant of its objective."""
    block, program = evaluator.block, Program()
    choice = add_choice(program, problem, block)
    promises = evaluator.promises
    add_days(program, block, choice, (p for p in promises if p.metric == "days"))
    constant = 0.0
    for scenarios in (drawn, stress):
        needs = block_needs(problem, block, scenarios, workers)
        for floor, steps in ((False, evaluator.steps), (True, block.own_steps)):
            asked = [
                p
                for p in promises
                if p.metric != "days"
                and (p.metric == "stress") == (scenarios is stress)
                and p.floor == floor
            ]
            planned = scenarios is drawn and not floor
            if not asked and not planned:
                continue
            course = Course.of(needs, steps, problem.menu.breakpoints, workers)
            served = add_simulation(program, problem, choice, course)
            if planned:
                constant = add_cost(program, problem, block, course, served)
            for promise in asked:
                case = stress.names.index(promise.stress) if promise.stress else -1
                add_coverage(program, block, promise, course, served, case)
    return program.model(), choice, constant


def chosen_of(
    choice: Choice, values: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return lots (1, I) and rules (1, C) of a solution."""
    lots = np.rint(values[choice.lots]).astype(np.int64)
    rule = np.argmax(values[np.array(choice.chosen)], axis=1)
    return lots[None], rule[None]
