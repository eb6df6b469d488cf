"""Order sheets of a nation that knows its partners' stocks, or holdings too, as bands only.

What a nation has to release this month depends on its partners' stocks: what they leave unserved
of their own needs, and what that leaves of its stock for lower classes. A release to a higher class
of a partner falls where the partner has more; one to a lower class may rise first. So orders are
worked out between the ends of all bands at once (:mod:`stockpile.desk.between`): whatever the
partner has in its bands, the order lies between the least and the most that are told. A month is a
period of the problem: a month, or a week.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.blocks import build_blocks
from stockpile.daily_use import days, yearly_use
from stockpile.desk.between import Ends, pieces, released_between
from stockpile.desk.continuations import continuations
from stockpile.desk.moments import current
from stockpile.desk.order_sheet import SIDE_ORDERS, OrderSheet
from stockpile.desk.orders import NOTHING, order_of
from stockpile.desk.situation import timeline
from stockpile.desk.state import check_state
from stockpile.errors import UsageError
from stockpile.needs import block_needs
from stockpile.parallel import Workers
from stockpile.periods import PERIODS
from stockpile.plan import Plan
from stockpile.plan_decisions import (
    agreed_projects,
    agreed_rules,
    known_place,
    plan_decisions,
    require_all,
    require_same,
)
from stockpile.problem import DAYS_PER_YEAR
from stockpile.redacted_plans import require_participant, shared_hash
from stockpile.redaction import BANDS, NO_STOCK, SOME_STOCK, band, band_names
from stockpile.result_tables import typed_table
from stockpile.simulate import candidate_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.desk.state import State
    from stockpile.instance import Instance
    from stockpile.needs import Needs
    from stockpile.problem import Problem
    from stockpile.redacted_plans import RedactedPlan

ROUNDING = 1e-12
"""Part by which the ends of bands are moved apart, so that no stock falls out by rounding."""


def redacted_state(state: State, instance: Instance, participant: str) -> State:
    """Return a state that may be shown to partners: stocks of a participant as bands.

    Raises
    ------
    UsageError
        If there is no such participant.
    """
    require_participant(instance, participant)
    use = yearly_use(instance)
    stocks = tuple(
        replace(
            row,
            stock_t=None,
            band=band(
                days(row.stock_t, use.get((row.participant, row.material), 0.0)), row.stock_t
            ),
            note="",
        )
        if row.participant == participant and row.stock_t is not None
        else row
        for row in state.stocks
    )
    return replace(state, stocks=stocks)


def band_ends(name: str, use_t_per_year: float) -> tuple[float, float]:
    """Return the least and the most that a stock in a band may be [t].

    The last band has no upper end, nor have bands of materials without use.
    """
    if name == NO_STOCK:
        return 0.0, 0.0
    if name == SOME_STOCK or use_t_per_year <= 0.0:
        return 0.0, np.inf
    place = band_names().index(name) - 1
    ends = [end * use_t_per_year / DAYS_PER_YEAR for end in (0.0, *BANDS, np.inf)]
    return ends[place] * (1.0 - ROUNDING), ends[place + 1] * (1.0 + ROUNDING)


def side_orders(
    instance: Instance,
    plan: Plan | RedactedPlan,
    state: State,
    participant: str,
    *,
    threads: int | None = None,
) -> OrderSheet:
    """Return the orders of one nation this month, at least and at most.

    What its partners have lies in their bands; wherever it lies, the orders are no less than the
    least and no more than the most. These may lie further apart than the orders can.

    Parameters
    ----------
    plan
        Its partners' holdings may be bands.
    state
        Its partners' stocks may be bands; its own are in tonnes.

    Returns
    -------
    OrderSheet
        Both amounts of an order are the same where nothing is a band.

    Raises
    ------
    UsageError
        If there is no such participant, its own stocks or holdings are bands, or there are to be
        no threads.
    ResultError
        If the plan was made from another instance, or there is none.
    InstanceError
        If the state cannot be one of the plan.
    """
    if threads is not None and threads < 1:
        raise UsageError(f"threads is {threads!r}; expected at least 1")
    if isinstance(plan, Plan):
        require_same(plan, instance)
    else:
        plan.require_same(instance)
    require_participant(instance, participant)
    check_state(state, instance, plan)
    _require_own(plan, state, participant)
    problem = timeline(instance, state, 1)
    known = _Known.of(instance, problem, plan, state)
    drawn = continuations(instance, problem, state, known.states, 1, 0)
    rows: list[dict[str, Any]] = []
    with Workers(threads) as workers:
        for block in build_blocks(problem):
            needs = block_needs(problem, block, drawn, workers, known.states)
            rows += known.orders(block, needs.since(problem.horizon - 1), participant)
    period = PERIODS[instance.period]
    return OrderSheet(
        instance_name=instance.name,
        shared_hash=shared_hash(instance),
        cooperation=plan.cooperation,
        participant=participant,
        period=period.name,
        month=current(state, period),
        date=state.date,
        title=state.title,
        left_in_bands=tuple(sorted({row.participant for row in state.stocks if row.band})),
        agreed_in_bands=() if isinstance(plan, Plan) else (plan.participant,),
        orders=typed_table(SIDE_ORDERS, rows),
    )


def _require_own(plan: Plan | RedactedPlan, state: State, participant: str) -> None:
    """Raise `UsageError` if a nation does not know what it has itself."""
    hidden = [row.material for row in state.stocks if row.participant == participant and row.band]
    if hidden:
        raise UsageError(
            f"the stocks of {participant} are bands in this state ({', '.join(hidden[:3])}); "
            "its own orders need them in tonnes"
        )
    if not isinstance(plan, Plan) and plan.participant == participant:
        raise UsageError(
            f"what {participant} is agreed to hold are bands in this result; its own orders need "
            "the result in tonnes, or one that hides its partner's holdings"
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a plan and of the stocks of the day.

    Attributes
    ----------
    problem
        The problem.
    agreed, left
        (C, M) what is agreed to be held, and what is there [t].
    full
        (C, M) whether nothing is said of a stock: then what is agreed is there.
    rules, states
        (C, M) rules of the plan, and (N,) states of its projects.
    sharing
        Whether partners may release to each other.
    """

    problem: Problem
    agreed: Ends
    left: Ends
    full: NDArray[np.bool_]
    rules: NDArray[np.int64]
    states: NDArray[np.int64]
    sharing: bool

    @staticmethod
    def of(instance: Instance, problem: Problem, plan: Plan | RedactedPlan, state: State) -> _Known:
        """Read the tonnes and the bands of a plan and a state."""
        use = yearly_use(instance)
        if isinstance(plan, Plan):
            lots, rules, states = plan_decisions(problem, plan)
            agreed = Ends.exactly(lots * problem.lot)
        else:
            agreed = _agreed(problem, plan, use)
            rules, states = agreed_rules(problem, plan), agreed_projects(problem, plan)
        left = Ends(agreed.least.copy(), agreed.most.copy())
        full = np.ones(agreed.least.shape, dtype=np.bool_)
        for row in state.stocks:
            c = problem.participants.index(row.participant)
            m = problem.materials.index(row.material)
            if row.band is None:
                left.least[c, m] = left.most[c, m] = row.stock_t
            else:
                used = use.get((row.participant, row.material), 0.0)
                left.least[c, m], left.most[c, m] = band_ends(row.band, used)
            full[c, m] = False
        return _Known(problem, agreed, left, full, rules, states, plan.cooperation != "none")

    def orders(self, block: Block, needs: Needs, participant: str) -> list[dict[str, Any]]:
        """Return the orders of a participant this month of a block's stocks."""
        month = np.flatnonzero(needs.month == self.problem.horizon - 1)
        if not month.size:
            return []
        steps = block.steps if self.sharing else block.own_steps
        c, m = block.market_participant, block.market_material
        rules = self.rules[:, block.materials[0]]
        terms = candidate_terms(
            self.problem.menu, steps, np.zeros((block.num_stocks, 1)), rules[:, None]
        )
        stocks = pieces(self._of(self.agreed, c, m), self._of(self.left, c, m), self.full[c, m])
        released = released_between(terms, needs, int(month[0]), stocks)
        own = self.problem.participants.index(participant)
        return [
            {
                **order_of(self.problem, block, steps, rules, j),
                "taken_least_t": float(released.least[j].min() / steps.yield_[j]),
                "taken_most_t": float(released.most[j].max() / steps.yield_[j]),
            }
            for j in np.flatnonzero(steps.owner == own).tolist()
            if released.most[j].max() > NOTHING
        ]

    @staticmethod
    def _of(ends: Ends, c: NDArray[np.int64], m: NDArray[np.int64]) -> Ends:
        return Ends(ends.least[c, m], ends.most[c, m])


def _agreed(problem: Problem, plan: RedactedPlan, use: dict[tuple[str, str], float]) -> Ends:
    """Return what is agreed to be held, (C, M) [t]: whole lots, or the ends of a band."""
    shape = (len(problem.participants), len(problem.materials))
    found = Ends(np.full(shape, np.nan), np.full(shape, np.nan))

    def at(key: tuple[str, str]) -> tuple[int, int]:
        return (
            known_place(key[0], problem.participants, "participants"),
            known_place(key[1], problem.materials, "materials"),
        )

    for key, tonnes in plan.held_t.items():
        place = at(key)
        lot = float(problem.lot[place[1]])
        found.least[place] = found.most[place] = round(tonnes / lot) * lot
    for key, name in plan.held_in_band.items():
        place = at(key)
        found.least[place], found.most[place] = band_ends(name, use.get(key, 0.0))
    require_all(problem, np.isfinite(found.least))
    return found
