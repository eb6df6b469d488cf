"""Variants of a block: which of the projects that matter to it are online (14).

Needs depend on the plan through nothing but the projects funded. So a block has one set of needs
for every combination of their states, its *variants*, and a candidate names one of them besides
lots and rules.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.errors import UsageError
from stockpile.projects import FAST, FUNDED, NOT_FUNDED, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet

MOST_VARIANTS = 2_187
"""Combinations of project states that a block may have: seven projects with fast tracks."""


@dataclass(frozen=True, slots=True)
class Variants:
    """The variants of one block, V of them.

    Attributes
    ----------
    projects
        (n,) indices of the projects that matter to the block.
    states
        (V, n) their states in each variant.
    """

    projects: NDArray[np.int64]
    states: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Return the number of variants V."""
        return len(self.states)

    def all_states(self, variant: int, projects: int) -> NDArray[np.int64]:
        """Return the states of all projects (N,) in a variant; others are not funded."""
        states = np.zeros(projects, dtype=np.int64)
        states[self.projects] = self.states[variant]
        return states

    def of(self, states: NDArray[np.int64]) -> int:
        """Return the variant in which all projects are in given states (N,)."""
        same = (self.states == states[self.projects]).all(axis=1)
        return int(np.flatnonzero(same)[0])

    def within(self, states: NDArray[np.bool_]) -> Variants:
        """Return the variants in which projects are in states (N, 3) that they may be in."""
        return Variants(self.projects, self.states[self.allowed(states)])

    def allowed(self, states: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say in which variants every project is in a state that it may be in, (V,).

        Parameters
        ----------
        states
            (N, 3) states that each project may be in.
        """
        places = np.arange(self.projects.size)
        return np.asarray(states[self.projects][places, self.states].all(axis=1))


def only(states: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return that projects may be in given states (N,) and no others, (N, 3)."""
    return np.asarray(states[:, None] == np.arange(STATES))


def block_variants(problem: Problem, block: Block, scenarios: Sequence[ScenarioSet]) -> Variants:
    """Return the variants of a block.

    A project matters to the block if it adds to the supply of one of its markets, or if an event
    of some scenario that hits one of them answers it; to a part of a block as to the whole.

    Raises
    ------
    UsageError
        If so many projects matter that their combinations are too many.
    """
    projects = problem.projects
    whole = block if block.part_of is None else block.part_of
    c, m = whole.market_participant, whole.market_material
    matters = np.asarray((projects.supply[:, c, m] > 0.0).any(axis=1))
    for drawn in scenarios:
        hits = (drawn.materials[:, m] & drawn.targets[:, c]).any(axis=1) & (drawn.answers >= 0)
        matters[drawn.answers[hits]] = True
    chosen = np.flatnonzero(matters)
    options = [
        [NOT_FUNDED, FUNDED, *([FAST] if np.isfinite(projects.fast_cost[n]) else [])]
        for n in chosen
    ]
    count = int(np.prod([len(states) for states in options], dtype=np.float64))
    if count > MOST_VARIANTS:
        raise UsageError(
            f"{chosen.size} projects matter to {block.name}: {count:,} combinations of their "
            f"states; at most {MOST_VARIANTS:,} can be searched.\n  Leave out rows of "
            "projects.csv, or fast tracks."
        )
    states = np.array(list(itertools.product(*options)), dtype=np.int64)
    return Variants(chosen, states.reshape(count, chosen.size))
