"""The command line: results on stdout or in files, messages on stderr, a status for each end.

0 solved, 2 wrong input or usage, 3 infeasible, 4 time limit without any plan, 1 anything else.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

import stockpile as sp
from stockpile.cli import main
from stockpile.plan import TABLES
from stockpile.tables import (
    CoverageTarget,
    Demand,
    DemandClass,
    Hazard,
    Material,
    Participant,
    RuleRow,
    ScenarioSettings,
    Source,
    Supply,
    Transfer,
)

TOY = Path(__file__).parent.parent / "instances" / "toy"
FILES = {"plan.json", *(f"{name}.csv" for name in TABLES)}
ENTRY = [sys.executable, "-c", "import sys; from stockpile.cli import main; sys.exit(main())"]


class Ran:
    """What a command has written and how it ended."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def run(capsys):
    """Run the command line in this process."""

    def command(*arguments):
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return command


def run_apart(*arguments, **more):
    """Run the command line in a process of its own, in a pipe."""
    ended = subprocess.run(
        [*ENTRY, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **more,
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr)


def assert_refused(ran, *words, status=2):
    """A mistake of the user: a short message that says what is wrong, and no result."""
    assert ran.status == status, ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert 0 < len(ran.err.splitlines()) <= 8
    for word in words:
        assert str(word) in ran.err


def drawn_instance(*, lot=2.0, count=300, **more):
    """Two nations and two materials, with hazards."""
    nations, materials = ("us", "japan"), ("gallium", "dy_oxide")

    def hazard(name, source, **cells):
        return Hazard(hazard=name, source=source, duration_sigma=0.7, severity_sd=0.15, **cells)

    made = sp.Instance(
        name="drawn",
        price_year=2025,
        horizon_months=60,
        scenario_settings=ScenarioSettings(count=count, seed=1),
        participants=tuple(
            Participant(participant=c, name=c, discount_rate_per_year=0.2, refill_per_month=0.05)
            for c in nations
        ),
        classes=tuple(
            DemandClass(demand_class=k, priority=i + 1, shortage_cost_multiple=multiple)
            for i, (k, multiple) in enumerate(
                (("defense", 40.0), ("essential", 6.0), ("industry", 1.5))
            )
        ),
        materials=tuple(
            Material(material=m, name=m, element="x", form="x", price_usd_per_kg=500.0, lot_t=lot)
            for m in materials
        ),
        demand=tuple(
            Demand(participant=c, material=m, demand_class=k, demand_t_per_year=tonnes)
            for c in nations
            for m in materials
            for k, tonnes in (("defense", 50.0), ("essential", 150.0), ("industry", 300.0))
        ),
        sources=tuple(Source(source=g, name=g) for g in ("china", "myanmar")),
        supply=tuple(
            Supply(participant=c, material=m, source=g, share=share)
            for c in nations
            for m in materials
            for g, share in (("china", 0.7), ("myanmar", 0.2))
        ),
        hazards=(
            hazard(
                "halt", "china", events_per_year=0.3, duration_median_months=8.0, severity_mean=0.6
            ),
            hazard(
                "embargo",
                "china",
                targets=("japan",),
                events_per_year=0.2,
                duration_median_months=5.0,
                severity_mean=0.8,
            ),
            hazard(
                "unrest",
                "myanmar",
                events_per_year=0.5,
                duration_median_months=3.0,
                severity_mean=0.8,
            ),
        ),
        transfers=(
            Transfer(
                from_participant="us", to_participant="japan", lag_months=1, cost_usd_per_t=1000.0
            ),
            Transfer(
                from_participant="japan", to_participant="us", lag_months=1, cost_usd_per_t=1000.0
            ),
        ),
        coverage=(
            CoverageTarget(demand_class=("defense",), metric="chance", level=0.9, confidence=0.9),
        ),
        **more,
    )
    sp.validate(made)
    return made


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder with hazards that is solved in a moment: two rules and large lots."""
    made = drawn_instance(
        lot=20.0,
        rules=(
            RuleRow(rule="open", relation=("*",), demand_class=("*",)),
            RuleRow(rule="closed", relation=("own",), demand_class=("*",)),
        ),
    )
    return sp.save(made, tmp_path_factory.mktemp("drawn") / "drawn")


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A folder that takes minutes: thousands of lots and scenarios, and a gap of 0 to prove."""
    made = drawn_instance(lot=0.1, count=2000)
    made = replace(made, solve_settings=replace(made.solve_settings, gap=0.0))
    return sp.save(made, tmp_path_factory.mktemp("slow") / "slow")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """The saved plan of the toy."""
    folder = tmp_path_factory.mktemp("toy") / "result"
    sp.solve(sp.load(TOY), progress=False).save(folder)
    return folder


@pytest.fixture
def toy(tmp_path):
    """A copy of the toy that may be changed."""
    shutil.copytree(TOY, tmp_path / "toy")
    return tmp_path / "toy"


def add(folder, table, *rows):
    with (folder / f"{table}.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows)


def edit(folder, name, old, new):
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


# --- solve --------------------------------------------------------------------------------------


def test_solve_prints_the_plan_and_says_how_to_save_it(run):
    ran = run("solve", TOY)
    assert ran.status == 0
    for word in ("toy", "optimal", "What to hold", "gallium", "japan", "promises", "4 of 4"):
        assert word in ran.out
    assert ran.err == f"Nothing was saved. Save the plan with: stockpile solve {TOY} --out DIR\n"


def test_solve_saves_exactly_the_documented_files_and_says_where(run, tmp_path):
    ran = run("solve", TOY, "--out", tmp_path / "result")
    assert ran.status == 0
    assert {path.name for path in (tmp_path / "result").iterdir()} == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
    assert str(tmp_path / "result") in ran.err
    assert "stockpile show" in ran.err
    assert "optimal" in ran.out


def test_json_is_the_saved_plan_and_nothing_else(run, tmp_path):
    ran = run("solve", TOY, "--json", "--out", tmp_path / "result")
    data = json.loads(ran.out)
    summary = json.loads((tmp_path / "result" / "plan.json").read_text(encoding="utf-8"))
    assert {key: data[key] for key in summary} == summary
    for name in TABLES:
        with (tmp_path / "result" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        written = [
            {column: "" if value is None else str(value) for column, value in record.items()}
            for record in data[name]
        ]
        assert written == rows


def test_json_without_a_folder_keeps_stderr_silent(run):
    ran = run("solve", TOY, "--json")
    assert ran.status == 0
    assert ran.err == ""
    assert json.loads(ran.out)["status"] == "optimal"


def test_options_of_solve_reach_the_plan(run, drawn, tmp_path):
    ran = run(
        "solve",
        drawn,
        "--out",
        tmp_path / "result",
        "--cooperation",
        "none",
        "--scenarios",
        77,
        "--seed",
        5,
        "--sampling",
        "stratified",
        "--gap",
        0.2,
        "--threads",
        1,
        "--time-limit",
        60,
        "--json",
    )
    assert ran.status == 0
    data = json.loads(ran.out)
    assert (data["cooperation"], data["scenario_count"], data["seed"]) == ("none", 77, 5)
    assert data["sampling"] == "stratified"
    assert data["gap"] <= 0.2


def test_solving_again_replaces_the_result(run, tmp_path):
    for cooperation in ("none", "sharing"):
        assert (
            run("solve", TOY, "--cooperation", cooperation, "--out", tmp_path / "result").status
            == 0
        )
    assert sp.Plan.load(tmp_path / "result").cooperation == "sharing"


def test_the_number_of_threads_changes_no_byte_but_the_seconds(run, drawn, tmp_path):
    texts = []
    for threads in (1, 2):
        folder = tmp_path / f"threads-{threads}"
        assert run("solve", drawn, "--gap", 0, "--threads", threads, "--out", folder).status == 0
        summary = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        assert summary.pop("seconds") > 0.0
        others = {path.name: path.read_bytes() for path in folder.iterdir()}
        del others["plan.json"]
        texts.append((json.dumps(summary), others))
    assert texts[0] == texts[1]


# --- solve: no plan -----------------------------------------------------------------------------


def test_an_infeasible_instance_names_the_promise_and_its_line(run, toy, tmp_path):
    """10,000 days of cover need 27 years of demand; at most one year may be held."""
    add(toy, "coverage", "japan,gallium,*,days,10000,,on,")
    ran = run("solve", toy, "--out", tmp_path / "result")
    assert ran.status == 3
    for word in ("coverage.csv line 4", "japan", "gallium", "days 10000", "at most 365", "max_t"):
        assert word in ran.err
    assert "infeasible" in ran.out
    shown = run("show", tmp_path / "result")
    assert shown.status == 0
    assert "coverage.csv line 4" in shown.out
    data = json.loads(run("solve", toy, "--json").out)
    assert data["status"] == "infeasible"
    assert len(data["conflicts"]) == 1
    assert data["annual_cost_usd"] is None


def test_an_infeasible_floor_says_that_partners_are_left_out(run, toy):
    """Alone, japan's defense gets what japan holds; 0 t may be held."""
    (toy / "holdings.csv").write_text("participant,material,max_t\njapan,gallium,0\n")
    (toy / "coverage.csv").write_text(
        "participant,material,demand_class,metric,level,stress,sharing\n"
        "japan,gallium,defense,stress,0.5,gallium_to_both,off\n"
    )
    ran = run("solve", toy)
    assert ran.status == 3
    assert "coverage.csv line 2" in ran.err
    assert "without partners" in ran.err


def test_promises_that_exclude_each_other_are_both_named(run, toy):
    """One rule serves defense only, the other industry only; each promise has its rule."""
    (toy / "rules.csv").write_text(
        "rule,relation,demand_class\nfirst,own,defense\nsecond,own,industry\n"
    )
    (toy / "coverage.csv").write_text(
        "participant,material,demand_class,metric,level,stress\n"
        "us,gallium,defense,stress,0.9,gallium_to_both\n"
        "us,gallium,industry,stress,0.9,gallium_to_both\n"
        "us,gallium,*,days,30,\n"
    )
    ran = run("solve", toy)
    assert ran.status == 3
    assert "together" in ran.err
    assert "line 2" in ran.err
    assert "line 3" in ran.err
    assert "line 4" not in ran.err  # It can be kept with either.


def test_conflicts_of_all_materials_are_named(run, toy):
    add(toy, "coverage", "japan,gallium,*,days,10000,,on,", "us,dy_oxide,*,days,9999,,on,")
    ran = run("solve", toy)
    assert ran.status == 3
    assert "gallium" in ran.err
    assert "dy_oxide" in ran.err


def test_limits_that_cannot_all_be_kept_are_named(run, toy):
    """Thirty days of gallium for both cost 3 million USD: 1 million is not enough."""
    edit(toy, "instance.toml", "[solve]", "[agreement]\njoint_budget_usd = 1e6\n\n[solve]")
    ran = run("solve", toy)
    assert ran.status == 3
    assert "the joint budget (1,000,000 USD)" in ran.err


def test_a_time_limit_without_any_plan_has_its_own_status_and_writes_nothing(run, tmp_path):
    ran = run("solve", TOY, "--time-limit", 1e-9, "--out", tmp_path / "result")
    assert ran.status == 4
    assert "time_limit" in ran.out
    for words in ("time ran out", "--time-limit", "Nothing was written"):
        assert words in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_time_limit_without_any_plan_leaves_an_earlier_result(run, tmp_path):
    folder = tmp_path / "result"
    run("solve", TOY, "--out", folder)
    assert run("solve", TOY, "--time-limit", 1e-9, "--out", folder).status == 4
    assert sp.Plan.load(folder).status is sp.Status.OPTIMAL


def test_a_saved_result_without_a_plan_is_shown_but_not_evaluated(run, tmp_path):
    folder = tmp_path / "result"
    sp.solve(sp.load(TOY), time_limit=1e-9, progress=False).save(folder)
    ran = run("show", folder)
    assert (ran.status, ran.err) == (0, "")
    assert "time_limit" in ran.out
    assert_refused(run("evaluate", TOY, folder), "time_limit")


def test_a_time_limit_with_a_plan_brings_the_plan_and_its_gap(run, slow, tmp_path):
    ran = run("solve", slow, "--time-limit", 1, "--out", tmp_path / "result")
    assert ran.status == 0
    plan = sp.Plan.load(tmp_path / "result")
    assert plan.status is sp.Status.TIME_LIMIT
    assert 0.0 < plan.gap < 1.0
    assert "time_limit" in ran.out


def test_what_is_not_built_yet_is_named(run, toy):
    (toy / "projects.csv").write_text(PROJECT, encoding="utf-8")
    assert run("validate", toy).status == 0
    assert_refused(run("foresight", toy), "does not know yet", "projects.csv")


PROJECT = """\
project,kind,material,capacity_t_per_year,beneficiaries,beneficiary_shares,funder,capital_usd,\
operating_usd_per_t,lead_median_months,lead_sigma
mine,mine,gallium,5,us,1,us,1e6,100,24,0.2
"""


# --- Wrong usage and wrong input ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "COMMAND"),
        (["slove", TOY], "slove"),
        (["solve"], "INSTANCE"),
        (["solve", TOY, "more"], "more"),
        (["solve", TOY, "--fast"], "--fast"),
        (["solve", TOY, "--out"], "--out"),
        (["solve", TOY, "--gap", "small"], "--gap"),
        (["solve", TOY, "--gap", "-0.1"], "gap"),
        (["solve", TOY, "--gap", "1"], "gap"),
        (["solve", TOY, "--gap", "nan"], "gap"),
        (["solve", TOY, "--time-limit", "0"], "time_limit"),
        (["solve", TOY, "--time-limit", "nan"], "time_limit"),
        (["solve", TOY, "--time-limit", "soon"], "--time-limit"),
        (["solve", TOY, "--cooperation", "both"], "--cooperation"),
        (["solve", TOY, "--scenarios", "0"], "scenarios"),
        (["solve", TOY, "--scenarios", "1e3"], "--scenarios"),
        (["solve", TOY, "--seed", "-1"], "seed"),
        (["solve", TOY, "--sampling", "lucky"], "--sampling"),
        (["solve", TOY, "--threads", "0"], "threads"),
        (["validate"], "INSTANCE"),
        (["evaluate", TOY], "RESULT"),
        (["show"], "RESULT"),
        (["show", TOY, "--json"], "--json"),
    ],
)
def test_wrong_usage_names_what_is_wrong(run, arguments, word):
    assert_refused(run(*arguments), word)


@pytest.mark.parametrize("option", ["--scenarios", "--seed", "--threads"])
def test_wrong_numbers_are_refused_by_evaluate(run, result, option):
    wrong = {"--scenarios": 0, "--seed": -1, "--threads": 0}[option]
    assert_refused(run("evaluate", TOY, result, option, wrong), option.removeprefix("--"))


@pytest.mark.parametrize("count", [10**15, 10**19])
def test_more_scenarios_than_memory_are_refused_without_a_traceback(run, drawn, count):
    ran = run("solve", drawn, "--scenarios", count)
    assert ran.status in (1, 2)
    assert "scenarios" in ran.err or "memory" in ran.err.lower()
    assert ran.out == ""


@pytest.mark.parametrize("command", ["solve", "validate", "evaluate", "show"])
@pytest.mark.parametrize("kind", ["missing", "a file", "empty"])
def test_a_folder_that_is_none_is_refused(run, result, tmp_path, command, kind):
    place = tmp_path / "place"
    if kind == "a file":
        place.write_text("x", encoding="utf-8")
    elif kind == "empty":
        place.mkdir()
    arguments = [command, place, result] if command == "evaluate" else [command, place]
    assert_refused(run(*arguments), "place")


@pytest.mark.parametrize("command", ["solve", "validate", "evaluate"])
def test_wrong_input_names_file_and_line(run, toy, result, command):
    edit(toy, "supply.csv", "us,gallium,china,1", "us,galium,china,1")
    arguments = [command, toy, result] if command == "evaluate" else [command, toy]
    assert_refused(run(*arguments), "supply.csv, line 2", "Did you mean gallium?")


def test_an_instance_is_no_result_and_a_result_no_instance(run, result):
    assert_refused(run("show", TOY), "plan.json")
    assert_refused(run("evaluate", TOY, TOY), "plan.json")
    assert_refused(run("solve", result), "instance.toml")


@pytest.mark.parametrize("command", ["show", "evaluate"])
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("plan.json", '"format": 1', '"format": 2'),
        ("plan.json", "{", ""),
        ("plan.json", '"status": "optimal"', '"status": "perfect"'),
        ("plan.json", '"annual_cost_usd": ', '"annual_cost_usd": "about", "was": '),
        ("holdings.csv", "lots", "pieces"),
        ("holdings.csv", "us,gallium,", "us,gallium,many"),
        ("coverage.csv", "True", "perhaps"),
    ],
)
def test_a_damaged_result_is_named(run, result, tmp_path, command, name, old, new):
    folder = tmp_path / "damaged"
    shutil.copytree(result, folder)
    edit(folder, name, old, new)
    arguments = ["show", folder] if command == "show" else ["evaluate", TOY, folder]
    assert_refused(run(*arguments), name)


