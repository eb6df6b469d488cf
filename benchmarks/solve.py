"""Time and peak memory of whole solves, each in a process of its own, after a warm-up.

    python benchmarks/solve.py [--repeat N] [--instance DIR] [--gap G ...]

Prints one line per gap: seconds as told by the plan (minimum, median, maximum over the
repetitions), peak memory of the process, candidates simulated, gap proved. The warm-up compiles
the kernels and is not counted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

CHILD = """
import json, resource, sys
import stockpile as sp
plan = sp.solve(sp.load(sys.argv[1]), gap=float(sys.argv[2]), progress=False)
print(json.dumps({
    "seconds": plan.seconds, "gap": plan.gap, "cost": plan.annual_cost_usd,
    "simulations": int(plan.certificates["simulations"].sum()),
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def run(instance: str, gap: float) -> dict[str, float]:
    """Solve in a child process and return what it measured."""
    command = [sys.executable, "-c", CHILD, instance, str(gap)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", default="instances/us-japan-one-form")
    parser.add_argument("--gap", type=float, nargs="+", default=[0.01, 0.001])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    run("instances/toy", 0.0)
    print("gap wanted | seconds min / median / max | peak MiB | simulations | gap proved | cost")
    for gap in options.gap:
        runs = [run(options.instance, gap) for _ in range(options.repeat)]
        seconds = sorted(item["seconds"] for item in runs)
        print(
            f"{gap:g} | {seconds[0]:.1f} / {statistics.median(seconds):.1f} / {seconds[-1]:.1f} | "
            f"{max(item['peak_mib'] for item in runs):.0f} | {runs[0]['simulations']:,} | "
            f"{runs[0]['gap']:.5f} | {runs[0]['cost']:,.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
