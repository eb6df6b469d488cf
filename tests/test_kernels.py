"""How kernels are compiled: once each, before the clock starts, and with or without a cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHILD = """
import stockpile as sp
from stockpile.kernels import needs, simulation, tail
plan = sp.solve(sp.load("instances/rare-earths"), scenarios=40, gap=0.5, progress=False)
for module in (needs, simulation, tail):
    for name, item in vars(module).items():
        if hasattr(item, "signatures") and item.__module__ == module.__name__:
            print(name, len(item.signatures))
"""


def test_every_kernel_is_compiled_for_one_kind_of_arguments(tmp_path):
    """A second version would be compiled in the middle of a solve, inside its time limit."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        cwd=ROOT,
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    counts = dict(line.split() for line in done.stdout.splitlines())
    assert {"keep_need_months", "simulate_chunks", "worst_shortfalls"} <= set(counts)
    entries = ("keep_need_months", "find_segments", "simulate_chunks", "worst_shortfalls")
    assert {name: counts[name] for name in entries} == dict.fromkeys(entries, "1")


def test_kernels_are_compiled_even_where_nothing_can_be_cached(monkeypatch):
    import numba

    from stockpile.kernels.compiled import compiled

    compile_plainly = numba.njit

    def nowhere_to_cache(*args, **options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return compile_plainly(*args, **options)

    monkeypatch.setattr(numba, "njit", nowhere_to_cache)
    assert compiled(lambda x: x + 1.0)(2.0) == 3.0


def test_a_cache_that_cannot_be_read_is_passed_over(tmp_path):
    """As after an upgrade in which a type that kernels took has gone."""
    child = [sys.executable, "-c", CHILD]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    first = subprocess.run(child, cwd=ROOT, env=environment, capture_output=True, check=True)
    indices = sorted(tmp_path.rglob("*.nbi"))
    assert indices
    for path in indices:
        path.write_bytes(b"cstockpile.kernels.simulation\nGoneArrays\n.")
    again = subprocess.run(child, cwd=ROOT, env=environment, capture_output=True, check=True)
    assert again.stdout == first.stdout
    assert all(not path.read_bytes().endswith(b"GoneArrays\n.") for path in indices)
