"""Start-up: what a user waits for before anything is computed.

    python benchmarks/startup.py [--repeat N] [--instance DIR]

Runs commands in turn, round by round, and prints minimum, median and maximum of their seconds, the
median as a multiple of ``python -c pass`` in the same rounds, and peak memory. A first solve
compiles the kernels into an empty cache; it is run once.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = [str(Path(sys.executable).with_name("stockpile"))]


def run(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a command; return its seconds and the peak memory of its process [MiB]."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    message = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status != 0:
        sys.exit(f"{' '.join(command)} failed:\n{message.decode()}")
    return seconds, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", default="instances/toy")
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(Path(folder) / "numba")}
        results = (str(Path(folder) / f"result{number}") for number in itertools.count())
        solve = [*COMMAND, "solve", options.instance, "--out"]
        first = run([*solve, next(results)], environment)
        rounds: dict[str, list[tuple[float, float]]] = {}
        for _ in range(options.repeat):
            for name, command in (
                ("python -c pass", [sys.executable, "-c", "pass"]),
                ("stockpile --help", [*COMMAND, "--help"]),
                ("stockpile validate", [*COMMAND, "validate", options.instance]),
                ("stockpile solve, second", [*solve, next(results)]),
            ):
                rounds.setdefault(name, []).append(run(command, environment))
    print("command | seconds min / median / max | times python -c pass | peak MiB")
    unit = statistics.median(seconds for seconds, _ in rounds["python -c pass"])
    rounds["stockpile solve, first"] = [first]
    for name, measured in rounds.items():
        seconds = sorted(second for second, _ in measured)
        middle = statistics.median(seconds)
        print(
            f"{name} | {seconds[0]:.3f} / {middle:.3f} / {seconds[-1]:.3f} | {middle / unit:.1f} | "
            f"{max(mib for _, mib in measured):.0f}"
        )


if __name__ == "__main__":
    main()
