"""A lower limit on cost from the balance of tonnes: no more is served than is held and made.

The top corner of a box says how little each stream must leave unserved; how much less there is at
another candidate of the box, it does not say. Tonnes do. Whatever a candidate serves it takes from
its stocks and makes in its plants, and no stream is served more than at the top corner (Proposition
1). What that leaves is a linear program for each scenario, and any values of tonnes that are
feasible in its dual give a limit on cost that falls with every tonne held. Section 8 of the
formulation has the proof.

Values are found between candidates and others that hold more, in the scenarios that matter most.
They are valid at any candidate, in any scenario and variant, and under any rules: only how much
they say differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import csr_array, eye_array, kron

from stockpile.balance import Balance, Tangents
from stockpile.choices import owners_rules, variant_of, with_variant
from stockpile.model.linear import LinearModel, solve_linear
from stockpile.simulate import candidate_terms
from stockpile.tables import RELATIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.blocks import Steps
    from stockpile.evaluator import Evaluator

APART = (0.03, 0.15)
"""How far below and above good candidates values of tonnes are looked for, of all their lots."""
LOOKED_AT = 5
"""Scenarios in which they are looked for each time, those whose cost changes most in between."""
FORMS = 3
"""Values of which the one that says most counts, in each scenario."""
AT_ONCE = 200
"""Scenarios for which values are chosen at once: that takes memory."""
MOST_VALUES = 200
"""Values that are kept to choose among, the newest first."""
SAME_VALUE = 1.0
"""Values that differ by less are one [USD/t]."""
ROUNDING = 1e-12
"""Part of its terms by which a limit is lowered for rounding."""


class Charges(NamedTuple):
    """What tonnes are charged at one weight of each participant's cost [USD/t]."""

    unserved: NDArray[np.float64]
    """(Q,)."""
    served: NDArray[np.float64]
    """(J,) by a step."""
    saved: NDArray[np.float64]
    """(J,) by a step that serves a tonne."""

    @staticmethod
    def at(evaluator: Evaluator, weight: NDArray[np.float64]) -> Charges:
        """Return the charges at weights (C,)."""
        unserved, served = evaluator.charges(weight)
        return Charges(unserved, served, unserved[evaluator.steps.stream] - served)


