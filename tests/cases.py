"""Random blocks, needs and candidates for tests of the simulation, made without any instance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stockpile.blocks import Block, Steps
from stockpile.needs import Needs
from stockpile.pools import Pools
from stockpile.rules import Rule, RuleMenu, StreamRule, rule_menu


@dataclass(frozen=True)
class Case:
    """A block with its needs, some rules, and P candidates."""

    block: Block
    needs: Needs
    menu: RuleMenu
    holding: np.ndarray  # (I, P)
    rule: np.ndarray  # (C, P)
    refill: np.ndarray  # (I,)
    horizon: int

    def with_holding(self, holding: np.ndarray) -> Case:
        return replace(self, holding=holding)


def compress(need, loss, age, blocked, probability) -> Needs:
    """Compress dense (S, T, ...) arrays, in the plainest way."""
    months, first, scenario, calm = [], [0], [], []
    for s in range(need.shape[0]):
        last = None
        for t in range(need.shape[1]):
            if need[s, t].any():
                months.append((s, t))
                calm.append(0 if last is None else t - last - 1)
                last = t
        if last is not None:
            scenario.append(s)
            first.append(len(months))
    pick = tuple(np.array(months, dtype=int).reshape(-1, 2).T)
    scenario = np.array(scenario, dtype=np.int64)
    return Needs(
        scenario=scenario,
        probability=np.asarray(probability, dtype=float)[scenario],
        first=np.array(first, dtype=np.int64),
        month=pick[1].astype(np.int32),
        calm=np.array(calm, dtype=np.int32),
        need=np.ascontiguousarray(need[pick], dtype=float),
        loss=np.ascontiguousarray(loss[pick], dtype=float),
        age=np.ascontiguousarray(age[pick], dtype=np.int32),
        blocked=np.ascontiguousarray(blocked[pick]),
        total=need[scenario].sum(axis=1),
        expected=np.asarray(probability, dtype=float) @ need.sum(axis=1),
    )


def random_rule(rng: np.random.Generator, name: str, num_classes: int) -> Rule:
    relations = []
    for _ in range(2):
        of_relation = []
        for _ in range(num_classes):
            starts = sorted(rng.choice(6, size=rng.integers(0, 3), replace=False).tolist())
            rows = tuple(
                StreamRule(
                    int(start),
                    float(rng.choice([0.0, 0.25, 0.5, 1.0, rng.random()])),
                    float(rng.choice([1.0, 0.1, 1.0 - rng.random()])),
                    float(rng.choice([0.0, 0.3, 0.9 * rng.random()])),
                )
                for start in starts
            )
            of_relation.append(rows)
        relations.append(tuple(of_relation))
    return Rule(name, (relations[0], relations[1]))


def random_pools(rng: np.random.Generator, stream: list[int]) -> Pools:
    """Let steps draw on nested pools of their stream, with as many tonnes made per tonne served.

    A plant next to the need, of which some steps first go through one of two others.
    """
    first, pool, made, capacity = [0], [], [], []
    of_stream: dict[int, list[int]] = {}
    factor = {}
    for q in stream:
        if q not in of_stream:
            of_stream[q] = [len(capacity) + n for n in range(3)]
            capacity += [3.0 * rng.random() for _ in range(3)]
            factor.update({number: 0.5 + rng.random() for number in of_stream[q]})
        last, *before = of_stream[q]
        chosen = [[], [last], [int(rng.choice(before)), last]][rng.integers(0, 3)]
        pool += chosen
        made += [factor[number] for number in chosen]
        first.append(len(pool))
    return Pools(
        np.array(first, dtype=np.int64),
        np.array(pool, dtype=np.int64),
        np.array(made, dtype=float),
        np.arange(len(capacity)),
        FixedPools(np.array(capacity, dtype=float)),
    )


@dataclass(frozen=True)
class FixedPools:
    """Capacities of pools that do not depend on the rules."""

    most: np.ndarray

    def capacity(self, allowed):
        return self.most


def no_pools(count: int) -> Pools:
    """No step draws on any plant."""
    nothing = np.empty(0, dtype=np.int64)
    none = FixedPools(np.empty(0))
    return Pools(np.zeros(count + 1, dtype=np.int64), nothing, np.empty(0), nothing, none)


def random_case(seed: int, num_candidates: int = 3, *, general: bool = True) -> Case:
    """Make a case; ``general`` steps have yields, pools, shipments and an arbitrary order."""
    rng = np.random.default_rng(seed)
    C, K = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    M = int(rng.integers(1, 3)) if general else 1
    S, T = int(rng.integers(1, 6)), int(rng.integers(2, 12))
    Z = C * M
    Q = Z * K
    participant, material = np.repeat(np.arange(C), M), np.tile(np.arange(M), C)
    steps = []
    for q in rng.permutation(Q) if general else range(Q):
        z = int(q) // K
        stocks = rng.permutation(Z)[: rng.integers(1, Z + 1)]
        for i in stocks:
            partner = participant[i] != participant[z]
            steps.append(
                (
                    int(q),
                    int(i),
                    z,
                    int(participant[i]),
                    int(partner),
                    int(q) % K,
                    int(rng.integers(0, 3)) if partner else 0,
                    float(rng.choice([1.0, 0.5 + rng.random()])) if general else 1.0,
                    [int(i), int(rng.integers(-1, Z)) if general else -1] if partner else [-1, -1],
                    0.5 * float(rng.random()),
                    0.5 * float(rng.random()),
                )
            )
    columns = list(zip(*steps, strict=True))
    numbered = Steps(
        *(np.array(column, dtype=np.int64) for column in columns[:7]),
        np.array(columns[7], dtype=float),
        np.array(columns[8], dtype=np.int64),
        np.full((len(steps), 1), -1),
        *(np.array(column, dtype=float) for column in columns[9:]),
        random_pools(rng, list(columns[0])) if general else no_pools(len(steps)),
    )
    block = Block(
        "random",
        tuple(range(M)),
        participant,
        material,
        np.repeat(np.arange(Z), K),
        np.tile(np.arange(K), Z),
        numbered,
        numbered,
    )
    need = np.where(rng.random((S, T, Q)) < 0.4, 4.0 * rng.random((S, T, Q)), 0.0)
    need[rng.random((S, T)) < 0.3] = 0.0
    rules = [random_rule(rng, f"rule{i}", K) for i in range(3)]
    return Case(
        block=block,
        needs=compress(
            need,
            rng.random((S, T, Z)),
            rng.integers(0, 8, (S, T, Z)),
            rng.random((S, T, Z)) < 0.15,
            rng.dirichlet(np.ones(S)),
        ),
        menu=rule_menu(rules, K),
        holding=np.where(
            rng.random((Z, num_candidates)) < 0.15, 0.0, 12.0 * rng.random((Z, num_candidates))
        ),
        rule=rng.integers(0, 3, (C, num_candidates)),
        refill=np.where(rng.random(Z) < 0.5, 0.0, rng.random(Z)),
        horizon=T,
    )
