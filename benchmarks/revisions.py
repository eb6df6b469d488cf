"""Two revisions of the code side by side: seconds and peak memory of the same solve.

    python benchmarks/revisions.py OLD NEW [--instance DIR] [--gap G] [--repeat N] [--out DIR]

OLD and NEW are what ``git worktree add`` takes, such as ``HEAD~5`` and ``HEAD``. Both run in this
environment, in turn, round by round, after a warm-up that compiles their kernels. The instance is
that of the folder, whatever it was in the revisions.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from measure import add_out, child, show, spread, write

CHILD = """
import json, os, resource, sys
os.chdir(sys.argv[1])
sys.path.insert(0, sys.argv[1])
os.environ["NUMBA_CACHE_DIR"] = sys.argv[1] + "/numba"
import stockpile as sp
assert sp.__file__.startswith(sys.argv[1]), sp.__file__
plan = sp.solve(sp.load(sys.argv[2]), gap=float(sys.argv[3]), progress=False)
print(json.dumps({
    "seconds": plan.seconds, "gap": plan.gap, "cost": plan.annual_cost_usd,
    "simulations": int(plan.certificates["simulations"].sum()),
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    / (1024 if sys.platform != "darwin" else 1024**2),
}))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revisions", metavar="REVISION", nargs=2)
    parser.add_argument("--instance", default="instances/us-japan-one-form")
    parser.add_argument("--gap", type=float, default=0.01)
    parser.add_argument("--repeat", type=int, default=3)
    add_out(parser)
    options = parser.parse_args()
    instance = str(Path(options.instance).resolve())
    with tempfile.TemporaryDirectory() as folder:
        trees = [str(Path(folder).resolve() / side) for side in ("old", "new")]
        for tree, revision in zip(trees, options.revisions, strict=True):
            git("worktree", "add", "--detach", tree, revision)
        try:
            runs: list[list[dict[str, Any]]] = [[], []]
            for number in range(options.repeat + 1):
                for own, tree in zip(runs, trees, strict=True):
                    run = child(["-c", CHILD, tree, instance, str(options.gap)])
                    assert not isinstance(run, str), run
                    if number:  # The first one compiles.
                        own.append(run)
        finally:
            for tree in trees:
                git("worktree", "remove", "--force", tree)
    rows: list[dict[str, Any]] = []
    old = statistics.median(run["seconds"] for run in runs[0])
    for revision, own in zip(options.revisions, runs, strict=True):
        median = statistics.median(run["seconds"] for run in own)
        rows.append(
            {
                "revision": revision,
                **spread([run["seconds"] for run in own]),
                "old / this": f"{old / median:.2f}",
                "peak MiB": round(max(run["peak_mib"] for run in own)),
                "candidates simulated": own[0]["simulations"],
                "gap proved": f"{own[0]['gap']:.5f}",
                "cost": f"{own[0]['cost']:.0f}",
            }
        )
        show(rows[-1], first=len(rows) == 1)
    write(options.out, "revisions", rows)


def git(*arguments: str) -> None:
    """Run git in this repository."""
    root = Path(__file__).resolve().parents[1]
    subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    main()
