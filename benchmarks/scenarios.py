"""Time and peak memory of judging a plan on many fresh scenarios, in a process of its own.

    python benchmarks/scenarios.py [--instance DIR] [--scenarios N]

The plan is a quick one (gap 20 %): what it costs is not the point here.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

CHILD = """
import resource, sys, time
import stockpile as sp
instance = sp.load(sys.argv[1])
plan = sp.solve(instance, gap=0.2, scenarios=200, progress=False)
began = time.monotonic()
judged = sp.evaluate(instance, plan, scenarios=int(sys.argv[2]))
print(f"{judged.scenario_count} scenarios: {time.monotonic() - began:.1f} s, peak "
      f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", default="instances/us-japan-one-form")
    parser.add_argument("--scenarios", type=int, default=100_000)
    options = parser.parse_args()
    subprocess.run(
        [sys.executable, "-c", CHILD, options.instance, str(options.scenarios)], check=True
    )


if __name__ == "__main__":
    main()
