"""How time and memory grow with scenarios, materials, months, lots, rules and participants.

    python benchmarks/growth.py [--repeat N] [--axes AXIS ...] [--gap G] [--out DIR] ...

One axis is varied at a time, from an instance of 10 materials, 2,000 scenarios of 60 months, two
participants and five rules, without limits that join materials. Each solve has a process of its
own. Seconds are those of the plan; reading and compiling are not in them. The exponent is the slope
of the least-squares line through the logarithms of size and median; that of memory leaves out what
a plan of next to nothing takes.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import sys
import time
from dataclasses import replace
from typing import Any

from measure import add_out, child, show, spread, write

import stockpile as sp

BASE = {
    "scenarios": 2000,
    "materials": 10,
    "months": 60,
    "lots": 1,
    "rules": 5,
    "participants": 2,
}
SIZES = {
    "scenarios": (1000, 4000, 16_000, 64_000),
    "materials": (5, 10, 20, 40),
    "months": (24, 48, 96, 192),
    "lots": (1, 2, 4, 8),
    "rules": (2, 3, 4, 5),
    "participants": (1, 2, 3),
}
"""Lots are so many times finer; owners follow one of the first so many rules."""


def solve(size: dict[str, int], gap: float) -> dict[str, float]:
    """Make an instance of a size, solve it, and return what was measured."""
    instance = sp.generate(
        materials=size["materials"],
        scenarios=size["scenarios"],
        months=size["months"],
        participants=size["participants"],
    )
    names = list(dict.fromkeys(row.rule for row in instance.rules))[: size["rules"]]
    instance = replace(
        instance,
        materials=tuple(replace(row, lot_t=row.lot_t / size["lots"]) for row in instance.materials),
        rules=tuple(row for row in instance.rules if row.rule in names),
    )
    sp.solve(sp.generate(materials=1, scenarios=10), progress=False)  # Compiles.
    began = time.process_time()
    plan = sp.solve(instance, gap=gap, progress=False)
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return {
        "seconds": plan.seconds,
        "cpu": time.process_time() - began,
        "load": os.getloadavg()[0],
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit,
        "simulations": int(plan.certificates["simulations"].sum()),
    }


def exponent(sizes: list[float], values: list[float]) -> float:
    """Return the slope of the line through the logarithms."""
    x, y = ([math.log(value) for value in column] for column in (sizes, values))
    return statistics.linear_regression(x, y).slope


def main() -> None:
    """Measure and print; or be the child that measures one solve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--gap", type=float, default=0.01)
    parser.add_argument("--axes", choices=SIZES, nargs="+", default=list(SIZES))
    parser.add_argument("--sizes", type=int, nargs="+", help="in place of those of each axis")
    parser.add_argument(
        "--base",
        type=int,
        nargs=3,
        default=[BASE["materials"], BASE["scenarios"], BASE["months"]],
        metavar=("MATERIALS", "SCENARIOS", "MONTHS"),
        help="what the axes are varied from",
    )
    parser.add_argument("--child", metavar="JSON", help=argparse.SUPPRESS)
    add_out(parser)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(solve(json.loads(options.child), options.gap)))
        return

    def measured(size: dict[str, int]) -> dict[str, float]:
        run = child([__file__, "--gap", str(options.gap), "--child", json.dumps(size)])
        assert not isinstance(run, str), run
        return run

    base = BASE | dict(zip(("materials", "scenarios", "months"), options.base, strict=True))
    nothing = measured(base | {"materials": 1, "scenarios": 10})["peak_mib"]
    rows: list[dict[str, Any]] = []
    for axis in options.axes:
        medians, peaks = [], []
        of_axis = options.sizes or SIZES[axis]
        for size in of_axis:
            runs = [measured(base | {axis: size}) for _ in range(options.repeat)]
            medians.append(statistics.median(run["cpu"] for run in runs))
            peaks.append(max(run["peak_mib"] for run in runs))
            rows.append(
                {
                    "axis": axis,
                    "size": size,
                    **spread([run["seconds"] for run in runs]),
                    "cpu s": float(f"{medians[-1]:.4g}"),
                    "peak MiB": round(peaks[-1]),
                    "candidates simulated": int(runs[0]["simulations"]),
                    "load": f"{statistics.median(run['load'] for run in runs):.1f}",
                    "exponent of time": "",
                    "exponent of memory": "",
                }
            )
            if size == of_axis[-1]:
                sizes = [float(size) for size in of_axis]
                more = [max(peak - nothing, 0.1) for peak in peaks]
                rows[-1]["exponent of time"] = f"{exponent(sizes, medians):.2f}"
                rows[-1]["exponent of memory"] = f"{exponent(sizes, more):.2f}"
            show(rows[-1], first=len(rows) == 1)
    write(options.out, "growth", rows, "axis")


if __name__ == "__main__":
    main()
