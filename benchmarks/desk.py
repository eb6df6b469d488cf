"""What answers of the crisis desk take: on more continuations, between bands, month by month.

    python benchmarks/desk.py [--instance DIR] [--continuations N] [--repeat N] [--out DIR]

The plan is a quick one (gap 20 %, 200 scenarios), and the event one of the first hazard that comes
by itself, in its third month. Every run has a process of its own and the ways take turns; seconds
are those of the answer, without reading the plan and compiling. Beside the answer on ten times the
continuations, and the order sheet between bands, stands how many times that takes what they are
compared with.
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
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measure import add_out, child, show, spread, write

import stockpile as sp

if TYPE_CHECKING:
    from collections.abc import Callable

MORE = 10
"""Times as many continuations as in the first way."""
ANSWER, LONGER = "answer", "answer, ten times the continuations"
TONNES, BANDS = "order sheet, all in tonnes", "order sheet, partner in bands"
REPLAY = "replay"
BESIDE = {LONGER: ANSWER, BANDS: TONNES}
"""What is compared with what."""
WAYS = (ANSWER, LONGER, TONNES, BANDS, REPLAY)


def begun(instance: sp.Instance, plan: sp.Plan) -> sp.State:
    """Return a state in which the first hazard that comes by itself is in its third month."""
    hazard = next(row.hazard for row in instance.hazards if row.events_per_year > 0.0)
    state = sp.begun_state(instance, plan, [hazard])
    return replace(state, month=3)


def answer(way: str, instance: sp.Instance, plan: sp.Plan, count: int) -> Callable[[int], int]:
    """Return what is measured, made ready; it takes continuations and returns rows of its answer.

    Parameters
    ----------
    count
        Continuations of the first way.
    """
    state = begun(instance, plan)
    own, partner = (row.participant for row in instance.participants[:2])

    def respond(continuations: int) -> int:
        found = sp.respond(instance, plan, state, continuations=continuations, progress=False)
        return len(found.orders)

    def sheet(shown: sp.Plan | sp.RedactedPlan, known: sp.State) -> int:
        return len(sp.side_orders(instance, shown, known, own).orders)

    def replay(continuations: int) -> int:
        case = instance.stress[0].stress
        found = sp.replay(instance, plan, case, continuations=continuations, progress=False)
        return len(found.orders)

    hidden = (
        sp.redacted_plan(plan, instance, partner),
        sp.redacted_state(state, instance, partner),
    )
    ways: dict[str, Callable[[int], int]] = {
        ANSWER: respond,
        LONGER: lambda continuations: respond(max(MORE * continuations, 2)),
        TONNES: lambda _: sheet(plan, state),
        BANDS: lambda _: sheet(*hidden),
        REPLAY: lambda continuations: replay(max(continuations // MORE, 1)),
    }
    ways[way](2)  # Compiles.
    return ways[way]


def measured(way: str, folder: str, result: str, count: int) -> dict[str, float]:
    """Answer once, and return what that took."""
    instance = sp.load(folder)
    work = answer(way, instance, sp.Plan.load(result), count)
    began, cpu = time.monotonic(), time.process_time()
    rows = work(count)
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return {
        "seconds": time.monotonic() - began,
        "cpu": time.process_time() - cpu,
        "load": os.getloadavg()[0],
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit,
        "rows": rows,
    }


def main() -> None:
    """Measure and print; or be the child that measures one answer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", default="instances/us-japan-one-form")
    parser.add_argument("--continuations", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--gap", type=float, default=0.2)
    parser.add_argument("--child", nargs=2, metavar=("WAY", "RESULT"), help=argparse.SUPPRESS)
    add_out(parser)
    options = parser.parse_args()
    if options.child:
        way, result = options.child
        print(json.dumps(measured(way, options.instance, result, options.continuations)))
        return
    plan = sp.solve(sp.load(options.instance), gap=options.gap, scenarios=200, progress=False)
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        result = str(Path(folder) / "plan")
        plan.save(result)
        asked = [__file__, "--instance", options.instance]
        asked += ["--continuations", str(options.continuations)]
        for _ in range(options.repeat):
            for way in WAYS:
                run = child([*asked, "--child", way, result])
                assert not isinstance(run, str), run
                runs[way].append(run)
    cpu = {way: statistics.median(run["cpu"] for run in of_way) for way, of_way in runs.items()}
    rows = []
    for way, of_way in runs.items():
        beside = BESIDE.get(way)
        rows.append(
            {
                "way": way,
                **spread([run["seconds"] for run in of_way]),
                "cpu s": float(f"{cpu[way]:.4g}"),
                "peak MiB": round(max(run["peak_mib"] for run in of_way)),
                "times": "" if beside is None else f"{cpu[way] / cpu[beside]:.3g}",
                "orders": of_way[0]["rows"],
                "load": f"{statistics.median(run['load'] for run in of_way):.1f}",
            }
        )
        show(rows[-1], first=len(rows) == 1)
    write(options.out, "desk", rows)


if __name__ == "__main__":
    main()
