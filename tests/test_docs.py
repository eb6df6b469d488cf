"""The documentation says what the program does: tables, equations, links and every example.

Examples run in a folder that looks like the root of the repository, so what they write leaves the
repository alone. In a ``console`` block only ``stockpile`` commands run. A line ``...`` stands for
any lines; seconds and hashes may differ. ``exit=N`` after the word ``console`` tells an exit
status other than 0, and ``no-test`` keeps any block from being run. ``file=PATH`` after the first
word of a block has it written to a file before the rest of the page.
"""

import contextlib
import importlib
import io
import json
import os
import re
import shlex
from pathlib import Path

import pytest

import stockpile as sp
from stockpile import cli, rules
from stockpile.batches.runs import _OPTIONS as RUN_OPTIONS
from stockpile.batches.summary import COLUMNS as SUMMARY_COLUMNS
from stockpile.cells import Choice, Flag, KeyOf, Name, NameList, Number, NumberList, Text, Whole
from stockpile.commands import exits
from stockpile.overlay import KEYS as OVERLAY_KEYS
from stockpile.plan import TABLES as RESULT_TABLES
from stockpile.plan import Plan, Status
from stockpile.tables import REQUIRED_TABLES, SECTIONS, TABLES, Header, columns

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        ROOT / "benchmarks" / "README.md",
        ROOT / "examples" / "README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
)
FORMAT_PAGE = (ROOT / "docs" / "instance-format.md").read_text(encoding="utf-8")
BATCH_PAGE = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
PRIVATE_PAGE = (ROOT / "docs" / "how-to" / "private-data.md").read_text(encoding="utf-8")
FORMULATION = (ROOT / "docs" / "formulation.md").read_text(encoding="utf-8")


def page_id(page):
    return page.relative_to(ROOT).as_posix()


def heading_and_table(text, heading):
    """Cells of the first table below a heading, without the row of column names."""
    lines = text.splitlines()
    assert lines.count(heading) == 1, f"the page needs one heading {heading!r}"
    rows = []
    for line in lines[lines.index(heading) + 1 :]:
        if line.startswith("#") or (rows and not line.startswith("|")):
            break
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert len(rows) > 2, f"no table below {heading!r}"
    return rows[2:]


# --- The format -----------------------------------------------------------------------------------


def number_in_words(cell):
    kind = "whole number" if isinstance(cell, Whole) else "number"
    if None not in (cell.at_least, cell.at_most):
        if cell.at_least == cell.at_most:
            return f"{cell.at_least:g}"
        return f"{kind}, {cell.at_least:g} to {cell.at_most:g}"
    ends = [
        f"{sign} {end:g}"
        for sign, end in (
            ("≥", cell.at_least),
            (">", cell.above),
            ("≤", cell.at_most),
            ("<", cell.below),
        )
        if end is not None
    ]
    return ", ".join([kind, *ends])


def values_in_words(cell):
    """What the page says of the values of a cell."""
    match cell:
        case Text():
            return "text"
        case Name():
            return "name"
        case KeyOf():
            return " or ".join([f"a name of `{cell.table}`", *(f"`{word}`" for word in cell.also)])
        case NameList():
            names = f"names of `{cell.table}`" if cell.table else "`" + "`, `".join(cell.options)
            return names + ("" if cell.table else "`") + (" or `*`" if cell.star else "")
        case Choice():
            return "`" + "`, `".join(cell.options) + "`"
        case Flag():
            return "`true`, `false`"
        case NumberList():
            return f"list of: {number_in_words(cell.number)}"
        case Number():
            return number_in_words(cell)
    raise AssertionError(cell)


def unit_of(cell):
    cell = cell.number if isinstance(cell, NumberList) else cell
    return getattr(cell, "unit", "")


def default_in_words(column):
    if column.required:
        return "required"
    if column.default is None:
        return "none"
    text = column.write(column.default)
    if not text:
        return "empty"
    return text if isinstance(column.cell, Number) else f"`{text}`"


def declared(row_type, *, without=()):
    """The first four cells of the page's rows for a table, as the code declares them."""
    rows = []
    for item in columns(row_type):
        values = values_in_words(item.cell)
        if getattr(row_type, "key", ()) == (item.attribute,):
            values += ", unique"
        if item.name not in without:
            rows.append([f"`{item.name}`", unit_of(item.cell), default_in_words(item), values])
    return rows


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_a_table_is_documented_and_the_reverse(table):
    without = ("note",) if table == "references" else ("note", "ref")
    rows = heading_and_table(FORMAT_PAGE, f"### `{table}.csv`")
    assert [row[:4] for row in rows] == declared(TABLES[table], without=without)
    assert all(len(row) == 5 and row[4] for row in rows)


def test_columns_that_all_tables_share_are_documented():
    rows = heading_and_table(FORMAT_PAGE, "### Columns of every table")
    own = [item.name for item in columns(TABLES["supply"]) if item.name not in ("note", "ref")]
    assert [row[:4] for row in rows] == declared(TABLES["supply"], without=own)


