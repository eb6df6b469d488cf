"""What a buying calendar takes, by the years that it plans, and how close its bound comes.

    python benchmarks/buying.py [--instance DIR] [--years N ...] [--repeat N] [--out DIR]

The plan is a quick one (gap 20 %, 200 scenarios). Its outlay is spent in equal parts: every nation
has the budget of a year that buys what it lacks in all years but the last. Every run has a process
of its own; seconds are those of the calendar, without reading the plan and compiling. *Times* is
the time of the processor in terms of that for the fewest years. Exposures are simulated on the
scenarios of the plan.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import add_out, child, show, spread, write

import stockpile as sp

FROM = 2027
YEARS = (2, 5, 10)


def settings(plan: sp.Plan, years: int) -> sp.ScheduleSettings:
    """Return so many years, with budgets that last for all of them but one."""
    outlay = plan.holdings.groupby("participant", sort=False)["outlay_usd"].sum()
    return sp.ScheduleSettings(
        from_year=FROM,
        years=years,
        yearly_budget={str(c): float(usd) / max(years - 1, 1) for c, usd in outlay.items()},
    )


def measured(folder: str, result: str, years: int, gap: float) -> dict[str, float]:
    """Work out a calendar once, and return what that took."""
    instance, plan = sp.load(folder), sp.Plan.load(result)
    sp.schedule(
        instance, plan, settings(plan, 1), gap=0.9, scenarios=2, progress=False
    )  # Compiles.
    began, cpu = time.monotonic(), time.process_time()
    found = sp.schedule(instance, plan, settings(plan, years), gap=gap, progress=False)
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return {
        "seconds": time.monotonic() - began,
        "cpu": time.process_time() - cpu,
        "load": os.getloadavg()[0],
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit,
        "purchases": len(found.purchases),
        "gap": found.gap,
        "solver_gap": (found.cost_usd - found.solver_bound_usd) / found.cost_usd,
        "envelope": found.exposure_usd / found.exposure_simulated_usd,
    }


def main() -> None:
    """Measure and print; or be the child that measures one calendar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", default="instances/us-japan-one-form")
    parser.add_argument("--years", type=int, nargs="+", default=list(YEARS))
    parser.add_argument("--gap", type=float, default=0.01, help="of the calendars")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("YEARS", "RESULT"), help=argparse.SUPPRESS)
    add_out(parser)
    options = parser.parse_args()
    if options.child:
        years, result = options.child
        print(json.dumps(measured(options.instance, result, int(years), options.gap)))
        return
    plan = sp.solve(sp.load(options.instance), gap=0.2, scenarios=200, progress=False)
    runs: dict[int, list[dict[str, Any]]] = {years: [] for years in options.years}
    with tempfile.TemporaryDirectory() as folder:
        result = str(Path(folder) / "plan")
        plan.save(result)
        asked = [__file__, "--instance", options.instance, "--gap", str(options.gap)]
        for _ in range(options.repeat):
            for years in options.years:
                run = child([*asked, "--child", str(years), result])
                assert not isinstance(run, str), run
                runs[years].append(run)
    cpu = {years: statistics.median(run["cpu"] for run in some) for years, some in runs.items()}
    rows = []
    for years, some in runs.items():
        rows.append(
            {
                "years": years,
                **spread([run["seconds"] for run in some]),
                "cpu s": float(f"{cpu[years]:.4g}"),
                "times": f"{cpu[years] / cpu[min(cpu)]:.3g}",
                "peak MiB": round(max(run["peak_mib"] for run in some)),
                "purchases": some[0]["purchases"],
                "gap": f"{100.0 * some[0]['gap']:.3g} %",
                "gap by the solver": f"{100.0 * some[0]['solver_gap']:.3g} %",
                "envelope over simulated": f"{some[0]['envelope']:.3f}",
                "load": f"{statistics.median(run['load'] for run in some):.1f}",
            }
        )
        show(rows[-1], first=len(rows) == 1)
    write(options.out, "buying", rows, "years")


if __name__ == "__main__":
    main()
