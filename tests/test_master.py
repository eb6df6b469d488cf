"""The search over all blocks: every bound that it ever reports is below the enumerated optimum."""

from __future__ import annotations

import itertools
from dataclasses import replace

import coupled_oracle
import numpy as np
import pytest
from random_coupled import COUPLINGS, write_coupled_instance

import stockpile as sp
from stockpile.couplings import build_couplings
from stockpile.decisions import closed_variants, known_candidates
from stockpile.master import relaxation
from stockpile.master import search as master_search
from stockpile.master.known import Known
from stockpile.master.rule_names import fewest_rules
from stockpile.master.search import MasterSearch
from stockpile.model import plan_arrays
from stockpile.model.linear import LinearSolution
from stockpile.rules import Rule, StreamRule, rule_menu
from stockpile.running import Running
from stockpile.setting import prepared
from stockpile.solver import world_couplings

CASES = [*itertools.product(COUPLINGS, [1, 2]), *(("all", seed) for seed in range(4))]
ENOUGH = 100
"""Rounds after which a search without good advice is stopped; it would go on for long."""


class Case:
    """A random instance, made ready, and its optimum by enumeration."""

    def __init__(self, folder, seed, kind):
        names = COUPLINGS if kind == "all" else [kind]
        inst, self.world = write_coupled_instance(folder, seed, names)
        best = coupled_oracle.enumerate_coupled(inst, self.world)
        self.optimum = np.inf if best is None else best.annual_cost
        self.instance = sp.load(folder)
        self.standalone = None
        if self.instance.agreement.nobody_worse_off and self.world != "none":
            alone = sp.solve(self.instance, gap=0.0, cooperation="none", progress=False)
            if alone.found:
                parts = alone.costs[["holding", "shortage", "shipping"]].sum(axis=1)
                borne = parts.groupby(alone.costs["participant"]).sum()
                names = [row.participant for row in self.instance.participants]
                self.standalone = borne[names].to_numpy()

    def search(self, stop=lambda: False, tell=lambda search: None, gap=0.0):
        """Run the search and return it; ``tell`` and ``stop`` see it at work."""
        with prepared(self.instance, Running(threads=1, progress=False)) as setting:
            couplings = build_couplings(
                self.instance, setting.problem, self.world, setting.scenarios
            )
            if self.standalone is not None:
                couplings = couplings.with_standalone(self.standalone)
            evaluators = [
                setting.evaluator(block, sharing=self.world != "none") for block in setting.blocks
            ]
            search = MasterSearch(evaluators, couplings, setting.scenarios, gap, stop, tell)
            search.run()
        return search

    def at_most_the_optimum(self, bound):
        """Whether a bound holds, rounding allowed."""
        return bound <= self.optimum or bound - self.optimum <= 1e-9 * abs(self.optimum)

    def at_least_the_optimum(self, cost):
        """Whether a cost can be true, rounding allowed."""
        return cost >= self.optimum or self.optimum - cost <= 1e-9 * abs(self.optimum)


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request, tmp_path_factory):
    kind, seed = request.param
    # Other seeds than those of the enumeration tests.
    return Case(tmp_path_factory.mktemp("instance"), 5000 + seed, kind)


def test_every_bound_on_the_way_holds(case):
    """Looked at after every round: the bound is below the optimum, the incumbent above."""
    seen = []

    def tell(search):
        seen.append((search.bound, search.cost))

    search = case.search(tell=tell)
    assert search.finished
    assert search.cost == pytest.approx(case.optimum, rel=1e-9)
    assert all(case.at_most_the_optimum(bound) for bound, _ in seen if np.isfinite(bound))
    assert all(case.at_least_the_optimum(cost) for _, cost in seen)


@pytest.mark.parametrize("rounds", [1, 12, 40])
def test_stopped_at_any_moment_bound_and_incumbent_stand(case, rounds):
    asked = itertools.count()
    search = case.search(stop=lambda: next(asked) >= rounds)
    assert case.at_most_the_optimum(search.bound)
    assert case.at_least_the_optimum(search.cost)


def test_prices_of_a_solver_that_answers_nonsense_prove_nothing_false(case, monkeypatch):
    """Whatever prices come back, the bound is worked out from them and holds."""
    rng = np.random.default_rng(1)
    honest = relaxation.solve_linear

    def nonsense(model, **options):
        solution = honest(model, **options)
        if not solution.row_duals.size:
            return solution
        noise = rng.lognormal(0.0, 2.0, solution.row_duals.size) * rng.choice(
            [-1.0, 0.0, 1.0], solution.row_duals.size
        )
        return replace(solution, row_duals=solution.row_duals * noise)

    monkeypatch.setattr(relaxation, "solve_linear", nonsense)
    asked = itertools.count()
    search = case.search(stop=lambda: next(asked) >= ENOUGH)
    assert case.at_most_the_optimum(search.bound)
    assert case.at_least_the_optimum(search.cost)
    if search.finished:
        assert search.cost == pytest.approx(case.optimum, rel=1e-9)


