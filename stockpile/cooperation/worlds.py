"""The plans that a comparison stands on, all solved on the same scenarios within one time limit.

The worlds ``none``, ``sharing`` and ``joint``; with more than two participants the world
``sharing`` of every smaller group; and the agreed plan once more with floors.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.blocks import build_blocks
from stockpile.couplings import build_couplings
from stockpile.decisions import decisions
from stockpile.solver import gap_alone, solve_world
from stockpile.tables import COOPERATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.plan import Plan
    from stockpile.problem import Cooperation, JointGroup, Promise
    from stockpile.progress import Progress
    from stockpile.setting import Setting


class Worlds:
    """Solves one plan after the other; what one leaves of its time goes to those after it.

    Parameters
    ----------
    setting
        Instance and scenarios.
    gap
        Relative gap to prove for every plan.
    deadline
        Moment at which the last plan has to be there; infinite for none.
    more
        Plans that may be asked for after the three worlds.
    """

    def __init__(self, setting: Setting, gap: float, deadline: float, more: int) -> None:
        self._setting = setting
        self._gap = gap
        self._deadline = deadline
        self._one_limit = _same_limits(setting)
        self._left = len(COOPERATIONS) - self._one_limit + more

    def three(self) -> dict[str, Plan]:
        """Return the plans of the worlds ``none``, ``sharing`` and ``joint``.

        Where ``joint`` has the same limits as ``sharing`` it has the same plan.
        """
        setting = self._setting
        # What nobody may pay more than has to be as sharp as in a solve of its own.
        exact = setting.instance.agreement.nobody_worse_off
        gap = gap_alone(setting.problem, self._gap) if exact else self._gap
        alone = self._plan(setting, "none", "alone", gap)
        sharing = self._plan(setting, "sharing", "sharing", self._gap, alone)
        if self._one_limit:
            joint = replace(sharing, cooperation="joint")
        else:
            joint = self._plan(setting, "joint", "joint", self._gap, alone)
        return {"none": alone, "sharing": sharing, "joint": joint}

    def groups(self, alone: Plan) -> dict[frozenset[str], Plan]:
        """Return the plan of every group of two or more participants, but not of all.

        Only members ship to each other. The others hold what they hold alone, so what they pay is
        no matter of the group.
        """
        names = self._setting.problem.participants
        plans: dict[frozenset[str], Plan] = {}
        for size in range(2, len(names)):
            for members in itertools.combinations(range(len(names)), size):
                if self._setting.interrupt.raised:
                    return plans
                label = "+".join(names[c] for c in members)
                setting = _among(self._setting, members, alone)
                plan = self._plan(setting, "sharing", label, self._gap, alone)
                plans[frozenset(names[c] for c in members)] = plan
        return plans

    def with_floors(
        self,
        world: Cooperation,
        alone: Plan,
        promises: Sequence[Promise],
        groups: Sequence[JointGroup],
    ) -> Plan:
        """Return the plan of a world in which some promises hold without partners as well."""
        problem = self._setting.problem
        floored = replace(
            problem,
            promises=(*problem.promises, *(replace(item, floor=True) for item in promises)),
            groups=(*problem.groups, *(replace(item, floor=True) for item in groups)),
        )
        setting = replace(self._setting, problem=floored)
        return self._plan(setting, world, "floors", self._gap, alone)

    def _plan(
        self,
        setting: Setting,
        world: Cooperation,
        label: str,
        gap: float,
        alone: Plan | None = None,
    ) -> Plan:
        """Solve the next plan in an equal part of the time that is left."""
        now = time.monotonic()
        deadline = now + (self._deadline - now) / max(self._left, 1)
        self._left -= 1

        def tell(progress: Progress) -> None:
            self._setting.report(replace(progress, block=f"{label}, {progress.block}"))

        return solve_world(
            replace(setting, report=tell),
            world,
            gap=gap,
            deadline=deadline,
            start=setting.seconds(),
            alone=alone,
        )


def _same_limits(setting: Setting) -> bool:
    """Say whether ``sharing`` and ``joint`` differ in nothing: no stores, the same budgets."""
    own = build_couplings(setting.instance, setting.problem, "sharing", setting.scenarios)
    joint = build_couplings(setting.instance, setting.problem, "joint", setting.scenarios)
    return (
        not own.facilities.names
        and own.joint_budget == joint.joint_budget
        and np.array_equal(own.budget, joint.budget)
        and own.projects.joint_budget == joint.projects.joint_budget
        and np.array_equal(own.projects.budget, joint.projects.budget)
    )


def _among(setting: Setting, members: Sequence[int], alone: Plan) -> Setting:
    """Return the setting in which only members ship, and the others hold what they hold alone."""
    problem = setting.problem
    inside = np.isin(np.arange(len(problem.participants)), members)
    lots, _ = decisions(problem, alone)
    changed = replace(
        problem,
        transfer_lag=np.where(inside[:, None] & inside, problem.transfer_lag, -1),
        lots_min=np.where(inside[:, None], problem.lots_min, lots),
        lots_max=np.where(inside[:, None], problem.lots_max, lots),
    )
    return replace(setting, problem=changed, blocks=build_blocks(changed))
