"""Twelve variants of an instance, one after the other and on two workers: seconds, and same bytes.

    python benchmarks/batches.py [--instance DIR] [--gap G] [--scenarios N] [--workers N]

Each batch is a process of its own, after a warm-up that compiles the kernels. Then all files of all
runs are compared, and those of one run with a single solve, but for the seconds in ``plan.json``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STOCKPILE = [sys.executable, "-c", "import sys; from stockpile.cli import main; sys.exit(main())"]
SEEDS = (1, 2, 3, 4)
WORLDS = ("none", "sharing", "joint")


def content(folder: Path) -> dict[str, str]:
    """Return the files of a result without the seconds, and without the record of a batch."""
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    files.pop("run.json", None)
    summary = json.loads(files["plan.json"])
    del summary["seconds"]
    return {**files, "plan.json": json.dumps(summary)}


def stockpile(*arguments: str) -> float:
    """Run a command and return the seconds that it took."""
    began = time.monotonic()
    subprocess.run([*STOCKPILE, *arguments], check=True, capture_output=True)
    return time.monotonic() - began


def main() -> None:
    """Measure, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", default="instances/us-japan-one-form")
    parser.add_argument("--gap", type=float, default=0.1)
    parser.add_argument("--scenarios", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    stockpile("solve", "instances/toy")
    of_solve = {"gap": options.gap, "scenarios": options.scenarios}
    asked = ["batch", options.instance]
    asked += [f"--set={key}={value}" for key, value in of_solve.items()]
    asked += [
        f"--sweep=seed={','.join(map(str, SEEDS))}",
        f"--sweep=cooperation={','.join(WORLDS)}",
    ]
    with tempfile.TemporaryDirectory() as folder:
        here, there, single = (Path(folder) / name for name in ("here", "there", "single"))
        alone = stockpile(*asked, "--out", str(here))
        at_once = stockpile(*asked, "--out", str(there), "--workers", str(options.workers))
        runs = sorted(run.name for run in (here / "runs").iterdir())
        same = sum(content(here / "runs" / run) == content(there / "runs" / run) for run in runs)
        last = json.loads((here / "batch.json").read_text(encoding="utf-8"))["runs"][-1]
        flags = [f"--{key}={value}" for key, value in last["options"].items()]
        stockpile("solve", options.instance, *flags, "--out", str(single))
        as_single = content(single) == content(here / "runs" / last["run"])
        summaries = [(path / "summary.csv").read_bytes() for path in (here, there)]
    print("way | seconds")
    print(f"one after the other | {alone:.1f}")
    print(f"{options.workers} workers | {at_once:.1f}")
    print(f"runs of the same bytes: {same} of {len(runs)}")
    print(f"summary of the same bytes: {summaries[0] == summaries[1]}")
    print(f"last run as a single solve: {as_single}")


if __name__ == "__main__":
    main()