@pytest.mark.parametrize("often", [2, 1])
def test_a_solver_that_stops_early_or_fails_proves_nothing_false(case, monkeypatch, often):
    """It returns nothing every second time, or never anything; nor does the integer master."""
    calls = itertools.count()
    honest = relaxation.solve_linear

    def fails(model, **options):
        return LinearSolution("stopped") if next(calls) % often == 0 else honest(model, **options)

    monkeypatch.setattr(relaxation, "solve_linear", fails)
    monkeypatch.setattr(master_search, "choose", lambda *_, **__: None)
    asked = itertools.count()
    search = case.search(stop=lambda: next(asked) >= ENOUGH)
    assert case.at_most_the_optimum(search.bound)
    assert case.at_least_the_optimum(search.cost)
    if search.finished:
        assert search.cost == pytest.approx(case.optimum, rel=1e-9)


def test_an_integer_master_that_lies_is_not_believed(case, monkeypatch):
    """It proposes columns at random and calls them optimal: cost and limits are recomputed."""
    rng = np.random.default_rng(2)

    def lies(model, **_):
        return LinearSolution("optimal", rng.random(model.cost.size), np.empty(0), -1e12)

    monkeypatch.setattr(plan_arrays, "solve_linear", lies)
    search = case.search()
    assert search.finished
    assert search.cost == pytest.approx(case.optimum, rel=1e-9)
    assert case.at_most_the_optimum(search.bound)


def test_a_dive_ends_inside_the_node_with_one_choice_for_each_block(case, monkeypatch):
    """What it decides it keeps to; what it ends with is a relaxation of that part."""
    dives = []
    dive = master_search.dive

    def spied(known, node, evaluators, *args):
        found = dive(known, node, evaluators, *args)
        dives.append((known, node, found))
        if found is not None:
            part, relaxed = found
            whole = known.relaxation(node, elastic=False)
            assert relaxed.value >= whole.value - 1e-6 * abs(whole.value)
            for i, (inner, outer) in enumerate(zip(part.regions, node.regions, strict=True)):
                assert not (inner.rules & ~outer.rules).any()
                assert not (inner.variants & ~outer.variants).any()
                used = relaxed.z[i][0][relaxed.z[i][1] > 1e-6]
                assert inner.holds(known.columns[i].candidates.take(used)).all()
        return found

    monkeypatch.setattr(master_search, "dive", spied)
    monkeypatch.setattr(MasterSearch, "_worth_diving", lambda self, _, dived: np.isinf(dived))
    found = case.search()
    assert found.bound <= case.optimum * (1.0 + 1e-9)
    if np.isfinite(case.optimum):
        assert found.cost == pytest.approx(case.optimum, rel=1e-6)
        assert dives or not found.nodes


def test_as_few_rules_as_can_be_are_written_down():
    """Blocks that can do with rules {0, 1}, {1, 2}, {2}: rules 1 and 2 are enough, one is not."""
    patterns = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=bool)
    rules = fewest_rules(list(patterns), [True, True, True])
    assert len(set(rules)) == 2
    assert all(patterns[block, rule] for block, rule in enumerate(rules))


def test_who_holds_nothing_takes_a_rule_that_is_in_use():
    patterns = np.array([[1, 0], [0, 1]], dtype=bool)
    assert fewest_rules(list(patterns), [True, False]) == [0, 0]


@pytest.mark.parametrize("calls", [1, 2])
def test_a_stop_while_a_node_gets_columns_leaves_the_node_open(case, monkeypatch, calls):
    """A stop inside the first look for a column proves nothing, whatever has been found by then."""
    stopped = itertools.count()
    honest = Known.give_each_a_column

    def stops(known, node):
        if next(stopped) + 1 < calls:
            return honest(known, node)
        search_is_over.append(True)
        return False

    search_is_over = []
    monkeypatch.setattr(Known, "give_each_a_column", stops)
    search = case.search(stop=lambda: bool(search_is_over))
    if not search.impossible:
        assert not search.finished
    assert case.at_most_the_optimum(search.bound)
    assert case.at_least_the_optimum(search.cost)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_plan_alone_is_a_plan_in_sharing_before_any_search(seed):
    """The menu holds a closed variant of every rule; limits are the same in both worlds."""
    instance = sp.generate(
        materials=3, scenarios=50, months=12, participants=2, seed=seed, couplings=True
    )
    alone = sp.solve(instance, gap=0.1, cooperation="none", progress=False)
    with prepared(instance, Running(threads=1, progress=False)) as setting:
        assert (closed_variants(setting.problem.menu) >= 0).all()
        couplings = world_couplings(setting, "sharing", gap=0.1, deadline=np.inf, alone=alone)
        evaluators = [setting.evaluator(block, sharing=True) for block in setting.blocks]
        start = known_candidates(alone, evaluators)
        found = []

        def tell(search):
            if np.isfinite(search.cost):
                found.append(search.cost)

        search = MasterSearch(
            evaluators, couplings, setting.scenarios, 0.0, lambda: bool(found), tell, start
        )
        search.run()
    assert search.nodes == 0
    assert found[0] == pytest.approx(alone.annual_cost_usd, rel=1e-9)
    assert search.bound <= found[0]


def test_without_a_closed_variant_no_plan_is_known():
    """Nothing else in the menu serves its own nation as ``late`` does."""
    rules = (
        Rule("shared", (((StreamRule(),),), ((StreamRule(),),))),
        Rule("closed", (((StreamRule(),),), ((),))),
        Rule("late", (((StreamRule(from_month=3),),), ((StreamRule(),),))),
    )
    assert closed_variants(rule_menu(rules, 1)).tolist() == [1, 1, -1]
