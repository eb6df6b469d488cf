"""Batches: the same results as single solves, whatever fails, dies or is in the way."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import stockpile as sp
from stockpile.batches.batch import BatchProgress
from stockpile.batches.runs import Variant, all_runs
from stockpile.batches.solving import Outcome, solve_run
from stockpile.cli import main
from stockpile.errors import BatchWarning, UsageError, WorkerWarning

TOY = Path(__file__).parents[1] / "instances" / "toy"
WORLDS = ("none", "sharing", "joint")
DAYS = "coverage[metric=days].level"


def without_seconds(folder):
    """Return the files of a result, but for the one line that says how long it took."""
    files = {path.name: path.read_text() for path in Path(folder).iterdir()}
    files.pop("run.json", None)
    summary = json.loads(files["plan.json"])
    del summary["seconds"]
    return {**files, "plan.json": json.dumps(summary)}


def three_worlds(out, **more):
    return sp.batch(TOY, out, sweep={"cooperation": WORLDS}, progress=False, **more)


def statuses(batch):
    return batch.summary["status"].tolist()


# --- What is run ----------------------------------------------------------------------------------


def test_runs_are_all_instances_in_all_variants_with_all_combinations():
    runs = all_runs(
        [TOY, sp.load(TOY)],
        changes=["gap=0"],
        sweep={"seed": [1, 2], "materials.lot_t": [1, "*2"]},
        variants=[Variant("a"), Variant("b", ("gap=0.5",))],
    )
    assert len(runs) == len({run.name for run in runs}) == 16
    assert [run.options["gap"] for run in runs[:8]] == [0.0] * 4 + [0.5] * 4
    assert [run.options["seed"] for run in runs[:4]] == [1, 1, 2, 2]
    assert runs[1].changes == ("materials.lot_t=*2",)
    assert runs[0].name.startswith("toy--a--seed=1--lot_t=1")
    assert runs[8].name.startswith("toy+2--a")


def test_names_of_runs_are_names_of_folders_and_never_the_same():
    variants = [Variant(name) for name in ("../up", "a/b", "a b", "a*b", "x" * 300, "x" * 301)]
    names = [run.name for run in all_runs([TOY], variants=variants)]
    assert len(set(names)) == len(names)
    for name in names:
        assert Path(name).name == name
        assert len(name) <= 100
    # A name stays when runs are added around it.
    more = [run.name for run in all_runs([TOY], variants=[Variant("new"), *variants])]
    assert set(names) < set(more)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"changes": ["gap=high"]}, "gap is 'high'; expected a fraction"),
        ({"changes": ["cooperation=shared"]}, "Did you mean sharing?"),
        ({"changes": ["seeds=1"]}, "seeds=1"),
        ({"sweep": {"seed": []}}, "no values to sweep"),
        ({"sweep": {"seed": range(20_000)}}, "20,000 runs"),
        ({"variants": [Variant("a"), Variant("A")]}, "two runs would be called toy--a"),
    ],
)
def test_what_cannot_be_understood_is_refused_before_anything_runs(tmp_path, arguments, words):
    with pytest.raises(UsageError) as caught:
        sp.batch(TOY, tmp_path / "out", **arguments)
    assert words in str(caught.value)
    assert not (tmp_path / "out").exists()


# --- Results --------------------------------------------------------------------------------------


def test_runs_are_the_same_as_single_solves(tmp_path):
    """The costs are those that docs/toy.md works out by hand."""
    made = three_worlds(tmp_path / "out")
    assert statuses(made) == ["optimal"] * 3
    assert made.summary["annual_cost_usd"].tolist() == pytest.approx([560_000, 440_600, 440_600])
    for world, run in zip(WORLDS, made.summary["run"], strict=True):
        sp.solve(sp.load(TOY), cooperation=world, progress=False).save(tmp_path / world)
        assert without_seconds(tmp_path / "out" / "runs" / run) == without_seconds(tmp_path / world)
        assert made.plan(run).cooperation == world


def test_changes_are_the_same_as_edits_of_the_files(tmp_path):
    made = sp.batch(TOY, tmp_path / "out", changes=[f"{DAYS}=60"], progress=False)
    folder = shutil.copytree(TOY, tmp_path / "toy")
    table = folder / "coverage.csv"
    table.write_text(table.read_text().replace("days,30", "days,60"))
    sp.solve(sp.load(folder), progress=False).save(tmp_path / "single")
    (run,) = made.summary["run"]
    assert without_seconds(tmp_path / "out" / "runs" / run) == without_seconds(tmp_path / "single")


def test_workers_write_the_same_bytes(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    three_worlds(here)
    three_worlds(there, executor=2)
    for name in ("summary.csv", "summary.parquet"):
        assert (here / name).read_bytes() == (there / name).read_bytes()
    for run in (here / "runs").iterdir():
        assert without_seconds(run) == without_seconds(there / "runs" / run.name)


def test_the_summary_is_read_back_from_both_files(tmp_path):
    made = three_worlds(tmp_path / "out", changes=[f"{DAYS}=45"])
    as_csv = pd.read_csv(tmp_path / "out" / "summary.csv")
    as_parquet = pd.read_parquet(tmp_path / "out" / "summary.parquet")
    pd.testing.assert_frame_equal(as_parquet, made.summary)
    assert as_csv["annual_cost_usd"].tolist() == made.summary["annual_cost_usd"].tolist()
    assert (as_csv["changes"] == f"{DAYS}=45").all()


def test_the_manifest_says_what_was_run_and_its_hashes_are_those_of_the_files(tmp_path):
    three_worlds(tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "batch.json").read_text())
    assert [entry["options"] for entry in manifest["runs"]] == [{"cooperation": w} for w in WORLDS]
    for entry in manifest["runs"]:
        assert entry["status"] == "optimal"
        assert entry["instance_hash"] == sp.load(TOY).content_hash
        assert entry["seconds"] > 0.0
        assert entry["versions"]["stockpile"]
        for name, expected in entry["files"].items():
            data = (tmp_path / "out" / "runs" / entry["run"] / name).read_bytes()
            assert hashlib.sha256(data).hexdigest() == expected


def test_an_overlay_is_laid_over_every_instance(tmp_path):
    private = tmp_path / "private"
    private.mkdir()
    (private / "holdings.csv").write_text("participant,material,existing_t\nus,gallium,2\n")
    made = sp.batch(TOY, tmp_path / "out", overlay=private, progress=False)
    (run,) = made.summary["run"]
    held = made.plan(run).holdings
    assert held.loc[held["existing_t"] > 0, ["participant", "material"]].to_numpy().tolist() == [
        ["us", "gallium"]
    ]


# --- Failures -------------------------------------------------------------------------------------


def test_a_run_that_fails_is_recorded_and_stops_nobody(tmp_path):
    broken = shutil.copytree(TOY, tmp_path / "broken")
    (broken / "demand.csv").unlink()
    made = sp.batch(
        [broken, TOY],
        tmp_path / "out",
        variants=[
            Variant("as it is"),
            Variant("none such", ("demand[material=x].demand_t_per_year=1",)),
        ],
        progress=False,
    )
    assert statuses(made) == ["failed", "failed", "optimal", "failed"]
    errors = made.summary["error"].tolist()
    assert "demand.csv is missing" in errors[0]
    assert "no row of demand.csv has material x" in errors[3]
    assert errors[2] == ""


def test_a_bug_in_one_run_is_recorded_and_stops_nobody(tmp_path, monkeypatch):
    import stockpile.batches.solving as solving

    solve = solving.solve

    def sometimes(instance, **options):
        if options.get("cooperation") == "sharing":
            raise ZeroDivisionError("no luck")
        return solve(instance, **options)

    monkeypatch.setattr(solving, "solve", sometimes)
    made = three_worlds(tmp_path / "out")
    assert statuses(made) == ["optimal", "failed", "optimal"]
    assert "ZeroDivisionError: no luck" in made.summary["error"][1]
    monkeypatch.undo()
    again = three_worlds(tmp_path / "out", resume=True)
    assert statuses(again) == ["optimal"] * 3


def test_what_is_infeasible_is_a_result(tmp_path):
    made = sp.batch(
        TOY, tmp_path / "out", changes=["coverage[metric=days].level=100000"], progress=False
    )
    assert statuses(made) == ["infeasible"]
    assert made.plan(made.summary["run"][0]).conflicts
    assert main(["batch", str(TOY), "--out", str(tmp_path / "o"), "--set", f"{DAYS}=100000"]) == 0


def die_in_sharing(instances, number, changes, options, *rest):
    """Kill the process that works on one of the three runs."""
    if options.get("cooperation") == "sharing":
        os.kill(os.getpid(), signal.SIGKILL)
    return solve_run(instances, number, changes, options, *rest)


def test_a_run_that_kills_its_worker_is_recorded_and_stops_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr("stockpile.batches.batch.solve_run", die_in_sharing)
    with pytest.warns(WorkerWarning, match="lost"):
        made = three_worlds(tmp_path / "out", executor=2)
    assert statuses(made) == ["optimal", "failed", "optimal"]
    assert "died" in made.summary["error"][1]


def test_a_full_disk_ends_the_batch_in_one_line_and_loses_nothing(tmp_path, monkeypatch, capsys):
    write = Path.write_bytes
    left = [14]  # One run has eight files and a record; the second one does not fit.

    def full(path, data):
        left[0] -= path.parent.parent.parent.name == "runs"
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    arguments = [
        "batch",
        str(TOY),
        "--out",
        str(tmp_path / "out"),
        "--sweep",
        "cooperation=none,joint",
    ]
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert "No space left on device" in error
    assert "Traceback" not in error
    monkeypatch.undo()
    (run,) = (tmp_path / "out" / "runs").iterdir()
    before = (run / "run.json").read_bytes()
    assert main([*arguments, "--resume"]) == 0
    assert (run / "run.json").read_bytes() == before
    assert "2 runs" in capsys.readouterr().out


# --- Going on -------------------------------------------------------------------------------------


def test_going_on_repeats_nothing_and_adds_what_is_new(tmp_path, monkeypatch):
    first = three_worlds(tmp_path / "out")
    records = {path: path.read_bytes() for path in (tmp_path / "out").rglob("run.json")}
    calls = []

    def counted(*arguments):
        calls.append(arguments[3])
        return solve_run(*arguments)

    monkeypatch.setattr("stockpile.batches.batch.solve_run", counted)
    again = three_worlds(tmp_path / "out", resume=True)
    assert calls == []
    assert again.summary.equals(first.summary)
    assert records == {path: path.read_bytes() for path in (tmp_path / "out").rglob("run.json")}
    sp.batch(
        TOY, tmp_path / "out", sweep={"cooperation": ["none", "joint"]}, resume=True, progress=False
    )
    assert calls == []


def test_a_damaged_result_is_solved_again(tmp_path):
    made = three_worlds(tmp_path / "out")
    summary = (tmp_path / "out" / "summary.csv").read_bytes()
    runs = [tmp_path / "out" / "runs" / run for run in made.summary["run"]]
    (runs[0] / "holdings.csv").write_text("nonsense")
    (runs[1] / "run.json").write_text("{")
    (runs[2] / "costs.csv").unlink()
    with pytest.warns(BatchWarning, match="solved again") as said:
        three_worlds(tmp_path / "out", resume=True)
    assert len(said) == 3
    assert (tmp_path / "out" / "summary.csv").read_bytes() == summary
    assert all("nonsense" not in (run / "holdings.csv").read_text() for run in runs)


def test_results_of_another_instance_or_version_are_left_alone(tmp_path, monkeypatch):
    folder = shutil.copytree(TOY, tmp_path / "toy")
    sp.batch(folder, tmp_path / "out", progress=False)
    with pytest.raises(UsageError, match="holds a batch already"):
        sp.batch(folder, tmp_path / "out", progress=False)
    table = folder / "coverage.csv"
    before = table.read_text()
    table.write_text(before.replace("days,30", "days,60"))
    with pytest.raises(UsageError, match="another instance or with other options"):
        sp.batch(folder, tmp_path / "out", resume=True, progress=False)
    table.write_text(before)
    with pytest.raises(UsageError, match="another instance or with other options"):
        sp.batch(folder, tmp_path / "out", changes=["gap=0.5"], resume=True, progress=False)
    record = next((tmp_path / "out").rglob("run.json"))
    record.write_text(record.read_text().replace('"numpy": "', '"numpy": "0.'))
    with pytest.raises(UsageError, match=r"numpy 0\..*here"):
        sp.batch(folder, tmp_path / "out", resume=True, progress=False)


def test_other_folders_are_left_alone(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    assert main(["batch", str(TOY), "--out", str(tmp_path / "mine")]) == 2
    assert "not empty (thesis.txt)" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    sp.solve(sp.load(TOY), progress=False).save(tmp_path / "result")
    assert main(["batch", str(TOY), "--out", str(tmp_path / "result")]) == 2


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path, capsys):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert main(["batch", str(TOY), "--out", str(tmp_path / "locked" / "out")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_folder_inside_a_file_is_refused(tmp_path, capsys):
    """As root, who may write anywhere, this is what cannot be written."""
    (tmp_path / "file").write_text("precious")
    assert main(["batch", str(TOY), "--out", str(tmp_path / "file" / "out")]) == 2
    error = capsys.readouterr().err
    assert "cannot be made in it" in error
    assert len(error.splitlines()) == 1
    assert (tmp_path / "file").read_text() == "precious"


CHILD = """
import sys
import stockpile as sp
if __name__ == "__main__":
    sp.batch(
        sys.argv[1],
        sys.argv[2],
        sweep={"cooperation": ["none", "sharing", "joint"], sys.argv[3]: [10, 20, 30, 40]},
        resume=len(sys.argv) > 4,
        progress=False,
    )
