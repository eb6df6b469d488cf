"""Benchmarks at their smallest: that they run, and that what they compare has the same answer.

Nothing here looks at a time.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(script: str, *arguments: str) -> str:
    """Run a benchmark and return what it prints."""
    done = subprocess.run(
        [sys.executable, f"benchmarks/{script}.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_ways_to_solve_the_foresight_model_have_one_optimum(tmp_path):
    small = ("--materials", "3", "--scenarios", "60", "--repeat", "1", "--out", str(tmp_path))
    run("foresight", *small, "--ways", "cuts", "sums", "months", "pyomo")
    with (tmp_path / "foresight.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["way"] for row in rows] == ["cuts", "sums", "months", "pyomo"]
    assert all(float(row["difference"]) < 1e-8 for row in rows)
    variables = {row["way"]: int(row["variables"]) for row in rows}
    assert variables["cuts"] < variables["sums"] < variables["months"] == variables["pyomo"]


def test_the_kernel_is_measured_beside_the_reference_and_the_limit():
    printed = run("kernel", "--candidates", "16", "--repeat", "1")
    row = printed.splitlines()[2].split(" | ")
    assert row[0] == "16"
    assert all(float(part) > 0.0 for part in row[2:])


@pytest.mark.parametrize("axis", ["lots", "participants"])
def test_growth_along_an_axis(tmp_path, axis):
    run(
        "growth", "--axes", axis, "--sizes", "1", "2", "--base", "1", "100", "24",
        "--repeat", "1", "--out", str(tmp_path),
    )  # fmt: skip
    with (tmp_path / "growth.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["axis"], row["size"]) for row in rows] == [(axis, "1"), (axis, "2")]
    assert all(int(row["candidates simulated"]) > 0 for row in rows)
    assert [bool(row["exponent of time"]) for row in rows] == [False, True]


def test_sampling_compares_both_ways_of_drawing(tmp_path):
    small = ("--instance", "instances/rare-earths", "--scenarios", "100", "--seeds", "3")
    printed = run("sampling", *small, "--out", str(tmp_path))
    assert "plain" in printed
    with (tmp_path / "sampling.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["figure"] == "cost"
    assert {"chance, confidence from 0.99", "fill_rate"} <= {row["figure"] for row in rows}
    for row in rows:
        columns = ("minimum", "lower quartile", "median", "upper quartile", "maximum")
        ratios = [float(row[column]) for column in columns]
        assert ratios == sorted(ratios)
        assert ratios[0] > 0.0
        assert int(row["that vary"]) <= int(row["number"])
