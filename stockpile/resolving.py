"""Solving an instance again and again with other promises or budgets, on the same scenarios."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.arguments import gap_and_world
from stockpile.blocks import build_blocks
from stockpile.check import ROUNDING
from stockpile.decisions import chosen, project_states
from stockpile.errors import CheckError
from stockpile.limits import group_coverage
from stockpile.problem import LEVEL_TOLERANCE, build_problem
from stockpile.progress import Progress
from stockpile.setting import Setting, prepared
from stockpile.solver import solve_world
from stockpile.variants import only

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from stockpile.blocks import Block
    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.problem import Cooperation, Problem
    from stockpile.running import Running


@dataclass(frozen=True, slots=True)
class Resolver:
    """Solves an instance and changed ones, each to the same gap and within the same time.

    Attributes
    ----------
    setting
        The instance made ready; its scenarios serve all.
    world
        ``none``, ``sharing`` or ``joint``.
    gap
        Relative gap to prove.
    time_limit
        Seconds for each solve; None for no limit.
    """

    setting: Setting
    world: Cooperation
    gap: float
    time_limit: float | None

    @property
    def monotone(self) -> bool:
        """Return whether asking for more never makes a plan cheaper.

        It does not hold for (16): who promises more bears more alone, and so may be asked for
        more in a plan with partners.
        """
        return self.world == "none" or not self.setting.instance.agreement.nobody_worse_off

    @property
    def stopped(self) -> bool:
        """Return whether the user has asked to stop."""
        return self.setting.interrupt.raised

    def tell(self, title: str, number: int, total: int) -> None:
        """Report that something is looked at, the next one after ``number`` of ``total``."""
        nothing, seconds = math.nan, self.setting.seconds()
        self.setting.report(Progress(title, number, total, nothing, nothing, nothing, seconds))

    def keeps(self, instance: Instance, plan: Plan, materials: Collection[str]) -> bool:
        """Say whether a plan of the setting's instance keeps the promises of a changed one.

        Parameters
        ----------
        instance
            It differs from the setting's in promises about some materials only.
        materials
            These; others are not looked at.
        """
        setting = self._changed(instance, materials, self.setting.report)
        problem, sharing = setting.problem, self.world != "none"
        parts = list(chosen(problem, setting.blocks, plan))
        states = only(project_states(problem, plan))
        evaluators = [
            setting.evaluator(block, sharing=sharing, states=states) for block, _, _ in parts
        ]
        lots, rule = [part[1] for part in parts], [part[2] for part in parts]
        for evaluator, own_lots, own_rule in zip(evaluators, lots, rule, strict=True):
            if not evaluator.judge(own_lots, own_rule).met.all():
                return False
        tolerance = LEVEL_TOLERANCE + setting.scenarios.rounded_away
        whole = {m for block in setting.blocks for m in block.materials}
        return all(
            group_coverage(problem, group, evaluators, setting.scenarios, lots, rule)
            >= group.confidence - tolerance
            for group in problem.groups
            if group.materials <= whole  # The others are as they were.
        )

    def plan(
        self,
        instance: Instance,
        title: str,
        number: int,
        total: int,
        materials: Collection[str] | None = None,
    ) -> Plan:
        """Solve an instance that differs from the setting's in promises and budgets only.

        Parameters
        ----------
        title, number, total
            For the progress: what is solved, and how many of how many have been solved before.
        materials
            Plan these alone, where nothing joins the materials; None for all.
        """

        def report(progress: Progress) -> None:
            self.setting.report(replace(progress, block=title, done=number, total=total))

        setting = self._changed(instance, materials, report)
        limit = np.inf if self.time_limit is None else self.time_limit
        return solve_world(
            setting,
            self.world,
            gap=self.gap,
            deadline=time.monotonic() + limit,
            start=setting.seconds(),
        )

    def _changed(
        self,
        instance: Instance,
        materials: Collection[str] | None,
        report: Callable[[Progress], None],
    ) -> Setting:
        """Return the setting of a changed instance, with the same scenarios."""
        problem = build_problem(instance)
        blocks = build_blocks(problem)
        if materials is not None:
            blocks = blocks_with(problem, blocks, materials)
        return replace(
            self.setting, instance=instance, problem=problem, blocks=blocks, report=report
        )


def blocks_with(
    problem: Problem, blocks: Sequence[Block], materials: Collection[str]
) -> tuple[Block, ...]:
    """Return the blocks that hold any of some materials."""
    return tuple(
        block for block in blocks if any(problem.materials[m] in materials for m in block.materials)
    )


@contextmanager
def resolver(
    instance: Instance,
    running: Running,
    *,
    gap: float | None,
    time_limit: float | None,
    cooperation: str | None,
) -> Iterator[Resolver]:
    """Make an instance ready to be solved many times; arguments as in :func:`stockpile.solve`.

    Raises
    ------
    UsageError
        If an argument is out of range.
    NotBuiltError
        If the instance uses what is not built yet.
    """
    gap, world = gap_and_world(
        instance,
        running,
        gap=gap,
        time_limit=time_limit,
        cooperation=cooperation,
    )
    with prepared(
        instance,
        running,
    ) as setting:
        yield Resolver(setting, world, gap, time_limit)


def require_order(name: str, bound: float, cost: float) -> None:
    """Refuse a bound of one solve that is above the cost of a plan of another.

    Raises
    ------
    CheckError
        If it is, by more than rounding: a bug, never the user's mistake.
    """
    if np.isfinite(cost) and bound > cost + ROUNDING * max(abs(cost), 1.0):
        raise CheckError(f"{name}: a plan costs {cost!r}, but {bound!r} was proved to be least")