class Programs:
    """The linear programs of all variants of a block, made when they are asked for."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._programs: dict[int, Program] = {}

    def of(self, variant: int) -> Program:
        """Return the program of a variant."""
        if variant not in self._programs:
            self._programs[variant] = Program.of(self.evaluator, variant)
        return self._programs[variant]


@dataclass(frozen=True, slots=True)
class Spans:
    """Candidates, and others with the same choices that hold more; P of both.

    What costs more at the ones than at the others shows what tonnes are worth.

    Attributes
    ----------
    below, above
        (P, I) lots.
    rule
        (P, C + 1) rules and variants.
    """

    below: NDArray[np.int64]
    above: NDArray[np.int64]
    rule: NDArray[np.int64]

    @staticmethod
    def around(lots: NDArray[np.int64], rule: NDArray[np.int64]) -> Spans:
        """Return spans around candidates (P, I), by some parts of them and a lot at least."""
        steps = [np.maximum(np.ceil(lots * apart).astype(np.int64), 1) for apart in APART]
        return Spans(
            np.concatenate([np.maximum(lots - step, 0) for step in steps]),
            np.concatenate([lots + step for step in steps]),
            np.tile(rule, (len(steps), 1)),
        )


@dataclass(frozen=True, slots=True)
class TonneValues:
    """Values of tonnes that may be worth while; D of them.

    Attributes
    ----------
    draw
        (D, G) of a tonne that a draw may take, see :class:`stockpile.balance.Balance` [USD/t].
    plant
        (D, E) of a tonne that a plant can make [USD/t].
    """

    draw: NDArray[np.float64]
    plant: NDArray[np.float64]

    @staticmethod
    def found(programs: Programs, weight: NDArray[np.float64], spans: Spans) -> TonneValues:
        """Look for values between candidates.

        Parameters
        ----------
        weight
            (C,) on the cost of each participant.
        """
        evaluator = programs.evaluator
        charges = Charges.at(evaluator, weight)
        most = []
        for below, above, rule in zip(spans.below, spans.above, spans.rule, strict=True):
            variant = int(variant_of(rule))
            program = programs.of(variant)
            there, here = evaluator.unserved_of(np.stack([above, below]), np.stack([rule, rule]))
            rise = evaluator.needs_in(variant).probability * ((here - there) @ charges.unserved)
            order = np.argsort(-rise, kind="stable")[:LOOKED_AT]
            taken = program.most_taken(evaluator, below, owners_rules(rule))
            for s in order[rise[order] > 0.0].tolist():
                served = program.total[s] - there[s]
                most.append(np.concatenate([served, taken[s], program.made[s]]))
        values = program.values(np.array(most).reshape(-1, len(program.rows)), charges)
        draws = program.stock.size
        return TonneValues(values[:, :draws], values[:, draws:]).distinct()

    def distinct(self) -> TonneValues:
        """Return those that differ, in the same order."""
        both = np.concatenate([self.draw, self.plant], axis=1)
        _, first = np.unique(np.rint(both / SAME_VALUE), axis=0, return_index=True)
        first = np.sort(first)
        return TonneValues(self.draw[first], self.plant[first])

    def and_those(self, others: TonneValues) -> TonneValues:
        """Return these and others, each once; no more than are kept."""
        both = TonneValues(
            np.concatenate([self.draw, others.draw]), np.concatenate([self.plant, others.plant])
        ).distinct()
        return TonneValues(both.draw[:MOST_VALUES], both.plant[:MOST_VALUES])


class BalanceLimit:
    """The balances of all variants of a block, at one weight of each participant's cost.

    Parameters
    ----------
    programs, values
        Programs of the variants, and values to choose among.
    weight
        (C,) on the cost of each participant.
    spans
        Candidates between which the values are chosen that say most.
    """

    def __init__(
        self,
        programs: Programs,
        values: TonneValues,
        weight: NDArray[np.float64],
        spans: Spans,
    ) -> None:
        self._programs = programs
        self._values = values
        self._charges = Charges.at(programs.evaluator, weight)
        self._spans = spans
        self._balances: dict[int, Balance] = {}

    def tangents(self, lots: NDArray[np.int64], rule: NDArray[np.int64]) -> Tangents:
        """Return what is known at points (B, X, I) of boxes with choices (B, C + 1)."""
        variants = np.unique(variant_of(rule)).tolist()
        for variant in variants:
            if variant not in self._balances:
                self._balances[variant] = self._choose(variant)
        return Tangents(lots, {variant: self._balances[variant] for variant in variants})

    def _choose(self, variant: int) -> Balance:
        """Choose values for every scenario of a variant."""
        evaluator, values, charges = self._programs.evaluator, self._values, self._charges
        program = self._programs.of(variant)
        if not len(values.draw):
            return Balance.nothing(len(charges.saved), len(program.total))
        served = program.completed(values, charges)
        spans, rules = self._spans, owners_rules(self._spans.rule)
        unserved = evaluator.unserved_of(spans.above, with_variant(rules, variant))
        taken = [
            program.most_taken(evaluator, held, rule)
            for held, rule in zip(spans.below, rules, strict=True)
        ]
        form = np.empty((len(program.total), FORMS), dtype=np.int64)
        constant = np.zeros(form.shape)
        for at in range(0, len(form), AT_ONCE):
            some = slice(at, at + AT_ONCE)
            constants, size = program.constants(values, served, charges, some)
            limits = [
                constants + u[some] @ served.T - t[some] @ values.draw.T
                for u, t in zip(unserved, taken, strict=True)
            ]
            form[some] = chosen = _most_telling(np.array(limits))
            lowered = constants - ROUNDING * size
            constant[some] = np.where(
                chosen >= 0, np.take_along_axis(lowered, np.maximum(chosen, 0), axis=1), 0.0
            )
        return Balance(
            charge=charges.unserved,
            step_charge=charges.served,
            stock=program.stock,
            steps=program.of_draw,
            value=values.draw,
            served=served,
            form=form,
            constant=constant,
            refilled=program.refilled,
        )


def _most_telling(limits: NDArray[np.float64]) -> NDArray[np.int64]:
    """Choose for every scenario the values that say most of some candidates together.

    Parameters
    ----------
    limits
        (P, S', D) what they say of each.

    Returns
    -------
    (S', F) of which the best of a candidate counts; -1 where another says nothing more.
    """
    said = np.zeros(limits.shape[:2])
    chosen = np.full((limits.shape[1], FORMS), -1, dtype=np.int64)
    row = np.arange(len(chosen))
    for f in range(FORMS):
        more = np.maximum(limits - said[:, :, None], 0.0).sum(axis=0)
        best = more.argmax(axis=1)
        chosen[:, f] = np.where(more[row, best] > 0.0, best, -1)
        said = np.maximum(said, limits[:, row, best])
    return chosen


@dataclass(frozen=True, slots=True)
class Program:
    """The linear program of every kept scenario: what is served, step by step, to save most.

    Rows are the streams (Q), the draws (G) and the plants (E); columns the steps (J).

    Attributes
    ----------
    rows
        (Q + G + E, J) coefficients.
    steps
        The steps of a month.
    stock, of_draw
        As in :class:`stockpile.balance.Balance`.
    total
        (S', Q) needs [t].
    refilled
        (S', I) most that is bought back, as a part of a full stock.
    made
        (S', E) most that plants make [t].
    """

    rows: NDArray[np.float64]
    steps: Steps
    stock: NDArray[np.int64]
    of_draw: NDArray[np.bool_]
    total: NDArray[np.float64]
    refilled: NDArray[np.float64]
    made: NDArray[np.float64]

    @staticmethod
    def of(evaluator: Evaluator, variant: int) -> Program:
        """Read the program of a variant from its course."""
        course, block = evaluator.course(variant), evaluator.block
        steps, needs = course.steps, course.needs
        every = np.arange(steps.count)
        of_stream = np.zeros((block.num_streams, steps.count))
        of_stream[steps.stream, every] = 1.0
        stock, of_draw = _draws(steps, block.num_stocks)
        conversions, pools = evaluator.problem.conversions, steps.pools
        of_plant = np.zeros((conversions.count, steps.count))
        np.add.at(
            of_plant,
            (pools.plant[pools.pool], np.repeat(every, np.diff(pools.first))),
            pools.made,
        )
        # A plant can make something in the months in which a step through it may serve.
        runs = np.zeros((len(course.segment), conversions.count))
        for e, through in enumerate(of_plant > 0.0):
            runs[:, e] = (course.segment[:, through] >= 0).any(axis=1)
        months = _sums(runs, needs.first)
        calm = _sums(needs.calm[:, None].astype(np.float64), needs.first)
        return Program(
            rows=np.concatenate([of_stream, of_draw / steps.yield_, of_plant]),
            steps=steps,
            stock=stock,
            of_draw=of_draw,
            total=needs.total,
            refilled=calm * evaluator.refill,
            made=months * conversions.capacity,
        )

    def most_taken(
        self, evaluator: Evaluator, lots: NDArray[np.int64], rule: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the most that draws take of lots (I,) under rules (C,), (S', G) [t]."""
        holding = evaluator.holding(lots)
        menu, steps = evaluator.problem.menu, self.steps
        terms = candidate_terms(menu, steps, holding[:, None], rule[:, None])
        usable = terms.usable(self.of_draw)[:, 0]
        return (usable + self.refilled[:, self.stock]) * holding[self.stock]

    def values(self, most: NDArray[np.float64], charges: Charges) -> NDArray[np.float64]:
        """Return values of what draws may take and of what plants make, (n, G + E) [USD/t].

        Parameters
        ----------
        most
            (n, Q + G + E) most that streams may be served, draws take and plants make [t], in
            some scenarios.
        """
        count, columns = len(most), charges.saved.size
        solution = solve_linear(
            LinearModel(
                cost=np.tile(-charges.saved, count),
                lower=np.zeros(count * columns),
                upper=np.full(count * columns, np.inf),
                integer=np.zeros(count * columns, dtype=np.bool_),
                matrix=csr_array(kron(eye_array(count), csr_array(self.rows))),
                row_lower=np.full(most.size, -np.inf),
                row_upper=np.maximum(most.ravel(), 0.0),
            )
        )
        if not solution.row_duals.size:  # Of programs that were not solved nothing is claimed.
            return np.zeros((0, most.shape[1] - charges.unserved.size))
        duals = solution.row_duals.reshape(most.shape)
        return np.maximum(-duals[:, charges.unserved.size :], 0.0)

    def completed(self, values: TonneValues, charges: Charges) -> NDArray[np.float64]:
        """Return the least values of serving a stream (D, Q) that make others feasible.

        They are worked out here and not taken from a solver, so that they are feasible.
        """
        streams = charges.unserved.size
        others = np.concatenate([values.draw, values.plant], axis=1) @ self.rows[streams:]
        served = np.zeros((len(others), streams))
        rows = np.arange(len(others))[:, None]
        np.maximum.at(served, (rows, self.steps.stream[None]), charges.saved - others)
        return served

    def constants(
        self, values: TonneValues, served: NDArray[np.float64], charges: Charges, some: slice
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the part of the limit that no candidate changes, and the sum of its terms.

        Both are (., D) [USD], of some scenarios.
        """
        total = self.total[some]
        nothing_served = (total @ charges.unserved)[:, None]
        all_served, made = total @ served.T, self.made[some] @ values.plant.T
        return nothing_served - all_served - made, nothing_served + all_served + made


def _sums(amounts: NDArray[np.float64], first: NDArray[np.int64]) -> NDArray[np.float64]:
    """Add up amounts of kept months (N, .) in each scenario, (S', .)."""
    so_far = np.concatenate([np.zeros((1, amounts.shape[1])), np.cumsum(amounts, axis=0)])
    return np.asarray(np.diff(so_far[first], axis=0))


def _draws(steps: Steps, stocks: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the draws of a block: their stocks (G,), and their steps (G, J).

    Of each stock what all steps take, and those that serve partners, from each class downwards:
    rules keep the more of a stock from a need the less it counts.
    """
    stock, members = [], []
    for i in range(stocks):
        for relation in range(len(RELATIONS)):
            for demand_class in np.unique(steps.demand_class).tolist():
                those = (steps.stock == i) & (steps.relation >= relation)
                those &= steps.demand_class >= demand_class
                if those.any():
                    stock.append(i)
                    members.append(those)
    return np.array(stock, dtype=np.int64), np.array(members, dtype=np.bool_)
