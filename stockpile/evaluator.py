"""Cost (7) and coverage of candidates of one block, by simulation.

A candidate is a number of lots for every stock of the block, a rule for every owner, and a variant
of the block: which projects are online. Rules and variant stand in one row, see
:mod:`stockpile.choices`; it is called ``rule`` here. Candidates of one variant are compared: all
measures here are monotone: more lots never raise the variable cost's lower bound and never break
a promise (Proposition 1 and its corollary), which is what the box search stands on.
"""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from stockpile.choices import owners_rules, variant_of
from stockpile.courses import Courses, CourseStore, Owner
from stockpile.coverage import fill_rate_pull, served_fraction, tail_pull, worst_mean
from stockpile.intervals import Spread
from stockpile.kernels.simulation import LANES
from stockpile.memory import Memory
from stockpile.needs import block_needs, yearly
from stockpile.outlay import acquisition_outlay
from stockpile.parallel import Workers, chunks
from stockpile.prices import BlockPrices, plain_prices
from stockpile.problem import LEVEL_TOLERANCE, Promise
from stockpile.scores import Judgement, Lowered, Sampled, Scores
from stockpile.simulate import Course, Request, Simulation, candidate_terms, simulate
from stockpile.variants import block_variants

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from stockpile.balance import Balance, Tangents
    from stockpile.blocks import Block, Steps
    from stockpile.executors import Shared, Tasks
    from stockpile.needs import Needs
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet

WORTH_SENDING = 2_000_000
"""Candidates times scenarios from which on it pays to let other processes simulate them."""


Measure: TypeAlias = "tuple[int, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]"
"""Index of a promise; for P candidates its value, whether it is kept, and nearly kept."""


@dataclass(frozen=True, slots=True)
class _View:
    """One simulation to run: of which course, and what is read from it."""

    alone: bool
    """Whether no partner releases anything."""
    stress: bool
    """Whether it is of the stress cases."""
    request: Request
    promises: tuple[int, ...]
    cases: tuple[int, ...]
    """For each promise: the stress case (a scenario of the set), or -1."""


