"""Tails of distributions over scenarios."""

from __future__ import annotations

import numpy as np

from stockpile.kernels.compiled import compiled


@compiled
def worst_shortfalls(served, probability, tail, shortfall):
    """Sum probability times (1 - served) over the worst ``tail`` of probability, by candidate.

    ``served`` is (S', P), ``shortfall`` (P,). Scenarios that are served in full add nothing, so
    only the others are ranked, and those only if they do not all fit into the tail.
    """
    num_scenarios, num_candidates = served.shape
    short = np.empty(num_scenarios)
    mass = np.empty(num_scenarios)
    for p in range(num_candidates):
        count = 0
        total = 0.0
        for s in range(num_scenarios):
            if served[s, p] < 1.0:
                short[count] = 1.0 - served[s, p]
                mass[count] = probability[s]
                total += probability[s]
                count += 1
        result = 0.0
        if total <= tail:
            for n in range(count):
                result += mass[n] * short[n]
        else:
            left = tail
            order = np.argsort(-short[:count], kind="mergesort")
            for n in order:
                part = mass[n] if mass[n] < left else left
                result += part * short[n]
                left -= part
                if left <= 0.0:
                    break
        shortfall[p] = result
