"""The simulation kernel against the NumPy reference, and against what the processor can do.

    python benchmarks/kernel.py [--repeat N] [--instance DIR] [--material M] [--candidates P ...]

One thread, and its own processor time. The kernel (``simulate``) and the reference
(``simulate_months``) simulate the same random candidates of one material; the reference does so on
fewer scenarios, and rates are per candidate and scenario, scenarios without any need included in
neither. Every repetition runs both, side by side. The limit is a loop over the same arithmetic (one
step of one month for a tile of candidates, equations (4) and (5)) whose operands never leave the
nearest cache: its rate, and the steps that the kernel runs for these candidates, give the least
time that they could take. It is told for two loops: the plain one as the compiler makes it, and one
whose lanes are explicit, as in the kernel.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

import stockpile as sp
from stockpile.blocks import build_blocks
from stockpile.evaluator import Evaluator
from stockpile.kernels.compiled import compiled
from stockpile.kernels.lanes import (
    VECTOR,
    empty_table,
    fill,
    greatest,
    least,
    load,
    rows,
    store,
)
from stockpile.kernels.simulation import LANES
from stockpile.needs import block_needs
from stockpile.parallel import Workers
from stockpile.problem import build_problem
from stockpile.scenarios import scenario_set, stress_cases
from stockpile.simulate import Course, Request, candidate_terms, simulate, simulate_months

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from stockpile.blocks import Steps
    from stockpile.needs import Needs

REFERENCE_SCENARIOS, REFERENCE_CANDIDATES = 100, 64
"""Of the dense reference, which keeps every month of every candidate in memory."""
TICK = 1e-6
"""Least seconds that are told apart: some systems count a thread in steps."""
SECONDS = 0.5
"""Least time of the loop that measures the limit."""


@compiled
def _plain_steps(state, needed, level, limit, times):
    """Run one step for a tile of candidates again and again."""
    for _ in range(times):  # Without branches, so it does not matter when needs are all served.
        for p in range(state.shape[1]):
            ceiling = limit[0, p] if limit[0, p] < needed[0, p] else needed[0, p]
            spare = state[0, p] - level[0, p]
            spare = spare if spare > 0.0 else 0.0
            release = spare if spare < ceiling else ceiling
            needed[0, p] -= release
            state[0, p] -= release


@compiled
def _steps_in_lanes(state, needed, level, limit, times):
    """Do as :func:`_plain_steps`, with explicit lanes."""
    stock, rest, kept, most = rows(state), rows(needed), rows(level), rows(limit)
    for _ in range(times):
        for p in range(0, stock.width, VECTOR):
            wanted, left = load(rest, 0, p), load(stock, 0, p)
            spare = greatest(left - load(kept, 0, p), fill(0.0))
            release = least(spare, least(load(most, 0, p), wanted))
            store(rest, 0, p, wanted - release)
            store(stock, 0, p, left - release)


def limit_rate(loop: Callable[..., None]) -> float:
    """Return steps of one candidate per second at best."""
    tables = [empty_table(1, LANES) for _ in range(4)]
    for table, value in zip(tables, (1e12, 1.0, 0.0, 0.5), strict=True):
        table[:] = value
    loop(*tables, 1)
    times, seconds = 1000, 0.0
    while seconds < SECONDS:
        times *= 2
        began = time.thread_time()
        loop(*tables, times)
        seconds = time.thread_time() - began
    return times * LANES / seconds


def steps_run(needs: Needs, steps: Steps, opens: NDArray[np.bool_]) -> int:
    """Return how many steps the kernel runs for each candidate, all scenarios together.

    Parameters
    ----------
    opens
        (J,) whether a step is open to any candidate.
    """
    total = 0
    for j in np.flatnonzero(opens):
        runs = needs.need[:, steps.stream[j]] > 0.0
        runs &= needs.age[:, steps.market[j]] >= steps.lag[j]
        for ship in steps.ships[j][steps.ships[j] >= 0]:
            runs &= ~needs.blocked[:, ship]
        total += int(runs.sum())
    return total


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", default="instances/us-japan-one-form")
    parser.add_argument("--material", help="default: the first one")
    parser.add_argument("--candidates", type=int, nargs="+", default=[64, 256, 2048])
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    instance = sp.load(options.instance)
    problem = build_problem(instance)
    drawn, stress = scenario_set(instance, problem), stress_cases(instance, problem)
    blocks = build_blocks(problem)
    name = options.material or problem.materials[blocks[0].materials[0]]
    block = next(b for b in blocks if problem.materials[b.materials[0]] == name)
    rng = np.random.default_rng(1)
    print(
        f"{name}: {drawn.count:,} scenarios\n"
        "candidates | kernel, million candidate-scenarios/s min / median / max | "
        "times NumPy | part of the limit, plain | with lanes"
    )
    with Workers(1) as workers:
        evaluator = Evaluator(problem, block, drawn, stress, workers, sharing=True)
        needs = block_needs(problem, block, drawn, workers)
        few = needs.head(REFERENCE_SCENARIOS)
        course = Course.of(needs, block.steps, problem.menu.breakpoints, workers)
        owners = len(problem.participants)
        most = problem.lots_max[block.market_participant, block.market_material]
        for count in options.candidates:
            lots = rng.integers(0, most[:, None] + 1, (block.num_stocks, count))
            holding = lots * evaluator.lot[:, None]
            rule = rng.integers(0, len(problem.menu.rules), (owners, count))
            terms = candidate_terms(problem.menu, block.steps, holding, rule)
            some = min(count, REFERENCE_CANDIDATES)
            fewer = candidate_terms(problem.menu, block.steps, holding[:, :some], rule[:, :some])
            opens = terms.limit.max(axis=(0, 2)) > 0.0
            run = steps_run(needs, block.steps, opens) * count
            rates, ratios, parts = [], [], []
            loops = (_plain_steps, _steps_in_lanes)
            simulate(block, course, terms, evaluator.refill, Request.of(), workers)
            for _ in range(options.repeat):
                peaks = np.array([limit_rate(loop) for loop in loops])
                began = time.thread_time()
                simulate(block, course, terms, evaluator.refill, Request.of(), workers)
                seconds = max(time.thread_time() - began, TICK)
                began = time.thread_time()
                simulate_months(block, few, fewer, evaluator.refill, problem.horizon)
                dense = (time.thread_time() - began) / (some * few.scenario.size)
                rates.append(count * needs.scenario.size / seconds)
                ratios.append(dense * rates[-1])
                parts.append(run / peaks / seconds)
            rates.sort()
            print(
                f"{count:,} | {rates[0] / 1e6:.1f} / {statistics.median(rates) / 1e6:.1f} / "
                f"{rates[-1] / 1e6:.1f} | {statistics.median(ratios):.0f} | "
                + " | ".join(f"{part:.2f}" for part in np.median(parts, axis=0)),
                flush=True,
            )
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"peak memory {peak_mib / (1024 if sys.platform != 'darwin' else 1024**2):.0f} MiB")


if __name__ == "__main__":
    main()