class Evaluator:
    """Simulates and judges candidates of one block in one world.

    Parameters
    ----------
    sharing
        If false, no partner releases anything, whatever the rules say.
    tasks
        Where many candidates on many scenarios are simulated; None for this process.
    memory
        What may be kept; None for no limit.
    states
        (N, 3) states that projects may be in, where not all are possible.
    """

    def __init__(
        self,
        problem: Problem,
        block: Block,
        scenarios: ScenarioSet,
        stress: ScenarioSet,
        workers: Workers,
        *,
        sharing: bool,
        tasks: Tasks | None = None,
        memory: Memory | None = None,
        states: NDArray[np.bool_] | None = None,
    ) -> None:
        self.block = block
        self.sharing = sharing
        self.workers = workers
        self._tasks = tasks
        self._sent: Shared[Evaluator] | None = None
        self.lot = problem.lot[block.market_material]
        self.steps = block.steps if sharing else block.own_steps
        self._share_plants = block.sharing_plants(self.steps, problem.conversions.participant)
        self.unit_cost = (  # [USD/(lot year)]
            self.lot * problem.holding_cost[block.market_participant, block.market_material]
        )
        self.spread = Spread.of(scenarios)
        # Probabilities that were rounded in a table may sum to a confidence only almost.
        self._chance_tolerance = LEVEL_TOLERANCE + scenarios.rounded_away
        self._scenarios: ScenarioSet | None = scenarios
        self._memory = Memory.unlimited() if memory is None else memory
        self.variants = block_variants(problem, block, (scenarios, stress))
        if states is not None:
            self.variants = self.variants.within(states)
        self._owners = [Owner() for _ in range(self.variants.count)]
        self._given: list[Courses] | None = None
        self._stress_names = stress.names
        self.refill = problem.refill[block.market_participant]
        self._shortage_cost = problem.shortage_cost[
            block.market_participant[block.stream_market],
            block.market_material[block.stream_market],
            block.stream_class,
        ]
        self._lower_cost = _cheapest_later(self.steps, self._shortage_cost)
        self.problem = problem
        self._scenario = np.empty(0, dtype=np.int64)
        bare = [self._needs(scenarios, v).without_months() for v in range(self.variants.count)]
        self._scenario = np.unique(np.concatenate([needs.scenario for needs in bare]))
        self._needs_in = [self._among(scenarios, needs) for needs in bare]
        self.needs = self._needs_in[0]
        """Needs of the first variant; all have the same scenarios and probabilities."""
        cases = np.arange(stress.count)
        self._stress = [
            self._make_courses(self._needs(stress, v).among(cases, stress.probability))
            for v in range(self.variants.count)
        ]
        self._owner_of_stream = block.market_participant[block.stream_market]
        self._owner_of_step = block.market_participant[self.steps.market]
        self._take_promises(problem)

    def _courses(self, variant: int) -> Courses:
        """Return the courses of a variant, worked out again where they have been dropped."""
        if self._given is not None:
            return self._given[variant]
        scenarios = self._scenarios
        assert scenarios is not None

        def make() -> Courses:
            return self._make_courses(self._among(scenarios, self._needs(scenarios, variant)))

        return self._memory.courses.get(self._owners[variant], make)

    def _needs(self, scenarios: ScenarioSet, variant: int) -> Needs:
        states = self.variants.all_states(variant, self.problem.projects.count)
        return block_needs(self.problem, self.block, scenarios, self.workers, states)

    def _among(self, scenarios: ScenarioSet, needs: Needs) -> Needs:
        """Return needs with the scenarios that any variant keeps."""
        return needs.among(self._scenario, scenarios.probability[self._scenario])

    def _make_courses(self, needs: Needs) -> Courses:
        ages = self.problem.menu.breakpoints
        shared = Course.of(needs, self.steps, ages, self.workers)
        if not self.sharing:
            return Courses(shared, shared)
        return Courses(shared, Course.of(needs, self.block.own_steps, ages, self.workers))

    def needs_in(self, variant: int) -> Needs:
        """Return the needs of a variant, without their months."""
        return self._needs_in[variant]

    def first_needs(self, count: int, variant: int) -> Needs:
        """Return the needs of the first scenarios that have any, month by month."""
        return self._courses(variant).shared.needs.head(count)

    def with_problem(self, problem: Problem) -> Evaluator:
        """Return the same evaluator for a problem that differs in promises and limits only.

        Needs depend on neither (3), so they are not worked out anew.
        """
        other = copy.copy(self)
        other._sent = None
        other._take_promises(problem)
        return other

    def _take_promises(self, problem: Problem) -> None:
        """Prepare the simulations that show whether the promises of a problem are kept."""
        block = self.block
        self.problem = problem
        self._least_of_others = self._bought_by_others(problem.lots_min)
        self._most_of_others = self._bought_by_others(problem.lots_max)
        self.promises: tuple[Promise, ...] = tuple(
            promise
            for promise in problem.promises
            if block.owns(promise.participant, promise.material)
        )
        # The joint chance groups that the block has a part in.
        self.groups: tuple[int, ...] = tuple(
            g
            for g, group in enumerate(problem.groups)
            if any(block.owns(c, m) for c, m, _, _ in group.streams)
        )
        # Without partners anyway, a floor is seen in the main simulation.
        self._apart = np.array(
            [problem.groups[g].floor and self.sharing for g in self.groups], np.bool_
        )
        main, floors = self._views(stress=False)
        stress_main, stress_floors = self._views(stress=True)
        self._main = main
        self._shared_views = (stress_main,) if stress_main.promises else ()
        self._floor_views = tuple(view for view in (floors, stress_floors) if view.promises)
        self._group_view = _View(
            alone=True,
            stress=False,
            request=Request.of(groups=self._group_streams(apart=True)),
            promises=(),
            cases=(),
        )

    def _views(self, *, stress: bool) -> tuple[_View, _View]:
        """Sort promises into what a simulation with and one without partners has to show."""
        views, names = [], self._stress_names
        for floor in (False, True):
            chosen = tuple(
                index
                for index, promise in enumerate(self.promises)
                if (promise.floor or not self.sharing) == floor
                and promise.metric != "days"
                and (promise.metric == "stress") == stress
            )
            promises = [self.promises[index] for index in chosen]
            chance = [promise for promise in promises if promise.metric == "chance"]
            apart = [promise for promise in promises if promise.metric in ("cvar", "stress")]
            views.append(
                _View(
                    alone=floor,
                    stress=stress,
                    request=Request.of(
                        streams=[self._stream(promise) for promise in apart],
                        chances=[(self._stream(promise), promise.level) for promise in chance],
                        groups=[] if floor or stress else self._group_streams(apart=False),
                    ),
                    promises=chosen,
                    cases=tuple(
                        names.index(promise.stress) if stress else -1 for promise in promises
                    ),
                )
            )
        return views[0], views[1]

    def _group_streams(self, *, apart: bool) -> list[list[tuple[int, float]]]:
        """Return streams and levels of the block's part of its joint chance groups."""
        return [
            [
                (self.block.stream(c, m, k), level)
                for c, m, k, level in self.problem.groups[g].streams
                if self.block.owns(c, m)
            ]
            for g, is_apart in zip(self.groups, self._apart, strict=True)
            if is_apart == apart
        ]

    def _stream(self, promise: Promise) -> int:
        return self.block.stream(promise.participant, promise.material, promise.demand_class)

    def holding(self, lots: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return holdings (P, I) [t] of numbers of lots (P, I)."""
        return lots * self.lot

    def plain_prices(self) -> BlockPrices:
        """Return the prices at which the annual cost (7) alone counts."""
        return plain_prices(
            len(self.problem.participants),
            self.block.num_stocks,
            len(self.problem.menu.rules),
            self.variants.count,
        )

    def slope(self, prices: BlockPrices) -> NDArray[np.float64]:
        """Return by how much the charge for holding rises at least with a lot, (I,)."""
        c, m = self.block.market_participant, self.block.market_material
        bought = np.where(self.problem.existing[c, m] == 0.0, self.problem.price[m] * self.lot, 0.0)
        return self._linear(prices) + prices.outlay[c] * bought

    def _linear(self, prices: BlockPrices) -> NDArray[np.float64]:
        """Return what a lot is charged for being held and stored, (I,)."""
        weight = prices.weight[self.block.market_participant]
        return weight * self.unit_cost + prices.stored * self.lot

    def fixed_cost(
        self, lots: NDArray[np.int64], rule: NDArray[np.int64], prices: BlockPrices
    ) -> NDArray[np.float64]:
        """Return what lots (P, I) under rules and variants (P, C + 1) are charged, (P,) [USD/year].

        It never falls when any holding rises: the holding cost of (7), what is stored and bought,
        the rule of an owner that holds something, and the variant.
        """
        charged = lots @ self._linear(prices) + prices.variant[variant_of(rule)]
        if prices.outlay.any():
            outlay = self.outlay(lots)
            charged += outlay @ prices.outlay[self.block.market_participant]
        if prices.rule.any():
            followed = owners_rules(rule)
            owners = np.arange(followed.shape[1])
            charged += (prices.rule[owners, followed] * self.holds(lots)).sum(axis=1)
        return charged

    def outlay(self, lots: NDArray[np.int64], *, most: bool = False) -> NDArray[np.float64]:
        """Return the outlay (8) of lots (P, I), (P, I) [USD].

        Where other participants buy the same materials outside the block: the least that it can
        be, or the most.
        """
        others = self._most_of_others if most else self._least_of_others
        return acquisition_outlay(self.problem, self.block, self.holding(lots), others)

    def _bought_by_others(self, lots: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what is bought outside the block of each stock's material, (I,) [t].

        Parameters
        ----------
        lots
            (C, M) lots held by all.
        """
        problem, block = self.problem, self.block
        bought = np.maximum(lots * problem.lot - problem.existing, 0.0)
        bought[block.market_participant, block.market_material] = 0.0
        return np.asarray(bought.sum(axis=0)[block.market_material])

    def holds(self, lots: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say whose rules matter, (P, C), of lots (P, I): who holds something or shares plants."""
        held = np.zeros((len(lots), len(self.problem.participants)), dtype=np.bool_)
        held[:, self._share_plants] = True
        for i, c in enumerate(self.block.market_participant):
            held[:, c] |= lots[:, i] > 0
        return held

    def holding_cost(self, lots: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the holding cost of equation (7), (P, C) [USD/year], of lots (P, I)."""
        cost = np.zeros((len(lots), len(self.problem.participants)))
        for i, c in enumerate(self.block.market_participant):
            cost[:, c] += lots[:, i] * self.unit_cost[i]
        return cost

    def scores(
        self,
        lots: NDArray[np.int64],
        rule: NDArray[np.int64],
        *,
        floors: bool = True,
        stress: bool = True,
        tangents: Tangents | None = None,
    ) -> Scores:
        """Simulate candidates: lots (P, I), rules and variants (P, C + 1).

        With ``floors`` false, promises that hold without partners are left out; with ``stress``
        false, those of stress cases in which partners share. With ``tangents``, candidates are
        the top corners of boxes, and it is asked what the balance of tonnes adds at points there.
        """
        asked = {"floors": floors, "stress": stress}
        if self._tasks is not None and lots.shape[0] * self.needs.scenario.size >= WORTH_SENDING:
            return self._scores_elsewhere(self._tasks, lots, rule, asked, tangents)
        parts, order = [], []
        for variant, those in self.by_variant(rule):
            for some in those:
                followed = owners_rules(rule[some])
                here = None if tangents is None else tangents.take(some)
                parts.append(self._score_batch(variant, lots[some], followed, here, **asked))
                order.append(some)
        scores = Scores.joined(parts)
        # Those of one variant are in order already.
        one = (variant_of(rule) == variant_of(rule[:1])).all()
        return scores if one else scores.take(np.argsort(np.concatenate(order)))

    def by_variant(self, rule: NDArray[np.int64]) -> list[tuple[int, list[NDArray[np.int64]]]]:
        """Sort candidates by variant: each with its batches of places among them."""
        variant = variant_of(rule)
        found = []
        for v in np.unique(variant).tolist() if variant.size else [0]:
            those = np.flatnonzero(variant == v)
            found.append((v, [those[batch] for batch in self._batches(those.size)]))
        return found

    def _scores_elsewhere(
        self,
        tasks: Tasks,
        lots: NDArray[np.int64],
        rule: NDArray[np.int64],
        asked: dict[str, bool],
        tangents: Tangents | None,
    ) -> Scores:
        """Let workers simulate the candidates, each a part of them."""
        from stockpile.executors import Shared

        if self._sent is None:
            self._sent = Shared(self._at_worker)
        parts = np.array_split(np.arange(len(lots)), min(tasks.size, len(lots)))
        boxes = [None if tangents is None else tangents.take(i) for i in parts]
        sent = [(lots[i], rule[i], asked, here) for i, here in zip(parts, boxes, strict=True)]
        scores = tasks.run(_scores_of, self._sent, sent)
        return Scores.joined([part for part in scores if part is not None])

    def _at_worker(self) -> Evaluator:
        """Return what a worker needs to simulate candidates."""
        there = copy.copy(self)
        there.workers, there._tasks, there._sent = Workers(1), None, None
        there._given = [self._courses(variant) for variant in range(self.variants.count)]
        there._scenarios = None
        there._memory = replace(self._memory, courses=CourseStore())
        return there

    def _batches(self, count: int) -> list[slice]:
        """Cut candidates so that what is kept of each stays small in all; one batch at least."""
        views = (self._main, self._group_view, *self._shared_views, *self._floor_views)
        menu = self.problem.menu
        steps = self.steps.count
        per_candidate = max(
            scenarios * (view.request.streams.size + len(self.groups))
            + len(chunks(scenarios))
            * (self.block.num_streams + steps + 2 * view.request.chance_stream.size)
            + 6 * menu.breakpoints.size * steps
            for view in views
            for scenarios in (self._needs_of(view, 0).scenario.size,)
        )
        size = max(64, self._memory.batch_bytes // (8 * per_candidate))
        return [slice(at, at + size) for at in range(0, max(count, 1), size)]

    def _score_batch(
        self,
        variant: int,
        lots: NDArray[np.int64],
        rule: NDArray[np.int64],
        tangents: Tangents | None,
        *,
        floors: bool,
        stress: bool,
    ) -> Scores:
        holding = self.holding(lots)
        main = self._run(self._main, variant, holding, rule, tangents)
        feasible = np.ones(len(lots), dtype=np.bool_)
        hopeful = feasible.copy()
        for _, _, met, nearly in self._measure(
            variant, holding, rule, main, floors=floors, stress=stress
        ):
            feasible &= met
            hopeful &= nearly
            if not hopeful.any():
                break
        covered, lowered = self._covered(variant, main, holding, rule), self._lowered(main)
        return Scores(
            variable=self._by_participant(self.steps.cost, main),
            lower=lowered.cost,
            feasible=feasible,
            hopeful=hopeful,
            covered=np.packbits(covered & 1, axis=2),
            covered_loose=np.packbits(covered >> 1, axis=2),
            added=lowered.added,
            fall=lowered.fall,
        )

    def _lowered(self, main: Simulation) -> Lowered:
        """Return the lowered cost that a simulation shows, and what the balance adds [USD/year]."""
        per_year = yearly(1.0, self.problem)
        return Lowered(
            cost=self._by_participant(self._lower_cost, main),
            added=per_year * main.added.T,
            fall=per_year * self.lot * main.fall.transpose(2, 0, 1),
        )

    def _by_participant(
        self, step_cost: NDArray[np.float64], main: Simulation
    ) -> NDArray[np.float64]:
        """Add up cost (P, C) [USD/year] of who runs short and, by step, of who receives."""
        shortage = self._shortage_cost[:, None] * main.unserved
        cost = np.zeros((len(self.problem.participants), shortage.shape[1]))
        np.add.at(cost, self._owner_of_stream, shortage)
        costly = step_cost > 0.0
        moved = step_cost[costly, None] * main.released[costly]
        np.add.at(cost, self._owner_of_step[costly], moved)
        return yearly(1.0, self.problem) * cost.T

    def _covered(
        self,
        variant: int,
        main: Simulation,
        holding: NDArray[np.float64],
        rule: NDArray[np.int64],
    ) -> NDArray[np.uint8]:
        """Say where the block keeps its part of its groups: bits (P, G', S') of a simulation."""
        covered = np.empty((len(holding), len(self.groups), self.needs.scenario.size), np.uint8)
        covered[:, ~self._apart] = main.covered_of.transpose(2, 1, 0)
        if self._apart.any():
            apart = self._run(self._group_view, variant, holding, rule)
            covered[:, self._apart] = apart.covered_of.transpose(2, 1, 0)
        return covered

    def shortage_cost(
        self, lots: NDArray[np.int64], rule: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the shortage cost (P, S') of P candidates in each kept scenario [USD/year]."""
        request = Request.of(range(self.block.num_streams))
        view = _View(alone=False, stress=False, request=request, promises=(), cases=())
        cost = np.empty((len(lots), self.needs.scenario.size))
        step = max(1, self._memory.batch_bytes // (8 * max(1, self.needs.total.size)))
        for variant in np.unique(variant_of(rule)).tolist():
            those = np.flatnonzero(variant_of(rule) == variant)
            for at in range(0, those.size, step):
                some = those[at : at + step]
                simulated = self._run(
                    view, variant, self.holding(lots[some]), owners_rules(rule[some])
                )
                cost[some] = np.einsum("q,sqp->ps", self._shortage_cost, simulated.unserved_of)
        return yearly(1.0, self.problem) * cost

    def course(self, variant: int) -> Course:
        """Return the needs of a variant with the steps that may serve them."""
        return self._courses(variant).shared

    def lower_cost(
        self,
        course: Course,
        lots: NDArray[np.int64],
        rule: NDArray[np.int64],
        balance: Balance | None = None,
        points: NDArray[np.int64] | None = None,
    ) -> Lowered:
        """Return the lowered cost of one batch in a course of its variant.

        The course may be one of some scenarios only, see section 8 of the formulation. With the
        ``balance`` of these, candidates are the top corners of boxes with ``points`` (P, X, I).
        """
        at = None if points is None else self.holding(points)
        holding, followed = self.holding(lots), owners_rules(rule)
        return self._lowered(self._simulate(course, Request.of(), holding, followed, balance, at))

    def charges(
        self, weight: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what a tonne unserved (Q,), and one served by a step (J,), is charged [USD/t].

        The latter lowered to the cheapest later step of its stream.

        Parameters
        ----------
        weight
            (C,) on the cost of each participant.
        """
        return (
            weight[self._owner_of_stream] * self._shortage_cost,
            weight[self._owner_of_step] * self._lower_cost,
        )

    def tail_cost(
        self, lots: NDArray[np.int64], rule: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return shortage cost weighted by scenario (S',), (P,) [weight x USD/year].

        Only scenarios with weight are simulated. It never increases in any holding.
        """
        chosen = np.flatnonzero(weight)
        cost = np.empty(len(lots))
        for variant, batches in self.by_variant(rule):
            course = self._courses(variant).shared.only(chosen, weight[chosen])
            for some in batches:
                followed = owners_rules(rule[some])
                simulated = self._simulate(course, Request.of(), self.holding(lots[some]), followed)
                cost[some] = self._shortage_cost @ simulated.unserved
        return yearly(1.0, self.problem) * cost

    def floors_kept(
        self, lots: NDArray[np.int64], rule: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Say whether P candidates keep what each owner has promised to keep alone.

        Returns
        -------
        (P, C) whether all such promises of a participant are kept, within the tolerance and
        within twice the tolerance. Days of cover that are not pooled are among them.
        """
        kept = np.ones((2, len(lots), len(self.problem.participants)), dtype=np.bool_)
        alone = [index for index, promise in enumerate(self.promises) if _is_own_days(promise)]
        for variant, batches in self.by_variant(rule):
            for some in batches:
                holding, followed = self.holding(lots[some]), owners_rules(rule[some])
                measures = itertools.chain(
                    ((index, *self._days(index, holding)) for index in alone),
                    self._measure_views(self._floor_views, variant, holding, followed),
                )
                for index, _, met, nearly in measures:
                    c = self.promises[index].participant
                    kept[0, some, c] &= met
                    kept[1, some, c] &= nearly
        return kept[0], kept[1]

    def stress_kept(
        self, lots: NDArray[np.int64], rule: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Say whether P candidates keep promises for stress cases in which partners share, (P,).

        Within the tolerance, and within twice the tolerance.
        """
        kept = np.ones((2, len(lots)), dtype=np.bool_)
        for variant, batches in self.by_variant(rule):
            for some in batches:
                holding, followed = self.holding(lots[some]), owners_rules(rule[some])
                views = self._measure_views(self._shared_views, variant, holding, followed)
                for _, _, met, nearly in views:
                    kept[0, some] &= met
                    kept[1, some] &= nearly
        return kept[0], kept[1]

    def achievements(
        self, lots: NDArray[np.int64], rule: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return what P candidates reach of every promise, and whether they keep it: (., P)."""
        achieved = np.full((len(self.promises), len(lots)), np.nan)
        kept = np.ones(achieved.shape, dtype=np.bool_)
        for variant, batches in self.by_variant(rule):
            for some in batches:
                holding, followed = self.holding(lots[some]), owners_rules(rule[some])
                main = self._run(self._main, variant, holding, followed)
                for index, value, met, _ in self._measure(variant, holding, followed, main):
                    achieved[index, some], kept[index, some] = value, met
        return achieved, kept

    def judge(self, lots: NDArray[np.int64], rule: NDArray[np.int64]) -> Judgement:
        """Simulate one candidate, lots (I,) and rules (C + 1,), and say all there is to say."""
        held, rules, variant = self.holding(lots[None]), owners_rules(rule[None]), int(rule[-1])
        main = self._run(self._main, variant, held, rules)
        achieved = np.full(len(self.promises), np.nan)
        met = np.ones(len(self.promises), dtype=np.bool_)
        for index, value, kept, _ in self._measure(variant, held, rules, main):
            achieved[index], met[index] = value[0], kept[0]
        per_year = yearly(1.0, self.problem)
        markets = self.block.num_stocks
        released, market = main.released[:, 0], self.steps.market
        shortage, shipping, conversion = np.zeros((3, markets))
        np.add.at(shortage, self.block.stream_market, self._shortage_cost * main.unserved[:, 0])
        np.add.at(shipping, market, self.steps.shipping * released)
        np.add.at(conversion, market, self.steps.conversion * released)
        return Judgement(
            holding=lots * self.unit_cost,
            shortage=per_year * shortage,
            shipping=per_year * shipping,
            conversion=per_year * conversion,
            achieved=achieved,
            met=met,
        )

    def sampling(self, lots: NDArray[np.int64], rule: NDArray[np.int64]) -> Sampled:
        """Simulate one candidate, lots (I,) and rules (C + 1,), scenario by scenario."""
        variant = int(variant_of(rule))
        holding, needs = self.holding(lots[None, :]), self.needs_in(variant)
        errors = np.zeros(len(self.promises))
        streams = range(self.block.num_streams)
        borne = np.zeros((len(self.problem.participants), self.needs.scenario.size))
        simulations: dict[bool, NDArray[np.float64]] = {}
        for floor in (False, True):
            request = Request.of(streams, [] if floor else range(self.steps.count))
            view = _View(alone=floor, stress=False, request=request, promises=(), cases=())
            simulation = self._run(view, variant, holding, owners_rules(rule[None, :]))
            simulations[floor] = simulation.unserved_of[:, :, 0]
            if not floor:
                shortage = simulations[floor] * self._shortage_cost
                np.add.at(borne, self._owner_of_stream, shortage.T)
                moved = simulation.released_of[:, :, 0] * self.steps.cost
                np.add.at(borne, self._owner_of_step, moved.T)
        for index, promise in enumerate(self.promises):
            if promise.metric not in ("stress", "days"):
                unserved = simulations[promise.floor][:, self._stream(promise)]
                errors[index] = self._error(promise, unserved, needs)
        return Sampled(
            variable=borne.T,
            shortage=simulations[False] @ self._shortage_cost,
            covered=np.array(
                [
                    self._keeps_group(g, simulations[self.problem.groups[g].floor], needs)
                    for g in self.groups
                ]
            ).reshape(len(self.groups), self.needs.scenario.size),
            errors=errors,
        )

    def _error(self, promise: Promise, unserved: NDArray[np.float64], needs: Needs) -> float:
        """Return the standard error of what a promise reaches, from unserved needs (S',) [t]."""
        scenario, total = needs.scenario, needs.total[:, self._stream(promise)]
        count = self.spread.count
        if promise.metric == "fill_rate":
            return self.spread.error(fill_rate_pull(unserved, total, count), scenario)
        served = np.ones(count)
        served[scenario] = served_fraction(unserved, total)
        if promise.metric == "chance":
            kept = (served >= promise.level - LEVEL_TOLERANCE).astype(np.float64)
            return self.spread.error(kept - kept.mean())
        assert promise.confidence is not None
        return self.spread.error(tail_pull(1.0 - served, 1.0 - promise.confidence))

    def _keeps_group(
        self, g: int, unserved: NDArray[np.float64], needs: Needs
    ) -> NDArray[np.bool_]:
        """Say in which scenarios (S',) the block keeps its part of a joint chance group."""
        served = served_fraction(unserved, needs.total)
        kept = [
            served[:, self.block.stream(c, m, k)] >= level - LEVEL_TOLERANCE
            for c, m, k, level in self.problem.groups[g].streams
            if self.block.owns(c, m)
        ]
        return np.asarray(np.all(kept, axis=0), dtype=np.bool_)

    def unserved(
        self, lots: NDArray[np.int64], rule: NDArray[np.int64], *, alone: bool = False
    ) -> NDArray[np.float64]:
        """Return what one candidate leaves unserved (S', Q) [t], scenario by scenario.

        With ``alone``, no partner releases anything.
        """
        request = Request.of(range(self.block.num_streams))
        view = _View(alone=alone, stress=False, request=request, promises=(), cases=())
        holding, followed = self.holding(lots[None, :]), owners_rules(rule[None, :])
        return self._run(view, int(rule[-1]), holding, followed).unserved_of[:, :, 0]

    def unserved_of(self, lots: NDArray[np.int64], rule: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what P candidates leave unserved (P, S', Q) [t], scenario by scenario."""
        request = Request.of(range(self.block.num_streams))
        unserved = np.empty((len(lots), *self.needs.total.shape))
        for variant, batches in self.by_variant(rule):
            course = self.course(variant)
            for some in batches:
                followed = owners_rules(rule[some])
                simulated = self._simulate(course, request, self.holding(lots[some]), followed)
                unserved[some] = simulated.unserved_of.transpose(2, 0, 1)
        return unserved

    def _measure(
        self,
        variant: int,
        holding: NDArray[np.float64],
        rule: NDArray[np.int64],
        main: Simulation,
        *,
        floors: bool = True,
        stress: bool = True,
    ) -> Iterator[Measure]:
        """Yield index, value, kept and nearly kept of every promise, the cheap ones first."""
        for index, promise in enumerate(self.promises):
            if promise.metric == "days" and (floors or not _is_own_days(promise)):
                yield index, *self._days(index, holding)
        for place, index in enumerate(self._main.promises):
            yield index, *self._achieved(self._main, variant, place, main)
        if stress:
            yield from self._measure_views(self._shared_views, variant, holding, rule)
        if floors:
            yield from self._measure_views(self._floor_views, variant, holding, rule)

    def _measure_views(
        self,
        views: Iterable[_View],
        variant: int,
        holding: NDArray[np.float64],
        rule: NDArray[np.int64],
    ) -> Iterator[Measure]:
        for view in views:
            simulation = self._run(view, variant, holding, rule)
            for place, index in enumerate(view.promises):
                yield index, *self._achieved(view, variant, place, simulation)

    def _needs_of(self, view: _View, variant: int) -> Needs:
        """Return the needs that a view simulates, perhaps without their months."""
        return self._stress[variant].shared.needs if view.stress else self.needs_in(variant)

    def _run(
        self,
        view: _View,
        variant: int,
        holding: NDArray[np.float64],
        rule: NDArray[np.int64],
        tangents: Tangents | None = None,
    ) -> Simulation:
        courses = self._stress[variant] if view.stress else self._courses(variant)
        course = courses.alone if view.alone else courses.shared
        if tangents is None:
            return self._simulate(course, view.request, holding, rule)
        balance, points = tangents.balances[variant], self.holding(tangents.lots)
        return self._simulate(course, view.request, holding, rule, balance, points)

    def _simulate(
        self,
        course: Course,
        request: Request,
        holding: NDArray[np.float64],
        rule: NDArray[np.int64],
        balance: Balance | None = None,
        points: NDArray[np.float64] | None = None,
    ) -> Simulation:
        # Steps that are closed to all candidates of a tile cost nothing: those with the same rules
        # are simulated side by side.
        order = np.lexsort(rule.T) if len(rule) > LANES else None
        if order is not None:
            holding, rule = holding[order], rule[order]
            points = None if points is None else points[order]
        terms = candidate_terms(self.problem.menu, course.steps, holding.T, rule.T)
        simulation = simulate(
            self.block,
            course,
            terms,
            self.refill,
            request,
            self.workers,
            balance,
            None if points is None else np.ascontiguousarray(points.transpose(1, 2, 0)),
        )
        return simulation if order is None else simulation.take(np.argsort(order))

    def _days(
        self, index: int, holding: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Days of cover: h >= level days of normal consumption, pooled within a group."""
        promise = self.promises[index]
        pooled = [
            other
            for other in self.promises
            if other.metric == "days"
            and other.material == promise.material
            and promise.group
            and other.group == promise.group
        ] or [promise]
        stocks = np.isin(self.block.market_participant, [other.participant for other in pooled]) & (
            self.block.market_material == promise.material
        )
        held = holding[:, stocks].sum(axis=1)
        daily = sum(other.daily_t for other in pooled)
        required = sum(other.daily_t * other.level for other in pooled)
        if daily == 0.0:
            everything = np.ones(len(holding), dtype=np.bool_)
            return np.full(len(holding), np.nan), everything, everything
        return (
            held / daily,
            held >= required * (1.0 - LEVEL_TOLERANCE),
            held >= required * (1.0 - 2.0 * LEVEL_TOLERANCE),
        )

    def _achieved(
        self, view: _View, variant: int, place: int, simulation: Simulation
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Value of a coverage metric for P candidates, and whether the promise is kept."""
        promise = self.promises[view.promises[place]]
        stream = self._stream(promise)
        needs = self._needs_of(view, variant)
        metrics = [self.promises[index].metric for index in view.promises[:place]]
        target = promise.level
        if promise.metric == "fill_rate":
            expected = needs.expected[stream]
            shortfall = simulation.unserved[stream]
            value = 1.0 - (shortfall / expected if expected > 0.0 else 0.0 * shortfall)
        elif promise.metric == "chance":
            row = metrics.count("chance")
            calm = 1.0 - needs.probability.sum()  # Scenarios without need are served in full.
            value = np.clip(simulation.chance[row] + calm, 0.0, 1.0)
            target = promise.confidence
            loose = simulation.chance_loose[row] + calm
            tolerance = self._chance_tolerance
            return value, value >= target - tolerance, loose >= target - 2.0 * tolerance
        else:
            row = sum(metric in ("cvar", "stress") for metric in metrics)
            unserved, total = simulation.unserved_of[:, row], needs.total[:, stream]
            if promise.metric == "cvar":
                tail = 1.0 - promise.confidence
                value = worst_mean(unserved, total, needs.probability, tail)
            else:
                case = view.cases[place]
                value = served_fraction(unserved[case], total[case])
        return value, value >= target - LEVEL_TOLERANCE, value >= target - 2 * LEVEL_TOLERANCE


def _scores_of(
    evaluator: Evaluator,
    lots: NDArray[np.int64],
    rule: NDArray[np.int64],
    asked: dict[str, bool],
    tangents: Tangents | None,
) -> Scores:
    """Do as :meth:`Evaluator.scores`, at a worker."""
    return evaluator.scores(lots, rule, **asked, tangents=tangents)


def _is_own_days(promise: Promise) -> bool:
    """Say whether a promise is about days of cover of one participant's own holding."""
    return promise.metric == "days" and not promise.group


def _cheapest_later(steps: Steps, shortage_cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lower each step's cost to the least of itself, the later steps of its stream, and w."""
    lowered = np.minimum(steps.cost, shortage_cost[steps.stream])
    for stream in np.unique(steps.stream):
        of_stream = np.flatnonzero(steps.stream == stream)
        lowered[of_stream] = np.minimum.accumulate(lowered[of_stream][::-1])[::-1]
    return lowered
