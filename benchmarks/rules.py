"""Rules and holdings: ours against what people do instead, on the same simulator and instance.

    python benchmarks/rules.py [--ways WAY ...] [--size MATERIALS SCENARIOS MONTHS RULES]
                               [--seeds N] [--program-size MATERIALS MONTHS RULES]
                               [--program-scenarios N ...] [--repeat N] [--out DIR]

Ways are those of ``benchmarks/rules_ways.py``; ``pip install -e ".[benchmarks]"`` brings the
packages. Each run has a process of its own and one thread. Seconds are those of the processor.

*Searches from outside* (``de``, ``de-all``, ``tpe``) get an instance of ``stockpile generate``
without limits that join materials. They are told the optimum, which ours has proved with gap 0, and
each material ends once they are within 1 % of it. They may take 50 times what ours takes to find
and prove 1 %, but at least 10 seconds and at most 300. ``seconds`` is what they took to be within
1 %, or until they gave up; ``reached`` in how many runs they were, ``above`` how far their plans
cost more than the optimum in the median (all materials together; one without any plan makes it
infinite). Owners choose from the first RULES rules of the instance, or, where it has fewer (five),
from the built-in menu of 25. ``boxes-1`` is our own search, told the optimum and stopped likewise;
``times ours`` is against ``boxes``, which proves what it finds.

*The mixed-integer program* (``mip``) gets a smaller one, the first three of the rules and more and
more scenarios, and is asked for a gap of 1 %, as ours is. It may take 300 seconds on the clock; the
first number of scenarios with which it does not finish is the last one tried. ``evaluated`` is the
number of its variables, and of candidates simulated in the other ways.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measure import add_out, child, show, spread, write

import stockpile as sp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SCRIPT = str(Path(__file__).with_name("rules_ways.py"))
TIMES, LEAST, MOST = 50.0, 10.0, 300.0
"""A search from outside may take so many times ours, and at least and at most so many seconds."""
GAP = 0.01
SEARCHES, PROGRAM = ("de", "de-all", "tpe"), "mip"
GIB = 16.0
SIZE = ("materials", "scenarios", "months", "rules")


def run(way: str, **options: Any) -> dict[str, Any]:
    """Return what a way measured, and how busy the machine was."""
    seconds = None if way.startswith("boxes") else 10.0 * MOST
    measured = child([SCRIPT, way, json.dumps(options)], seconds=seconds, gib=GIB)
    if isinstance(measured, str):
        raise SystemExit(f"{way}: {measured}")
    return {**measured, "load": os.getloadavg()[0]}


def above(found: Sequence[float], optimum: Sequence[float]) -> float:
    """Return how far plans of all materials cost more than the optimum, relatively."""
    return math.fsum(found) / math.fsum(optimum) - 1.0


def row_of(
    size: Sequence[int],
    way: str,
    gap: float | str,
    runs: Sequence[Mapping[str, Any]],
    ours: float,
    optimum: Sequence[float],
) -> dict[str, Any]:
    """Return the row of a way.

    Parameters
    ----------
    size
        Materials, scenarios, months, rules.
    ours
        Seconds that ours took to prove 1 %.
    """
    seconds = [run["seconds"] for run in runs]
    costs = [above(run["found"], optimum) for run in runs]
    return {
        **dict(zip(SIZE, size, strict=True)),
        "way": way,
        "gap": gap,
        "runs": len(runs),
        "reached": sum(bool(run.get("reached", True)) for run in runs),
        **spread(seconds),
        "times ours": f"{statistics.median(seconds) / ours:.3g}" if ours > 0.0 else "",
        "above": f"{max(statistics.median(costs), 0.0):.2%}",
        "evaluated": round(statistics.median(run["evaluations"] for run in runs)),
        "peak MiB": round(max(run["peak_mib"] for run in runs)),
        "load": f"{statistics.median(run['load'] for run in runs):.1f}",
    }


class Table:
    """Rows that are shown, and written, as they come."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.rows: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        """Show a row and write all so far."""
        self.rows.append(row)
        show(row, first=len(self.rows) == 1)
        write(self._folder, "rules", self.rows, *SIZE, "way", "gap")


@contextmanager
def instance_of(materials: int, scenarios: int, months: int, rules: int) -> Iterator[str]:
    """Make an instance whose owners follow one of the first so many rules; yield its folder.

    With more rules than it has, owners choose from the built-in menu.
    """
    instance = sp.generate(materials=materials, scenarios=scenarios, months=months)
    names = list(dict.fromkeys(row.rule for row in instance.rules))[:rules]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "instance")
        menu = tuple(row for row in instance.rules if row.rule in names)
        menu = () if len(names) < rules else menu
        sp.save(replace(instance, rules=menu), path)
        yield path


def search_from_outside(
    table: Table, size: Sequence[int], ways: Sequence[str], seeds: int, repeat: int
) -> None:
    """Compare ours with searches that know nothing of the model."""
    with instance_of(*size) as instance:
        same = {"instance": instance, "scenarios": size[1]}
        run("boxes", **same, gap=GAP)  # Compiles.
        exact = [run("boxes", **same, gap=0.0) for _ in range(repeat)]
        within = [run("boxes", **same, gap=GAP) for _ in range(repeat)]
        optimum = exact[0]["found"]
        ours = statistics.median(one["seconds"] for one in within)
        table.add(row_of(size, "boxes", GAP, within, ours, optimum))
        table.add(row_of(size, "boxes", 0.0, exact, ours, optimum))
        told = [run("boxes-1", **same, gap=0.0, optimum=optimum) for _ in range(repeat)]
        table.add(row_of(size, "boxes-1", "none", told, ours, optimum))
        allowed = min(max(TIMES * ours, LEAST), MOST)
        for way in ways:
            runs = [
                run(way, **same, optimum=optimum, seconds=allowed, seed=seed)
                for seed in range(seeds)
            ]
            table.add(row_of(size, way, "none", runs, ours, optimum))


def solve_program(table: Table, size: Sequence[int], scenarios: Sequence[int], repeat: int) -> None:
    """Compare ours with a mixed-integer program, with more and more scenarios.

    Parameters
    ----------
    size
        Materials, months, rules.
    """
    materials, months, rules = size
    for count in scenarios:
        whole = (materials, count, months, rules)
        with instance_of(*whole) as instance:
            same = {"instance": instance, "scenarios": count}
            optimum = run("boxes", **same, gap=0.0)["found"]
            within = [run("boxes", **same, gap=GAP) for _ in range(repeat)]
            ours = statistics.median(one["seconds"] for one in within)
            table.add(row_of(whole, "boxes", GAP, within, ours, optimum))
            solved = run(PROGRAM, **same, gap=GAP, seconds=MOST)
            table.add(row_of(whole, PROGRAM, GAP, [solved], ours, optimum))
            if not solved["reached"]:
                return


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    metavar: tuple[str, ...] = ("MATERIALS", "SCENARIOS", "MONTHS", "RULES")
    parser.add_argument("--size", type=int, nargs=4, default=[5, 500, 60, 5], metavar=metavar)
    parser.add_argument("--seeds", type=int, default=5)
    metavar = ("MATERIALS", "MONTHS", "RULES")
    parser.add_argument("--program-size", type=int, nargs=3, default=[1, 24, 3], metavar=metavar)
    sizes = [5, 10, 20, 40, 80, 160]
    parser.add_argument("--program-scenarios", type=int, nargs="+", default=sizes)
    parser.add_argument("--repeat", type=int, default=3)
    all_ways = (*SEARCHES, PROGRAM)
    parser.add_argument("--ways", choices=all_ways, nargs="*", default=all_ways)
    add_out(parser)
    options = parser.parse_args()
    table = Table(options.out)
    searches = [way for way in options.ways if way in SEARCHES]
    if searches or not options.ways:
        search_from_outside(table, options.size, searches, options.seeds, options.repeat)
    if PROGRAM in options.ways:
        solve_program(table, options.program_size, options.program_scenarios, options.repeat)


if __name__ == "__main__":
    main()
