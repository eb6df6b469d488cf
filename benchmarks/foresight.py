"""Time and peak memory of the foresight bound: cuts against HiGHS on the extensive form.

    python benchmarks/foresight.py [--repeat N] [--instance DIR] [--scenarios N ...]

Both get the same data, material by material, and use one thread. Seconds (minimum, median, maximum
over the repetitions) are those of solving alone: scenarios, needs and data are made before, and the
kernels are compiled. Each run has a process of its own, whose peak memory is shown; ``data`` is a
process that only makes the data. The last column is how far the two optima are apart, relatively.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

WAYS = ("data", "cuts", "HiGHS")
CHILD = """
import json, resource, sys, time
import stockpile as sp
from stockpile.blocks import build_blocks
from stockpile.foresight_bound import block_model
from stockpile.foresight_recourse import Recourse
from stockpile.foresight_search import minimise
from stockpile.model.foresight_arrays import extensive_form
from stockpile.model.linear import solve_linear
from stockpile.parallel import Workers
from stockpile.problem import build_problem
from stockpile.scenarios import scenario_set, stress_cases

folder, scenarios, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
instance = sp.load(folder)
problem = build_problem(instance)
drawn, stress = scenario_set(instance, problem, scenarios), stress_cases(instance, problem)
sharing = instance.solve_settings.cooperation != "none"
seconds, optimum, columns = 0.0, 0.0, 0
with Workers(1) as workers:
    for block in build_blocks(problem):
        data = block_model(problem, block, drawn, stress, workers, sharing=sharing)
        columns += data.lower.size + data.probability.size * (data.cost.size + data.need.shape[1])
        if way == "cuts" and not optimum:
            Recourse(data, workers).respond(data.lower)  # Compiles.
        began = time.monotonic()
        if way == "cuts":
            optimum += minimise(Recourse(data, workers)).bound
        elif way == "HiGHS":
            optimum += solve_linear(extensive_form(data)).objective
        seconds += time.monotonic() - began
print(json.dumps({
    "seconds": seconds, "optimum": optimum, "columns": columns,
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def run(instance: str, scenarios: int, way: str) -> dict[str, float]:
    """Solve in a child process and return what it measured."""
    command = [sys.executable, "-c", CHILD, instance, str(scenarios), way]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", default="instances/us-japan")
    parser.add_argument("--scenarios", type=int, nargs="+", default=[400, 2000, 10_000])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    run(options.instance, 2, "cuts")
    print("scenarios | columns | way | seconds min / median / max | peak MiB | ratio | difference")
    for scenarios in options.scenarios:
        median, optimum = {}, {}
        for way in WAYS:
            runs = [run(options.instance, scenarios, way) for _ in range(options.repeat)]
            seconds = sorted(item["seconds"] for item in runs)
            median[way], optimum[way] = statistics.median(seconds), runs[0]["optimum"]
            compared = ""
            if way == "HiGHS":
                difference = abs(optimum["HiGHS"] / optimum["cuts"] - 1.0)
                compared = f"{median['HiGHS'] / median['cuts']:.1f} | {difference:.1e}"
            print(
                f"{scenarios:,} | {runs[0]['columns']:,.0f} | {way} | "
                f"{seconds[0]:.2f} / {median[way]:.2f} / {seconds[-1]:.2f} | "
                f"{max(item['peak_mib'] for item in runs):.0f} | {compared}",
                flush=True,
            )


if __name__ == "__main__":
    main()
