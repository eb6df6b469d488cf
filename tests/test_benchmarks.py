"""Benchmarks at their smallest: that they run, and that what they compare has the same answer.

Nothing here looks at a time.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PEERS = {
    "linopy": ["linopy"],
    "stochlift": ["stochlift"],
    "mpisppy-ef": ["mpisppy", "mpi4py"],
    "mpisppy": ["mpisppy", "mpi4py"],
    "benderslib": ["benderslib", "pyscipopt"],
}
"""Ways to solve the foresight model, and the packages that they need besides our own."""


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


def table(folder: Path, name: str) -> list[dict[str, str]]:
    """Return the rows of a table that a benchmark has written."""
    with (folder / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_gap_of_chains_closes_with_time(tmp_path):
    small = ("--scenarios", "20", "--lots", "4", "--forms", "1", "2", "--seconds", "0", "30")
    run("chains", *small, "--out", str(tmp_path))
    rows = table(tmp_path, "chains")
    assert [(row["forms"], row["after seconds"]) for row in rows] == [
        ("1", "0"), ("1", "30"), ("2", "0"), ("2", "30"),
    ]  # fmt: skip
    gaps = [float(row["gap"].rstrip("%")) for row in rows]
    assert gaps[1] <= 0.1
    assert gaps[3] <= 0.1


@pytest.mark.thorough
def test_all_ways_to_solve_the_foresight_model_have_one_optimum(tmp_path):
    small = ("--materials", "3", "--scenarios", "60", "--repeat", "1", "--out", str(tmp_path))
    run("foresight", *small, "--ways", "cuts", "sums", "months", "pyomo", "dense")
    rows = table(tmp_path, "foresight")
    assert [row["way"] for row in rows] == ["cuts", "sums", "months", "pyomo", "dense"]
    assert all(float(row["difference"]) < 1e-8 for row in rows)
    variables = {row["way"]: int(row["variables"]) for row in rows}
    assert variables["cuts"] < variables["sums"] < variables["months"] == variables["pyomo"]
    assert variables["months"] < variables["dense"]


def test_other_packages_have_the_same_optimum(tmp_path):
    installed = [way for way, packages in PEERS.items() if all(map(find_spec, packages))]
    if not installed:
        pytest.skip("None of them is installed.")
    small = ("--materials", "1", "--scenarios", "15", "--repeat", "1", "--out", str(tmp_path))
    run("foresight", *small, "--ways", *installed)
    rows = table(tmp_path, "foresight")
    assert [row["way"] for row in rows] == installed
    assert all(row["ended"] == "" and float(row["difference"]) < 1e-8 for row in rows)


def test_rules_as_a_mixed_integer_program_have_our_optimum():
    """On the toy instance, which is worked by hand."""
    task = {"instance": "instances/toy", "scenarios": None, "gap": 0.0, "seconds": 100.0}
    for way in ("boxes", "mip"):
        solved = json.loads(run("rules_ways", way, json.dumps(task)).splitlines()[-1])
        assert solved["found"] == pytest.approx([120_600.0, 320_000.0])
    assert solved["said"] == pytest.approx(solved["found"])  # By the program, and by simulation.
    assert solved["reached"]


def test_searches_from_outside_come_near_our_optimum(tmp_path):
    ways = ("de-all",) + ("tpe",) * (find_spec("optuna") is not None)
    size = ("--size", "1", "50", "24", "3", "--seeds", "1", "--repeat", "1")
    run("rules", *size, "--ways", *ways, "--out", str(tmp_path))
    rows = table(tmp_path, "rules")
    assert [row["way"] for row in rows] == ["boxes", "boxes", "boxes-1", *ways]
    assert all(row["reached"] == "1" for row in rows)
    assert all(0.0 <= float(row["above"].rstrip("%")) <= 1.0 for row in rows)


def test_rows_measured_anew_replace_the_old_ones(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    measure = import_module("measure")
    old = [{"axis": "rules", "s": 2}, {"axis": "lots", "s": 8}, {"axis": "rules", "s": 3}]
    measure.write(tmp_path, "growth", old, "axis")
    measure.write(tmp_path, "growth", [{"axis": "rules", "s": 1}], "axis")
    measure.write(tmp_path, "growth", [{"axis": "months", "s": 5}], "axis")
    rows = [(row["axis"], row["s"]) for row in table(tmp_path, "growth")]
    assert rows == [("rules", "1"), ("lots", "8"), ("months", "5")]


def test_figures_of_the_tables_in_the_repository(tmp_path):
    pytest.importorskip("matplotlib")
    run("figures", "--out", str(tmp_path))
    drawn = {path.stem: path.stat().st_size for path in tmp_path.glob("*.svg")}
    assert set(drawn) == {"foresight", "growth", "rules"}
    assert max(drawn.values()) < 200_000


def test_the_kernel_is_measured_beside_the_reference_and_the_limit():
    printed = run("kernel", "--candidates", "16", "--repeat", "1")
    row = printed.splitlines()[2].split(" | ")
    assert row[0] == "16"
    assert all(float(part) > 0.0 for part in row[2:])


@pytest.mark.thorough
@pytest.mark.parametrize("axis", ["lots", "participants"])
def test_growth_along_an_axis(tmp_path, axis):
    run(
        "growth", "--axes", axis, "--sizes", "1", "2", "--base", "1", "100", "24",
        "--repeat", "1", "--out", str(tmp_path),
    )  # fmt: skip
    rows = table(tmp_path, "growth")
    assert [(row["axis"], row["size"]) for row in rows] == [(axis, "1"), (axis, "2")]
    assert all(int(row["candidates simulated"]) > 0 for row in rows)
    assert [bool(row["exponent of time"]) for row in rows] == [False, True]


@pytest.mark.thorough
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


def test_batches_are_the_same_one_by_one_and_at_once():
    said = run("batches", "--instance", "instances/toy", "--scenarios", "4")
    assert "runs of the same bytes: 12 of 12" in said
    assert "summary of the same bytes: True" in said
    assert "last run as a single solve: True" in said


def test_answers_of_the_desk_are_the_same_whatever_is_measured(tmp_path):
    small = ("--instance", "instances/rare-earths", "--continuations", "4", "--repeat", "1")
    run("desk", *small, "--gap", "0.5", "--out", str(tmp_path))
    orders = {row["way"]: int(row["orders"]) for row in table(tmp_path, "desk")}
    assert len(orders) == 5
    assert orders["answer"] == orders["answer, ten times the continuations"]
    # A sheet between bands lists whatever may have to be released.
    assert 0 < orders["order sheet, all in tonnes"] <= orders["order sheet, partner in bands"]
    assert orders["order sheet, all in tonnes"] < orders["answer"]


def test_calendars_of_more_years_are_proved_as_well(tmp_path):
    small = ("--instance", "instances/toy", "--years", "1", "2", "--repeat", "1")
    run("buying", *small, "--out", str(tmp_path))
    rows = table(tmp_path, "buying")
    assert [row["years"] for row in rows] == ["1", "2"]
    assert rows[0]["times"] == "1"
    assert all(float(row["gap by the solver"].rstrip(" %")) <= 1.0 for row in rows)
