"""The foresight model: ours against what people use instead, on the same instance.

    python benchmarks/foresight.py [--repeat N] [--scenarios N ...] [--ways WAY ...] [--out DIR]

The instance is ``stockpile generate --materials 20 --months 36``. Ways are those of
``benchmarks/foresight_ways.py``; ``pip install -e ".[benchmarks]"`` brings the packages. Each run
has a process of its own, 10 minutes and 16 GiB; what does not finish is not tried on more
scenarios.
Seconds are those of building and solving together; making scenarios and needs is in none of them,
compiling kernels and importing packages neither. The last column is how far an optimum is from that
of ``cuts``, relatively.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

from measure import add_out, child, show, spread, write

import stockpile as sp

WAYS = ("cuts", "sums", "months", "linopy", "pyomo")
SECONDS, GIB = 600.0, 16.0
SCRIPT = str(Path(__file__).with_name("foresight_ways.py"))


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--materials", type=int, default=20)
    parser.add_argument("--scenarios", type=int, nargs="+", default=[50, 400, 2000])
    parser.add_argument("--ways", choices=WAYS, nargs="+", default=WAYS)
    parser.add_argument("--repeat", type=int, default=3)
    add_out(parser)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    failed: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        instance = str(Path(folder) / "instance")
        sp.save(sp.generate(materials=options.materials, months=36), instance)
        child([SCRIPT, instance, "10", "cuts"])
        for scenarios in options.scenarios:
            ours, optimum = float("nan"), float("nan")
            for way in (way for way in options.ways if way not in failed):
                runs = []
                for _ in range(options.repeat):
                    run = child([SCRIPT, instance, str(scenarios), way], seconds=SECONDS, gib=GIB)
                    if isinstance(run, str):
                        failed.add(way)
                        print(f"{way}, {scenarios:,} scenarios: {run}", flush=True)
                        break
                    runs.append(run)
                if way in failed:
                    continue
                total = [run["build"] + run["solve"] for run in runs]
                if way == "cuts":
                    ours, optimum = statistics.median(total), runs[0]["optimum"]
                rows.append(
                    {
                        "scenarios": scenarios,
                        "way": way,
                        "variables": runs[0]["variables"],
                        "build s": round(statistics.median(run["build"] for run in runs), 3),
                        **spread(total),
                        "times ours": f"{statistics.median(total) / ours:.3g}",
                        "peak MiB": round(max(run["peak_mib"] for run in runs)),
                        "difference": f"{abs(runs[0]['optimum'] / optimum - 1.0):.0e}",
                    }
                )
                show(rows[-1], first=len(rows) == 1)
    write(options.out, "foresight", rows)


if __name__ == "__main__":
    main()
