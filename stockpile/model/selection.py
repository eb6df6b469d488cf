"""The data of the mixed-integer model (9)-(18): given candidates, choose one per block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Selection:
    """Candidates (columns) j of all blocks, and the limits that join them; plain arrays.

    What does not limit is infinite, or None, or has no rows. In the world ``joint`` the single
    budget stands in ``joint_budget`` and the pool of storage in ``pooled``.

    Attributes
    ----------
    participants, blocks, rules, kinds, facilities, groups, projects
        Names along the axes C, B, R, L, W, G and N below.
    block
        (J,) block of each column; every block has at least one.
    cost
        (J,) annual cost (7) [USD/year].
    outlay
        (C, J) acquisition outlay (8) [USD].
    budget
        (C,) most outlay of each participant [USD]; infinite where there is no limit.
    joint_budget
        Most outlay of all together [USD]; infinite where there is no limit.
    stored
        (C, L, J) tonnes of each storage kind held [t].
    limited
        (C,) whether a participant's storage is limited to its facilities; in a pool all or none.
    pooled
        Whether all facilities are one pool.
    facility_participant, facility_kind
        (W,) where a facility stands (index c) and what it stores (index l).
    facility_capacity, facility_cost
        (W,) [t], and fixed cost while open [USD/year].
    facility_open
        (W,) whether it exists already, and so is open in any case.
    follows
        (C, R, J) whether owner c follows a rule in column j that acts as rule r does; all True
        where it holds nothing and so uses none.
    most_rules
        Most distinct rules in use per participant; None where there is no limit.
    probability
        (S,) p_s of the scenarios.
    covered
        (G, S, J) whether the column keeps its part of a joint chance group in a scenario; True
        for blocks that are not in the group.
    confidence
        (G,) least probability that a whole group is covered.
    cost_share
        (C, J) what the column costs participant c: own holding, own shortage, shipping and
        conversion of what it receives [USD/year].
    standalone
        (C,) most that a participant may bear [USD/year]; infinite where there is no limit.
    shortage
        (S, J) shortage cost in each scenario [USD/year]; no rows where there is no limit (18).
    tail
        1 - alpha of (18), the probability of the tail.
    most_tail_cost
        Limit of (18) [USD/year]; infinite where there is none.
    state
        (N, J) state of a project in which a column was simulated: 0 not funded, 1 funded, 2 with
        a fast track; -1 where the project does not matter to its block (14). A project that
        matters to no block is not funded.
    state_allowed, state_cost
        (N, 3) whether a project may be in a state, and what that costs [USD/year] (9).
    state_outlay
        (C, N, 3) what each participant pays for it at once [USD].
    project_budget
        (C,) most that each may pay for projects [USD]; infinite where there is no limit.
    joint_project_budget
        Most that all together may pay for them [USD]; infinite where there is no limit.
    caps
        Names of the limits on what one source supplies (17).
    cap_use
        (caps, N) what a funded project adds to what the source supplies, less what it adds to its
        share of all supply [t/month].
    cap_limit
        (caps,) most that this may be [t/month].
    """

    participants: tuple[str, ...]
    blocks: tuple[str, ...]
    rules: tuple[str, ...]
    kinds: tuple[str, ...]
    facilities: tuple[str, ...]
    groups: tuple[str, ...]
    projects: tuple[str, ...]
    block: NDArray[np.int64]
    cost: NDArray[np.float64]
    outlay: NDArray[np.float64]
    budget: NDArray[np.float64]
    joint_budget: float
    stored: NDArray[np.float64]
    limited: NDArray[np.bool_]
    pooled: bool
    facility_participant: NDArray[np.int64]
    facility_kind: NDArray[np.int64]
    facility_capacity: NDArray[np.float64]
    facility_cost: NDArray[np.float64]
    facility_open: NDArray[np.bool_]
    follows: NDArray[np.bool_]
    most_rules: int | None
    probability: NDArray[np.float64]
    covered: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    cost_share: NDArray[np.float64]
    standalone: NDArray[np.float64]
    shortage: NDArray[np.float64]
    tail: float
    most_tail_cost: float
    state: NDArray[np.int64]
    state_allowed: NDArray[np.bool_]
    state_cost: NDArray[np.float64]
    state_outlay: NDArray[np.float64]
    project_budget: NDArray[np.float64]
    joint_project_budget: float
    caps: tuple[str, ...]
    cap_use: NDArray[np.float64]
    cap_limit: NDArray[np.float64]
