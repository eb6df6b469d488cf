"""The selection model (9)-(18) in Pyomo: one function per equation, for reading.

Sets, parameters and variables are named as in section 6 of the formulation. Every scenario and
every column has its own rows, so the model is large; :mod:`stockpile.model.plan_arrays` states
the same with fewer rows, and tests hold the two to the same optimum.

Solvers judge rows by an absolute tolerance near 1e-6. In USD that is finer than the digits of a
budget, and they then miss optima and call feasible models infeasible. So money is in thousands,
millions or billions of USD, whichever makes the largest cost of a column a number from 1 to 1000.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from stockpile.projects import FAST, FUNDED, NOT_FUNDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.model.selection import Selection


def plan_reference(selection: Selection) -> pyo.ConcreteModel:
    """Return the selection model in Pyomo; money in units of ``money_usd``, storage in tonnes."""
    model = pyo.ConcreteModel(name="selection model, equations (9) to (18)")
    unit = money_unit(selection)
    model.money_usd = pyo.Param(initialize=unit)
    selection = in_units(selection, unit)
    add_sets(model, selection)
    add_data(model, selection)
    add_decisions(model, selection)
    add_cost(model)
    add_one_column_per_block(model)
    add_projects(model, selection)
    add_budgets(model, selection)
    add_storage(model, selection)
    add_joint_coverage(model)
    add_rules(model, selection)
    add_cost_shares(model)
    add_tail(model, selection)
    return model


def add_sets(model: pyo.ConcreteModel, selection: Selection) -> None:
    """Add the sets; columns j of all blocks stand for pairs of a block and a candidate."""
    model.PARTICIPANTS = pyo.Set(initialize=selection.participants)
    model.BLOCKS = pyo.Set(initialize=selection.blocks)
    model.COLUMNS = pyo.RangeSet(0, len(selection.block) - 1)
    model.RULES = pyo.Set(initialize=selection.rules)
    model.KINDS = pyo.Set(initialize=selection.kinds)
    model.FACILITIES = pyo.Set(initialize=selection.facilities)
    model.GROUPS = pyo.Set(initialize=selection.groups)
    model.PROJECTS = pyo.Set(initialize=selection.projects)
    model.CAPS = pyo.RangeSet(0, len(selection.caps) - 1)
    model.SCENARIOS = pyo.RangeSet(0, len(selection.probability) - 1)


def add_data(model: pyo.ConcreteModel, selection: Selection) -> None:
    """Add the parameters; :class:`~stockpile.model.selection.Selection` says what they mean."""
    C, J, W, S = model.PARTICIPANTS, model.COLUMNS, model.FACILITIES, model.SCENARIOS
    L, R, G = model.KINDS, model.RULES, model.GROUPS
    block = [selection.blocks[i] for i in selection.block]
    model.block = pyo.Param(J, initialize=dict(enumerate(block)), within=pyo.Any)
    add_parameter(model, "cost", selection.cost, J)
    add_parameter(model, "outlay", selection.outlay, C, J)
    add_parameter(model, "budget", selection.budget, C)
    add_parameter(model, "stored", selection.stored, C, L, J)
    add_parameter(model, "capacity", selection.facility_capacity, W)
    add_parameter(model, "fixed", selection.facility_cost, W)
    add_parameter(model, "p", selection.probability, S)
    add_parameter(model, "covered", selection.covered, G, S, J)
    add_parameter(model, "confidence", selection.confidence, G)
    add_parameter(model, "follows", selection.follows, C, R, J)
    add_parameter(model, "costshare", selection.cost_share, C, J)
    add_parameter(model, "standalone", selection.standalone, C)
    funded, extra = (FUNDED, NOT_FUNDED), (FAST, FUNDED)
    for name, (state, below) in {"funded": funded, "extra": extra}.items():
        allowed = selection.state_allowed[:, state]
        cost = selection.state_cost[:, state] - selection.state_cost[:, below]
        paid = selection.state_outlay[:, :, state] - selection.state_outlay[:, :, below]
        add_parameter(model, f"{name}_cost", np.where(allowed, cost, 0.0), model.PROJECTS)
        add_parameter(model, f"{name}_outlay", np.where(allowed, paid, 0.0), C, model.PROJECTS)
    add_parameter(model, "project_budget", selection.project_budget, C)
    add_parameter(model, "cap_use", selection.cap_use, model.CAPS, model.PROJECTS)


def add_decisions(model: pyo.ConcreteModel, selection: Selection) -> None:
    """Add the decisions: z[j], column j is used; y[w], facility w is open; P[p], F[p] of projects.

    P[p]: project p is funded; F[p]: its permit is fast-tracked.
    """
    model.z = pyo.Var(model.COLUMNS, within=pyo.Binary)
    model.y = pyo.Var(model.FACILITIES, within=pyo.Binary)
    for facility, exists in zip(selection.facilities, selection.facility_open, strict=True):
        if exists:
            model.y[facility].fix(1)
    model.P = pyo.Var(model.PROJECTS, within=pyo.Binary)
    model.F = pyo.Var(model.PROJECTS, within=pyo.Binary)
    matters = np.any(selection.state >= 0, axis=1).tolist()
    for project, of_blocks, allowed in zip(
        selection.projects, matters, selection.state_allowed, strict=True
    ):
        if not (of_blocks and allowed[FUNDED:].any()):
            model.P[project].fix(0)
        if not (of_blocks and allowed[FAST]):
            model.F[project].fix(0)


def add_cost(model: pyo.ConcreteModel) -> None:
    r"""Equation (9), yearly cost.

    .. math:: \min \sum_j cost_j\, z_j + \sum_w fixed_w\, y_w + \sum_p (annual_p P_p + fast_p F_p)
    """
    columns = sum(model.cost[j] * model.z[j] for j in model.COLUMNS)
    facilities = sum(model.fixed[w] * model.y[w] for w in model.FACILITIES)
    projects = sum(
        model.funded_cost[p] * model.P[p] + model.extra_cost[p] * model.F[p] for p in model.PROJECTS
    )
    model.eq9_cost = pyo.Objective(expr=columns + facilities + projects, sense=pyo.minimize)


def add_one_column_per_block(model: pyo.ConcreteModel) -> None:
    r"""Equation (10): each block uses exactly one column.

    .. math:: \sum_{j \in i} z_j = 1
    """

    def rule(model: pyo.ConcreteModel, i: str) -> Any:
        return sum(model.z[j] for j in columns_of(model, i)) == 1

    model.eq10_block = pyo.Constraint(model.BLOCKS, rule=rule)


def add_projects(model: pyo.ConcreteModel, selection: Selection) -> None:
    r"""Equation (14): blocks are simulated with the projects funded; budgets (11), caps (17).

    .. math:: \sum_{j \in i:\ state_{pj} \ge 1} z_j = P_p, \qquad
              \sum_{j \in i:\ state_{pj} = 2} z_j = F_p
    """
    state = dict(
        zip(
            itertools.product(model.PROJECTS, model.COLUMNS),
            selection.state.ravel().tolist(),
            strict=True,
        )
    )

    def users(p: str, i: str, reached: int) -> Any:
        return sum(model.z[j] for j in columns_of(model, i) if state[p, j] >= reached)

    def state_rule(model: pyo.ConcreteModel, reached: int, p: str, i: str) -> Any:
        if all(state[p, j] < 0 for j in columns_of(model, i)):
            return pyo.Constraint.Skip
        decision = model.P[p] if reached == FUNDED else model.F[p]
        return users(p, i, reached) == decision

    def paid(c: str) -> Any:
        return sum(
            model.funded_outlay[c, p] * model.P[p] + model.extra_outlay[c, p] * model.F[p]
            for p in model.PROJECTS
        )

    def budget_rule(model: pyo.ConcreteModel, c: str) -> Any:
        return at_most(paid(c), model.project_budget[c])

    def cap_rule(model: pyo.ConcreteModel, n: int) -> Any:
        supplied = sum(model.cap_use[n, p] * model.P[p] for p in model.PROJECTS)
        if not pyo.is_potentially_variable(supplied):
            return pyo.Constraint.Infeasible
        return supplied <= float(selection.cap_limit[n])

    model.eq14_project = pyo.Constraint(
        (FUNDED, FAST), model.PROJECTS, model.BLOCKS, rule=state_rule
    )
    model.eq11_projects = pyo.Constraint(model.PARTICIPANTS, rule=budget_rule)
    together = sum(paid(c) for c in model.PARTICIPANTS)
    model.eq11_joint_projects = pyo.Constraint(
        rule=at_most(together, selection.joint_project_budget)
    )
    model.eq17_cap = pyo.Constraint(model.CAPS, rule=cap_rule)


def add_budgets(model: pyo.ConcreteModel, selection: Selection) -> None:
    r"""Equation (11), outlays of each participant and of all together.

    .. math:: \sum_j outlay_{cj}\, z_j \le budget_c
    """

    def outlay(c: str) -> Any:
        return sum(model.outlay[c, j] * model.z[j] for j in model.COLUMNS)

    def rule(model: pyo.ConcreteModel, c: str) -> Any:
        return at_most(outlay(c), model.budget[c])

    model.eq11_budget = pyo.Constraint(model.PARTICIPANTS, rule=rule)
    together = sum(outlay(c) for c in model.PARTICIPANTS)
    model.eq11_joint_budget = pyo.Constraint(rule=at_most(together, selection.joint_budget))


def add_storage(model: pyo.ConcreteModel, selection: Selection) -> None:
    r"""Equation (12), storage [t] of each limited participant and kind, or of each kind in a pool.

    .. math:: \sum_j stored_{clj}\, z_j \le \sum_{w \in (c, l)} capacity_w\, y_w
    """
    places = zip(selection.facility_participant, selection.facility_kind, strict=True)
    place = {
        w: (selection.participants[c], selection.kinds[kind])
        for w, (c, kind) in zip(selection.facilities, places, strict=True)
    }
    limited = [
        c for c, limit in zip(selection.participants, selection.limited, strict=True) if limit
    ]

    def stored(c: str, kind: str) -> Any:
        return sum(model.stored[c, kind, j] * model.z[j] for j in model.COLUMNS)

    def room(c: str, kind: str) -> Any:
        at_c = [w for w in model.FACILITIES if place[w] == (c, kind)]
        return sum(model.capacity[w] * model.y[w] for w in at_c)

    def rule(model: pyo.ConcreteModel, c: str, kind: str) -> Any:
        return at_most(stored(c, kind) - room(c, kind), 0.0)

    def pool_rule(model: pyo.ConcreteModel, kind: str) -> Any:
        return at_most(sum(stored(c, kind) - room(c, kind) for c in model.PARTICIPANTS), 0.0)

    if not selection.pooled:
        model.eq12_storage = pyo.Constraint(limited, model.KINDS, rule=rule)
    elif limited:
        model.eq12_storage = pyo.Constraint(model.KINDS, rule=pool_rule)


def add_joint_coverage(model: pyo.ConcreteModel) -> None:
    r"""Equation (13): a group of materials is covered at once with its confidence.

    .. math:: full_{gs} \le \sum_{j \in i} covered_{gsj}\, z_j, \qquad
              \sum_s p_s\, full_{gs} \ge confidence_g
    """
    model.full = pyo.Var(model.GROUPS, model.SCENARIOS, within=pyo.UnitInterval)

    def covered_rule(model: pyo.ConcreteModel, g: str, s: int, i: str) -> Any:
        covering = [j for j in columns_of(model, i) if model.covered[g, s, j]]
        return model.full[g, s] <= sum(model.z[j] for j in covering)

    def confidence_rule(model: pyo.ConcreteModel, g: str) -> Any:
        return sum(model.p[s] * model.full[g, s] for s in model.SCENARIOS) >= model.confidence[g]

    model.eq13_covered = pyo.Constraint(
        model.GROUPS, model.SCENARIOS, model.BLOCKS, rule=covered_rule
    )
    model.eq13_confidence = pyo.Constraint(model.GROUPS, rule=confidence_rule)


def add_rules(model: pyo.ConcreteModel, selection: Selection) -> None:
    r"""Equation (15): at most N distinct rules in use per participant; w[c, r], rule r is in use.

    .. math:: z_j \le \sum_{r:\ follows_{crj}} w_{cr}, \qquad \sum_r w_{cr} \le N

    An owner that holds nothing in a column uses no rule there.
    """
    if selection.most_rules is None:
        return
    model.w = pyo.Var(model.PARTICIPANTS, model.RULES, within=pyo.Binary)

    def follow_rule(model: pyo.ConcreteModel, c: str, j: int) -> Any:
        followed = [r for r in model.RULES if model.follows[c, r, j]]
        if len(followed) == len(model.RULES):
            return pyo.Constraint.Skip
        return model.z[j] <= sum(model.w[c, r] for r in followed)

    def number_rule(model: pyo.ConcreteModel, c: str) -> Any:
        return sum(model.w[c, r] for r in model.RULES) <= selection.most_rules

    model.eq15_rule = pyo.Constraint(model.PARTICIPANTS, model.COLUMNS, rule=follow_rule)
    model.eq15_most_rules = pyo.Constraint(model.PARTICIPANTS, rule=number_rule)


def add_cost_shares(model: pyo.ConcreteModel) -> None:
    r"""Equation (16), yearly: nobody is worse off than alone.

    .. math:: \sum_j costshare_{cj}\, z_j \le standalone_c
    """

    def rule(model: pyo.ConcreteModel, c: str) -> Any:
        share = sum(model.costshare[c, j] * model.z[j] for j in model.COLUMNS)
        return at_most(share, model.standalone[c])

    model.eq16_cost_share = pyo.Constraint(model.PARTICIPANTS, rule=rule)


def add_tail(model: pyo.ConcreteModel, selection: Selection) -> None:
    r"""Equation (18), yearly: the mean shortage cost of the worst scenarios is limited (CVaR).

    .. math:: \eta + \sum_s p_s v_s / (1 - \alpha) \le limit, \qquad
              v_s \ge \sum_j shortage_{sj}\, z_j - \eta

    Shortage never brings money, so eta, a quantile of its cost, is not negative.
    """
    if math.isinf(selection.most_tail_cost):
        return
    add_parameter(model, "shortage", selection.shortage, model.SCENARIOS, model.COLUMNS)
    model.eta = pyo.Var(within=pyo.NonNegativeReals)
    model.v = pyo.Var(model.SCENARIOS, within=pyo.NonNegativeReals)

    def excess_rule(model: pyo.ConcreteModel, s: int) -> Any:
        total = sum(model.shortage[s, j] * model.z[j] for j in model.COLUMNS)
        return model.v[s] >= total - model.eta

    model.eq18_excess = pyo.Constraint(model.SCENARIOS, rule=excess_rule)
    excess = sum(model.p[s] * model.v[s] for s in model.SCENARIOS)
    model.eq18_tail = pyo.Constraint(
        expr=model.eta + excess / selection.tail <= selection.most_tail_cost
    )


def money_unit(selection: Selection) -> float:
    """Return the power of 1000 USD in which the largest cost of a column is from 1 to 1000."""
    largest = float(abs(selection.cost).max())
    return 1000.0 ** math.floor(math.log(largest, 1000.0)) if largest > 0.0 else 1.0


def in_units(selection: Selection, unit: float) -> Selection:
    """Return a selection with its money in units of so many USD."""
    return replace(
        selection,
        cost=selection.cost / unit,
        outlay=selection.outlay / unit,
        budget=selection.budget / unit,
        joint_budget=selection.joint_budget / unit,
        facility_cost=selection.facility_cost / unit,
        cost_share=selection.cost_share / unit,
        standalone=selection.standalone / unit,
        shortage=selection.shortage / unit,
        most_tail_cost=selection.most_tail_cost / unit,
        state_cost=selection.state_cost / unit,
        state_outlay=selection.state_outlay / unit,
        project_budget=selection.project_budget / unit,
        joint_project_budget=selection.joint_project_budget / unit,
    )


def add_parameter(
    model: pyo.ConcreteModel, name: str, values: NDArray[Any], *axes: Sequence[Any]
) -> None:
    """Add an array as a parameter over sets, in their order."""
    table = dict(zip(itertools.product(*axes), values.ravel().tolist(), strict=True))
    parameter = pyo.Param(*axes, initialize=table, within=pyo.Any)
    model.add_component(name, parameter)


def columns_of(model: pyo.ConcreteModel, i: str) -> list[int]:
    """Return the columns of a block."""
    return [j for j in model.COLUMNS if model.block[j] == i]


def at_most(amount: Any, limit: float) -> Any:
    """Return a row, or none where there is no limit or nothing to be limited."""
    if math.isinf(limit) or not pyo.is_potentially_variable(amount):
        return pyo.Constraint.Skip
    return amount <= limit