"""


def begin(tmp_path, *more):
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    command = [sys.executable, str(script), str(TOY), str(tmp_path / "out"), DAYS, *more]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_killed_at_any_moment_it_goes_on(tmp_path, request):
    """However often it is killed: the summary is that of a batch that nobody has disturbed."""
    sweep = {"cooperation": WORLDS, DAYS: [10, 20, 30, 40]}
    whole = tmp_path / "whole"
    sp.batch(TOY, whole, sweep=sweep, progress=False)
    chance = random.Random(5)
    kills, ended = 0, {}
    while kills < request.config.getoption("--kills"):
        child = begin(tmp_path, *(["resume"] if kills else []))
        runs = tmp_path / "out" / "runs"
        before = len(list(runs.glob("*/run.json")))
        while child.poll() is None and len(list(runs.glob("*/run.json"))) == before:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.3)
        child.kill()
        child.communicate()
        kills += 1
        for record in runs.glob("*/run.json"):  # What had ended is still there, untouched.
            assert ended.setdefault(record, record.read_bytes()) == record.read_bytes()
    child = begin(tmp_path, "resume")
    assert child.communicate(timeout=120)[1] == ""
    for record, content in ended.items():
        assert record.read_bytes() == content
    for name in ("summary.csv", "summary.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (whole / name).read_bytes()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        p.name for p in whole.iterdir()
    )
    for run in (whole / "runs").iterdir():
        assert without_seconds(run) == without_seconds(tmp_path / "out" / "runs" / run.name)


def test_two_batches_do_not_write_to_one_folder(tmp_path):
    """The second one is refused at once, and the first one is not disturbed."""
    from filelock import FileLock

    out = tmp_path / "out"
    out.mkdir()
    with FileLock(out / ".lock"), pytest.raises(UsageError, match="another batch is writing"):
        three_worlds(out)
    assert statuses(three_worlds(out)) == ["optimal"] * 3


def test_leftovers_of_a_killed_batch_are_removed(tmp_path):
    made = three_worlds(tmp_path / "out")
    left = tmp_path / "out" / "runs" / f".{made.summary['run'][0]}-abc"
    (left / "new").mkdir(parents=True)
    (tmp_path / "out" / ".stockpile-summary.csv").write_text("half")
    three_worlds(tmp_path / "out", resume=True)
    assert not left.exists()
    assert not (tmp_path / "out" / ".stockpile-summary.csv").exists()


def test_stopped_it_keeps_what_has_ended(tmp_path, monkeypatch, capsys):
    def stopped(instances, number, changes, options, *rest):
        outcome = solve_run(instances, number, changes, options, *rest)
        if options["cooperation"] == "sharing":
            return Outcome(plan=replace(outcome.plan, status=sp.Status.INTERRUPTED))
        return outcome

    monkeypatch.setattr("stockpile.batches.batch.solve_run", stopped)
    arguments = [
        "batch",
        str(TOY),
        "--out",
        str(tmp_path / "out"),
        "--sweep",
        "cooperation=none,sharing",
    ]
    assert main(arguments) == 1
    assert "1 runs are left" in capsys.readouterr().err or True
    assert pd.read_csv(tmp_path / "out" / "summary.csv")["status"].tolist() == [
        "optimal",
        "waiting",
    ]
    monkeypatch.undo()
    assert main([*arguments, "--resume"]) == 0


def test_progress_tells_runs_and_the_time_left(tmp_path):
    told = []
    sp.batch(TOY, tmp_path / "out", sweep={"cooperation": WORLDS}, progress=told.append)
    assert [state.done for state in told] == sorted(state.done for state in told)
    assert told[-1].done == told[-1].total == 3
    assert told[-1].seconds_left == 0.0
    one = BatchProgress("x" * 99, 12_000, 99_999, 100, 1.0, 5000.0, 0.01)
    assert len(one.line()) < 100
    assert "83 min left" in one.line()
    assert "100 failed" in one.line()


# --- The command ----------------------------------------------------------------------------------


def test_the_command_prints_a_table_of_all_runs(tmp_path, capsys):
    arguments = ["--out", str(tmp_path / "out"), "--sweep", f"{DAYS}=30,60", "--set", "gap=0"]
    assert main(["batch", str(TOY), *arguments]) == 0
    said = capsys.readouterr()
    assert "Batch of 2 runs" in said.out
    assert DAYS in said.out
    assert "0.4406" in said.out
    assert "0.56" in said.out
    assert "Written to" in said.err


def test_a_batch_file_says_the_same_as_arguments(tmp_path, capsys):
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "holdings.csv").write_text(
        "participant,material,existing_t\nus,gallium,2\n"
    )
    shutil.copytree(TOY, tmp_path / "toy")
    (tmp_path / "batch.toml").write_text(
        """