def test_every_setting_is_documented_and_the_reverse():
    rows = heading_and_table(FORMAT_PAGE, "### Keys at the top")
    # In a file the version of the format has to stand; in memory it has a default.
    assert [row[:4] for row in rows] == [
        [row[0], row[1], "required", row[3]] if row[0] == "`format`" else row
        for row in declared(Header)
    ]
    for section, (_, settings_type) in SECTIONS.items():
        rows = heading_and_table(FORMAT_PAGE, f"### `[{section}]`")
        assert [row[:4] for row in rows] == declared(settings_type)


def test_the_list_of_tables_is_complete():
    rows = heading_and_table(FORMAT_PAGE, "## Tables")
    assert [row[0] for row in rows] == [f"[`{name}.csv`](#{name}csv)" for name in TABLES]
    assert [row[1] for row in rows] == ["yes" if name in REQUIRED_TABLES else "" for name in TABLES]


def test_no_other_table_is_documented():
    named = re.findall(r"^### `(\w+)\.csv`$", FORMAT_PAGE, re.MULTILINE)
    assert named == list(TABLES)
    named = re.findall(r"^### Result: `([\w.]+)`$", FORMAT_PAGE, re.MULTILINE)
    assert named == ["plan.json", *(f"{name}.csv" for name in RESULT_TABLES)]


@pytest.mark.parametrize("table", RESULT_TABLES)
def test_every_column_of_a_result_is_documented_and_the_reverse(table):
    rows = heading_and_table(FORMAT_PAGE, f"### Result: `{table}.csv`")
    assert [row[0].strip("`") for row in rows] == list(RESULT_TABLES[table])
    assert all(len(row) == 3 and row[2] for row in rows)


def test_every_key_of_plan_json_is_documented_and_the_reverse():
    plan = Plan("a", "0", "sharing", Status.OPTIMAL, 1.0, 1.0, 0.0, 0, "plain", 1, 0.0, {})
    rows = heading_and_table(FORMAT_PAGE, "### Result: `plan.json`")
    assert [row[0].strip("`") for row in rows] == list(plan.summary())
    text = FORMAT_PAGE.split("### Result: `plan.json`")[1]
    assert all(f"`{status}`" in text for status in Status)


def test_every_column_of_the_summary_of_a_batch_is_documented_and_the_reverse():
    rows = heading_and_table(BATCH_PAGE, "### `summary.csv`")
    assert [row[0].strip("`") for row in rows] == list(SUMMARY_COLUMNS)


def test_every_key_of_the_records_of_a_batch_is_documented_and_the_reverse(tmp_path):
    made = sp.batch(ROOT / "instances" / "toy", tmp_path / "batch", progress=False)
    manifest = json.loads((tmp_path / "batch" / "batch.json").read_text(encoding="utf-8"))
    rows = heading_and_table(BATCH_PAGE, "### `batch.json`")
    keys = [row[0].strip("`") for row in rows]
    assert sorted(manifest) == ["format", "runs"]
    assert keys == list(manifest["runs"][0])
    (run,) = made.summary["run"]
    record = json.loads((tmp_path / "batch" / "runs" / run / "run.json").read_text())
    own = [row[0].strip("`") for row in heading_and_table(BATCH_PAGE, "### `run.json`")]
    assert {*keys, *own} - {"instance_hash"} == set(record)


def test_options_of_runs_are_documented():
    rows = heading_and_table(BATCH_PAGE, "## Changes in words")
    (row,) = (row for row in rows if row[0] == "an option of the solve")
    assert re.findall(r"`(\w+)=", row[1]) == list(RUN_OPTIONS)


def test_keys_of_overlays_are_documented():
    rows = heading_and_table(PRIVATE_PAGE, "## How rows find each other")
    assert {row[0].strip("`").removesuffix(".csv"): row[1] for row in rows} == {
        table: ", ".join(f"`{column}`" for column in key) for table, key in OVERLAY_KEYS.items()
    }


def test_exit_codes_are_documented():
    rows = heading_and_table(FORMAT_PAGE, "## Exit status")
    codes = [getattr(exits, name) for name in dir(exits) if name.startswith("EXIT_")]
    assert [int(row[0]) for row in rows] == sorted(codes)


def phrases(rule, classes):
    """What a rule says to each class, for own needs and for partners', in its own words."""
    own, partner = rules.describe(rule, classes).removeprefix("Own need: ").split(" Partners: ")
    words = []
    for text in (own, partner):
        parts = text.removesuffix(".").split("; ")
        never = text == "never."
        words.append(
            ["never"] * len(classes)
            if never
            else [part.removeprefix(f"{name} ") for part, name in zip(parts, classes, strict=True)]
        )
    return words


def test_the_built_in_rules_are_documented():
    classes = ("defense", "essential", "industrial")
    menu = rules.default_rules(len(classes))
    own = {rule.name.split("-")[0]: phrases(rule, classes)[0] for rule in menu}
    partner = {
        rule.name.split("-")[1]: phrases(rule, classes)[1]
        for rule in menu
        if not rule.name.endswith("-equal")
    }
    assert len(menu) == len(own) * (len(partner) + 1)
    assert all(rule.rows[0] == rule.rows[1] for rule in menu if rule.name.endswith("-equal"))
    rows = heading_and_table(FORMAT_PAGE, "#### Own patterns")
    assert {row[0].strip("`"): row[1:] for row in rows} == own
    rows = heading_and_table(FORMAT_PAGE, "#### Partner patterns")
    assert {row[0].strip("`"): row[1:] for row in rows} == {
        **partner,
        "equal": ["as the own need of the class"] * len(classes),
    }


