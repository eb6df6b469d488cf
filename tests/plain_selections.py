"""Selections judged and enumerated by plain loops, independent of the package."""

from __future__ import annotations

import itertools
import math

import numpy as np
from random_selections import fewest_rules, tail_mean

from stockpile.model.selection import Selection

TOLERANCE = 1e-9


class Plain:
    """A selection as lists, and everything said of a choice by plain loops."""

    def __init__(self, selection: Selection) -> None:
        self.names = selection
        for name in Selection.__slots__:
            value = getattr(selection, name)
            setattr(self, name, value.tolist() if isinstance(value, np.ndarray) else value)
        self.C, self.L, self.W = len(self.participants), len(self.kinds), len(self.facilities)

    def states(self, columns):
        """State of each project: the highest in which a column was simulated."""
        return [max([0, *(row[j] for j in columns)]) for row in self.state]

    def cost_of(self, columns, open_):
        projects = zip(self.state_cost, self.states(columns), strict=True)
        return (
            sum(self.cost[j] for j in columns)
            + sum(self.facility_cost[w] for w in open_)
            + sum(cost[state] for cost, state in projects)
        )

    def broken(self, columns, open_):
        """Broken limits: equation, participant and item, with amount and limit."""
        return {**self.broken_by_columns(columns), **self.broken_storage(columns, open_)}

    def broken_by_columns(self, columns):
        found = {}

        def require(ok, equation, participant, item, amount, limit):
            if not ok:
                found[equation, participant, item] = (amount, limit)

        def at_most(amount, limit):
            return amount <= limit * (1.0 + TOLERANCE)

        total = 0.0
        for c, name in enumerate(self.participants):
            outlay = sum(self.outlay[c][j] for j in columns)
            total += outlay
            require(at_most(outlay, self.budget[c]), 11, name, "", outlay, self.budget[c])
            share = sum(self.cost_share[c][j] for j in columns)
            require(at_most(share, self.standalone[c]), 16, name, "", share, self.standalone[c])
            if self.most_rules is not None:
                patterns = [[row[j] for row in self.follows[c]] for j in columns]
                number = fewest_rules(patterns)
                require(number <= self.most_rules, 15, name, "", number, self.most_rules)
        require(at_most(total, self.joint_budget), 11, None, "", total, self.joint_budget)
        self.check_projects(columns, require, at_most)
        for name, covered, confidence in zip(
            self.groups, self.covered, self.confidence, strict=True
        ):
            reached = sum(
                p
                for p, row in zip(self.probability, covered, strict=True)
                if all(row[j] for j in columns)
            )
            require(reached >= confidence - TOLERANCE, 13, None, name, reached, confidence)
        if math.isfinite(self.most_tail_cost):
            costs = [sum(row[j] for j in columns) for row in self.shortage]
            mean = tail_mean(costs, self.probability, self.tail)
            require(at_most(mean, self.most_tail_cost), 18, None, "", mean, self.most_tail_cost)
        return found

    def check_projects(self, columns, require, at_most):
        states = self.states(columns)
        for n, name in enumerate(self.projects):
            seen = {self.state[n][j] for j in columns} - {-1}
            ok = len(seen) <= 1 and self.state_allowed[n][states[n]]
            require(ok, 14, None, name, 2.0, 1.0)
        total = 0.0
        for c, name in enumerate(self.participants):
            paid = sum(self.state_outlay[c][n][state] for n, state in enumerate(states))
            total += paid
            limit = self.project_budget[c]
            require(at_most(paid, limit), 11, name, "for projects", paid, limit)
        limit = self.joint_project_budget
        require(at_most(total, limit), 11, None, "for projects", total, limit)
        for name, use, limit in zip(self.caps, self.cap_use, self.cap_limit, strict=True):
            supplied = sum(use[n] for n, state in enumerate(states) if state > 0)
            require(supplied <= limit + TOLERANCE, 17, None, name, supplied, limit)

    def broken_storage(self, columns, open_):
        found = {}
        if self.pooled:
            pools = [(None, range(self.C))] if any(self.limited) else []
        else:
            pools = [(self.participants[c], [c]) for c in range(self.C) if self.limited[c]]
        for name, owners in pools:
            for kind in range(self.L):
                stored = sum(self.stored[c][kind][j] for c in owners for j in columns)
                room = sum(
                    self.facility_capacity[w]
                    for w in open_
                    if self.facility_participant[w] in owners and self.facility_kind[w] == kind
                )
                if stored > room * (1.0 + TOLERANCE):
                    found[12, name, self.kinds[kind]] = (stored, room)
        return found

    def best(self):
        """Least cost of all choices that keep all limits; infinite if there is none."""
        blocks = range(len(self.blocks))
        columns_of = [[j for j, i in enumerate(self.block) if i == block] for block in blocks]
        existing = {w for w in range(self.W) if self.facility_open[w]}
        others = [w for w in range(self.W) if w not in existing]
        sets = [
            existing.union(more)
            for number in range(len(others) + 1)
            for more in itertools.combinations(others, number)
        ]
        sets.sort(key=lambda open_: sum(self.facility_cost[w] for w in open_))
        best = math.inf
        for columns in itertools.product(*columns_of):
            if self.cost_of(columns, sets[0]) >= best or self.broken_by_columns(columns):
                continue
            for open_ in sets:
                if not self.broken_storage(columns, open_):
                    best = min(best, self.cost_of(columns, open_))
                    break
        return best
