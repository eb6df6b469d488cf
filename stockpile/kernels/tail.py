"""Tails of distributions over scenarios."""

from __future__ import annotations

import numpy as np

from stockpile.kernels.compiled import compiled


@compiled
def worst_shortfalls(unserved, need, probability, tail, shortfall):
    """Sum probability times the unserved fraction over the worst ``tail`` of probability.

    ``unserved`` is (S', P), ``need`` and ``probability`` (S',), ``shortfall`` (P,) the result.
    Scenarios that are served in full add nothing, so only the others are ranked, and those only
    if they do not all fit into the tail.
    """
    num_scenarios, num_candidates = unserved.shape
    mass_short = np.zeros(num_candidates)
    shortfall[:] = 0.0
    for s in range(num_scenarios):
        if need[s] > 0.0:
            for p in range(num_candidates):
                if unserved[s, p] > 0.0:
                    mass_short[p] += probability[s]
                    shortfall[p] += probability[s] * (unserved[s, p] / need[s])
    short = np.empty(num_scenarios)
    mass = np.empty(num_scenarios)
    for p in range(num_candidates):
        if mass_short[p] <= tail:
            continue
        count = 0
        for s in range(num_scenarios):
            if need[s] > 0.0 and unserved[s, p] > 0.0:
                short[count] = unserved[s, p] / need[s]
                mass[count] = probability[s]
                count += 1
        left = tail
        result = 0.0
        for n in np.argsort(-short[:count], kind="mergesort"):
            part = mass[n] if mass[n] < left else left
            result += part * short[n]
            left -= part
            if left <= 0.0:
                break
        shortfall[p] = result
