"""How many scenarios stratified drawing saves: variances of what a plan is judged by.

    python benchmarks/sampling.py [--instance DIR] [--scenarios N] [--seeds N] [--out DIR]

A plan is judged on so many sets of scenarios, plain and stratified, each with a seed of its own,
and the variances between the sets are compared. A ratio of 2 says that plain drawing takes twice
the scenarios for the same half-width of an interval. The plan is a quick one (gap 20 %): what it
costs is not the point here.

Single ratios are noisy: with n seeds the quartiles of a ratio that is 1 are 1 -+ 0.67 (4 / n)^0.5.
So the ratio of summed variances stands beside them, over all promises of a metric. Promises that
hang on the same hazards are noisy together, and their sum is not much less so.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from measure import add_out, show, write

import stockpile as sp
from stockpile.blocks import build_blocks
from stockpile.decisions import chosen
from stockpile.evaluator import Evaluator
from stockpile.parallel import Workers
from stockpile.problem import build_problem
from stockpile.scenarios import draw_scenarios, stress_cases

if TYPE_CHECKING:
    from stockpile.problem import Promise

SAMPLINGS = ("plain", "stratified")
COST = "cost"


def kind(promise: Promise) -> str:
    """Return the group in which a promise is counted."""
    if promise.metric != "chance":
        return promise.metric
    return "chance, confidence " + ("from 0.99" if promise.confidence >= 0.99 else "below 0.99")


def judged(
    instance: sp.Instance, plan: sp.Plan, *, scenarios: int, seeds: int
) -> tuple[list[str], dict[str, np.ndarray], dict[str, float]]:
    """Return kinds (Q,), and by sampling values (seeds, Q) and the seconds that a set takes."""
    problem = build_problem(instance)
    stress, blocks = stress_cases(instance, problem), build_blocks(problem)
    parts = list(chosen(problem, blocks, plan))
    kinds: list[str] = []
    values: dict[str, list[list[float]]] = {sampling: [] for sampling in SAMPLINGS}
    seconds = dict.fromkeys(SAMPLINGS, 0.0)
    with Workers() as workers:
        for seed in range(1, seeds + 1):
            for sampling in SAMPLINGS:
                began = time.process_time()
                drawn = draw_scenarios(instance, problem, scenarios, seed, sampling)
                seconds[sampling] += (time.process_time() - began) / seeds
                kinds, row, cost = [COST], [0.0], 0.0
                for block, lots, rule in parts:
                    evaluator = Evaluator(problem, block, drawn, stress, workers, sharing=True)
                    judgement = evaluator.judge(lots, rule)
                    cost += float((judgement.cost - judgement.holding).sum())
                    for promise, achieved in zip(
                        evaluator.promises, judgement.achieved, strict=True
                    ):
                        if promise.metric not in ("stress", "days"):
                            kinds.append(kind(promise))
                            row.append(float(achieved))
                row[0] = cost
                values[sampling].append(row)
    return kinds, {name: np.array(rows) for name, rows in values.items()}, seconds


def compared(kinds: list[str], values: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return a row for each kind: variances of plain sets over those of stratified ones."""
    plain, even = (values[sampling].var(axis=0, ddof=1) for sampling in SAMPLINGS)
    rows = []
    for name in sorted(set(kinds), key=kinds.index):
        of_kind = np.array([one == name for one in kinds])
        # What no set breaks, or all in the same way, has no variance to compare.
        moving = of_kind & (plain > 0.0) & (even > 0.0)
        if not moving.any():
            continue
        ratio = plain[moving] / even[moving]
        least, lower, median, upper, most = np.quantile(ratio, [0.0, 0.25, 0.5, 0.75, 1.0])
        rows.append(
            {
                "figure": name,
                "number": int(of_kind.sum()),
                "that vary": int(moving.sum()),
                "ratio of sums": f"{plain[of_kind].sum() / even[of_kind].sum():.2f}",
                "minimum": f"{least:.2f}",
                "lower quartile": f"{lower:.2f}",
                "median": f"{median:.2f}",
                "upper quartile": f"{upper:.2f}",
                "maximum": f"{most:.2f}",
            }
        )
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", type=Path, default=Path("instances/us-japan-one-form"))
    parser.add_argument("--scenarios", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=30)
    add_out(parser)
    options = parser.parse_args()
    instance = sp.load(options.instance)
    plan = sp.solve(instance, gap=0.2, scenarios=200, progress=False)
    kinds, values, seconds = judged(
        instance, plan, scenarios=options.scenarios, seeds=options.seeds
    )
    rows = compared(kinds, values)
    for row in rows:
        show(row, first=row is rows[0])
    print("\nprocessor seconds to draw a set: ", end="")
    print(", ".join(f"{name} {value:.3f}" for name, value in seconds.items()))
    write(options.out, "sampling", rows)


if __name__ == "__main__":
    main()