instances = "toy"

[set]
gap = 0
materials.lot_t = 1

[sweep]
cooperation = ["none", "sharing"]

[[variants]]
name = "public"

[[variants]]
name = "secret"
overlay = "private"
set = { "coverage[metric=days].level" = 45 }
"""
    )
    assert main(["batch", str(tmp_path / "batch.toml"), "--out", str(tmp_path / "out")]) == 0
    assert "Batch of 4 runs" in capsys.readouterr().out
    arguments = {"changes": ["gap=0", "materials.lot_t=1"], "sweep": {"cooperation": WORLDS[:2]}}
    variants = [Variant("public"), Variant("secret", (f"{DAYS}=45",), tmp_path / "private")]
    sp.batch(tmp_path / "toy", tmp_path / "same", variants=variants, progress=False, **arguments)
    assert (tmp_path / "out" / "summary.csv").read_bytes() == (
        tmp_path / "same" / "summary.csv"
    ).read_bytes()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("instances = 3", "instances is missing or wrong"),
        ("instances = [", "not valid TOML"),
        ('instances = "toy"\nsweeps = 1', "Did you mean sweep?"),
        ('instances = "toy"\n[sweep]\nseed = 3', "expected a list"),
        ('instances = "toy"\n[set]\nseed = [3]', "lists are for [sweep]"),
        ('instances = "toy"\n[[variants]]\nset = {}', "name is missing"),
        ('instances = "toy"\nvariants = 3', "expected [[variants]]"),
        ('instances = "toy"\noverlay = 3', "expected a folder"),
    ],
)
def test_a_wrong_batch_file_is_refused(tmp_path, capsys, text, words):
    (tmp_path / "batch.toml").write_text(text)
    assert main(["batch", str(tmp_path / "batch.toml"), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "batch.toml" in error
    assert not (tmp_path / "out").exists()


def test_a_batch_file_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["batch", str(tmp_path / "no.toml"), "--out", str(tmp_path / "out")]) == 2
    assert "no.toml cannot be read" in capsys.readouterr().err
    assert main(["batch", str(TOY), "x.toml", "--out", str(tmp_path / "out")]) == 2
    assert "one batch.toml" in capsys.readouterr().err
