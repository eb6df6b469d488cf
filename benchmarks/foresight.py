"""The foresight model: ours against what people use instead, on the same instance.

    python benchmarks/foresight.py [--repeat N] [--scenarios N ...] [--ways WAY ...] [--out DIR]
                                   [--double-to N]

The instance is ``stockpile generate --materials 20 --months 36``. Ways are those of
``benchmarks/foresight_ways.py``; ``pip install -e ".[benchmarks]"`` brings the packages. Each run
has a process of its own, 10 minutes of the processor and 16 GiB. What does not finish is not tried
on more scenarios, nor is what would need more than 20 minutes if time grew with scenarios.

Seconds are those of building and solving together; making scenarios and needs is in none of them,
compiling kernels and importing packages neither. Ours (``cuts``) is measured in any case, but
written to the table only if asked for. The runs of a size take turns: first one of every way, then
the second one of every way, so that whatever else keeps the machine busy slows all of them down. A
way that takes more than a minute is run once. ``cpu s`` are the seconds that the process had a
processor, which a busy machine changes less; ``times ours`` is the ratio of their medians. ``load``
is how many processes wanted to run meanwhile on average, this one included. The difference is how
far an optimum is from that of ``cuts``, relatively.

``--double-to`` doubles the largest number of scenarios until that many, one run each, for what has
finished so far. ``--out`` leaves sizes and ways in the table that are not measured.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foresight_ways import WAYS
from measure import add_out, child, show, spread, write

import stockpile as sp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECONDS, GIB = 600.0, 16.0
ONCE_ABOVE = 60.0
"""A run that takes longer is not repeated [s]."""
HOPELESS = 2.0
"""What is expected to take so many times the limit is not tried."""
SCRIPT = str(Path(__file__).with_name("foresight_ways.py"))


def seconds_of(run: Mapping[str, Any]) -> float:
    """Return the seconds of building and solving."""
    return float(run["build"] + run["solve"])


def take_turns(
    instance: str, scenarios: int, ways: Sequence[str], repeat: int
) -> dict[str, list[dict[str, Any]] | str]:
    """Run all ways in turn, several times; return the runs of each, or why there are none."""
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    ended: dict[str, str] = {}
    for _ in range(repeat):
        for way in ways:
            if way in ended or any(seconds_of(run) > ONCE_ABOVE for run in runs[way]):
                continue
            run = child([SCRIPT, instance, str(scenarios), way], seconds=SECONDS, gib=GIB)
            if isinstance(run, str):
                ended[way] = run
            else:
                runs[way].append({**run, "load": os.getloadavg()[0]})
    return {way: ended.get(way, runs[way]) for way in ways}


def row_of(
    scenarios: int, way: str, runs: Sequence[Mapping[str, Any]], ours: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the row of a way that has finished."""
    seconds = [seconds_of(run) for run in runs]
    cpu, our_cpu = (statistics.median(run["cpu"] for run in of_way) for of_way in (runs, ours))
    return {
        "scenarios": scenarios,
        "way": way,
        "variables": runs[0]["variables"],
        "runs": len(runs),
        "build s": round(statistics.median(run["build"] for run in runs), 3),
        **spread(seconds),
        "cpu s": float(f"{cpu:.4g}"),
        # Some systems count a process in steps of milliseconds, and ours may take none of them.
        "times ours": f"{cpu / our_cpu:.3g}" if our_cpu > 0.0 else "",
        "peak MiB": round(max(run["peak_mib"] for run in runs)),
        "difference": f"{abs(runs[0]['optimum'] / ours[0]['optimum'] - 1.0):.0e}",
        "load": f"{statistics.median(run['load'] for run in runs):.1f}",
        "ended": "",
    }


def row_without(scenarios: int, way: str, why: str, columns: Sequence[str]) -> dict[str, Any]:
    """Return the row of a way that has not finished."""
    return {**dict.fromkeys(columns, ""), "scenarios": scenarios, "way": way, "ended": why}


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--materials", type=int, default=20)
    parser.add_argument("--scenarios", type=int, nargs="+", default=[50, 400, 2000])
    parser.add_argument("--double-to", type=int, default=0, metavar="N")
    parser.add_argument("--ways", choices=WAYS, nargs="+", default=WAYS)
    parser.add_argument("--repeat", type=int, default=3)
    add_out(parser)
    options = parser.parse_args()
    ways = list(dict.fromkeys(["cuts", *options.ways]))
    sizes = [(size, options.repeat) for size in sorted(options.scenarios)]
    while 2 * sizes[-1][0] <= options.double_to:
        sizes.append((2 * sizes[-1][0], 1))
    rows: list[dict[str, Any]] = []
    last: dict[str, tuple[int, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        instance = str(Path(folder) / "instance")
        sp.save(sp.generate(materials=options.materials, months=36), instance)
        child([SCRIPT, instance, "10", "cuts"])
        for scenarios, repeat in sizes:
            hopeless = {
                way: f"not tried: {size:,} scenarios took {seconds:.0f} s"
                for way, (size, seconds) in last.items()
                if seconds * scenarios / size > HOPELESS * SECONDS
            }
            results = take_turns(
                instance, scenarios, [way for way in ways if way not in hopeless], repeat
            )
            results |= hopeless
            ours = results["cuts"]
            assert not isinstance(ours, str), ours
            for way in list(ways):
                runs = results[way]
                if isinstance(runs, str):
                    rows.append(row_without(scenarios, way, runs, list(rows[0])))
                    ways.remove(way)
                else:
                    rows.append(row_of(scenarios, way, runs, ours))
                    last[way] = scenarios, rows[-1]["cpu s"]
                show(rows[-1], first=len(rows) == 1)
            asked = [row for row in rows if row["way"] in options.ways]
            write(options.out, "foresight", asked, "scenarios", "way")


if __name__ == "__main__":
    main()