# --- The formulation ------------------------------------------------------------------------------


def equations():
    """Numbers and functions in the table of equations."""
    rows = heading_and_table(FORMULATION, "## 12. Where each equation is computed")
    return [
        (int(number), re.findall(r"`([\w.]+)`", row[1]))
        for row in rows
        for number in re.findall(r"\d+", row[0])
    ]


def test_every_equation_names_a_function_that_exists():
    assert sorted({number for number, _ in equations()}) == [*range(1, 19)]
    assert all(names for _, names in equations())
    section = FORMULATION.split("## 12. Where each equation is computed")[1].split("\n## ")[0]
    for name in re.findall(r"`([a-z_]+\.[\w.]+)`", section):
        module, *path = name.split(".")
        if (ROOT / "stockpile" / module).is_dir():
            module = f"{module}.{path.pop(0)}"
        found = importlib.import_module(f"stockpile.{module}")
        for part in path:
            found = getattr(found, part)
        assert callable(found), name


def test_numbers_that_the_code_cites_are_in_the_formulation():
    sections = set(re.findall(r"^## (\d+)\. ", FORMULATION, re.MULTILINE))
    numbers = set(re.findall(r"\*\*\((\d+)\)", FORMULATION))
    assert {str(number) for number in range(1, 19)} <= numbers
    for file in (ROOT / "stockpile").rglob("*.py"):
        text = " ".join(file.read_text(encoding="utf-8").split())
        assert set(re.findall(r"[Ss]ection (\d+) of the formulation", text)) <= sections, file
        assert set(re.findall(r"[Ee]quations? \((\d+)\)", text)) <= numbers, file


# --- Pages ----------------------------------------------------------------------------------------


def anchors(page):
    """Anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def blocks(page):
    """Fenced blocks of a page: info string and lines."""
    found, info, lines = [], None, []
    for line in page.read_text(encoding="utf-8").splitlines():
        if info is None and line.startswith("```"):
            info, lines = line.removeprefix("```").strip(), []
        elif info is not None and line.rstrip() == "```":
            found.append((info, lines))
            info = None
        elif info is not None:
            lines.append(line)
    assert info is None, "a fence is not closed"
    return found


def commands(lines):
    """Commands of a console block with the lines shown below them."""
    found = []
    for line in lines:
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif found and found[-1][0].endswith("\\"):
            found[-1][0] = found[-1][0][:-1] + line
        else:
            assert found, f"output without a command: {line}"
            found[-1][1].append(line)
    return found


def run(command):
    """Exit status and output of a command, as a terminal would show it."""
    arguments = shlex.split(command)
    assert not {"|", ">", "<", "&&"} & set(arguments), f"not supported here: {command}"
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            status = cli.main(arguments[1:])
        except SystemExit as stop:
            status = stop.code
    return status, output.getvalue()


def comparable(lines):
    """Lines without seconds and hashes, and without blank lines at both ends."""
    text = "\n".join(line.rstrip() for line in lines).strip("\n")
    text = re.sub(r"\b[0-9a-f]{12,64}\b", "HASH", text)
    text = re.sub(r"\b\d+(\.\d+)? s\b", "SECONDS s", text)
    text = re.sub(
        r"(\d/\d+|-)( +)\d+\.\d$", r"\1\2SECONDS", text, flags=re.MULTILINE
    )  # Of a batch.
    return re.sub(r'("seconds": )[\d.]+', r"\1SECONDS", text)


def require_shown(shown, output):
    shown, output = comparable(shown), comparable(output.splitlines())
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + r"\n"
        for line in shown.split("\n")
    )
    if not re.fullmatch(pattern, output + "\n"):
        assert shown == output  # Shows where they differ.


@pytest.fixture
def like_root(tmp_path, monkeypatch):
    """A folder like the root of the repository, to write results into."""
    for entry in ROOT.iterdir():
        if not entry.name.startswith(".") and entry.name != "results":
            (tmp_path / entry.name).symlink_to(entry)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=page_id)
@pytest.mark.usefixtures("like_root")
def test_examples_do_what_the_page_shows(page):
    namespace = {"__name__": "docs"}
    for info, lines in blocks(page):
        words = info.split()
        if not words or "no-test" in words:
            continue
        file = next((Path(word[5:]) for word in words if word.startswith("file=")), None)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        elif words[0] == "python":
            source = os.linesep.join(lines)
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(source, page_id(page), "exec"), namespace)
        elif words[0] == "console":
            expected = next((int(w[5:]) for w in words if w.startswith("exit=")), 0)
            for command, shown in commands(lines):
                if command.split()[0] != "stockpile":
                    continue
                status, output = run(command)
                assert status == expected, f"{command}\n{output}"
                if any(shown):
                    require_shown(shown, output)