def test_a_result_of_another_instance_is_refused_by_name(run, result, drawn):
    """The material, the rule or the class that does not fit is named."""
    ran = run("evaluate", drawn, result)
    assert ran.status == 2
    assert "does not fit" in ran.err
    assert "does not fit the instance" in ran.err
    assert "tuple" not in ran.err


# --- Where results go ---------------------------------------------------------------------------


@pytest.fixture
def never(monkeypatch):
    """Fail the test if anything is solved."""

    def solve(*_, **__):
        raise AssertionError("solved, although the result cannot be saved")

    monkeypatch.setattr("stockpile.solver.solve", solve)


@pytest.mark.usefixtures("never")
def test_a_folder_with_something_else_in_it_is_refused_before_solving(run, tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert_refused(run("solve", TOY, "--out", tmp_path), "--out", "notes.txt", "not empty")
    assert_refused(run("solve", TOY, "--out", TOY), "--out", "not empty")
    assert_refused(run("solve", TOY, "--out", tmp_path / "notes.txt"), "--out", "notes.txt")
    assert_refused(run("solve", TOY, "--out", tmp_path / "notes.txt" / "x"), "--out", "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.usefixtures("never")
def test_a_place_that_cannot_be_written_is_refused_before_solving(run, tmp_path):
    """Hours of work must not end with 'permission denied'."""
    place = tmp_path / "locked"
    place.mkdir(mode=0o500)
    if os.access(place, os.W_OK):  # The superuser may write anywhere but there.
        place = Path("/proc")
    if not place.is_dir():
        pytest.skip("no folder that cannot be written")
    assert_refused(run("solve", TOY, "--out", place / "result"), "--out", place)


@pytest.mark.usefixtures("never")
def test_a_name_too_long_is_refused_before_solving(run, tmp_path):
    assert_refused(run("solve", TOY, "--out", tmp_path / ("x" * 300)), "--out")


def test_a_disk_that_is_full_is_reported_in_a_line(run, tmp_path, monkeypatch):
    def fails(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fails)
    ran = run("solve", TOY, "--out", tmp_path / "result")
    assert ran.status == 1
    assert "No space left" in ran.err
    assert list(tmp_path.iterdir()) == []


# --- validate, evaluate, show -------------------------------------------------------------------


def test_validate_says_what_is_in_each_folder_and_goes_on_after_a_wrong_one(run, toy, drawn):
    edit(toy, "supply.csv", "us,gallium,china,1", "us,galium,china,1")
    ran = run("validate", toy, TOY, drawn)
    assert ran.status == 2
    assert len(ran.out.splitlines()) == 2
    assert f"{TOY}: valid; 2 participants, 2 materials, 2 coverage rows" in ran.out
    assert str(drawn) in ran.out
    assert "supply.csv, line 2" in ran.err
    assert run("validate", TOY, drawn).status == 0


def test_evaluate_prints_an_interval_and_what_is_broken(run, drawn, tmp_path):
    assert run("solve", drawn, "--out", tmp_path / "result").status == 0
    ran = run("evaluate", drawn, tmp_path / "result", "--scenarios", 500, "--seed", 12)
    assert ran.status == 0
    assert ran.err == ""
    for word in ("500 scenarios, seed 12", "95 % interval", "Coverage", "chance"):
        assert word in ran.out
    assert "stratified" not in ran.out
    even = run(
        "evaluate", drawn, tmp_path / "result", "--scenarios", 500, "--sampling", "stratified"
    )
    assert "500 scenarios, seed 2, stratified" in even.out
    assert_refused(run("evaluate", drawn, tmp_path / "result", "--seed", 1), "seed 1", "fresh")


def test_evaluate_notes_that_the_instance_has_changed(run, toy, result):
    edit(toy, "shortage.csv" if (toy / "shortage.csv").exists() else "classes.csv", "50", "51")
    ran = run("evaluate", toy, result)
    assert ran.status == 0
    assert "as it is now" in ran.err
    assert sp.load(toy).content_hash[:12] in ran.err


def test_evaluate_repeats_a_plan_on_given_scenarios(run, result):
    ran = run("evaluate", TOY, result)
    assert ran.status == 0
    assert ran.err == ""
    assert "gives its scenarios itself" in ran.out


def test_show_prints_what_solve_printed(run, tmp_path):
    """Saved or not, the tables are the same; only the seconds differ."""
    solved = run("solve", TOY)
    run("solve", TOY, "--out", tmp_path / "result")
    shown = run("show", tmp_path / "result")
    assert shown.status == 0
    assert shown.err == ""

    def tables(text):
        return [line for line in text.splitlines() if "status" not in line]

    assert tables(shown.out) == tables(solved.out)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_a_terminal_that_knows_few_letters_is_no_reason_to_fail(result, encoding, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["show", str(result)]) == 0
    stream.flush()
    assert b"gallium" in stream.buffer.getvalue()


# --- Help, version, speed of start --------------------------------------------------------------


def test_help_lists_the_commands_and_version_is_that_of_the_package(run):
    ran = run("--help")
    assert (ran.status, ran.err) == (0, "")
    for command in ("solve", "validate", "evaluate", "foresight", "export", "show"):
        assert command in ran.out
        helped = run(command, "--help")
        assert (helped.status, helped.err) == (0, "")
        assert f"usage: stockpile {command}" in helped.out
    ran = run("--version")
    assert (ran.status, ran.out, ran.err) == (0, f"stockpile {version('stockpile')}\n", "")


def test_help_version_and_validate_start_without_heavy_packages():
    script = f"""
import sys
from stockpile.cli import main
for arguments in (
    ["--help"], ["solve", "--help"], ["--version"], ["solve"], ["validate", {str(TOY)!r}]
):
    if arguments == ["solve", "--help"]:  # The list of all commands needs none of them.
        early = [name for name in sys.modules if name.startswith("stockpile.commands.")]
        assert early == ["stockpile.commands.exits"], early
    try:
        main(arguments)
    except SystemExit:
        pass
    heavy = sorted({{"numpy", "scipy", "pandas", "numba", "rich"}} & set(sys.modules))
    assert not heavy, (arguments, heavy)
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr


# --- In a pipe and on a terminal ----------------------------------------------------------------


def test_in_a_pipe_there_is_no_progress_and_no_colour(tmp_path):
    ran = run_apart("solve", TOY, "--out", tmp_path / "result")
    assert ran.status == 0
    for text in (ran.out, ran.err):
        assert "\r" not in text
        assert "\x1b" not in text
    assert ran.err.startswith("Written to")


def test_the_installed_command_is_the_same():
    command = Path(sys.executable).parent / "stockpile"
    if not command.exists():
        pytest.skip("the package is not installed")
    ended = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout == f"stockpile {version('stockpile')}\n"


def test_a_reader_that_has_gone_is_no_error(result):
    """As in: stockpile show result | head -1."""
    with subprocess.Popen(
        [*ENTRY, "show", str(result)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        message = process.stderr.read()
    assert "Traceback" not in message
    assert "Exception" not in message


OFTEN = Hazard(
    hazard="often",
    source="china",
    materials=("*",),
    targets=("*",),
    events_per_year=1.0,
    duration_median_months=3.0,
    duration_sigma=0.5,
    severity_mean=0.8,
)


class OnTerminal:
    """A solve whose stderr is a terminal, so that its progress shows when it is at work."""

    def __init__(self, *arguments):
        master, slave = pytest.importorskip("pty").openpty()
        self._master = master
        self.process = subprocess.Popen(
            [*ENTRY, *map(str, arguments)], stdout=subprocess.PIPE, stderr=slave, text=True
        )
        os.close(slave)
        self.shown = ""

    def wait_for(self, text, seconds=40.0):
        """Read what is shown until a text appears."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if not self._read(0.1) and self.process.poll() is not None:
                raise AssertionError(f"ended before it showed {text!r}: {self.shown}")

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def end(self, seconds=40.0):
        """Wait for the end and return what the command has left."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read(0.05)
        if self.process.poll() is None:
            self.process.kill()
            raise AssertionError(f"did not end: {self.shown[-500:]}")
        while self._read(0.05):
            pass
        os.close(self._master)
        return Ran(self.process.returncode, self.process.communicate()[0], self.shown)

    def _read(self, seconds):
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._master, 4096)
        except OSError:  # The other end is closed.
            return False
        self.shown += data.decode("utf-8")
        return bool(data)


def test_ctrl_c_ends_a_solve_with_the_best_plan_so_far(slow, tmp_path):
    solve = OnTerminal("solve", slow, "--out", tmp_path / "result")
    solve.wait_for("incumbent")
    solve.interrupt()
    ran = solve.end()
    assert ran.status == 1
    assert "Traceback" not in ran.err
    assert "interrupted" in ran.out
    assert "Written to" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
    assert {path.name for path in (tmp_path / "result").iterdir()} == FILES
    plan = sp.Plan.load(tmp_path / "result")
    assert plan.status is sp.Status.INTERRUPTED
    assert plan.found
    assert set(plan.holdings["material"]) == {"gallium", "dy_oxide"}  # The second one, too.
    assert plan.bound_usd <= plan.annual_cost_usd
    assert plan.gap == pytest.approx(1.0 - plan.bound_usd / plan.annual_cost_usd)
    # The progress went to the terminal alone and was wiped off before the messages.
    assert "\r" not in ran.out
    assert "\r" in ran.err
    assert all(len(line) < 80 for line in ran.err.split("Written")[0].split("\r"))


def test_two_ctrl_c_leave_nothing_half_written(slow, tmp_path):
    (tmp_path / "result").mkdir()
    solve = OnTerminal("solve", slow, "--out", tmp_path / "result")
    solve.wait_for("incumbent")
    solve.interrupt()
    time.sleep(0.02)
    solve.interrupt()
    ran = solve.end()
    assert ran.status == 1
    assert "Traceback" not in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
    written = {path.name for path in (tmp_path / "result").iterdir()}
    assert written in (set(), FILES)
    if written:
        sp.Plan.load(tmp_path / "result")
    else:
        assert "nothing was written" in ran.err


@pytest.mark.parametrize(
    ("command", "more", "told"),
    [
        ("respond", ["--state", "state", "--continuations", "3000000"], "1/2 gallium"),
        ("replay", ["--stress", "gallium_to_both", "--continuations", "3000000"], "1/5 month 1"),
        (
            "schedule",
            ["--from", "2027", "--years", "2", "--scenarios", "3000000"],
            "1/5 exposure of gallium",
        ),
    ],
)
def test_ctrl_c_ends_what_answers_from_a_plan(tmp_path, monkeypatch, command, more, told):
    """Progress on the terminal, one line at the end, and nothing half-written."""
    monkeypatch.chdir(tmp_path)
    world = replace(sp.load(TOY), scenarios=(), events=(), hazards=(OFTEN,))
    sp.save(world, "world")
    plan = sp.solve(world, scenarios=20, gap=0.5, progress=False)
    plan.save("plan")
    sp.save_state(sp.begun_state(world, plan, [OFTEN.hazard]), "state")
    before = {path.name for path in tmp_path.iterdir()}
    running = OnTerminal(command, "world", "plan", *more, "--out", "answer")
    running.wait_for(told, 90.0)
    time.sleep(0.5)
    running.interrupt()
    ran = running.end(90.0)
    assert ran.status == 1
    assert "Traceback" not in ran.err
    assert ran.err.rstrip().endswith("stockpile: interrupted; nothing was written")
    assert ran.out == ""
    assert {path.name for path in tmp_path.iterdir()} == before


def test_what_was_written_before_ctrl_c_is_named(tmp_path, monkeypatch, capsys):
    """The second of two files is stopped: the folder is there, and whole."""
    world = sp.load(TOY)
    plan = sp.solve(world, progress=False)
    plan.save(tmp_path / "plan")
    sp.save_state(sp.begun_state(world, plan), tmp_path / "state")

    def stopped(*_arguments, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("stockpile.desk.briefing.write_briefing", stopped)
    more = ["--state", str(tmp_path / "state"), "--continuations", "2"]
    files = ["--out", str(tmp_path / "answer"), "--briefing", str(tmp_path / "page.md")]
    assert main(["respond", str(TOY), str(tmp_path / "plan"), *more, *files]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"\nstockpile: interrupted; nothing was written but {tmp_path}/answer\n"
    assert (tmp_path / "answer" / "response.json").is_file()


def test_ctrl_c_at_the_start_leaves_no_traceback(slow, tmp_path):
    """While packages are still being loaded, too."""
    with subprocess.Popen(
        [*ENTRY, "solve", str(slow), "--out", str(tmp_path / "result")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            time.sleep(0.4)
            process.send_signal(signal.SIGINT)
            _, message = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode in (1, -signal.SIGINT)
    assert "Traceback" not in message
    assert {path.name for path in tmp_path.iterdir()} <= {"result"}
