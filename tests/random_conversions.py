"""Random chains for tests: materials, plants, transfers and shares, and what happens to them."""

from __future__ import annotations

import numpy as np
from cases import Case, compress, random_rule

import stockpile as sp
from stockpile.blocks import build_blocks
from stockpile.problem import build_problem
from stockpile.rules import rule_menu
from stockpile.tables import (
    Conversion,
    Demand,
    DemandClass,
    Material,
    Participant,
    PlantShare,
    Transfer,
)


def random_chain(seed: int, *, participants: int | None = None) -> sp.Instance:
    """Make an instance with plants between any materials, cycles and idle plants among them."""
    rng = np.random.default_rng(seed)
    C = int(rng.integers(1, 4)) if participants is None else participants
    M, K = int(rng.integers(2, 5 if C < 3 else 4)), int(rng.integers(1, 3))
    nations, materials, classes = (
        [f"{letter}{n}" for n in range(count)] for letter, count in (("c", C), ("m", M), ("k", K))
    )
    plants = []
    for e in range(int(rng.integers(1, 2 + M))):
        a, b = rng.permutation(M)[:2]
        plants.append(
            Conversion(
                conversion=f"e{e}",
                participant=str(rng.choice(nations)),
                from_material=materials[a],
                to_material=materials[b],
                yield_=float(rng.choice([1.0, 0.5 + rng.random()])),
                capacity_t_per_month=float(
                    rng.choice([0.0, 3.0 * rng.random(), 1e6], p=[0.1, 0.7, 0.2])
                ),
                lag_months=int(rng.integers(0, 3)),
                cost_usd_per_t=float(rng.choice([0.0, 300.0 * rng.random()])),
            )
        )
    shares = []
    for plant in plants:
        if rng.random() < 0.3:
            count = int(rng.integers(1, 4))
            parts = rng.dirichlet(np.ones(count + 1))
            needs = {
                tuple(str(rng.choice(names)) for names in (nations, materials, classes))
                for _ in range(count)
            }
            shares += [
                PlantShare(
                    conversion=plant.conversion,
                    participant=c,
                    material=m,
                    demand_class=k,
                    share=float(part),
                )
                for (c, m, k), part in zip(sorted(needs), parts, strict=False)
            ]
    return sp.Instance(
        name="random chain",
        price_year=2025,
        horizon_months=int(rng.integers(2, 10)),
        participants=tuple(
            Participant(participant=c, name=c, discount_rate_per_year=0.05) for c in nations
        ),
        classes=tuple(
            DemandClass(demand_class=k, priority=n + 1, shortage_cost_multiple=2.0 / (n + 1))
            for n, k in enumerate(classes)
        ),
        materials=tuple(
            Material(
                material=m,
                name=m,
                element="X",
                form=m,
                price_usd_per_kg=float(rng.choice([0.1, 0.5, 2.0])),
                lot_t=1.0,
            )
            for m in materials
        ),
        demand=tuple(
            Demand(
                participant=c,
                material=m,
                demand_class=k,
                demand_t_per_year=float(rng.choice([0.0, 12.0, 30.0])),
            )
            for c in nations
            for m in materials
            for k in classes
        ),
        transfers=tuple(
            Transfer(
                from_participant=a,
                to_participant=b,
                lag_months=int(rng.integers(0, 2)),
                cost_usd_per_t=float(rng.choice([0.0, 100.0 * rng.random()])),
            )
            for a in nations
            for b in nations
            if a != b and rng.random() < 0.8
        ),
        conversions=tuple(plants),
        plant_shares=tuple(shares),
    )


def chain_case(seed: int, num_candidates: int = 4, *, participants: int | None = None) -> Case:
    """Make the block of a random chain that has most plants, with needs of its own."""
    instance = random_chain(seed, participants=participants)
    rng = np.random.default_rng(seed + 1)
    problem = build_problem(instance)
    block = max(build_blocks(problem), key=lambda block: block.steps.pools.count)
    C, K = len(problem.participants), len(problem.classes)
    S, T, Z, Q = int(rng.integers(1, 5)), problem.horizon, block.num_stocks, block.num_streams
    need = np.where(rng.random((S, T, Q)) < 0.5, 4.0 * rng.random((S, T, Q)), 0.0)
    need[rng.random((S, T)) < 0.3] = 0.0
    holding = 12.0 * rng.random((Z, num_candidates))
    holding[rng.random(holding.shape) < 0.4] = 0.0
    return Case(
        block=block,
        needs=compress(
            need,
            rng.random((S, T, Z)),
            rng.integers(0, 6, (S, T, Z)),
            rng.random((S, T, Z)) < 0.15,
            rng.dirichlet(np.ones(S)),
        ),
        menu=rule_menu([random_rule(rng, f"rule{i}", K) for i in range(3)], K),
        holding=holding,
        rule=rng.integers(0, 3, (C, num_candidates)),
        refill=np.where(rng.random(Z) < 0.5, 0.0, rng.random(Z)),
        horizon=T,
    )
