"""Random data of the selection model, few enough columns to look at every choice.

:func:`tail_mean` and :func:`fewest_rules` are plain Python, independent of the package.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from stockpile.model.selection import Selection

LIMITS = (
    "budget",
    "joint_budget",
    "storage",
    "pool",
    "coverage",
    "rules",
    "cost_share",
    "tail",
    "projects",
)
"""What can limit a selection, by the names that :func:`random_selection` takes."""


def random_selection(
    seed: int, limits: frozenset[str], *, unit: float = 1.0, most_choices: int = 2000
) -> Selection:
    """Return a random selection, limited in the named ways.

    Limits are set by what a random choice uses: exactly that, or more, and in a part of the
    selections less, so that they may be out of reach.

    Parameters
    ----------
    unit
        USD by which all money is multiplied.
    most_choices
        Most combinations of columns.
    """
    rng = np.random.default_rng([seed, *(LIMITS.index(name) for name in sorted(limits))])
    factors = [1.0, 1.0, 1.2, 1.5] if rng.random() < 0.7 else [1.0, 1.2, 0.9, 0.7]

    def limit(name, amount):
        """Return limits near an amount, infinite where there is none of that name."""
        amount = np.asarray(amount, dtype=np.float64)
        near = amount * rng.choice(factors, size=amount.shape)
        return near if name in limits else np.full(amount.shape, np.inf)

    C, L, R, G = (int(n) for n in rng.integers([1, 1, 2, 1], [4, 3, 6, 3]))
    block = _blocks(rng, most_choices)
    num_blocks, J, S = int(block.max()) + 1, block.size, int(rng.integers(1, 13))
    example = np.array([rng.choice(np.flatnonzero(block == i)) for i in range(num_blocks)])
    probability = rng.dirichlet(np.full(S, rng.choice([0.5, 5.0])))

    held = rng.integers(0, 8, size=(C, J)) * (rng.random((C, J)) < 0.8)
    outlay = unit * held * rng.integers(1, 20, size=num_blocks)[block]
    stored = np.zeros((C, L, J))
    stored[:, rng.integers(0, L, size=num_blocks)[block], np.arange(J)] = 0.1 * held
    where, kind, capacity = _facilities(rng, stored[:, :, example].sum(axis=2))
    limited = rng.random(C) < (0.8 if "storage" in limits else float("pool" in limits))

    follows = (rng.integers(0, R, size=(C, R, J)) == 0) | (held == 0)[:, None, :]
    own = rng.integers(0, R, size=(C, J))
    follows[np.arange(C)[:, None], own, np.arange(J)] = True
    used = max(fewest_rules(follows[c][:, example].T.tolist()) for c in range(C))

    member = rng.random((G, num_blocks)) < 0.6
    covered = (rng.random((G, S, J)) < 0.7) | ~member[:, block][:, None, :]
    covered |= (rng.random((G, S)) < 0.3)[:, :, None]  # Some scenarios are calm.
    reached = covered[:, :, example].all(axis=2) @ probability
    if "coverage" not in limits:
        covered, reached = covered[:0], reached[:0]

    cost_share = unit * rng.uniform(5.0, 50.0, size=(C, J))
    shortage = unit * rng.integers(0, 50, size=(S, J)) * (rng.random((S, J)) < 0.5)
    tail = float(rng.choice([0.05, 0.2, 0.5, 1.0]))
    mean = tail_mean(shortage[:, example].sum(axis=1).tolist(), probability.tolist(), tail)
    return Selection(
        participants=("united states", "japan", "eu-27")[:C],
        blocks=tuple(f"material {i}" for i in range(num_blocks)),
        rules=tuple(f"rule {r}" for r in range(R)),
        kinds=("dry", "inert gas")[:L],
        facilities=tuple(f"store {w}" for w in range(where.size)),
        groups=("magnets+motors", "chips")[: len(covered)],
        block=block,
        cost=unit * rng.uniform(10.0, 100.0, size=J),
        outlay=outlay,
        budget=limit("budget", outlay[:, example].sum(axis=1)),
        joint_budget=float(limit("joint_budget", outlay[:, example].sum())),
        stored=stored,
        limited=limited,
        pooled="pool" in limits,
        facility_participant=where,
        facility_kind=kind,
        facility_capacity=capacity,
        facility_cost=unit * rng.integers(0, 40, size=where.size).astype(np.float64),
        facility_open=rng.random(where.size) < 0.3,
        follows=follows,
        most_rules=max(1, used - int(rng.random() < 0.2)) if "rules" in limits else None,
        probability=probability,
        covered=covered,
        confidence=np.minimum(reached * rng.choice([1.0, 0.8, 1.1], size=reached.shape), 1.0),
        cost_share=cost_share,
        standalone=limit("cost_share", cost_share[:, example].sum(axis=1)),
        shortage=shortage if "tail" in limits else shortage[:0],
        tail=tail,
        most_tail_cost=float(limit("tail", mean)),
        **_projects(rng, block, example, C, unit, factors, there="projects" in limits),
    )


def tail_mean(costs, probability, tail):
    """Mean of the largest costs that together have probability ``tail``."""
    left, total = tail, 0.0
    for cost, p in sorted(zip(costs, probability, strict=True), reverse=True):
        part = min(p, left)
        total += part * cost
        left -= part
    return total / tail


def fewest_rules(patterns):
    """Size of the smallest set of rules that hits every pattern, but for patterns of all rules."""
    needed = [pattern for pattern in patterns if not all(pattern)]
    for number in range(len(patterns[0]) + 1):
        for rules in itertools.combinations(range(len(patterns[0])), number):
            if all(any(pattern[r] for r in rules) for pattern in needed):
                return number
    return math.inf


def _blocks(rng, most_choices):
    """Block of each column: 2 to 6 blocks of 3 to 12 columns, in any order."""
    sizes = rng.integers(3, 13, size=rng.integers(2, 7)).tolist()
    while math.prod(sizes) > most_choices:
        sizes[sizes.index(max(sizes))] -= 1
    return rng.permutation(np.repeat(np.arange(len(sizes)), sizes))


def _facilities(rng, stored):
    """Facilities about large enough for what is stored (C, L): places c, kinds l, capacities."""
    places = [place for place in np.ndindex(*stored.shape) if rng.random() < 0.9]
    extra = rng.integers(0, 3) if places else 0
    places += [places[n] for n in rng.integers(0, max(len(places), 1), size=extra)]
    where, kind = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return where, kind, np.ceil(10.0 * stored[where, kind] * rng.choice([0.5, 1.0, 1.3])) / 10.0


def _projects(rng, block, example, C, unit, factors, *, there):
    """Up to 3 projects that the example agrees on, with costs, budgets and caps; none if not there.

    Some matter to no block, some have no fast track; some columns stand in a state that is not
    allowed. Budgets and caps are near what the example takes.
    """
    N = int(rng.integers(1, 4)) if there else 0
    allowed = np.ones((N, 3), dtype=np.bool_)
    allowed[:, 2] = rng.random(N) < 0.7
    allowed[:, 1] = allowed[:, 2] | (rng.random(N) < 0.8)
    agreed = np.array([rng.choice(np.flatnonzero(row)) for row in allowed], dtype=np.int64)
    matters = rng.random((N, int(block.max()) + 1)) < 0.6
    agreed[~matters.any(axis=1)] = 0
    state = rng.integers(0, 3, size=(N, block.size))
    state[:, example] = agreed[:, None]
    state[~matters[:, block]] = -1

    def in_states(shape, most):
        """Return nothing, an amount, and that with a fast track, along a last axis."""
        return np.cumsum(rng.integers(0, most, size=(*shape, 3)) * [0, 1, 1], axis=-1)

    outlay = unit * in_states((C, N), 20).astype(np.float64)
    paid = outlay[:, np.arange(N), agreed].sum(axis=1)
    budget = paid * rng.choice(factors, size=C)
    budget[rng.random(C) < 0.3] = np.inf
    joint = float(paid.sum() * rng.choice(factors)) if there and rng.random() < 0.7 else np.inf
    caps = int(rng.integers(0, 3)) if there else 0
    use = rng.integers(-9, 10, size=(caps, N)).astype(np.float64)
    spare = np.abs(use).sum(axis=1) * (rng.choice(factors, size=caps) - 1.0)
    return {
        "projects": tuple(f"project {n}" for n in range(N)),
        "state": state,
        "state_allowed": allowed,
        "state_cost": unit * in_states((N,), 40).astype(np.float64),
        "state_outlay": outlay,
        "project_budget": budget if there else np.full(C, np.inf),
        "joint_project_budget": joint,
        "caps": tuple(f"source {n}" for n in range(caps)),
        "cap_use": use,
        "cap_limit": use @ (agreed > 0).astype(np.float64) + spare,
    }
